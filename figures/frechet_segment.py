"""One prediction, many joints: 2 x 2 tables with the same margins."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from theory import MASK, JointTable, information

__all__ = ["FIGURE"]

MARGINS = ((Fraction(1, 2), Fraction(1, 2)), (Fraction(7, 10), Fraction(2, 5)))
TABLES = (Fraction(-1, 4), Fraction(-1, 8), Fraction(0), Fraction(1, 8), Fraction(1, 4))
POINTS = 80


def compute() -> Data:
    """Five tables of the segment, and the cost of one parallel step along two segments."""
    tables: dict[str, list[Any]] = {
        name: []
        for name in ("epsilon", "p00", "p01", "p10", "p11", "first_is_0", "second_is_0", "bits")
    }
    a, b = MARGINS[0]
    for epsilon in TABLES:
        p = _joint(a, b, epsilon)
        first, second = p.denoise([MASK, MASK])
        numbers = [*p.table().reshape(-1), first[0], second[0], _cost(p)]
        for name, value in zip(tables, [epsilon, *numbers], strict=True):
            tables[name].append(float(value))
    segment: dict[str, list[Any]] = {
        name: [] for name in ("a", "b", "epsilon", "first_is_0", "second_is_0", "bits")
    }
    for a, b in MARGINS:
        low, high = -min(a * b, (1 - a) * (1 - b)), min(a * (1 - b), (1 - a) * b)
        for k in range(POINTS + 1):
            t = Fraction(k, POINTS)
            epsilon = low + (high - low) * t**2 * (3 - 2 * t)  # denser where the slope is steep
            p = _joint(a, b, epsilon)
            first, second = p.denoise([MASK, MASK])
            row = (a, b, epsilon, first[0], second[0], _cost(p))
            for name, value in zip(segment, row, strict=True):
                segment[name].append(float(value))
    return {"tables": tables, "segment": segment}


def _joint(a: Fraction, b: Fraction, epsilon: Fraction) -> JointTable:
    cells = [[a * b + epsilon, a * (1 - b) - epsilon], [(1 - a) * b - epsilon, 0]]
    cells[1][1] = 1 - sum(map(sum, cells))
    return JointTable(np.asarray(cells, dtype=object), exact=True)


def _cost(p: JointTable) -> float:
    return float(information.total_correlation(p)) / math.log(2)


BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(data: Data) -> Any:
    """Five tables on top, the cost along the segment below."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 3.3))
    grid = figure.add_gridspec(2, len(TABLES), height_ratios=(1, 1.35))
    for k in range(len(TABLES)):
        row = {name: values[k] for name, values in data["tables"].items()}
        _draw_table(figure.add_subplot(grid[0, k]), row)
    below = figure.add_subplot(grid[1, :])
    _draw_segment(below, data["segment"])
    below.plot(data["tables"]["epsilon"], data["tables"]["bits"], "o", color=BLUE)
    return figure


def _draw_table(axes: Any, row: dict[str, float]) -> None:
    cells = [[row["p00"], row["p01"]], [row["p10"], row["p11"]]]
    axes.imshow(cells, cmap="Blues", vmin=0, vmax=0.75)
    for i in range(2):
        for j in range(2):
            axes.text(j, i, f"{cells[i][j]:.3g}", ha="center", va="center", fontsize=7)
    axes.set_xticks([0, 1], ["York", "Angeles"])
    axes.set_yticks([0, 1], ["New", "Los"])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    first, second = row["first_is_0"], row["second_is_0"]
    axes.set_title(f"p(New) = {first:g}\np(York) = {second:g}", fontsize=7)
    unit = "bit" if row["bits"] == 1 else "bits"
    lost = f"{row['bits']:.2g} {unit} lost" if row["bits"] else "nothing lost"
    axes.set_xlabel(rf"$\varepsilon = {row['epsilon']:g}$: {lost}", fontsize=7)


def _draw_segment(axes: Any, segment: Any) -> None:
    pairs = sorted(set(zip(segment["a"], segment["b"], strict=True)))
    for (a, b), style in zip(pairs, ({"color": BLUE}, {"color": ORANGE, "ls": "--"}), strict=True):
        here = [k for k, at in enumerate(segment["a"]) if (at, segment["b"][k]) == (a, b)]
        x, y = ([segment[name][k] for k in here] for name in ("epsilon", "bits"))
        axes.plot(x, y, **style)
        axes.plot([x[0], x[-1]], [y[0], y[-1]], "o", color=style["color"])
        label = f"p(New) = {a:g}, p(York) = {b:g}"
        axes.text(x[0] + 0.008, y[0], label, color=style["color"], va="center")
    axes.set(
        xlabel=r"dependence $\varepsilon$ = p(New York) $-$ p(New) p(York)",
        ylabel="lost in one\nparallel step (bits)",
        ylim=(-0.04, 1.08),
    )


FIGURE = Figure(
    name="frechet_segment",
    title="One prediction, many joints",
    caption=(
        "Top: five joint distributions of two words with the same margins. The zero-loss "
        "denoiser, asked with both words masked, predicts the same p(New) and p(York) for all of "
        "them, so a decoder that writes both words at once writes the same thing, whatever the "
        "data. Bottom: what that loses, the total correlation in bits, along all joints with "
        "these margins, for two pairs of margins; the dots are the tables above. Computed in "
        "rational arithmetic. The segments end where a cell reaches zero (Fréchet's bounds)."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="illustrates R1 of arXiv 2510.03289; the segment is textbook (Fréchet)",
    claims=("A5",),
    parameters={
        "margins": [[str(v) for v in pair] for pair in MARGINS],
        "tables": [str(v) for v in TABLES],
        "points": POINTS,
    },
)
