"""How fast far predictions approach their limit, after one token and between two."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from theory import MarkovChain, corpora, gallery, homogenization

__all__ = ["FIGURE"]

FARTHEST = 40
LENGTHS = (9, 17, 33, 65)
FLIP = 0.1
ENDS = ("return", "value")
SHOWN = 1e-6
"""Distances to the limit below this are not drawn."""


def _chains(length: int) -> dict[str, MarkovChain]:
    to_the_next = [[0.75, 0.25, 0.0], [0.0, 0.75, 0.25], [0.25, 0.0, 0.75]]
    return {
        "flip 0.03": gallery.binary_symmetric(length, 0.03),
        "flip 0.1": gallery.binary_symmetric(length, 0.1),
        "flip 0.3": gallery.binary_symmetric(length, 0.3),
        "round three tokens": MarkovChain([1.0, 0.0, 0.0], to_the_next, length),
        "English words": corpora.english().chain(length),
    }


def compute() -> Data:
    """Measured distances to the limit, and what the decision predicts of them."""
    return {
        "one_side": as_panel(("chain", "distance", "measured", "predicted"), _one_side()),
        "periodic": as_panel(("distance", "to_the_next"), _periodic()),
        "middle": as_panel(("length", "from_middle", "measured"), _middle()),
        "words": as_panel(("known", "distance", "measured", "predicted"), _words()),
    }


def _one_side() -> Any:
    """After the worst token, through powers of the matrix."""
    for name, p in _chains(FARTHEST + 1).items():
        found = homogenization.decide(p)
        limits = np.asarray(found.limits)  # all of these chains have limits
        reached = ~np.isnan(limits[:, 0])
        for n in range(1, FARTHEST + 1):
            off = np.abs(p.power(n) - limits)[reached].sum(axis=1).max() / 2
            if off > SHOWN:
                yield name, n, float(off), float(found.constant * found.rate**n)


def _periodic() -> Any:
    p = gallery.periodic(FARTHEST + 2)
    seen = homogenization.worst(p, [0])
    return zip(range(1, FARTHEST + 1), seen.neighbour_tv[:FARTHEST].tolist(), strict=True)


def _middle() -> Any:
    """Between the worst tokens at both ends."""
    for length in LENGTHS:
        p = gallery.binary_symmetric(length, FLIP)
        limit = homogenization.decide_middle(p).limit
        seen = homogenization.worst(p, [0, length - 1], limit=limit)
        for site, off in zip(seen.sites.tolist(), seen.limit_tv.tolist(), strict=True):
            yield length, site - (length - 1) // 2, off


def _words() -> Any:
    """After a word, with the text's end absorbing; and in the middle between two words."""
    chain = corpora.english().chain(2)
    left, right = (corpora.english().vocabulary.index(word) for word in ENDS)
    after = homogenization.decide(chain)
    for n in range(1, FARTHEST + 1):
        off = float(np.abs(chain.power(n)[left] - after.limit).sum()) / 2
        yield "one word", n, off, float(after.rate**n)
    between = homogenization.decide_middle(chain, left, right)
    for n in range(1, FARTHEST + 1):
        bridge = chain.power(n)[left] * chain.power(n)[:, right]
        off = float(np.abs(bridge / bridge.sum() - between.limit).sum()) / 2
        if off > SHOWN:
            yield "two words", n, off, float(between.rate**n)


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "0.3")
MARKS = ("o", "s", "^", "D", "v")


