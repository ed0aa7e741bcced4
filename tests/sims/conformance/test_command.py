"""The command line: what it prints, how it ends, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sims.conformance.__main__ import main

ROOT = Path(__file__).resolve().parents[3]

MINE = """
import numpy as np
from sims.conformance import Oracle


def at_once(p):
    model = Oracle(p)

    def sampler(n, rng):
        logits = model(np.full((n, p.length), model.mask_id)).logits[..., : p.vocab]
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)

    return sampler


def one_by_one(p):
    model = Oracle(p)

    def sampler(n, rng):
        x = np.full((n, p.length), model.mask_id)
        for i in range(p.length):
            logits = model(x).logits[:, i, : p.vocab]
            x[:, i] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
        return x

    return sampler


def sampler_itself(n, rng):
    return np.zeros((n, 4), dtype=np.int64)


def makes_none(p):
    pass


def failing(p):
    return lambda n, rng: 1 / 0


number = 3
"""


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A folder with a module, to be found there."""
    (tmp_path / "my_samplers.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("import no_such_module_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_samplers", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


AT_ONCE = ["my_samplers:at_once", "--gallery", "coupled_pairs", "--length", "2"]


def test_one_that_disagrees_ends_with_1(capsys):
    assert main(AT_ONCE) == 1
    out = capsys.readouterr().out
    assert "Disagrees, exact, 4 paths: TV 0.5." in out
    assert "my_samplers:at_once on coupled_pairs(2)" in out
    assert max(map(len, out.splitlines())) <= 80


def test_one_that_agrees_ends_with_0(capsys):
    assert main(["my_samplers:one_by_one", *AT_ONCE[1:]]) == 0
    assert "Agrees, exact" in capsys.readouterr().out
    assert main([*AT_ONCE, "--against", "RandomOrder((2,))"]) == 0
    assert "RandomOrder((2,))" in capsys.readouterr().out


def test_draws_temperature_and_prompt_are_handed_on(capsys):
    arguments = ["--paths", "0", "--draws", "2000", "--seed", "3", "--json"]
    assert main([*AT_ONCE, *arguments]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["draws"], found["exact"], found["agrees"]) == (2000, False, False)
    assert (found["sampler"], found["distribution"]) == ("my_samplers:at_once", "coupled_pairs(2)")
    assert main([*AT_ONCE, *arguments]) == 1
    assert json.loads(capsys.readouterr().out) == found
    at_zero = ["--against", "RandomOrder((2,))", "--temperature", "0", "--json"]
    assert main([*AT_ONCE, *at_zero]) == 1
    assert json.loads(capsys.readouterr().out)["tv"] == 0.75
    assert main([*AT_ONCE, "--prompt", "1_", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["tv"] == 0.75  # one of four instead of all


def test_a_table_from_a_file(tmp_path, capsys):
    import numpy as np

    np.save(tmp_path / "p.npy", np.asarray([[1, 2], [2, 4]]))
    assert main(["my_samplers:at_once", "--table", "p.npy", "--plain"]) == 0
    assert "Ties" not in capsys.readouterr().out


def test_refuting(capsys):
    assert main(["my_samplers:at_once", "--refute"]) == 1
    out = capsys.readouterr().out
    assert "The smallest: TV 0.5" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["my_samplers:one_by_one", "--refute", "--total", "3"]) == 0
    assert "right on all" in capsys.readouterr().out
    assert main(["my_samplers:at_once", "--refute", "--json", "--total", "3"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["smallest"]["weights"] == [[0, 1], [1, 0]]
    assert found["agrees"] is False


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("--gallery --table is required", ["my_samplers:at_once"]),
        ("write module:function", ["my_samplers", *AT_ONCE[1:]]),
        ("there is no module 'nowhere'", ["nowhere:at_once", *AT_ONCE[1:]]),
        ("no function 'nothing'", ["my_samplers:nothing", *AT_ONCE[1:]]),
        ("no function 'number'", ["my_samplers:number", *AT_ONCE[1:]]),
        ("no_such_module_at_all", ["broken:at_once", *AT_ONCE[1:]]),
        ("that returns a sampler", ["my_samplers:sampler_itself", *AT_ONCE[1:]]),
        ("that returns a sampler", ["my_samplers:makes_none", "--refute"]),
        ("raised ZeroDivisionError", ["my_samplers:failing", *AT_ONCE[1:]]),
        ("there is no decoder 'Nothing'", [*AT_ONCE, "--against", "Nothing(1)"]),
        ("only a policy takes", [*AT_ONCE, "--temperature", "1"]),
        ("alpha must be", [*AT_ONCE, "--alpha", "0.9"]),
        ("--total goes with --refute", [*AT_ONCE, "--total", "3"]),
        ("--gallery does not go with --refute", [*AT_ONCE, "--refute"]),
        ("--length goes with", ["my_samplers:at_once", "--table", "p.npy", "--length", "2"]),
        ("there is no file", ["my_samplers:at_once", "--table", "p.npy"]),
    ],
)
def test_what_is_refused_ends_with_2(message, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "usage: python -m sims.conformance" in error


def test_as_a_command_of_its_own(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "sims.conformance", *AT_ONCE]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("my_samplers:at_once on coupled_pairs(2)\n")
