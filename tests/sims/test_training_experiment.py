"""The experiment against the same by hand, and its means against exact ones."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from sims import output_distribution
from sims.sweep.sweep import generator, grid, sweep
from sims.training import (
    FittedChain,
    Tabular,
    draw_training_set,
    expected_excess,
    experiment,
    left_to_right,
    predicting,
    training_masks,
    visited,
)
from sims.training.experiment import DATA, DECODERS, MASKS
from tests.noted import refusals

BLIND = ("left to right", "random", "two at once")


@pytest.mark.parametrize("learner", ["tables", "chain"])
@pytest.mark.parametrize("decoder", ["left to right", "two most confident"])
def test_one_case_by_hand(learner, decoder):
    case: dict[str, Any] = {"data": "chain", "masks": "left to right", "decoder": decoder}
    case |= {"size": 60, "learner": learner, "repeat": 3}
    found = experiment(generator(7, case), **case)
    p, policy = DATA["chain"](), DECODERS[decoder]
    masks = predicting(left_to_right(6))
    training = draw_training_set(p, masks, 60, generator(7, case))
    denoiser = {"tables": Tabular, "chain": FittedChain}[learner](training, 0.5)
    q = output_distribution(p, policy, denoiser=denoiser)
    best = output_distribution(p, policy)
    asked = visited(p, policy, denoiser=denoiser)
    assert found == {
        "kl": q.kl,
        "excess": q.kl - best.kl,
        "path_excess": q.path_kl - best.path_kl,
        "untrained": float(asked[masks == 0].sum()),
    }


def test_every_name_runs_and_what_is_not_blind_has_no_best_masks():
    cases = grid(data=DATA, masks=MASKS, decoder=DECODERS, size=(20,))
    results = sweep(experiment, cases, progress=False)
    assert all(f.case["masks"] == "best" and f.case["decoder"] not in BLIND for f in results.failed)
    assert len(results.failed) == len(DATA) * (len(DECODERS) - len(BLIND))
    assert all("depends on predictions: so its questions" in f.error for f in results.failed)
    for row in results.rows:
        assert math.isfinite(row["kl"])
        assert row["kl"] > 0
        assert 0 <= row["untrained"] <= 1
        assert row["path_excess"] >= row["excess"] - 1e-9 or row["decoder"] == "random"
    some = [case for case in cases if case["decoder"] == "most confident"]
    again = sweep(experiment, some[::-1], progress=False)
    assert all(row in results.rows for row in again.rows)


@pytest.mark.parametrize(
    ("data", "decoder"), list(itertools.product(DATA, ("left to right", "two at once")))
)
def test_means_are_the_exact_ones(data, decoder):
    """Within four standard errors; without coins what is written and the path agree."""
    names = ("uniform time", "blocks of 2", "best")
    fixed = {"data": data, "decoder": decoder, "size": 300}
    cases = [c | fixed for c in grid(masks=names, repeat=range(24))]
    for mean in sweep(experiment, cases, seed=1, progress=False).mean(of="excess", by="masks"):
        masks = training_masks(data, mean.at["masks"], decoder)
        exact = expected_excess(DATA[data](), DECODERS[decoder], masks, 300)
        assert abs(mean.mean - exact) < 4 * mean.error


CASE = {"data": "chain", "masks": "best", "decoder": "random", "learner": "tables"}


def named(what):
    return experiment(np.random.default_rng(0), size=1, **CASE | {what: "none"})  # pyright: ignore


test_unknown_names_are_refused = refusals(("{} must be one of .*, got 'none'", named, [*CASE]))
