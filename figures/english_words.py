"""What one parallel step writes for four-letter English words."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from sims import output_distribution, policies
from theory import JointTable, corpora, gallery, information, schedules

__all__ = ["FIGURE"]

LENGTH = 4
SEED = 0
DRAWN = 8
LIKELIEST = 7


def compute() -> Data:
    """Exact output distributions of all schedules; a few strings drawn from some of them."""
    p = gallery.words(LENGTH)
    truth = p.table()
    kept = JointTable(truth)  # keeps its lattice, for all schedules
    profile = information.profile(p)
    best = {r: schedules.optimal(profile, r) for r in range(1, LENGTH + 1)}
    uniform = {r: schedules.uniform(LENGTH, r) for r in best}
    columns = ("rounds", "sizes", "best", "uniform", "valid_mass", "kl_nats", "path_kl_nats")
    rounds: dict[str, list[Any]] = {name: [] for name in columns}
    strings: dict[str, list[Any]] = {"rounds": [], "string": [], "is_word": []}
    likeliest: dict[str, list[Any]] = {"string": [], "is_word": [], "data": [], "one_step": []}
    for sizes in schedules.every(LENGTH):
        q = output_distribution(kept, policies.RandomOrder(sizes))
        r = len(sizes)
        row = (r, " ".join(map(str, sizes)), sizes == best[r], sizes == uniform[r])
        numbers = [round(float(v), 12) + 0.0 for v in (q.valid_mass, q.kl, q.path_kl)]
        for name, value in zip(rounds, (*row, *numbers), strict=True):
            rounds[name].append(value)
        if sizes == best[r]:
            drawn = q.sample(np.random.default_rng((SEED, r)), DRAWN)
            strings["rounds"] += [r] * DRAWN
            strings["string"] += p.spell(drawn)
            strings["is_word"] += (truth[tuple(drawn.T)] > 0).tolist()
        if r == 1:
            for table in (truth, np.where(truth > 0, 0.0, q.table)):
                for flat in np.argsort(-table, axis=None, kind="stable")[:LIKELIEST]:
                    index = np.unravel_index(flat, table.shape)
                    likeliest["string"] += p.spell(np.asarray(index))
                    likeliest["is_word"].append(bool(truth[index] > 0))
                    likeliest["data"].append(float(truth[index]))
                    likeliest["one_step"].append(float(q.table[index]))
    return {"rounds": rounds, "strings": strings, "likeliest": likeliest}


def draw(data: Data) -> Any:
    """Strings on the left, valid mass in the middle, likeliest strings on the right."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(6.75, 2.5), width_ratios=(1.45, 1, 1.05)
    )
    _draw_strings(left, data["strings"])
    _draw_rounds(middle, data["rounds"])
    _draw_likeliest(right, data["likeliest"])
    return figure


WORD, NONWORD, BEST, EQUAL, DATA = "#0072B2", "#D55E00", "#000000", "#CC79A7", "0.35"


def _draw_strings(axes: Any, strings: Any) -> None:
    axes.set_title("(a) what a perfect model writes")
    axes.set_axis_off()
    columns = 4
    height = DRAWN // columns + 0.55
    axes.set(xlim=(0, columns + 1.35), ylim=(LENGTH * height - 0.2, -0.8))
    drawn = dict.fromkeys(range(1, LENGTH + 1), 0)
    for r, string, is_word in zip(*strings.values(), strict=True):
        k = drawn[r]
        drawn[r] += 1
        line = (r - 1) * height + k // columns
        if k == 0:
            axes.text(0, line + 0.5, f"{r} round" + "s" * (r > 1), va="center")
        axes.text(
            1.65 + k % columns,
            line,
            string,
            color=WORD if is_word else NONWORD,
            weight="bold" if is_word else "normal",
            style="normal" if is_word else "italic",
            family="DejaVu Sans Mono",
            va="center",
        )


def _draw_rounds(axes: Any, rounds: Any) -> None:
    axes.set_title("(b) how often it is a word")
    every = list(zip(rounds["rounds"], rounds["valid_mass"], strict=True))
    axes.plot(*zip(*every, strict=True), "o", color="0.7", markersize=3)
    lowest = min(y for x, y in every if x == 2)
    axes.text(2.1, lowest, "others", color="0.5", fontsize=7, va="center")
    for kind, label, colour, dashes, at, side in (
        ("uniform", "even batches,\nlarger first", EQUAL, "--", (3.12, 0.5), "left"),
        ("best", "best schedule", BEST, "-", (2.9, 0.9), "right"),
    ):
        chosen = [pair for pair, keep in zip(every, rounds[kind], strict=True) if keep]
        axes.plot(*zip(*sorted(chosen), strict=True), marker="o", color=colour, linestyle=dashes)
        axes.text(*at, label, color=colour, ha=side, va="center", fontsize=7)
    one_step = min(every)[1]
    axes.text(1.12, one_step, f"once in {1 / one_step:.0f} tries", va="center", fontsize=7)
    axes.set(xlabel="rounds (denoiser calls)", ylabel="probability of a word of the data")
    axes.set(xticks=range(1, LENGTH + 1), ylim=(-0.04, 1.05), xlim=(0.8, LENGTH + 0.2))


def _draw_likeliest(axes: Any, likeliest: Any) -> None:
    axes.set_title("(c) data against one round")
    places = [k + 0.9 * (k >= LIKELIEST) for k in range(2 * LIKELIEST)]
    colours = [WORD if w else NONWORD for w in likeliest["is_word"]]
    for place, low, high in zip(places, likeliest["one_step"], likeliest["data"], strict=True):
        if high > 0:
            axes.plot([low, high], [place, place], "-", color="0.8", linewidth=0.8, zorder=0)
    axes.scatter(likeliest["data"][:LIKELIEST], places[:LIKELIEST], marker="|", s=30, color=DATA)
    axes.scatter(likeliest["one_step"], places, marker="o", s=12, color=colours)
    axes.set_xscale("log")
    axes.set_yticks(places, likeliest["string"], family="DejaVu Sans Mono")
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="probability", xlim=(1.5e-6, 0.6), ylim=(places[-1] + 0.7, -0.9))
    axes.text(likeliest["data"][0] * 1.5, 0, "data", fontsize=7, va="center", color=DATA)
    axes.text(likeliest["one_step"][0] / 1.7, 0, "model", fontsize=7, va="center", ha="right")
    between = places[LIKELIEST + 1] + 0.5
    axes.text(6e-6, between, "never in\nthe data", fontsize=7, va="center", color=NONWORD)


FIGURE = Figure(
    name="english_words",
    title="A perfect model asked for a four-letter word",
    caption=(
        "A perfectly trained mask diffusion model of four-letter words: the 214 different ones "
        "in the prose of Python's documentation, with their frequencies. (a) Strings drawn with "
        "1 to 4 denoiser calls, best schedule: words of the data bold blue, other strings orange "
        "italic. (b) Exact probability that the output is a word of the data, for every "
        "random-order schedule: the best one, batches as even as possible with the larger first, "
        "and the others in grey. With one letter at a time the model is exact. (c) The seven "
        "likeliest words of the data (bars) and what the one-round model gives them (dots); "
        "below, the seven strings outside the data that it writes most often."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="illustrates R1 of arXiv 2510.03289: the model predicts marginals, not the joint",
    claims=("B1", "B2"),
    parameters={"length": LENGTH, "seed": SEED, "corpus": corpora.made_from()},
)
