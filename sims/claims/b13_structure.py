"""B13: rounds and components of mixtures that the structure of the data requires."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import scattered_tables
from sims.decoding.exact import output_distribution
from sims.optimal.frontier import frontier
from theory import JointTable, ProductMixture, gallery, strategies
from theory._core.arrays import MASK, to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import every_pattern, symbolic_table
from theory.claims.kit.inequality import excess
from theory.claims.kit.simplify import vanishes
from theory.distributions import Distribution

__all__ = ["B13"]

ROUNDING = 1e-13
"""In floats, products of probabilities this close are equal."""

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)

B13 = Claim(
    id="B13",
    title="Codes take two rounds, generic data all n, and parity exponentially many products",
    statement=(
        "An affine code over a prime field decodes without loss in at most two rounds. Generic "
        "data of full support need as many rounds as sites: deterministic policies that are "
        "lossless need n expected rounds if and only if no two sites are independent given any "
        "possible observation of others. A mixture of "
        "products that equals p has at least |supp p| / (largest box in supp p) components: 2 for "
        "the repeated bit of d >= 2 sites, 2^(d-1) for even parity of d bits, which are attained."
    ),
    latex=(
        r"D_0(\text{affine}) \le 2;\qquad D_0(p) = n \Leftrightarrow \nexists\, i \ne j, x_C: "
        r"X_i \perp X_j \mid x_C;\qquad p = \sum_{r \le R} w_r \bigotimes_i q_{r,i} \Rightarrow "
        r"R \ge |\mathrm{supp}\, p| \big/ \max_{\text{boxes } B \subseteq \mathrm{supp}\, p} |B|"
    ),
    says="two rounds for affine codes, n for generic full support, and that mixtures need many",
    note=(
        "The equivalence and the numbers of components are ours. Generic: each condition of "
        "independence is a polynomial in the weights that is not the zero polynomial (seen for 2 "
        "and 3 bits), so exceptions have measure 0. Weights that are different primes do not "
        "suffice: with 5, 19, 7, 2, 13, 11, 3, 17 on 000 to 111 the sums over the middle site are "
        "12, 21, 16, 28, so that the outer two are independent. The bound by boxes is the number "
        "of sequences if any two differ at two sites or more; else it may be far off."
    ),
    source="Wen, Liang, Lu, arXiv 2608.25505 (read); equivalence and component counts derived here",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


def _support(p: Distribution) -> np.ndarray:
    """The sequences that happen, shape (N, L)."""
    return np.argwhere(to_host(p.table()) != 0)


# Affine codes


def _is_affine(p: Distribution) -> bool:
    """Tell whether p is uniform over a coset of a linear code over a field of 2, 3, 5 ... tokens.

    Over a prime field that is to be closed under ``x + y - z``.
    """
    support = _support(p)
    values = to_host(p.table())[tuple(support.T)]
    prime = p.vocab > 1 and all(p.vocab % k for k in range(2, p.vocab))
    if not prime or abs(values - values[0]).max() > (0 if p.exact else ROUNDING):
        return False
    sums = (support[:, None] + support[None, :] - support[0]) % p.vocab
    return {*map(tuple, sums.reshape(-1, p.length))} <= {*map(tuple, support)}


def _affine_codes(vocab: int, longest: int) -> Any:
    def of_length(length: int) -> Any:
        row = st.lists(st.integers(0, vocab - 1), min_size=length, max_size=length)
        generators = st.lists(row, min_size=1, max_size=length)
        return st.builds(gallery.affine_code, generators, row, st.just(vocab), exact=st.just(True))

    return st.integers(1, longest).flatmap(of_length)


@B13.residual(
    "affine codes take two rounds",
    exact=st.one_of(_affine_codes(2, 5), _affine_codes(3, 4)),
    most=1,
)
def codes_take_two_rounds(p: Distribution, most: int = 2) -> list[Any]:
    """On affine codes: rounds beyond two, and what the best decoder then loses."""
    if not _is_affine(p):
        raise DoesNotApply("it is about affine codes over a prime")
    (point,) = frontier(p, [math.inf])
    q = output_distribution(p, point.policy)
    return [excess(point.rounds, most), excess(max(q.rounds), most), q.kl]


# Generic tables


def _minors(p: Distribution, unobserved: int = 2) -> Iterator[list[Any]]:
    """``P(a, b) P - P(a) P(b)`` for the tokens at two masked sites, given x; times ``P(x)^2``.

    For each pair of sites in each possible context x that leaves at least so many unobserved.
    """
    for x in every_pattern(p):
        masked, total = np.flatnonzero(x == MASK).tolist(), p.evidence(x)
        if len(masked) < unobserved or total == 0:
            continue
        for i, j in itertools.combinations(masked, 2):
            minors = []
            for a, b in itertools.product(range(p.vocab), repeat=2):
                first, second, both = x.copy(), x.copy(), x.copy()
                first[i], second[j], both[[i, j]] = a, b, (a, b)
                minors.append(p.evidence(both) * total - p.evidence(first) * p.evidence(second))
            yield minors


@B13.symbolic("no condition of independence is trivial", independent=True)
def no_minor_vanishes(independent: bool = False) -> list[int]:
    """For 2 and 3 bits: 1 for each pair and context whose minors are all the polynomial 0."""
    counts = []
    for length in (2, 3):
        p = symbolic_table(length)
        if independent:  # planted: the last site is a fair bit of its own
            table = np.array(p.weights.values)
            table[..., 1] = table[..., 0]
            p = JointTable(table, exact=True)
        counts += [int(all(map(vanishes, minors))) for minors in _minors(p)]
    return counts


def _prime_tables() -> Any:
    """Tables of bits whose weights are different primes, and one that takes two rounds only."""
    dependent = JointTable([[[5, 19], [7, 2]], [[13, 11], [3, 17]]], exact=True)

    def of_length(length: int) -> Any:
        weights = st.permutations(PRIMES[: 2**length])
        return weights.map(lambda w: JointTable(np.reshape(w, (2,) * length), exact=True))

    return st.one_of(st.just(dependent), st.integers(2, 4).flatmap(of_length))


@B13.residual(
    "all rounds are needed exactly where no pair is free",
    exact=st.one_of(
        strategies.joint_tables(lengths=(1, 3), vocabs=(2, 2), exact=True),
        strategies.joint_tables(lengths=(2, 2), vocabs=(3, 3), exact=True),
        _prime_tables(),
    ),
    unobserved=3,
)
def all_rounds_are_needed(p: Distribution, unobserved: int = 2) -> int:
    """1 if needing n rounds and having no free pair disagree, else 0.

    A pair is free if it is independent given some possible observation of others.
    """
    rounding = 0 if p.exact else ROUNDING
    free = any(all(abs(m) <= rounding for m in minors) for minors in _minors(p, unobserved))
    (point,) = frontier(p, [math.inf])
    return int((abs(point.rounds - p.length) <= rounding) == free)


@B13.residual(
    "scattered weights need all rounds",
    named=lambda: scattered_tables(((2, 3), (3, 2), (3, 3), (4, 2), (5, 2))),
    tolerance=1e-9,
    multiplier=0.0,
)
def depth_of_scattered_weights(p: Distribution, multiplier: float = math.inf) -> Any:
    """Fewest expected lossless rounds, minus the number of sites."""
    return float(frontier(p, [multiplier])[0].rounds) - p.length


# Mixtures of products


def _largest_box(p: Distribution) -> int:
    """The most sequences in a product of sets of tokens that lies in the support."""
    happens = to_host(p.table()) != 0
    tokens = range(p.vocab)
    sets = [s for k in range(1, p.vocab + 1) for s in itertools.combinations(tokens, k)]
    boxes = itertools.product(sets, repeat=p.length)
    return max(math.prod(map(len, box)) for box in boxes if happens[np.ix_(*box)].all())


def _least_components(p: Distribution) -> int:
    """A bound: boxes of the largest size that it takes to have as many sequences as the data."""
    return -(-len(_support(p)) // _largest_box(p))


@B13.residual(
    "components of a mixture",
    floats=strategies.product_mixtures(lengths=(1, 4), most=2),
    tolerance=1e-9,
    times=2,
)
def components_of_a_mixture(p: Distribution, times: int = 1) -> Any:
    """By how much the bound exceeds the components of p: one for each sequence if no mixture."""
    mixture = isinstance(p, ProductMixture)
    components = (to_host(p.weights) > 0).sum() if mixture else len(_support(p))
    return excess(times * _least_components(p), int(components))


def _even_ones(p: Distribution) -> JointTable:
    """Only the sequences of even parity, any two of which differ at two sites or more."""
    even = 1 - np.indices(p.table().shape).sum(axis=0) % 2
    kept = p.table() * even
    return JointTable(kept if kept.any() else even, exact=True)


BITS = strategies.joint_tables(lengths=(2, 5), vocabs=(2, 2), most=3, exact=True)


@B13.residual("sequences that differ at two sites", exact=BITS | BITS.map(_even_ones), apart=1)
def sequences_far_apart(p: Distribution, apart: int = 2) -> list[int]:
    """Where sequences differ at two sites or more: as many components as sequences.

    1 if that disagrees with the bound in either direction, else 0.
    """
    support = _support(p)
    differ = (support[:, None] != support[None, :]).sum(axis=-1)
    far = bool((differ[differ > 0] >= apart).all())
    return [int(far != (_largest_box(p) == 1)), int(far and _least_components(p) != len(support))]


@B13.residual(
    "least mixtures of equal bits and of parity",
    named=lambda: {
        f"{family.__name__}({d})": family(d)
        for d in range(2, 6)
        for family in (gallery.repeated_bit, gallery.parity)
    },
    tolerance=1e-12,
    short=1,
)
def least_mixtures(p: Distribution, short: int = 0) -> list[Any]:
    """Bound and table of the least mixture: 2 points for a repeated bit, 2^(d-1) for parity."""
    support = _support(p)
    parity = (support.sum(axis=1) % 2 == 0).all()
    expected = 2 if len(support) == 2 else 2 ** (p.length - 1)
    count = len(support) - short
    mixture = ProductMixture(np.ones(count), np.eye(p.vocab)[support[:count]])
    return [
        int(not parity and len(support) > 2),
        _least_components(p) - expected,
        count - expected,
        abs(to_host(mixture.table()) - to_host(p.table())).max(),
    ]
