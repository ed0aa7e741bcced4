"""AlphaDLM's three sentences: when the best product writes only sentences of the data."""

import math
from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel, draw_published, published
from theory import JointTable, alpha_loss

__all__ = ["FIGURE"]

SWITCH = math.log2(1.5)
BESIDE = 1e-6
ALPHAS = sorted(
    {k / 100 for k in range(101)}
    | {0.45 + k / 400 for k in range(21)}  # denser where the optimum reaches the boundary
    | {SWITCH - BESIDE, SWITCH + BESIDE}
)
HALVINGS = 40
SENTENCES = {"I am": (0, 3), "he is": (1, 4), "she is": (2, 4)}
ONLY_I_AM = ((1, 0, 0, 0, 0), (0, 0, 0, 1, 0))
ONLY_IS = ((0, 0.5, 0.5, 0, 0), (0, 0, 0, 0, 1))


def compute() -> Data:
    """Find what the best product writes, its score, and where the best one changes."""
    p = alpha_loss.sentences()
    rows = []
    for alpha in ALPHAS:
        sites, value = alpha_loss.best_product(p, alpha)
        masses = [float(sites[0, first] * sites[1, second]) for first, second in SENTENCES.values()]
        vertices = [alpha_loss.sequence_alpha_objective(p, q, alpha) for q in (ONLY_I_AM, ONLY_IS)]
        numbers = (*masses, 1 - sum(masses), value, *vertices)
        rows.append((alpha, *(round(float(v), 9) + 0.0 for v in numbers)))
    names = ("alpha", "i_am", "he_is", "she_is", "invalid", "score", "score_i_am", "score_is")
    products = as_panel(names, rows)
    return {
        "products": products,
        "published": published(
            [
                ("mass on no sentence, alpha to 0", 0.48, products["invalid"][0], "its example"),
                ("alpha where the best changes: log2 1.5", SWITCH, _switch(p), "its example"),
            ]
        ),
    }


def _switch(p: JointTable) -> float:
    """Where "I am" becomes the likelier first word of the best product, by halving."""
    low, high = 0.5, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_it = alpha_loss.best_product(p, middle).sites[0, 0] > 0.5
        low, high = (low, middle) if is_it else (middle, high)
    return (low + high) / 2


I_AM, IS, INVALID, SCORE = "#0072B2", "#D55E00", "#009E73", "#000000"


def draw(data: Data) -> Any:
    """Invalid mass, sentences and scores; the published numbers below."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.75, 3.2))
    grid = figure.add_gridspec(2, 3, height_ratios=(1, 0.27))
    left, middle, right = (figure.add_subplot(grid[0, k]) for k in range(3))
    products, known = data["products"], data["published"]
    alpha = products["alpha"]

    left.set_title("(a) written outside of the data")
    left.plot(alpha, products["invalid"], "-", color=INVALID)
    left.plot(0, known["published"][0], "o", color=INVALID, markerfacecolor="none", markersize=7)
    left.text(0.0, 0.415, "cross-entropy", fontsize=7, color=INVALID, va="center")
    left.text(0.61, 0.44, "log2 1.5", fontsize=7, color="0.4", va="center")
    left.set(ylabel="probability")

    middle.set_title("(b) sentences of the data")
    middle.plot(alpha, products["i_am"], "-", color=I_AM)
    middle.plot(alpha, products["he_is"], color=IS, linestyle="--")
    middle.text(0.97, 0.92, "I am", color=I_AM, fontsize=7, ha="right")
    middle.text(0.03, 0.42, "he is,\nshe is", color=IS, fontsize=7, va="center")
    middle.set(ylabel="probability of each")

    right.set_title("(c) scores")
    right.plot(alpha, products["score"], "-", color=SCORE, linewidth=3, alpha=0.25)
    right.plot(alpha[1:], products["score_i_am"][1:], "-", color=I_AM)
    right.plot(alpha[1:], products["score_is"][1:], color=IS, linestyle="--")
    right.text(0.28, 0.72, "the best", fontsize=7)
    right.text(0.97, 0.42, "only I am", color=I_AM, fontsize=7, ha="right")
    right.text(0.97, 0.3, "he is, she is", color=IS, fontsize=7, ha="right", va="top")
    right.set(ylabel="score", ylim=(0, 1.04))

    for axes in (left, middle, right):
        axes.axvline(known["published"][1], color="0.75", linewidth=0.8, zorder=0)
        axes.set(xlabel=r"$\alpha$", xlim=(-0.03, 1.02))
    draw_published(figure.add_subplot(grid[1, :]), known, "(d) published numbers")
    return figure


FIGURE = Figure(
    name="three_sentences",
    title="Three sentences and the sequence alpha-loss",
    caption=(
        "The data are *I am* (0.4), *he is* (0.3) and *she is* (0.3). Of all products q of a "
        "first and a second word, which is what one round can write, the one that maximises "
        "sum_x p(x) q(x)^alpha. (a) Its probability of writing none of the three sentences: 0.48 "
        "as alpha tends to 0, which is training by cross-entropy, and 0 from alpha = 1/2 on. (b) "
        "Its probability of each sentence. The best product is interior below 1/2; from there it "
        "is *he is* or *she is*, and from log2 1.5 (grey) *I am* alone. (c) Its score, and those "
        "of two products that write nothing invalid. (d) What was seen of the paper: the mass "
        "and the change. The picture between them is computed here, by alternating maximisation "
        "from many starts."
    ),
    compute=compute,
    draw=draw,
    relation="reproduces",
    source="AlphaDLM, its example of three sentences, read; the course over alpha is ours",
    claims=("C10",),
    parameters={"alphas": len(ALPHAS), "beside_the_switch": BESIDE, "halvings": HALVINGS},
)
