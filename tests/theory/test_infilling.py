"""Infilling, and what the right context adds, from the joint alone."""

import functools

import pytest

from tests import oracles
from tests.cases import EXACT_CASES, NO_DISTRIBUTION, build_exact, each_case, each_of
from tests.noted import refusals
from theory import gallery, information

SMALL = [case for case in EXACT_CASES if case.length <= 3 and case.name != "chain dense"]


@each_case
def test_against_conditional_entropies(case):
    p = case.build()
    entropy = functools.cache(
        lambda sites, known: oracles.conditional_entropy(case.joint, sites, known)
    )
    for i in range(case.length):
        left, right = tuple(range(i)), tuple(range(i + 1, case.length))
        expected = entropy((i,), left) - entropy((i,), left + right)
        assert float(information.information_from_right(p, i)) == pytest.approx(
            float(expected), abs=1e-12
        )
    for gap in ([0], list(range(case.length)), [case.length - 1], list(range(0, case.length, 2))):
        rest = tuple(i for i in range(case.length) if i not in gap)
        both = float(entropy(tuple(gap), rest))
        early = float(sum(entropy((i,), tuple(range(i))) for i in gap))
        found = information.infilling(p, gap)
        assert float(found.both_sides) == pytest.approx(both / len(gap), abs=1e-12)
        assert float(found.left_only) == pytest.approx(early / len(gap), abs=1e-12)
        assert float(found.price) == pytest.approx(early - both, abs=1e-12)


@each_of(SMALL)
def test_exactly(case):
    found = information.infilling(build_exact(case), [0])
    rest = list(range(1, case.length))
    expected = oracles.entropy(case.joint, [0], exact=True) - oracles.conditional_entropy(
        case.joint, [0], rest, exact=True
    )
    assert oracles.total([found.price, -expected], exact=True) == 0


def test_some_sites_only_in_bits():
    """Two pairs of equal bits: only the partner matters."""
    p = gallery.coupled_pairs(2, exact=True)
    tells = information.information_from_right
    assert tells(p, 0, right=[1], base=2) == 1
    assert tells(p, 0, right=[2, 3], base=2) == 0
    assert tells(p, 1, left=[], right=[2], base=2) == 0


P = gallery.parity(3)

test_what_is_refused = refusals(
    ("at least one site", lambda: information.infilling(P, [])),
    (r"gap must lie in 0\.\.2, got 3", lambda: information.infilling(P, [3])),
    ("base", lambda: information.infilling(P, [0], base=1)),
    ("Distribution", lambda p: information.infilling(p, [0]), NO_DISTRIBUTION),
    ("sites before 1, got 1", lambda: information.information_from_right(P, 1, left=[1])),
    ("sites after 1, got 0", lambda: information.information_from_right(P, 1, right=[0])),
    (r"site must lie in 0\.\.2, got 4", lambda: information.information_from_right(P, 4)),
)
