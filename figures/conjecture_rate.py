"""How fast far predictions approach their limit, after one token and between two."""

from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from theory import MarkovChain, corpora, gallery, homogenization

__all__ = ["FIGURE"]

FARTHEST = 40
FARTHEST_WORD = 20
LENGTHS = (17, 33, 65, 97)
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
    }


def compute() -> Data:
    """Measured distances to the limit, and what the decision predicts of them."""
    decided = {name: homogenization.decide(p) for name, p in _chains(FARTHEST + 1).items()}
    rates = [(name, float(found.constant), float(found.rate)) for name, found in decided.items()]
    words = [_one_word(), _two_words()]
    return {
        "decided": as_panel(
            ("curve", "constant", "rate"),
            [*rates, *((known, constant, rate) for known, constant, rate, _ in words)],
        ),
        "one_side": as_panel(("chain", "distance", "measured", "predicted"), _one_side(decided)),
        "periodic": as_panel(("distance", "to_the_next"), _periodic()),
        "middle": as_panel(("length", "from_middle", "measured", "predicted"), _middle()),
        "words": as_panel(
            ("known", "distance", "measured", "slowest", "predicted"),
            [(known, *row) for known, _, _, rows in words for row in rows],
        ),
    }


def _one_side(decided: dict[str, homogenization.Decision]) -> Any:
    """After the worst token, through powers of the matrix."""
    for name, p in _chains(FARTHEST + 1).items():
        found = decided[name]
        for n in range(1, FARTHEST + 1):
            off = np.abs(p.power(n) - found.limit).sum(axis=1).max() / 2
            if off > SHOWN:
                yield name, n, float(off), float(found.constant * found.rate**n)


def _periodic() -> Any:
    p = gallery.periodic(FARTHEST + 2)
    seen = homogenization.worst(p, [0])
    return zip(range(1, FARTHEST + 1), seen.neighbour_tv[:FARTHEST].tolist(), strict=True)


def _middle() -> Any:
    """Between the worst tokens at both ends, and the same in closed form: they are equal."""
    for length in LENGTHS:
        p = gallery.binary_symmetric(length, FLIP)
        found = homogenization.decide_middle(p)
        seen = homogenization.worst(p, [0, length - 1], limit=found.limit)
        whole = found.rate ** (length - 1)
        for site, off in zip(seen.sites.tolist(), seen.limit_tv.tolist(), strict=True):
            ends = found.rate**site + found.rate ** (length - 1 - site)
            yield length, site - (length - 1) // 2, off, float(ends / (2 * (1 + whole)))


# ---- words ----------------------------------------------------------------------------------


def _one_word() -> Any:
    """After a word; the text's end is absorbing."""
    chain = corpora.english().chain(2)
    left = _token(ENDS[0])
    found = homogenization.decide(chain)
    root, mode = _slowest(chain.transition - found.limit)
    offs = [np.abs(chain.power(n)[left] - found.limit).sum() / 2 for n in _distances()]
    return _decided("one word", root, mode[left], offs)


def _two_words() -> Any:
    """In the middle between two words, as far from each.

    There the text goes on, and on this condition it is a chain of its own (Doob). What is left of
    the ends is, to first order, what this chain remembers of the left one and, run backwards,
    of the right one.
    """
    chain = corpora.english().chain(2)
    left, right = map(_token, ENDS)
    limit = np.asarray(homogenization.decide_middle(chain, left, right).limit)
    words = np.flatnonzero(limit)
    distribution, steps = limit[words], chain.transition[np.ix_(words, words)]
    values, vectors = np.linalg.eig(steps)
    going_on = np.abs(vectors[:, np.argmax(np.abs(values))])
    forth = steps * going_on / (steps @ going_on)[:, None]
    back = forth.T * distribution / distribution[:, None]
    root, mode = _slowest(forth - distribution)
    _, mode_back = _slowest(back - distribution)
    known = mode[words.tolist().index(left)] + mode_back[words.tolist().index(right)]
    offs = []
    for n in _distances():
        bridge = chain.power(n)[left] * chain.power(n)[:, right]
        offs.append(np.abs(bridge / bridge.sum() - limit).sum() / 2)
    return _decided("two words", root, known, offs)


