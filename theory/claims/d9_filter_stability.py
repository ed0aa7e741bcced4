"""D9: how fast hidden Markov models forget their start; correlations around a ring of spins."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import gallery, homogenization
from theory._core.arrays import MASK, to_host
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import positive_chains, shares, weight_rows
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution, HiddenMarkovModel, JointTable, MarkovChain

__all__ = ["D9"]

D9 = Claim(
    id="D9",
    title="Hidden Markov models forget their start; on a ring of spins correlations decay",
    statement=(
        "Let any hidden state follow any other. Given the same observations, Hilbert's distance "
        "of the filters after two starts shrinks in each step at least by Birkhoff's coefficient "
        "tau_B, whatever is emitted; sharper, tanh(d/4) does, and TV <= tanh(d/4). So at site n "
        "predictions of tokens differ by TV at most tau_B^n after any two starts. On a ring of L "
        "spins E s_i s_(i+r) = (t^r + t^(L-r))/(1 + t^L) with t = tanh(beta), which tends to t^r "
        "as L grows; up to half way round it misses it by at most |t|^(L-r)."
    ),
    latex=(
        r"\tanh \tfrac{d'}{4} \le \tau_B \tanh \tfrac{d}{4},\quad \tau_B = \tfrac{1 - "
        r"\sqrt\varphi}{1 + \sqrt\varphi},\quad \mathrm{TV} \le \tanh \tfrac{d}{4};\qquad "
        r"\mathbb E\, s_i s_{i+r} = \frac{t^r + t^{L-r}}{1 + t^L} \to t^r"
    ),
    says="filters contract by Birkhoff's coefficient; on a ring the correlation is tanh(beta)^r",
    note=(
        "tanh(beta)^r is the limit of long rings, and below the truth for beta > 0. For beta < 0 "
        "it is no such bound: with t = -1/2 neighbours have -2/7 among three spins and -10/17 "
        "among four. A reading that excludes states restricts both filters to the others, where "
        "the distance is no larger; after one step it is finite even if the starts have no state "
        "in common. The bounds with tanh are derived here; the slacks are squares, and every "
        "transition matrix attains the first, at every distance, from two starts on two rows. "
        "d' <= tau_B d follows, because artanh(tau tanh u) <= tau u. With a zero in a row but "
        "not in its column tau_B is 1 and nothing is said."
    ),
    source="textbook: Birkhoff, Ising (from memory); the bounds with tanh derived here",
    provenance=Provenance.MEMORY,
    verdict=Verdict.CONDITIONAL,
)


def _steps(p: Distribution, exact: bool) -> np.ndarray:
    """The (hidden) transition matrix, if it has no zero and is in this arithmetic."""
    if isinstance(p, (MarkovChain, HiddenMarkovModel)) and p.exact == exact:
        steps = to_host(p.transition)
        if (steps > 0).all():
            return steps
    raise DoesNotApply("it is about chains, hidden or not, all of whose steps are possible")


def _apart(a: np.ndarray, b: np.ndarray) -> Number:
    """Exponential of Hilbert's distance: the largest quotient of entries over the least.

    Infinite if the supports differ.
    """
    if ((a > 0) != (b > 0)).any():
        return math.inf
    quotients = a[a > 0] / b[a > 0]
    return quotients.max() / quotients.min()


def _diameter(steps: np.ndarray) -> Number:
    """The same between two rows, the largest: what no distance after a step exceeds."""
    return max(_apart(a, b) for a, b in itertools.product(steps, repeat=2))


def _one_quotient(steps: np.ndarray) -> Number:
    """Planted: the largest quotient of two entries of a column, and not of two of these."""
    return max((a / b).max() for a, b in itertools.product(steps, repeat=2))


def _tanh(apart: Number) -> float:
    """``tanh(d / 4)`` from ``exp(d)``; the diameter gives Birkhoff's coefficient."""
    return math.tanh(math.log(apart) / 4) if apart < math.inf else 1.0


@st.composite
def _models(draw: st.DrawFn) -> HiddenMarkovModel:
    """Any hidden state may follow any other; starts and emissions may have zeros."""
    states, vocab = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    (start,) = shares(draw(weight_rows(1, states, 0, 3)))
    transition = shares(draw(weight_rows(states, states, 1, 6)))
    emission = shares(draw(weight_rows(states, vocab, 0, 3)))
    return HiddenMarkovModel(start, transition, emission, draw(st.integers(2, 6)))


# ---- filters, in rational arithmetic --------------------------------------------------------

