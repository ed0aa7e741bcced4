"""Slopes, against SciPy's regression and against lines that are known."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks import growth
from benchmarks.fit import beyond_overhead, fitted
from benchmarks.growth import Curve, traced
from benchmarks.growth_table import rendered
from benchmarks.report import plain


def test_the_slope_of_an_exact_power():
    fit = fitted([2, 3, 5, 6], [3.0**n for n in (2, 3, 5, 6)])
    assert fit.slope == pytest.approx(math.log(3), rel=1e-12)
    assert fit.error == pytest.approx(0, abs=1e-12)


def test_slope_and_standard_error_are_those_of_linear_regression():
    rng = np.random.default_rng(0)
    x, y = rng.random(9), np.exp(rng.random(9))
    expected: Any = stats.linregress(x, np.log(y))
    fit = fitted(x.tolist(), y.tolist())
    assert fit.slope == pytest.approx(expected.slope)
    assert fit.error == pytest.approx(expected.stderr)


def test_two_points_have_no_error_and_one_has_no_slope():
    assert math.isnan(fitted([0, 1], [1, 2]).error)
    with pytest.raises(ValueError, match="two different points"):
        fitted([1, 1], [1, 2])


@pytest.mark.parametrize(
    ("times", "first"),
    [
        ([1, 2, 29, 30, 90, 270], 3),
        ([1, 40, 60, 200], 1),
        ([1, 2, 3, 4, 5], 2),  # never thirty times as much: the last three
        ([1, 2, 3, 4, 50], 2),
        ([1, 2], 0),
    ],
)
def test_small_sizes_are_left_out(times, first):
    assert beyond_overhead(times) == first


def test_a_curve_finds_its_slopes(monkeypatch):
    """Times 3^n after two calls that cost the same, and memory of 2^n doubles."""
    sizes = tuple(range(12, 19))
    times = [1.0, 1.0, *[3.0 ** (n - 10) for n in sizes[2:]]]
    monkeypatch.setattr(growth, "minima", lambda repeats, calls: times)

    def prepare(n):
        return lambda: np.ones(2**n)

    curve = Curve(
        "kernel", "V=2", sizes, prepare, "L", math.log(3), "log 3", math.log(2), lambda n: 4**n
    )
    found = traced(curve, 1)
    assert found["fitted_from"] == 14
    assert found["time"]["slope"] == pytest.approx(math.log(3), rel=1e-12)
    assert found["memory"]["slope"] == pytest.approx(math.log(2), rel=0.01)
    assert found["visited"]["slope"] == pytest.approx(math.log(4))
    text = plain(rendered({"curves": [found]}))
    assert "1.099 ± 0.000   1.099 (log 3)" in text
    assert "L=14..18 (5)" in text


@pytest.mark.parametrize(
    ("against", "x"),
    [("L", 7), ("log L", math.log(7)), ("log(V+1)", math.log(8)), ("log(R-1)", math.log(6))],
)
def test_axes(against, x):
    assert Curve("k", "", (7,), lambda n: lambda: n, against, 1.0, "1").x(7) == pytest.approx(x)


def test_visited_sequences_grow_as_predicted():
    """All (V+1)^L - V^L partly masked sequences of random order, V^L / (V-1) of top 1."""
    curves = {(c.kernel, c.fixed): c for c in growth.curves(True)}
    some, top = curves["exact output, random order", "V=2"], curves["exact output, top 1", "V=2"]
    assert some.states is not None
    assert top.states is not None
    assert [some.states(n) for n in (2, 3)] == [3**2 - 2**2, 3**3 - 2**3]
    assert [top.states(n) for n in (2, 3)] == [2**2 - 1, 2**3 - 1]


def test_quick_curves_run():
    names = ["lattice-entropies", "chain-later-calls", "best-decoder", "best-of-a-chain-in-rounds"]
    found, agreed = growth.run(names, True, 1, lambda what: None)
    assert agreed
    kernels = {curve["kernel"] for curve in found["curves"]}
    of_chains = {"chain, later calls", "best of a chain in rounds"}
    assert kernels == {"lattice + entropies", "best decoder"} | of_chains