def _distances() -> range:
    return range(1, FARTHEST_WORD + 1)


def _token(word: str) -> int:
    return corpora.english().vocabulary.index(word)


def _slowest(deviation: np.ndarray) -> tuple[complex, np.ndarray]:
    """The eigenvalue of the largest modulus, of a pair the upper one, and what belongs to it."""
    values, vectors = np.linalg.eig(deviation)
    k = int(np.argmax(np.abs(values) * (np.imag(values) >= 0)))
    return complex(values[k]), np.outer(vectors[:, k], np.linalg.inv(vectors)[k])


def _decided(known: str, root: complex, part: np.ndarray, offs: list[Any]) -> Any:
    """Name, constant, rate and, for each distance, what is measured and what is predicted."""
    part = part * (1 if root.imag == 0 else 2)  # of a pair, the conjugate adds as much
    rate, constant = abs(root), _widest(part) / 2
    rows = [
        (n, float(off), float(np.abs((part * root**n).real).sum()) / 2, float(constant * rate**n))
        for n, off in zip(_distances(), offs, strict=True)
        if off > SHOWN
    ]
    return known, float(constant), float(rate), rows


def _widest(part: np.ndarray) -> Any:
    """The largest ``sum_v |Re(e^(i phi) part_v)|`` over all phases phi.

    Between the phases at which a term vanishes all signs are fixed.
    """
    zeros = np.sort((np.pi / 2 - np.angle(part)) % np.pi)
    phases = (zeros + np.append(zeros[1:], zeros[0] + np.pi)) / 2
    signs = np.sign(np.real(np.exp(1j * phases)[:, None] * part))
    return np.abs(signs @ part).max()


# ---- drawing --------------------------------------------------------------------------------

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKS = ("o", "s", "^", "D")
MARK = {"linestyle": "none", "markersize": 3, "markeredgewidth": 0.5}


