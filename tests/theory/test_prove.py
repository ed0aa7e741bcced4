"""Proofs, refutations and best constants, against the definitions and against drawn tables."""

import itertools
import math
import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import theory
from tests.noted import each, refusals
from theory import JointTable, TooLarge, gallery, information, proofs
from theory._core import linear_program
from theory._core.linear_program import Separation, Uncertified, combination
from theory.proofs import (
    Assumption,
    Certificate,
    Conclusion,
    Fall,
    Information,
    Proof,
    Refutation,
    Statement,
    Unknown,
)
from theory.proofs.quantities import combined, sites_of
from theory.proofs.shannon import Violation, certificate, elementals
from theory.proofs.statement import value_at
from theory.proofs.symmetry import SymmetricMean, interchangeable
from theory.proofs.text import parse

# What is asked of an answer depends on what it is.
prove: Any = proofs.prove
best_constant: Any = proofs.best_constant

ZHANG_YEUNG = "2 I(2;3) <= I(0;1) + I(0;2,3) + 3 I(2;3|0) + I(2;3|1)"
INGLETON = "I(0;1) <= I(0;1|2) + I(0;1|3) + I(2;3)"
TRUE = [
    ("TC <= (n-1) DTC", 2),
    ("TC <= (n-1) DTC", 3),
    ("DTC <= (n-1) TC", 4),
    ("TC <= (n-1) DTC", 5),
    ("DTC <= (n-1) TC", 6),
    ("TC(0,1) + TC(2,3|0,1) <= TC", 4),
    ("0 <= I(0,1;2|3) <= H(2) <= H", 4),
    ("f(2) <= f(1)", 5),
    ("TC + DTC = H(0|1,2) + I(0;1,2) + 1/2 TC + 1/2 TC - H(0) + DTC", 3),
    ("H(0,1) + H(1,2) >= H(0,1,2) + H(1)", 3),
    ("2 H(0,1,2) <= H(0,1) + H(0,2) + H(1,2)", 3),
    (ZHANG_YEUNG.replace("2 I(2;3) <=", "0 <= I(0;1|2) +"), 4),
]
ASSUMED = [
    ("I(0;2|1) = 0 implies I(0;2) <= I(0;1)", 3),
    ("I(0;2|1) = 0 and I(0,1;3|2) = 0 implies I(0;3) <= I(1;2)", 4),
    ("H(1|0) = 0 implies I(1;2) <= I(0;2)", 3),
    ("I(0;1) = 0 implies I(0;2) + I(1;2) <= H(2)", 3),
    ("TC <= 2 I(0;1) implies DTC <= 4 I(0;1)", 3),
    ("I(0;1) <= I(0;1|2) and I(0;2) >= 0 implies I(0;1,2) >= I(0;1) + I(0;2)", 3),
]


# What the answers are compared with


def information_of(h, left, right, given):
    """I(left; right | given), or H(left | given), from numbers by frozenset: the definition."""
    left, right, given = frozenset(left), frozenset(right), frozenset(given)
    if not right:
        return h[left | given] - h[given]
    return h[left | given] + h[right | given] - h[left | right | given] - h[given]


def images(quantity):
    """All images of a quantity, by all permutations of all blocks; a quantity is its only one."""
    if isinstance(quantity, Information):
        return {quantity}
    found = set()
    for orders in itertools.product(*map(itertools.permutations, quantity.blocks)):
        to = dict(zip(sum(quantity.blocks, ()), sum(orders, ()), strict=True))
        left, right, given = (
            tuple(sorted(to[i] for i in part))
            for part in (quantity.of.left, quantity.of.right, quantity.of.given)
        )
        left, right = sorted((left, right)) if right else (left, right)
        found.add(Information(left, right, given))
    return found


def value_of(quantity, h):
    every = images(quantity)
    return sum(information_of(h, q.left, q.right, q.given) for q in every) / Fraction(len(every))


def by_sets(values, sites):
    """Numbers by frozenset, from a mapping by bits."""
    return {frozenset(sites_of(bits)): values.get(bits, 0) for bits in range(1 << sites)}


