"""The list tasks of ParallelBench: one round, equal batches, and a threshold."""

import math
from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel, draw_published, published
from sims import output_distribution, policies
from theory import closed_forms, gallery
from theory.distributions import Distribution

__all__ = ["FIGURE"]

COPY, REPLACE, SHUFFLE = "Copy", "Replace Random", "Shuffle"
LENGTHS = range(1, 13)
DECODED = range(2, 6)
LENGTH = 6
LARGE = 10**6
SEEN_FIGURE = "its figure"
SEEN_LIMIT = "its closed forms"


def _task(name: str, length: int) -> Distribution:
    return gallery.one_hot(length) if name == REPLACE else gallery.permutations(length)


def compute() -> Data:
    """Closed forms, and the same by decoding exactly; thresholds by decoding only."""
    tasks = (REPLACE, SHUFFLE)
    one_round = [row for n in LENGTHS for row in _one_round(n)]
    decoded = [
        (name, n, *_accuracy_and_bits(name, n, policies.RandomOrder((n,)))[:2])
        for name in tasks
        for n in DECODED
    ]
    batches = [_batches(name, k) for name in tasks for k in range(1, LENGTH + 1)]
    steps = {1 / m for m in range(1, LENGTH + 1)} | {1 - 1 / m for m in range(1, LENGTH + 1)}
    thresholds = [
        (name, gamma, *_accuracy_and_bits(name, LENGTH, policies.Threshold(gamma)))
        for name in tasks
        for gamma in sorted(steps)
    ]
    numbers = ("accuracy", "kl_bits")
    return {
        "one_round": as_panel(("task", "n", *numbers), one_round),
        "decoded": as_panel(("task", "n", *numbers), decoded),
        "batches": as_panel(("task", "k", "rounds", "formula_bits", "kl_bits"), batches),
        "thresholds": as_panel(("task", "threshold", *numbers, "rounds"), thresholds),
        "published": published(_published()),
    }


def _one_round(n: int) -> list[tuple[str, int, float, float]]:
    return [
        (COPY, n, 1.0, 0.0),
        (
            REPLACE,
            n,
            closed_forms.one_hot_accuracy(n),
            closed_forms.one_hot_cost(n, (n,), base=2),
        ),
        (SHUFFLE, n, closed_forms.shuffle_accuracy(n), closed_forms.shuffle_cost(n, base=2)),
    ]


def _accuracy_and_bits(name: str, length: int, policy: policies.Policy) -> tuple[float, ...]:
    """Accuracy, divergence in bits, and expected rounds."""
    q = output_distribution(_task(name, length), policy)
    numbers = (q.valid_mass, q.kl / math.log(2), q.expected_rounds)
    return tuple(round(float(v), 12) + 0.0 for v in numbers)


