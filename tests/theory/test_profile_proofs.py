"""Statements in the profile: against all steps, drawn distributions, and the words of codes."""

import dataclasses
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from tests import oracles
from tests.cases import CASES, build_exact, row
from tests.noted import each, refusals
from theory import JointTable, ReedSolomon, TooLarge, information
from theory._core.log_numbers import logarithm
from theory.distributions.reed_solomon import smallest_field
from theory.distributions.side_by_side import SideBySide
from theory.proofs import Assumption, Conclusion, Fall, Proof, Refutation, Statement
from theory.proofs.profiles import decide
from theory.proofs.statement import value_at
from theory.proofs.steps import codes_of, on_steps
from theory.proofs.text import parse


def parsed(text, sites):
    return parse(text, sites, profile=True)


def stated(slack, sites, *assumptions):
    given = tuple(Assumption(f"given {k}", f, equal) for k, (f, equal) in enumerate(assumptions))
    return Statement("drawn", sites, (Conclusion("drawn", slack),), given, "profile")


def step_value(form, r):
    """By definition: the profile is 1 up to r, and 0 from there on."""
    return sum((c for j, c in form.items() if j < r), Fraction(0))


def drawn_form(rng, sites, most=3):
    form = {j: Fraction(rng.randint(-most, most), rng.randint(1, 3)) for j in range(sites)}
    return {j: c for j, c in form.items() if c}


TRUE = [
    ("TC <= (n-1) DTC", range(1, 9)),
    ("DTC <= (n-1) TC", range(1, 9)),
    ("f(0) >= f(1) >= f(2)", [3, 6]),
    ("e(2) <= 2 e(1)", [2, 5]),
    ("n e(n-1) >= (n-1) H", range(1, 9)),
    ("TC + DTC = n f(0) - n f(n-1)", range(1, 9)),
    ("0 <= TC <= n e(1)", [1, 4]),
    ("(e(1) + e(3))/2 <= e(2)", [3, 5]),
    ("TC = DTC implies TC <= n/2 f(0)", [4, 6]),
    ("f(2) = 0 implies DTC <= 2 f(0)", [4, 7]),
    ("f(n-1) >= 1/2 f(0) implies TC <= n/2 f(0)", [3, 5]),
    ("H = 0 implies 0 >= TC", [3]),
    ("f(0) = f(1) and TC <= DTC implies (n-2) DTC >= 2 TC", [4, 5]),
]
FALSE = [
    ("TC <= (n-2) DTC", range(3, 9)),
    ("DTC <= (n-2) TC", range(3, 9)),
    ("f(0) <= f(1)", [2, 5]),
    ("TC <= DTC", [3, 6]),
    ("e(2) >= (e(1) + e(3))/2 + 1/100 f(0)", [4]),
    ("TC = DTC implies TC <= 49 n/100 f(0)", [4, 6, 7]),
    ("TC = 2 DTC implies f(0) <= 2 f(1)", [4, 5]),
    ("f(2) = 0 implies DTC <= 3/2 f(0)", [4, 7]),
    ("2 f(1) <= f(0) implies 3 f(1) <= f(0)", [3, 8]),
    ("f(0) >= 2 f(1) and f(1) >= 2 f(2) and f(2) >= 2 f(3) implies f(0) >= 9 f(3)", [4, 5]),
]


@each(("text", "sites"), [(text, n) for text, lengths in TRUE for n in lengths])
def test_true_statements_are_proved(text, sites):
    answer = decide(parsed(text, sites))
    assert isinstance(answer, Proof)
    assert answer.check()
    if not answer.statement.assumptions:
        for certificate in answer.certificates:
            values = [step_value(certificate.conclusion.slack, r) for r in range(1, sites + 1)]
            expected = [(v, Fall(r)) for r, v in enumerate(values) if v]
            assert list(certificate.terms) == expected


@each(("text", "sites"), [(text, n) for text, lengths in FALSE for n in lengths])
def test_false_statements_are_refuted_by_codes(text, sites):
    answer = decide(parsed(text, sites))
    assert isinstance(answer, Refutation)
    assert not answer
    assert answer.check()
    assert answer.distribution.exact
    assert float(answer.slack) < 0


@each(
    ("text", "sites"),
    [
        ("TC <= (n-2) DTC", 4),
        ("DTC <= (n-2) TC", 5),
        ("2 f(1) <= f(0) implies 3 f(1) <= f(0)", 3),
        ("f(1) <= 1/2 f(0) + 1/2 f(2)", 4),
        ("TC = DTC implies TC <= 49 n/100 f(0)", 3),
    ],
)
def test_the_slack_of_a_refutation_is_that_of_its_words(text, sites):
    """From the table alone: entropies of all sets, their means, differences, and the sum."""
    answer = decide(parsed(text, sites))
    assert isinstance(answer, Refutation)
    table = JointTable(answer.distribution.table(), exact=True)
    joint = {x: p for x, p in np.ndenumerate(table.table()) if p}
    assert len(set(joint.values())) == 1
    profile = oracles.profile(joint, exact=True)

    def value(form):
        return sum((c * profile[j] for j, c in form.items()), sympy.Integer(0))

    assert sympy.simplify(value(answer.conclusion.slack) - sympy.sympify(answer.slack)) == 0
    assert answer.slack < 0
    for assumption in answer.statement.assumptions:
        found = sympy.simplify(value(assumption.form))
        assert found == 0 if assumption.equal else found >= 0


