"""The command that compares training masks, run as a user would."""

import json

import numpy as np
import pytest

from sims.sweep.sweep import grid, sweep
from sims.training.__main__ import main
from sims.training.experiment import experiment

SMALL = ["--data", "chain", "--decoder", "left to right", "--size", "50", "--repeats", "3"]


def run(capsys, *arguments):
    code = main([*SMALL, *arguments])
    return code, *capsys.readouterr()


def test_the_numbers_are_those_of_the_experiment(capsys):
    code, out, err = run(capsys, "--masks", "uniform time", "--json", "--seed", "5")
    case = {"data": "chain", "decoder": "left to right", "masks": "uniform time"}
    cases = [{**case, "learner": "tables", "size": 50, **c} for c in grid(repeat=range(3))]
    values = sweep(experiment, cases, seed=5).column("excess")
    (found,) = json.loads(out)["excess"]
    assert (code, err) == (0, "")
    assert found["mean"] == pytest.approx(values.mean())
    assert found["error"] == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    assert {name: found[name] for name in case} == case


def test_the_table(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    for words in ("chain, 50 samples", "uniform time", "best", "±", "3 training sets (seed 0)"):
        assert words in " ".join(out.split())


def test_elsewhere_and_again_the_numbers_are_the_same(capsys, tmp_path):
    state = str(tmp_path / "sweep.jsonl")
    options = ["--masks", "uniform time", "--masks", "best", "--json"]
    here = run(capsys, *options)
    there = run(capsys, *options, "--workers", "2", "--state", state)
    again = run(capsys, *options, "--state", state)
    assert here == there == again
    assert len((tmp_path / "sweep.jsonl").read_text().splitlines()) == 7


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--size", "0"], "at least 1"),
        (["--data", "prose"], "invalid choice"),
        (["--learner", "chain", "--masks", "best"], "best masks are known for tables"),
        (["--workers", "2", "--scheduler", "tcp://localhost:1"], "not allowed with"),
        (["--state", "nowhere/at/all"], "there is no folder"),
    ],
)
def test_wrong_usage(capsys, arguments, match):
    with pytest.raises(SystemExit) as stopped:
        main([*SMALL, *arguments])
    assert stopped.value.code == 2
    assert match in capsys.readouterr().err
