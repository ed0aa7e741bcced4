"""What a corrector makes of a distribution: a Markov chain on complete sequences.

One round masks a set of sites, drawn independently of the tokens, and draws them again from the
predictions given the others. On the table of all sequences that is a sum over the axes of the
set, followed by a product with the predictions.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.layers import BATCH, run
from sims.output import OutputDistribution
from sims.policies import Corrector, Policy, TokenPolicy
from sims.policies.base import SUM_TOLERANCE, Ask
from theory import MASK
from theory.arrays import require_memory, to_host
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice import EvidenceLattice
from theory.validation import as_sites

__all__ = ["corrected"]


def corrected(
    p: Distribution, lattice: EvidenceLattice, corrector: Corrector, ask: Ask
) -> OutputDistribution:
    """The output of the inner decoder after the corrector's rounds."""
    inner = corrector.inner
    if inner is None:
        table, rounds, states, widest = to_host(p.table()), {0: 1}, 0, 0
    else:
        if isinstance(inner, Corrector):
            q = corrected(p, lattice, inner, ask)
        else:
            assert isinstance(inner, Policy | TokenPolicy)
            q = run(p, lattice, inner, ask)
        table, rounds, states, widest = q.table, q.rounds, q.states, q.widest
    for _ in range(corrector.steps):
        table = _one_round(p, table, corrector, ask)
    rounds = {count + corrector.steps: chance for count, chance in rounds.items()}
    states += corrector.steps * p.vocab**p.length
    widest = max(widest, p.vocab**p.length)
    return OutputDistribution(p, table, (), True, rounds, None, states, widest)


def _one_round(p: Distribution, table: np.ndarray, corrector: Corrector, ask: Ask) -> np.ndarray:
    require_memory(4 * table.size, f"a correction of the table of shape ({p.vocab},)*{p.length}")
    after, total = table * 0, 0
    for chance, sites in corrector.sets(p.length):
        if not chance >= 0:
            raise InvalidInput(f"the corrector's chances must not be negative, got {chance}")
        total = total + chance
        weight = chance if p.exact else float(chance)
        after = after + weight * _drawn_again(p, table, as_sites(sites, p.length), ask)
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise InvalidInput(f"the corrector's chances sum to {total}, not to 1")
    return after


def _drawn_again(p: Distribution, table: np.ndarray, sites: Sequence[int], ask: Ask) -> np.ndarray:
    """The table after the tokens at `sites` were replaced by a parallel draw."""
    rest = [i for i in range(p.length) if i not in sites]
    contexts = table.sum(axis=tuple(sites), keepdims=True).reshape((p.vocab,) * len(rest))
    after = np.zeros((p.vocab,) * p.length, dtype=table.dtype)
    turned = np.moveaxis(after, [*rest, *sites], range(p.length))
    happens = np.argwhere(contexts != 0)
    mass = contexts.reshape(-1)[np.flatnonzero(contexts != 0)]
    for rows in np.array_split(np.arange(len(mass)), math.ceil(len(mass) / BATCH)):
        x = np.full((len(rows), p.length), MASK)
        x[:, rest] = happens[rows]
        _, draws = ask(x)
        joint: Any = mass[rows][:, None]
        for site in sites:
            joint = (joint[:, :, None] * draws[:, None, site, :]).reshape(len(x), -1)
        turned[tuple(happens[rows].T)] = joint.reshape(len(x), *(p.vocab,) * len(sites))
    return after
