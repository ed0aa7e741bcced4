"""Distributions that refute: found where they have to be, and checked from the definition."""

import functools
import itertools
import math
import random
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.noted import each, refusals
from theory._core.finite_fields import finite_field
from theory.distributions import SideBySide
from theory.proofs import Assumption, Conclusion, Refutation, Statement
from theory.proofs.climbing import Climb, starts
from theory.proofs.codes import Shape, library, shapes
from theory.proofs.groups import cosets, group
from theory.proofs.question import Question, weighted
from theory.proofs.refute import climbing, find, find_equal
from theory.proofs.represented import representation, uniform_matroid
from theory.proofs.several_codes import single
from theory.proofs.tables import Words, few_words, weights_of
from theory.proofs.text import parse


def joint_of(p):
    """The words that are possible, with their probabilities."""
    if hasattr(p, "sequences"):
        return dict(zip(map(tuple, p.sequences.tolist()), p.weights.tolist(), strict=True))
    return {x: q for x, q in np.ndenumerate(p.table()) if q}


def value(form, p):
    """A form on a distribution, in SymPy, from the entropies of marginals of the joint."""
    if isinstance(p, SideBySide):
        return sympy.Add(*(value(form, part) for part in p.parts))
    joint = joint_of(p)
    return sympy.Add(
        *(
            oracles.rational(c)
            * oracles.entropy(joint, [i for i in range(p.length) if bits >> i & 1], exact=True)
            for bits, c in form.items()
        )
    )


def assert_refuted(statement, found):
    assert isinstance(found, Refutation), found
    p = found.distribution
    assert found.check()
    assert p.exact
    assert p.length == statement.sites
    slack = value(found.conclusion.slack, p)
    assert slack == found.slack.evalf(30) or sympy.simplify(slack - sympy.sympify(found.slack)) == 0
    assert slack.evalf(30) < 0
    for given in statement.assumptions:
        met = value(given.form, p)
        assert met == 0 if given.equal else met.evalf(30) >= 0
    assert float(p.evidence([-1] * p.length)) == 1
    if not isinstance(p, SideBySide):
        assert p.denoise([-1] * p.length).shape == (p.length, p.vocab)
        assert {t for x in joint_of(p) for t in x} == set(range(p.vocab))


def first(text, sites) -> tuple[Statement, Any]:
    statement = parse(text, sites)
    return statement, find(statement, statement.conclusions[0])


# The library of codes


