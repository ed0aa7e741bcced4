"""What training sees and inference visits: shares of mask patterns, exact."""

import math
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from sims import policies, training
from sims.policies import Decoder
from theory import corpora, gallery
from theory.distributions import Distribution

__all__ = ["FIGURE"]

LENGTHS = range(1, 65)
SITES = 8
BLOCK = 2
"""Size of the blocks."""


def _chain() -> Distribution:
    return gallery.binary_symmetric(SITES, 0.1)


def _latents() -> Distribution:
    return gallery.nae_sat(5, [(0, 1, 2), (1, 2, 3), (2, 3, 4)])


INFERENCE: dict[str, tuple[Any, Decoder]] = {
    "left to right": (_chain, policies.LeftToRight()),
    "two at once": (_chain, policies.LeftToRight(2)),
    "halving": (_chain, policies.Bisection()),
    "random order": (_chain, policies.FirstHitting()),
    "most confident, chain": (_chain, policies.TopK(1)),
    "most confident, latents": (_latents, policies.TopK(1)),
    "most confident, words": (lambda: gallery.words(4), policies.TopK(1)),
    "blocks, words": (lambda: gallery.words(4), policies.Blocks(2, policies.TopK(1))),
}
"""The first four meet the same masks whatever the data."""

TRAINING = {
    "uniform time": lambda n: training.uniform_time(n),
    "blocks of 2": lambda n: training.block_by_block(n, BLOCK),
    "left to right": lambda n: training.left_to_right(n),
    "prefixes in blocks": lambda n: training.prefix_of_block(n, BLOCK),
    "last block first": lambda n: training.last_to_first(n, BLOCK, stages=max(1, n // BLOCK // 2)),
}

DIGITS = 10


def compute() -> Data:
    """Shares of the prefixes, and how far training is from inference."""
    return {
        "lengths": as_panel(("length", "uniform_time", "coins", "middle"), _lengths()),
        "prefixes": as_panel(("training", "shown", "share"), _prefixes()),
        "mismatch": as_panel(("inference", "training", "tv", "unused", "untrained"), _mismatch()),
    }


def _lengths() -> Any:
    for n in LENGTHS:
        middle = 1 / ((n + 1) * math.comb(n, n // 2))
        yield n, float(training.share_on_prefixes(n)), (n + 1) / 2**n, middle


def _prefixes() -> Any:
    for name in ("uniform time", "blocks of 2", "left to right"):
        table = training.predicting(TRAINING[name](SITES))
        for k in range(SITES):
            yield name, k, float(table[(1,) * k + (0,) * (SITES - k)])


def _mismatch() -> Any:
    for name, (data, decoder) in INFERENCE.items():
        p = data()
        met = training.visited(p, decoder)
        met = np.where(met < 1e-12, 0.0, met)  # rounding is no visit
        for masks, make in TRAINING.items():
            found = training.mismatch(met / met.sum(), training.predicting(make(p.length)))
            shares = (found.tv, found.unused, found.untrained)
            yield name, masks, *(round(float(v), DIGITS) + 0.0 for v in shares)


STYLES = {
    "uniform time": ("#0072B2", "-", "o"),
    "blocks of 2": ("#009E73", "-.", "^"),
    "left to right": ("#D55E00", "--", "s"),
}

LABELS = {
    "left to right": ("left to right, as inference", 3.5, 0.28),
    "blocks of 2": ("blocks of 2", 3.0, 0.032),
    "uniform time": ("uniform time", 4.0, 0.0042),
}


def draw(data: Data) -> Any:
    """Shares of the prefixes above, three heat maps below."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 5.0))
    halves: Any = figure.subfigures(2, 1, height_ratios=(1.0, 1.15))
    above, below = halves
    pair: Any = above.subplots(1, 2)
    left, right = pair
    _draw_lengths(left, data["lengths"])
    _draw_prefixes(right, data["prefixes"])
    maps: Any = below.subplots(1, 3, sharey=True)
    for axes, column, title in zip(
        maps,
        ("tv", "unused", "untrained"),
        ("(c) total variation", "(d) training never asked for", "(e) calls never trained"),
        strict=True,
    ):
        axes.set_title(title)
        _draw_map(axes, data["mismatch"], column)
    return figure


def _draw_lengths(axes: Any, rows: Any) -> None:
    axes.set_title("(a) share of uniform-time training on prefixes")
    lines = {
        "uniform_time": ("all L + 1 prefixes", "#0072B2", "-", (20, 0.25)),
        "middle": ("the middle\none alone", "0.35", ":", (2.5, 3e-9)),
        "coins": ("if all patterns\nwere equally likely", "#CC79A7", "--", (24, 1e-4)),
    }
    for column, (label, colour, dashes, place) in lines.items():
        axes.plot(rows["length"], rows[column], dashes, color=colour)
        axes.text(*place, label, color=colour, fontsize=7, va="center")
    axes.set(yscale="log", ylim=(1e-10, 2), xlim=(0, 65), xticks=(1, 16, 32, 48, 64))
    axes.set(xlabel="length L", ylabel="share")


def _draw_prefixes(axes: Any, rows: Any) -> None:
    axes.set_title("(b) share of each prefix, 8 sites")
    for name, (colour, dashes, mark) in STYLES.items():
        here = [k for k, v in enumerate(rows["training"]) if v == name]
        x, y = ([rows[c][k] for k in here] for c in ("shown", "share"))
        axes.plot(x, y, dashes, marker=mark, color=colour)
    axes.set(yscale="log", ylim=(1e-3, 0.4), xlabel="sites shown", ylabel="share of training")
    for name, (text, x, y) in LABELS.items():
        axes.text(x, y, text, color=STYLES[name][0], fontsize=7, ha="center", va="center")


def _draw_map(axes: Any, rows: Any, column: str) -> None:
    names, masks = (list(dict.fromkeys(rows[key])) for key in ("inference", "training"))
    table = np.full((len(names), len(masks)), np.nan)
    for at, under, value in zip(rows["inference"], rows["training"], rows[column], strict=True):
        table[names.index(at), masks.index(under)] = value
    axes.imshow(table, cmap="Greys", vmin=0, vmax=1.35, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        text = "0" if value == 0 else f"{value:.2f}".lstrip("0") if value < 0.995 else "1"
        colour = "1" if value > 0.75 else "0"
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(masks)), masks, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.axhline(3.5, color="0.4", linewidth=0.8)
    axes.tick_params(length=0)


FIGURE = Figure(
    name="training_masks",
    title="What training sees and inference visits",
    caption=(
        "Which sites are shown to the denoiser. (a) Share of training at uniform time on the L + 1 "
        "prefixes, which are all that left-to-right inference meets: about 2/L, rare polynomially, "
        "as the two ends carry it; a middle prefix alone is exponentially rare. (b) Share of each "
        "prefix that hides something; inference from left to right meets each once. (c-e) Exact "
        "comparison of what a decoder asks about (rows) and what training shows (columns), given "
        "that something is hidden: total variation, the share of training on patterns that the "
        "decoder never meets, and the share of its calls on patterns that training never shows. "
        "Above the line: decoders that meet the same masks on all data, 8 sites; below: the most "
        "confident site first, on a chain of 8 bits (of equals the leftmost, which makes it left "
        "to right), on five latent bits and three clauses, and on four-letter words, there also in "
        "two blocks. The last two columns are readings of ours of a strategy whose algorithm was "
        "not seen, blockwise reverse order: prefixes in blocks, hidden from the right within a "
        "block of 2; last block first, here half-way through (when it is done it is blocks of 2)."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="strategies: arXiv 2510.03289 (restated); the numbers are derived here",
    claims=("E1",),
    parameters={
        "flip": 0.1,
        "sites": SITES,
        "block": BLOCK,
        "inference": {name: repr(decoder) for name, (_, decoder) in INFERENCE.items()},
        "corpus": corpora.made_from(),
    },
)
