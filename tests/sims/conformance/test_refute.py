"""The smallest and the worst tables on which samplers are wrong, by hand and by other means."""

import itertools
import json
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sims import output_distribution, policies
from sims.conformance import Oracle, refute
from sims.conformance.refute import integer_tables
from tests.noted import refusals
from tests.sims.conformance.planned_samplers import PLAIN, sampler_of
from theory import JointTable
from theory._console.format import as_json


def made(plan):
    return lambda p: sampler_of(Oracle(p), plan)


AFTER = replace(PLAIN, select="after")


def refutation(*arguments, **settings):
    found = refute(*arguments, **settings)
    assert found is not None
    return found


def by_policy(weights):
    """TV of what the most confident drawn token first writes, in exact arithmetic."""
    p = JointTable(weights, exact=True)
    return output_distribution(p, policies.TokenConfidence(1)).tv


@pytest.fixture(scope="module")
def refuted():
    return refutation(made(AFTER))


def test_low_confidence_is_refuted_by_four_weights(refuted):
    """Of three sequences alike, 11 is written with probability 4/9, 10 with 3/9 and 01 with 2/9.

    Each token is drawn as 1 with probability 2/3, which is the more confident: in 6 of 9 cases
    site 0 is kept as 1, in 2 site 1 is, in 1 site 0 is kept as 0. The other is drawn given that.
    """
    assert refuted.weights.tolist() == [[0, 1], [1, 1]]
    assert refuted.tv == pytest.approx(1 / 9, abs=1e-14)
    assert refuted.tv == pytest.approx(float(by_policy(refuted.weights)), abs=1e-14)
    assert refuted.worst.weights.tolist() == [[0, 2], [3, 0]]
    assert refuted.worst.tv == pytest.approx(0.24, abs=1e-14)


def test_smallest_and_worst_are_those_of_all_tables(refuted):
    """By exact arithmetic on all 121 tables of total 2 to 5, the multiples of others as well."""
    every = [
        np.reshape(w, (2, 2)) for w in itertools.product(range(6), repeat=4) if 2 <= sum(w) <= 5
    ]
    assert len(every) == 121
    off = [(by_policy(weights), weights) for weights in every]
    assert max(tv for tv, _ in off) == Fraction(6, 25)
    least = min(weights.sum() for tv, weights in off if tv > 0)
    assert least == refuted.weights.sum() == 3
    wrong = {tuple((w // np.gcd.reduce(w.ravel())).ravel()) for tv, w in off if tv > 0}
    assert refuted.wrong == len(wrong)
    assert refuted.tried == 103
    assert refuted.total == 5


def test_a_right_sampler_is_not_refuted():
    assert refute(made(PLAIN), total=3) is None
    assert refute(made(AFTER), against=policies.TokenConfidence(1), total=3) is None
    tempered = replace(AFTER, temperature=0.5)
    settings = {"against": policies.TokenConfidence(1), "temperature": 0.5}
    assert refute(made(tempered), total=3, **settings) is None


def test_drawn_samplers_are_refuted_and_right_ones_are_not():
    settings = {"paths": 0, "draws": 2000, "total": 3, "rng": np.random.default_rng(0)}
    found = refutation(made(AFTER), **settings)
    assert found.weights.tolist() == [[0, 1], [1, 1]]
    assert not found.smallest.verdict.exact
    assert refute(made(PLAIN), **settings) is None


def test_no_more_tables_are_tried_than_asked_for():
    found = refutation(made(AFTER), tables=20)
    first = list(integer_tables((2, 2), 5))[:20]
    assert (found.tried, found.total) == (20, int(first[-1].sum()) - 1)
    assert refute(made(AFTER), tables=4) is None


def test_tables_are_all_that_there_are_once():
    for shape, total in (((2, 2), 5), ((3,), 6), ((2, 2, 2), 3)):
        tables = [tuple(t.ravel().tolist()) for t in integer_tables(shape, total)]
        cells = math.prod(shape)
        known = {
            w
            for w in itertools.product(range(total + 1), repeat=cells)
            if 1 <= sum(w) <= total and math.gcd(*w) == 1
        }
        assert set(tables) == known
        assert len(tables) == len(known)
        assert [sum(t) for t in tables] == sorted(sum(t) for t in tables)


def test_a_refutation_is_a_page_and_numbers(refuted):
    page = str(refuted)
    assert max(map(len, page.splitlines())) <= 80
    assert "1/9" in page
    assert "6/25" in page
    rows = [line.split() for line in page.splitlines()]
    assert ["11", "1", "0.333333", "0.444444"] in rows
    assert "in floating point" in page
    assert repr(refuted) == "<Refutation by [[0, 1], [1, 1]]: TV 0.1111>"
    assert repr(refuted.worst) == "<Weights [[0, 2], [3, 0]]: TV 0.24>"
    found = json.loads(as_json(refuted.to_dict()))
    assert found["smallest"]["weights"] == [[0, 1], [1, 1]]
    assert found["worst"]["tv"] == refuted.worst.tv
    assert (found["wrong"], found["tried"]) == (refuted.wrong, refuted.tried)


def test_what_holds_no_tokens_is_said():
    """A model that gives the mask a chance, and a sampler that lets it be drawn."""
    found = refutation(
        lambda p: sampler_of(Oracle(p, floor=-3), replace(PLAIN, draws_masks=True)), 2, 1, total=1
    )
    assert found.smallest.verdict.outside > 0
    assert "no tokens" in str(found)


test_what_is_refused = refusals(
    ("vocab must be", lambda v: refute(made(PLAIN), v), [0, 1.5]),
    ("length must be", lambda n: refute(made(PLAIN), 2, n), [0]),
    ("total must be", lambda n: refute(made(PLAIN), total=n), [0]),
    ("tables must be", lambda n: refute(made(PLAIN), tables=n), [0]),
    ("rng is missing", lambda: refute(made(PLAIN), paths=0)),
)
