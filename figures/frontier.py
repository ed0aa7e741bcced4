"""Every decoder against the best possible one."""

from typing import Any

from figures.figure import Data, Figure
from sims.comparison.compare import compare, usual_decoders
from sims.comparison.plot import STYLES, draw_decoders
from theory import JointTable, corpora, gallery
from theory.distributions import Distribution

__all__ = ["FIGURE"]


def _distributions() -> dict[str, Distribution]:
    return {
        "English words, 4 letters": JointTable(gallery.words(4).table()),  # keeps its lattice
        "noisy repeated bit, 8": gallery.repeated_bit(8, noise=0.1),
        "coupled pairs, 6": gallery.coupled_pairs(3),
        "symmetric chain, 8": gallery.binary_symmetric(8, 0.1),
        "permutations, 4": gallery.permutations(4),
        "even parity, 6": gallery.parity(6),
        "Bernoulli walk, 5": gallery.walk(5),
    }


def compute() -> Data:
    """Exact (rounds, KL) of all usual decoders and of the corners of the optimum."""
    corners: dict[str, list[Any]] = {name: [] for name in ("distribution", "rounds", "kl_nats")}
    columns = ("distribution", "decoder", "kind", "rounds", "judged_nats", "kl_nats", "regret")
    decoders: dict[str, list[Any]] = {name: [] for name in columns}
    for name, p in _distributions().items():
        result = compare(p, usual_decoders(p), corners=True)
        assert result.corners is not None
        for corner in result.corners:
            values = (name, _rounded(corner.rounds), _rounded(corner.kl))
            for column, value in zip(corners, values, strict=True):
                corners[column].append(value)
        for row in result.rows:
            assert row.regret is not None
            numbers = (row.rounds, row.judged, row.kl, row.regret)
            values = (name, row.decoder, row.kind, *map(_rounded, numbers))
            for column, value in zip(decoders, values, strict=True):
                decoders[column].append(value)
    return {"corners": corners, "decoders": decoders}


def _rounded(value: Any) -> float:
    """Ten decimals, so that rounding noise around zero is not recorded."""
    return round(float(value), 10) + 0.0


NAMED = {
    ("English words, 4 letters", "TokenConfidence(1)"): ("draw,\nthen keep", (-1, 4), "center"),
    ("permutations, 4", "Speculative(None)"): ("draft and\nverify", (-4, 2), "right"),
}
"""Marks that the text speaks of."""


def draw(data: Data) -> Any:
    """One panel for each distribution, the legend in the last place."""
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(2, 4, figsize=(6.75, 3.6))
    panels = list(grid.reshape(-1))
    names = list(dict.fromkeys(data["decoders"]["distribution"]))
    for axes, name in zip(panels, names, strict=False):
        corners = _rows(data["corners"], name, ("rounds", "kl_nats"))
        columns = ("kind", "rounds", "judged_nats", "kl_nats", "decoder")
        marks = _rows(data["decoders"], name, columns)
        top = max(kl for _, kl in corners)
        end = 1.08 * top
        draw_decoders(axes, corners, [mark[:4] for mark in marks if mark[2] <= end])
        axes.set_title(name, fontsize=7.5)
        axes.set(xlim=(0.6, None), ylim=(-0.05 * top, end))
        for kind, rounds, judged, _, decoder in marks:
            colour = STYLES[kind][1]
            style: Any = {"fontsize": 7, "color": colour, "textcoords": "offset points"}
            arrow = {"arrowstyle": "->", "color": colour}
            if judged > end:  # to scale, it would flatten the rest
                text, style["arrowprops"] = f"draw,\nthen keep:\n{judged:.2f}", arrow
                axes.annotate(text, (rounds, end), (0, -14), **style, ha="center", va="top")
            elif (name, decoder) in NAMED:
                text, offset, side = NAMED[name, decoder]
                axes.annotate(text, (rounds, judged), offset, **style, ha=side)
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles: dict[str, Any] = {}
    for axes in panels[: len(names)]:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    last = panels[-1]
    last.set_axis_off()
    last.legend(handles.values(), handles.keys(), loc="center", fontsize=7, frameon=False)
    figure.supxlabel("expected rounds (denoiser calls)", fontsize=8)
    figure.supylabel("path KL, nats", fontsize=8)
    return figure


def _rows(panel: Any, name: str, columns: tuple[str, ...]) -> list[Any]:
    here = [k for k, at in enumerate(panel["distribution"]) if at == name]
    return [tuple(panel[column][k] for column in columns) for k in here]


FIGURE = Figure(
    name="frontier",
    title="Every decoder against the best possible one",
    caption=(
        "Divergence against expected rounds, exact, for the decoders of the package at usual "
        "settings with a perfect denoiser. Black: the best of all value-adaptive policies, by "
        "dynamic programming; nothing that selects sites before it draws can lie in the grey "
        "part. Marks: circles go by fixed or random places, squares by scores of places, "
        "triangles look at drawn tokens, crosses take tokens back (they lie outside of the "
        "comparison, as do triangles). Vertical lines lead from the mean divergence over a "
        "policy's coin tosses (path KL) down to the divergence of what is written, the mixture, "
        "which may be below the best policy without coins. Draw, then keep: TokenConfidence(1), "
        "the order of operations of LLaDA's low-confidence remasking at temperature 1, one site a "
        "round; arrows lead to where it lies above a panel's top."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="the cost is that of Wen, Liang, Lu, arXiv 2608.25505; the optimum is computed here",
    claims=("B1", "B14", "C2", "C4"),
    long=True,
    parameters={
        "distributions": list(_distributions()),
        "noise": 0.1,
        "flip": 0.1,
        "corpus": corpora.made_from(),
    },
    absolute_tolerance=1e-9,
)
