"""Draw divergence against rounds: decoders as marks, the best possible ones as a line."""

import math
from collections.abc import Sequence
from typing import Any

from sims.comparison.compare import KINDS, Comparison

__all__ = ["draw_comparison", "draw_decoders"]

STYLES = dict(
    zip(
        KINDS,
        (("o", "#0072B2"), ("s", "#D55E00"), ("^", "#CC79A7"), ("x", "#009E73")),
        strict=True,
    )
)


def draw_decoders(
    axes: Any,
    corners: Sequence[tuple[float, float]],
    decoders: Sequence[tuple[str, float, float, float]],
) -> None:
    """Draw (rounds, KL) of the optimal corners and (kind, rounds, path KL, KL) of decoders.

    Where the two divergences of a decoder differ, a line goes from one to the other.
    """
    if corners:
        last = max([corners[-1][0], *(rounds for _, rounds, _, _ in decoders)])
        line = [*corners, (last, corners[-1][1])]
        axes.plot(
            *zip(*line, strict=True),
            "-",
            color="black",
            zorder=1,
            label="best that selects first",
        )
        axes.fill_between(*zip(*line, strict=True), color="0.9", zorder=0, linewidth=0)
    for kind, (marker, colour) in STYLES.items():
        every = [row[1:] for row in decoders if row[0] == kind and math.isfinite(row[3])]
        here = [(r, kl if math.isnan(path) else path) for r, path, kl in every]
        for (_, _, kl), (r, top) in zip(every, here, strict=True):
            if top - kl > 1e-9:
                axes.plot([r, r], [kl, top], "-", color=colour, linewidth=0.8, zorder=1.5)
        if here:
            face = colour if marker == "x" else "none"
            axes.scatter(
                *zip(*here, strict=True),
                marker=marker,
                s=16,
                edgecolors=None if marker == "x" else colour,
                facecolors=face,
                linewidths=0.9,
                label=kind,
                zorder=2,
            )


def draw_comparison(comparison: Comparison, title: str) -> Any:
    """Draw one comparison with a legend, as a Matplotlib figure."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.75, 4.2), layout="constrained")
    corners = [(float(c.rounds), float(c.kl)) for c in comparison.corners or ()]
    rows = [(row.kind, row.rounds, row.path_kl, row.kl) for row in comparison.rows]
    draw_decoders(axes, corners, rows)
    axes.set(xlabel="expected rounds (denoiser calls)", ylabel="path KL in nats")
    axes.set_title(title, parse_math=False)
    lost = sum(not math.isfinite(row.kl) for row in comparison.rows)
    if lost:
        axes.text(0.99, 0.98, f"{lost} infinite", transform=axes.transAxes, ha="right", va="top")
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure
