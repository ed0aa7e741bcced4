"""Gain curves and growth complexities of a noisy repeated bit."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel, draw_published, published
from theory import gallery, information

__all__ = ["FIGURE"]

LENGTH = 128
NOISES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4)
DRAWN = (0.01, 0.1, 0.2, 0.3)
PUBLISHED_NOISE = 0.01
BLOCKS = (1, 2, 4, 8, 16, 32)
DIGITS = 8
"""Where the curve is flat, complexities are roots of what is rounding: 1e-15 gives 3e-8."""


def compute() -> Data:
    """Curves over the revealed share; complexities over the noise and the number of blocks."""
    odds = np.geomspace(1e-3, 1e3, 121)
    shares = odds / (1 + odds)
    curves = []
    for noise in DRAWN:
        curve = information.gain_curve(gallery.repeated_bit(LENGTH, noise=noise), base=2)
        heights = curve(shares) / curve(1)
        curves += [(noise, t, round(h, 12)) for t, h in zip(shares, heights.tolist(), strict=True)]
    blocks = [_of_blocks(count) for count in BLOCKS]
    names = ("noise", "tc_bits", "dtc_bits", "growth_bits", "one_block_bits", "continuum_bits")
    ratio = "one block over the continuum, noise 0.01"
    return {
        "curves": as_panel(("noise", "share", "gain_of_all"), curves),
        "complexities": as_panel(names, map(_of_noise, NOISES)),
        "blocks": as_panel(("blocks", "complexity_bits", "over_continuum"), blocks),
        "published": published([(ratio, 4.51, blocks[0][-1], "a table")]),
    }


def _ends() -> tuple[float, float]:
    return 1 / LENGTH, 1 - 1 / LENGTH


def _of_noise(noise: float) -> tuple[float, ...]:
    p = gallery.repeated_bit(LENGTH, noise=noise)
    curve = information.gain_curve(p, base=2)
    tc = float(curve.integral(0, 1))
    values = (
        tc,
        float(curve(1)) - tc,
        float(curve.growth(0, 1)),
        information.block_complexity(p, _ends(), base=2),
        information.continuum_complexity(p, *_ends(), base=2),
    )
    return noise, *(round(value, DIGITS) for value in values)


def _of_blocks(count: int) -> tuple[int, float, float]:
    """Blocks of equal length in log-odds."""
    p = gallery.repeated_bit(LENGTH, noise=PUBLISHED_NOISE)
    odds = np.geomspace(1 / (LENGTH - 1), LENGTH - 1, count + 1)
    value = information.block_complexity(p, odds / (1 + odds), base=2)
    least = information.continuum_complexity(p, *_ends(), base=2)
    return count, round(value, DIGITS), round(value / least, DIGITS)


STYLES = {
    "tc_bits": ("TC", "0.55", "-", "v"),
    "one_block_bits": ("one block", "#D55E00", "--", "s"),
    "continuum_bits": ("continuum", "#0072B2", "-", "o"),
    "dtc_bits": ("DTC", "#009E73", "-.", "^"),
    "growth_bits": ("growth G", "#CC79A7", ":", "D"),
}


def draw(data: Data) -> Any:
    """Curves, complexities against noise, complexities against blocks; a table below."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic(
        [["a", "b", "c"], ["table"] * 3], figsize=(6.75, 3.1), height_ratios=(1, 0.17)
    )
    _draw_curves(axes["a"], data["curves"])
    _draw_complexities(axes["b"], data["complexities"])
    blocks = data["blocks"]
    axes["c"].set_title("(c) blocks, noise 0.01")
    axes["c"].plot(blocks["blocks"], blocks["over_continuum"], "-", marker="o")
    axes["c"].axhline(1, color="0.6", linewidth=0.8, linestyle="--")
    axes["c"].text(1, 1.1, "continuum", fontsize=7, color="0.4")
    axes["c"].text(1.25, blocks["over_continuum"][0], "4.51", fontsize=7, va="center")
    axes["c"].set_xscale("log", base=2)
    axes["c"].set(xlabel="blocks K, equal in log-odds", ylabel="complexity over continuum")
    axes["c"].set(ylim=(0.8, 5), xticks=blocks["blocks"], xticklabels=blocks["blocks"])
    axes["c"].minorticks_off()
    draw_published(axes["table"], data["published"], "(d) published, and recomputed")
    return figure


def _draw_curves(axes: Any, curves: Any) -> None:
    axes.set_title("(a) gain curves, 128 sites")
    for noise, dash in zip(DRAWN, ("-", "--", "-.", ":"), strict=True):
        rows = zip(curves["noise"], curves["share"], curves["gain_of_all"], strict=True)
        points = [(t / (1 - t), h) for e, t, h in rows if e == noise]
        axes.plot(*zip(*points, strict=True), linestyle=dash, label=f"noise {noise:g}")
    axes.legend(loc="lower right")
    axes.set_xscale("log")
    axes.set(xlabel="odds of being revealed t/(1-t)", ylabel="gain h(t)/h(1)", xlim=(1e-3, 30))


def _draw_complexities(axes: Any, complexities: Any) -> None:
    axes.set_title("(b) complexities")
    places = {
        "tc_bits": (0.2, 50.0),
        "one_block_bits": (0.07, 10.5),
        "continuum_bits": (0.12, 1.65),
        "dtc_bits": (0.33, 1.1),
        "growth_bits": (0.16, 0.62),
    }
    for column, (label, colour, dash, marker) in STYLES.items():
        axes.plot(
            complexities["noise"],
            complexities[column],
            linestyle=dash,
            marker=marker,
            markersize=2.5,
            color=colour,
        )
        axes.text(*places[column], label, color=colour, fontsize=7)
    axes.set_yscale("log")
    axes.set(xlabel="noise of each copy", ylabel="complexity, bits", ylim=(0.3, 200))


FIGURE = Figure(
    name="growth_complexity",
    title="The growth complexity of a noisy repeated bit",
    caption=(
        "One bit, copied 128 times, each copy flipped with the probability given. (a) The gain "
        "curve over the odds of being revealed: noise moves it to the right. (b) Total "
        "correlations, growth complexity G, K-block complexity for K = 1 and its infimum (the "
        "continuum), the last two between the revealed shares 1/128 and 127/128. The loss of "
        "equal steps goes with TC + DTC, for little noise two orders above G. (c) K-block "
        "complexity over its infimum. The ratio for one block is a published one; which two "
        "quantities it compares, and between which shares, was found out by recomputing. The "
        "curves of the paper were not seen."
    ),
    compute=compute,
    draw=draw,
    relation="reproduces",
    source="Wainwright, arXiv 2608.13520: noisy repeated bit, 128 sites, noise 0.01",
    claims=("B4", "B7"),
    parameters={"length": LENGTH, "noises": NOISES, "blocks": BLOCKS},
    absolute_tolerance=5e-7,
)
