"""A comparison for a reader: a table, or JSON."""

import dataclasses
import json
import math
from typing import Any

from rich.console import Console
from rich.table import Table

from sims.compare import Comparison
from theory import MASK, information
from theory.distributions.base import Distribution

__all__ = ["print_comparison", "to_json"]

PLAIN_WIDTH = 118
"""Width of the table where the output is no terminal."""

ROUNDING = 1e-10
"""What is nearer to 0 or 1 than this is shown as that."""


def print_comparison(name: str, p: Distribution, comparison: Comparison) -> None:
    """Print the table and what it says."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, highlight=False)
    console.print(_heading(name, p), markup=False)
    console.print(_table(comparison))
    for line in _sentences(p, comparison):
        console.print(line, markup=False)


def _heading(name: str, p: Distribution) -> str:
    entropy = float(information.entropy(p))
    correlation = float(information.total_correlation(p))
    return (
        f"{name}: {p.length} sites, {p.vocab} tokens, entropy {entropy:.4g} nats, "
        f"total correlation {correlation:.4g} nats. The denoiser is perfect."
    )


def _table(comparison: Comparison) -> Table:
    table = Table()
    table.add_column("decoder", overflow="fold")
    for column in ("rounds", "KL", "path KL", "TV", "valid", "regret"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("writes")
    for row in comparison.rows:
        numbers = [row.kl, row.path_kl, row.tv, row.valid_mass, row.regret]
        table.add_row(
            row.decoder.replace("[", r"\["),
            f"{row.rounds:.2f}",
            *map(_short, numbers),
            (" " if all(" " not in e for e in row.examples) else ", ").join(row.examples),
        )
    return table


def _short(value: float | None) -> str:
    """Four decimals, without the rounding noise around zero.

    >>> _short(-1e-17), _short(None), _short(math.inf)
    ('0', '–', 'inf')
    """
    if value is None or math.isnan(value):
        return "–"
    return (
        "0" if abs(value) < ROUNDING else f"{value:.4f}" if abs(value) >= 1e-4 else f"{value:.0e}"
    )


def _sentences(p: Distribution, comparison: Comparison) -> list[str]:
    lines = [
        "KL, path KL, regret in nats; rounds: expected denoiser calls on the data. valid: "
        "probability of a sequence that the data contain. regret: path KL (KL where there is no "
        "path) above the best possible decoder with as many rounds."
    ]
    first = comparison.rows[0]
    if first.rounds == 1 and first.valid_mass < 1 - ROUNDING:
        tries = 1 / first.valid_mass
        lines.append(
            "All sites at once, the perfect model writes a sequence of the data "
            f"{'once in ' + format(tries, '.3g') + ' tries' if first.valid_mass else 'never'}."
        )
    if comparison.corners:
        serial = comparison.corners[-1]
        sites = serial.policy.sites([MASK] * p.length)
        lines.append(
            f"The best possible decoder needs {float(serial.rounds):.4g} rounds to lose nothing; "
            f"it begins with {'site' if len(sites) == 1 else 'sites'} "
            f"{', '.join(map(str, sites))} (counted from 0)."
        )
    return lines


def to_json(name: str, p: Distribution, comparison: Comparison) -> str:
    """The comparison as JSON; numbers that JSON does not have are null (nan) or "inf"."""
    corners = None
    if comparison.corners is not None:
        corners = [{"rounds": float(c.rounds), "kl": float(c.kl)} for c in comparison.corners]
    content = {
        "distribution": name,
        "length": p.length,
        "vocab": p.vocab,
        "entropy": float(information.entropy(p)),
        "total_correlation": float(information.total_correlation(p)),
        "unit": "nats",
        "decoders": [
            {key: _plain(value) for key, value in dataclasses.asdict(row).items()}
            for row in comparison.rows
        ],
        "frontier": corners,
    }
    return json.dumps(content, indent=2)


def _plain(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else "inf"