def adds_up(found, sites, rng):
    """The sum of a certificate at random numbers: they agree there only if they agree always."""
    drawn = {bits: int(rng.integers(-(10**6), 10**6)) for bits in range(1, 1 << sites)}
    total = sum(m * value_of(q, by_sets(drawn, sites)) for m, q in found.terms)
    total += sum(m * c * drawn[bits] for m, given in found.used for bits, c in given.form.items())
    return total == sum(c * drawn[bits] for bits, c in found.conclusion.slack.items())


def obeys_shannon(ray, sites):
    """No conditional information of single sites is negative."""
    h = by_sets(ray, sites)
    everything = range(sites)
    return all(
        information_of(h, (i,), (j,) * (i != j), given) >= 0
        for i, j in itertools.combinations_with_replacement(everything, 2)
        for size in range(sites)
        for given in itertools.combinations([k for k in everything if k not in (i, j)], size)
    )


def at(form, ray):
    return sum(c * ray.get(bits, 0) for bits, c in form.items())


def entropies(tables):
    """Entropies of all sets of sites, shape (2**L, N), by the bits of a set."""
    length = tables.ndim - 1
    found = np.zeros((1 << length, len(tables)))
    for bits in range(1, 1 << length):
        out = tuple(1 + i for i in range(length) if not bits >> i & 1)
        p = tables.sum(axis=out)
        logs = np.log(p, out=np.zeros_like(p), where=p > 0)
        found[bits] = -(p * logs).reshape(len(tables), -1).sum(axis=1)
    return found


def on(form, h) -> Any:
    """A form on entropies by the bits of sets, shape (N,)."""
    return sum((float(c) * h[bits] for bits, c in form.items()), 0 * h[0])


def drawn(rng, number, vocab, sites):
    """Tables from even to nearly certain, some with zeros."""
    weights = (
        rng.gamma(
            rng.choice([0.05, 0.3, 1.0], size=(number,) + (1,) * sites),
            size=(number,) + (vocab,) * sites,
        )
        + 1e-300
    )
    weights *= rng.random(weights.shape) < rng.choice([0.5, 1.0], size=(number,) + (1,) * sites)
    weights[(slice(None),) + (0,) * sites] += 1e-3
    return weights / weights.sum(axis=tuple(range(1, sites + 1)), keepdims=True)


def random_multiple(rng):
    return Fraction(int(rng.integers(1, 9)), int(rng.integers(1, 7)))


def random_sum(rng, quantities, most):
    chosen = rng.choice(len(quantities), size=min(most, len(quantities)), replace=False)
    return [(random_multiple(rng), quantities[j]) for j in chosen]


def stated(slack, sites, *assumptions):
    return Statement("planted", sites, (Conclusion("planted", slack),), tuple(assumptions))


# What is true


@each("n", range(1, 8))
def test_the_number_of_elementals(n):
    found = elementals(n)
    assert len(set(found)) == len(found) == n + math.comb(n, 2) * 2**n // 4
    assert all(q.right or len(q.given) == n - 1 for q in found)


@each("text, n", TRUE + ASSUMED)
def test_what_is_true_is_proved(text, n):
    found = prove(text, sites=n)
    assert isinstance(found, Proof)
    assert found.check()
    rng = np.random.default_rng(n)
    assert all(adds_up(part, n, rng) for part in found.certificates)


@each("n", range(1, 5))
def test_elementals_are_proved_by_themselves(n):
    for quantity in elementals(n):
        found = prove(stated(quantity.form(n), n))
        assert isinstance(found, Proof)
        assert found.certificates[0].terms == ((1, quantity),)


