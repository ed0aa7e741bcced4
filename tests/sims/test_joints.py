"""Joint distributions of a round, against definitions and sums over everything."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from sims import joints, output_distribution
from sims.joints.residual_energy import _expected
from sims.policies import JointDraw, LeftToRight
from tests import oracles
from tests.cases import EXACT_CASES, build_exact, each_of
from tests.noted import refusals
from tests.oracles import MASK
from theory import JointTable, gallery
from theory.errors import InvalidInput, TooLarge


def rounds_of(joint, vocab, most=2):
    """(pattern, sites, predictions at them) of every possible context and set of sites."""
    length = oracles.length_of(joint)
    for pattern in oracles.all_patterns(length, vocab):
        if oracles.evidence(joint, pattern) == 0:
            continue
        rows = oracles.conditional_marginals(joint, pattern, vocab)
        masked = [i for i, o in enumerate(pattern) if o == MASK]
        for count in range(2, most + 1):
            for sites in itertools.combinations(masked, count):
                yield pattern, sites, [rows[i] for i in sites]


def true_conditional(joint, pattern, sites, vocab):
    """p(x_S | c) as a flat list."""
    probs = oracles.marginal(oracles.condition(joint, pattern), sites)
    return [probs.get(v, 0) for v in itertools.product(range(vocab), repeat=len(sites))]


def product_of(rows):
    return [math.prod(choice) for choice in itertools.product(*rows)]


def distribution_of(joint, pattern, sites, rows, exact=False):
    dtype = object if exact else float
    alone = np.array([rows], dtype=dtype)
    return joint.distribution(np.array([pattern]), np.array([sites]), alone)[0]


def divergence(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def shaped(probs, count, vocab):
    return np.reshape(np.asarray(probs, dtype=float), (vocab,) * count)


def marginals_of(probs, count, vocab):
    table = shaped(probs, count, vocab)
    return [table.sum(axis=tuple(j for j in range(count) if j != i)) for i in range(count)]


SMALL = [case for case in EXACT_CASES if 2 <= case.length <= 3 and case.vocab <= 3]
each_small = each_of(SMALL)


def random_table(seed, shape, zeros=0.0):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 20, size=shape) * (rng.random(shape) >= zeros)
    return weights + (weights.sum() == 0)


# The true joint and the product


@each_small
def test_the_residual_energy_gives_the_joint_conditional(case):
    p = build_exact(case)
    energy, product = joints.ResidualEnergy(p), joints.Product()
    for pattern, sites, rows in rounds_of(case.joint, case.vocab, 3):
        probs = distribution_of(energy, pattern, sites, rows, exact=True)
        assert probs.tolist() == true_conditional(case.joint, pattern, sites, case.vocab)
        assert distribution_of(product, pattern, sites, rows, exact=True).tolist() == product_of(
            rows
        )
        weights = energy.weights(np.array([pattern]), np.array([sites]))[0]
        assert sum(w * q for w, q in zip(weights, product_of(rows), strict=True)) == 1


def test_the_energy_of_a_flat_prediction_reweights_it():
    """exp(tc) of the data times another product: odds 4 to 1 on the diagonal stay."""
    p = JointTable([[4, 1], [1, 4]], exact=True)
    rows = [[Fraction(2, 3), Fraction(1, 3)], [Fraction(1, 2)] * 2]
    probs = distribution_of(joints.ResidualEnergy(p), (MASK, MASK), (0, 1), rows, exact=True)
    assert probs.tolist() == [Fraction(n, 15) for n in (8, 2, 1, 4)]


@pytest.mark.parametrize("make", [joints.ResidualEnergy, lambda p: joints.Mixture(p, 2)])
def test_an_impossible_context_leaves_the_product(make):
    half = [Fraction(1, 2)] * 2
    p = JointTable([[[1, 0], [0, 1]], [[0, 0], [0, 0]]], exact=True)
    probs = distribution_of(make(p), (1, MASK, MASK), (1, 2), [half, half], exact=True)
    assert probs.tolist() == [Fraction(1, 4)] * 4


# Candidates


def resampled(product, weights, count):
    """Sum over all tuples of candidates; where all weigh nothing, the first is taken."""
    probs = [Fraction(0)] * len(product)
    for drawn in itertools.product(range(len(product)), repeat=count):
        probability = math.prod(product[c] for c in drawn)
        total = sum(weights[c] for c in drawn)
        if probability == 0:
            continue
        for k, c in enumerate(drawn):
            share = Fraction(int(k == 0)) if total == 0 else weights[c] / total
            probs[c] += probability * share
    return probs


@pytest.mark.parametrize("count", [1, 2, 3])
@each_small
def test_the_distribution_of_resampled_candidates(case, count):
    exact, floats = (
        joints.Resampled(build_exact(case), count),
        joints.Resampled(case.build(), count),
    )
    for pattern, sites, rows in list(rounds_of(case.joint, case.vocab))[:6]:
        product, probs = product_of(rows), true_conditional(case.joint, pattern, sites, case.vocab)
        weights = [a / b if b else Fraction(0) for a, b in zip(probs, product, strict=True)]
        expected = resampled(product, weights, count)
        assert distribution_of(exact, pattern, sites, rows, exact=True).tolist() == expected
        found = distribution_of(floats, pattern, sites, [[float(v) for v in row] for row in rows])
        np.testing.assert_allclose(found, [float(v) for v in expected], rtol=1e-12, atol=1e-15)


# Mixtures


@pytest.mark.parametrize(
    ("p", "least"),
    [
        (JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], exact=True), 2),  # a repeated bit
        (gallery.parity(3, exact=True), 4),
        (gallery.parity(4, exact=True), 8),
        (gallery.binary_symmetric(3, Fraction(1, 10), exact=True), 2),  # the middle separates
    ],
)
def test_how_many_components_are_enough(p, least):
    x = (MASK,) * p.length
    rows = np.asarray(p.denoise(list(x)))
    probs = distribution_of(joints.Mixture(p, least), x, range(p.length), rows, exact=True)
    assert probs.tolist() == p.table().reshape(-1).tolist()
    if least > 2:
        with pytest.raises(InvalidInput, match=f"EM fits {least - 1} products in floats"):
            distribution_of(joints.Mixture(p, least - 1), x, range(p.length), rows, exact=True)
    floats = JointTable(p.table().astype(float))
    fewer = joints.Mixture(floats, least - 1, np.random.default_rng(0))
    rows = np.asarray(floats.denoise(list(x)))
    assert (
        divergence(floats.table().reshape(-1), distribution_of(fewer, x, range(p.length), rows))
        > 0.05
    )


# Projections


@pytest.mark.parametrize("reference", ["chain", "pairs"])
@pytest.mark.parametrize("seed", range(3))
def test_projections_keep_marginals_and_obey_the_pythagorean_identity(seed, reference):
    """KL(s || ref) = KL(s || r) + KL(r || ref) for every s with these marginals: r is nearest."""
    table = random_table(seed, (2, 2, 2, 2))
    joint, p = oracles.table_joint((table.astype(object) * Fraction(1)).tolist()), JointTable(table)
    projection = joints.Projection(p, reference)
    for pattern, sites, rows in list(rounds_of(joint, 2, 3)):
        count, rows = len(sites), [[float(v) for v in row] for row in rows]
        r = distribution_of(projection, pattern, sites, rows)
        for found, row in zip(marginals_of(r, count, 2), rows, strict=True):
            np.testing.assert_allclose(found, row, atol=1e-12)
        ref = reference_of(joint, pattern, sites, reference)
        for s in (true_conditional(joint, pattern, sites, 2), product_of(rows)):
            s = [float(v) for v in s]
            sides = divergence(s, ref), divergence(s, r) + divergence(r, ref)
            assert sides[0] == pytest.approx(sides[1], abs=1e-9)


def reference_of(joint, pattern, sites, kind):
    """From the definition; pairs by their log-linear form, for three bits at most."""
    single = {i: oracles.marginal(joint, (i,)) for i in sites}
    pair = {ab: oracles.marginal(joint, ab) for ab in itertools.combinations(sites, 2)}
    probs = []
    for tokens in itertools.product(range(2), repeat=len(sites)):
        value = float(single[sites[0]][tokens[:1]])
        for k, (a, b) in enumerate(itertools.pairwise(sites)):
            u, v = tokens[k : k + 2]
            if any(pattern[i] != MASK for i in range(a + 1, b)):
                value *= float(single[b][(v,)])
            else:
                value *= float(pair[a, b][u, v] / single[a][(u,)])
        probs.append(value)
    if kind == "chain":
        return probs
    if len(sites) == 2:
        return [float(pair[sites][v]) for v in itertools.product(range(2), repeat=2)]
    return most_entropy([[float(v) for v in true_conditional(joint, (MASK,) * 4, sites, 2)]])


def most_entropy(distributions):
    """Add t times the sign of the parity, which keeps all pairs, until the odds are one."""
    probs = np.asarray(distributions[0])
    sign = np.array([(-1) ** (sum(v) % 2) for v in itertools.product(range(2), repeat=3)])
    low, high = -probs[sign > 0].min(), probs[sign < 0].min()
    for _ in range(200):
        t = (low + high) / 2
        slope = (sign * np.log(np.maximum(probs + t * sign, 1e-300))).sum()
        low, high = (t, high) if slope < 0 else (low, t)
    return (probs + low * sign).tolist()


def test_the_projection_of_a_chain_ends_exactly_where_all_is_revealed_on_one_side():
    p = gallery.binary_symmetric(4, Fraction(1, 10), exact=True)
    x, sites = np.array([[1, MASK, MASK, MASK]]), np.array([[1, 2, 3]])
    alone = p.denoise(x)[:, 1:]
    assert joints.Projection(p).distribution(x, sites, alone).tolist() == (
        joints.ResidualEnergy(p).distribution(x, sites, alone).tolist()
    )
    x, sites = np.array([[1, MASK, MASK, 1]]), np.array([[1, 2]])
    with pytest.raises(InvalidInput, match="does not end in exact numbers"):
        joints.Projection(p).distribution(x, sites, p.denoise(x)[:, 1:3])


@pytest.mark.parametrize("rows", [[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.9, 0.1]]])
def test_marginals_are_kept_even_where_no_distribution_of_the_reference_has_them(rows):
    """Data 01, 10 and 00: fitting to fair bits converges slowly; 0.1 and 0.1 asks for 11 or not."""
    p = JointTable([[1, 1], [1, 0]])
    probs = distribution_of(joints.Projection(p), (MASK, MASK), (0, 1), rows)
    np.testing.assert_allclose(marginals_of(probs, 2, 2), rows, atol=1e-15)
    only = JointTable([[1, 0], [0, 1]])
    probs = distribution_of(joints.Projection(only), (MASK, MASK), (0, 1), [[0.5, 0.5], [0.9, 0.1]])
    np.testing.assert_allclose(marginals_of(probs, 2, 2), [[0.5, 0.5], [0.9, 0.1]], atol=1e-15)


@pytest.mark.parametrize(
    "p", [gallery.one_hot(4), gallery.balanced(4), gallery.balanced(6), gallery.permutations(4)]
)
def test_pairs_converge_where_they_forbid_values_together(p):
    """The variance of the sum is 0, though every value has possible pairs: one round is exact."""
    blank = (MASK,) * p.length
    projection = joints.Projection(p, "pairs")
    probs = distribution_of(projection, blank, range(p.length), np.asarray(p.denoise(list(blank))))
    np.testing.assert_allclose(probs, np.asarray(p.table()).reshape(-1), atol=1e-13)
    assert projection.pairs_off <= 1e-13
    q = output_distribution(p, JointDraw(LeftToRight(p.length), projection))
    assert abs(q.kl) < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_the_reference_has_the_pairs_and_no_distribution_with_them_has_more_entropy(seed):
    """Moves that keep all pairs: the signs of an even number of flips, times anything small."""
    p = JointTable(random_table(seed, (2, 2, 2, 2), zeros=0.3))
    data = np.asarray(p.table())
    blank = (MASK,) * 4
    projection = joints.Projection(p, "pairs")
    probs = projection._reference(np.array(blank), np.arange(4)).reshape(data.shape)
    assert projection.pairs_off < 1e-12
    for kept in itertools.combinations(range(4), 2):
        others = tuple(k for k in range(4) if k not in kept)
        np.testing.assert_allclose(probs.sum(axis=others), data.sum(axis=others), atol=1e-12)

    def entropy(r):
        return -(r[r > 0] * np.log(r[r > 0])).sum()

    cells = list(itertools.product(range(2), repeat=4))
    rows = [
        [float((x[i], x[j]) == v) for x in cells]
        for i, j in itertools.combinations(range(4), 2)
        for v in itertools.product(range(2), repeat=2)
    ]
    _, sizes, basis = np.linalg.svd(np.asarray(rows))
    null = basis[(sizes > 1e-9).sum() :]
    rng = np.random.default_rng(seed)
    most = entropy(probs)
    for move in [data.reshape(-1) - probs.reshape(-1), *(rng.normal(size=(200, len(null))) @ null)]:
        for size in (1, 1e-2, 1e-4, -1e-4):
            other = probs.reshape(-1) + size * move
            if other.min() >= -1e-15:
                assert entropy(np.maximum(other, 0)) <= most + 1e-11


def test_the_error_of_the_pairs_is_told(monkeypatch):
    monkeypatch.setattr("sims.joints.pairs.MAX_SWEEPS", 3)
    p = gallery.binary_symmetric(7, 0.1)
    projection = joints.Projection(p, "pairs")
    assert projection.pairs_off == 0
    probs = projection._reference(np.full(7, MASK), np.arange(7)).reshape((2,) * 7)
    off = max(
        abs(probs.sum(axis=tuple(k for k in range(7) if k not in kept)) - pair_of(p, kept)).max()
        for kept in itertools.combinations(range(7), 2)
    )
    assert projection.pairs_off == pytest.approx(off)
    assert off > 1e-9


def test_what_takes_too_many_ways_is_refused_with_their_number(monkeypatch):
    """Two weights and the zeros: two other candidates are one of 6 multisets."""
    monkeypatch.setattr("sims.joints.residual_energy.MAX_COUNTS", 5)
    halves, weights = np.full(2, Fraction(1, 2)), np.asarray([Fraction(1), Fraction(2)])
    ways = len(list(itertools.combinations_with_replacement(range(3), 2)))
    with pytest.raises(TooLarge, match=f"3 candidates of 3 different weights .* in {ways} ways"):
        _expected(halves, weights, 2)


def pair_of(p, kept):
    return np.asarray(p.table()).sum(axis=tuple(k for k in range(p.length) if k not in kept))


# The parts of a mixture


@each_small
def test_a_mixture_is_the_sum_of_its_products(case):
    p = build_exact(case)
    blank = np.full(p.length, MASK)
    mixture = joints.Mixture(p, case.vocab ** (p.length - 1))
    weights, products = mixture.parts(blank, np.arange(p.length))
    assert len(weights) <= mixture.components
    assert sum(weights) == 1
    assert (products.sum(axis=2) == 1).all()
    for x in itertools.product(range(case.vocab), repeat=p.length):
        terms = [
            w * math.prod(row[t] for row, t in zip(rows, x, strict=True))
            for w, rows in zip(weights, products, strict=True)
        ]
        assert sum(terms) == case.joint.get(x, 0)


@pytest.mark.parametrize("seed", range(3))
def test_more_candidates_lose_less_and_at_most_the_bound(seed):
    p = JointTable(random_table(seed, (3, 3), zeros=0.3))
    nothing, rows = (MASK, MASK), np.asarray(p.denoise([MASK, MASK]))
    probs = np.asarray(p.table()).reshape(-1)
    product = product_of(rows)
    chi2 = sum(a * a / b for a, b in zip(probs, product, strict=True) if a > 0) - 1
    lost = []
    for count in (1, 2, 4, 16, 256, 4096):
        written = distribution_of(joints.Resampled(p, count), nothing, (0, 1), rows)
        assert written.sum() == pytest.approx(1, abs=1e-12)
        lost.append(divergence(probs, written))
        assert lost[-1] <= math.log1p(chi2 / count) + 1e-12
    assert lost == sorted(lost, reverse=True)
    assert lost[0] == pytest.approx(divergence(probs, product), rel=1e-12)
    assert lost[-1] < 1e-3 * lost[0]


@each_small
def test_one_component_is_the_product(case):
    p = build_exact(case)
    for pattern, sites, rows in rounds_of(case.joint, case.vocab, 3):
        probs = distribution_of(joints.Mixture(p, 1), pattern, sites, rows, exact=True)
        assert probs.tolist() == product_of(rows)


@pytest.mark.parametrize("seed", range(4))
def test_two_sites_of_a_mixture_have_its_rank_and_nothing_drawn_is_nearer(seed):
    """On two sites a mixture of k products is a matrix of nonnegative rank at most k."""
    p = JointTable(random_table(seed, (4, 4), zeros=0.2))
    data, rows = np.asarray(p.table()), np.asarray(p.denoise([MASK, MASK]))
    rng, before = np.random.default_rng(seed), math.inf
    for size in (1, 2, 3, 4):
        probs = distribution_of(joints.Mixture(p, size, rng), (MASK, MASK), (0, 1), rows)
        singular = np.linalg.svd(probs.reshape(4, 4), compute_uv=False)
        assert (singular[size:] < 1e-12).all()
        assert probs.sum() == pytest.approx(1)
        lost = divergence(data.reshape(-1), probs)
        assert lost <= before + 1e-9
        before = lost
        for _ in range(200):
            left, right = rng.dirichlet(np.ones(4), size=(2, size))
            other = np.einsum("k,ka,kb->ab", rng.dirichlet(np.ones(size)), left, right)
            assert divergence(data.reshape(-1), other.reshape(-1)) >= lost - 1e-9
    assert before < 1e-14


def test_em_finds_a_mixture_that_is_there():
    """Three noisy copies of a hidden bit: two components that no revealed token gives."""
    hidden = [[0.9, 0.1]] * 3, [[0.2, 0.8]] * 3
    data = [0.4 * a + 0.6 * b for a, b in zip(*map(product_of, hidden), strict=True)]
    p = JointTable(np.reshape(data, (2, 2, 2)))
    rows = np.asarray(p.denoise([MASK] * 3))
    probs = distribution_of(
        joints.Mixture(p, 2, np.random.default_rng(0)), (MASK,) * 3, (0, 1, 2), rows
    )
    assert divergence(data, probs) < 1e-6
    assert divergence(data, product_of(rows)) > 0.1


# What is refused

P, EXACT = gallery.parity(3), gallery.parity(3, exact=True)
HALF_TABLE = JointTable([[[1, 0], [0, 1]], [[0, 0], [0, 0]]])


def of_nine_candidates():
    p = JointTable(random_table(0, (4, 4)), exact=True)
    rows = np.asarray(p.denoise([MASK, MASK]))
    return distribution_of(joints.Resampled(p, 9), (MASK, MASK), (0, 1), rows, exact=True)


def exact_pairs():
    rows = EXACT.denoise([MASK] * 3)
    return distribution_of(joints.Projection(EXACT, "pairs"), (MASK,) * 3, (0, 1, 2), rows, True)


def parts_at(pattern):
    return joints.Mixture(HALF_TABLE, 2).parts(np.array(pattern), np.array([1, 2]))


test_refusals = refusals(
    ("components must be", lambda: joints.Mixture(P, 0)),
    ("rng must be a numpy.random.Generator, got int", lambda rng: joints.Mixture(P, 2, rng), [7]),
    ("starts must be", lambda: joints.Mixture(P, 2, None, -1)),
    ("candidates must be", lambda: joints.Resampled(P, 0)),
    ('must be "chain" or "pairs", got \'{}\'', lambda k: joints.Projection(P, k), ["trees"]),
    ("p must be a Distribution", joints.ResidualEnergy, [[0.5, 0.5]]),
    ("knows data of 3 sites and 2 tokens", lambda: joints.ResidualEnergy(P).check(4, 2)),
    ("not of 3 and 3", lambda: joints.Projection(P).check(3, 3)),
    ("fitted in floats", exact_pairs),
    (r"context \[1, -1, -1\] is impossible", parts_at, [[1, MASK, MASK]]),
)
test_too_many_ways_to_draw_candidates_exactly = refusals(
    ("9 candidates of 17 different weights", of_nine_candidates), error=TooLarge
)


def test_which_take_calls_of_their_own():
    others = [
        joints.Product(),
        joints.ResidualEnergy(P),
        joints.Projection(P),
        joints.Mixture(P, 3),
    ]
    assert [joint.extra_calls for joint in (*others, joints.Resampled(P, 5))] == [0, 0, 0, 0, 1]
    assert all(isinstance(joint.knows, str) for joint in others)
