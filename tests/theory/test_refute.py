"""Distributions that refute: found where they have to be, and checked from the definition."""

import functools
import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.noted import each, refusals
from theory.distributions.direct_product import DirectProduct
from theory.proofs import Assumption, Conclusion, Refutation, Statement
from theory.proofs.codes import Shape, library, shapes
from theory.proofs.refute import find, find_equal
from theory.proofs.text import parse


def joint_of(p):
    """The words that are possible, with their probabilities."""
    if hasattr(p, "sequences"):
        return dict(zip(map(tuple, p.sequences.tolist()), p.weights.tolist(), strict=True))
    return {x: q for x, q in np.ndenumerate(p.table()) if q}


def value(form, p):
    """A form on a distribution, in SymPy, from the entropies of marginals of the joint."""
    if isinstance(p, DirectProduct):
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
    if not isinstance(p, DirectProduct):
        assert p.denoise([-1] * p.length).shape == (p.length, p.vocab)
        assert {t for x in joint_of(p) for t in x} == set(range(p.vocab))


def first(text, sites):
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
    rng, failed, several = random.Random(1 + assumptions), 0, 0
    for _ in range(60):
        rows, equal, statement = drawn(rng, assumptions)
        found = find(statement, statement.conclusions[0])
        assert isinstance(found, Refutation) == may_fail(rows, equal)
        if isinstance(found, Refutation):
            assert_refuted(statement, found)
            failed += 1
            several += "side by side" in found.found_by
    assert failed >= 5
    assert bool(several) == (assumptions > 0)


@each("times", [3, 7, 60, 1000])
def test_entropies_may_have_any_ratio(times):
    """No small table: the words of independent codes, and those kept apart where they are many."""
    statement, found = first(f"H(0) = {times} H(1) implies H(0) <= 0", 2)
    assert_refuted(statement, found)
    assert value({1: Fraction(1)}, found.distribution) == times * sympy.log(2)


def test_what_has_too_many_parts_is_said_to_have():
    _, found = first("H(0) = 100000 H(1) implies H(0) <= 0", 2)
    assert any("too many" in text for text in found)


# Statements that circulate


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


# Equality


def test_a_form_is_zero_where_another_is_positive():
    ratio, size = parse("TC >= 3 DTC and DTC >= 0", 4).conclusions
    p = find_equal(ratio.slack, size.slack, (), 4)
    assert p is not None
    assert value(ratio.slack, p) == 0
    assert value(size.slack, p) > 0
    assert value(size.slack, p) == sympy.log(2)


def test_where_a_form_cannot_be_zero_there_is_no_distribution():
    ratio, size = parse("5 DTC >= TC and DTC >= 0", 4).conclusions
    assert find_equal(ratio.slack, size.slack, (), 4) is None


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
