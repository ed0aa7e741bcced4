"""The command ``zeroloss``: it hands over to other commands and is their name in what they say."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import zeroloss
from zeroloss import main

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "claims": "theory",
    "decoders": "sims",
    "samplers": "sims.conformance",
    "prove": "theory.proofs",
    "figures": "figures",
}
THERE_ARE = "there are claims, decoders, samplers, prove, figures"
NEEDED = {"samplers": ["mine:sampler"], "prove": ["TC >= 0"]}
"""Arguments without which a command complains of nothing else."""


def ended(arguments, capsys):
    """Exit code, standard output and standard error of a command that ends by itself."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code, *capsys.readouterr()


def test_help_names_every_subcommand(capsys):
    code, out, err = ended(["--help"], capsys)
    assert (code, err) == (0, "")
    assert out.startswith("usage: zeroloss {claims,decoders,samplers,prove,figures} [options]\n")
    assert all(f"\n  {name} " in out for name in PACKAGES)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "a subcommand is missing; there are claims, decoders, samplers, prove, figures"),
        (
            ["claim"],
            "there is no subcommand 'claim'; there are claims, decoders, samplers, prove, figures",
        ),
        (
            ["theory"],
            "there is no subcommand 'theory'; there are claims, decoders, samplers, prove, figures",
        ),
        (["--list"], "unrecognized arguments: --list"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, complaint, capsys):
    usage = "usage: zeroloss [options] (--help lists them)"
    assert ended(arguments, capsys) == (2, "", f"error: {complaint}\n{usage}\n")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_subcommand_says_its_own_name(name, capsys):
    code, out, _ = ended([name, "--help"], capsys)
    assert code == 0
    assert out.startswith(f"usage: zeroloss {name} ")
    assert f"python -m {PACKAGES[name]} " not in out
    code, _, err = ended([name, *NEEDED.get(name, ()), "--nonsense"], capsys)
    assert code == 2
    assert err == (
        "error: unrecognized arguments: --nonsense\n"
        f"usage: zeroloss {name} [options] (--help lists them)\n"
    )


def test_arguments_and_exit_codes_are_handed_over(monkeypatch):
    seen = []

    class Command:
        @staticmethod
        def main(arguments, prog):
            seen.append((arguments, prog))
            return 1

    monkeypatch.setattr(zeroloss, "import_module", {"theory.__main__": Command}.__getitem__)
    assert main(["claims", "--claim", "A2", "--json"]) == 1
    assert seen == [(["--claim", "A2", "--json"], "zeroloss claims")]


def test_what_a_subcommand_prints_is_what_its_package_prints(capsys):
    from sims.__main__ import main as compare

    arguments = ["--gallery", "parity(3)", "--policy", "TopK(1)", "--json"]
    assert compare(arguments) == 0
    expected = capsys.readouterr().out
    assert main(["decoders", *arguments]) == 0
    assert capsys.readouterr().out == expected


LOADED = """
import sys, zeroloss
assert zeroloss.main(["claims", "--claim", "A1", "--level", "exact", "--examples", "1"]) == 0
print(sorted({"theory", "sims", "figures", "matplotlib"} & set(sys.modules)))
"""


def test_only_the_package_of_the_subcommand_is_loaded():
    """The claims about decoders are the entry point of `sims`: that much the registry loads."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOADED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['sims', 'theory']"


def test_the_installed_command_is_this_module():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"zeroloss": "zeroloss:console"}
    command = [sys.executable, "-W", "error", "-c", "from zeroloss import console; console()"]
    done = subprocess.run(
        [*command, "figures", "--list"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("english_words ")
