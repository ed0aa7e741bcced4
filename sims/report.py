"""A comparison for a reader: a table, or JSON."""

import dataclasses
import json
import math
from typing import Any

from rich.console import Console
from rich.table import Table

from sims.compare import Comparison
from sims.policies import RandomOrder
from theory import MASK, information
from theory.distributions.base import Distribution

__all__ = ["print_comparison", "to_json"]

PLAIN_WIDTH = 118
"""Width of the table where the output is no terminal."""

ROUNDING = 1e-10
"""What is nearer to 0 or 1 than this is shown as that."""


def print_comparison(
    name: str, p: Distribution, comparison: Comparison, temperature: float = 1.0
) -> None:
    """Print the table and what it says."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, highlight=False)
    console.print(_heading(name, p, temperature), markup=False, soft_wrap=True)
    console.print(_table(comparison))
    for line in _sentences(p, comparison):
        console.print(line, markup=False)


def _heading(name: str, p: Distribution, temperature: float) -> str:
    entropy = float(information.entropy(p))
    correlation = float(information.total_correlation(p))
    return (
        f"{name}: {p.length} sites, {p.vocab} tokens, entropy {entropy:.4g} nats, "
        f"total correlation {correlation:.4g} nats. The denoiser is perfect"
        + ("." if temperature == 1 else f", tokens are drawn at temperature {temperature:g}.")
    )


def _table(comparison: Comparison) -> Table:
    table = Table()
    table.add_column("decoder", overflow="fold")
    for column in ("rounds", "KL", "path KL", "TV", "valid", "regret"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("writes")
    for row in comparison.rows:
        numbers = [row.kl, row.path_kl, row.tv]
        table.add_row(
            row.decoder.replace("[", r"\["),
            f"{row.rounds:.2f}",
            *map(_short, numbers),
            _share(row.valid_mass),
            _short(row.regret),
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


def _share(value: float) -> str:
    """Four decimals of a probability; only what is 1 is shown as that.

    >>> _share(1 - 1e-17), _share(0.999999), _share(0.25)
    ('1', '0.9999', '0.2500')
    """
    return (
        "1"
        if value > 1 - ROUNDING
        else f"{min(value, 0.9999):.4f}"
        if value > 1e-4
        else _short(value)
    )


def _sentences(p: Distribution, comparison: Comparison) -> list[str]:
    lines = [
        "KL, path KL, regret in nats; rounds: expected denoiser calls on the data. valid: "
        "probability of a sequence that the data contain. regret: path KL (KL where there is no "
        "path) above the best possible decoder with as many rounds."
    ]
    first = comparison.rows[0]
    if first.decoder == repr(RandomOrder((p.length,))) and first.valid_mass < 1 - ROUNDING:
        often = f"once in {_tries(first.valid_mass)} tries" if first.valid_mass else "never"
        lines.append(f"All sites at once, the perfect model writes a sequence of the data {often}.")
    if comparison.corners:
        serial = comparison.corners[-1]
        sites = serial.policy.sites([MASK] * p.length)
        lines.append(
            f"The best possible decoder needs {float(serial.rounds):.4g} rounds to lose nothing; "
            f"it begins with {'site' if len(sites) == 1 else 'sites'} "
            f"{', '.join(map(str, sites))} (counted from 0)."
        )
    return lines


def _tries(chance: float) -> str:
    """How many tries it takes on average.

    >>> _tries(1 / 69.3), _tries(1 / 1023)
    ('69.3', '1023')
    """
    return f"{1 / chance:.3g}" if chance > 0.01 else f"{1 / chance:.0f}"


def to_json(name: str, p: Distribution, comparison: Comparison, temperature: float = 1.0) -> str:
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
        "temperature": temperature,
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
