"""D2: far predictions of a chain approach their limit geometrically, and how fast."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory import MASK, MarkovChain, corpora, gallery, homogenization, strategies
from theory._core.arrays import to_host
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import DoesNotApply, Level, as_chain
from theory.distributions import Distribution
from theory.homogenization import Decision

__all__ = ["GEOMETRIC_RATE"]

STEPS = 4
"""Distances up to which Dobrushin's coefficient is tried."""

LATE, LATER = 300, 3000
"""Between these distances only the slowest mode of the named chains is left."""

STILL = 1e-13
"""Where the deviation over ``rate^n`` moves by less in a step, it stays the same up to rounding."""

SOUND = 1e4
"""Eigenvectors worse conditioned than this are left alone."""


# ---- two tokens, at every distance ----------------------------------------------------------


def _two_tokens(length: int, leave: int = 1) -> tuple[MarkovChain, Any, Any]:
    """The chain that leaves its tokens with probabilities a and b, and these."""
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    steps = [[1 - a, a], [leave * b, 1 - leave * b]]
    return MarkovChain([1, 0], steps, length, exact=True), a, b


def _eigenvalue(a: Any, b: Any) -> Any:
    return 1 - a - b


def _one_leaves(a: Any, b: Any) -> Any:
    """Planted: as if only one token were left."""
    return 1 - a


def _power(a: Any, b: Any, n: Any, decay: Callable[[Any, Any], Any]) -> Any:
    """What all rows tend to, plus the deviation at the start times ``decay^n``."""
    import sympy

    limit = sympy.Matrix([[b, a], [b, a]]) / (a + b)
    return limit + decay(a, b) ** n * (sympy.eye(2) - limit)


def _every_distance(decay: Callable[[Any, Any], Any] = _eigenvalue) -> list[Any]:
    """The base and the step of the induction over the distance n, a symbol."""
    import sympy

    p, a, b = _two_tokens(2)
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    steps = sympy.Matrix(p.transition.tolist())
    step = _power(a, b, n + 1, decay) - _power(a, b, n, decay) * steps
    return [*(_power(a, b, 0, decay) - sympy.eye(2)), *step.expand()]


def _decided(leave: int = 1) -> list[Any]:
    """What the library decides of the symbols, against the eigenvalue and the limit."""
    import sympy

    p, a, b = _two_tokens(2, leave)
    found, law = homogenization.decide(p), homogenization.stationary(p)
    shares = a / (a + b), b / (a + b)
    return [
        found.rate - sympy.Abs(_eigenvalue(a, b)),
        found.constant - sympy.Max(*shares),
        law[0] - shares[1],
        law[1] - shares[0],
    ]


def _between(decay: Callable[[Any, Any], Any] = _eigenvalue) -> list[Any]:
    """The denoiser between both ends against the bridge of the powers, for short gaps."""
    residuals = []
    for left, right in itertools.product((1, 2), repeat=2):
        p, a, b = _two_tokens(left + right + 1)
        before, after = (_power(a, b, n, decay) for n in (left, right))
        whole = _power(a, b, left + right, decay)
        for end in (0, 1):
            x = [0, *[MASK] * (left + right - 1), end]
            bridge = before[0, 1] * after[1, end] / whole[0, end]
            residuals.append(p.denoise(x)[left, 1] - bridge)
    return residuals


# ---- Dobrushin's coefficient ----------------------------------------------------------------


def _rows_apart(p: MarkovChain, n: int) -> Any:
    """The largest total variation between predictions at distance n after two tokens."""
    return homogenization.dobrushin(MarkovChain(p.initial, _powered(p, n), 2, exact=p.exact))


def _powered(p: MarkovChain, n: int) -> np.ndarray:
    return np.linalg.matrix_power(to_host(p.transition), n)


def _everywhere(p: Distribution) -> MarkovChain | None:
    """The same steps, from any token."""
    if not isinstance(p, MarkovChain):
        return None
    start = np.asarray([Fraction(1, p.vocab)] * p.vocab, dtype=object)
    start = start if p.exact else start.astype(np.float64)
    return MarkovChain(start, to_host(p.transition), 2, exact=p.exact)


def _contracts(
    p: Distribution, coefficient: Callable[[MarkovChain], Any] = homogenization.dobrushin
) -> list[Any]:
    """By how much predictions differ more than the n-th power of the coefficient."""
    chain = _everywhere(p)
    if chain is None:
        raise DoesNotApply(f"it is about Markov chains, and this is a {type(p).__name__}")
    tau = coefficient(chain)
    return [excess(_rows_apart(chain, n), tau**n) for n in range(1, STEPS + 1)]


