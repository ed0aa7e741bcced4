"""The numbers that were found, in measured.json, and the tables of docs/samplers.md."""

import importlib.metadata
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["MEASURED", "PAGE", "keep", "line", "renew_page", "renewed", "tables"]

MEASURED = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[2] / "docs" / "samplers.md"

COLUMNS = ("code", "sampler", "setting", "data", "policy", "how", "TV to it", "TV to the data")
MINUTE = 1e-12
"""TV below this is rounding of double precision."""


def keep(rows: Iterable[dict[str, Any]], file: Path = MEASURED) -> None:
    """Replace those rows of the file that were measured again, in the order of the cases."""
    from benchmarks.published import trial

    kept = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    found = {_key(row): row for row in [*kept, *rows]}
    every = [
        (c.repository, c.sampler, c.setting, getattr(c, "data", "")) for c in trial.chosen(None)
    ]
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    results = {"versions": versions, "rows": [found[key] for key in every if key in found]}
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _key(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["repository"], row["sampler"], row["setting"], row.get("data", "")


def line(row: Mapping[str, Any]) -> str:
    """One row for a terminal."""
    head = f"{row['repository']} {row.get('commit', '')} {row['sampler']}, {row['setting']}"
    if "found" in row:
        return f"{head}: {row['found']}"
    if row["verdict"] == "absent":
        return f"{head}: {row['why']}"
    return f"{head}, {row['data']}: {row['verdict']}. " + "; ".join(
        f"{name} {text}" for name, text in zip(COLUMNS[4:], _cells(row)[4:], strict=True)
    )


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """The tables in Markdown, by the names of their markers."""
    trials = [row for row in results["rows"] if "policy" in row]
    noted = [row for row in results["rows"] if "found" in row]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return {
        "trials": f"With {versions}.\n\n" + _markdown(COLUMNS, map(_cells, trials)),
        "noted": _markdown(
            ("code", "where", "setting", "found"),
            ((_code(row), row["sampler"], row["setting"], row["found"]) for row in noted),
        ),
    }


def renewed(text: str, results: Mapping[str, Any]) -> str:
    """The page with its tables put between their markers."""
    for name, table in tables(results).items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, rest = text.split(begin)
        text = before + begin + "\n" + table + "\n" + end + rest.split(end)[1]
    return text


def renew_page(page: Path = PAGE, file: Path = MEASURED) -> None:
    """Write the tables of what is recorded into the page."""
    results = json.loads(file.read_text(encoding="utf-8"))
    page.write_text(renewed(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def _markdown(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(row: Mapping[str, Any]) -> str:
    return f"{row['repository'].split('/')[1]} {row['commit']}"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    policy = "none" if row["policy"] is None else f"`{row['policy']}`"
    if row["sampling"]:
        policy += f", `{row['sampling']}`"
    if row["exact"]:
        how = f"exact, {row['paths']:,} path{'s' if row['paths'] > 1 else ''}"
    else:
        how = f"{row['draws']:,} draws"
    code = _code(row) if "commit" in row else ""
    data = f"{row['tv_data']:.3f}" if row["tv_data"] > MINUTE else "0"
    if "observed" in row:
        data = _each(row, "tv_data", "{:.3f}".format)
    return (code, row["sampler"], row["setting"], row["data"], policy, how, _distance(row), data)


def _distance(row: Mapping[str, Any]) -> str:
    """How far it is from its policy, and what to compare that with."""
    if row["tv_policy"] is None:
        return ""
    if "observed" in row:
        return _each(row, "tv_policy", _number)
    if row["noise"] is not None:
        return f"{row['tv_policy']:.4f} (noise to {row['noise']:.4f}), p = {row['p_value']:.2g}"
    if "tv_untied" in row:
        return f"{row['tv_policy']:.3f}, and {_number(row['tv_untied'])} nearby without ties"
    return _number(row["tv_policy"])


def _each(row: Mapping[str, Any], name: str, text: Callable[[float], str]) -> str:
    """A number under each convention for predictions at observed sites."""
    return ", ".join(f"{text(found[name])} {key}" for key, found in row["observed"].items())


def _number(tv: float) -> str:
    return "0" if tv < MINUTE else f"{tv:.0e}"
