"""What is lost of TC at most: equal, minimax and random minimax batches, and the worst codes."""

from collections.abc import Sequence
from typing import Any

from figures.figure import Data, Figure
from theory import bounds, closed_forms, information, schedules
from theory.schedules import RandomSizes

__all__ = ["FIGURE"]

SITES = 64
ROUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 60, 62, 63)
SHOWN = 8
"""Rounds of the schedules whose loss is shown for every code."""
FOR_CODES = ("equal", "minimax", "random minimax")
PER_ROUND = (2, 4, 8)
LENGTHS = (16, 32, 64, 128, 256, 512)

Sizes = Sequence[int] | RandomSizes


def _schedules(length: int, rounds: int) -> dict[str, Sizes]:
    return {
        "equal": schedules.uniform(length, rounds),
        "cosine": schedules.batch_sizes(schedules.Cosine(), length, rounds),
        "minimax": schedules.minimax(length, rounds),
        "random minimax": schedules.minimax(length, rounds, random=True),
    }


def compute() -> Data:
    """Exact shares of TC as floats: the worst by rounds, of every code, and times the rounds."""
    worst: dict[str, list[Any]] = {k: [] for k in ("sizes", "rounds", "share", "codes", "first")}
    for rounds in ROUNDS:
        for name, sizes in _schedules(SITES, rounds).items():
            case = bounds.worst_case(sizes)
            values = (float(case.share), len(case.dimensions), case.dimensions[0])
            _add(worst, name, rounds, *values)
    codes: dict[str, list[Any]] = {k: [] for k in ("sizes", "dimension", "share", "worst")}
    every = _schedules(SITES, SHOWN)
    for name in FOR_CODES:
        sizes = every[name]
        case = bounds.worst_case(sizes)
        for r in range(1, SITES):
            step = [1.0] * r + [0.0] * (SITES - r)  # the profile of a code, with TC = L - r
            if isinstance(sizes, RandomSizes):
                cost = sizes.path_cost(step)
            else:
                cost = information.path_cost(step, sizes)
            _add(codes, name, r, round(float(cost) / (SITES - r), 12), r in case.dimensions)
    columns = ("sizes", "sites_per_round", "sites", "rounds_times_share", "limit")
    growth: dict[str, list[Any]] = {k: [] for k in columns}
    for per_round in PER_ROUND:
        limits = [closed_forms.minimax_limit(per_round, random=random) for random in (False, True)]
        for length in LENGTHS:
            rounds = length // per_round
            every = _schedules(length, rounds)
            for name, limit in zip(("minimax", "random minimax"), limits, strict=True):
                share = bounds.worst_case(every[name]).share
                _add(growth, name, per_round, length, float(rounds * share), limit)
    return {"worst": worst, "codes": codes, "growth": growth}


def _add(panel: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(panel.values(), values, strict=True):
        column.append(value)


STYLES = {
    "equal": ("0.6", "s", ":"),
    "cosine": ("#009E73", "^", "-."),
    "minimax": ("#0072B2", "o", "--"),
    "random minimax": ("#D55E00", "D", "-"),
}


def draw(data: Data) -> Any:
    """The worst shares over rounds, the shares of all codes, rounds times share over lengths."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(6.75, 2.7))
    for name, (colour, mark, dashes) in STYLES.items():
        rounds, share = _columns(data["worst"], ("rounds", "share"), sizes=name)
        left.plot(rounds, share, dashes, color=colour, marker=mark, markersize=3, label=name)
    for name in FOR_CODES:
        colour, mark, dashes = STYLES[name]
        r, share = _columns(data["codes"], ("dimension", "share"), sizes=name)
        middle.plot(r, share, dashes, color=colour, linewidth=1)
        r, share = _columns(data["codes"], ("dimension", "share"), sizes=name, worst=True)
        middle.plot(r, share, mark, color=colour, markersize=3)
    left.set(xlabel=f"rounds, {SITES} sites", ylabel="worst loss over TC")
    left.set(xlim=(0, SITES + 1), yscale="log", ylim=(3e-4, 1.3))
    left.set_xticks([1, 16, 32, 48, 64])
    left.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    left.minorticks_off()
    left.legend(loc="lower left")
    left.set_title("(a) over all distributions")
    middle.set(xlabel="dimension of the code", ylabel="loss over TC", ylim=(0, 1.04))
    middle.set_xticks([1, 16, 32, 48, 63])
    middle.set_title(f"(b) of each code, {SHOWN} rounds")
    for per_round in PER_ROUND:
        for name in ("minimax", "random minimax"):
            colour, mark, dashes = STYLES[name]
            chosen = {"sizes": name, "sites_per_round": per_round}
            columns = ("sites", "rounds_times_share", "limit")
            length, product, limit = _columns(data["growth"], columns, **chosen)
            right.plot(length, product, dashes, color=colour, marker=mark, markersize=3)
            right.axhline(limit[0], color=colour, linewidth=0.6, alpha=0.6)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            right.text(720, limit[0], str(per_round), fontsize=7, va="center", bbox=box)
    right.set(xscale="log", xlabel="sites", ylabel="rounds x worst share", ylim=(0, 4.5))
    right.set(xlim=(12, 1200))
    right.set_xticks([16, 64, 256], ["16", "64", "256"])
    right.minorticks_off()
    right.text(1150, 4.25, "sites a round", fontsize=7, ha="right")
    right.set_title("(c) with limits")
    return figure


def _columns(panel: Any, names: Sequence[str], **chosen: Any) -> list[list[Any]]:
    """Columns of the rows with these values."""
    columns = [panel[name] for name in chosen]
    rows = [
        k for k, found in enumerate(zip(*columns, strict=True)) if found == tuple(chosen.values())
    ]
    return [[panel[name][k] for k in rows] for name in names]


FIGURE = Figure(
    name="what_is_best_possible",
    title="What is best possible whatever the data are",
    caption=(
        f"Random-order decoding of {SITES} sites: what is lost at most over all distributions and "
        "vocabularies, as a share of TC. (a) Equal batches, which lose all of TC as long as the "
        "last of them has two sites, batches of the cosine schedule, the best fixed sizes, and the "
        f"best random sizes, drawn for each sequence. (b) In {SHOWN} rounds, what is lost of the "
        "Reed-Solomon code of each dimension; the worst codes are marked. Fixed sizes lose nothing "
        "where a batch begins, and most just after it; the best random sizes lose the same share "
        "of every code. (c) The number of rounds times the worst share of the best fixed and "
        "random sizes, for 2, 4 and 8 sites a round, and its limits for long sequences (thin)."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="derived here",
    claims=("B18", "B5"),
    parameters={
        "sites": SITES,
        "rounds": list(ROUNDS),
        "shown": SHOWN,
        "per_round": list(PER_ROUND),
        "lengths": list(LENGTHS),
    },
)