def test_drawn_statements_are_decided_by_their_steps():
    rng, kinds = random.Random(0), set()
    for _ in range(300):
        sites = rng.randint(1, 7)
        form = drawn_form(rng, sites)
        form[0] = form.get(0, Fraction(0)) + rng.choice([0, 3, 6])
        answer = decide(stated(form, sites))
        values = [step_value(form, r) for r in range(1, sites + 1)]
        assert bool(answer) == (min(values) >= 0)
        assert answer.check()
        kinds.add(type(answer))
        if isinstance(answer, Refutation):
            code = answer.distribution
            assert isinstance(code, ReedSolomon)
            assert answer.slack == values[code.dimension - 1] * logarithm(Fraction(code.vocab))
            least = min(smallest_field(sites, r) for r, v in enumerate(values, 1) if v < 0)
            assert code.vocab == least
    assert kinds == {Proof, Refutation}


def test_drawn_statements_with_assumptions_are_decided():
    """A proof is checked in Fractions, and a refutation in logarithms: no more is needed."""
    rng, kinds, several = random.Random(1), [], 0
    for _ in range(80):
        sites = rng.randint(2, 6)
        given = [(drawn_form(rng, sites, 2), rng.random() < 0.5) for _ in range(rng.randint(1, 3))]
        answer = decide(stated(drawn_form(rng, sites), sites, *given))
        assert answer.check()
        kinds.append(bool(answer))
        several += not answer and isinstance(answer.distribution, SideBySide)
    assert 15 < sum(kinds) < 65
    assert several > 5


SMALL = [case for case in CASES if case.exact and 2 <= case.length <= 4 and case.vocab <= 3][:14]


@each("case", SMALL, ids=lambda case: case.name)
def test_what_is_proved_holds_on_distributions(case):
    p = build_exact(case)
    proved = 0
    for text, _ in TRUE:
        if "f(2)" in text and p.length < 3:
            continue
        if ("e(3)" in text or "f(3)" in text) and p.length < 4:
            continue
        statement = parsed(text, p.length)
        if statement.assumptions:
            continue
        answer = decide(statement)
        assert answer
        proved += 1
        for conclusion in answer.statement.conclusions:
            assert value_at(conclusion.slack, p, "profile") >= 0
    assert proved >= 4


def test_drawn_tables_obey_what_is_proved():
    """Nonnegative combinations of falls hold on every table of random small integers."""
    rng = random.Random(2)
    for _ in range(20):
        sites = rng.randint(2, 4)
        falls = [Fraction(rng.randint(0, 3)) for _ in range(sites)]
        form = {j: falls[j] - (falls[j - 1] if j else 0) for j in range(sites)}
        answer = decide(stated(form, sites))
        assert isinstance(answer, Proof)
        assert answer.check()
        weights = np.array([rng.choice([0, 0, 1, 2, 5]) for _ in range(2**sites)])
        weights[0] += 1
        p = JointTable(weights.reshape((2,) * sites), exact=True)
        assert value_at(form, p, "profile") >= 0


def test_sixty_four_sites():
    proof = decide(parsed("TC <= (n-1) DTC", 64))
    assert isinstance(proof, Proof)
    assert proof.check()
    found = decide(parsed("TC <= (n-2) DTC", 64))
    assert isinstance(found, Refutation)
    assert found.distribution.vocab == 2
    assert found.check()
    middle = decide(parsed("f(31) <= 1/2 f(15) + 1/2 f(47)", 64))
    assert isinstance(middle, Refutation)
    code = middle.distribution
    assert isinstance(code, ReedSolomon)
    assert (code.vocab, code.length) == (64, 64)
    assert 32 <= code.dimension < 48
    assert middle.check()
    given = decide(parsed("TC = DTC and f(20) <= 1/3 f(10) implies f(5) <= 1/2 f(0)", 64))
    assert given.check()


def test_a_certificate_of_another_statement_does_not_add_up():
    answer = decide(parsed("TC <= (n-1) DTC", 5))
    assert isinstance(answer, Proof)
    (certificate,) = answer.certificates
    more = dataclasses.replace(certificate, terms=certificate.terms[1:])
    assert not dataclasses.replace(answer, certificates=(more,)).check()
    wrong = decide(parsed("TC <= (n-2) DTC", 5))
    assert isinstance(wrong, Refutation)
    assert not dataclasses.replace(wrong, slack=2 * wrong.slack).check()
    other = ReedSolomon(5, 4, 2, exact=True)
    assert not dataclasses.replace(wrong, distribution=other).check()


