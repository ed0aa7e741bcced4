"""D2: the rate and the constant at which far predictions of a chain approach their limit."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory import MASK, MarkovChain, corpora, gallery, homogenization, strategies
from theory._core.arrays import to_host
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import chain_of_weights
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution

__all__ = ["D2"]

STEPS = 4  # distances up to which Dobrushin's coefficient is tried
LATE, LATER = 300, 3000  # between these only the slowest mode of the named chains is left
CONVERGED_TOL = 1e-13  # where the scaled deviation moves by less in a step, only rounding moves it
MAX_CONDITION = 1e4  # with eigenvectors that are worse conditioned, modes are not summed

D2 = Claim(
    id="D2",
    title="Far predictions approach their limit at the rate of the second eigenvalue",
    statement=(
        "Where the predictions of a chain approach a limit, the total variation to it, in the "
        "worst context, falls like the n-th power of the largest modulus of another eigenvalue, "
        "times a constant from its eigenvectors. For two tokens, left with probabilities a and b, "
        "it is |1 - a - b|^n times what it is at the start, at every distance n. Dobrushin's "
        "coefficient, the largest total variation between two rows, bounds how far predictions "
        "after two contexts are apart: by its n-th power."
    ),
    latex=(
        r"P^n - 1\pi^\top = (1 - a - b)^n (I - 1\pi^\top);\quad "
        r"\max_l \mathrm{TV}(P^n(l, \cdot), \pi) \sim c\, |\lambda_2|^n;\quad "
        r"\mathrm{TV}(P^n(x, \cdot), P^n(y, \cdot)) \le \tau(P)^n"
    ),
    says="textbook; the conjecture of the seed (D6) names no rate",
    note=(
        "The symbolic checks hold for all a, b and n. The constant is the limit superior: over one "
        "period where the slowest eigenvalues are the rate times roots of unity, over all phases "
        "where a complex pair turns by an irrational angle. If the eigenvalue is defective, a "
        "power of n comes on top and the constant is infinite."
    ),
    source="textbook (Perron, Frobenius; Dobrushin)",
    provenance=Provenance.MEMORY,
    verdict=Verdict.HOLDS,
)


def _two_tokens(length: int, leave: int = 1) -> tuple[MarkovChain, Any, Any]:
    """The chain that leaves its tokens with probabilities a and b, and these."""
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    steps = [[1 - a, a], [leave * b, 1 - leave * b]]
    return MarkovChain([1, 0], steps, length, exact=True), a, b


def _eigenvalue(a: Number, b: Number) -> Number:
    return 1 - a - b


def _power(a: Number, b: Number, n: Any, decay: Callable) -> Any:
    """What all rows tend to, plus the deviation at the start times ``decay^n``."""
    import sympy

    limit = sympy.Matrix([[b, a], [b, a]]) / (a + b)
    return limit + decay(a, b) ** n * (sympy.eye(2) - limit)


# planted: as if only one token were left
@D2.symbolic("every power, by induction", decay=lambda a, b: 1 - a)
def every_distance(decay: Callable = _eigenvalue) -> list[Number]:
    """The base and the step of the induction over the distance n, a symbol."""
    import sympy

    p, a, b = _two_tokens(2)
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    steps = sympy.Matrix(p.transition.tolist())
    step = _power(a, b, n + 1, decay) - _power(a, b, n, decay) * steps
    return [*(_power(a, b, 0, decay) - sympy.eye(2)), *step.expand()]


@D2.symbolic("rate and constant that the library decides", leave=2)
def decided(leave: int = 1) -> list[Any]:
    """What the library decides of the symbols, against the eigenvalue and the limit."""
    import sympy

    p, a, b = _two_tokens(2, leave)
    found, pi = homogenization.decide(p), homogenization.stationary(p)
    shares = a / (a + b), b / (a + b)
    return [
        found.rate - sympy.Abs(_eigenvalue(a, b)),
        found.constant - sympy.Max(*shares),
        pi[0] - shares[1],
        pi[1] - shares[0],
    ]


# planted: as if only one token were left
@D2.symbolic("the denoiser between both ends", decay=lambda a, b: 1 - a)
def between(decay: Callable = _eigenvalue) -> list[Number]:
    """The denoiser between both ends against the bridge of the powers, for short gaps."""
    residuals = []
    for left, right, end in itertools.product((1, 2), (1, 2), (0, 1)):
        p, a, b = _two_tokens(left + right + 1)
        before, after, whole = (_power(a, b, n, decay) for n in (left, right, left + right))
        bridge = before[0, 1] * after[1, end] / whole[0, end]
        x = [0, *[MASK] * (left + right - 1), end]
        residuals.append(p.denoise(x)[left, 1] - bridge)
    return residuals


@D2.residual(
    "powers of Dobrushin's coefficient",
    exact=strategies.chains(lengths=(1, 1), vocabs=(2, 4), exact=True),
    coefficient=lambda p: homogenization.dobrushin(p) / 2,
)
def contraction(p: Distribution, coefficient: Callable = homogenization.dobrushin) -> list[Any]:
    """How far predictions at distance n differ, against the n-th power of the coefficient."""
    p = as_chain(p)
    steps, start = to_host(p.transition), [Fraction(1, p.vocab)] * p.vocab  # from any token
    powers = [np.linalg.matrix_power(steps, n) for n in range(1, STEPS + 1)]
    chains = [MarkovChain(start, power, 2, exact=p.exact) for power in powers]
    tau, apart = coefficient(chains[0]), [homogenization.dobrushin(q) for q in chains]
    over = [excess(tv, tau**n) for n, tv in enumerate(apart, 1)]
    return [*over, Bound(apart[-1], tau**STEPS)]  # the first step is an equality


@D2.residual(
    "all modes together",
    floats=strategies.chains(lengths=(1, 1), vocabs=(2, 4)),
    tolerance=1e-9,
    rate=lambda found: found.rate**2,
)
def all_modes(p: Distribution, rate: Callable = lambda found: found.rate) -> list[float]:
    """By how much predictions miss their limit more than all modes together can."""
    p = as_chain(p)
    chain = MarkovChain(to_host(p.initial).astype(float), to_host(p.transition).astype(float), 2)
    found = homogenization.decide(chain)
    if found.limits is None or found.rate == 0:
        raise DoesNotApply("far predictions have no limit, or are at it after finitely many steps")
    inside = np.flatnonzero(~np.isnan(found.limits[:, 0]))
    steps, limits = (m[np.ix_(inside, inside)] for m in (chain.transition, found.limits))
    _, right = np.linalg.eig(steps - limits)
    if np.linalg.cond(right) > MAX_CONDITION:
        raise DoesNotApply("the eigenvalues are defective, or nearly so in floats")
    left = np.linalg.inv(right)
    modes = np.abs(right[:, :, None] * left[None, :, :]).sum(axis=1).sum(axis=1).max() / 2
    residuals, power = [], steps
    for n in range(1, 30):
        off = np.abs(power - limits).sum(axis=1).max() / 2
        residuals.append(excess(float(off), float(modes * rate(found) ** n)))
        power = power @ steps
    return residuals


def _named() -> dict[str, Distribution]:
    return {
        "binary_symmetric(3, 0.03)": gallery.binary_symmetric(3, 0.03),
        "two_classes(3)": gallery.two_classes(3),
        "end_of_text(3)": gallery.end_of_text(3),
        "no two ones in a row": chain_of_weights([[1, 1], [1, 0]]),
        "three tokens, 1/3": chain_of_weights([[1, 1, 0], [1, 1, 1], [1, 1, 2]]),
        "1/2 and -1/2": chain_of_weights([[2, 1, 1, 0], [1, 2, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]]),
        "half uniform, half the next of four": chain_of_weights(
            [[1, 5, 1, 1], [1, 1, 5, 1], [1, 1, 1, 5], [5, 1, 1, 1]]
        ),
        "three steps in turn until it ends": chain_of_weights(
            [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 7], [0, 0, 0, 1]]
        ),
        "slowly round three tokens": MarkovChain(
            [1, 0, 0], [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]], 3
        ),
        "words of English prose": corpora.english().chain(3),
    }


@D2.residual(
    "the constant, late", named=_named, tolerance=1e-6, constant=lambda found: 1.1 * found.constant
)
def late(p: Distribution, constant: Callable = lambda found: float(found.constant)) -> float:
    """The largest of the distances to the limit over ``rate^n`` for large n, over the constant."""
    p = as_chain(p)
    found = homogenization.decide(p)
    if found.limits is None or not float(found.rate) > 0 or not math.isfinite(found.constant):
        raise DoesNotApply("far predictions have no limit, no rate above 0, or no finite constant")
    inside = np.ix_(*[np.flatnonzero([v == v for v in found.limits[:, 0].tolist()])] * 2)
    deviation = (to_host(p.transition)[inside] - found.limits[inside]).astype(np.float64)
    scaled = deviation / float(found.rate)
    power, most = np.linalg.matrix_power(scaled, LATE), 0.0
    for _ in range(LATE, LATER):
        most = max(most, float(np.abs(power).sum(axis=1).max()) / 2)
        before, power = power, power @ scaled
        if np.abs(power - before).max() < CONVERGED_TOL:
            break
    return most / constant(found) - 1
