"""What context on both sides is worth, from the joint alone."""

import functools

import pytest

from tests import oracles
from tests.cases import EXACT_CASES, build_exact, each_case, each_of
from theory import InvalidInput, gallery, information

SMALL = [case for case in EXACT_CASES if case.length <= 3 and case.name != "chain dense"]


def given(joint, sites, known, exact=False):
    """H(X_S | X_K) from the definition: a mean over what is known."""
    terms = []
    for values, chance in oracles.marginal(joint, known).items():
        if chance == 0:
            continue
        pattern = [oracles.MASK] * oracles.length_of(joint)
        for i, v in zip(known, values, strict=True):
            pattern[i] = v
        rest = oracles.marginal(oracles.condition(joint, tuple(pattern)), sites)
        terms += [-chance * oracles.times_log(q, q, exact) for q in rest.values()]
    return oracles.total(terms, exact)


@each_case
def test_against_conditional_entropies(case):
    p = case.build()
    entropy = functools.cache(lambda sites, known: given(case.joint, sites, known))
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
    expected = given(case.joint, [0], [], exact=True) - given(case.joint, [0], rest, exact=True)
    assert oracles.total([found.price, -expected], exact=True) == 0


def test_some_sites_only_in_bits():
    """Two pairs of equal bits: only the partner matters."""
    p = gallery.coupled_pairs(2, exact=True)
    tells = information.information_from_right
    assert tells(p, 0, right=[1], base=2) == 1
    assert tells(p, 0, right=[2, 3], base=2) == 0
    assert tells(p, 1, left=[], right=[2], base=2) == 0


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda p: information.infilling(p, []), "at least one site"),
        (lambda p: information.infilling(p, [3]), r"gap must lie in 0\.\.2, got 3"),
        (lambda p: information.infilling(p.table(), [0]), "Distribution"),
        (lambda p: information.information_from_right(p, 1, left=[1]), "sites before 1, got 1"),
        (lambda p: information.information_from_right(p, 1, right=[0]), "sites after 1, got 0"),
        (lambda p: information.information_from_right(p, 4), r"site must lie in 0\.\.2, got 4"),
        (lambda p: information.infilling(p, [0], base=1), "base"),
    ],
)
def test_refusals(ask, match):
    with pytest.raises(InvalidInput, match=match):
        ask(gallery.parity(3))
