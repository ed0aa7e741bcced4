"""How often an ancestral sampler has to call its denoiser."""

from fractions import Fraction
from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel, draw_published
from sims import output_distribution, policies
from theory import closed_forms, gallery

__all__ = ["FIGURE"]

LENGTHS = (1024, 256, 64, 16)
STEPS = sorted({round(2 ** (k / 4)) for k in range(57)})
DECODED_LENGTHS = (4, 3, 2)
DECODED_STEPS = (1, 2, 3, 4, 6, 8, 12)
WRITTEN_OUT = (2, 12)


def compute() -> Data:
    """The formula for long sequences; for short ones, the same by decoding, in Fractions."""
    calls = [(n, steps, closed_forms.expected_calls(n, steps)) for n in LENGTHS for steps in STEPS]
    decoded, rows = [], []
    for length in DECODED_LENGTHS:
        for steps in DECODED_STEPS:
            formula = closed_forms.expected_calls(length, steps, exact=True)
            found = _decoded(length, steps)
            decoded.append((length, steps, float(formula), float(found)))
            if steps in WRITTEN_OUT:
                quantity = f"calls for {length} tokens in {steps} steps"
                numbers = (float(formula), float(found), float(found - formula))
                rows.append((quantity, *numbers, "formula from memory"))
    return {
        "calls": as_panel(("length", "steps", "calls"), calls),
        "decoded": as_panel(("length", "steps", "formula", "decoded"), decoded),
        "formula": as_panel(("quantity", "formula", "decoded", "difference", "seen"), rows),
    }


def _decoded(length: int, steps: int) -> float:
    """Expected rounds of the sampler on even parity; they are the same for any data."""
    times = [Fraction(k, steps) for k in range(steps + 1)]
    p = gallery.parity(length, exact=True)
    return output_distribution(p, policies.Bernoulli(times)).expected_rounds


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^")


def draw(data: Data) -> Any:
    """Long sequences on the left, short ones on the right, some numbers below."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 4.1))
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 0.46))
    _draw_long(figure.add_subplot(grid[0, 0]), data["calls"])
    _draw_short(figure.add_subplot(grid[0, 1]), data["decoded"])
    below = figure.add_subplot(grid[1, :])
    draw_published(below, data["formula"], "(c) the formula against decoding, in rational numbers")
    return figure


def _of(rows: Any, length: int, column: str) -> tuple[list[int], list[float]]:
    here = [k for k, n in enumerate(rows["length"]) if n == length]
    return [rows["steps"][k] for k in here], [rows[column][k] for k in here]


def _draw_long(axes: Any, rows: Any) -> None:
    axes.set_title("(a) calls of the denoiser")
    every = sorted(set(rows["steps"]))
    axes.plot(every, every, "-", color="0.75", linewidth=0.8, zorder=0)
    axes.text(700, 1700, "one for\neach step", color="0.5", fontsize=7, ha="right", va="center")
    for length, colour, dashes in zip(LENGTHS, COLOURS, DASHES, strict=True):
        steps, calls = _of(rows, length, "calls")
        axes.plot(steps, calls, color=colour, linestyle=dashes)
        label = f"{length} tokens"
        axes.text(steps[-1], calls[-1] * 1.1, label, color=colour, fontsize=7, ha="right")
    axes.set(xscale="log", yscale="log", xlabel="steps", ylabel="expected calls")
    axes.set(xlim=(1, every[-1] * 1.1), ylim=(1, 4000))


def _draw_short(axes: Any, rows: Any) -> None:
    axes.set_title("(b) the same by decoding")
    for length, colour, dashes, mark in zip(DECODED_LENGTHS, COLOURS, DASHES, MARKS, strict=False):
        axes.plot(*_of(rows, length, "formula"), color=colour, linestyle=dashes)
        steps, found = _of(rows, length, "decoded")
        axes.plot(steps, found, mark, color=colour, markerfacecolor="white")
        axes.text(
            steps[-1] + 0.6, found[-1], f"{length} tokens", color=colour, fontsize=7, va="center"
        )
    axes.set(xlabel="steps", ylabel="expected calls", xlim=(0, 15), ylim=(0.8, 4.1))
    axes.set(xticks=(1, 4, 8, 12), yticks=(1, 2, 3, 4))


FIGURE = Figure(
    name="expected_calls",
    title="How often the denoiser is called",
    caption=(
        "An ancestral sampler of n equal steps, with the predictions kept until a step reveals "
        "something: its expected number of calls is n (1 - (1 - 1/n)^L) for L tokens. (a) The "
        "formula for long sequences: never more than one call for each step (grey), nor for each "
        "token. (b) The formula (lines) and the expected rounds of the sampler computed exactly "
        "(marks). (c) Some of them; the difference is exactly 0 in rational arithmetic. The "
        "formula is remembered from RADD, whose own table of calls was not seen, so no published "
        "number stands here beside ours."
    ),
    compute=compute,
    draw=draw,
    relation="analogue",
    source="RADD, arXiv 2406.03736, from memory; its table was not seen",
    claims=("C6",),
    parameters={
        "lengths": list(LENGTHS),
        "steps": [STEPS[0], STEPS[-1]],
        "decoded_lengths": list(DECODED_LENGTHS),
        "decoded_steps": list(DECODED_STEPS),
    },
)
