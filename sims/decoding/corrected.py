"""The output distribution of a corrector: a Markov chain on complete sequences.

One round masks a set of sites, drawn independently of the tokens, and draws them again from the
predictions given the others. On the table of all sequences that is a sum over the axes of the
set, followed by a product with the predictions. A corrector that goes by the tokens chooses in
every sequence anew (`sims.decoding.informed`).
"""

import operator
from collections.abc import Sequence

from sims.decoding.denoiser import TemperedDenoiser
from sims.decoding.informed import informed_rounds
from sims.decoding.layers import outer
from sims.decoding.output import OutputDistribution, output_of
from sims.decoding.propagation import BATCH, Propagation
from sims.policies import Corrector, InformedCorrector, Policy, TokenPolicy
from sims.policies.base import CallDenoiser
from sims.policies.checks import not_negative
from theory import MASK
from theory._core.arrays import array_namespace, device, require_memory
from theory._core.segments import scatter
from theory._core.types import Array
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
    call_denoiser: TemperedDenoiser,
    observed: tuple[int, ...],
) -> OutputDistribution:
    """The output of the inner decoder after the corrector's rounds, which spare observed sites."""
    inner = corrector.inner
    if inner is None:
        table, rounds, states, widest, underflow = p.table(), {0: 1}, 0, 0, False
    else:
        if isinstance(inner, Corrector):
            q = corrected(p, lattice, inner, call_denoiser, observed)
        else:
            assert isinstance(inner, Policy | TokenPolicy)
            q = output_of(Propagation(p, lattice, inner, call_denoiser, observed))
        table, rounds, underflow = q.table, q.rounds, q.underflow
        states, widest = q.states, q.widest
    written = [site for site in range(p.length) if site not in observed]
    if isinstance(corrector, InformedCorrector):
        table = informed_rounds(table, corrector, call_denoiser, written, BATCH)
    else:
        for _ in range(corrector.steps):
            table = _one_round(p, table, corrector, call_denoiser, written)
    rounds = {count + corrector.steps: mass for count, mass in rounds.items()}
    states += corrector.steps * p.vocab**p.length
    widest = max(widest, p.vocab**p.length)
    underflow = underflow or call_denoiser.underflow
    return OutputDistribution(p, table, (), True, rounds, None, states, widest, underflow=underflow)


def _one_round(
    p: Distribution,
    table: Array,
    corrector: Corrector,
    call_denoiser: CallDenoiser,
    written: Sequence[int],
) -> Array:
    what = f"a correction of the table of shape ({p.vocab},)*{p.length}"
    require_memory(5 * p.vocab**p.length, what, table)
    after, total = table * 0, 0
    for found, offsets in corrector.sets(len(written)):
        probability = not_negative(found, "corrector", tolerance(found).entry)
        total = total + probability
        weight = probability if p.exact else float(probability)
        sites = [written[offset] for offset in as_sites(offsets, len(written))]
        drawn_again = _drawn_again(p, table, sites, call_denoiser)
        after = after + weight * drawn_again
    if not abs(total - 1) <= tolerance(total).sum:
        raise InvalidInput(f"the corrector's probabilities sum to {total}, not to 1")
    return after


def _drawn_again(
    p: Distribution, table: Array, sites: Sequence[int], call_denoiser: CallDenoiser
) -> Array:
    """The table after the tokens at `sites` were replaced by a parallel draw."""
    if not sites:
        return table
    xp, here = array_namespace(table), device(table)
    rest = [i for i in range(p.length) if i not in sites]
    contexts = xp.reshape(xp.sum(table, axis=tuple(sites)), (-1,))
    reached = xp.nonzero(contexts != 0)[0]
    count = reached.shape[0]
    chosen = xp.asarray(sites, dtype=xp.int64, device=here)
    parts = []
    for start in range(0, count, BATCH):
        rows = reached[start : min(start + BATCH, count)]
        nothing = xp.full(rows.shape, MASK, dtype=xp.int64, device=here)
        digits = {i: rows // p.vocab ** (len(rest) - 1 - k) % p.vocab for k, i in enumerate(rest)}
        x = xp.stack([digits.get(i, nothing) for i in range(p.length)], axis=1)
        _, sampling_probs = call_denoiser(x)
        joint = outer(xp.take(sampling_probs, chosen, axis=1), operator.mul)
        parts.append(xp.take(contexts, rows)[:, None] * joint)
    drawn = scatter(reached, xp.concat(parts, axis=0), contexts.shape[0])
    turned = xp.reshape(drawn, (p.vocab,) * p.length)
    order = [*rest, *sites]
    return xp.permute_dims(turned, tuple(order.index(i) for i in range(p.length)))
