"""D3: in the middle of a sequence, far from both ends, predictions forget the ends."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import MASK, JointTable, MarkovChain, gallery, homogenization, strategies
from theory._core.arrays import to_host
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import chain_of_weights, every_pattern, positive_chains
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution
from theory.lattice.lattice import quotient

__all__ = ["D3"]

FAR = 100  # at this distance all but the slowest mode are gone, to 1e-6

D3 = Claim(
    id="D3",
    title="In the middle, far from both ends, predictions forget the ends",
    statement=(
        "Between tokens l and r at distances a and b a chain predicts P^a(l, x) P^b(x, r) / "
        "P^(a+b)(l, r). With pi stationary and positive, and delta_k the largest |P^k(u, v)/pi(v) "
        "- 1| this differs from the stationary one relatively by at most (1 + delta_a)(1 + "
        "delta_b)/(1 - delta_(a+b)) - 1, if delta_(a+b) < 1; and delta_(a+b) <= delta_a delta_b. "
        "If all tokens lead to each other, without a period, it tends to pi at the rate of the "
        "chain in the distance to the nearer end. If the text can end for good, the limit between "
        "words is the product of the left and right Perron vectors of the steps among words."
    ),
    latex=(
        r"p(x \mid l, r) = \frac{P^a(l,x)\, P^b(x,r)}{P^{a+b}(l,r)},\qquad "
        r"\Bigl|\frac{p(x \mid l, r)}{\pi(x)} - 1\Bigr| \le "
        r"\frac{(1+\delta_a)(1+\delta_b)}{1-\delta_{a+b}} - 1,\qquad "
        r"\delta_{a+b} \le \delta_a \delta_b"
    ),
    note=(
        "All of it is ours. The bounds are checked on chains of which all tokens lead to each "
        "other without a period; without that the middle need not forget the ends (D6). Downwards "
        "the deviation is at most 1 - (1 - delta_a)(1 - delta_b)/(1 + delta_(a+b)) if delta_a, "
        "delta_b <= 1, which is no more than the bound upwards: their difference times 1 - "
        "delta_(a+b)^2 is 2 (delta_a delta_b + delta_a delta_(a+b) + delta_b delta_(a+b) + "
        "delta_(a+b)^2). If one of them exceeds 1, so does the bound, and no token can fall by "
        "more. The product rule holds because P^(a+b)(l, r)/pi(r) - 1 is the mean under pi of the "
        "product of the two deviations; so delta_a delta_b < 1 will do. The bound is attained by "
        "pairs of a fresh fair bit and a noisy copy of the fresh bit before, at a = b = 1, where "
        "delta_2 = 0, and so is the one downwards; two tokens come near it only far from the ends. "
        "The product rule is attained by the binary symmetric chain. Words that are followed by "
        "the end of text with 1/8 and 5/8, and else by each other with odds 4 : 3 and 1 : 2, tend "
        "to (3/4, 1/4) between words, but to (1/2, 1/2) if only the left one is given and that the "
        "text goes on."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _bridge(p: MarkovChain, a: int, b: int) -> np.ndarray:
    """``P^a(l, x) P^b(x, r) / P^(a+b)(l, r)`` as (l, x, r); nan where r cannot follow l."""
    before, after, across = (to_host(p.power(n)) for n in (a, b, a + b))
    return quotient(before[:, :, None] * after[None, :, :], across[:, None, :])


@D3.residual(
    "the bridge between observed neighbours",
    exact=strategies.chains(lengths=(3, 4), vocabs=(2, 2), exact=True),
    # as if only the token on the left were observed
    bridge=lambda p, a, b: np.stack([to_host(p.power(a))] * p.vocab, axis=2),
)
def from_the_table(p: Distribution, bridge: Callable = _bridge) -> list[Number]:
    """The bridge against the denoiser of the joint table, for every pattern."""
    p = as_chain(p, 3)
    table = to_host(p.initial)
    for _ in range(p.length - 1):
        table = table[..., None] * to_host(p.transition)
    joint, off = JointTable(table, exact=p.exact), []
    for x in every_pattern(p):
        if joint.evidence(x) == 0:
            continue
        predictions, seen = joint.denoise(x), np.flatnonzero(x != MASK).tolist()
        for left, right in itertools.pairwise(seen):
            for i in range(left + 1, right):
                expected = bridge(p, i - left, right - i)[x[left], :, x[right]]
                off.append(abs(predictions[i] - expected).max())
    return off


DISTANCES = {"a": st.integers(1, 5), "b": st.integers(1, 5)}


def _mixing(p: Distribution) -> MarkovChain:
    if not isinstance(p, MarkovChain) or not (to_host(p.power(p.vocab**2)) > 0).all():
        raise DoesNotApply("it is about chains that may lead from every token to every token")
    return p


# of the deviation, of how far it goes down, and of the deviation across
BOUNDS = (
    lambda left, right, across: (1 + left) * (1 + right) / (1 - across) - 1,
    lambda left, right, across: 1 - (1 - left) * (1 - right) / (1 + across),
    lambda left, right, across: left * right,
)

# planted: as if only the nearer end counted, and half of what is left across
TOO_SMALL = (
    lambda left, right, across: max(left, right),
    lambda left, right, across: max(left, right),
    lambda left, right, across: left * right / 2,
)


@D3.residual(
    "bounds of the deviation from stationary",
    exact=positive_chains(5, exact=True),
    floats=positive_chains(5, exact=False),
    parts=DISTANCES,
    bounds=TOO_SMALL,
)
def far_from_ends(p: Distribution, a: int, b: int, bounds: Sequence[Callable] = BOUNDS) -> list:
    """``p(x | l, r) / pi(x) - 1`` against delta at the distances a, b and a + b."""
    p, (most, least, product) = _mixing(p), bounds
    pi = to_host(homogenization.stationary(p))
    deviation = _bridge(p, a, b) / pi[:, None] - 1
    deltas = [abs(to_host(p.power(n)) / pi - 1).max() for n in (a, b, a + b)]
    left, right, across = deltas
    over: list[Any] = [excess(across, product(*deltas))]
    if across < 1:
        over.append(Bound(abs(deviation).max(), most(*deltas)))
    if max(left, right) <= 1:
        over.append(excess(-deviation.min(), least(*deltas)))
    return over


def _bits(flip: Number) -> np.ndarray:
    return np.asarray([[1 - flip, flip], [flip, 1 - flip]])


def _late_copies(flip: Number) -> np.ndarray:
    """Steps of pairs (fresh fair bit, noisy copy of the fresh bit before): forgotten after two."""
    return np.asarray([[row[y % 2] / 2 for y in range(4)] for row in _bits(flip) for _ in (0, 1)])


@D3.symbolic(
    "where the bound is attained",
    # pairs of which each bit is a noisy copy of the one before
    steps=lambda flip: np.kron(_bits(flip), _bits(flip)),
)
def attained(steps: Callable = _late_copies) -> list[Number]:
    """delta_2 = 0, and the same pair three times reaches (1 + delta_1)^2, delta_1 = 1 - 2 flip."""
    import sympy

    flip = sympy.Symbol("e", positive=True)
    p = MarkovChain([1, 0, 0, 0], steps(flip), 2, exact=True)
    reached = 4 * _bridge(p, 1, 1)[0, 0, 0]
    return [*(p.power(2) * 4 - 1).reshape(-1), reached - (2 - 2 * flip) ** 2]


def _tilted(steps: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Steps whose Perron vectors are `right` and stationary over `right`."""
    return steps * right[:, None] / right[None, :]