@each("shape", [s for n in (3, 4) for s in shapes(n)], ids=str)
def test_ranks_are_entropies_of_the_words(shape):
    """In units of log q, from the words counted one by one."""
    for sites in (3, 4):
        codes = library(sites, shape)
        for number in range(0, len(codes), max(1, len(codes) // 6)):
            words = codes.words(number).tolist()
            joint = {tuple(word): Fraction(1, len(words)) for word in words}
            assert len(joint) == len(words) == shape.field ** int(codes.ranks[number, -1])
            for bits, rank in enumerate(codes.ranks[number].tolist()):
                seen = oracles.entropy(joint, [i for i in range(sites) if bits >> i & 1], True)
                assert seen == rank * oracles.log_in_primes(shape.field)


def brute_force_ranks(sites, field, dimension):
    """Rank functions of all tuples of vectors over a prime field, up to permutations."""
    vectors = list(itertools.product(range(field), repeat=dimension))

    @functools.cache
    def rank(rows):
        span = {(0,) * dimension}
        for row in rows:
            span |= {
                tuple((a + c * b) % field for a, b in zip(x, row, strict=True))
                for x in span
                for c in range(field)
            }
        return next(k for k in range(dimension + 1) if field**k == len(span))

    found = set()
    for chosen in itertools.combinations_with_replacement(vectors, sites):
        parts = [[chosen[i] for i in range(sites) if b >> i & 1] for b in range(1 << sites)]
        found.add(tuple(rank(frozenset(part)) for part in parts))
    return set(map(least_order, found))


def least_order(ranks):
    """The least of what permutations of the sites make of it."""
    sites = len(ranks).bit_length() - 1
    return min(
        tuple(
            ranks[sum(1 << order[i] for i in range(sites) if b >> i & 1)] for b in range(len(ranks))
        )
        for order in itertools.permutations(range(sites))
    )


@each(("sites", "field", "dimension"), [(3, 2, 2), (3, 2, 3), (4, 2, 3), (3, 3, 2), (4, 3, 2)])
def test_the_library_has_every_rank_function(sites, field, dimension):
    wanted = brute_force_ranks(sites, field, dimension)
    codes = library(sites, Shape(field, dimension))
    found = set(map(least_order, codes.ranks.tolist()))
    assert codes.complete
    assert found == wanted
    assert len(found) == len(codes)


# Up to three sites: complete

RAYS = [[int(bool(bits & ones)) for bits in range(8)] for ones in range(1, 8)]
RAYS.append([min(bits.bit_count(), 2) for bits in range(8)])


def may_fail(rows, equal):
    """Whether a nonnegative combination of the extreme rays meets all and has a negative slack.

    The least slack is negative on an extreme ray of the combinations that meet the assumptions,
    one that is alone, up to its size, among those with its support.
    """
    values = [[sum(c * r for c, r in zip(row, ray, strict=True)) for row in rows] for ray in RAYS]
    spare = [[0, *(-int(i == j) for i in range(len(equal)))] for j, e in enumerate(equal) if not e]
    columns = values + spare
    for size in range(1, len(equal) + 2):
        for support in itertools.combinations(columns, size):
            kernel = kernel_of(
                [list(row) for row in zip(*(c[1:] for c in support), strict=True)], size
            )
            for shares in (kernel, [-v for v in kernel]):
                slack = sum(s * column[0] for s, column in zip(shares, support, strict=True))
                if slack < 0 and min(shares) >= 0:
                    return True
    return False


def kernel_of(rows, size):
    """What the rows multiply to zero, if that is a line; else zeros."""
    rows, pivots = [[Fraction(v) for v in row] for row in rows], []
    for column in range(size):
        row = next((r for r in range(len(pivots), len(rows)) if rows[r][column]), None)
        if row is None:
            continue
        here = len(pivots)
        rows[here], rows[row] = rows[row], rows[here]
        rows[here] = [v / rows[here][column] for v in rows[here]]
        for r in range(len(rows)):
            if r != here:
                rows[r] = [
                    a - rows[r][column] * b for a, b in zip(rows[r], rows[here], strict=True)
                ]
        pivots.append(column)
    if len(pivots) != size - 1:
        return [Fraction(0)] * size
    free = next(c for c in range(size) if c not in pivots)
    values = dict.fromkeys([free], Fraction(1))
    values |= {c: -rows[r][free] for r, c in enumerate(pivots)}
    return [values[c] for c in range(size)]


def drawn(rng, assumptions):
    rows = [[0, *(rng.randint(-3, 3) for _ in range(7))] for _ in range(1 + assumptions)]
    equal = [rng.random() < 0.7 for _ in range(assumptions)]
    forms = [{bits: Fraction(c) for bits, c in enumerate(row) if c} for row in rows]
    given = tuple(Assumption("", f, e) for f, e in zip(forms[1:], equal, strict=True))
    return rows, equal, Statement("", 3, (Conclusion("", forms[0]),), given)


@pytest.mark.parametrize("assumptions", [0, 1, 2])
def test_on_three_sites_all_that_can_fail_is_refuted(assumptions):
    rng, failed = random.Random(assumptions), 0
    for _ in range(40):
        rows, equal, statement = drawn(rng, assumptions)
        found = find(statement, statement.conclusions[0])
        assert isinstance(found, Refutation) == may_fail(rows, equal)
        if isinstance(found, Refutation):
            assert_refuted(statement, found)
            failed += 1
    assert failed >= 5


@each("times", [3, 7, 60, 1000])
def test_entropies_may_have_any_ratio(times):
    """No small table: the words of independent codes, and those kept apart where they are many."""
    statement, found = first(f"H(0) = {times} H(1) implies H(0) <= 0", 2)
    assert_refuted(statement, found)
    assert "side by side" in found.found_by
    assert value({1: Fraction(1)}, found.distribution) == times * sympy.log(2)


def test_what_has_too_many_parts_is_said_to_have():
    _, found = first("H(0) = 100000 H(1) implies H(0) <= 0", 2)
    assert any("too many" in text for text in found)


# Statements that circulate


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("-2 f(1) + 16/97 e(2) + 4 H(1|2) = -3 e(0) implies 0 >= 48 H + 5/2 DTC(0,2|1)", 3),
        (
            "2/3 I(1,3;4,1) + 44/97 e(2) + 4 I(3;2) = 2/7 I(4,2,0;1) + 2 e(2)"
            " implies DTC >= 3 TC + 13/97 H(1,0)",
            5,
        ),
    ],
)
def test_many_codes_are_found_at_once_and_nothing_is_printed(text, sites, capfd):
    statement = parse(text, sites)
    start = time.process_time()
    found = find(statement, statement.conclusions[0])
    assert time.process_time() - start < 3
    assert isinstance(found, Refutation)
    assert found.check()
    assert capfd.readouterr() == ("", "")


