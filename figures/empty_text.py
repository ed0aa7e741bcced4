"""How long texts are that a perfect model writes, and where greed writes none."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from sims import decode, output_distribution, policies
from sims.policies import Decoder
from theory import JointTable, gallery

__all__ = ["FIGURE"]

WORDS, SITES, MOST, LONGEST = 2, 6, 7, 12
MAP_WORDS = (2, 4)

TOKEN = policies.TokenConfidence(1)
SAMPLERS: dict[str, Decoder] = {
    "site first": policies.TopK(1),
    "token first": TOKEN,
    "token first, blocks of 2": policies.Blocks(2, TOKEN),
    "token first, blocks of 3": policies.Blocks(3, TOKEN),
}


def _lengths(table: np.ndarray) -> np.ndarray:
    """Probabilities of 0..L words; the last token is the end."""
    words = (np.indices(table.shape) != table.shape[0] - 1).sum(axis=0)
    return np.bincount(words.reshape(-1), table.reshape(-1), minlength=table.ndim + 1)


def compute() -> Data:
    """Exact distributions and means of the length at temperature 1; what is empty at 0."""
    spread: dict[str, list[Any]] = {name: [] for name in ("sampler", "words", "probability")}
    means: dict[str, list[Any]] = {name: [] for name in ("sampler", "sites", "mean_words")}
    empty: dict[str, list[Any]] = {name: [] for name in ("vocab", "sites", "block", "empty")}
    for length in range(1, MOST + 1):
        p = JointTable(gallery.padded_text(length, WORDS).table())  # keeps its lattice
        for name, sampler in SAMPLERS.items():
            shares = _lengths(np.asarray(output_distribution(p, sampler).table))
            _add(means, name, length, _rounded(shares @ np.arange(length + 1)))
            if length == SITES:
                for words, share in enumerate(shares):
                    _add(spread, name, words, _rounded(share))
    rng = np.random.default_rng(0)  # at temperature 0 it makes no difference
    for words in MAP_WORDS:
        for length in range(1, LONGEST + 1):
            p = gallery.padded_text(length, words)
            for block in range(1, length + 1):
                policy = policies.Blocks(block, policies.TopK(1))
                (text,) = decode(p, policy, rng, 1, temperature=0).tokens.tolist()
                ended = all(token == words for token in text)
                kind = "ties decide" if block * words == length else str(ended)
                _add(empty, words, length, block, kind)
    return {"lengths": spread, "means": means, "empty": empty}


def _add(panel: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(panel.values(), values, strict=True):
        column.append(value)


def _rounded(value: Any) -> float:
    return round(float(value), 12) + 0.0


STYLES = {
    "site first": ("#0072B2", "o", "-"),
    "token first": ("#D55E00", "s", "--"),
    "token first, blocks of 2": ("#E69F00", "D", "-."),
    "token first, blocks of 3": ("#CC79A7", "^", ":"),
}
MARKS = {
    "True": {"marker": "s", "color": "#D55E00"},
    "ties decide": {"marker": "D", "markerfacecolor": "none", "color": "0.4"},
    "False": {"marker": ".", "color": "#0072B2"},
}
LABELS = {"True": "empty", "ties decide": "ties decide", "False": "not empty"}


def draw(data: Data) -> Any:
    """Lengths and their means at temperature 1; a map of lengths and blocks at temperature 0."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(6.75, 2.9))
    for name, (colour, mark, dashes) in STYLES.items():
        for axes, panel, along, up in (
            (left, data["lengths"], "words", "probability"),
            (middle, data["means"], "sites", "mean_words"),
        ):
            here = [k for k, found in enumerate(panel["sampler"]) if found == name]
            x, y = ([panel[column][k] for k in here] for column in (along, up))
            label = "site first = data" if name == "site first" else name
            axes.plot(x, y, dashes, color=colour, marker=mark, markersize=3, label=label)
    left.set(xlabel="words in the text", ylabel="probability", ylim=(0, 1))
    left.set_xticks(range(SITES + 1))
    left.legend(loc="upper right", fontsize=7)
    left.set_title("(a) lengths, 6 sites, T = 1")
    middle.set(xlabel="sites", ylabel="mean number of words", ylim=(0, 5))
    middle.set_xticks(range(1, MOST + 1))
    middle.set_title("(b) means, T = 1")
    panel = data["empty"]
    rows = list(zip(*panel.values(), strict=True))
    for kind, style in MARKS.items():
        at = [
            (block, length) for words, length, block, found in rows if (words, found) == (2, kind)
        ]
        x, y = zip(*at, strict=True)
        right.plot(x, y, linestyle="none", markersize=3.5, label=LABELS[kind], **style)
    right.set(xlabel="size of blocks", ylabel="sites", xlim=(0, 13), ylim=(0, 17.5))
    right.set_xticks([1, 4, 8, 12])
    right.set_yticks([1, 4, 8, 12])
    right.legend(loc="upper left", fontsize=7)
    right.set_title("(c) two words, T = 0")
    return figure


FIGURE = Figure(
    name="empty_text",
    title="The empty text",
    caption=(
        "Texts of 0 to L random words of two, each length equally likely, then ends of text; a "
        "perfect model, one site a round. (a) How many words are written at L = 6, exactly: if "
        "the site is chosen first, each length equally often, as in the data; if the token is "
        "drawn first and the likeliest is kept, with ties to the lowest site, at most two in 97 of "
        "100 texts; in blocks of two or three, one after the other, more. (b) The means over L: "
        "half of the sites are due; in one block less than one word is written, in blocks of two "
        "too many from four sites on. (c) At temperature 0, in blocks: the text is empty "
        "where the size of the blocks times the number of words exceeds L, and ties decide where "
        "they are equal (recorded, too: four words)."
    ),
    compute=compute,
    draw=draw,
    relation="analogue",
    source=(
        "Rainbow Padding, arXiv 2510.03680: overflow with ends of text in trained models (abstract "
        "seen); its experiments were not"
    ),
    claims=("C2", "C13"),
    parameters={
        "words": WORDS,
        "sites": SITES,
        "most": MOST,
        "longest": LONGEST,
        "map_words": list(MAP_WORDS),
    },
)
