"""When the denoiser is not perfect: two parts of the loss, orders, circulation, windows."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from sims import Perturbed, policies
from sims.imperfect.crossover import crossover
from sims.imperfect.decomposition import split
from sims.imperfect.windowed import WindowedDenoiser, window_price
from sims.order.order_costs import AnyOrder
from theory import HiddenMarkovModel, JointTable, corpora, gallery
from theory.distributions import Distribution
from theory.loss.forward import Denoiser

__all__ = ["FIGURE"]

SEEDS = 16
"""Draws of the noise that numbers in (b) are averaged over."""
SIZES = ((4,), (2, 2), (1, 1, 2))
NOISES = (0.1, 0.25, 0.6, 1.4, 3.0)
FLIP = 0.1
LENGTH = 8
"""Of the data in (d), but for the words."""


def compute() -> Data:
    """Exact losses of decoders with denoisers that have errors of several kinds and sizes."""
    words = JointTable(gallery.words(4).table())  # its lattice answers at once
    chain = JointTable(gallery.binary_symmetric(6, FLIP).table())
    return {
        "parts": as_panel(("rounds", "noise", "loss", "learning", "factorisation"), _parts(words)),
        "crossings": as_panel(("rounds", "noise", "loss", "part"), _crossings(words)),
        "orders": as_panel(
            ("data", "error", "loss", "best", "worst", "left_to_right", "confidence"),
            [*_orders("words", words), *_orders("chain", chain)],
        ),
        "circulation": as_panel(
            ("error", "size", "loss", "spread", "mean_circulation", "largest_swap"),
            _circulation(words),
        ),
        "windows": as_panel(("data", "width", "random", "left_to_right"), _windows(words)),
    }


def _parts(p: Distribution) -> Iterator[tuple[Any, ...]]:
    for noise in NOISES:
        model = Perturbed(p, noise=noise)
        loss = AnyOrder(p, model).mean
        for sizes in SIZES:
            parts = split(p, policies.RandomOrder(sizes), denoiser=model)
            yield len(sizes), noise, loss, parts.learning, parts.factorisation


def _crossings(p: Distribution) -> Iterator[tuple[Any, ...]]:
    """Where the parts are equal, with noise."""
    for sizes in SIZES:
        found = crossover(
            p,
            policies.RandomOrder(sizes),
            lambda noise: Perturbed(p, noise=noise),
            largest=max(NOISES),
            steps=2,
        )
        yield len(sizes), found.size, found.loss, found.parts.factorisation


ERRORS: dict[str, Callable[[Distribution, float, int], Denoiser]] = {
    "noise": lambda p, size, seed: Perturbed(p, noise=size, seed=seed),
    "overconfident": lambda p, size, seed: Perturbed(p, temperature=1 / (1 + size)),
    "underconfident": lambda p, size, seed: Perturbed(p, temperature=1 + size),
    "smoothing": lambda p, size, seed: Perturbed(p, smoothing=size),
    "window": lambda p, size, seed: WindowedDenoiser(p, int(size)),
}
SHOWN = {"noise": 0.5, "overconfident": 0.5, "underconfident": 0.5, "smoothing": 0.1, "window": 2.0}


def _orders(name: str, p: Distribution) -> Iterator[tuple[Any, ...]]:
    """Divergences of writing one site at a time, as multiples of their mean over all orders."""
    for error, size in SHOWN.items():
        rows = []
        for seed in range(SEEDS if error == "noise" else 1):
            model = ERRORS[error](p, size, seed)
            orders = AnyOrder(p, model)
            left, confident = (
                orders.kl(range(p.length)),
                split(p, policies.TopK(1), denoiser=model).path_kl,
            )
            costs = np.asarray([orders.best, orders.worst, left, confident])
            rows.append([orders.mean, *(costs / orders.mean)])
        yield name, error, *(round(v, 12) + 0.0 for v in np.mean(rows, axis=0).tolist())


GROWING = {
    "noise": (0.05, 0.15, 0.5, 1.5),
    "overconfident": (0.05, 0.15, 0.5, 1.5),
    "smoothing": (0.001, 0.01, 0.1, 0.5),
}


def _circulation(p: Distribution) -> Iterator[tuple[Any, ...]]:
    for error, sizes in GROWING.items():
        for size in sizes:
            orders = AnyOrder(p, ERRORS[error](p, size, 0))
            found = orders.circulation
            yield error, size, orders.mean, orders.spread, float(found.mean), float(found.swap)


def _second_order(length: int) -> JointTable:
    """Bits that depend on the last two: probabilities of a 1 after 00, 01, 10 and 11."""
    probabilities = (0.9, 0.2, 0.7, 0.1)
    weights = np.empty((2,) * length)
    for x in np.ndindex(weights.shape):
        steps = [probabilities[2 * a + b] for a, b in itertools.pairwise(x)][:-1]
        drawn = [c if v else 1 - c for c, v in zip(steps, x[2:], strict=True)]
        weights[x] = np.prod(drawn)
    return JointTable(weights)


def _windows(words: Distribution) -> Iterator[tuple[Any, ...]]:
    """What a window costs for each token, in random order and from left to right."""
    hidden = HiddenMarkovModel(
        [0.5, 0.5], [[0.95, 0.05], [0.05, 0.95]], [[0.85, 0.15], [0.15, 0.85]], LENGTH
    )
    data = {
        "words": words,
        "chain, order 1": JointTable(gallery.binary_symmetric(LENGTH, FLIP).table()),
        "chain, order 2": _second_order(LENGTH),
        "hidden chain": JointTable(hidden.table()),
        "parity": gallery.parity(LENGTH),
    }
    for name, p in data.items():
        for width in range(p.length - 1):
            left = (
                split(p, policies.LeftToRight(), denoiser=WindowedDenoiser(p, width)).path_kl
                / p.length
            )
            yield name, width, round(window_price(p, width), 12), round(left, 12) + 0.0


# ---- drawing --------------------------------------------------------------------------------

BAR = ("#56B4E9", 0.6)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#444444")
MARKS = ("o", "s", "^", "D", "v")


def draw(data: Data) -> Any:
    """Four panels."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic([["a", "b"], ["c", "d"]], figsize=(6.75, 5.0))
    _draw_parts(axes["a"], data)
    _draw_orders(axes["b"], data["orders"])
    _draw_circulation(axes["c"], data["circulation"])
    _draw_windows(axes["d"], data["windows"])
    return figure


