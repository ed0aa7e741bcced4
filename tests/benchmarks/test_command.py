"""The command, its files, and the tables that it puts into the README."""

import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import machine, report, suite
from benchmarks.case import Case, Way


@pytest.fixture(scope="module")
def quick():
    """The whole suite at small sizes."""
    return suite.run(list(suite.KERNELS), True, 1, lambda what: None)


def test_all_kernels_agree_with_their_naive_versions(quick):
    results, agreed = quick
    assert agreed
    assert len(results["lines"]) >= len(suite.KERNELS)
    assert all(line["reach"] == [] for line in results["lines"])
    assert [r["floor"] for r in results["floors"]] == ["fresh", "resident", "copy", "products"]


def test_the_table_has_a_line_for_each(quick):
    text = report.plain(report.RENDERED["suite"](quick[0]))
    assert text.startswith("floor: fresh")
    for line in quick[0]["lines"]:
        assert line["kernel"] in text
    assert "…" not in text


def test_results_are_json(quick, tmp_path):
    report.save(tmp_path / "new" / "results.json", {"suite": quick[0]})
    assert json.loads((tmp_path / "new" / "results.json").read_text())["suite"] == quick[0]


def test_only_is_repeatable_and_names_are_checked(capsys):
    options = command.parsed(["--only", "exact", "--only", "markov"])
    assert options.names == {"suite": ["exact", "markov"]}
    with pytest.raises(SystemExit):
        command.parsed(["--only", "exacd"])
    assert "no kernel is called exacd: lattice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sections"),
    [
        ([], ["suite"]),
        (["--growth"], ["growth"]),
        (["--gpu"], ["gpu"]),
        (["--all"], ["suite", "growth", "gpu"]),
    ],
)
def test_sections(arguments, sections):
    assert list(command.parsed(arguments).names) == sections


@pytest.mark.parametrize("arguments", [["--readme", "--quick"], ["--repeats", "0"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        command.parsed(arguments)
    assert stop.value.code == 2


def test_the_command_prints_and_writes(tmp_path, capsys):
    file = tmp_path / "results.json"
    arguments = ["--quick", "--repeats", "1", "--only", "exact", "--json", str(file)]
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "lattice of integers" in printed
    assert "Measured on" in printed
    [line] = json.loads(file.read_text())["suite"]["lines"]
    assert line["faster_than"].keys() == {"Fractions"}


def test_answers_that_differ_make_the_exit_code_1(monkeypatch, capsys):
    def wrong(quick):
        np.testing.assert_allclose([1.0], [2.0])
        yield Case("wrong", "", 1, lambda: None)

    monkeypatch.setitem(suite.KERNELS, "exact", wrong)
    assert command.main(["--quick", "--repeats", "1", "--only", "exact"]) == 1
    assert "exact: the answers differ" in capsys.readouterr().err


def test_a_missing_peer_has_a_plain_line(monkeypatch):
    def kernel(quick):
        yield Case("k", "L=1", 1, lambda: None, [Way("naive", lambda: None)], missing=("dit",))

    monkeypatch.setitem(suite.KERNELS, "exact", kernel)
    results, _ = suite.run(["exact"], True, 1, lambda what: None)
    text = report.plain(report.RENDERED["suite"](results))
    assert "dit is not installed, so nothing is compared with it" in text


def test_the_description_of_the_machine():
    on = machine.description()
    assert {"processor", "cores", "memory_bytes", "python", "numpy", "blas"} <= on.keys()
    quiet = machine.sentence(on | {"busy": False})
    assert on["numpy"] in quiet
    assert "busy" not in quiet
    assert "busy with other work (load 3" in machine.sentence(on | {"busy": True, "load": 3.0})
    json.dumps(on)


TEXT = "a\n<!-- gpu -->\nold\n<!-- end of gpu -->\nb\n"
ABSENT = {"absent": "no CuPy", "machine": {}}


def test_a_section_goes_between_its_markers():
    assert report.renew(TEXT, {"gpu": ABSENT}) == (
        "a\n<!-- gpu -->\n\nNo GPU is there, so none was measured: no CuPy.\n\n"
        "<!-- end of gpu -->\nb\n"
    )
    with pytest.raises(ValueError, match="needs one <!-- suite -->"):
        report.renew(TEXT, {"suite": {}})


def test_a_run_without_a_gpu_keeps_what_was_measured_on_one(tmp_path):
    file = tmp_path / "measured.json"
    report.save(file, {"gpu": ABSENT})
    report.save(file, {"gpu": {"device": 1}, "suite": {"lines": []}})
    report.save(file, {"gpu": ABSENT, "growth": {}})
    assert json.loads(file.read_text()) == {
        "gpu": {"device": 1},
        "suite": {"lines": []},
        "growth": {},
    }


def test_the_readme_has_the_markers():
    text = report.README.read_text(encoding="utf-8")
    assert report.renew(text, {"gpu": ABSENT}).count("<!-- gpu -->") == 1
    for name in report.RENDERED:
        assert text.count(f"<!-- {name} -->\n") == text.count(f"<!-- end of {name} -->\n") == 1
