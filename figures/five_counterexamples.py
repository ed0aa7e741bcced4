"""Five kinds of data that break the conjecture about far masks, and one that obeys it."""

from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel
from theory import gallery, homogenization, information

__all__ = ["FIGURE"]

FARTHEST = 24
LENGTH = FARTHEST + 2
DATA = {
    "period": gallery.periodic(LENGTH, 2, 2),
    "end of text": gallery.end_of_text(LENGTH, 0.125, 4),
    "global latent": gallery.two_classes(LENGTH, 0.125),
    "template": gallery.template(LENGTH, 2, 0.125),
    "exchangeable": gallery.curie_weiss(LENGTH, 1.25),
    "a chain that obeys": gallery.binary_symmetric(LENGTH, 0.125),
}
DIGITS = 10
"""Informations of 0 are rounding."""


def compute() -> Data:
    """Means over the first token, at every distance from it."""
    rows = []
    for name, p in DATA.items():
        seen = homogenization.average(p, [0])
        whole = float(information.entropy(p, [0]))
        for k in range(FARTHEST):
            values = (seen.neighbour_tv[k], seen.top_mass[k, 0], seen.information[k] / whole)
            rows.append((name, k + 1, *(round(float(v), DIGITS) + 0.0 for v in values)))
    names = ("data", "distance", "neighbour_tv", "top_mass", "information_share")
    return {"measures": as_panel(names, rows)}


LINES = {
    "neighbour_tv": ("TV to the neighbour", "#0072B2", "-", "o", "full"),
    "top_mass": ("top mass (probability)", "#D55E00", "--", "s", "full"),
    "information_share": ("information about the context (share)", "#009E73", ":", "^", "none"),
}
VERDICTS = {
    "period": "neighbours never alike",
    "end of text": "alike, but certain: the end",
    "global latent": "alike, but they know the context",
    "template": "no context, and never alike",
    "exchangeable": "alike next to the context, too",
    "a chain that obeys": "alike, flat, and forgetful",
}


def draw(data: Data) -> Any:
    """Six panels with the same three lines."""
    import matplotlib.pyplot as plt

    rows = data["measures"]
    figure, axes = plt.subplots(2, 3, figsize=(6.75, 3.7), sharex=True, sharey=True)
    for k, (axis, (name, verdict)) in enumerate(zip(axes.flat, VERDICTS.items(), strict=True)):
        here = [i for i, data_of in enumerate(rows["data"]) if data_of == name]
        distances = [rows["distance"][i] for i in here]
        for first, (column, (label, colour, dashes, mark, fill)) in enumerate(LINES.items()):
            values = [rows[column][i] for i in here]
            axis.plot(
                distances,
                values,
                dashes,
                marker=mark,
                color=colour,
                fillstyle=fill,
                label=label,
                markevery=(first, 3),  # so that no mark hides another
            )
        axis.set_title(f"({'abcdef'[k]}) {name}", loc="left", pad=16)
        axis.text(0, 1.05, verdict, transform=axis.transAxes, fontsize=7, color="0.35")
    axes[0, 0].set(ylim=(-0.05, 1.05), xlim=(0, FARTHEST + 1), xticks=(1, 8, 16, 24))
    for axis in axes[1]:
        axis.set_xlabel("distance from the observed token")
    figure.supylabel("TV, probability, or share", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
    return figure


FIGURE = Figure(
    name="five_counterexamples",
    title="Five ways to break the conjecture",
    caption=(
        "One token is observed; shown are exact means over its values, at each distance from it: "
        "the total variation between the predictions of a mask and its neighbour, the probability "
        "of the likeliest token, and the information about the observed token as a share of its "
        "entropy (marks at every third distance, staggered). (a) Two phases in turn, two tokens "
        "each: neighbours have no token in common. "
        "(b) Four words, fair and independent, and a text that ends one time in eight, for good. "
        "(c) Two symmetric chains of which the first token chooses one for good: half of what the "
        "token tells is never forgotten. (d) Independent sites with a template of period 2. "
        "(e) Exchangeable bits (Curie-Weiss, beta = 1.25): the same at every distance, so distance "
        "is not the cause. (f) A symmetric chain that flips one time in eight: what the "
        "conjecture says comes true. The conjecture is from Section 3.2.3 of arXiv 2510.03289 as "
        "quoted elsewhere; its reading and the counterexamples are ours."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="conjecture: arXiv 2510.03289, Section 3.2.3, as quoted on an open-problem page",
    claims=("D1", "D6"),
    parameters={
        "farthest": FARTHEST,
        "data": {
            "period": "periodic(length, 2, 2)",
            "end of text": "end_of_text(length, 1/8, 4)",
            "global latent": "two_classes(length, 1/8)",
            "template": "template(length, 2, 1/8)",
            "exchangeable": "curie_weiss(length, 1.25)",
            "a chain that obeys": "binary_symmetric(length, 1/8)",
        },
    },
)
