"""What is measured in nats: in other units, on a device, of independent sites, and refused."""

import functools
import math
from typing import Any

import numpy as np
import pytest

from tests.cases import BAD_BASES, DEVICE1, NO_DISTRIBUTION, each_family, to_device1, to_host
from tests.noted import each, refusals
from tests.theory.information_oracle import TOLERANCE
from theory import JointTable, bounds, gallery, information


def curve(p, b):
    return information.gain_curve(p, base=b)


def bracket(p, b):
    found = information.bracket(p, base=b)
    return found.lower, found.upper, *found.profile()


def estimate(p, b):
    return tuple(information.estimate_profile(p, np.random.default_rng(0), 500, base=b))


def sizes(p):
    return (p.length - 1, 1)


TIMES = [0.0, 0.25, 0.75, 1.0]
INNER = [0.25, 0.75]
MEASURES = {
    "entropy": lambda p, b: information.entropy(p, base=b),
    "entropy of some sites": lambda p, b: information.entropy(p, {0, p.length - 1}, base=b),
    "total correlation": lambda p, b: information.total_correlation(p, base=b),
    "dual total correlation": lambda p, b: information.dual_total_correlation(p, base=b),
    "path cost": lambda p, b: information.path_cost(p, sizes(p), base=b),
    "profile": lambda p, b: information.profile(p, base=b),
    "mean entropies": lambda p, b: information.mean_entropies(p, base=b),
    "subset entropies": lambda p, b: information.subset_entropies(p, base=b),
    "gains": lambda p, b: information.gains(p, base=b),
    "gains of the curve": lambda p, b: curve(p, b).gains,
    "curve": lambda p, b: curve(p, b)(0.25),
    "slope": lambda p, b: curve(p, b).derivative(0.25),
    "integral": lambda p, b: curve(p, b).integral(0.25, 0.5),
    "step cost": lambda p, b: curve(p, b).step_cost(0.25, 0.5),
    "growth of the curve": lambda p, b: curve(p, b).growth(0.25, 0.5),
    "grid cost": lambda p, b: curve(p, b).grid_cost(TIMES),
    "growth": lambda p, b: information.growth_complexity(p, base=b),
    "growth from here to there": lambda p, b: information.growth_complexity(p, *INNER, base=b),
    "growth by sizes": lambda p, b: information.cardinality_growth_complexity(p, base=b),
    "growth of a size": lambda p, b: information.cardinality_growth_complexity(p, 1, 2, base=b),
    "TSE": lambda p, b: information.tse_complexity(p, base=b),
    "effective": lambda p, b: information.effective_total_correlation(p, base=b),
    "continuum": lambda p, b: information.continuum_complexity(p, base=b),
    "continuum from here to there": lambda p, b: information.continuum_complexity(
        p, *INNER, base=b
    ),
    "blocks": lambda p, b: information.block_complexity(p, INNER, base=b),
    "bracket": bracket,
    "estimate": estimate,
}
BOUNDS = {
    "li_cai": lambda p, b: bounds.li_cai(p, sizes(p), base=b),
    "largest_batch": lambda p, b: bounds.largest_batch(p, sizes(p), base=b),
    "drops": lambda p, b: bounds.drops(p, sizes(p), base=b),
    "least_drops": lambda p, b: bounds.least_drops(p, sizes(p), base=b),
    "cardinality_growth": lambda p, b: bounds.cardinality_growth(p, sizes(p), base=b),
    "growth bound": lambda p, b: bounds.growth(p, TIMES, base=b),
    "sharp_growth": lambda p, b: bounds.sharp_growth(p, TIMES, base=b),
    "tc_schedule": lambda p, b: bounds.total_correlation_schedule(p, 0.5, base=b),
    "dtc_schedule": lambda p, b: bounds.dual_total_correlation_schedule(p, 0.5, base=b),
    "equal_steps": lambda p, b: bounds.equal_steps(p, 3, base=b),
    "growth_complexity": lambda p, b: bounds.growth_complexity(p, base=b),
    "bound on the continuum": lambda p, b: bounds.continuum(p, base=b),
    "bound of blocks": lambda p, b: bounds.block_complexity(p, INNER, base=b),
}
EVERYTHING = MEASURES | BOUNDS
each_function = each("function", EVERYTHING.values(), ids=EVERYTHING)


def arrays(found) -> Any:
    """All numbers in it, as arrays."""
    if isinstance(found, bounds.Bound):
        found = found.quantity, found.bound, found.slack
    return found if isinstance(found, tuple) else (found,)


@each_family
@each_function
def test_bits_are_nats_divided_by_the_logarithm_of_the_base(case, function):
    p = case.build()
    nats = arrays(function(p, None))
    for base in (2, 10.0):
        for other, value in zip(arrays(function(p, base)), nats, strict=True):
            np.testing.assert_allclose(other, value / math.log(base), rtol=0, atol=TOLERANCE)


@each_family
@each("name", EVERYTHING)
def test_the_same_on_a_device(case, name):
    """Arrays stay on it. Roots of slopes that are zero magnify rounding to 1e-9."""
    function = EVERYTHING[name]
    p, there = case.build(), case.build(to_device1)
    for value, moved in zip(arrays(function(p, None)), arrays(function(there, None)), strict=True):
        if np.ndim(value) and name != "estimate":  # whose entropies are counted on the host
            assert moved.device == DEVICE1
            moved = to_host(moved)
        moved = moved if np.ndim(value) else float(moved)
        np.testing.assert_allclose(moved, value, rtol=1e-9, atol=1e-9)


@each("exact", [False, True], ids=["floats", "exact"])
@each("bound", BOUNDS.values(), ids=BOUNDS)
def test_independent_sites_cost_nothing(exact, bound):
    """Zero against zero: no slack, and a ratio that can be asked for."""
    found = bound(JointTable([[1, 1], [1, 1]], exact=exact), None)
    assert float(found.slack) == pytest.approx(0, abs=1e-12)
    float(found.ratio)


test_bad_bases = refusals(
    *(
        ("base", functools.partial(function, gallery.parity(3, exact=exact)), BAD_BASES)
        for exact in (False, True)
        for name, function in EVERYTHING.items()
        if not (exact and name == "estimate")
    )
)

test_what_is_no_distribution = refusals(
    *(
        ("Distribution", functools.partial(function, b=None), NO_DISTRIBUTION)
        for name, function in MEASURES.items()
        if name not in ("path cost", "entropy of some sites")  # which ask for its length here
    )
)