def _half(p: MarkovChain) -> Any:
    """Planted: half the coefficient."""
    return homogenization.dobrushin(p) / 2


def _nearest(p: Distribution) -> float:
    chain = _everywhere(p)
    if chain is None:
        return math.nan
    tau = homogenization.dobrushin(chain)
    return closeness(_rows_apart(chain, STEPS), tau**STEPS)


# ---- the rate and the constant --------------------------------------------------------------


def _within(p: Distribution, rate: Callable[[Decision], float] | None = None) -> list[float]:
    """By how much predictions miss their limit more than all modes together can."""
    p = as_chain(p)
    chain = MarkovChain(to_host(p.initial).astype(float), to_host(p.transition).astype(float), 2)
    found = homogenization.decide(chain)
    if found.limits is None or found.rate == 0:
        raise DoesNotApply("far predictions have no limit, or are at it after finitely many steps")
    inside = np.flatnonzero(~np.isnan(found.limits[:, 0]))
    steps, limits = (m[np.ix_(inside, inside)] for m in (chain.transition, found.limits))
    _, right = np.linalg.eig(steps - limits)
    if np.linalg.cond(right) > SOUND:
        raise DoesNotApply("the eigenvalues are defective, or nearly so in floats")
    left = np.linalg.inv(right)
    modes = np.abs(right[:, :, None] * left[None, :, :]).sum(axis=1).sum(axis=1).max() / 2
    decay = found.rate if rate is None else rate(found)
    residuals, power = [], steps
    for n in range(1, 30):
        off = np.abs(power - limits).sum(axis=1).max() / 2
        residuals.append(excess(float(off), float(modes * decay**n)))
        power = power @ steps
    return residuals


def _squared(found: Decision) -> float:
    """Planted: the square of the rate."""
    return found.rate**2


def _predicted(found: Decision) -> float:
    return float(found.constant)


def _a_tenth_more(found: Decision) -> float:
    """Planted: a constant that is too large."""
    return 1.1 * found.constant


def _late(p: Distribution, constant: Callable[[Decision], float] = _predicted) -> list[float]:
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
        if np.abs(power - before).max() < STILL:
            break
    return [most / constant(found) - 1]


def _named() -> dict[str, Distribution]:
    half, third, quarter = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
    start = [1, 0, 0]
    return {
        "binary_symmetric(3, 0.03)": gallery.binary_symmetric(3, 0.03),
        "two_classes(3)": gallery.two_classes(3),
        "end_of_text(3)": gallery.end_of_text(3),
        "no two ones in a row": MarkovChain([1, 0], [[half, half], [1, 0]], 3, exact=True),
        "three tokens, 1/3": MarkovChain(
            start, [[half, half, 0], [third] * 3, [quarter, quarter, half]], 3, exact=True
        ),
        "1/2 and -1/2": MarkovChain(
            [quarter] * 4,
            [
                [half, quarter, quarter, 0],
                [quarter, half, 0, quarter],
                [half, 0, 0, half],
                [0, half, half, 0],
            ],
            3,
            exact=True,
        ),
        "half uniform, half the next of four": MarkovChain(
            [quarter] * 4,
            [[Fraction(1 + 4 * ((b - a) % 4 == 1), 8) for b in range(4)] for a in range(4)],
            3,
            exact=True,
        ),
        "three steps in turn until it ends": MarkovChain(
            [1, 0, 0, 0],
            [[0, 1, 0, 0], [0, 0, 1, 0], [Fraction(1, 8), 0, 0, Fraction(7, 8)], [0, 0, 0, 1]],
            3,
            exact=True,
        ),
        "slowly round three tokens": MarkovChain(
            start, [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]], 3
        ),
        "words of English prose": corpora.english().chain(3),
    }


GEOMETRIC_RATE = Claim(
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
    checks=(
        Check(level=Level.SYMBOLIC, residual=_every_distance, planted={"decay": _one_leaves}),
        Check(level=Level.SYMBOLIC, residual=_decided, planted={"leave": 2}),
        Check(level=Level.SYMBOLIC, residual=_between, planted={"decay": _one_leaves}),
        Check(
            level=Level.EXACT,
            residual=_contracts,
            distributions=lambda: strategies.chains(lengths=(1, 1), vocabs=(2, 4), exact=True),
            planted={"coefficient": _half},
            tightness=_nearest,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_within,
            distributions=lambda: strategies.chains(lengths=(1, 1), vocabs=(2, 4)),
            planted={"rate": _squared},
            tolerance=1e-9,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_late,
            named=_named,
            planted={"constant": _a_tenth_more},
            tolerance=1e-6,
        ),
    ),
)