def _where(rows: Any, key: str, value: Any, *columns: str) -> list[list[Any]]:
    here = [k for k, v in enumerate(rows[key]) if v == value]
    return [[rows[column][k] for k in here] for column in columns]


def _draw_parts(axes: Any, data: Data) -> None:
    axes.set_title("(a) four letters in 1, 2 or 3 rounds")
    for k, sizes in enumerate(SIZES):
        rounds = len(sizes)
        loss, learning, factor = _where(
            data["parts"], "rounds", rounds, "loss", "learning", "factorisation"
        )
        axes.plot(loss, learning, "-", marker=MARKS[k], color=COLOURS[k], linewidth=1)
        axes.axhline(factor[0], color=COLOURS[k], linestyle="--", linewidth=0.9)
        ((at,), (part,)) = _where(data["crossings"], "rounds", rounds, "loss", "part")
        axes.plot(at, part, "o", markersize=9, fillstyle="none", color="0", markeredgewidth=1)
        axes.text(at / 1.3, part * 1.12, f"{at:.2g}", fontsize=7, ha="right", fontweight="bold")
        name = f"{rounds} round{'s' if rounds > 1 else ''}"
        axes.text(0.0068, factor[0] * 1.08, name, fontsize=7, color=COLOURS[k], va="bottom")
    axes.set(xscale="log", yscale="log", xlim=(0.006, 9), ylim=(0.006, 13))
    axes.set(xlabel="loss of the denoiser above the least, nats", ylabel="part of path KL, nats")
    axes.plot([], [], "-", color="0.3", linewidth=1, label="learning")
    axes.plot([], [], "--", color="0.3", linewidth=0.9, label="factorisation")
    marks = {"markersize": 9, "fillstyle": "none", "color": "0", "linestyle": "none"}
    axes.plot([], [], "o", **marks, label="as much, at this loss")
    axes.legend(loc="lower right")


