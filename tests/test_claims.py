"""Every claim of the registry: its checks pass, its planted violations are rejected."""

import math

import pytest

from theory import JointTable, claims, gallery
from theory.claims import Claim, Level

CHECKS = [
    pytest.param(claim, check, id=f"{claim.id}-{k}-{check.level}")
    for claim in claims.registry.values()
    for k, check in enumerate(claim.checks)
]
CLAIMS = [pytest.param(claim, id=claim.id) for claim in claims.registry.values()]


@pytest.mark.parametrize(("claim", "check"), CHECKS)
def test_the_check_passes(claim, check):
    result = claim.run(check, examples=10)
    assert result.passed, result.counterexample
    assert result.instances >= 1
    assert bool(result.certificate) is (check.level is Level.PROVED)
    if check.level in (Level.PROVED, Level.EXACT, Level.SYMBOLIC):
        assert result.worst == 0.0
    else:
        assert result.worst <= check.tolerance
    assert not result.tightest > 1  # nan where it is not measured


@pytest.mark.parametrize(("claim", "check"), CHECKS)
def test_the_check_rejects_its_planted_violation(claim, check):
    result = claim.run(check, examples=200, planted=True)
    assert not result.passed
    assert result.counterexample


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_claim_says_where_it_comes_from(claim: Claim):
    for text in (claim.title, claim.statement, claim.latex, claim.source):
        assert text.strip()
        assert text.isprintable()  # a backslash sequence that became a tab or a form feed is not
    assert claim.statement.endswith(".")
    assert claims.registry[claim.id] is claim


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("exact", [True, False])
def test_the_claim_can_be_checked_on_a_distribution_of_ones_own(claim: Claim, exact):
    """Parity has zeros, so impossible contexts occur on the way."""
    result = claim.check(gallery.parity(3, exact=exact), examples=5)
    assert result.passed, result.counterexample
    assert result.level == (Level.EXACT if exact else Level.PROPERTY)
    assert (result.worst == 0.0) if exact else (result.worst <= result.tolerance)


@pytest.mark.parametrize(
    ("key", "p", "parts", "ratio"),
    [
        ("B8", gallery.coupled_pairs(1, exact=True), {}, 1),  # valid 1/2 = exp(-TC)
        ("B8", gallery.coupled_pairs(1), {}, 1),
        ("B8", JointTable([[1, 2], [2, 4]], exact=True), {}, math.nan),  # independent
        ("B2", gallery.parity(3, exact=True), {"sizes": (1, 2)}, 1),  # all paths write the same
        ("B2", gallery.parity(3, exact=True), {"sizes": (3,)}, math.nan),  # one path
        ("B2", gallery.parity(3, exact=True), {"sizes": (1, 1, 1)}, math.nan),  # 0 <= 0
        ("C4", gallery.coupled_pairs(1), {"gamma": 0.7}, math.log(2) / 0.7),
        ("C3", JointTable([[2, 0], [0, 1]], exact=True), {}, 1),  # KL = H_b(1/3), e = 1/3
        ("C3", JointTable([[3, 0], [0, 2]], exact=True), {}, math.nan),  # not confident enough
    ],
)
def test_what_is_known_to_be_tight_is_measured_so(key, p, parts, ratio):
    result = claims.registry[key].check(p, examples=3, **parts)
    assert result.passed
    assert result.tightest == pytest.approx(ratio, rel=1e-12, nan_ok=True)


def test_the_gap_of_a_repeated_bit_is_four_fifths_of_its_bound():
    """TC = 4 bits and DTC = 1 bit for five copies, and one step has the gap TC."""
    claim = claims.registry["A2"]
    result = claim.run(claim.checks[-1])
    assert result.tightest == pytest.approx(0.8, rel=1e-12)
    assert result.tightest_at == "repeated_bit(5)"


def test_the_spine_is_there():
    assert {"A1", "A2", "A3", "A4", "A5", "A6", "B1", "B2"} <= set(claims.registry)