def test_coefficients_may_be_large():
    given = "2 DTC = 3 I(0,1;0|0) + 3/5 H(0,1)"
    text = f"{given} implies I(0,1;0) + 254470505901/997 I(0,1;0,1) <= 3 DTC"
    assert_refuted(*first(text, 2))
    statement, found = first(f"H(0) <= {2**61 - 1}/{2**61} H(0,1,2)", 3)
    assert_refuted(statement, found)


def test_pairwise_informations_do_not_bound_the_total_correlation():
    """Even parity: three bits, each two of them independent."""
    statement, found = first("TC <= I(0;1) + I(0;2) + I(1;2)", 3)
    assert_refuted(statement, found)
    assert joint_of(found.distribution).keys() == {(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)}
    assert found.slack == -sympy.log(2)


REFUTED = [
    ("I(0;1) = 0 and I(0;2) = 0 implies I(0;1,2) <= 0", 3),
    ("H(2|0,1) = 0 implies H(2) <= I(0;2) + I(1;2)", 3),
    ("I(0;1) = 0 implies I(0;1|2) <= 0", 3),
    ("I(0;1|2) = 0 implies I(0;1) <= 0", 3),
    ("I(0;1|2) <= I(0;1)", 3),
    ("TC <= DTC", 3),
    ("DTC <= TC", 3),
    ("H(0) = 2 H(1) and H(1|0) = 0 implies H(0) <= H(1) + H(2)", 3),
    ("3 H(0) = 2 H(1) and I(0;1) = 0 implies 5 H(0) <= 3 H(1)", 2),
    ("TC <= 2 DTC", 4),
    ("2 I(0;1) <= H(0)", 4),
    ("H(0,1) + H(2,3) <= H(0,2) + H(1,3)", 4),
    ("H(0) = H(1) and H(1) = H(2) and H(0,1,2) = 2 H(0) implies H(0,1) <= H(0)", 3),
    ("DTC <= 3 TC", 5),
    ("TC <= 4 DTC - 1/100 H", 6),
]


@each(("text", "sites"), REFUTED)
def test_statements_that_fail_on_a_code_are_refuted(text, sites):
    statement, found = first(text, sites)
    assert_refuted(statement, found)


@each(("text", "sites"), [("TC <= 2 DTC", 3), ("I(0;1|2) = 0 implies I(0;1) <= H(2)", 3)])
def test_what_is_true_is_not_refuted(text, sites):
    _, found = first(text, sites)
    assert isinstance(found, tuple)
    assert all(found)


@pytest.mark.parametrize("seed", range(12))
def test_what_fails_on_a_planted_code_is_refuted(seed):
    """On four sites, with independences that the code has as assumptions."""
    rng = random.Random(seed)
    words = np.asarray(list(itertools.product(range(2), repeat=3)))
    generator = np.asarray([[rng.randrange(2) for _ in range(4)] for _ in range(3)])
    seen = words @ generator % 2
    sets = [[i for i in range(4) if bits >> i & 1] for bits in range(16)]
    ranks = [len(np.unique(seen[:, s], axis=0)).bit_length() - 1 for s in sets]
    independent = [
        f"I({a};{b}|{c}) = 0"
        for a, b, c in itertools.permutations(range(4), 3)
        if ranks[1 << a | 1 << c] + ranks[1 << b | 1 << c]
        == ranks[1 << c] + ranks[1 << a | 1 << b | 1 << c]
    ]
    given = parse(" and ".join([*independent[:3], "0 <= 0"]) + " implies H(0) >= 0", 4)
    row = [0, *(rng.randint(-5, 5) for _ in range(15))]
    row[15] -= 1 + max(0, sum(c * r for c, r in zip(row, ranks, strict=True)))
    conclusion = Conclusion("", {bits: Fraction(c) for bits, c in enumerate(row) if c})
    statement = Statement("", 4, (conclusion,), given.assumptions)
    if ranks[15]:
        assert_refuted(statement, find(statement, conclusion))
    else:
        assert not generator.any()


