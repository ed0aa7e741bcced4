"""The tables of docs/samplers.md are those of what was recorded, and say what was found."""

import json

import pytest

from benchmarks.published import record
from benchmarks.published.sources import Absent, Checkout

RESULTS = json.loads(record.MEASURED.read_text(encoding="utf-8"))
ROW = {
    "repository": "owner/name",
    "commit": "abc",
    "sampler": "s",
    "setting": "T = 1",
    "data": "d",
    "policy": "TopK(1)",
    "sampling": "",
    "exact": True,
    "paths": 7,
    "draws": None,
    "tv_policy": 3e-16,
    "noise": None,
    "p_value": None,
    "tv_data": 0.25,
    "verdict": "agrees",
    "note": "",
}


def test_the_page_has_the_recorded_tables():
    page = record.PAGE.read_text(encoding="utf-8")
    assert record.renewed(page, RESULTS) == page


def test_all_cases_are_recorded_and_what_differs_is_explained():
    verdicts = [row["verdict"] for row in RESULTS["rows"]]
    assert len(verdicts) > 40
    assert set(verdicts) <= {"agrees", "ties", "noted", "no policy"}
    assert verdicts.count("agrees") > 35
    for row in RESULTS["rows"]:
        assert len(row["commit"]) == 7
        if row["verdict"] == "agrees":
            assert row["tv_policy"] < (1e-3 if row["exact"] else row["noise"] * 2)
        if row["verdict"] == "ties":
            assert row["tv_untied"] < record.MINUTE


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "| name abc | s | T = 1 | d | `TopK(1)` | exact, 7 paths | 0 | 0.250 |"),
        ({"tv_policy": 2e-6}, "| 2e-06 | 0.250 |"),
        ({"paths": 1, "tv_data": 1e-16}, "| exact, 1 path | 0 | 0 |"),
        (
            {"exact": False, "draws": 40_000, "noise": 0.01, "tv_policy": 0.004, "p_value": 0.5},
            "| 40,000 draws | 0.0040 (noise to 0.0100), p = 0.5 | 0.250 |",
        ),
        ({"tv_policy": 0.09, "tv_untied": 0.0}, "| 0.090, and 0 nearby without ties |"),
        ({"policy": None, "tv_policy": None}, "| none | exact, 7 paths |  | 0.250 |"),
        (
            {"observed": {"flat": {"tv_policy": 0.0, "tv_data": 0.5}}},
            "| exact, 7 paths | 0 flat | 0.500 flat |",
        ),
    ],
)
def test_a_row(changed, expected):
    table = record.tables({"versions": {}, "rows": [ROW | changed]})["trials"]
    assert expected in table


def test_a_checkout(tmp_path):
    with pytest.raises(Absent, match=r"owner/name is not in .*: tried name, owner"):
        Checkout(tmp_path, "owner/name")
    (tmp_path / "owner+name").mkdir()
    (tmp_path / "owner+name" / "a.py").write_text("x = 1\n")
    code = Checkout(tmp_path, "owner/name")
    assert (code.commit, code.text("a.py")) == ("?", "x = 1\n")
    with pytest.raises(Absent, match=r"owner/name has no b\.py"):
        code.text("b.py")
