"""The command ``python -m sims``, as tests run it."""

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
