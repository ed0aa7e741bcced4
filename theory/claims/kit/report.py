"""Runs the checks of claims for a reader: a table, with progress meanwhile, or JSON."""

import dataclasses
import itertools
import math
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future

from rich.table import Table

from theory._console.console import Fitting, output_console
from theory._console.executors import InProcess
from theory._console.format import as_json
from theory._console.tasks import run_tasks
from theory._core.plurals import counted
from theory.claims.kit.claim import Claim
from theory.claims.kit.result import Level, Outcome, Result

__all__ = ["run_claims", "some_certificates", "to_json"]

TITLE = "What is claimed, and how it was checked"

UNPLANTED = "The check does not reject its planted violation, so that it passed shows nothing."

TIGHTEST = (
    "tightest: greatest ratio of the sides of an inequality that was seen, 1 where it is attained. "
)

ATTAINED_TOL = 1e-9
"""A ratio this close to 1 is shown as 1."""

MAX_LINES = 16
"""Of an instance on which an inequality is tightest; longer ones lose rows in the middle."""

MOST_CERTIFICATES, LONGEST_CERTIFICATE = 3, 100
"""Of many certificates of a proof so many are shown, none of more characters if possible."""

SOURCE = r"source \[seen]"

GIVES_WAY = (SOURCE, "s", "tried", "tightest", "worst")
"""Columns that narrow outputs do without, the first to go first."""


def run_claims(
    claims: Sequence[Claim],
    *,
    examples: int,
    levels: Iterable[Level] = tuple(Level),
    quiet: bool = False,
    chosen: bool = False,
    slowest: int = 0,
    executor: Executor | None = None,
) -> dict[str, list[Result]]:
    """Run the checks of some claims and print the table.

    Parameters
    ----------
    claims : sequence of Claim
    examples : int
        Instances for each check at the exact and property levels.
    levels : iterable of Level
        Only checks at these levels.
    quiet : bool
        Print nothing.
    chosen : bool
        Print each check in words, and below the table the tightest instance of each inequality and
        some certificates of each proof.
    slowest : int
        Print so many of the checks that took longest below the table.
    executor : Executor, optional
        Where the checks run, each of them as one task. In other processes they are looked up in
        the registry.

    Returns
    -------
    dict
        Results by claim id.
    """
    console = output_console(quiet=quiet)
    wanted = [
        (claim, k)
        for claim in claims
        for k, check in enumerate(claim.checks)
        if check.level in levels
    ]
    executor = executor or InProcess()
    here = isinstance(executor, InProcess)
    tasks = [(claim if here else claim.id, k, examples) for claim, k in wanted]
    found: dict[int, tuple[Result, float]] = {}

    def keep(number: int, future: Future[tuple[Result, float]]) -> None:
        found[number] = future.result()

    run_tasks(
        executor,
        _run,
        tasks,
        keep,
        doing="checking",
        noun="check",
        named=lambda number: f"{wanted[number][0].id}, check {wanted[number][1]}",
        progress=False if quiet else None,
    )
    results: dict[str, list[Result]] = {claim.id: [] for claim in claims}
    for number, (claim, _) in enumerate(wanted):
        results[claim.id].append(found[number][0])
    table = _table_of_checks if chosen else _table
    console.print(Fitting(table(claims, results), gives_way=GIVES_WAY))
    for claim in claims:
        for result in results[claim.id]:
            if result.reason:
                console.print(f"\n{claim.id} does not apply at the {result.level} level:")
                console.print(result.reason, markup=False, highlight=False)
            if not result.passed:
                console.print(f"\n[bold red]{claim.id} fails at the {result.level} level:[/]")
                console.print(result.counterexample, markup=False, highlight=False)
    if chosen:
        for result in itertools.chain(*results.values()):
            if result.tightest > 0:  # of those at 0 none is special
                console.print(_tightest_instance(result), markup=False, highlight=False)
            if result.certificate:
                console.print(_certificates(result), markup=False, highlight=False)
    if slowest:
        took = [found[number][1] for number in range(len(wanted))]
        console.print(Fitting(_slowest(wanted, took, slowest)))
    console.print(_summary(results), highlight=False)
    return results


def _run(claim: Claim | str, number: int, examples: int) -> tuple[Result, float]:
    """Run one check of a claim and its planted violation; how long both took."""
    began = time.perf_counter()
    if isinstance(claim, str):
        from theory.claims.kit.registry import registry

        claim = registry[claim]
    check = claim.checks[number]
    result = claim.run(check, examples=examples)
    if result.passed and claim.run(check, examples=200, planted=True).passed:
        result = dataclasses.replace(result, passed=False, counterexample=UNPLANTED)
    return result, time.perf_counter() - began


def _slowest(wanted: Sequence[tuple[Claim, int]], took: Sequence[float], most: int) -> Table:
    table = Table(title="Slowest checks, with their planted violations", title_justify="left")
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("claim", overflow="fold")
    slowest = sorted(zip(took, wanted, strict=True), key=lambda row: -row[0])[:most]
    for seconds, (claim, k) in slowest:
        table.add_row(f"{seconds:.1f}", claim.id, claim.checks[k].level, claim.title)
    return table


def _table(claims: Sequence[Claim], results: dict[str, list[Result]]) -> Table:
    """One row for each claim."""
    table = Table(title=TITLE, title_justify="left")
    table.add_column("id", no_wrap=True)
    for column in ("claim", SOURCE, "verdict"):
        table.add_column(column, overflow="fold")
    table.add_column("checked", no_wrap=True)
    measured = _add_numbers(table, results)
    for claim in claims:
        rows = results[claim.id]
        checked = "\n".join(f"{r.level} {_shown(r)}" for r in rows)
        numbers = map("\n".join, zip(*(_numbers(r, measured) for r in rows), strict=True))
        source, verdict = _source(claim), _verdict(claim, rows)
        table.add_row(claim.id, claim.title, source, verdict, checked, *numbers)
        table.add_section()
    return table