@each("seed", range(24))
def test_planted_sums_of_elementals_are_always_proved(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    terms = random_sum(rng, elementals(n), int(rng.integers(1, 6 * n)))
    found = prove(stated(combined([(m, q.form(n)) for m, q in terms]), n))
    assert isinstance(found, Proof)
    assert found.check()
    assert adds_up(found.certificates[0], n, rng)


@each("seed", range(24))
def test_planted_sums_modulo_assumptions_are_always_proved(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    given = []
    for number in range(int(rng.integers(1, 4))):
        bits = rng.integers(1, 1 << n, size=3)
        form = combined((Fraction(int(rng.integers(-4, 5))), {int(b): Fraction(1)}) for b in bits)
        given.append(Assumption(f"assumption {number}", form, bool(rng.integers(2))))
    parts = [(m, q.form(n)) for m, q in random_sum(rng, elementals(n), 2 * n)]
    parts += [
        (random_multiple(rng) * (-1) ** int(a.equal * rng.integers(2)), a.form) for a in given
    ]
    found = prove(stated(combined(parts), n, *given))
    assert isinstance(found, Proof)
    assert found.check()
    assert adds_up(found.certificates[0], n, rng)


@each("n", range(7, 11))
def test_total_and_dual_total_correlation_of_many_sites(n):
    for text in ("TC <= (n-1) DTC", "DTC <= (n-1) TC"):
        found = prove(text, sites=n)
        assert isinstance(found, Proof)
        assert found.check()
        assert len(found.certificates[0].terms) == n - 2
    statement = parse("TC <= (n - 1 - 1/100) DTC", n)
    found = certificate(statement.conclusions[0], (), n)
    assert isinstance(found, Violation)
    assert found.slack == at(statement.conclusions[0].slack, found.ray) < 0
    assert obeys_shannon(found.ray, n)


def test_few_terms_are_found():
    """What fixed halves cost is at most TC by four terms; three sites take three."""
    for text, n, terms in [
        ("TC(0,1) + TC(2,3|0,1) <= TC", 4, 4),
        ("TC <= 2 DTC", 3, 3),
        ("I(0,1;2,3) >= I(0;2)", 4, 3),
        ("H(0,1,2) >= H(0)", 3, 2),
        ("H(0) >= 0", 5, 1),
    ]:
        (found,) = prove(text, sites=n).certificates
        assert len(found.terms) == terms, text
        assert all(m == 1 and isinstance(q, Information) for m, q in found.terms)


def test_no_symmetry_and_more_sites_than_are_searched_for_few_terms():
    rng = np.random.default_rng(7)
    terms = random_sum(rng, elementals(7), 30)
    slack = combined([(m, q.form(7)) for m, q in terms])
    assert interchangeable(slack, (), range(7)) == tuple((i,) for i in range(7))
    found = prove(stated(slack, 7))
    assert isinstance(found, Proof)
    assert found.check()
    assert adds_up(found.certificates[0], 7, rng)


# Slacks on tables


def slacks(proof, tables):
    h = entropies(tables)
    for conclusion in proof.statement.conclusions:
        yield on(conclusion.slack, h)


@each("text, n", TRUE)
def test_no_table_contradicts_a_proof(text, n):
    proof = prove(text, sites=n)
    assert proof
    rng = np.random.default_rng(n)
    for vocab in (2, 3)[: 1 + (n < 6)]:
        for slack in slacks(proof, drawn(rng, 1000, vocab, n)):
            assert slack.shape == (1000,)
            assert slack.min() > -1e-9


@each("text", ["TC <= DTC", "2 H(0,1) <= H(0) + H(0,1,2)", "TC <= I(0;1) + I(0;2) + I(1;2)"])
def test_drawn_tables_do_contradict_what_is_false(text):
    """So that the test above can fail."""
    (conclusion,) = parse(text, 3).conclusions
    h = entropies(drawn(np.random.default_rng(3), 1000, 2, 3))
    assert on(conclusion.slack, h).min() < -1e-3


def test_no_markov_chain_contradicts_a_proof_that_assumes_one():
    rng = np.random.default_rng(5)
    first, second, third = (drawn(rng, 1000, 3, 2) for _ in range(3))
    with np.errstate(invalid="ignore"):
        steps = [np.nan_to_num(t / t.sum(axis=2, keepdims=True)) for t in (second, third)]
    # a row without mass goes on as the row of token 0
    steps = [np.where(t.sum(axis=2, keepdims=True) > 0, t, t[:, :1]) for t in steps]
    tables = np.einsum("nab,nbc,ncd->nabcd", first, *steps)
    h = entropies(tables)
    proof = prove(ASSUMED[1][0], sites=4)
    for assumption in proof.statement.assumptions:
        zero = on(assumption.form, h)
        assert abs(zero).max() < 1e-9
    assert next(slacks(proof, tables)).min() > -1e-9
    without = proof.statement.conclusions[0]
    assert not prove(replace(proof.statement, assumptions=()))
    others = entropies(drawn(rng, 1000, 2, 4))
    assert on(without.slack, others).min() < -1e-3


# What is false


EXACT = [
    gallery.parity(3, exact=True),
    gallery.parity(4, exact=True),
    gallery.coupled_pairs(2, exact=True),
    JointTable(np.eye(2, dtype=object)[:, :, None] * np.eye(2, dtype=object)[0], exact=True),
]


@each("seed", range(16))
def test_planted_false_inequalities_are_never_proved(seed, monkeypatch):
    """Quantities that vanish on a table, minus a little of one that does not."""
    monkeypatch.setattr(linear_program, "PIVOTED", 0)  # floats are enough
    rng = np.random.default_rng(seed)
    p = EXACT[seed % len(EXACT)]
    n = p.length
    zero, positive = [], []
    for quantity in elementals(n):
        (positive if value_at(quantity.form(n), p) > 0 else zero).append(quantity)
    little = Fraction(1, (1, 100, 10**12, 10**30)[int(rng.integers(4))])
    parts = [(m, q.form(n)) for m, q in random_sum(rng, zero, int(rng.integers(1, 3 * n)))]
    parts.append((-little, positive[int(rng.integers(len(positive)))].form(n)))
    statement = stated(combined(parts), n)
    found = prove(statement)
    assert not found
    assert isinstance(found, Refutation)  # such a table exists
    assert found.check()
    violation = certificate(statement.conclusions[0], (), n)
    assert isinstance(violation, Violation)
    assert violation.slack == at(statement.conclusions[0].slack, violation.ray) < 0
    assert obeys_shannon(violation.ray, n)


@each("seed", range(12))
def test_as_little_more_is_proved(seed, monkeypatch):
    monkeypatch.setattr(linear_program, "PIVOTED", 0)
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    little = Fraction(1, 10 ** int(rng.integers(10, 40)))
    terms = random_sum(rng, elementals(n), 2 * n)
    terms[0] = (little, terms[0][1])
    found = prove(stated(combined([(m, q.form(n)) for m, q in terms]), n))
    assert isinstance(found, Proof)
    assert found.check()


@each("seed", range(40))
def test_up_to_three_sites_there_is_an_answer_always(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    form = {bits: Fraction(int(rng.integers(-4, 7))) for bits in range(1, 1 << n)}
    given = [Assumption("a", information.form(n)) for information in elementals(n)[: seed % 3]]
    found = prove(stated({bits: c for bits, c in form.items() if c}, n, *given))
    assert isinstance(found, Proof | Refutation)
    assert found.check()
    assert bool(found) == isinstance(found, Proof)


def test_an_inequality_that_is_not_of_shannon_type_is_unknown():
    """Zhang and Yeung 1998: true, and it does not follow from Shannon's inequalities."""
    found = prove(ZHANG_YEUNG, sites=4)
    assert isinstance(found, Unknown)
    assert not found
    assert found.searched
    assert found.slack == at(found.conclusion.slack, found.ray) < 0
    assert obeys_shannon(found.ray, 4)
    h = entropies(drawn(np.random.default_rng(1), 1000, 2, 4))
    assert on(found.conclusion.slack, h).min() > -1e-9


def test_ingleton_is_not_proved():
    found = prove(INGLETON, sites=4)
    assert not found
    assert isinstance(found, Refutation | Unknown)
    assert found.check() if isinstance(found, Refutation) else obeys_shannon(found.ray, 4)


def test_the_conclusion_that_fails_is_named():
    found = prove("0 <= TC <= DTC", sites=3)
    assert isinstance(found, Refutation)
    assert found.conclusion.text == "TC <= DTC"


def test_a_refutation_comes_before_what_is_unknown():
    found = prove(f"{ZHANG_YEUNG} and H(0) <= H(1)", sites=4)
    assert isinstance(found, Refutation)
    assert found.conclusion.text == "H(0) <= H(1)"


# Certificates that were changed


def test_a_changed_certificate_is_noticed():
    proof = prove(ASSUMED[1][0], sites=4)
    (found,) = proof.certificates
    (m, q), *others = found.terms
    (z, given), *more = found.used
    elsewhere = Assumption(given.text, given.form)
    changed = {
        "another multiplier": replace(found, terms=((m + 1, q), *others)),
        "a term left out": replace(found, terms=tuple(others)),
        "a term twice": replace(found, terms=((m, q), *found.terms)),
        "two terms that cancel": replace(found, terms=((-m, q), (2 * m, q), *others)),
        "no assumption": replace(found, used=tuple(more)),
        "another conclusion": replace(
            found, conclusion=Conclusion("more", combined([(Fraction(2), found.conclusion.slack)]))
        ),
        "what is not assumed": replace(found, used=((z, replace(elsewhere, form={1: 1})), *more)),
    }
    assert proof.check()
    for what, wrong in changed.items():
        assert not replace(proof, certificates=(wrong,)).check(), what
    assert not replace(proof, certificates=()).check()
    assert not replace(proof, statement=replace(proof.statement, assumptions=())).check()
    assert pickle.loads(pickle.dumps(proof)).check()


def test_terms_are_in_the_coordinates_of_the_statement():
    """The form of a fall is a false inequality if it is read in sets, and the other way round."""
    one = Fraction(1)
    for coordinates, quantity in (("sets", Fall(1)), ("profile", Information((0,), (1,)))):
        conclusion = Conclusion("", quantity.form(4))
        certificate = Certificate(conclusion, ((one, quantity),))
        assert certificate.check(4)
        assert not Proof(Statement("", 4, (conclusion,), (), coordinates), (certificate,)).check()


def test_a_refutation_is_of_its_statement():
    false = prove("TC <= DTC", sites=3)
    assert false.check()
    assert not replace(false, statement=parse("TC <= 2 DTC", 3)).check()
    short = prove("f(0) <= 1/2 f(1)", sites=2, profile=True)
    long = prove("f(0) <= 1/2 f(1)", sites=3, profile=True)
    assert not replace(short, distribution=long.distribution).check()


def test_an_assumed_inequality_has_no_negative_multiple():
    form = Information((0,), (1,)).form(2)
    given = Assumption("I(0;1) >= 0", form, equal=False)
    conclusion = Conclusion("0 >= I(0;1)", combined([(Fraction(-1), form)]))
    assert not Certificate(conclusion, (), ((Fraction(-1), given),)).check(2)
    assert Certificate(conclusion, (), ((Fraction(-1), replace(given, equal=True)),)).check(2)
    assert not prove(Statement("", 2, (conclusion,), (given,)))
    assert prove(Statement("", 2, (conclusion,), (replace(given, equal=True),)))


# Few sites, symmetry, and the same answer again


def test_one_and_two_sites():
    assert prove("H >= 0", sites=1).certificates[0].terms == ((1, Information((0,))),)
    assert prove("TC = DTC and TC = 0", sites=1).check()
    assert prove("H(0) <= 0", sites=1).check()  # a refutation
    assert isinstance(prove("H(0) <= 0", sites=1), Refutation)
    found = prove("TC = DTC and TC = I(0;1) and H(0) <= H", sites=2)
    assert [len(c.terms) for c in found.certificates] == [0, 0, 0, 0, 1]
    assert isinstance(prove("H <= H(0)", sites=2), Refutation)
    assert prove("0 <= 0", sites=1)


@each("text, n", [*TRUE[:6], *ASSUMED[:2]])
def test_the_answer_is_the_same_again(text, n):
    assert str(prove(text, sites=n)) == str(prove(text, sites=n))


@each(
    "of, blocks",
    [
        (Information((0,), (1,)), ((0, 1, 2, 3),)),
        (Information((0,), (1,), (2,)), ((0, 1, 2, 3, 4),)),
        (Information((0,), (), (1, 4)), ((0,), (1, 2, 3), (4, 5))),
        (Information((0,), (3,), (1,)), ((0, 1, 2), (3, 4))),
        (Information((0, 3), (1, 4)), ((0, 1, 2), (3, 4, 5))),
        (Information((0,), (), (1, 2, 3)), ((0, 1, 2, 3),)),
    ],
)
def test_means_over_images(of, blocks):
    mean = SymmetricMean(of, blocks)
    sites = sum(map(len, blocks))
    every = images(mean)
    listed = list(mean.images())
    assert set(listed) == every
    assert len(listed) == len(every) == mean.size
    share = Fraction(1, len(every))
    assert mean.form(sites) == combined((share, image.form(sites)) for image in every)


def test_interchangeable_sites():
    def blocks(text, n):
        statement = parse(text, n)
        return interchangeable(statement.conclusions[0].slack, statement.assumptions, range(n))

    assert blocks("TC <= DTC", 5) == ((0, 1, 2, 3, 4),)
    assert blocks("TC(0,1) + TC(2,3|0,1) <= TC", 4) == ((0, 1), (2, 3))
    assert blocks("I(0;1) = 0 implies TC <= DTC", 4) == ((0, 1), (2, 3))
    assert blocks("I(0;1) = 0 and I(0;2) = 0 implies TC <= DTC", 4) == ((0,), (1, 2), (3,))
    assert blocks("H(0) + 2 H(1) >= 3 H(2)", 3) == ((0,), (1,), (2,))


def test_assumptions_are_used_symmetrically():
    pairs = " and ".join(f"I({i};{j}) = 0" for i, j in itertools.combinations(range(8), 2))
    found = prove(f"{pairs} implies TC(0,1) + TC(2,3) <= 0 and e(2) = 2 e(1)", sites=8)
    assert isinstance(found, Proof)
    assert found.check()
    (equal, used), *others = found.certificates[2].used
    assert used.equal
    assert [m for m, _ in others] == [equal] * 27


# The linear program


def random_cone(rng):
    rows, number = int(rng.integers(1, 6)), int(rng.integers(0, 9))
    return [
        {i: Fraction(int(v)) for i, v in enumerate(rng.integers(-3, 4, size=rows)) if v}
        for _ in range(number)
    ], rows


def is_right(columns, total, found):
    if isinstance(found, Separation):
        return (
            all(at(column, found.direction) >= 0 for column in columns)
            and at(total, found.direction) == found.value < 0
        )
    rows = {*total, *(i for column in columns for i in column)}
    return all(m > 0 for m in found.values()) and all(
        sum(m * columns[j].get(i, 0) for j, m in found.items()) == total.get(i, 0) for i in rows
    )


@each("seed", range(60))
def test_a_vector_is_combined_or_separated_by_floats_and_by_pivots(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    columns, rows = random_cone(rng)
    total = {i: Fraction(int(v), 7) for i, v in enumerate(rng.integers(-3, 4, size=rows)) if v}
    if seed % 2 and columns:
        total = combined((random_multiple(rng), c) for c in columns[: rows + 1])
    found = combination(columns, total)
    assert is_right(columns, total, found)
    pivoted = linear_program._pivoted(columns, total, sorted({*total, *range(rows)}), [])
    assert is_right(columns, total, pivoted)
    assert isinstance(found, Separation) == isinstance(pivoted, Separation)
    if seed % 2 and columns:
        assert not isinstance(found, Separation)


def test_where_floats_mislead_pivots_decide(monkeypatch):
    statement = parse("TC <= (n-1) DTC", 4)
    monkeypatch.setattr(linear_program, "_supports", lambda *_: [{0: 1.0, 1: 2.0}, {}])
    monkeypatch.setattr(linear_program, "_directions", lambda *_: [{1: Fraction(-1)}])
    monkeypatch.setattr(linear_program, "REPAIRS", 0)
    found = certificate(statement.conclusions[0], (), 4)
    assert isinstance(found, Certificate)
    assert found.check(4)
    wrong = parse("TC <= (n - 1 - 1/100) DTC", 4).conclusions[0]
    assert isinstance(certificate(wrong, (), 4), Violation)
    monkeypatch.setattr(linear_program, "PIVOTED", 10)
    with pytest.raises(Uncertified, match="too many to pivot"):
        certificate(wrong, (), 4)


# Best constants


@each("n", range(2, 6))
def test_total_against_dual_total_correlation(n):
    for a, b in (("TC", "DTC"), ("DTC", "TC")):
        found = best_constant(a, b, sites=n)
        assert found.constant == n - 1
        assert found.best
        assert found.check()
        p = found.attained
        measures = {
            "TC": information.total_correlation(p),
            "DTC": information.dual_total_correlation(p),
        }
        assert measures[a] == (n - 1) * measures[b] > 0
        assert at(found.a.slack, found.ray) == (n - 1) * at(found.b.slack, found.ray) > 0
        assert not prove(f"{a} <= {n - 1 - Fraction(1, 1000)} {b}", sites=n)


@each(
    "a, b, n, assuming, constant",
    [
        ("TC", "TC + DTC", 4, None, Fraction(3, 4)),
        ("TC", "H", 4, None, Fraction(3)),
        ("DTC", "H", 4, None, Fraction(1)),
        ("TC", "TC", 3, None, Fraction(1)),
        ("2 TC", "3 TC", 3, None, Fraction(2, 3)),
        ("0", "TC", 3, None, Fraction(0)),
        ("0 - TC", "DTC", 3, None, Fraction(-1, 2)),
        ("I(0;2)", "I(0;1)", 3, "I(0;2|1) = 0", Fraction(1)),
        ("H", "H(0)", 3, "H(1|0) = 0 and H(2|1) = 0", Fraction(1)),
        ("I(0;1,2)", "H(0)", 3, "I(0;1) = 0", Fraction(1)),
    ],
)
def test_best_constants_by_hand(a, b, n, assuming, constant):
    found = best_constant(a, b, sites=n, assuming=assuming)
    assert found.constant == constant
    assert found.check()
    assert found.best
    assert str(constant) in str(found)


def test_a_constant_that_does_not_exist():
    found = best_constant("TC", "I(0;1) + I(0;2) + I(1;2)", sites=3)
    assert found.constant is None
    assert found.proof is None
    assert found.best
    assert found.check()
    assert information.total_correlation(found.attained) > 0
    assert at(found.a.slack, found.ray) > 0 == at(found.b.slack, found.ray)


def test_ingleton_fails_by_any_factor():
    found = best_constant("I(0;1)", "I(0;1|2) + I(0;1|3) + I(2;3)", sites=4)
    assert found.constant is None
    assert found.best
    assert found.check()


def test_what_is_not_known_to_be_best_is_not_called_so():
    """By Zhang and Yeung 1 is enough, and from Shannon's inequalities alone 2 follows."""
    less, more = ZHANG_YEUNG.split(" <= ")
    found = best_constant(less, more, sites=4)
    assert found.constant == 2
    assert found.proof.check()
    assert found.attained is None
    assert not found.best
    assert "less may hold" in str(found)
    assert found.check()
    assert at(found.a.slack, found.ray) == 2 * at(found.b.slack, found.ray) > 0
    assert obeys_shannon(found.ray, 4)


def test_a_changed_constant_is_noticed():
    found = best_constant("TC", "DTC", sites=3)
    assert found.check()
    even = JointTable(np.full((2, 2, 2), 1, dtype=object), exact=True)
    for wrong in (
        replace(found, constant=found.constant - 1),
        replace(found, constant=None),
        replace(found, proof=None),
        replace(found, attained=gallery.parity(3, exact=True)),
        replace(found, attained=even),
        replace(found, ray={1: Fraction(1), 3: Fraction(1)}),
        replace(found, constant=None, proof=None, attained=None),
        replace(found, assumptions=(Assumption("H(0) = 0", {1: Fraction(1)}),)),
    ):
        assert not wrong.check()


def test_functions_have_best_constants():
    found = best_constant(
        information.total_correlation, information.dual_total_correlation, sites=3
    )
    assert found.constant == 2
    assert found.check()


@each(
    "length, sizes", [(4, (2, 2)), (9, (4, 2, 2, 1)), (16, (8, 4, 2, 1, 1)), (16, (1, 2, 3, 4, 6))]
)
def test_what_schedules_cost_at_most(length, sizes):
    """By what codes cost: a batch of sites a..b-1 costs b - a - 1 of L - a - 1, or of a + 1."""
    ends = list(itertools.accumulate(sizes, initial=0))
    batches = [(a, b) for a, b in itertools.pairwise(ends) if b > a + 1]
    against = {
        "TC": max(Fraction(b - a - 1, length - a - 1) for a, b in batches),
        "DTC": max(Fraction(b - a - 1, a + 1) for a, b in batches),
        "TC + DTC": Fraction(max(sizes) - 1, length),
    }
    for what, constant in against.items():
        found = best_constant(
            lambda p: information.path_cost(p, sizes), what, sites=length, profile=True
        )
        assert found.constant == constant
        assert found.check()
        assert found.best
        cost = information.path_cost(found.attained, sizes)
        tc = information.total_correlation(found.attained)
        dtc = information.dual_total_correlation(found.attained)
        assert cost == constant * {"TC": tc, "DTC": dtc, "TC + DTC": tc + dtc}[what] > 0


@each(
    "a, b, assuming, constant",
    [
        ("TC", "DTC", None, 5),
        ("f(2)", "f(1)", None, 1),
        ("f(1)", "f(2)", None, None),
        ("f(0)", "f(2)", "f(0) <= 3 f(2)", 3),
        ("f(0)", "f(5)", "f(0) + f(5) = 3 f(3) and f(3) <= 2 f(5)", 5),
    ],
)
def test_best_constants_in_the_profile(a, b, assuming, constant):
    found = best_constant(a, b, sites=6, profile=True, assuming=assuming)
    assert found.constant == constant
    assert found.check()
    assert found.best


def test_a_constant_may_be_best_where_its_code_is_too_large():
    found = best_constant("f(600)", "f(0) + 3 f(700)", sites=1200, profile=True)
    assert found.constant == 1
    assert found.attained is None
    assert found.best
    assert found.check()


def test_profiles_are_proved_and_refuted():
    proved = prove("f(1) <= f(0)", sites=40, profile=True)
    assert isinstance(proved, Proof)
    assert proved.check()
    refuted = prove(lambda p: information.total_correlation(p), sites=5, profile=True)
    assert refuted
    refuted = prove("TC <= DTC", sites=40, profile=True)
    assert isinstance(refuted, Refutation)
    assert refuted.check()


# Errors


test_bad_input = refusals(
    ("sites must be given", lambda: prove("TC <= DTC")),
    ("sites must be given", lambda: prove(information.total_correlation, profile=True)),
    ("about 3 sites, not 4", lambda: prove(parse("TC <= DTC", 3), sites=4)),
    ("must be a function of a distribution, got 3", lambda: prove(3, sites=3)),
    ("one quantity .* 'TC <= DTC'", lambda: best_constant("TC <= DTC", "H", sites=3)),
    (r"H\(0\) - H\(1\) may be negative", lambda: best_constant("TC", "H(0) - H(1)", sites=3)),
    ("TC - TC is always zero", lambda: best_constant("TC", "TC - TC", sites=3)),
)


def test_too_many_sites_are_refused():
    with pytest.raises(TooLarge, match="13 sites in 13 blocks"):
        prove(" + ".join(f"{i + 1} H({i})" for i in range(13)) + " >= 0", sites=13)


def test_prove_is_public():
    assert theory.prove is proofs.prove
