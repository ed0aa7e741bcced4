"""One case on trial, as a row of the table."""

import contextlib
import dataclasses
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.published import faults
from benchmarks.published.cases import CASES, DATA, Case
from benchmarks.published.sources import Absent, Checkout
from sims import Sampling, output_distribution
from sims.conformance import answering, check, exact_distribution
from sims.policies.observed_sites import OBSERVED, Observed

__all__ = ["chosen", "run"]


def chosen(names: Sequence[str] | None) -> list[Any]:
    """Cases and faults whose repository, sampler or setting contains one of the names."""
    every = [*CASES, *faults.FAULTS]
    if not names:
        return every
    return [c for c in every if any(n.lower() in _name(c).lower() for n in names)]


def _name(case: Any) -> str:
    return f"{case.repository} {case.sampler} {case.setting}"


def run(folder: Path, case: Any) -> dict[str, Any]:
    """The numbers of a case."""
    row = {"repository": case.repository, "sampler": case.sampler, "setting": case.setting}
    torch.set_num_threads(1)
    try:
        code = Checkout(folder, case.repository)
        row["commit"] = code.commit
        with _quiet():
            found = _tried(code, case) if isinstance(case, Case) else case.measure(code)
    except Absent as error:
        return row | {"verdict": "absent", "why": str(error)}
    return row | found


def _tried(code: Checkout, case: Case) -> dict[str, Any]:
    p = DATA[case.data]()
    policy = case.policy if case.by_convention is None else case.by_convention("one-hot")
    verdict = check(
        case.make(code, p),
        p,
        policy,
        draws=case.draws,
        paths=case.paths,
        tolerance=case.tolerance,
        rng=np.random.default_rng(1),
        extras=case.note == "ties",
        **case.given,
    )
    data = np.asarray(p.table(), dtype=float)
    row = {
        "data": case.data,
        "policy": repr(policy) if policy else None,
        "sampling": ", ".join(_said(name, value) for name, value in case.given.items()),
        "exact": verdict.exact,
        "paths": verdict.paths,
        "draws": verdict.draws,
        "tv_policy": verdict.tv if policy else None,
        "noise": verdict.noise.quantile if verdict.noise else None,
        "p_value": verdict.p_value if policy else None,
        "tv_data": float(np.abs(verdict.written - data).sum() / 2 + verdict.outside / 2),
        "calls": float(verdict.calls),
        "note": case.note,
    }
    row["verdict"] = "agrees" if verdict else case.note or "differs"
    if policy is None:
        row["verdict"] = "no policy"
    if verdict.untied is not None:
        row["tv_untied"] = verdict.untied.tv
    if case.by_convention is not None:
        row["observed"] = _by_convention(case.make(code, p), p, case.by_convention)
        if max(found["tv_policy"] for found in row["observed"].values()) > case.tolerance:
            row["verdict"] = "differs"
    return row


def _said(name: str, value: Any) -> str:
    """An argument, or the parameters of a `Sampling` that are not the usual ones."""
    if not isinstance(value, Sampling):
        return f"{name}={value!r}"
    usual = Sampling()
    changed = {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != getattr(usual, field.name)
    }
    return ", ".join(f"{key}={number!r}" for key, number in changed.items())


def _by_convention(
    sampler: Any, p: Any, policy: Callable[[Observed], Any]
) -> dict[str, dict[str, float]]:
    """TV to the policy and to the data under each convention."""
    found = {}
    for convention in OBSERVED:
        with answering(observed=convention):
            written = exact_distribution(sampler, p)
        expected = output_distribution(p, policy(convention)).table
        tv = float(np.abs(written.table - expected).sum() / 2)
        found[convention] = {"tv_policy": tv, "tv_data": float(written.tv)}
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Samplers print times and progress, and call what their libraries have deprecated."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
