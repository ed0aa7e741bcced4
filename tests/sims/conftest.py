"""The command ``python -m sims``, as tests run it, and what is computed in small parts."""

import matplotlib.pyplot as plt
import pytest

from sims.__main__ import main


@pytest.fixture
def command(capsys):
    """Run the command: its standard output, with exit code 0 and nothing on standard error."""

    def run(*arguments):
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    yield run
    plt.close("all")


@pytest.fixture
def refused(capsys):
    """Run the command on something wrong: its error message, with exit code 2 and no output."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        captured = capsys.readouterr()
        assert stop.value.code == 2
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert captured.err.endswith("\nusage: python -m sims [options] (--help lists them)\n")
        return captured.err

    yield run
    plt.close("all")


PARTS = {
    "sims.decoding.propagation.BATCH": 3,
    "sims.decoding.propagation.DEVICE_BATCH": 2,
    "sims.decoding.propagation.PENDING": 3,
    "sims.decoding.propagation.AT_ONCE": 4,
    "sims.decoding.corrected.BATCH": 3,
    "sims.imperfect.windowed.AT_ONCE": 84,
    "sims.policies.joint_draw.VALUES": 5,
    "theory._core.segments.PENDING": 2,
}


@pytest.fixture
def in_small_parts(monkeypatch):
    """Compute something in parts of a few numbers each, which have to change nothing."""

    def run(call, *arguments):
        with monkeypatch.context() as small:
            for name, size in PARTS.items():
                small.setattr(name, size)
            return call(*arguments)

    return run
