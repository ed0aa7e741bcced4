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
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, every_pattern, symbolic_table
from theory.claims.kit.mutants import smoothed, zero_loss
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution
from theory.loss.forward import Denoiser

__all__ = ["ANY_ORDER"]

Factory = Callable[[Distribution], Denoiser]


def _difference(p: Distribution, rule: Sequence[int], denoiser: Factory = zero_loss) -> Any:
    """``q - p`` for a rule that reveals one site at a time."""
    q = output_distribution(p, one_site_rule(rule), denoiser=denoiser(p))
    return q.table - to_host(p.table())


def _circulation(p: Distribution, denoiser: Factory = zero_loss) -> list[Any]:
    """``log f_i(c) f_j(c, x_i) - log f_j(c) f_i(c, x_j)`` for all pairs of values that happen."""
    if p.length < 2:
        raise DoesNotApply("circulation is around two sites")
    f, residuals = denoiser(p), []

    def ask(x: np.ndarray, site: int) -> Any:
        return f(x[None, :])[0, site]

    for x in every_pattern(p):
        for i, j in itertools.combinations(np.flatnonzero(x == MASK).tolist(), 2):
            for u, v in itertools.product(range(p.vocab), repeat=2):
                with_i, with_j, both = x.copy(), x.copy(), x.copy()
                with_i[i], with_j[j], both[[i, j]] = u, v, (u, v)
                if p.evidence(both) == 0:
                    continue
                factors = [ask(x, i)[u], ask(with_i, j)[v], ask(x, j)[v], ask(with_j, i)[u]]
                logs = log(np.asarray(factors))
                residuals.append(logs[0] + logs[1] - logs[2] - logs[3])
    return residuals


def _three_bits(denoiser: Factory = zero_loss) -> list[Any]:
    """On a 2 x 2 x 2 table of symbols: the token at site 0 decides which site comes next."""

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Site 0; then site 2 if it holds a 1, else site 1; then the one that is left."""
        masked = x == MASK
        wanted = np.where(x[:, 0] == MASK, 0, np.where(x[:, 0] == 1, 2, 1))
        free = np.take_along_axis(masked, wanted[:, None], axis=1)[:, 0]
        return np.arange(3) == np.where(free, wanted, 3 - wanted)[:, None]

    p = symbolic_table(3)
    q = output_distribution(p, Rule(select), denoiser=denoiser(p))
    return q.table - p.table()


@by_size
def _rule(p: Size) -> dict[str, Any]:
    return {"rule": drawn_rules()}


ANY_ORDER = Claim(
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
    checks=(
        Check(level=Level.SYMBOLIC, residual=_three_bits, planted={"denoiser": smoothed}),
        Check(
            level=Level.EXACT,
            residual=_difference,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_rule,
            planted={"denoiser": smoothed},
        ),
        Check(
            level=Level.EXACT,
            residual=_circulation,
            distributions=lambda: strategies.joint_tables(
                lengths=(2, 3), vocabs=(2, 2), exact=True
            ),
            planted={"denoiser": smoothed},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_circulation,
            distributions=lambda: strategies.distributions(lengths=(2, 3), vocabs=(2, 2)),
            planted={"denoiser": smoothed},
            tolerance=1e-9,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_difference,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_rule,
            planted={"denoiser": smoothed},
            tolerance=1e-12,
        ),
    ),
)
