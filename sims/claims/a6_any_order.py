"""A6: one site at a time, any order is exact."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims.claims.kit.random_rules import drawn_rules, one_site_rule
from sims.decoding.exact import output_distribution
from sims.policies import Rule
from theory import MASK, strategies
from theory._core.arrays import log, to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import every_pattern, symbolic_table
from theory.claims.kit.mutants import smoothed, zero_loss
from theory.distributions import Distribution
from theory.loss.forward import Denoiser

__all__ = ["A6"]

Factory = Callable[[Distribution], Denoiser]

A6 = Claim(
    id="A6",
    title="One site at a time, any order is exact",
    statement=(
        "With the zero-loss denoiser, any rule that reveals one site per round samples from p, "
        "even if the next site depends on the values drawn so far. Around any two sites the "
        "circulation, the logarithm of what one order gives over what the other gives, is zero. "
        "For another denoiser neither need hold."
    ),
    latex=(
        r"q = p; \qquad \log \frac{p(x_i \mid c)\, p(x_j \mid x_i, c)}"
        r"{p(x_j \mid c)\, p(x_i \mid x_j, c)} = 0"
    ),
    says=(
        "with a perfect model, revealing one position at a time samples from the data in any "
        "order; circulation (restated): how far a model is from being consistent"
    ),
    note=(
        "It is not true that order matters for every other denoiser: one that is exact for "
        "another joint has no circulation and writes that joint in every order."
    ),
    source="Kim et al., arXiv 2502.06768 (read); circulation: arXiv 2605.09303 (restated)",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


@A6.symbolic("an order that depends on the first of three bits", denoiser=smoothed)
def order_that_depends_on_the_first_bit(denoiser: Factory = zero_loss) -> Any:
    """``q - p`` on a 2 x 2 x 2 table of symbols, sites in the order 0, 2, 1 after a 1."""

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        order = np.where(x[:, :1] == 1, [0, 2, 1], [0, 1, 2])
        shown = (x != MASK).sum(axis=1, keepdims=True)
        return np.arange(3) == np.take_along_axis(order, shown, axis=1)

    p = symbolic_table(3)
    return output_distribution(p, Rule(select), denoiser=denoiser(p)).table - p.table()


@A6.residual(
    "one site at a time in any adaptive order",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={"rule": drawn_rules()},
    tolerance=1e-12,
    denoiser=smoothed,
)
def any_order(p: Distribution, rule: Sequence[int], denoiser: Factory = zero_loss) -> Any:
    """``q - p`` for a rule that reveals one site at a time."""
    q = output_distribution(p, one_site_rule(rule), denoiser=denoiser(p))
    return q.table - to_host(p.table())


@A6.residual(
    "no circulation around two sites",
    exact=strategies.joint_tables(lengths=(2, 3), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(2, 3), vocabs=(2, 2)),
    tolerance=1e-9,
    denoiser=smoothed,
)
def circulation(p: Distribution, denoiser: Factory = zero_loss) -> list[Any]:
    """``log f_i(c) f_j(c, x_i) - log f_j(c) f_i(c, x_j)`` for all pairs of values that happen."""
    if p.length < 2:
        raise DoesNotApply("circulation is around two sites")
    f, residuals = denoiser(p), []
    for both in every_pattern(p):
        if p.evidence(both) == 0:
            continue
        for i, j in itertools.combinations(np.flatnonzero(both != MASK).tolist(), 2):
            neither, with_i, with_j = both.copy(), both.copy(), both.copy()
            neither[[i, j]] = with_i[j] = with_j[i] = MASK
            asked = ((neither, i), (with_i, j), (neither, j), (with_j, i))
            factors = [f(x[None])[0, site, both[site]] for x, site in asked]
            logs = log(np.asarray(factors))
            residuals.append(logs[0] + logs[1] - logs[2] - logs[3])
    return residuals
