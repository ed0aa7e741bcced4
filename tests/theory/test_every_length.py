"""Statements at every length, against single lengths, each decided by its own codes."""

import dataclasses
import random

import pytest
import sympy

from tests.noted import each, refusals
from theory import InvalidInput, ReedSolomon
from theory.proofs import Proof, Refutation, prove
from theory.proofs.every_length import (
    ProofForEveryLength,
    UnknownForEveryLength,
    first_length,
    ranges_of,
    symbols,
)
from theory.proofs.profiles import decide, decide_every_length
from theory.proofs.syntax import syntax_tree
from theory.proofs.text import parse

n, r = symbols()


def decided(text):
    return decide_every_length(syntax_tree(text))


def shown(text):
    """The proof, after its check."""
    answer = decided(text)
    assert isinstance(answer, ProofForEveryLength)
    assert answer
    assert answer.check()
    return answer


def at_lengths(text, lengths):
    """{n: proved?} by codes of that length, where the statement is defined."""
    answers = {}
    for length in lengths:
        try:
            statement = parse(text, length, profile=True)
        except InvalidInput:
            continue
        answers[length] = bool(decide(statement))
    return answers


TRUE = [
    "TC <= (n-1) DTC",
    "DTC <= (n-1) TC",
    "TC + DTC = n f(0) - n f(n-1)",
    "H = e(n)",
    "0 <= TC <= n e(1) <= n f(0)",
    "n e(n-1) >= (n-1) H",
    "e(n-1)/(n-1) <= e(n-2)/(n-2)",
    "f(3) <= f(2)",
    "f(n-1) <= f(n-4)",
    "e(3)/3 >= e(5)/5",
    "2 e(4) >= e(3) + e(5)",
    "e(2) + e(n-2) >= H",
    "(n-3)(n-4) f(1) >= 0",
    "1/(n-5) TC >= f(0) - f(n-1) - n*n f(0) and TC >= 0",
    "(n*n - n)/(n+1) DTC + TC >= (n-1)(n-1)/n * (f(0) - f(n-1))",
    "f(0) >= f(1) implies f(1) >= f(2)",
]
FALSE = [
    "TC <= DTC",
    "TC <= 5 DTC",
    "TC <= (n-2) DTC",
    "DTC <= (n-2) TC",
    "2 e(n-1) >= 3/2 H",
    "e(2) + e(n-2) >= H + 1/100 f(0) - 1/100 f(1)",
    "(n-10)(n-12) f(0) >= 0",
    "(40-n) f(2) >= 0",
    "f(2) <= 1/(n-2) e(n-2)",
    "TC >= (n-3)(1/2) f(0)",
    "e(3)/3 <= e(5)/5",
    "TC = DTC implies TC <= 49 n/100 f(0)",
]


@each("text", TRUE)
def test_what_is_proved_for_every_length_is_proved_at_each(text):
    answer = shown(text)
    single = at_lengths(text, range(1, 12))
    assert len(single) >= 6
    assert all(single.values())
    below = {proof.statement.sites for proof in answer.few}
    assert below == {length for length in single if length < answer.start}


@each("text", FALSE)
def test_what_fails_is_refuted_at_its_least_length(text):
    answer = decided(text)
    assert isinstance(answer, Refutation)
    assert answer.check()
    length = answer.statement.sites
    assert answer.distribution.length == length
    single = at_lengths(text, range(1, length + 1))
    assert single[length] is False
    assert all(single[shorter] for shorter in single if shorter < length)


@each("text", [text for text in TRUE if "implies" not in text])
def test_formulas_are_the_slack_of_every_code(text):
    """By value: sums over the falls below r, at lengths above the first one."""
    for relation in syntax_tree(text).conclusions:
        for part in relation.inequalities:
            start, ranges = first_length(part), ranges_of(part)
            for length in range(start, start + 4):
                (conclusion,) = parse(part.text, length, profile=True).conclusions
                for steps in ranges:
                    first, last = (int(end.subs(n, length)) for end in (steps.first, steps.last))
                    assert first <= last
                    for step in range(first, last + 1):
                        found = steps.slack.subs({n: length, r: step})
                        slack = sum(c for j, c in conclusion.slack.items() if j < step)
                        assert found == sympy.Rational(slack)


def drawn_text(rng):
    def coefficient():
        return rng.choice(["1", "2", "n", "(n-1)", "(n-2)", "3/2", "1/n", "(n*n-3*n+1)"])

    def atom():
        k = rng.randint(0, 3)
        return rng.choice(
            ["TC", "DTC", "H", f"e({k})", f"f({k})", f"e(n-{k})", f"f(n-{k + 1})", "f(0)"]
        )

    sides = [
        " + ".join(f"{coefficient()} * {atom()}" for _ in range(rng.randint(1, 2))) for _ in "ab"
    ]
    return f"{sides[0]} <= {rng.choice(['', 'n * '])}{coefficient()} * f(0) + {sides[1]}"


