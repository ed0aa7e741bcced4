"""D7: masks far from what is known are alike, but neighbours among them are not independent."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import gallery, homogenization, information, strategies
from theory._core.arrays import MASK, to_host, xlogx
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import DoesNotApply, Level, as_chain
from theory.distributions import Distribution, MarkovChain

__all__ = ["FAR_MASKS"]

FAR = 200
"""Distance at which the chains of the numeric level have forgotten what is known."""

CLEARLY = 1e-5
"""A difference of so many nats is no rounding."""

Flips = Callable[[Any, Any], Any]


def _shared(p: Distribution, i: int, j: int) -> Any:
    """Mutual information of two sites."""
    return information.total_correlation(p, (i, j))


# ---- any chain ------------------------------------------------------------------------------


def _powers(p: MarkovChain, k: int) -> Any:
    """What k - 1 further steps leave, at most."""
    return homogenization.dobrushin(p) ** (k - 1)


def _one_more(p: MarkovChain, k: int) -> Any:
    """Planted: as if the first step lost something, too."""
    return homogenization.dobrushin(p) ** k


def _decays(p: Distribution, share: Callable[[MarkovChain, int], Any] = _powers) -> list[Any]:
    """By how much sites k steps apart share more than they may, for every k."""
    p = as_chain(p, 2)
    first = _shared(p, 0, 1)
    return [excess(_shared(p, 0, k), share(p, k) * first) for k in range(1, p.length)]


def _closest(p: Distribution) -> float:
    """How near the bound is to being attained beyond the first step."""
    if not isinstance(p, MarkovChain) or p.length < 3:
        return float("nan")
    first = _shared(p, 0, 1)
    ratios = [closeness(_shared(p, 0, k), _powers(p, k) * first) for k in range(2, p.length)]
    return max(ratios, key=lambda r: (r == r, r))


def _contracts(p: Distribution, starts: Any, coefficient: Any = homogenization.dobrushin) -> Any:
    """By how much a step leaves more of the divergence of two starts than it may."""
    p = as_chain(p)
    if not p.exact:
        raise DoesNotApply("this step is taken in exact numbers")
    one, other = (np.asarray([Fraction(w, sum(start)) for w in start]) for start in starts)
    tau = coefficient(MarkovChain((one + other) / 2, p.transition, 1, exact=True))
    after = information.kl_divergence(one @ p.transition, other @ p.transition)
    return excess(after, tau * information.kl_divergence(one, other))


def _squared(p: MarkovChain) -> Any:
    """Planted: its square."""
    return homogenization.dobrushin(p) ** 2


def _nothing(p: Distribution, i: int, j: int) -> Any:
    """Planted: as if what is known took nothing away."""
    return 0


def _known(p: Distribution, sites: tuple[int, int], gone: Callable[..., Any] = _shared) -> Any:
    """``E I(X_i; X_j | X_0) = I(X_i; X_j) - I(X_0; X_j)`` for 0 < i < j on a chain."""
    i, j = sites
    p = as_chain(p, j + 1)
    left: Any = 0
    for token, chance in enumerate(to_host(p.initial).tolist()):
        if chance != 0:
            given = np.asarray([token, *[MASK] * (p.length - 1)])
            left = left + chance * information.total_correlation(p, (i, j), given)
    return left - _shared(p, i, j) + gone(p, 0, j)


def _stays(p: MarkovChain, times: int = 1) -> list[float]:
    """After each first token, what far neighbours share minus its value under stationarity."""
    limit = to_host(homogenization.stationary(p))
    steps = to_host(p.transition)
    steady = float(xlogx(steps).sum(axis=1) @ limit - xlogx(limit @ steps).sum())
    blank = [MASK] * (p.length - 1)
    after = [np.asarray([token, *blank]) for token in range(p.vocab) if p.initial[token] > 0]
    pair = (FAR, FAR + times)
    return [float(information.total_correlation(p, pair, given)) - steady for given in after]


def _eigenvalue(p: MarkovChain) -> float:
    """The second largest modulus; on two tokens, where that is tau, its square."""
    second = sorted(abs(np.linalg.eigvals(to_host(p.transition))))[-2]
    return float(second**2 if p.vocab == 2 else second)


def _outlives(p: MarkovChain, coefficient: Callable[[MarkovChain], Any] = _eigenvalue) -> Any:
    """1 unless two steps leave clearly more than the coefficient says, so that it is no bound."""
    return int(_shared(p, 0, 2) < coefficient(p) * _shared(p, 0, 1) + CLEARLY)


# ---- the chain that stays until it ends ------------------------------------------------------


def _until_the_end(length: int, words: int, end: Fraction) -> MarkovChain:
    """A uniform word, repeated until the text ends: tau is the chance that it goes on."""
    initial = [Fraction(1, words)] * words + [Fraction(0)]
    steps = [[(1 - end) * int(a == b) for b in range(words)] + [end] for a in range(words)]
    return MarkovChain(initial, [*steps, [0] * words + [1]], length, exact=True)


def _attained(p: Distribution, share: Callable[[MarkovChain, int], Any] = _powers) -> list[Any]:
    """On that chain every distance attains the bound."""
    p, alone = as_chain(p, 2), DoesNotApply("attained by uniform words that stay until they end")
    if not p.exact or p.vocab < 2:
        raise alone
    model = _until_the_end(p.length, p.vocab - 1, p.transition[0, -1])
    if (p.transition != model.transition).any() or (p.initial != model.initial).any():
        raise alone
    first = _shared(p, 0, 1)
    return [_shared(p, 0, k) - share(p, k) * first for k in range(1, p.length)]


# ---- the binary symmetric chain -------------------------------------------------------------


def _flips(flip: Any, steps: Any) -> Any:
    """Probability that bits some steps apart differ."""
    return (1 - (1 - 2 * flip) ** steps) / 2


def _at_once(flip: Any, steps: Any) -> Any:
    """Planted: as if all distances were one step."""
    return flip


def _every_distance(flips: Flips = _flips) -> list[Any]:
    """By induction over a symbolic distance, and by powers of a symbolic matrix."""
    import sympy

    e, k = sympy.symbols("e k", positive=True)
    now, p = flips(e, k), gallery.binary_symmetric(2, e, exact=True)
    powers = [p.power(steps)[0, 1] - flips(e, steps) for steps in range(2, 6)]
    return [flips(e, 0), flips(e, k + 1) - now * (1 - e) - (1 - now) * e, *powers]


def _flip(p: Distribution) -> Any:
    """The flip probability of a binary symmetric chain of at least two bits, else None."""
    if not isinstance(p, MarkovChain) or p.vocab != 2 or p.length < 2:
        return None
    flip = p.transition[0, 1]
    even = p.initial[0] == p.initial[1] and flip == p.transition[1, 0]
    return flip if even else None


def _entropy(share: Any) -> Any:
    return -xlogx(np.asarray([share, 1 - share])).sum()


def _price(p: Distribution, away: int, gap: int, flips: Flips = _flips) -> list[Any]:
    """What revealing masks at once costs, `gap` apart from `away` on: unconditionally, after X_0.

    ``(k - 1)(ln 2 - h(e_gap))`` and ``sum_(j < k) h(e_(away + j gap)) - h(e_gap)``.
    """
    flip, sites = _flip(p), range(away, p.length, gap)
    if flip is None or len(sites) < 2:
        raise DoesNotApply("it is about a binary symmetric chain, and two sites of it")
    given = np.asarray([0, *[MASK] * (p.length - 1)])
    step, fair = _entropy(flips(flip, gap)), _entropy(flip * 0 + Fraction(1, 2))
    known = sum(_entropy(flips(flip, i)) - step for i in sites[1:])
    return [
        information.total_correlation(p, sites) - (len(sites) - 1) * (fair - step),
        information.total_correlation(p, sites, given) - known,
    ]


# ---- the claim ------------------------------------------------------------------------------


def _exact_chains() -> Any:
    ends = strategies.rationals(most=4)
    ending = st.builds(_until_the_end, st.integers(2, 5), st.integers(1, 2), ends)
    return st.one_of(strategies.chains(lengths=(2, 5), most=3, exact=True), ending)


def _bit_chains() -> Any:
    return st.builds(
        lambda length, flip: gallery.binary_symmetric(length, flip, exact=True),
        st.integers(2, 6),
        strategies.rationals(),
    )


@by_size
def _starts(p: Size) -> dict[str, Any]:
    row = st.lists(st.integers(1, 5), min_size=p.vocab, max_size=p.vocab)
    return {"starts": st.tuples(row, row)}


@by_size
def _pairs(p: Size) -> dict[str, Any]:
    pairs = [(i, j) for j in range(2, p.length) for i in range(1, j)] or [(1, 2)]
    return {"sites": st.sampled_from(pairs)}


@by_size
def _places(p: Size) -> dict[str, Any]:
    return {"away": st.integers(0, 2), "gap": st.integers(1, 3)}


def _forgetful() -> dict[str, Distribution]:
    three = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]]
    return {
        "binary_symmetric(203, 0.1)": gallery.binary_symmetric(FAR + 3, 0.1),
        "no two ones side by side": MarkovChain([0.5, 0.5], [[0.5, 0.5], [1, 0]], FAR + 3),
        "three tokens": MarkovChain([0.2, 0.3, 0.5], three, FAR + 3),
    }


def _counterexamples() -> dict[str, Distribution]:
    windows = [[(b - 2 * a) % 8 // 2 == 0 for b in range(8)] for a in range(8)]
    three = [[0, 0, 1], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    return {
        "two tokens, 1/36": MarkovChain([0.8, 0.2], [[5 / 6, 1 / 6], [4 / 6, 2 / 6]], 3),
        "three tokens, 1/2": MarkovChain([3 / 9, 2 / 9, 4 / 9], three, 3),
        "windows of three fair bits, 0": MarkovChain([1 / 8] * 8, np.asarray(windows) / 2, 3),
    }


FAR_MASKS = Claim(
    id="D7",
    title="Far masks are alike, but neighbours among them are not independent",
    statement=(
        "On a chain, what is known about X_0 takes from neighbours exactly what it still tells "
        "about the farther one: E I(X_n; X_m | X_0) = I(X_n; X_m) - I(X_0; X_m) for 0 < n < m. So "
        "where the context is forgotten, neighbours keep all of their stationary mutual "
        "information. Sites far from each other lose it: I(X_0; X_k) <= eta^(k-1) I(X_0; X_1) "
        "with eta the contraction coefficient for KL divergence, at most Dobrushin's tau. On the "
        "binary symmetric chain I(X_0; X_k) = ln 2 - h(e_k), e_k = (1 - (1 - 2e)^k)/2: k far "
        "masks at once cost (k-1)(ln 2 - h(e)) side by side and (k-1)(ln 2 - h(e_g)) at gaps of "
        "g. Homogenized is neither safe nor hopeless."
    ),
    latex=(
        r"\mathbb E\, I(X_n; X_m \mid X_0) = I(X_n; X_m) - I(X_0; X_m);\qquad "
        r"I(X_0; X_k) \le \eta^{k-1} I(X_0; X_1),\quad \eta = \sup_{\mu \ne \nu} "
        r"\frac{\mathrm{KL}(\mu P \| \nu P)}{\mathrm{KL}(\mu \| \nu)} \le \tau(P)"
    ),
    says="far from what is revealed predictions are alike (R2, restated); this caveat is ours",
    note=(
        "That eta <= tau is textbook, from memory. For the inequality no start needs to be "
        "stationary. A text that repeats one word until it ends attains it with tau at every "
        "distance. The second largest modulus of an eigenvalue is no such eta: 1/2 on three "
        "tokens, and 0 on sliding windows of bits, are refuted; on two tokens it is tau, but its "
        "square is refuted. On a periodic chain the context is not forgotten, and neighbours "
        "share less than under stationarity."
    ),
    source="derived here; strong data processing from memory",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(level=Level.SYMBOLIC, residual=_every_distance, planted={"flips": _at_once}),
        Check(
            level=Level.EXACT,
            residual=_decays,
            distributions=_exact_chains,
            planted={"share": _one_more},
            tightness=_closest,
        ),
        Check(
            level=Level.EXACT,
            residual=_contracts,
            distributions=_exact_chains,
            parts=_starts,
            planted={"coefficient": _squared},
        ),
        Check(
            level=Level.EXACT,
            residual=_attained,
            distributions=_exact_chains,
            planted={"share": _one_more},
        ),
        Check(
            level=Level.EXACT,
            residual=_known,
            distributions=_exact_chains,
            parts=_pairs,
            planted={"gone": _nothing},
        ),
        Check(
            level=Level.EXACT,
            residual=_price,
            distributions=_bit_chains,
            parts=_places,
            planted={"flips": _at_once},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_decays,
            distributions=lambda: strategies.chains(lengths=(2, 6)),
            planted={"share": _one_more},
            tolerance=1e-10,
            tightness=_closest,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_known,
            distributions=lambda: strategies.chains(lengths=(2, 6)),
            parts=_pairs,
            planted={"gone": _nothing},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_stays,
            named=_forgetful,
            planted={"times": 2},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_outlives,
            named=_counterexamples,
            planted={"coefficient": homogenization.dobrushin},
            tolerance=1e-10,
        ),
    ),
)
