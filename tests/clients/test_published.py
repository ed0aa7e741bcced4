"""Code of others on trial: how it is imported, and what a trial says of a sampler of ours."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from benchmarks.published import record, trial  # noqa: E402
from benchmarks.published.__main__ import main  # noqa: E402
from benchmarks.published.cases import CASES  # noqa: E402
from benchmarks.published.sources import Checkout  # noqa: E402

CODE = """
import missing.part as part
from missing import Base, decorated
import helper
import torch


class Sampler(Base):
    @torch.no_grad()
    @torch.compile(dynamic=True)
    def sample(self):
        return helper.NUMBER
"""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "name" / "src"
    place.mkdir(parents=True)
    (place / "own.py").write_text(CODE)
    (place / "helper.py").write_text("NUMBER = 7\n")
    return tmp_path


def sampled(code):
    module = code.module("src/own.py", "src/helper.py", root="src", without=("missing",))
    return module.Sampler("any", argument=1).sample()


def test_files(folder):
    before, compiled = dict(sys.modules), torch.compile
    assert sampled(Checkout(folder, "owner/name")) == 7
    assert not {"own", "helper", "missing", "missing.part"} & set(sys.modules)
    assert {name for name in before if name not in sys.modules} == set()
    assert torch.compile is compiled


def test_a_git_directory(folder, tmp_path):
    git = ["git", "-C", str(folder / "name"), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    bare = tmp_path / "bare" / "owner+name"
    bare.mkdir(parents=True)
    (folder / "name" / ".git").rename(bare / "repo")
    code = Checkout(tmp_path / "bare", "owner/name")
    assert len(code.commit) == 7
    assert sampled(code) == 7


GENERATE = """
import torch


def generate(model, prompt, steps, gen_length, block_length, mask_id, temperature):
    x = torch.cat([prompt, torch.full((len(prompt), gen_length), mask_id)], dim=1)
    for _ in range(steps):
        logits = model(x).logits
        drawn = torch.distributions.Categorical(logits=logits / temperature).sample()
        score = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0]
        score = torch.where(x == mask_id, SIGN * score, -torch.inf)
        best = score.argmax(-1, keepdim=True)
        x = x.scatter(1, best, drawn.gather(1, best))
    return x
"""


def case(setting):
    (found,) = (
        case
        for case in CASES
        if case.repository == "ML-GSAI/LLaDA"
        and case.setting == setting
        and case.data == "random, V=3 L=3"
    )
    return found


@pytest.mark.parametrize(("sign", "verdict"), [("+1", "agrees"), ("-1", "differs")])
def test_a_trial_of_a_sampler_of_ours_in_the_place_of_another(tmp_path, sign, verdict):
    (tmp_path / "LLaDA").mkdir()
    (tmp_path / "LLaDA" / "generate.py").write_text(GENERATE.replace("SIGN", sign))
    row = trial.run(tmp_path, case("T = 1"))
    assert row["verdict"] == verdict
    assert (row["exact"], row["calls"], row["commit"]) == (True, 3, "?")
    assert (row["tv_policy"] < 1e-12) == (verdict == "agrees")
    line = record.line(row)
    assert f"random, V=3 L=3: {verdict}. policy `TokenConfidence(1)`" in line


def test_what_is_not_there_is_said(tmp_path, capsys):
    assert main(["--code", str(tmp_path), "--only", "T = 0.5: the score is not"]) == 0
    assert "ML-GSAI/LLaDA is not in" in capsys.readouterr().out
