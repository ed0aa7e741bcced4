"""D7: masks far from what is known are alike, but neighbours among them are not independent."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import gallery, homogenization, information, strategies
from theory._core.arrays import MASK, to_host, xlogx
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import bit_entropy, flips, shares, weight_rows
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution, MarkovChain
from theory.homogenization import dobrushin

__all__ = ["D7"]

FAR = 200  # the chains of the numeric level have forgotten at this distance what is known
MIN_DIFFERENCE = 1e-5  # a difference of so many nats is no rounding

D7 = Claim(
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
)


def _shared(p: Distribution, i: int, j: int) -> Number:
    """Mutual information of two sites."""
    return information.total_correlation(p, (i, j))


def _after(p: Distribution, token: int) -> np.ndarray:
    """The pattern of which only the first token is known."""
    return np.asarray([token, *[MASK] * (p.length - 1)])


@D7.symbolic("bits at every distance", flips=lambda flip, steps: flip)  # as if one step
def every_distance(flips: Callable = flips) -> list[Number]:
    """By induction over a symbolic distance, and by powers of a symbolic matrix."""
    import sympy

    e, k = sympy.symbols("e k", positive=True)
    now, p = flips(e, k), gallery.binary_symmetric(2, e, exact=True)
    powers = [p.power(steps)[0, 1] - flips(e, steps) for steps in range(2, 6)]
    return [flips(e, 0), flips(e, k + 1) - now * (1 - e) - (1 - now) * e, *powers]


@D7.residual(
    "what revealing bits at once costs",
    exact=st.builds(
        gallery.binary_symmetric, st.integers(2, 6), strategies.rationals(), exact=st.just(True)
    ),
    parts={"away": st.integers(0, 2), "gap": st.integers(1, 3)},
    flips=lambda flip, steps: flip,  # as if all distances were one step
)
def price(p: Distribution, away: int, gap: int, flips: Callable = flips) -> list[Number]:
    """Of sites `gap` apart from `away` on: unconditionally, and after X_0.

    ``(k - 1)(ln 2 - h(e_gap))`` and ``sum_(j < k) h(e_(away + j gap)) - h(e_gap)``.
    """
    p, sites = as_chain(p, 2), range(away, p.length, gap)
    flip = p.transition[0, -1]
    even = p.vocab == 2 and p.initial[0] == p.initial[1] and flip == p.transition[1, 0]
    if not even or len(sites) < 2:
        raise DoesNotApply("it is about a binary symmetric chain, and two sites of it")
    step, fair = bit_entropy(flips(flip, gap)), bit_entropy(flip * 0 + Fraction(1, 2))
    known = sum(bit_entropy(flips(flip, i)) - step for i in sites[1:])
    return [
        information.total_correlation(p, sites) - (len(sites) - 1) * (fair - step),
        information.total_correlation(p, sites, _after(p, 0)) - known,
    ]


def _until_the_end(length: int, words: int, end: Fraction) -> MarkovChain:
    """A uniform word, repeated until the text ends: tau is the probability that it goes on."""
    initial = [Fraction(1, words)] * words + [Fraction(0)]
    steps = [[(1 - end) * int(a == b) for b in range(words)] + [end] for a in range(words)]
    return MarkovChain(initial, [*steps, [0] * words + [1]], length, exact=True)


EXACT_CHAINS = st.one_of(
    strategies.chains(lengths=(2, 5), most=3, exact=True),
    st.builds(_until_the_end, st.integers(2, 5), st.integers(1, 2), strategies.rationals(most=4)),
)


def _powers(p: MarkovChain, k: int) -> Number:
    """What k - 1 further steps leave, at most."""
    return dobrushin(p) ** (k - 1)


@D7.residual(
    "information decays with every step",
    exact=EXACT_CHAINS,
    floats=strategies.chains(lengths=(2, 6)),
    share=lambda p, k: dobrushin(p) ** k,  # as if the first step lost something, too
)
def decays(p: Distribution, share: Callable = _powers) -> list[Any]:
    p = as_chain(p, 2)
    first = _shared(p, 0, 1)
    bounds = [Bound(_shared(p, 0, k), share(p, k) * first) for k in range(2, p.length)]
    return [excess(first, share(p, 1) * first), *bounds]  # the first step is an equality


@D7.residual(
    "a text that repeats one word attains it",
    exact=EXACT_CHAINS,
    share=lambda p, k: dobrushin(p) ** k,
)
def attained(p: Distribution, share: Callable = _powers) -> list[Number]:
    """On that chain every distance attains the bound."""
    p, alone = as_chain(p, 2), DoesNotApply("attained by uniform words that stay until they end")
    if not p.exact or p.vocab < 2:
        raise alone
    model = _until_the_end(p.length, p.vocab - 1, p.transition[0, -1])
    if (p.transition != model.transition).any() or (p.initial != model.initial).any():
        raise alone
    first = _shared(p, 0, 1)
    return [_shared(p, 0, k) - share(p, k) * first for k in range(1, p.length)]


@D7.residual(
    "a step contracts divergences",
    exact=EXACT_CHAINS,
    parts={"starts": lambda p: weight_rows(2, p.vocab, 1, 5)},
    coefficient=lambda p: dobrushin(p) ** 2,
)
def contracts(p: Distribution, starts: Any, coefficient: Callable = dobrushin) -> Number:
    """By how much a step leaves more of the divergence of two starts than it may."""
    p = as_chain(p)
    if not p.exact:
        raise DoesNotApply("this step is taken in exact numbers")
    one, other = shares(starts)
    tau = coefficient(MarkovChain((one + other) / 2, p.transition, 1, exact=True))
    after = information.kl_divergence(one @ p.transition, other @ p.transition)
    return excess(after, tau * information.kl_divergence(one, other))


def _pairs(size: Any) -> Any:
    """Sites 0 < i < j."""
    pairs = [(i, j) for j in range(2, size.length) for i in range(1, j)]
    return st.sampled_from(pairs or [(1, 2)])


@D7.residual(
    "what a known first token takes away",
    exact=EXACT_CHAINS,
    floats=strategies.chains(lengths=(2, 6)),
    parts={"sites": _pairs},
    gone=lambda p, i, j: 0,
)
def known(p: Distribution, sites: tuple[int, int], gone: Callable = _shared) -> Number:
    """``E I(X_i; X_j | X_0) = I(X_i; X_j) - I(X_0; X_j)`` for 0 < i < j on a chain."""
    i, j = sites
    p = as_chain(p, j + 1)
    left: Any = 0
    for token, weight in enumerate(to_host(p.initial).tolist()):
        if weight != 0:
            left = left + weight * information.total_correlation(p, (i, j), _after(p, token))
    return left - _shared(p, i, j) + gone(p, 0, j)


def _forgetful() -> dict[str, Distribution]:
    three = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]]
    return {
        "binary_symmetric(203, 0.1)": gallery.binary_symmetric(FAR + 3, 0.1),
        "no two ones side by side": MarkovChain([0.5, 0.5], [[0.5, 0.5], [1, 0]], FAR + 3),
        "three tokens": MarkovChain([0.2, 0.3, 0.5], three, FAR + 3),
    }


@D7.residual("far neighbours share what stationary ones do", named=_forgetful, times=2)
def stays(p: MarkovChain, times: int = 1) -> list[float]:
    """After each first token, what far neighbours share minus its value under stationarity."""
    limit, steps = to_host(homogenization.stationary(p)), to_host(p.transition)
    steady = float(xlogx(steps).sum(axis=1) @ limit - xlogx(limit @ steps).sum())
    pair = (FAR, FAR + times)
    firsts = [token for token in range(p.vocab) if p.initial[token] > 0]
    return [information.total_correlation(p, pair, _after(p, t)) - steady for t in firsts]


def _counterexamples() -> dict[str, Distribution]:
    windows = [[(b - 2 * a) % 8 // 2 == 0 for b in range(8)] for a in range(8)]
    three = [[0, 0, 1], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    return {
        "two tokens, 1/36": MarkovChain([0.8, 0.2], [[5 / 6, 1 / 6], [4 / 6, 2 / 6]], 3),
        "three tokens, 1/2": MarkovChain([3 / 9, 2 / 9, 4 / 9], three, 3),
        "windows of three fair bits, 0": MarkovChain([1 / 8] * 8, np.asarray(windows) / 2, 3),
    }


def _eigenvalue(p: MarkovChain) -> float:
    """The second largest modulus; on two tokens, where that is tau, its square."""
    second = sorted(abs(np.linalg.eigvals(to_host(p.transition))))[-2]
    return float(second**2 if p.vocab == 2 else second)


@D7.residual("an eigenvalue is no such bound", named=_counterexamples, coefficient=dobrushin)
def outlives(p: MarkovChain, coefficient: Callable = _eigenvalue) -> int:
    """1 unless two steps leave clearly more than the coefficient says."""
    return int(_shared(p, 0, 2) < coefficient(p) * _shared(p, 0, 1) + MIN_DIFFERENCE)