def _batches(name: str, k: int) -> tuple[str, int, int, float, float]:
    sizes = (k,) * (LENGTH // k) + ((LENGTH % k,) if LENGTH % k else ())
    cost = closed_forms.one_hot_cost if name == REPLACE else closed_forms.permutation_cost
    formula = round(cost(LENGTH, sizes, base=2), 12) + 0.0
    bits = _accuracy_and_bits(name, LENGTH, policies.TopK(k))[1]
    return name, k, len(sizes), formula, bits


def _published() -> list[tuple[str, float, float, str]]:
    one, shuffle = closed_forms.one_hot_accuracy, closed_forms.shuffle_accuracy
    bits = closed_forms.one_hot_cost(LARGE, (LARGE,), base=2)
    at = "n = 10^6"
    return [
        ("accuracy of Replace Random, n = 3 (%)", 44.4, 100 * one(3), SEEN_FIGURE),
        ("accuracy of Shuffle, n = 3 (%)", 22.2, 100 * shuffle(3), SEEN_FIGURE),
        (f"accuracy of Replace Random: limit 1/e, {at}", 1 / math.e, one(LARGE), SEEN_LIMIT),
        (f"bits of Replace Random: limit log2 e, {at}", math.log2(math.e), bits, SEEN_LIMIT),
    ]


STYLES = {
    COPY: ("#009E73", "-.", "^"),
    REPLACE: ("#0072B2", "-", "o"),
    SHUFFLE: ("#D55E00", "--", "s"),
}


def draw(data: Data) -> Any:
    """One round on top, thresholds below, the published numbers at the bottom."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 5.1))
    grid = figure.add_gridspec(3, 3, height_ratios=(1, 1, 0.42))
    top = [figure.add_subplot(grid[0, k]) for k in range(3)]
    middle = [figure.add_subplot(grid[1, k]) for k in range(3)]
    _draw_one_round(top[0], data, "accuracy", "accuracy")
    _draw_one_round(top[1], data, "kl_bits", "KL, bits")
    _draw_batches(top[2], data["batches"])
    _draw_thresholds(middle[0], data["thresholds"], "kl_bits", "KL, bits")
    _draw_thresholds(middle[1], data["thresholds"], "rounds", "expected rounds")
    _draw_rounds(middle[2], data)
    draw_published(figure.add_subplot(grid[2, :]), data["published"], "(g) published numbers")
    return figure


def _draw_one_round(axes: Any, data: Data, column: str, label: str) -> None:
    for name, (colour, dashes, mark) in STYLES.items():
        axes.plot(*_of(data["one_round"], name, "n", column), color=colour, linestyle=dashes)
        x, y = _of(data["decoded"], name, "n", column)
        axes.plot(x, y, mark, color=colour, markerfacecolor="white")
    axes.set(xlabel="tokens n", ylabel=label, xlim=(0.6, LENGTHS[-1] + 0.4), xticks=LENGTHS[::2])
    if column == "accuracy":
        axes.set(title="(a) all in one round", ylim=(-0.03, 1.08))
        limit = ("1/e", data["published"]["published"][2], "top")
        places = {COPY: (9, 0.93), REPLACE: (6.3, 0.5), SHUFFLE: (6.5, 0.06)}
    else:
        axes.set_title("(b) all in one round")
        limit = ("log2 e", data["published"]["published"][3], "bottom")
        places = {COPY: (10, 0.6), REPLACE: (3.9, 2.3), SHUFFLE: (5.6, 10)}
    text, height, side = limit
    axes.axhline(height, color="0.7", linewidth=0.8, zorder=0)
    axes.text(LENGTHS[-1] + 0.3, height, text, fontsize=7, color="0.4", ha="right", va=side)
    _label(axes, places)


def _draw_batches(axes: Any, rows: Any) -> None:
    axes.set_title(f"(c) k tokens per round, n = {LENGTH}")
    for name in (REPLACE, SHUFFLE):
        colour, dashes, mark = STYLES[name]
        axes.plot(*_of(rows, name, "k", "formula_bits"), color=colour, linestyle=dashes)
        x, y = _of(rows, name, "k", "kl_bits")
        axes.plot(x, y, mark, color=colour, markerfacecolor="white")
    _label(axes, {REPLACE: (2.9, 0.15), SHUFFLE: (3.3, 4)})
    axes.set(xlabel="tokens per round k", ylabel="KL, bits", xticks=range(1, LENGTH + 1))


def _draw_thresholds(axes: Any, rows: Any, column: str, label: str) -> None:
    for name in (REPLACE, SHUFFLE):
        colour, dashes, _ = STYLES[name]
        x, y = _of(rows, name, "threshold", column)
        axes.step(x, y, where="post", color=colour, linestyle=dashes)
    if column == "kl_bits":
        axes.set_title(f"(d) a threshold, n = {LENGTH}")
        _label(axes, {REPLACE: (0.38, 1.65), SHUFFLE: (0.24, 4.7)})
    else:
        axes.set_title(f"(e) a threshold, n = {LENGTH}")
        _label(axes, {REPLACE: (0.24, 1.4), SHUFFLE: (0.53, 5.6)})
    axes.set(xlabel="threshold", ylabel=label, xlim=(-0.02, 1.02), xticks=(0, 0.25, 0.5, 0.75, 1))


def _draw_rounds(axes: Any, data: Data) -> None:
    axes.set_title(f"(f) both decoders, n = {LENGTH}")
    for name in (REPLACE, SHUFFLE):
        colour, _, mark = STYLES[name]
        for panel, face in (("thresholds", colour), ("batches", "white")):
            x, y = _of(data[panel], name, "rounds", "kl_bits")
            axes.plot(x, y, mark, color=colour, markerfacecolor=face)
    _label(axes, {REPLACE: (1.05, 0.0), SHUFFLE: (2.3, 4.2)})
    axes.text(3, 5.3, "filled: a threshold\nopen: k per round", fontsize=7, va="center")
    axes.set(xlabel="expected rounds", ylabel="KL, bits", xticks=range(1, LENGTH + 1))


def _label(axes: Any, places: dict[str, tuple[float, float]]) -> None:
    for name, (x, y) in places.items():
        axes.text(x, y, name, color=STYLES[name][0], fontsize=7, va="center")


def _of(panel: Any, name: str, x: str, y: str) -> tuple[list[float], list[float]]:
    here = [k for k, task in enumerate(panel["task"]) if task == name]
    return [panel[x][k] for k in here], [panel[y][k] for k in here]


FIGURE = Figure(
    name="parallelbench",
    title="The list tasks of ParallelBench",
    caption=(
        "Three tasks on a list of n tokens with a perfect model: copy it, replace one token at a "
        "random place, shuffle it. Lines are closed forms, open marks the same computed by "
        "decoding exactly. (a, b) Accuracy and divergence of one round; grey: the limits of "
        "Replace Random, which never falls below 1/e. (c) k tokens in every round, the rest in the "
        "last one: a large batch first pays, so that 4 and 2 lose less than 3 and 3. (d, e) All "
        "tokens more confident than a threshold, else the most confident one, computed by "
        "decoding: Replace Random is all or nothing, with the jump at 5/6. (f) Divergence against "
        "rounds of both decoders: on Shuffle a threshold goes singly first and writes the rest at "
        "once, which is the costly way round. (g) What was seen in the paper. The limits are "
        "compared with their values at n = 10^6, so the difference is that of a finite list. For "
        "(c) to (f) no published values were seen, only the closed form of pairs, k = 2 on "
        "Shuffle."
    ),
    compute=compute,
    draw=draw,
    relation="reproduces",
    source=(
        "ParallelBench, arXiv 2510.04767: closed forms and two accuracies, read; several rounds "
        "of Replace Random, the thresholds and (f) are computed here"
    ),
    claims=("B9",),
    parameters={
        "lengths": [LENGTHS[0], LENGTHS[-1]],
        "decoded": [DECODED[0], DECODED[-1]],
        "length": LENGTH,
        "large": LARGE,
    },
)
