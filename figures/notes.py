"""The tables of ``paper_notes.md``, from registries and recorded numbers: they cannot drift."""

from collections.abc import Iterable, Sequence

from figures.files import read_recorded
from figures.registry import FIGURES
from sims.claims import CLAIMS as OF_DECODERS
from theory.claims import CLAIMS as OF_THEORY
from theory.claims import Claim, Level
from theory.claims.kit.report import some_certificates

__all__ = [
    "ENDS",
    "TABLES",
    "bounds_table",
    "certificates_table",
    "claims_table",
    "published_table",
    "with_tables",
]


def claims_table() -> str:
    """Write the claims of this package as a Markdown table."""
    header = (
        "id",
        "what the source says",
        "source",
        "seen",
        "stated and checked here",
        "verdict",
        "checked",
        "figures",
    )
    rows = []
    for claim in (*OF_THEORY, *OF_DECODERS):
        figures = ", ".join(f.name for f in FIGURES.values() if claim.id in f.claims)
        cells = (
            claim.id,
            claim.says or "–",
            claim.source,
            f"[{claim.provenance}]",
            f"**{claim.title}.** {claim.statement}" + (f" *{claim.note}*" if claim.note else ""),
            f"{claim.verdict} ({claim.shown})",
            f"{', '.join(claim.levels)}; `{_module(claim)}`",
            figures or "–",
        )
        rows.append(cells)
    return _markdown(header, rows)


def certificates_table() -> str:
    """Write the first certificates of every proof as a Markdown table."""
    rows = []
    for claim in (*OF_THEORY, *OF_DECODERS):
        for check in claim.checks:
            if check.level is not Level.PROVED:
                continue
            shown, others = some_certificates(claim.run(check))
            cell = "<br>".join([*(f"`{line}`" for line in shown), *others])
            rows.append((claim.id, check.name, check.scope, cell))
    return _markdown(("id", "what is proved", "for", "certificates"), rows)


def bounds_table() -> str:
    """Write every bound over what it bounds as a Markdown table, a row for each distribution."""
    panel = _recorded("bounds_looseness", "bounds")
    groups = list(dict.fromkeys(panel["about"]))
    pairs = dict.fromkeys(zip(panel["about"], panel["bound"], strict=True))
    bounds = [bound for _, bound in sorted(pairs, key=lambda pair: groups.index(pair[0]))]
    ratios = dict(zip(zip(panel["data"], panel["bound"], strict=True), panel["ratio"], strict=True))
    rows = []
    for name in dict.fromkeys(panel["data"]):
        cells = [ratios.get((name, bound)) for bound in bounds]
        rows.append((name, *("–" if c is None else f"{float(c):.2f}" for c in cells)))
    return _markdown(("data", *bounds), rows)


def published_table() -> str:
    """Write the published numbers of all figures beside ours as a Markdown table."""
    rows = []
    for figure in FIGURES.values():
        panel = read_recorded(figure, "published")
        if panel is not None:
            numbers = (panel["published"], panel["ours"], panel["difference"])
            shown = zip(*([f"{float(v):.6g}" for v in column] for column in numbers), strict=True)
            for what, row, seen in zip(panel["quantity"], shown, panel["seen"], strict=True):
                rows.append((what, *row, seen, figure.source.split(":")[0], figure.name))
    header = ("quantity", "published", "ours", "difference", "seen in", "source", "figure")
    return _markdown(header, rows)


TABLES = {
    "claims": claims_table,
    "certificates": certificates_table,
    "bounds": bounds_table,
    "published": published_table,
}
"""What stands between the markers of the page, by name."""

ENDS = ("begin", "end")
"""The two edges of each table."""


def with_tables(text: str) -> str:
    """Put the current tables between the markers of a page."""
    for name, table in TABLES.items():
        begin, end = (f"<!-- {name} table: {edge} (made by `make notes`) -->" for edge in ENDS)
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page lacks the markers {begin!r} and {end!r}")
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text


def _module(claim: Claim) -> str:
    return claim.checks[0].residual.__module__


def _recorded(figure: str, panel: str) -> dict[str, list[str]]:
    found = read_recorded(FIGURES[figure], panel)
    if found is None:
        raise ValueError(f"nothing is recorded for {figure}: run python -m figures --record")
    return found


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )
