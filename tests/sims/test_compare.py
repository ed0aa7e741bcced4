"""Comparisons: every row against `output_distribution`, `regret` and `frontier`."""

import inspect
import math
from importlib import import_module

import numpy as np
import pytest

from sims import Perturbed, frontier, output_distribution, policies, regret
from sims.comparison.call_parser import call
from sims.comparison.compare import KINDS, compare, kind_of, usual_decoders
from sims.comparison.report import print_comparison
from sims.optimal.frontier import cost_of
from tests.cases import random_weights
from tests.noted import each
from tests.sims.test_declared import EVERY, expected
from theory import MASK, InvalidInput, JointTable, gallery, schedules

COMPARED = {
    "2 x 2": JointTable([[1, 2], [3, 4]]),
    "2 x 2 x 2, exact": JointTable([[[0, 1], [2, 3]], [[4, 5], [6, 7]]], exact=True),
    "one site": JointTable([1, 2, 3]),
    "one token": JointTable(np.ones((1, 1, 1))),
    "one cell": JointTable([1.0]),
    "random": JointTable(random_weights(5, (3, 3, 3))),
    "parity": gallery.parity(4),
    "permutations": gallery.permutations(3, exact=True),
    "cities": gallery.cities(),
    "chain": gallery.binary_symmetric(4, 0.1),
    "repeated bit": gallery.repeated_bit(3, 0.25),
}


@pytest.fixture(params=COMPARED)
def p(request):
    return COMPARED[request.param]


def close(value):
    """The same computation twice: the same to rounding, nan to nan."""
    return pytest.approx(value, rel=1e-12, abs=1e-14, nan_ok=True)


# The rows


def test_rows_hold_the_numbers_of_the_output_distribution(p):
    decoders = usual_decoders(p)
    rows = compare(p, decoders).rows
    assert [row.decoder for row in rows] == list(map(repr, decoders))
    for decoder, row in zip(decoders, rows, strict=True):
        q = output_distribution(p, decoder)
        for name in ("kl", "path_kl", "reverse_kl", "tv", "valid_mass"):
            assert getattr(row, name) == close(float(getattr(q, name))), (decoder, name)
            assert type(getattr(row, name)) is float
        on_data = float(q.expected_rounds_on_data)
        assert row.rounds == close(float(q.expected_rounds) if math.isnan(on_data) else on_data)
        assert row.regret == pytest.approx(regret(p, decoder), rel=1e-9, abs=1e-9)
        assert row.kind == kind_of(decoder)
        assert row.examples == ()


def test_rows_say_how_much_the_rule_for_ties_matters(monkeypatch, capsys):
    """On a chain of bits everything ties at first, (0, 1) or (2, 3); in a random table nothing."""
    texts = ["TopK(1)", "TopK(2)", "TokenConfidence(1)", "TopK(2, ties='random')", "LeftToRight(2)"]
    known = {name: getattr(policies, name) for name in policies.__all__}
    decoders = [call(text, known, "decoder") for text in texts]
    chain, other = COMPARED["chain"], JointTable(np.random.default_rng(0).random((2, 2, 2, 2)))
    found = compare(chain, decoders)
    ties = [row.ties for row in found.rows]
    assert ties[:3] == pytest.approx([0, 0.32, 0.0988], abs=1e-4)
    assert ties[3:] == [None, None]
    print_comparison("chain", chain, found)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "moves by a TV of 0.3200 for TopK(2, 'confidence'), 0.0988 for TokenConfidence(1)" in said
    )
    found = compare(other, decoders)
    assert [row.ties for row in found.rows] == [close(0), close(0), close(0), None, None]
    print_comparison("other", other, found)
    assert "Scores tie" not in capsys.readouterr().out
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PATTERNS", 80)
    assert {row.ties for row in compare(chain, decoders).rows} == {None}


def test_corners_are_those_of_the_frontier(p):
    found = compare(p, [], corners=True)
    corners = found.corners
    assert found.rows == []
    assert corners is not None
    ours = [(float(c.rounds), float(c.kl)) for c in corners]
    expected = [(float(c.rounds), float(c.kl)) for c in frontier(p)]
    assert ours == [pytest.approx(pair, rel=1e-9, abs=1e-12) for pair in expected]
    (serial,) = frontier(p, [math.inf])
    assert ours[-1] == pytest.approx((float(serial.rounds), 0), abs=1e-12)


def test_a_function_is_a_decoder_too():
    def surest(x, predictions):
        sure = np.where(x == MASK, predictions.max(axis=-1), -1)
        return np.arange(x.shape[1]) == sure.argmax(axis=1)[:, None]

    (row,) = compare(gallery.permutations(3), [surest]).rows
    assert (row.decoder, row.rounds) == ("Rule(surest)", 3.0)
    assert row.kl == pytest.approx(0, abs=1e-14)
    with pytest.raises(InvalidInput, match="policy must be"):
        compare(gallery.permutations(3), [policies.Bisection])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("temperature", [0, 0.5, 2])
