"""Which training masks learn fastest, for which inference: excess KL against samples."""

import math
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from sims.sweep.sweep import grid, sweep
from sims.training import expected_excess, experiment, training_masks
from sims.training.experiment import DATA, DECODERS

__all__ = ["FIGURE"]

SIZES = (30, 300, 3000, 30000)
LINE = tuple(round(30 * 10 ** (k / 3)) for k in range(10))
"""Sample sizes at which exact means are computed."""

AT = 1000
"""Samples behind the tables."""

PAIRS = (
    ("left to right", "left to right"),
    ("uniform time", "left to right"),
    ("uniform time", "random"),
    ("left to right", "random"),
)
"""Training and inference, of the curves."""

TRAINING = ("uniform time", "left to right", "blocks of 2", "visited", "best")
INFERENCE = ("left to right", "two at once", "random", "most confident", "two most confident")
EXACT = ("left to right", "two at once")
"""Decoders without coins that look at nothing: their mean excess is computed, not drawn."""

REPEATS = {"left to right": 4, "random": 3, "most confident": 16, "two most confident": 16}
SHARED = {"curves": 16, "chain": 48, "other data": 4}
"""Data sets of the learner that shares. It is noisy on its own data, and wrong on others."""
SEED = 0
DIGITS = 10


def compute() -> Data:
    """Means over data sets, with standard errors of those that are drawn."""
    return {
        "lines": as_panel(("data", "training", "samples", "excess"), _lines()),
        "marks": as_panel(MARKS, _marks()),
        "tables": as_panel(TABLES, _with_least(list(_tables()))),
    }


MARKS = ("data", "learner", "training", "inference", "samples", "excess", "error")
TABLES = ("data", "learner", "training", "inference", "excess", "error", "untrained", "least")


def _lines() -> Any:
    """Exact means from left to right."""
    for data, make in DATA.items():
        for masks in ("left to right", "uniform time"):
            table = training_masks(data, masks, "left to right")
            for n in LINE:
                mean = expected_excess(make(), DECODERS["left to right"], table, n)
                yield data, masks, n, round(mean, DIGITS)


def _drawn(learner: str, masks: str, decoder: str, repeats: int, **others: Any) -> Any:
    """Means of the excess, and of the share of calls that were never trained."""
    cases = [
        case | {"learner": learner, "masks": masks, "decoder": decoder}
        for case in grid(**others, repeat=range(repeats))
    ]
    results = sweep(experiment, cases, seed=SEED, progress=False)
    by = ("data", "size")
    return zip(results.mean(of="excess", by=by), results.mean(of="untrained", by=by), strict=True)


def _marks() -> Any:
    runs = [("tables", pair, tuple(DATA)) for pair in PAIRS]
    runs += [("chain", pair, ("chain",)) for pair in PAIRS[:2]]
    for learner, (masks, decoder), data in runs:
        repeats = SHARED["curves"] if learner == "chain" else REPEATS[decoder]
        for mean, _ in _drawn(learner, masks, decoder, repeats, data=data, size=SIZES):
            numbers = (round(mean.mean, DIGITS), round(mean.error, DIGITS))
            yield mean.at["data"], learner, masks, decoder, mean.at["size"], *numbers


def _tables() -> Any:
    for masks in TRAINING:
        for decoder in INFERENCE:
            if decoder in EXACT:
                for data, make in DATA.items():
                    table = training_masks(data, masks, decoder)
                    mean = expected_excess(make(), DECODERS[decoder], table, AT)
                    yield data, "tables", masks, decoder, round(mean, DIGITS), 0.0, 0.0
            elif masks != "best" or decoder == "random":
                yield from _drawn_rows("tables", masks, decoder, REPEATS[decoder], tuple(DATA))
        if masks in TRAINING[:3]:
            for data in DATA:
                repeats = SHARED["chain" if data == "chain" else "other data"]
                yield from _drawn_rows("chain", masks, "left to right", repeats, (data,))


def _with_least(rows: list[Any]) -> Any:
    """Mark the training that is best, and what cannot be told from it."""
    for row in rows:
        data, learner, _, decoder, excess, error, _ = row
        others = [r for r in rows if (r[0], r[1], r[3]) == (data, learner, decoder)]
        best = min(others, key=lambda r: r[4])
        yield *row, int(excess - best[4] <= 2 * math.hypot(error, best[5]))


def _drawn_rows(learner: str, masks: str, decoder: str, repeats: int, data: tuple[str, ...]) -> Any:
    for mean, untrained in _drawn(learner, masks, decoder, repeats, data=data, size=(AT,)):
        numbers = (mean.mean, mean.error, untrained.mean)
        rounded = (round(v, DIGITS) + 0.0 for v in numbers)
        yield mean.at["data"], learner, masks, decoder, *rounded


TITLES = {
    "chain": "chain of 6 bits",
    "permutations": "permutations of 4",
    "latents": "4 latents, 2 clauses",
}
COLOURS = {"left to right": "#D55E00", "uniform time": "#0072B2"}
DASHES = {"left to right": "-", "random": "--"}
SHAPES = {
    ("left to right", "left to right"): "s",
    ("uniform time", "left to right"): "o",
    ("uniform time", "random"): "v",
    ("left to right", "random"): "D",
}