def test_only_binary_codes_are_not_enough_on_four_sites():
    """Four sites of which each two determine all: nine words of three letters."""
    assumed = [f"H({i},{j}) = H(0,1,2,3)" for i, j in itertools.combinations(range(4), 2)]
    assumed += [f"H(0,1,2,3) = 2 H({i})" for i in range(4)]
    statement, found = first(" and ".join(assumed) + " implies H(0) <= 0", 4)
    assert_refuted(statement, found)
    assert found.distribution.vocab == 3


def test_the_same_is_found_again():
    statement = parse("2 H(0) = 3 H(1) and I(0;1) = H(1) implies H(0) <= H(2)", 3)
    once, again = (find(statement, statement.conclusions[0]) for _ in range(2))
    assert isinstance(once, Refutation)
    assert isinstance(again, Refutation)
    assert joint_of(once.distribution) == joint_of(again.distribution)


@each("order", itertools.permutations(range(3)))
def test_sites_may_be_named_in_any_order(order):
    a, b, c = order
    statement, found = first(f"H({a}) = 2 H({b}) and H({b}|{a}) = 0 implies H({a}) <= H({c})", 3)
    assert_refuted(statement, found)


# Beyond linear codes

INGLETON = "I(0;1) <= I(0;1|2) + I(0;1|3) + I(2;3)"
ZHANG_YEUNG = "2 I(2;3) <= I(0;1) + I(0;2,3) + 3 I(2;3|0) + I(2;3|1)"


def test_ingletons_inequality_fails_on_four_binary_words():
    statement, found = first(INGLETON, 4)
    assert_refuted(statement, found)
    assert found.distribution.vocab == 2
    assert sorted(joint_of(found.distribution).values()) == [Fraction(1, 4)] * 4


@each("order", [(1, 0, 3, 2), (2, 3, 0, 1), (3, 0, 2, 1)])
def test_ingletons_inequality_fails_in_every_order(order):
    text = INGLETON
    for site in range(4):
        text = text.replace(str(site), "abcd"[order[site]])
    for site, letter in enumerate("abcd"):
        text = text.replace(letter, str(site))
    assert_refuted(*first(text, 4))


@each("text", [INGLETON + " + 1/20 H", INGLETON + " + 7/100 H"])
def test_words_have_weights_where_equal_ones_are_not_enough(text):
    """The second one holds for all tables of four equally likely words."""
    statement, found = first(text, 4)
    assert_refuted(statement, found)
    equal = len(set(joint_of(found.distribution).values())) == 1
    assert equal == ("1/20" in text)


def test_no_linear_code_refutes_ingletons_inequality():
    """As Ingleton (1971) proved: it holds for linear codes."""
    statement = parse(INGLETON, 4)
    question = Question.of(statement, statement.conclusions[0])
    for shape in shapes(4):
        assert single(question, library(4, shape)) is None


@each(("name", "fails"), [("S3", False), ("D4", False), ("A4", False), ("S4", False), ("S5", True)])
def test_the_symmetric_group_of_five_letters_refutes_ingletons_inequality(name, fails):
    """The smallest group that does: Mao, Thill and Hassibi (2012)."""
    statement = parse(INGLETON, 4)
    question = Question.of(statement, statement.conclusions[0])
    whole = group(name)
    rows = cosets(4, name)
    hits = list(question.near(np.log(whole.indices)[rows]))
    assert bool(hits) == fails
    if fails:
        number, order, _ = hits[0]
        words = whole.words(rows[number, [1 << i for i in question.orders[order]]])
        found = question.refuted(weighted(np.unique(words, axis=0)), "")
        assert found is not None
        assert_refuted(statement, found)
        assert found.slack == sympy.log(3) + sympy.log(5) - 4 * sympy.log(2)