def test_statements_in_sets_are_refused():
    with pytest.raises(Exception, match="in the profile"):
        decide(parse("TC <= DTC", 3))


# Steps and their codes


@each("sites", range(1, 7))
def test_values_on_steps_are_those_of_the_codes(sites):
    rng = random.Random(sites)
    form = drawn_form(rng, sites)
    for r, value in enumerate(on_steps(form, sites), 1):
        p = ReedSolomon(sites, r, smallest_field(sites, r), exact=True)
        assert value_at(form, p, "profile") == value * logarithm(Fraction(p.vocab))
        assert value == step_value(form, r)


@each(
    ("weights", "sites", "vocab"),
    [
        ({2: Fraction(3)}, 4, 3),
        ({1: Fraction(1), 3: Fraction(1)}, 4, 4),
        ({1: Fraction(1), 2: Fraction(1)}, 4, 9),
        ({1: Fraction(1, 2), 2: Fraction(1, 3)}, 3, 2**5),
        ({2: Fraction(1), 3: Fraction(1)}, 6, 25),
        ({2: Fraction(2), 4: Fraction(1)}, 9, 8**3),
    ],
)
def test_codes_side_by_side_have_the_sum_of_the_steps(weights, sites, vocab):
    p, multiple = codes_of(weights, sites)
    assert p.vocab == vocab
    profile = information.profile(p)
    for j in range(sites):
        assert profile[j] == multiple * sum(w for r, w in weights.items() if j < r)


def test_too_many_codes_are_refused():
    with pytest.raises(TooLarge, match="side by side"):
        codes_of({1: Fraction(1), 2: Fraction(50_000)}, 4)
    with pytest.raises(TooLarge, match=r"1000000000001 .* side by side"):
        codes_of({1: Fraction(1), 3: Fraction(10**12)}, 4)
    with pytest.raises(TooLarge, match="GF"):
        codes_of({3: Fraction(1)}, 2000)


# Side by side


def side_by_side_joint(first, second, vocab):
    return {
        tuple(a * vocab + b for a, b in zip(x, y, strict=True)): p * q
        for x, p in first.items()
        for y, q in second.items()
    }


@each("exact", [False, True])
def test_independent_distributions_side_by_side(exact):
    tables = [[[1, 2], [0, 3]], [[1, 0, 2], [0, 1, 1], [0, 0, 4]]]
    p = SideBySide([JointTable(t, exact=exact) for t in tables])
    first, second = map(oracles.table_joint, tables)
    joint = side_by_side_joint(first, second, 3)
    assert (p.length, p.vocab, p.exact) == (2, 6, exact)
    table = p.table()
    for x in oracles.all_sequences(2, 6):
        expected = joint.get(x, Fraction(0))
        assert table[x] == expected if exact else table[x] == pytest.approx(float(expected))
    for x in oracles.all_patterns(2, 6):
        evidence = oracles.evidence(joint, x)
        assert float(p.evidence(x)) == pytest.approx(float(evidence), rel=1e-12)
        logarithm = float(p.log_evidence(x))
        assert logarithm == pytest.approx(oracles.log(evidence), rel=1e-12, abs=1e-12)
        if evidence:
            expected = oracles.conditional_marginals(joint, x, 6)
            found = p.denoise(x)
            assert (
                found.tolist() == expected
                if exact
                else found == pytest.approx(np.array(expected, dtype=float))
            )
    for sites in [(0,), (1,), (0, 1)]:
        found = information.entropy(p, sites)
        assert float(found) == pytest.approx(float(oracles.entropy(oracles.marginal(joint, sites))))
        given = information.entropy(p, [1], [4, -1])
        expected = oracles.conditional_marginals(joint, (4, -1), 6)[1]
        assert float(given) == pytest.approx(float(oracles.entropy_of(expected)))
    drawn = p.sample(np.random.default_rng(0), 4000)
    assert drawn.dtype == np.int64
    counts = np.zeros((6, 6))
    np.add.at(counts, tuple(drawn.T), 1)
    np.testing.assert_allclose(counts / 4000, table.astype(float), atol=0.04)


test_what_cannot_stand_side_by_side_is_refused = refusals(
    ("one length", lambda: SideBySide([JointTable([1, 1]), JointTable([[1, 0], [0, 1]])])),
    ("one length", lambda: SideBySide([])),
    ("exact", lambda: SideBySide([JointTable([1, 1]), JointTable([1, 1], exact=True)])),
    ("Distribution", SideBySide, [[row(1, 1)]]),
)


def test_too_many_tokens_side_by_side_are_not_drawn():
    p = SideBySide([ReedSolomon(4, 1, 1024)] * 7)
    with pytest.raises(TooLarge, match="tokens of 70 bits"):
        p.sample(np.random.default_rng(0), 1)