def _table_of_checks(claims: Sequence[Claim], results: dict[str, list[Result]]) -> Table:
    """One row for each check, with what it checks in words."""
    table = Table(title=TITLE, title_justify="left")
    table.add_column("id", no_wrap=True)
    table.add_column("claim and its checks", overflow="fold")
    measured = _add_numbers(table, results)
    for claim in claims:
        verdict = _verdict(claim, results[claim.id])
        table.add_row(claim.id, f"{claim.title}\n{_source(claim)}: {verdict}")
        for r in results[claim.id]:
            level = f"{r.level} for {r.scope}" if r.scope else r.level
            words = f"{level}: {r.name}" if r.name else level
            table.add_row("", f"{words} {_shown(r)}", *_numbers(r, measured))
        table.add_section()
    return table


def _add_numbers(table: Table, results: dict[str, list[Result]]) -> bool:
    """Add the columns of numbers, and tell whether one of tightest cases is among them."""
    measured = any(map(_measured, itertools.chain(*results.values())))
    for column in ("tried", "worst", *(["tightest"] if measured else []), "s"):
        table.add_column(column, justify="right", no_wrap=True)
    return measured


def _numbers(result: Result, measured: bool) -> list[str]:
    worst = "0" if result.worst == 0 else f"{result.worst:.1e}"
    ratio = [_ratio(result)] if measured else []
    return [str(result.instances), worst, *ratio, f"{result.seconds:.1f}"]


def _source(claim: Claim) -> str:
    return f"{claim.source} [{claim.provenance}]".replace("[", r"\[")


def _verdict(claim: Claim, results: Sequence[Result]) -> str:
    shown = f"{claim.verdict} ({claim.shown})"
    return shown if all(results) else "[bold red]in doubt[/]"


def _shown(result: Result) -> str:
    shown = {Outcome.HOLDS: "ok", Outcome.FAILS: "[bold red]FAILS[/]"}
    return shown.get(result.outcome, str(result.outcome))


def _measured(result: Result) -> bool:
    return not math.isnan(result.tightest)


def _ratio(result: Result) -> str:
    """Three digits, but 1 only where it is attained."""
    if not _measured(result):
        return ""
    if result.tightest == 0:
        return "0"
    return "1" if result.tightest > 1 - ATTAINED_TOL else f"{min(result.tightest, 0.999):.3f}"


def _tightest_instance(result: Result) -> str:
    lines = result.tightest_at.splitlines()
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 4], "  ...", *lines[-3:]]
    head = f"{result.claim} at the {result.level} level, tightest {_ratio(result)}, on"
    return f"\n{head} {lines[0]}" + "".join(f"\n  {line}" for line in lines[1:])


def _certificates(result: Result) -> str:
    shown, others = some_certificates(result)
    lines = "".join(f"\n  {line}" for line in (*shown, *others))
    return f"\n{result.claim}, proved for {result.scope}: {result.name}{lines}"


def some_certificates(result: Result) -> tuple[list[str], list[str]]:
    """Some certificates of a proof, here and there in the list, and how many others there are."""
    lines = result.certificate.splitlines()
    shown = [line for line in lines if not line.endswith(":  0")]
    if len(shown) > 2 * MOST_CERTIFICATES:
        short = [line for line in shown if len(line) <= LONGEST_CERTIFICATE] or shown
        shown = short[:: -(-len(short) // MOST_CERTIFICATES)]
    same = sum(line.endswith(":  0") for line in lines)
    others = [f"and {more} more"] if (more := len(lines) - len(shown) - same) else []
    return shown, others + ([f"and {same} whose two sides are the same"] if same else [])


def _summary(results: dict[str, list[Result]]) -> str:
    rows = [result for group in results.values() for result in group]
    failed = sum(not result.passed for result in rows)
    instances = sum(result.instances for result in rows)
    idle = sum(result.outcome is Outcome.DOES_NOT_APPLY for result in rows)
    outcome = (
        (f"{idle} do not apply, all others pass" if idle else "all pass")
        if not failed
        else f"[bold red]{failed} of them fail[/]"
    )
    return (
        f"{counted(len(rows), 'check')} of {counted(len(results), 'claim')} on "
        f"{counted(instances, 'instance')}: {outcome}. "
        "tried: instances, or statements that were proved. worst: largest absolute residual, "
        "exactly 0 where proved, symbolic or exact, "
        "else within the tolerance of the check (1e-9 or less). "
        + (TIGHTEST if any(map(_measured, rows)) else "")
        + "Only proofs and symbolic checks speak of more than the instances tried: proofs of every "
        "distribution that they name, symbolic checks of every table of their sizes."
        + ("" if failed else " Each check was also seen to reject its planted violation.")
    )


TEXTS = ("id", "title", "says", "statement", "latex", "source", "provenance", "verdict", "note")


def to_json(claims: Sequence[Claim], results: dict[str, list[Result]]) -> str:
    """Claims with their results as JSON."""
    listed = [
        {
            **{name: str(getattr(claim, name)) for name in TEXTS},
            "checks": [
                {
                    **dataclasses.asdict(result),
                    "outcome": result.outcome,
                    # a residual that is no number fails, and is not left out as if not measured
                    "worst": "nan" if math.isnan(result.worst) else result.worst,
                }
                for result in results[claim.id]
            ],
        }
        for claim in claims
    ]
    return as_json(listed)