def test_zhang_and_yeungs_inequality_is_not_refuted():
    """It is true, and does not follow from Shannon's inequalities."""
    _, found = first(ZHANG_YEUNG, 4)
    assert isinstance(found, tuple)
    for what in ("GF(2)", "GF(3)", "GF(4)", "GF(5)", "words", "S5", "climbs"):
        assert any(what in text for text in found)


# Tables of few words


@each("words", [Words(3, 3), Words(4, 2), Words(4, 4)])
def test_entropies_of_tables_are_those_of_their_words(words):
    tables = few_words(3, words)
    weights = tuple(range(words.count, 0, -1))
    entropies = tables.entropies(weights)[tables.refined]
    for number in range(0, len(tables), max(1, len(tables) // 12)):
        sequences = list(map(tuple, tables.sequences(number).tolist()))
        assert len(set(sequences)) == words.count
        total = sum(weights)
        joint = {x: Fraction(w, total) for x, w in zip(sequences, weights, strict=True)}
        for bits in range(8):
            sites = [i for i in range(3) if bits >> i & 1]
            assert entropies[number, bits] == pytest.approx(oracles.entropy(joint, sites))


def test_all_tables_are_there():
    """Up to the order of the sites and the names of the tokens."""
    found = {
        tuple(sorted(zip(*few_words(2, Words(4, 4)).sequences(k).tolist(), strict=True)))
        for k in range(len(few_words(2, Words(4, 4))))
    }
    columns = [
        column
        for column in itertools.product(range(4), repeat=4)
        if list(dict.fromkeys(column)) == list(range(len(set(column))))
    ]
    wanted = {
        tuple(sorted(pair))
        for pair in itertools.product(columns, repeat=2)
        if len(set(zip(*pair, strict=True))) == 4
    }
    assert found == wanted


def test_weights_are_listed_once():
    found = list(weights_of(3, 7))
    wanted = {
        tuple(sorted(w, reverse=True))
        for w in itertools.product(range(1, 8), repeat=3)
        if sum(w) <= 7 and math.gcd(*w) == 1
    }
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert sorted(found, key=sum) == found


# Groups


@each("name", ["S3", "D4", "A4", "S4"])
def test_groups_are_groups_with_all_their_subgroups(name):
    """Of small groups: every set that is closed under products is one of the subgroups."""
    found = group(name)
    size = len(found.table)
    assert size == {"S3": 6, "D4": 8, "A4": 12, "S4": 24}[name]
    products = found.table
    assert (products[0] == np.arange(size)).all()
    assert (products[products] == products[:, products]).all()
    subgroups = {frozenset(np.flatnonzero(row).tolist()) for row in found.subgroups}
    assert len(subgroups) == len(found.subgroups)
    for h in subgroups:
        assert {int(products[a, b]) for a in h for b in h} == h
    if size <= 12:
        rest = range(1, size)
        wanted = {
            frozenset([0, *chosen])
            for k in range(size)
            for chosen in itertools.combinations(rest, k)
            if size % (k + 1) == 0 and closed(products, {0, *chosen})
        }
        assert subgroups == wanted


def closed(products, members):
    return all(int(products[a, b]) in members for a in members for b in members)


def test_entropies_of_cosets_are_logarithms_of_indices():
    whole = group("S4")
    for row in cosets(3, "S4")[::100]:
        words = whole.words(row[[1, 2, 4]])
        joint = {}
        for word in map(tuple, words.tolist()):
            joint[word] = joint.get(word, 0) + Fraction(1, len(words))
        for bits in range(8):
            sites = [i for i in range(3) if bits >> i & 1]
            entropy = oracles.entropy(joint, sites, exact=True)
            assert entropy == oracles.log_in_primes(int(whole.indices[row[bits]]))


# Climbs


def test_the_slope_of_a_climb_is_that_of_differences():
    statement = parse(INGLETON + " and I(0;1) <= H(2|3)", 4)
    given = Assumption("", statement.conclusions[1].slack, equal=False)
    one = Statement("", 4, statement.conclusions[:1], (given,))
    words = np.asarray(list(itertools.product(range(2), repeat=4)))
    climb = Climb.of(Question.of(one, one.conclusions[0]), words)
    for start in starts(16, 3):
        t = np.sqrt(start) + 0.1
        _, slope = climb.share(t)
        steps = np.eye(16) * 1e-6
        around = [climb.share(t + s)[0] - climb.share(t - s)[0] for s in steps]
        np.testing.assert_allclose(slope, np.asarray(around) / 2e-6, atol=1e-7)


def test_climbing_finds_what_has_no_small_weights():
    """The least slack of Ingleton's inequality on binary tables is -0.0878 times the entropy."""
    statement = parse(INGLETON + " + 889/10000 H", 4)
    question = Question.of(statement, statement.conclusions[0])
    assert climbing(question, []) is not None
    assert_refuted(statement, climbing(question, []))


# Representations of matroids

FANO = [{0, 1, 2}, {0, 3, 4}, {0, 5, 6}, {1, 3, 5}, {1, 4, 6}, {2, 3, 6}, {2, 4, 5}]


def plane(lines):
    """The rank function of seven points, of which some triples are on lines."""
    sets = [{i for i in range(7) if bits >> i & 1} for bits in range(1 << 7)]
    return tuple(min(len(s), 2 if len(s) <= 2 or s in lines else 3) for s in sets)


@each(("size", "fano"), [(2, True), (3, False), (4, True), (5, False), (8, True), (9, False)])
def test_the_fano_plane_is_represented_in_characteristic_two_only(size, fano):
    assert (representation(plane(FANO), size) is not None) == fano
    assert (representation(plane(FANO[:-1]), size) is not None) == (not fano)


@each("size", [2, 3, 4, 5])
def test_uniform_matroids_of_rank_two_need_as_many_points(size):
    assert representation(uniform_matroid(size + 1, 2), size) is not None
    assert representation(uniform_matroid(size + 2, 2), size) is None


@each(("sites", "rank", "size"), [(5, 3, 4), (6, 3, 5), (7, 3, 7), (6, 4, 5), (6, 2, 8)])
def test_words_of_a_representation_have_its_ranks(sites, rank, size):
    ranks = uniform_matroid(sites, rank)
    generator = representation(ranks, size)
    assert generator is not None
    words = np.asarray(list(np.ndindex(*(size,) * rank))).astype(np.int64)
    words = finite_field(size).matmul(words, generator)
    for bits, should in enumerate(ranks):
        chosen = [i for i in range(sites) if bits >> i & 1]
        assert len(np.unique(words[:, chosen], axis=0)) == size**should


def test_the_violation_is_found_as_a_code():
    """Seven sites of which each three tell all, as one of rank 3 over GF(7): in no library."""
    everything = "H(0,1,2,3,4,5,6)"
    triples = " + ".join(f"H({a},{b},{c})" for a, b, c in itertools.combinations(range(7), 3))
    alone = " + ".join(f"H({i})" for i in range(7))
    text = f"{triples} = 35 {everything} and 3 ({alone}) = 7 {everything} implies H(0) <= 0"
    statement = parse(text, 7)
    ray = {bits: Fraction(r, 3) for bits, r in enumerate(uniform_matroid(7, 3))}
    found = find(statement, statement.conclusions[0], ray)
    assert isinstance(found, Refutation)
    assert found.check()
    assert found.distribution.vocab == 7


# Equality


def test_a_form_is_zero_where_another_is_positive():
    ratio, size = parse("TC >= 3 DTC and DTC >= 0", 4).conclusions
    p = find_equal(ratio.slack, size.slack, (), 4)
    assert p is not None
    assert value(ratio.slack, p) == 0
    assert value(size.slack, p) > 0
    assert value(size.slack, p) == sympy.log(2)


def test_where_a_form_cannot_be_zero_there_is_no_distribution():
    ratio, size = parse("5 DTC >= TC and DTC >= 0", 3).conclusions
    assert find_equal(ratio.slack, size.slack, (), 3) is None


def test_assumptions_hold_where_a_form_is_zero():
    statement = parse("I(0;1) = 0 implies I(0;1|2) >= H(2) and H(2) >= 0", 3)
    ratio, size = statement.conclusions
    p = find_equal(ratio.slack, size.slack, statement.assumptions, 3)
    assert p is not None
    assert value(statement.assumptions[0].form, p) == value(ratio.slack, p) == 0
    assert value(size.slack, p) > 0


test_refused = refusals(
    (
        'a search needs a statement in entropies of sets, got coordinates "profile"',
        lambda: find(parse("TC <= DTC", 3, profile=True), Conclusion("", {})),
    ),
)
