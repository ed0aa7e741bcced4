"""The chains of the gallery against what they say of their sequences, by enumeration."""

import itertools
from fractions import Fraction

import pytest
import sympy

from tests.noted import refusals
from theory import gallery


def chances(p):
    """The probability of every sequence that has one."""
    table = p.table()
    return {
        x: table[x] for x in itertools.product(range(p.vocab), repeat=p.length) if table[x] != 0
    }


@pytest.mark.parametrize(("period", "choices"), [(1, 1), (2, 1), (3, 1), (2, 2), (1, 3)])
def test_periodic_sequences_go_through_the_phases_in_turn(period, choices):
    length = 4
    p = gallery.periodic(length, period, choices, exact=True)
    assert p.vocab == period * choices

    def in_turn(x):
        return all(b // choices == (a // choices + 1) % period for a, b in itertools.pairwise(x))

    allowed = {x for x in itertools.product(range(p.vocab), repeat=length) if in_turn(x)}
    assert chances(p) == dict.fromkeys(allowed, Fraction(1, period * choices**length))
    floats = gallery.periodic(length, period, choices).table()
    assert floats == pytest.approx(p.table().astype(float), rel=1e-14, abs=0)


@pytest.mark.parametrize("words", [1, 2, 3])
def test_a_text_of_fair_words_ends_after_each_with_the_same_chance(words):
    end, length = Fraction(1, 3), 4
    p = gallery.end_of_text(length, end, words, exact=True)
    expected = {}
    for lasting in range(1, length + 1):  # it ends then, or not yet
        stops = end if lasting < length else 1
        chance = (1 - end) ** (lasting - 1) * stops / Fraction(words) ** lasting
        for written in itertools.product(range(words), repeat=lasting):
            expected[(*written, *[words] * (length - lasting))] = chance
    assert chances(p) == expected


def test_two_classes_are_two_symmetric_chains():
    flip, length = Fraction(1, 5), 4
    p = gallery.two_classes(length, flip, exact=True)
    bits = chances(gallery.binary_symmetric(length, flip, exact=True))
    expected = {tuple(v + 2 * c for v in x): q / 2 for x, q in bits.items() for c in (0, 1)}
    assert chances(p) == expected


def test_sites_of_a_template_are_independent():
    p = gallery.template(4, period=3, noise=0.25)
    for x, chance in chances(p).items():
        right = sum(v == i % 3 for i, v in enumerate(x))
        assert chance == pytest.approx(0.75**right * 0.125 ** (4 - right), rel=1e-12)


@pytest.mark.parametrize("visible", [0.0, 0.5, 1.0])
def test_hidden_phases_alternate(visible):
    p = gallery.hidden_periodic(3, visible)
    right, wrong = (1 + visible) / 2, (1 - visible) / 2
    table = p.table()
    for x in itertools.product(range(2), repeat=3):
        expected = 0.0
        for phase in (0, 1):
            hits = sum(v == (phase + i) % 2 for i, v in enumerate(x))
            expected += 0.5 * right**hits * wrong ** (3 - hits)
        assert table[x] == pytest.approx(expected, abs=1e-15)


def test_symbols_for_what_is_left_open():
    e = sympy.Symbol("e", positive=True)
    p = gallery.end_of_text(3, e, words=1, exact=True)
    assert sympy.simplify(p.denoise([0, -1, -1])[2, 0] - (1 - e) ** 2) == 0
    p = gallery.two_classes(2, e, exact=True)
    assert sympy.simplify(p.denoise([2, -1])[1, 3] - e) == 0


test_what_is_refused = refusals(
    ("period must be an integer of at least 1, got 0", lambda: gallery.periodic(3, 0)),
    ("end must be a finite number between 0 and 1", lambda: gallery.end_of_text(3, 1.5)),
    ("flip must be a finite number between 0 and 1", lambda: gallery.two_classes(3, -0.1)),
    ("must not be negative", lambda: gallery.two_classes(3, Fraction(3, 2), exact=True)),
    ("period must be an integer of at least 2, got 1", lambda: gallery.template(3, 1)),
    ("length must be an integer of at least 1, got 0", lambda: gallery.template(0)),
    ("visible must be a finite number between 0 and 1", lambda: gallery.hidden_periodic(3, 2)),
)
