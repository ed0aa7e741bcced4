"""How little a permutation loses in so many rounds, and how few rounds a walk needs."""

import itertools
import math
from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel, draw_published, published
from sims import frontier
from theory import closed_forms, gallery, schedules

__all__ = ["FIGURE"]

LARGE, SMALL = 240, 8
SHOWN = (4, 8, 16, 32)
PROFILE = (3, 2, 2, 1)
SEEN = "its text"
DEPTHS = {1: 1.0, 2: 2.0, 3: 2.0, 4: 2.75, 5: 2.875}
"""Published least expected rounds of the Bernoulli walk at zero error, by its length."""


def compute() -> Data:
    """Least cost and that of equal batches for two lengths; schedules; exact depths of walks."""
    costs = [row for n in (SMALL, LARGE) for row in _costs(n)]
    batches = [
        (rounds, start, size)
        for rounds in SHOWN
        for start, size in _batches(closed_forms.permutation_schedule(LARGE, rounds))
    ]
    depths = {n: float(frontier(gallery.walk(n, exact=True), [math.inf])[0].rounds) for n in DEPTHS}
    best = closed_forms.permutation_frontier(SMALL, base=2)[len(PROFILE) - 1]
    equal = schedules.uniform(SMALL, len(PROFILE))
    here = f"n = {SMALL}, four rounds"
    rows = [
        (f"best cost of {here} (bits)", 1.51457, best, SEEN),
        (
            f"cost of its best profile {_spell(PROFILE)} (bits)",
            1.51457,
            closed_forms.permutation_cost(SMALL, PROFILE, base=2),
            SEEN,
        ),
        (
            f"cost of equal batches {_spell(equal)} (bits)",
            1.87072,
            closed_forms.permutation_cost(SMALL, equal, base=2),
            SEEN,
        ),
        *((f"walk of {n}: least expected rounds", DEPTHS[n], depths[n], SEEN) for n in DEPTHS),
    ]
    return {
        "costs": as_panel(("n", "rounds", "best_bits", "equal_bits"), costs),
        "batches": as_panel(("rounds", "start", "size"), batches),
        "depths": as_panel(("n", "published", "ours"), ((n, DEPTHS[n], depths[n]) for n in DEPTHS)),
        "published": published(rows),
    }


def _costs(n: int) -> list[tuple[int, int, float, float]]:
    best = closed_forms.permutation_frontier(n, base=2)
    rows = []
    for r in range(1, n + 1):
        equal = closed_forms.permutation_cost(n, schedules.uniform(n, r), base=2)
        rows.append((n, r, *(round(float(v), 10) + 0.0 for v in (best[r - 1], equal))))
    return rows


def _batches(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(itertools.accumulate(sizes, initial=0), sizes, strict=False))


def _spell(sizes: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, sizes)) + ")"


BEST, EQUAL = "#000000", "#CC79A7"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = ("-", "--", "-.", ":")


