"""Proofs for every length, beside the numbers at all small lengths."""

import itertools
from fractions import Fraction

import pytest
import sympy

from theory import bounds, claims, information, schedules
from theory.claims import Level
from theory.claims.kit.every_length import StepSlack, batches, equal, never_negative, steps
from theory.proofs.signs import Negative, Nonnegative

PROOFS = [
    (claim.id, check)
    for claim in claims.registry.values()
    for check in claim.checks
    if check.level is Level.PROVED and check.scope == "every length"
]


def points(sign, most):
    """All points of small numbers at which the forms of the region are not negative."""
    inside = sympy.lambdify(sign.symbols, sign.region, "math")
    for point in itertools.product(range(most + 1), repeat=len(sign.symbols)):
        if all(form >= 0 for form in inside(*point)):
            yield [Fraction(value) for value in point]


@pytest.mark.parametrize(("key", "check"), PROOFS, ids=[f"{k}: {c.name}" for k, c in PROOFS])
def test_no_slack_is_negative_at_any_small_point(key, check):
    looked_at = 0
    for answer in check.residual():
        if not isinstance(answer, StepSlack):
            continue
        sign = answer.sign
        assert isinstance(sign, Nonnegative)
        value = sympy.lambdify(sign.symbols, sign.expression, "math")
        for point in points(sign, 4 if len(sign.symbols) > 5 else 5):
            assert value(*point) >= 0, (answer.text, point)
            looked_at += 1
    assert looked_at > 20 or key == "I3"  # whose answers are of another kind


def test_the_planted_violations_fail_at_the_point_that_they_name():
    for _, check in PROOFS:
        refuted = [a for a in check.residual(**check.planted) if not a]
        assert refuted
        for answer in refuted:
            if isinstance(answer, StepSlack):
                sign = answer.sign
                assert isinstance(sign, Negative)
                assert sign.expression.subs(sign.point) == sign.value < 0


@pytest.mark.parametrize("length", [2, 5, 7])
def test_bounds_on_steps_are_those_of_the_formulas(length):
    """The bounds as functions of a step, written out, for every schedule of so many sites."""
    for r in range(1, length):
        step = [1.0 * (j < r) for j in range(length)]
        for sizes in schedules.every(length):
            ends = list(itertools.accumulate(sizes))
            end = next(b for b in ends if b >= r)
            start = end - sizes[ends.index(end)]
            cost = end - r
            assert information.path_cost(step, sizes) == pytest.approx(cost, abs=1e-12)
            assert bounds.largest_batch(step, sizes).bound == pytest.approx(max(sizes) - 1)
            inside = start < r < end
            assert bounds.drops(step, sizes).bound == pytest.approx((end - start - 1) * inside)
            assert bounds.least_drops(step, sizes).bound == pytest.approx(1.0 * inside)
            share = (end - start - 1) * r * (length - r) / ((start + 1) * (length - start - 1) or 1)
            grown = bounds.cardinality_growth(step, sizes).bound
            assert grown >= share * inside - 1e-12


def test_an_equality_is_one_in_both_directions():
    (r, n), region = steps()
    assert equal("the same", (n - r) * r, n * r - r**2, region).check()
    for left, right in ((r, n), (n, r)):
        answer = equal("not the same", left, right, region)
        assert not answer
        assert not answer.check()
        assert "negative" in str(answer)


def test_what_is_proved_says_why():
    (a, r, _, _), region = batches()
    shown = never_negative("b - r <= b - a - 1", r - a - 1, region)
    assert shown.check()
    assert str(shown).startswith("slack of b - r <= b - a - 1:  -a + r - 1 = y1 with ")