@D3.residual(
    "between words of a text that ends",
    exact=positive_chains(5, exact=True),
    parts={
        **DISTANCES,
        "right": lambda p: st.lists(st.integers(1, 4), min_size=p.vocab, max_size=p.vocab),
        "share": strategies.rationals(),
    },
    # words follow each other as before, but end with different probabilities
    among=lambda steps, right: steps * right[:, None],
)
def text_that_ends(
    p: Distribution, a: int, b: int, right: Any, share: Fraction, among: Callable = _tilted
) -> list[Number]:
    """Between words all is as in the endless text with distribution left x right."""
    p = _mixing(p)
    inside = among(to_host(p.transition), np.asarray(right))
    inside = inside * share / inside.sum(axis=1).max()
    steps = np.zeros((p.vocab + 1,) * 2, dtype=object)
    steps[:-1, :-1], steps[:-1, -1], steps[-1, -1] = inside, 1 - inside.sum(axis=1), 1
    text = MarkovChain([1, *[0] * p.vocab], steps, 2, exact=p.exact)
    limit = homogenization.decide_middle(text, left=0, right=0).limit
    assert limit is not None
    between = _bridge(text, a, b)[:-1, :-1, :-1] - _bridge(p, a, b)
    return [abs(between).max(), abs(limit[:-1] - homogenization.stationary(p)).max()]


def _named() -> dict[str, Distribution]:
    return {
        "binary_symmetric(2, 1/8)": gallery.binary_symmetric(2, Fraction(1, 8), exact=True),
        "binary_symmetric(2, 7/8)": gallery.binary_symmetric(2, Fraction(7, 8), exact=True),
        "two tokens, one rare": chain_of_weights([[9, 1], [4, 6]]),
        "three tokens": chain_of_weights([[6, 3, 1], [2, 7, 1], [1, 1, 8]]),
        "two words that end with 1/8 and 5/8": chain_of_weights([[4, 3, 1], [1, 2, 5], [0, 0, 1]]),
    }


@D3.residual(
    "the rate in the distance to the nearer end",
    named=_named,
    tolerance=1e-5,
    rate=lambda found: float(found.rate) ** 2,  # as if the distances to both ends added up
)
def nearer_end(p: MarkovChain, rate: Callable = lambda found: float(found.rate)) -> list[float]:
    """The decay over two more steps to the nearer end, against the decision."""
    found, far = homogenization.decide_middle(p, left=0, right=0), to_host(p.power(p.vocab**2)) > 0
    among = np.flatnonzero(far[0] & far[:, 0])  # tokens that communicate with token 0

    def apart(a: int, b: int) -> Number:
        """The largest total variation to the limit."""
        between = _bridge(p, a, b)[among][:, :, among]
        return abs(between - np.asarray(found.limit)[:, None]).sum(axis=1).max() / 2

    off = []
    for a, b in ((FAR, FAR), (FAR, 2 * FAR), (2 * FAR, FAR)):
        later = apart(a + 2 * (a <= b), b + 2 * (b <= a))
        off.append(float(later / apart(a, b)) ** 0.5 - rate(found))
    return off