def draw(data: Data) -> Any:
    """Curves above, tables below."""
    import matplotlib.pyplot as plt

    figure, grid_of_axes = plt.subplots(
        2, 3, figsize=(6.75, 4.9), height_ratios=(1.15, 1), sharey="row"
    )
    for k, (name, title) in enumerate(TITLES.items()):
        _draw_curves(grid_of_axes[0, k], data, name)
        grid_of_axes[0, k].set_title(f"({'abc'[k]}) {title}")
        _draw_table(grid_of_axes[1, k], data["tables"], name)
        grid_of_axes[1, k].set_title(f"({'def'[k]}) the same, n = {AT}")
    grid_of_axes[0, 0].set_ylabel("excess KL (nats)")
    grid_of_axes[0, 0].text(24, 6e-3, "shared\nchain", fontsize=7, va="center")
    grid_of_axes[0, 1].legend(
        loc="lower left", fontsize=7, title="training → inference", title_fontsize=7
    )
    grid_of_axes[1, 0].set_ylabel("inference")
    grid_of_axes[1, 1].set_xlabel("training masks")
    return figure


def _draw_curves(axes: Any, data: Data, name: str) -> None:
    lines, marks = data["lines"], data["marks"]
    for masks, colour in COLOURS.items():
        here = _where(lines, data=name, training=masks)
        axes.plot(*_columns(lines, here, "samples", "excess"), "-", color=colour, linewidth=1.2)
    for (masks, decoder), shape in SHAPES.items():
        for learner in ("tables", "chain"):
            chosen = {"data": name, "learner": learner, "training": masks, "inference": decoder}
            here = _where(marks, **chosen)
            if not here:
                continue
            x, y, error = _columns(marks, here, "samples", "excess", "error")
            line = "" if (learner, decoder) == ("tables", "left to right") else DASHES[decoder]
            style: dict[str, Any] = {"color": COLOURS[masks], "linestyle": line or "none"}
            if learner == "chain":
                style |= {"linestyle": ":", "markerfacecolor": "white"}
            label = f"{masks} → {decoder}" if learner == "tables" else None
            style |= {"marker": shape, "markersize": 3.5, "linewidth": 1, "label": label}
            axes.errorbar(x, y, yerr=error, **style)
    axes.set(xscale="log", yscale="log", xlim=(18, 60000), ylim=(6e-5, 5), xlabel="samples n")


def _draw_table(axes: Any, rows: Any, name: str) -> None:
    lines = [("tables", decoder) for decoder in INFERENCE]
    lines.append(("chain", "left to right"))
    cells = np.full((len(lines), len(TRAINING)), np.nan)
    least = np.zeros(cells.shape)
    for k in _where(rows, data=name):
        i = lines.index((rows["learner"][k], rows["inference"][k]))
        j = TRAINING.index(rows["training"][k])
        cells[i, j], least[i, j] = rows["excess"][k], rows["least"][k]
    shade = np.sign(cells) * np.minimum(abs(cells), 2)
    axes.imshow(shade, cmap="Greys", vmin=0, vmax=2.6, aspect="auto")
    for (i, j), value in np.ndenumerate(cells):
        if np.isfinite(value):
            text = f"{value:.2f}" if abs(value) >= 0.095 else f"{value:.3f}"
            axes.text(
                j,
                i,
                text.replace("0.", ".", 1),
                ha="center",
                va="center",
                fontsize=7,
                color="1" if value > 1.3 else "0",
                fontweight="bold" if least[i, j] else "normal",
            )
    axes.set_xticks(range(len(TRAINING)), TRAINING, rotation=35, ha="right", rotation_mode="anchor")
    labels = [decoder for _, decoder in lines[:-1]] + ["left to right,\nshared chain"]
    axes.set_yticks(range(len(lines)), labels)
    axes.tick_params(length=0)


def _where(rows: Any, **chosen: Any) -> list[int]:
    count = len(rows["data"])
    return [k for k in range(count) if all(rows[c][k] == v for c, v in chosen.items())]


def _columns(rows: Any, here: list[int], *columns: str) -> list[list[Any]]:
    return [[rows[column][k] for k in here] for column in columns]


FIGURE = Figure(
    name="training_strategies",
    title="Training strategies",
    caption=(
        "Denoisers learnt from n samples, each one sequence with one mask that hides something, "
        "and what decoders write with them, exactly: KL from the data, less that with a perfect "
        "denoiser. (a-c) One independent table for each partly masked sequence (prior 1/2 per "
        "token), matched and mismatched. Solid lines: exact means over data sets; marks: means of "
        "4 data sets (3 where inference is random) with standard errors. Dotted, on the chain: one "
        "homogeneous chain, fitted to all neighbours of which the mask hides one, decoded from "
        "left to right, means of 16; there uniform time is better. (d-f) The excess with 1000 "
        "samples, for decoders (rows) and training masks (columns); bold: the least of a row, and "
        "what is within two standard errors of it. The first two rows are exact, the third is of 3 "
        "data sets, those of the most confident sites of 16, the last of 48 (4 in e and f, whose "
        "data a chain cannot fit). Blocks: one of two sites after the other, uniform time within. "
        "Visited: as often as the decoder with a perfect denoiser asks; best: the masks with the "
        "least excess for large n, which needs to know the data, for decoders that look at "
        "nothing."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="direction: arXiv 2602.10314 (restated); the experiment is ours",
    claims=("E4",),
    long=True,
    parameters={
        "samples": list(SIZES),
        "samples of the tables": AT,
        "data sets": REPEATS | {"shared": SHARED},
        "alpha": 0.5,
        "seed": SEED,
        "inference": {name: repr(DECODERS[name]) for name in INFERENCE},
    },
)
