"""What a chain of real words predicts at every distance from a prompt."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from theory import WordChain, corpora
from theory.distributions.word_chain import End

__all__ = ["FIGURE"]

PROMPT = "object"
ENDS = ("object", "method")
GAP = 24
DISTANCES = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 60)
ROWS = 12
KINDS: dict[str, tuple[int, End]] = {
    "1, texts end": (1, "absorbing"),
    "1, texts in a row": (1, "restart"),
    "2, texts in a row": (2, "restart"),
}
LEAST = 1e-5
"""Information below this, in nats, is not drawn."""


def compute() -> Data:
    """Probabilities of the words that matter, and how much is left to be known."""
    chain = WordChain(corpora.english(), end="absorbing")
    after = chain.after(PROMPT)
    one = {n: chain.predict(after, n) for n in DISTANCES}
    measures = list(_measures())
    law, future = chain.after(ENDS[0]), chain.before(ENDS[1])
    two = {n: chain.bridge(law, future, n, GAP + 1 - n) for n in range(1, GAP + 1)}
    return {
        "one_side": as_panel(("word", "distance", "probability"), _cells(chain, one)),
        "both_sides": as_panel(("word", "site", "probability"), _cells(chain, two)),
        "vocabulary": as_panel(("chain", "distance", "words"), [m[:3] for m in measures]),
        "information": as_panel(
            ("chain", "distance", "nats"), [(*m[:2], m[3]) for m in measures if m[3] > LEAST]
        ),
    }


def _cells(chain: WordChain, predictions: dict[int, np.ndarray]) -> Any:
    """The words that are likeliest somewhere, in the order in which they are so."""
    stacked = np.stack(list(predictions.values()))
    among = np.argsort(-stacked.max(axis=0), kind="stable")[:ROWS]
    when = np.argmax(stacked, axis=0)
    for token in sorted(among.tolist(), key=lambda t: (when[t], -stacked[0, t])):
        for place, row in predictions.items():
            yield chain.vocabulary[token], place, round(float(row[token]), 10)


def _measures() -> Any:
    for name, (order, end) in KINDS.items():
        chain = WordChain(corpora.english(), order=order, end=end)
        after, anywhere = chain.after(PROMPT), chain.anywhere()
        for n in DISTANCES:
            told, known = chain.predict(after, n), chain.predict(anywhere, n)
            seen = told > 0
            entropy = -np.sum(told[seen] * np.log(told[seen]))
            information = np.sum(told[seen] * np.log(told[seen] / known[seen]))
            yield name, n, float(np.exp(entropy)), float(information)


def draw(data: Data) -> Any:
    """Two maps above, two measures below."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic(
        [["a", "b"], ["c", "d"]], figsize=(6.75, 5.3), height_ratios=(1, 0.62)
    )
    _draw_map(axes["a"], data["one_side"], "distance", f'(a) after "{PROMPT}", texts end')
    axes["a"].set_xlabel("distance")
    picture = _draw_map(
        axes["b"], data["both_sides"], "site", f'(b) from "{ENDS[0]}" to "{ENDS[1]}"'
    )
    axes["b"].set_xlabel(f"distance from the left word, of {GAP} masks")
    bar = figure.colorbar(picture, ax=axes["b"], pad=0.02)
    bar.set_label("probability")
    bar.set_ticks(
        [0.0, 0.1, 0.3, 0.5, 0.7, 0.9], labels=["0", "0.01", "0.09", "0.25", "0.49", "0.81"]
    )
    _draw_measure(axes["c"], data["vocabulary"], "words")
    axes["c"].set_title("(c) effective vocabulary")
    axes["c"].set(ylabel="words", ylim=(0, 70))
    axes["c"].legend(title="order of the chain", fontsize=7, title_fontsize=7, loc="lower left")
    _draw_measure(axes["d"], data["information"], "nats")
    axes["d"].set_title(f'(d) what "{PROMPT}" still tells')
    axes["d"].set(ylabel="information (nats)", yscale="log")
    for name in "cd":
        axes[name].set(xscale="log", xlabel="distance", xlim=(0.9, 70))
        axes[name].set_xticks([1, 2, 5, 10, 20, 60], labels=["1", "2", "5", "10", "20", "60"])
    return figure


def _draw_map(axes: Any, rows: Any, across: str, title: str) -> Any:
    words, places = (list(dict.fromkeys(rows[key])) for key in ("word", across))
    shares = np.asarray(rows["probability"]).reshape(len(words), len(places))
    picture = axes.imshow(np.sqrt(shares), aspect="auto", cmap="viridis", vmin=0, vmax=0.95)
    axes.set_title(title)
    axes.set_yticks(range(len(words)), labels=words, fontsize=7)
    shown = [k for k, n in enumerate(places) if len(places) <= 12 or n in (1, 6, 12, 18, 24)]
    axes.set_xticks(shown, labels=[str(places[k]) for k in shown], fontsize=7)
    return picture


COLOURS = ("#0072B2", "#D55E00", "#009E73")
DASHES = ("-", "--", ":")
MARKS = ("o", "s", "^")


def _draw_measure(axes: Any, rows: Any, column: str) -> None:
    for k, name in enumerate(KINDS):
        here = [i for i, v in enumerate(rows["chain"]) if v == name]
        distance, values = ([rows[key][i] for i in here] for key in ("distance", column))
        axes.plot(distance, values, DASHES[k], marker=MARKS[k], color=COLOURS[k], label=name)


FIGURE = Figure(
    name="fading_words",
    title="Predictions fade with distance",
    caption=(
        "The words of Python's documentation as a chain: exact predictions, no network. (a) After "
        f"'{PROMPT}', with texts that end for good: the words that follow it, then the frequent "
        "words of the language, then the end. (b) The same with a second word known behind "
        f"{GAP} masks. The end cannot have come, and the middle is what the chain does on "
        "condition that it goes on. (c) exp(entropy) of the prediction after the word: it grows, "
        "and falls again where the end takes over. (d) Divergence from the prediction without the "
        "word, down to 1e-5: one word is forgotten in about five steps; with two words "
        "remembered it takes longer. What stays where texts end is whether this one has. "
        "<unknown> stands for all words but the 254 most frequent. This is the exact analogue of "
        "what arXiv 2510.03289 is said to observe with a large model (restated: function words "
        "and the end of the text dominate far away); its contents and numbers were not seen."
    ),
    compute=compute,
    draw=draw,
    relation="analogue",
    source="R2 of arXiv 2510.03289 (restated); its experiment was not seen",
    claims=("D1", "D5", "D6"),
    parameters={
        "prompt": PROMPT,
        "ends": list(ENDS),
        "gap": GAP,
        "distances": list(DISTANCES),
        "chains": list(KINDS),
        "corpus": corpora.made_from(),
    },
)