def draw(data: Data) -> Any:
    """One side, the middle, and words."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic([["a", "b", "c"]], figsize=(6.75, 3.2), sharey=True)
    _draw_one_side(axes["a"], data)
    _draw_middle(axes["b"], data["middle"])
    _draw_words(axes["c"], data)
    for panel in axes.values():
        panel.set(yscale="log", ylim=(5e-7, 4))
    axes["a"].set_ylabel("TV to the limit")
    plain = {"color": "0.2", "linewidth": 0.8}
    axes["a"].plot([], [], "o", color="0.2", **MARK, label="measured")
    axes["a"].plot([], [], "-", **plain, label="predicted from eigenvalues")
    axes["a"].plot([], [], ":", **plain, label="the same with the phases of the slowest pair")
    figure.legend(loc="outside lower center", ncols=3, fontsize=7)
    return figure


def _where(rows: Any, key: str, value: Any, *columns: str) -> list[list[Any]]:
    here = [k for k, v in enumerate(rows[key]) if v == value]
    return [[rows[column][k] for k in here] for column in columns]


PLACES = {
    "flip 0.03": (15, 0.27, "flip 0.03: "),
    "flip 0.1": (19, 1.2e-2, "flip 0.1: "),
    "flip 0.3": (14.5, 1.1e-6, "flip 0.3:\n"),
    "round three tokens": (31.5, 3e-6, "round three\ntokens:\n"),
}


def _draw_one_side(axes: Any, data: Data) -> None:
    axes.set_title("(a) after one token")
    periodic = data["periodic"]
    axes.plot(periodic["distance"], periodic["to_the_next"], "--", color="0.35", linewidth=0.8)
    axes.text(1, 1.25, "period 2: TV to the next prediction", fontsize=6.5, color="0.25")
    for k, (name, (x, y, label)) in enumerate(PLACES.items()):
        distance, measured, predicted = _where(
            data["one_side"], "chain", name, "distance", "measured", "predicted"
        )
        ((constant,), (rate,)) = _where(data["decided"], "curve", name, "constant", "rate")
        axes.plot(distance, predicted, "-", color=COLOURS[k], linewidth=0.8)
        axes.plot(distance, measured, MARKS[k], color=COLOURS[k], markevery=2, **MARK)
        text = rf"{label}${constant:.3g} \cdot {rate:.3g}^n$"
        axes.text(x, y, text, fontsize=7, color=COLOURS[k])
    axes.set(xlabel="distance n", xlim=(0, FARTHEST + 1), xticks=(1, 10, 20, 30, 40))


def _draw_middle(axes: Any, rows: Any) -> None:
    axes.set_title(f"(b) between two tokens, flip {FLIP:g}")
    for k, length in enumerate(LENGTHS):
        place, measured, predicted = _where(
            rows, "length", length, "from_middle", "measured", "predicted"
        )
        half = len(place) // 2
        axes.plot(place, predicted, "-", color=COLOURS[k], linewidth=0.8)
        axes.plot(place, measured, MARKS[k], color=COLOURS[k], markevery=(half % 4, 4), **MARK)
        y, side = (0.62, "bottom") if k == 0 else (measured[half] / 1.6, "top")
        axes.text(0, y, f"length {length}", fontsize=7, color=COLOURS[k], ha="center", va=side)
    axes.set(xlabel="site, from the middle", xlim=(-50, 50), xticks=(-48, -24, 0, 24, 48))


def _draw_words(axes: Any, data: Data) -> None:
    axes.set_title("(c) English words")
    left, right = ENDS
    labels = {
        "one word": (7, 0.3, f'after "{left}":\n'),
        "two words": (10, 4e-3, f'between "{left}"\nand "{right}":\n'),
    }
    for k, (known, (x, y, label)) in enumerate(labels.items()):
        distance, measured, slowest, predicted = _where(
            data["words"], "known", known, "distance", "measured", "slowest", "predicted"
        )
        ((constant,), (rate,)) = _where(data["decided"], "curve", known, "constant", "rate")
        axes.plot(distance, predicted, "-", color=COLOURS[k], linewidth=0.8)
        axes.plot(distance, slowest, ":", color=COLOURS[k], linewidth=1)
        axes.plot(distance, measured, MARKS[k], color=COLOURS[k], **MARK)
        text = rf"{label}${constant:.3g} \cdot {rate:.3g}^n$"
        axes.text(x, y, text, fontsize=7, color=COLOURS[k], va="top")
    axes.set(xlabel="distance n from the nearer word", xlim=(0, FARTHEST_WORD + 1))
    axes.set(xticks=(1, 5, 10, 15, 20))


FIGURE = Figure(
    name="conjecture_rate",
    title="The conjecture and its rate",
    caption=(
        "Total variation between a prediction and its limit. Marks (some of them left out) come "
        "from powers of the transition matrix; solid lines are constant times rate^n, both "
        "decided from eigenvalues (in b: the closed form). (a) n sites after the worst token: "
        "bits that flip with three probabilities, and a chain that goes round three tokens, whose "
        "second eigenvalues are complex: it touches its line again and again. With a period of 2 "
        "there is no limit; dashed: neighbouring predictions stay at TV 1 from each other. (b) "
        "Between the worst tokens at both ends of a sequence of bits, at distances a and b from "
        "them: (0.8^a + 0.8^b) / (2 + 2 0.8^(a+b)). The middle forgets the ends like 0.8^n in the "
        "distance n to the nearer one. (c) The words of Python's documentation, whose texts end "
        f"for good. After '{ENDS[0]}' the end of the text takes over, at the rate 0.967. Between "
        f"'{ENDS[0]}' and '{ENDS[1]}', n words from each, the end cannot have come: the limit is "
        "quasi-stationary, and its rate, 0.384, another. There a pair of complex eigenvalues "
        "dominates, -0.160 +- 0.349i times the largest, which turns by 115 degrees from word to "
        "word: the marks swing between the line and about half of it. With its phases (dotted) "
        "they are predicted to 1.3 % from n = 7 on. The conjecture is from Section 3.2.3 of arXiv "
        "2510.03289 as quoted elsewhere; it names no metric and no rate. Total variation, limits "
        "and rates are ours."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="conjecture: arXiv 2510.03289, Section 3.2.3, as quoted on an open-problem page",
    claims=("D1", "D2", "D3"),
    parameters={
        "farthest": FARTHEST,
        "farthest_word": FARTHEST_WORD,
        "lengths": list(LENGTHS),
        "flip": FLIP,
        "words": list(ENDS),
    },
)