def _draw_orders(axes: Any, rows: Any) -> None:
    axes.set_title("(b) one site at a time: all orders")
    count = len(rows["error"])
    labels, places = [], []
    for k in range(count):
        y = k + (0.8 if rows["data"][k] != rows["data"][0] else 0)
        places.append(y)
        labels.append(rows["error"][k])
        axes.plot(
            [rows["best"][k], rows["worst"][k]],
            [y, y],
            "-",
            color=BAR,
            linewidth=6,
            solid_capstyle="butt",
        )
        axes.plot(rows["left_to_right"][k], y, ">", color=COLOURS[1], markersize=5)
        axes.plot(rows["confidence"][k], y, "s", color="0", markersize=4, fillstyle="none")
    axes.axvline(1, color="0.4", linewidth=0.6, linestyle=":")
    axes.set_yticks(places, labels)
    axes.set(ylim=(max(places) + 2.3, -1.2), xlim=(-0.1, 2.6), xlabel="KL over its mean, the loss")
    for name, y in (("words, 4 letters", -0.75), ("chain, 6 bits", places[count // 2] - 0.75)):
        axes.text(2.6, y, name, ha="right", va="center", fontsize=7, style="italic")
    axes.plot([], [], "-", color=BAR, linewidth=6, label="best to worst")
    axes.plot([], [], ">", color=COLOURS[1], markersize=5, label="left to right")
    axes.plot([], [], "s", color="0", markersize=4, fillstyle="none", label="by confidence")
    axes.legend(loc="lower center", ncols=3, columnspacing=1, handlelength=1.2, fontsize=6.5)


def _draw_circulation(axes: Any, rows: Any) -> None:
    axes.set_title("(c) four letters: circulation and spread")
    for k, error in enumerate(GROWING):
        loss, spread, mean = _where(rows, "error", error, "loss", "spread", "mean_circulation")
        style = {"marker": MARKS[k], "color": COLOURS[k], "linewidth": 1}
        axes.plot(loss, mean, "--", **style, fillstyle="none")
        axes.plot(loss, spread, "-", **style)
        axes.plot([], [], linestyle="none", marker=MARKS[k], color=COLOURS[k], label=error)
    axes.plot([], [], "--", color="0.3", linewidth=1, label="mean |circulation|")
    axes.plot([], [], "-", color="0.3", linewidth=1, label="KL, worst less best order")
    axes.set(xscale="log", yscale="log", ylim=(2e-5, 3))
    axes.set(xlabel="loss of the denoiser above the least, nats", ylabel="nats")
    axes.legend(loc="lower right")


def _draw_windows(axes: Any, rows: Any) -> None:
    axes.set_title("(d) the price of a window")
    for k, name in enumerate(dict.fromkeys(rows["data"])):
        width, price, left = _where(rows, "data", name, "width", "random", "left_to_right")
        style = {"marker": MARKS[k], "color": COLOURS[k], "linewidth": 1}
        axes.plot(width, price, "-", **style)
        paid = [n for n, v in enumerate(left) if v > SHOWN_ABOVE]
        axes.plot([width[n] for n in paid], [left[n] for n in paid], ":", **style, fillstyle="none")
        x, y = PLACES[name]
        axes.text(x, y, name, fontsize=7, color=COLOURS[k])
    axes.set(yscale="log", xlim=(-0.2, 8.3), xticks=range(0, 7), ylim=(3e-6, 3))
    axes.set(xlabel="sites seen on each side", ylabel="nats for each token")
    axes.plot([], [], "-", color="0.3", linewidth=1, label="random order")
    axes.plot([], [], ":", color="0.3", linewidth=1, label="left to right")
    axes.legend(loc="lower left")


SHOWN_ABOVE = 1e-9
"""What is less is zero, and not drawn."""

PLACES = {
    "words": (1.2, 0.55),
    "chain, order 1": (6.2, 8e-5),
    "chain, order 2": (4.2, 1e-5),
    "hidden chain": (6.2, 3.2e-4),
    "parity": (6.2, 0.038),
}


FIGURE = Figure(
    name="imperfect_denoisers",
    title="When the denoiser is not perfect",
    caption=(
        "Exact losses with denoisers that have errors. (a) Words of four letters, written in one, "
        "two or three rounds of random order (4; 2, 2; 1, 1, 2) with noise on every logit: what "
        "was not learnt against the price of drawing at once, which no error changes. Circles: the "
        "loss above which most of what the decoder loses is what the model does not know. (b) One "
        "site at a time: divergences over all orders, best to worst, as multiples of their mean, "
        "which is the loss; dotted: 1. Noise of 0.5 (means over 16 draws), predictions to the "
        "power 1.5 (overconfident) or 1/1.5 (underconfident), a tenth of the uniform distribution "
        "mixed in (smoothing), and two sites seen on each side (window). An overconfident model is "
        "at its worst from left to right on a chain, a smoothed one at its best. Most confident "
        "first follows the errors: with noise it loses more than the mean order, and, as it goes "
        "by values too, more than every fixed order of the words if the model is overconfident. "
        "(c) The same words: how inconsistent a denoiser is, and how much its orders differ. A "
        "small error that excludes and allows the same tokens (noise, overconfidence) shows in "
        "circulation like the root of the loss, in the divergences like the loss. (d) What is lost "
        "for each token by a model that sees that many sites on each side, in random order (the "
        "loss in continuous time) and from left to right; 0 is not drawn. Words, and data of eight "
        "sites: bits that flip 1 in 10 times, bits that depend on the last two, a hidden state "
        "that flips 1 in 20 times and is shown wrongly 15 in 100 times, even parity. From left to "
        "right a window of the order is free; in random order no window is, as the next known site "
        "may be anywhere."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="circulation: arXiv 2605.09303 (restated); everything else is computed here",
    claims=("A6", "E6"),
    long=True,
    parameters={
        "seeds": SEEDS,
        "noises": list(NOISES),
        "errors": SHOWN,
        "flip": FLIP,
        "length": LENGTH,
        "corpus": corpora.made_from(),
    },
)