def test_temperature_is_that_of_the_draws(temperature):
    p = COMPARED["random"]
    decoders = [policies.LeftToRight(1), policies.TokenConfidence(1)]
    for decoder, row in zip(decoders, compare(p, decoders, temperature).rows, strict=True):
        q = output_distribution(p, decoder, temperature)
        assert (row.kl, row.tv) == (close(q.kl), close(q.tv))
        rounds, kl = cost_of(q)
        if rounds >= p.length:
            assert row.regret == close(kl)  # the best one is lossless, at temperature 1
    assert math.isinf(compare(p, decoders, 0).rows[0].kl)


# Examples


def test_examples_are_drawn_from_what_the_decoder_writes():
    p = gallery.cities()
    decoders = [policies.RandomOrder((2,)), policies.LeftToRight(1)]
    rows = compare(p, decoders, examples=60, rng=np.random.default_rng(0)).rows
    firsts, ends = ("New", "Mexico", "Panama"), ("York", "Orleans", "City")
    everything = {f"{first} {end}" for first in firsts for end in ends}
    assert set(rows[0].examples) == everything  # 9, the rarest with probability 1/16
    assert set(rows[1].examples) == {"New York", "New Orleans", "Mexico City", "Panama City"}
    assert all(len(row.examples) == 60 for row in rows)


def test_examples_are_those_of_the_seed():
    p, decoders = gallery.permutations(4), [policies.TopK(2), policies.Speculative()]
    first, again, other = (
        compare(p, decoders, examples=5, rng=np.random.default_rng(seed)).rows for seed in (1, 1, 2)
    )
    assert first == again
    assert [row.examples for row in first] != [row.examples for row in other]
    with pytest.raises(InvalidInput, match="examples are drawn with rng, which is missing"):
        compare(p, decoders, examples=1)


# The usual decoders

PUBLIC = {
    name
    for name in policies.__all__
    if not inspect.isabstract(getattr(policies, name)) and name != "Decoder"
}


OF_THE_USER = {"Rule", "Tabulated", "JointDraw", "Mirrored", "FixedOrder", "DrawThenKeep"}
OF_THE_USER |= {"GapTabulated", "Steps", "RemaskLoop", "PathPlanning", "Editing"}
OF_THE_USER |= {"CountTabulated"}


def names(decoders):
    return {type(decoder).__name__ for decoder in decoders}


def test_every_decoder_of_the_package_is_among_the_usual_ones():
    """But for those that need something of the user's."""
    assert names(usual_decoders(gallery.parity(4))) == PUBLIC - OF_THE_USER


def test_those_that_would_take_long_are_left_out_and_no_others(monkeypatch):
    """Coins for every site, and what starts from everything that can be written."""
    everything = PUBLIC - OF_THE_USER
    coins, correctors = (
        {"Bernoulli", "Remask"},
        {"BlockCorrector", "GibbsCorrector", "InformedCorrector"},
    )
    assert names(usual_decoders(gallery.parity(8))) == everything
    assert names(usual_decoders(gallery.words(4))) == everything - {"Remask", "InformedCorrector"}
    assert names(usual_decoders(gallery.words(5))) == everything - coins - correctors
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_STEPS", 0)
    assert names(usual_decoders(gallery.parity(3))) == everything - coins - correctors


def test_no_usual_decoder_comes_twice_and_all_sites_at_once_come_first(p):
    written = list(map(repr, usual_decoders(p)))
    assert len(written) == len(set(written))
    assert written[0] == f"RandomOrder(({p.length},))"


def test_the_best_sizes_in_two_rounds_are_among_them():
    """One-hot strings of ten sites: 7 and then 3 lose less than 5 and 5."""
    p = gallery.one_hot(10)
    written = list(map(repr, usual_decoders(p)))
    assert "RandomOrder((5, 5))" in written
    assert "RandomOrder((7, 3))" in written
    losses = {
        k: output_distribution(p, policies.RandomOrder((k, 10 - k))).path_kl for k in range(1, 10)
    }
    assert min(losses, key=losses.__getitem__) == 7
    assert repr(policies.RandomOrder(schedules.uniform(10, 2))) in written


# Kinds

FIRST_LOOK = {"nothing": KINDS[0], "revealed": KINDS[1], "predictions": KINDS[1]}


@each("decoder", EVERY, ids=repr)
def test_what_a_decoder_goes_by(decoder):
    remasks = decoder.remasks
    kind = FIRST_LOOK.get(expected(decoder), KINDS[2])
    assert kind_of(decoder) == (KINDS[3] if remasks else kind)


def test_another_denoiser_goes_to_all_and_the_best_decoder_keeps_its_own():
    p = COMPARED["random"]
    denoiser = Perturbed(p, smoothing=0.5)
    (row,) = compare(p, [policies.LeftToRight(1)], denoiser=denoiser).rows
    q = output_distribution(p, policies.LeftToRight(1), denoiser=denoiser)
    assert row.kl == close(q.kl)
    assert row.kl > 0.01
    assert row.regret == close(row.kl)
