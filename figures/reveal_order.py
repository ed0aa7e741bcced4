"""When each site is revealed: by confidence, by confidence from the right, and by the best."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from sims import decode, frontier, policies
from sims.order.statistics import Order, order, order_of
from theory import HiddenMarkovModel, corpora, gallery

__all__ = ["FIGURE"]

SEED, DRAWN, WORDS = 0, 2000, 12
"""Sudokus, and twelve words of a chain, are drawn: their tables are too large."""

NOISE = 0.2
HIDDEN = ([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], [[1 - NOISE, NOISE], [NOISE, 1 - NOISE]], 7)
CLAUSES = [(0, 1, 2), (1, 2, 3), (0, 2, 3)]
DATA: dict[str, tuple[Any, tuple[int, ...]]] = {
    "chain": (gallery.binary_symmetric(7, 0.1), (0,)),
    "hidden chain": (HiddenMarkovModel(*HIDDEN), (0,)),
    "four letters": (gallery.words(4), ()),
    "words": (corpora.english().chain(WORDS), (0,)),
    "parity": (gallery.parity(7), ()),
    "permutations": (gallery.permutations(5), ()),
    "latents first": (gallery.nae_sat(4, CLAUSES), ()),
    "Sudoku": (gallery.sudoku(), ()),
}
DECODERS = {
    "by confidence": policies.TopK(1),
    "ties from the right": policies.Mirrored(policies.TopK(1)),
    "the best": None,
}


def _order(p: Any, observed: tuple[int, ...], decoder: Any) -> Order | None:
    """None where it is not known."""
    if p.length > 10:
        if decoder is None:
            return None
        rng = np.random.default_rng(SEED)
        drawn = {"observed": observed, "trajectory": True, "progress": False}
        return order_of(decode(p, decoder, rng, DRAWN, **drawn), observed)
    if decoder is not None:
        return order(p, decoder, observed=observed)
    # the best possible one starts from nothing
    return order(p, frontier(p, [math.inf])[0].policy)


def _rows() -> Iterator[tuple[str, str, Order]]:
    for name, (p, observed) in DATA.items():
        for label, decoder in DECODERS.items():
            found = _order(p, observed, decoder)
            if found is not None:
                yield name, label, found


def compute() -> Data:
    """Probabilities of being revealed in each round, and correlations with left to right."""
    times, numbers = [], []
    for name, label, found in _rows():
        for t, row in enumerate(found.revealed):
            times += [
                (name, label, t + 1, site + 1, round(float(probability), 12))
                for site, probability in zip(found.sites, row, strict=True)
            ]
        measures = (found.kendall, found.spearman, found.adjacent, found.left_to_right)
        numbers.append(
            (name, label, len(found.revealed), *(round(float(v), 12) + 0.0 for v in measures))
        )
    return {
        "times": as_panel(("data", "decoder", "round", "site", "probability"), times),
        "numbers": as_panel(
            ("data", "decoder", "rounds", "kendall", "spearman", "adjacent", "left_to_right"),
            numbers,
        ),
    }


def draw(data: Data) -> Any:
    """A small heat map for each kind of data and each decoder."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import PowerNorm

    times, numbers = data["times"], data["numbers"]
    known = {key: k for k, key in enumerate(zip(numbers["data"], numbers["decoder"], strict=True))}
    figure, axes = plt.subplots(len(DECODERS), len(DATA), figsize=(6.75, 3.6))
    image, shades = None, PowerNorm(0.5, 0, 1)  # a share of a tenth is seen, too
    for row, label in zip(axes, DECODERS, strict=True):
        for axis, name in zip(row, DATA, strict=True):
            axis.set(xticks=[], yticks=[])
            if (name, label) not in known:
                axis.axis("off")
                axis.text(0.5, 0.5, "too\nlarge", ha="center", va="center", color="0.35", size=7)
                continue
            here = [
                k
                for k, key in enumerate(zip(times["data"], times["decoder"], strict=True))
                if key == (name, label)
            ]
            rounds = max(times["round"][k] for k in here)
            sites = max(times["site"][k] for k in here)
            cells = np.full((rounds, sites), np.nan)
            for k in here:
                cells[times["round"][k] - 1, times["site"][k] - 1] = times["probability"][k]
            image = axis.imshow(cells, cmap="cividis", norm=shades, aspect="auto")
            axis.set(xticks=[0, sites - 1], xticklabels=[1, sites])
            axis.set(yticks=sorted({0, rounds - 1}), yticklabels=sorted({1, rounds}))
            axis.tick_params(length=2, pad=1)
            value = numbers["kendall"][known[name, label]]
            axis.set_xlabel(rf"$\tau = {value + 0.0:.2f}$", labelpad=1, fontsize=7)
            axis.set_facecolor("0.85")
    for axis, name in zip(axes[0], DATA, strict=True):
        axis.set_title(name, loc="center", fontsize=7)
    for axis, label in zip(axes[:, 0], DECODERS, strict=True):
        axis.set_ylabel(f"{label}\nround", fontsize=7)
    figure.supxlabel(r"site; $\tau$ is Kendall's correlation with left to right", fontsize=8)
    assert image is not None
    bar = figure.colorbar(image, ax=axes, aspect=40, pad=0.01, ticks=[0, 0.02, 0.1, 0.25, 0.5, 1])
    bar.ax.minorticks_off()
    bar.ax.set_yticklabels(["0", "0.02", "0.1", "0.25", "0.5", "1"])
    bar.set_label("probability of being revealed (square-root scale)")
    return figure


FIGURE = Figure(
    name="reveal_order",
    title="When each site is revealed",
    caption=(
        "The probability that a site (across) is revealed in a round (down), by a perfect model. "
        "First row: the most confident site, equal ones from the left; second row: equal ones from "
        "the right; third row: the best possible decoder, of those that are lossless the one that "
        "needs the fewest rounds. What turns round from the first row to the second comes from the "
        "rule for ties and not from the data. Chain: 7 bits of which each differs from the last "
        "one time in ten; the first is given (grey) except in the third row. Hidden chain: the "
        "same, read with one error in five. Four letters: English words with their frequencies. "
        "Words: "
        f"{WORDS} words of a chain of English prose with an end of text, the first given; the "
        "most confident one is the end, far away. Parity: 7 bits with an even sum. Permutations of "
        "5. Latents first: 4 fair bits and 3 bits that say whether three of them are not all "
        "equal. Sudoku: 4 x 4, row by row. Words and Sudoku are from "
        f"{DRAWN} draws (seed {SEED}), all other columns exact. Where several decoders are best, "
        "the third row shows the first from the left: on the hidden chain and on permutations "
        "every order does as well."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="the seed's third reason (restated): the most reliable generation is autoregressive",
    claims=("E2",),
    long=True,
    parameters={
        "seed": SEED,
        "drawn": DRAWN,
        "words": WORDS,
        "noise": NOISE,
        "clauses": [list(c) for c in CLAUSES],
        "data": [*DATA],
    },
)
