"""How code of others is imported: from files or a git directory, without what it does not need."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

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
