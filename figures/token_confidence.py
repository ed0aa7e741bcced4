"""Scores of drawn tokens against scores of places, one site per round."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from sims import output_distribution, policies
from theory import JointTable, corpora, gallery

__all__ = ["FIGURE"]

TEMPERATURES = tuple(k / 10 for k in range(1, 31))
LENGTHS = {2: range(2, 9), 3: range(2, 8), 4: range(2, 7)}
TABLES = 8
WORDS = "four-letter words"
TABLE = "random table, 6 sites, 3 tokens"
DECODERS = {"place": policies.TopK(1), "token": policies.TokenConfidence(1)}


def _random_table(length: int, vocab: int, seed: int) -> JointTable:
    weights = np.random.default_rng((seed, length, vocab)).random((vocab,) * length)
    return JointTable(weights)


def compute() -> Data:
    """Exact distances over temperatures on two distributions, and over sizes at temperature 1."""
    words = JointTable(gallery.words(4).table())  # keeps its lattice, for all decoders
    chosen = {WORDS: words, TABLE: _random_table(6, 3, 0)}
    temperatures: dict[str, list[Any]] = {
        name: [] for name in ("distribution", "score_of", "temperature", "tv", "kl_nats")
    }
    for name, p in chosen.items():
        for score, decoder in DECODERS.items():
            for temperature in TEMPERATURES:
                q = output_distribution(p, decoder, temperature)
                numbers = (round(float(v), 12) + 0.0 for v in (q.tv, q.kl))
                row = (name, score, temperature, *numbers)
                for column, value in zip(temperatures, row, strict=True):
                    temperatures[column].append(value)
    columns = ("vocab", "length", "score_of", "least_tv", "mean_tv", "most_tv")
    sizes: dict[str, list[Any]] = {name: [] for name in columns}
    for vocab, lengths in LENGTHS.items():
        for length in lengths:
            tables = [_random_table(length, vocab, seed) for seed in range(TABLES)]
            for score, decoder in DECODERS.items():
                tv = [output_distribution(p, decoder).tv for p in tables]
                spread = (min(tv), float(np.mean(tv)), max(tv))
                row = (vocab, length, score, *(round(v, 12) + 0.0 for v in spread))
                for column, value in zip(sizes, row, strict=True):
                    sizes[column].append(value)
    return {"temperatures": temperatures, "sizes": sizes}


TOKEN, PLACE = "#D55E00", "#0072B2"
COLOURS = {"token": TOKEN, "place": PLACE}
SHAPES = {"token": "s", "place": "o"}
DASHES = {WORDS: "-", TABLE: "--"}
MARKS = {2: ("#D55E00", "o"), 3: ("#CC79A7", "s"), 4: ("#E69F00", "^")}


def draw(data: Data) -> Any:
    """Distances over temperatures on the left, over sizes on the right."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(6.75, 2.5))
    for axes, column, title, label in (
        (left, "tv", "(a) distance from the data", "total variation"),
        (middle, "kl_nats", "(b) divergence", "KL(p || q), nats"),
    ):
        axes.set_title(title)
        _draw_temperatures(axes, data["temperatures"], column)
        axes.set_ylabel(label)
    left.set_ylim(-0.03, 1.03)
    middle.set_ylim(-0.15, 5.15)
    left.text(1.5, -0.005, "place first", color=PLACE, fontsize=7)
    left.text(1.1, 0.68, "token first", color=TOKEN, fontsize=7)
    for name, dashes in DASHES.items():
        middle.plot([], [], color="0.3", linestyle=dashes, label=name.split(",")[0])
    middle.legend(loc="upper right")
    right.set_title("(c) one site a round, T = 1")
    _draw_sizes(right, data["sizes"])
    return figure


def _draw_temperatures(axes: Any, rows: Any, column: str) -> None:
    for name, dashes in DASHES.items():
        for score, colour in COLOURS.items():
            x, y = [], []
            for k, value in enumerate(rows[column]):
                if (rows["distribution"][k], rows["score_of"][k]) == (name, score):
                    x.append(rows["temperature"][k])
                    y.append(value)
            axes.plot(
                x, y, dashes, color=colour, marker=SHAPES[score], markevery=(4, 5), markersize=3.5
            )
    axes.axvline(1, color="0.85", linewidth=0.8, zorder=0)
    axes.set(xlabel="temperature of the draws", xlim=(0, max(TEMPERATURES) + 0.1))


def _draw_sizes(axes: Any, rows: Any) -> None:
    for vocab, (colour, mark) in MARKS.items():
        here = [
            k for k, v in enumerate(rows["vocab"]) if v == vocab and rows["score_of"][k] == "token"
        ]
        x, low, mean, high = (
            [rows[name][k] for k in here] for name in ("length", "least_tv", "mean_tv", "most_tv")
        )
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, mean, marker=mark, markersize=3, color=colour, label=f"{vocab} tokens")
    places = [k for k, score in enumerate(rows["score_of"]) if score == "place"]
    lengths = sorted({rows["length"][k] for k in places})
    most = [max(rows["most_tv"][k] for k in places if rows["length"][k] == n) for n in lengths]
    axes.plot(lengths, most, color=PLACE)
    axes.text(lengths[-1], 0.035, "place first: 0", color=PLACE, fontsize=7, ha="right")
    axes.legend(loc="upper left", fontsize=7)
    axes.set(xlabel="sites of a random table", ylabel="total variation", ylim=(-0.03, 1.03))


FIGURE = Figure(
    name="token_confidence",
    title="Token confidence is biased",
    caption=(
        "Two decoders with a perfect denoiser that reveal one site per round. Place first: the "
        "site whose prediction is most confident, then its token is drawn. Token first: a token is "
        "drawn at every masked site, and the likeliest drawn token is kept; so does LLaDA when it "
        "remasks by low confidence, and Fast-dLLM. (a, b) Exact distance from the data over the "
        "temperature of the draws, for four-letter words (solid) and a random table of 6 sites and "
        "3 tokens (dashed); circles: place first, squares: token first. At temperature 1 (grey "
        "line) place first is exact; at 0 the two would write the same, with an infinite "
        "divergence (the axis ends at 5). (c) Total variation at temperature 1 on random tables, "
        "by their size: mean and range of 8 tables. Place first is at 0 for all of them."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="derived here; the code of LLaDA and Fast-dLLM was read for the order of operations",
    claims=("C1", "C2"),
    long=True,
    parameters={
        "temperatures": list(TEMPERATURES),
        "lengths": {str(v): [min(n), max(n)] for v, n in LENGTHS.items()},
        "tables": TABLES,
        "corpus": corpora.made_from(),
    },
)
