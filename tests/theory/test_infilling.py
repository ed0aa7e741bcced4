"""Infilling, and what the right context adds, from the joint alone."""

import functools

from tests import oracles
from tests.cases import NO_DISTRIBUTION, built, each_either
from tests.noted import refusals
from tests.theory.information_oracle import agree
from theory import gallery, information


@each_either
def test_against_conditional_entropies(case, exact):
    p = built(case, exact)
    entropy = functools.cache(
        lambda sites, known: oracles.conditional_entropy(case.joint, sites, known, exact)
    )
    for i in range(case.length):
        left, right = tuple(range(i)), tuple(range(i + 1, case.length))
        expected = entropy((i,), left) - entropy((i,), left + right)
        agree(information.information_from_right(p, i), expected, exact)
    for gap in ([0], list(range(case.length)), [case.length - 1], list(range(0, case.length, 2))):
        rest = tuple(i for i in range(case.length) if i not in gap)
        both = entropy(tuple(gap), rest)
        early = sum(entropy((i,), tuple(range(i))) for i in gap)
        found = information.infilling(p, gap)
        agree(found.both_sides, both / len(gap), exact)
        agree(found.left_only, early / len(gap), exact)
        agree(found.price, early - both, exact)


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