def test_drawn_statements_are_decided_as_at_single_lengths():
    rng, kinds = random.Random(0), []
    for _ in range(24):
        text = drawn_text(rng)
        answer = decided(text)
        single = at_lengths(text, range(1, 10))
        assert isinstance(answer, (ProofForEveryLength, Refutation))
        assert answer.check()
        if answer:
            assert all(single.values())
        elif isinstance(answer, Refutation) and answer.statement.sites < 10:
            failing = [length for length, holds in single.items() if not holds]
            assert failing[0] == answer.statement.sites
        kinds.append(bool(answer))
    assert 4 < sum(kinds) < 20


def test_a_certificate_can_be_read():
    answer = shown("TC <= (n-1) DTC")
    assert str(answer).splitlines() == [
        "proved",
        "for every n >= 2, and n = 1 by itself",
        "slack of TC <= (n-1) DTC:  sum_{r=1..n - 1} n*(r - 1) (f(r - 1) - f(r))",
    ]
    assert answer.latex == (r"\sum_{r=1}^{n - 1} n \left(r - 1\right) (f(r - 1) - f(r))")
    assert str(decided("DTC <= (n-1) TC")).endswith("n*(n - r - 1) (f(r - 1) - f(r))")
    assert str(decided("f(3) <= f(2)")).endswith(":  (f(2) - f(3))")
    assert str(decided("TC = TC")).endswith(":  0")
    assert str(decided("H >= 0")).endswith("sum_{r=1..n} r (f(r - 1) - f(r))")
    assert str(decided("n f(n-1) <= H")).endswith("sum_{r=1..n - 1} r (f(r - 1) - f(r))")
    assert "f(n - 1)" in str(decided("e(n-1) <= H"))


def test_a_certificate_can_fail():
    answer = shown("TC <= (n-1) DTC")
    (certificate,) = answer.certificates
    first, last = certificate.ranges

    def with_ranges(*ranges):
        return dataclasses.replace(certificate, ranges=ranges)

    assert certificate.check()
    assert not with_ranges(first).check()
    assert not with_ranges(last, first).check()
    doubled = dataclasses.replace(first, slack=2 * first.slack)
    assert not with_ranges(doubled, last).check()
    unsigned = dataclasses.replace(first, signs=())
    assert not with_ranges(unsigned, last).check()
    other = shown("DTC <= (n-1) TC").certificates[0].ranges[0]
    assert not with_ranges(other, last).check()
    bent = dataclasses.replace(first, slack=first.slack + (r - 1) * (r - n + 1) * (n - 2) * (n - 3))
    assert not with_ranges(bent, last).check()
    earlier = dataclasses.replace(certificate, start=1)
    assert not earlier.check()
    assert not dataclasses.replace(answer, few=()).check()
    assert not dataclasses.replace(answer, certificates=()).check()
    of_another = dataclasses.replace(answer, tree=syntax_tree("TC <= (n-2) DTC"))
    assert not of_another.check()
    of_another = dataclasses.replace(answer.tree, text="TC <= 5 DTC")
    few = tuple(decide(parse(of_another.text, p.statement.sites, profile=True)) for p in answer.few)
    assert not dataclasses.replace(answer, tree=of_another, few=few).check()


def test_what_needs_its_assumptions_stays_unknown():
    answer = decided("TC = DTC implies TC <= n/2 f(0)")
    assert isinstance(answer, UnknownForEveryLength)
    assert not answer
    assert "without its assumptions" in str(answer)
    far = decided("TC <= 1000000 DTC")
    assert isinstance(far, UnknownForEveryLength)
    assert "1000002" in str(far)
    late = decided("(n-700)(n-700) f(0) >= 0")
    assert "not decided" in str(late)


def test_codes_of_two_tokens_refute_at_large_lengths():
    answer = decided("TC <= 1000 DTC")
    assert isinstance(answer, Refutation)
    p = answer.distribution
    assert isinstance(p, ReedSolomon)
    assert (p.length, p.dimension, p.vocab) == (1002, 1, 2)


def test_prove_reads_a_text_without_a_number_of_sites():
    proof = prove("TC <= (n-1) DTC", profile=True)
    assert isinstance(proof, ProofForEveryLength)
    assert proof.check()
    assert not prove("TC <= DTC", profile=True)
    assert isinstance(prove("TC <= (n-1) DTC", sites=5, profile=True), Proof)


test_what_has_no_meaning_at_every_length_is_refused = refusals(
    ("whole number k or n - k", lambda: decided("f(n) >= 0")),
    ("whole number k or n - k", lambda: decided("e(n/2) >= 0")),
    ("whole number k or n - k", lambda: decided("e(2 n) >= 0")),
    ("whole number k or n - k", lambda: decided("e(-1) >= 0")),
    ("number by itself", lambda: decided("TC + 1 >= 0")),
    ("single sites", lambda: decided("TC(0,1) >= 0")),
    ("single sites", lambda: decided("I(0;1) >= 0")),
)


def test_lengths_at_which_it_is_not_defined_are_left_out():
    answer = shown("1/(n-3) f(n-2) + n f(0) >= 0")
    assert answer.start == 4
    assert [proof.statement.sites for proof in answer.few] == [2]
    with pytest.raises(InvalidInput, match="division by 0"):
        parse("1/(n-3) f(n-2) + n f(0) >= 0", 3, profile=True)