def draw(data: Data) -> Any:
    """One side, the middle, and words."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic([["a", "b", "c"]], figsize=(6.75, 2.9))
    _draw_one_side(axes["a"], data["one_side"], data["periodic"])
    _draw_middle(axes["b"], data["middle"])
    _draw_words(axes["c"], data["words"])
    for axis in axes.values():
        axis.set(yscale="log", ylim=(SHOWN, 3))
    axes["a"].set_ylabel("TV to the limit")
    return figure


def _where(rows: Any, key: str, value: Any, *columns: str) -> list[list[Any]]:
    here = [k for k, v in enumerate(rows[key]) if v == value]
    return [[rows[column][k] for k in here] for column in columns]


LABELS = {
    "flip 0.03": (22, 0.16),
    "flip 0.1": (27, 2.2e-3),
    "flip 0.3": (15, 2.2e-6),
    "round three tokens": (28.5, 1.3e-5),
    "English words": (26, 0.5),
}


def _draw_one_side(axes: Any, rows: Any, periodic: Any) -> None:
    axes.set_title("(a) after one token")
    axes.plot(periodic["distance"], periodic["to_the_next"], color="0.7", linewidth=0.8)
    axes.text(1, 1.25, "period 2, to the next: never", fontsize=6.5, color="0.5")
    for k, (name, place) in enumerate(LABELS.items()):
        distance, measured, predicted = _where(
            rows, "chain", name, "distance", "measured", "predicted"
        )
        axes.plot(distance, predicted, "-", color=COLOURS[k], linewidth=0.8)
        axes.plot(distance, measured, MARKS[k], color=COLOURS[k], markersize=2.5, markevery=2)
        axes.text(*place, name.replace(" t", "\nt"), fontsize=6.5, color=COLOURS[k])
    axes.set(xlabel="distance", xlim=(0, FARTHEST + 1), xticks=(1, 10, 20, 30, 40))


def _draw_middle(axes: Any, rows: Any) -> None:
    axes.set_title("(b) between two tokens")
    for k, length in enumerate(LENGTHS):
        place, measured = _where(rows, "length", length, "from_middle", "measured")
        axes.plot(place, measured, "-", marker=MARKS[k], markersize=2, color=COLOURS[k])
        middle = measured[len(measured) // 2]
        axes.text(0, middle / 1.9, f"{length}", fontsize=7, color=COLOURS[k], ha="center")
    axes.set(xlabel="site, from the middle", xlim=(-34, 34), xticks=(-32, -16, 0, 16, 32))


def _draw_words(axes: Any, rows: Any) -> None:
    axes.set_title("(c) English words")
    labels = {
        "one word": (9, 0.16, "after one:\nthe end wins"),
        "two words": (13, 8e-4, "between two:\nthe text goes on"),
    }
    for k, (known, (x, y, label)) in enumerate(labels.items()):
        distance, measured, predicted = _where(
            rows, "known", known, "distance", "measured", "predicted"
        )
        axes.plot(distance, predicted, "-", color=COLOURS[k], linewidth=0.8)
        axes.plot(distance, measured, MARKS[k], color=COLOURS[k], markersize=2.5)
        axes.text(x, y, label, fontsize=7, color=COLOURS[k], va="top")
    axes.set(xlabel="distance from the nearer word", xlim=(0, FARTHEST + 1))
    axes.set(xticks=(1, 10, 20, 30, 40))


FIGURE = Figure(
    name="conjecture_rate",
    title="The conjecture and its rate",
    caption=(
        "Total variation between a prediction and its limit; marks are computed through powers of "
        "the transition matrix, lines are what is decided from its eigenvalues. (a) After the "
        "worst token, n sites further: constant times rate^n (lines) for bits that flip, for a "
        "chain that goes round three tokens (complex eigenvalues: it touches its line again and "
        "again), and for the words of Python's documentation, whose texts end for good. With a "
        "period of 2, neighbouring predictions (grey) stay at 1. (b) Both ends of a sequence "
        "of bits that flip one time in ten, observed at their worst, for lengths 9 to 65: the "
        "middle forgets them like 0.8^n in the distance to the nearer end. (c) After the word "
        "'return' the end of the text takes over, at the rate 0.967. Between 'return' and "
        "'value', as far from each, the end cannot "
        "have come: the limit is quasi-stationary, and its rate, 0.384, another (lines: rate^n). "
        "The conjecture is from Section 3.2.3 of arXiv 2510.03289 as quoted elsewhere; it names no "
        "metric and no rate. Total variation, limits and rates are ours."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="conjecture: arXiv 2510.03289, Section 3.2.3, as quoted on an open-problem page",
    claims=("D1", "D2", "D3"),
    parameters={
        "farthest": FARTHEST,
        "lengths": list(LENGTHS),
        "flip": FLIP,
        "words": list(ENDS),
    },
)