FILTERS = {
    "starts": lambda p: weight_rows(2, p.vocab, 0, 4),
    "readings": lambda p: st.integers(1, 3).flatmap(lambda n: weight_rows(n, p.vocab, 0, 3)),
}


def _filters(steps: np.ndarray, starts: Any, readings: Any) -> Iterator[tuple[Any, Any]]:
    """Both filters at the start and after each reading, as long as it is possible."""
    a, b = shares(starts)
    yield a, b
    for reading in readings:
        a, b = ((x @ steps) * np.asarray(reading) for x in (a, b))
        a, b = a / a.sum(), b / b.sum()
        yield a, b


@D9.symbolic("each slack is a square", root=1)
def squares(root: int = 2) -> list[Number]:
    """What the proofs come down to: each slack is a square times something positive.

    A step mixes the extremes, ``(m + M s)/(1 + s)``, with quotients s that span D at most; the
    total variation is at most ``(M - 1)(1 - m)/(M - m)`` with ``M = R m``; and
    ``tau u - artanh(tau tanh u)``, which is 0 at u = 0, never falls.
    """
    import sympy

    r, q, s, m, u, tau = sympy.symbols("r q s m u tau", positive=True)
    t = sympy.tanh(u)
    big, wide = r**root, q**root
    mixed = (1 + r * q) ** 2 * (1 + wide * s) * (1 + big * s)
    mixed -= (1 + big * wide * s) * (1 + s) * (r + q) ** 2
    slack = (r - 1) / (r + 1) - (big * m - 1) * (1 - m) / (m * (big - 1))
    rise = sympy.diff(tau * u - sympy.atanh(tau * t), u)
    return [
        sympy.expand(mixed - (r**2 - 1) * (q**2 - 1) * (1 - r * q * s) ** 2),
        sympy.cancel(slack - (r * m - 1) ** 2 / (m * (r**2 - 1))),
        sympy.cancel(rise - tau * (1 - tau**2) * t**root / (1 - tau**2 * t**2)),
    ]


@D9.residual(
    "each step contracts", exact=positive_chains(6, exact=True), parts=FILTERS, spread=_one_quotient
)
def contraction(
    p: Distribution, starts: Any, readings: Any, spread: Callable = _diameter
) -> list[Number]:
    """``tanh(d' / 4) <= tau tanh(d / 4)`` after each step, without roots.

    With R, R' and D the exponentials of the distances and of the diameter it says
    ``sqrt(R') (sqrt(R) + sqrt(D)) <= 1 + sqrt(R D)``; squared twice, it is rational.
    """
    steps, over = _steps(p, exact=True), []
    d = spread(steps)
    for before, after in itertools.pairwise(_filters(steps, starts, readings)):
        r, new = _apart(*before), _apart(*after)
        if r == math.inf:
            over.append(excess(new, d))
            continue
        room = 1 + r * d - new * (r + d)
        over.append(excess(4 * r * d * (new - 1) ** 2, room * abs(room)))
    return over


@D9.residual("variation and distance", exact=positive_chains(6, exact=True), parts=FILTERS, power=4)
def variation(p: Distribution, starts: Any, readings: Any, power: int = 2) -> list[Any]:
    """``TV <= tanh(d / 4)``, which is ``((1 + TV) / (1 - TV))^2 <= exp(d)`` without roots."""
    over: list[Any] = []
    for a, b in _filters(_steps(p, exact=True), starts, readings):
        tv, apart = abs(a - b).sum() / 2, _apart(a, b)
        if tv < 1:
            over += [excess(((1 + tv) / (1 - tv)) ** power, apart), Bound(float(tv), _tanh(apart))]
    return over or [0]  # else the starts have no state in common, and d is infinite


@D9.residual(
    "Birkhoff's coefficient by its definition",
    floats=positive_chains(6, exact=False) | _models(),
    tolerance=1e-12,
    spread=_one_quotient,
)
def coefficient(p: Any, spread: Callable = _diameter) -> float:
    steps = _steps(p, exact=False)
    return homogenization.birkhoff(p) - _tanh(spread(steps))


@D9.residual(
    "two starts that attain it",
    floats=positive_chains(6, exact=False) | _models(),
    parts={"distance": st.floats(0.01, 5)},
    tolerance=1e-12,
    spread=_one_quotient,
)
def extremal(p: Distribution, distance: float, spread: Callable = _diameter) -> float:
    """Two distributions on two rows that attain ``tanh(d' / 4) = tau tanh(d / 4)``."""
    steps = _steps(p, exact=False)
    a, b = max(itertools.product(steps, repeat=2), key=lambda rows: _apart(*rows))
    k, j = (a / b).argmax(), (a / b).argmin()
    middle = math.sqrt(a[k] * a[j] / (b[k] * b[j]))
    ends = [a + middle * math.exp(sign * distance / 2) * b for sign in (1, -1)]
    return _tanh(_apart(ends[0], ends[1])) - _tanh(spread(steps)) * math.tanh(distance / 4)


