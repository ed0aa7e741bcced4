"""Print a comparison as a table with what it says, or give it as JSON."""

import math

from rich.table import Table

from sims.comparison.compare import Comparison
from sims.optimal.frontier import frontier
from sims.policies import RandomOrder
from theory import MASK, information
from theory._console.console import Fitting, output_console
from theory._console.format import as_json
from theory._core.plurals import counted
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution

__all__ = ["print_comparison", "to_json"]

GIVES_WAY = ("writes", "TV", "path KL", "valid")
"""Columns that narrow outputs do without, the first to go first."""

MAX_EDGES = 10**10
"""The best decoder of a chain is looked for up to this number of `_edges`."""

ROUNDING = 1e-10
"""What is nearer to 0 or 1 than this is shown as that."""


def print_comparison(
    name: str, p: Distribution, comparison: Comparison, temperature: float = 1.0
) -> None:
    """Print the table and what it says."""
    console = output_console(highlight=False)
    console.print(_heading(name, p, temperature), markup=False, soft_wrap=True)
    console.print(Fitting(_table(comparison), gives_way=GIVES_WAY))
    for line in _sentences(p, comparison):
        console.print(line, markup=False)


def _heading(name: str, p: Distribution, temperature: float) -> str:
    entropy = float(information.entropy(p))
    correlation = float(information.total_correlation(p))
    size = f"{counted(p.length, 'site')}, {counted(p.vocab, 'token')}"
    return (
        f"{name}: {size}, entropy {entropy:.4g} nats, "
        f"total correlation {correlation:.4g} nats. The denoiser is perfect"
        + ("." if temperature == 1 else f", tokens are drawn at temperature {temperature:g}.")
    )


def _table(comparison: Comparison) -> Table:
    table = Table()
    table.add_column("decoder", overflow="fold")
    for column in ("rounds", "KL", "path KL", "TV", "valid", "regret"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("writes", overflow="fold")
    for row in comparison.rows:
        examples = (" " if all(" " not in e for e in row.examples) else "\n").join(row.examples)
        table.add_row(
            row.decoder.replace("[", r"\["),
            f"{row.rounds:.2f}",
            *map(_short, (row.kl, row.path_kl, row.tv)),
            _share(row.valid_mass),
            _short(row.regret),
            examples.replace("[", r"\["),
        )
    return table


def _short(value: float | None) -> str:
    """Four decimals, without the rounding noise around zero.

    >>> _short(-1e-17), _short(None), _short(math.inf)
    ('0', '–', 'inf')
    """
    if value is None or math.isnan(value):
        return "–"
    if abs(value) < ROUNDING:
        return "0"
    digits = ".4f" if abs(value) >= 1e-4 else ".0e"
    return format(value, digits)


def _share(value: float) -> str:
    """Four decimals of a probability; only what is 1 is shown as that.

    >>> _share(1 - 1e-17), _share(0.999999), _share(0.25)
    ('1', '0.9999', '0.2500')
    """
    if value > 1 - ROUNDING:
        return "1"
    return _short(min(value, 0.9999))


def _sentences(p: Distribution, comparison: Comparison) -> list[str]:
    lines = [
        "KL: of what is written, KL(p || q) in nats. path KL: its mean over the policy's "
        "paths, before they are mixed. rounds: expected denoiser calls on the data (as written, "
        "where tokens are remasked or drawn first). valid: probability of a sequence that the "
        "data contain. regret: path KL, or else KL, above the optimum with as many rounds."
    ]
    first = comparison.rows[0]
    if first.decoder == repr(RandomOrder((comparison.masked,))) and first.valid_mass < 1 - ROUNDING:
        often = f"once in {_tries(first.valid_mass)} tries" if first.valid_mass else "never"
        lines.append(f"All sites at once, the perfect model writes a sequence of the data {often}.")
    if any(row.regret is not None and row.regret < -ROUNDING for row in comparison.rows):
        lines.append(
            "A negative regret is no mistake: policies that draw before they select, or remask, "
            "do not compete in the optimum."
        )
    moved = [(row.decoder, row.ties) for row in comparison.rows if (row.ties or 0) > ROUNDING]
    if moved:
        lines.append(
            "Scores tie on these data; ties went to the lowest index. To the highest, what is "
            "written moves by a TV of "
            + ", ".join(f"{_short(tv)} for {decoder}" for decoder, tv in moved)
            + "."
        )
    if comparison.serial is not None:
        sites = comparison.serial.policy.sites([MASK] * p.length)
        lines.append(
            "Of the deterministic policies that select sites before they draw, the best needs "
            f"{counted(float(comparison.serial.rounds), 'round')} to be lossless; it begins with "
            f"{'site' if len(sites) == 1 else 'sites'} {_ranges(sites)} (counted from 0)."
        )
    elif isinstance(p, MarkovChain) and not p.exact and _edges(p) <= MAX_EDGES:
        least = frontier(p, rounds=p.length.bit_length(), progress=False)
        lines.append(
            "Policies that select sites before they draw and never need more than "
            f"{', '.join(str(best.rounds) for best in least)} rounds have a path KL of at least "
            f"{', '.join(_short(float(best.kl)) for best in least)}."
        )
    else:
        lines.append("The best possible decoder, and so the regret, is too large to be looked for.")
    for decoder, reason in comparison.left_out.items():
        lines.append(f"Left out: {decoder}, since {reason}.")
    return lines


def _edges(p: Distribution) -> int:
    """Pairs of sites in gaps, with both ends and one token between."""
    return p.length**3 * (p.vocab + 1) ** 3


def _ranges(sites: tuple[int, ...]) -> str:
    """Write increasing numbers, three and more neighbours as a range.

    >>> _ranges((0, 1, 2, 5, 6))
    '0-2, 5, 6'
    """
    runs: list[list[int]] = []
    for site in sites:
        if runs and site == runs[-1][-1] + 1:
            runs[-1].append(site)
        else:
            runs.append([site])
    short = (", ".join(map(str, r)) if len(r) < 3 else f"{r[0]}-{r[-1]}" for r in runs)
    return ", ".join(short)


def _tries(probability: float) -> str:
    """How many tries it takes on average.

    >>> _tries(1 / 69.3), _tries(1 / 1023)
    ('69.3', '1023')
    """
    return f"{1 / probability:.3g}" if probability > 0.01 else f"{1 / probability:.0f}"


def to_json(
    name: str,
    p: Distribution,
    comparison: Comparison,
    temperature: float = 1.0,
    seed: int = 0,
) -> str:
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
        "seed": seed,
        "decoders": comparison.rows,
        "frontier": corners,
        "left_out": comparison.left_out,
    }
    return as_json(content)
