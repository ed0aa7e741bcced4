"""What a corrector makes of a distribution: a Markov chain on complete sequences.

One round masks a set of sites, drawn independently of the tokens, and draws them again from the
predictions given the others. On the table of all sequences that is a sum over the axes of the
set, followed by a product with the predictions.
"""

import operator
from collections.abc import Sequence
from typing import Any

from sims.decoding.denoiser import WithDraws
from sims.decoding.layers import outer
from sims.decoding.output import OutputDistribution, output_of
from sims.decoding.propagation import BATCH, Propagation
from sims.policies import Corrector, Policy, TokenPolicy
from sims.policies.base import CallDenoiser
from sims.policies.checks import not_negative
from theory import MASK
from theory._core.arrays import array_namespace, device, require_memory
from theory._core.segments import scatter
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.lattice.lattice import EvidenceLattice
from theory.validation.arguments import as_sites
from theory.validation.tolerances import tolerance

__all__ = ["corrected"]


def corrected(
    p: Distribution,
    lattice: EvidenceLattice | None,
    corrector: Corrector,
    ask: WithDraws,
    observed: tuple[int, ...],
) -> OutputDistribution:
    """The output of the inner decoder after the corrector's rounds, which spare observed sites."""
    inner = corrector.inner
    if inner is None:
        table, rounds, states, widest, lost = p.table(), {0: 1}, 0, 0, False
    else:
        if isinstance(inner, Corrector):
            q = corrected(p, lattice, inner, ask, observed)
        else:
            assert isinstance(inner, Policy | TokenPolicy)
            q = output_of(Propagation(p, lattice, inner, ask, observed))
        table, rounds, states, widest, lost = q.table, q.rounds, q.states, q.widest, q.lost
    for _ in range(corrector.steps):
        table = _one_round(p, table, corrector, ask, observed)
    rounds = {count + corrector.steps: chance for count, chance in rounds.items()}
    states += corrector.steps * p.vocab**p.length
    widest = max(widest, p.vocab**p.length)
    lost = lost or ask.lost
    return OutputDistribution(p, table, (), True, rounds, None, states, widest, lost=lost)


def _one_round(
    p: Distribution, table: Any, corrector: Corrector, ask: CallDenoiser, observed: tuple[int, ...]
) -> Any:
    what = f"a correction of the table of shape ({p.vocab},)*{p.length}"
    require_memory(5 * p.vocab**p.length, what, table)
    after, total = table * 0, 0
    free = [site for site in range(p.length) if site not in observed]
    for chance, places in corrector.sets(len(free)):
        chance = not_negative(chance, "corrector", tolerance(chance).entry)
        total = total + chance
        weight = chance if p.exact else float(chance)
        sites = [free[place] for place in as_sites(places, len(free))]
        after = after + weight * _drawn_again(p, table, sites, ask)
    if not abs(total - 1) <= tolerance(total).sum:
        raise InvalidInput(f"the corrector's probabilities sum to {total}, not to 1")
    return after


def _drawn_again(p: Distribution, table: Any, sites: Sequence[int], ask: CallDenoiser) -> Any:
    """The table after the tokens at `sites` were replaced by a parallel draw."""
    if not sites:
        return table
    xp, here = array_namespace(table), device(table)
    rest = [i for i in range(p.length) if i not in sites]
    contexts = xp.reshape(xp.sum(table, axis=tuple(sites)), (-1,))
    happens = xp.nonzero(contexts != 0)[0]
    count = happens.shape[0]
    chosen = xp.asarray(sites, dtype=xp.int64, device=here)
    parts = []
    for start in range(0, count, BATCH):
        rows = happens[start : min(start + BATCH, count)]
        nothing = xp.full(rows.shape, MASK, dtype=xp.int64, device=here)
        digits = {i: rows // p.vocab ** (len(rest) - 1 - k) % p.vocab for k, i in enumerate(rest)}
        x = xp.stack([digits.get(i, nothing) for i in range(p.length)], axis=1)
        _, draws = ask(x)
        joint = outer(xp.take(draws, chosen, axis=1), operator.mul)
        parts.append(xp.take(contexts, rows)[:, None] * joint)
    drawn = scatter(happens, xp.concat(parts, axis=0), contexts.shape[0])
    turned = xp.reshape(drawn, (p.vocab,) * p.length)
    order = [*rest, *sites]
    return xp.permute_dims(turned, tuple(order.index(i) for i in range(p.length)))