def _other_start(p: Distribution) -> dict[str, Any]:
    states = p.transition.shape[0] if isinstance(p, HiddenMarkovModel) else 1
    seen = st.lists(st.integers(0, p.vocab - 1), max_size=p.length - 1)
    return {"start": weight_rows(1, states, 0, 3).map(lambda rows: rows[0]), "seen": seen}


@D9.residual(
    "predictions after two starts", floats=_models(), parts=_other_start, tolerance=1e-12, power=2
)
def forgets(p: Distribution, start: Any, seen: Any, power: int = 1) -> list[Bound]:
    """TV between predictions after two starts, and its bound, at each site right of `seen`."""
    about = DoesNotApply("it is about hidden chains, and two starts that may show what is seen")
    if not isinstance(p, HiddenMarkovModel):
        raise about
    _steps(p, exact=False)
    other = np.asarray(start) / sum(start)
    q = HiddenMarkovModel(other, p.transition, p.emission, p.length)
    x = np.asarray([*seen, *[MASK] * p.length][: p.length])
    if min(p.log_evidence(x), q.log_evidence(x)) == -math.inf:
        raise about
    begin, tau = _tanh(_apart(to_host(p.initial), other)), homogenization.birkhoff(p)
    gaps = abs(to_host(p.denoise(x)) - to_host(q.denoise(x))).sum(axis=1) / 2
    sites = range(len(seen), p.length)
    return [Bound(float(gaps[i]), (tau**i * begin) ** power) for i in sites]


# ---- spins on a ring ------------------------------------------------------------------------


def _on_ring(t: Number, length: int, r: int) -> Number:
    """Correlation of spins r apart on a ring, with ``t = tanh(beta)``."""
    return (t**r + t ** (length - r)) / (1 + t**length)


def _on_line(t: Number, length: int, r: int) -> Number:
    """Planted: that of an endless line."""
    return t**r


def _correlation(p: Distribution, r: int) -> Number:
    """``E s_0 s_r``, with the spin -1 for token 0 and +1 for token 1."""
    total: Any = 0
    for a, b in itertools.product((0, 1), repeat=2):
        x = np.full(p.length, MASK)
        x[[0, r]] = a, b
        total = total + (1 if a == b else -1) * p.evidence(x)
    return total


@D9.symbolic("rings of three to five spins", formula=_on_line)
def free_rings(formula: Callable = _on_ring) -> list[Number]:
    """With a symbol for exp(beta)."""
    import sympy

    w = sympy.Symbol("w", positive=True)
    left, t = [], (w**2 - 1) / (w**2 + 1)
    for length in (3, 4, 5):
        weights = np.empty((2,) * length, dtype=object)
        for x in itertools.product((0, 1), repeat=length):
            weights[x] = w ** sum((2 * x[i] - 1) * (2 * x[i - 1] - 1) for i in range(length))
        p = JointTable(weights, exact=True)
        for r in range(1, length):
            left.append(sympy.cancel(_correlation(p, r) - formula(t, length, r)))
    return left


def _named_rings() -> dict[str, Distribution]:
    cases = [(3, 0.5), (4, -0.5), (5, -0.7), (7, -0.2), (8, 0.3), (10, 1.0)]
    return {f"ising_ring({n}, {beta})": gallery.ising_ring(n, beta) for n, beta in cases}


def _tanh_beta(p: Distribution) -> float:
    """From the weight of one flipped spin, which breaks two bonds."""
    x = [0] * p.length
    return math.tanh((p.log_evidence(x) - p.log_evidence([*x[1:], 1])) / 4)


@D9.residual("correlations around a ring", named=_named_rings, tolerance=1e-12, formula=_on_line)
def rings(p: Distribution, formula: Callable = _on_ring) -> list[float]:
    t = _tanh_beta(p)
    return [_correlation(p, r) - formula(t, p.length, r) for r in range(1, p.length)]


@D9.residual("what an endless line misses", named=_named_rings, tolerance=1e-12, longer=1)
def lines(p: Distribution, longer: int = 0) -> list[Bound]:
    """Up to half way round, the line misses at most ``|t|^(L - r)``."""
    t = _tanh_beta(p)
    return [
        Bound(abs(_correlation(p, r) - t**r), abs(t) ** (p.length - r + longer))
        for r in range(1, p.length // 2 + 1)
    ]