def draw(data: Data) -> Any:
    """Costs and schedules on top, the small cases below, the published numbers at the bottom."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 5.5))
    grid = figure.add_gridspec(3, 2, height_ratios=(1, 0.9, 0.72))
    axes = [figure.add_subplot(grid[i, j]) for i in range(2) for j in range(2)]
    _draw_large(axes[0], data["costs"])
    _draw_batches(axes[1], data["batches"])
    _draw_small(axes[2], data)
    _draw_depths(axes[3], data["depths"])
    draw_published(figure.add_subplot(grid[2, :]), data["published"], "(e) published numbers")
    return figure


def _of(rows: Any, n: int, column: str) -> list[tuple[int, float]]:
    every = zip(rows["n"], rows["rounds"], rows[column], strict=True)
    return [(r, bits) for length, r, bits in every if length == n]


def _draw_large(axes: Any, rows: Any) -> None:
    axes.set_title(f"(a) permutations of {LARGE}")
    for column, colour, dashes in (("equal_bits", EQUAL, "--"), ("best_bits", BEST, "-")):
        points = [(r, bits) for r, bits in _of(rows, LARGE, column) if bits > 0]
        axes.plot(*zip(*points, strict=True), color=colour, linestyle=dashes)
    axes.text(22, 60, "equal batches", color=EQUAL, fontsize=7)
    axes.text(16, 14, "best batches", color=BEST, fontsize=7, ha="right")
    axes.set(xscale="log", yscale="log", xlabel="rounds", ylabel="KL, bits", xlim=(0.9, 290))
    axes.set_xticks((1, 3, 10, 30, 100, 240), ("1", "3", "10", "30", "100", "240"))
    axes.minorticks_off()


def _draw_batches(axes: Any, rows: Any) -> None:
    axes.set_title(f"(b) best batches, permutations of {LARGE}")
    for rounds, colour, dashes in zip(SHOWN, COLOURS, DASHES, strict=True):
        here = [k for k, r in enumerate(rows["rounds"]) if r == rounds]
        edges = [*(rows["start"][k] for k in here), LARGE]
        sizes = [rows["size"][k] for k in here]
        axes.stairs(sizes, edges, baseline=None, color=colour, linestyle=dashes, linewidth=1.4)
        axes.text(4, sizes[0] * 1.06, f"{rounds} rounds", color=colour, fontsize=7, va="bottom")
    axes.set(yscale="log", xlabel="tokens written before", ylabel="tokens of the round")
    axes.set_yticks((1, 3, 10, 30, 100), ("1", "3", "10", "30", "100"))
    axes.minorticks_off()
    axes.set(xlim=(0, LARGE), ylim=(0.9, 150))


def _draw_small(axes: Any, data: Data) -> None:
    axes.set_title(f"(c) permutations of {SMALL}")
    for column, colour, dashes in (("equal_bits", EQUAL, "--"), ("best_bits", BEST, "-")):
        points = _of(data["costs"], SMALL, column)
        axes.plot(*zip(*points, strict=True), ".", color=colour, linestyle=dashes)
    for row, text, x, y in ((1, _spell(PROFILE), 3.85, 0.55), (2, "(2, 2, 2, 2)", 4.2, 2.4)):
        bits = data["published"]["published"][row]
        axes.plot(len(PROFILE), bits, "o", color=COLOURS[1], markerfacecolor="none", markersize=7)
        axes.text(x, y, text, fontsize=7, ha="right" if row == 1 else "left", color=COLOURS[1])
    axes.set(xlabel="rounds", ylabel="KL, bits")


def _draw_depths(axes: Any, rows: Any) -> None:
    axes.set_title("(d) Bernoulli walk, nothing lost")
    axes.plot(rows["n"], rows["ours"], "-", marker=".", color=BEST)
    axes.plot(
        rows["n"], rows["published"], "o", color=COLOURS[1], markerfacecolor="none", markersize=7
    )
    for x, y in zip(rows["n"], rows["ours"], strict=True):
        axes.text(x + 0.12, y - 0.13, f"{y:g}", fontsize=7, va="top")
    axes.set(xlabel="steps of the walk", ylabel="least expected rounds")
    axes.set(xticks=rows["n"], xlim=(0.7, 5.6), ylim=(0.6, 3.2), yticks=(1, 2, 3))


FIGURE = Figure(
    name="permutation_frontier",
    title="Permutations and walks: the least that can be lost",
    caption=(
        "(a) Least divergence of writing a uniform permutation of 240 tokens in so many rounds, "
        "against batches as equal as possible, the larger first: up to 2.4 times as much, at 120 "
        "rounds of two tokens. Both are 0 at 240 rounds, off the axis. (b) The best batches "
        "shrink with what is left. (c) The same for 8 tokens; circles: published costs of the "
        "best four rounds and of equal ones. (d) Least expected rounds at which a decoder of the "
        "Bernoulli walk is lossless, found by dynamic programming in rational arithmetic; "
        "circles: published. (e) All published values that were seen. Values for 240 tokens were "
        "not seen: (a) and (b) are the published recursion, evaluated here."
    ),
    compute=compute,
    draw=draw,
    relation="reproduces",
    source=(
        "Wen, Liang, Lu, arXiv 2608.25505: recursion (Theorems 6 to 9), profile and costs for 8 "
        "tokens, and depths of walks, read; curves for 240 tokens were not seen"
    ),
    claims=("B10", "B12", "B14"),
    parameters={
        "large": LARGE,
        "small": SMALL,
        "rounds": list(SHOWN),
        "walks": list(DEPTHS),
    },
)
