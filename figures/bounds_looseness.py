"""How loose every bound is, over the gallery."""

from typing import Any

from figures.figure import Data, Figure
from figures.published import as_panel
from theory import bounds, corpora, gallery, schedules
from theory._core.bound import Bound
from theory.distributions import Distribution

__all__ = ["FIGURE"]

ROUNDS = 3
STEPS = 8
CODE_SITES, CODE_TOKENS = 8, 7


def _distributions() -> dict[str, Distribution]:
    return {
        "repeated bit, 8": gallery.repeated_bit(8),
        "its copies noisy, 0.1": gallery.repeated_bit(8, noise=0.1),
        "even parity, 8": gallery.parity(8),
        "one-hot, 8": gallery.one_hot(8),
        "balanced, 8": gallery.balanced(8),
        "coupled pairs, 8": gallery.coupled_pairs(4),
        "permutations, 6": gallery.permutations(6),
        "Latin squares, 3 x 3": gallery.latin_squares(3),
        "Bernoulli walk, 6": gallery.walk(6),
        "golden mean, 8": gallery.golden_mean(8),
        "symmetric chain, 8": gallery.binary_symmetric(8, 0.1),
        "Ising ring, 8": gallery.ising_ring(8, 0.5),
        "Curie-Weiss, 8": gallery.curie_weiss(8, 1.0),
        "Dyck words, 8": gallery.dyck(4),
        "NAE-SAT, 4 + 4": gallery.nae_sat(4, ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))),
        "English words, 4": gallery.words(4),
    }


def _bounds(p: Distribution) -> dict[tuple[str, str], Bound]:
    """Every bound by what it is about and its name."""
    sizes = schedules.uniform(p.length, ROUNDS)
    times = schedules.equal_mass(p, STEPS)
    return {
        ("batches", "falls, least"): bounds.least_drops(p, sizes, base=2),
        ("batches", "falls"): bounds.drops(p, sizes, base=2),
        ("batches", "growth over sites"): bounds.cardinality_growth(p, sizes, base=2),
        ("batches", "largest batch"): bounds.largest_batch(p, sizes, base=2),
        ("batches", "Li and Cai"): bounds.li_cai(p, sizes, base=2),
        ("geometric", "r TC"): bounds.total_correlation_schedule(p, 0.5, base=2),
        ("geometric", "r DTC"): bounds.dual_total_correlation_schedule(p, 0.5, base=2),
        ("grids", "Theorem 1"): bounds.growth(p, times, base=2),
        ("grids", "sharper step"): bounds.sharp_growth(p, times, base=2),
        ("grids", "equal steps"): bounds.equal_steps(p, STEPS, base=2),
        ("complexities", "G by TC, DTC"): bounds.growth_complexity(p, base=2),
        ("complexities", "continuum by TC + DTC"): bounds.continuum(p, base=2),
        ("complexities", "continuum by 2 blocks"): bounds.block_complexity(
            p, (0.05, 0.5, 0.95), base=2
        ),
    }


def compute() -> Data:
    """Quantity, bound and their ratio, in bits, where anything is lost; first of the worst codes.

    A profile is a sum of those of codes, so where both sides are linear in it no distribution of
    as many sites comes closer to a bound than a code, for which see `bounds.worst_case`.
    """
    worst: dict[Any, Row] = {}
    for dimension in range(1, CODE_SITES):
        code = gallery.reed_solomon(CODE_SITES, dimension, CODE_TOKENS)
        for row in _rows(f"worst code, {CODE_SITES}", code):
            kind = row[1:3]
            if kind not in worst or abs(row[-1] - 1) < abs(worst[kind][-1] - 1):
                worst[kind] = row
    every = [row for name, p in _distributions().items() for row in _rows(name, p)]
    columns = ("data", "about", "bound", "quantity_bits", "bound_bits", "ratio")
    return {"bounds": as_panel(columns, [*worst.values(), *every])}


Row = tuple[str, str, str, float, float, float]


def _rows(name: str, p: Distribution) -> list[Row]:
    rows = []
    for (group, label), bound in _bounds(p).items():
        quantity, limit = (round(float(v), 10) + 0.0 for v in (bound.quantity, bound.bound))
        if quantity > 0:
            rows.append((name, group, label, quantity, limit, round(limit / quantity, 9)))
    return rows


MARKS = {
    "batches": (f"(a) {ROUNDS} equal batches", ("v", "s", "D", "o", "^")),
    "geometric": ("(b) geometric", ("<", ">")),
    "grids": (f"(c) {STEPS}-step grids", ("o", "D", "s")),
    "complexities": ("(d) complexities", ("o", "s", "D")),
}


def draw(data: Data) -> Any:
    """A panel for each group, a row for each distribution, a mark for each bound."""
    import matplotlib.pyplot as plt

    panel = data["bounds"]
    names = list(dict.fromkeys(panel["data"]))
    figure, grid = plt.subplots(1, len(MARKS), figsize=(6.75, 4.3), sharey=True)
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    rows = list(zip(*panel.values(), strict=True))
    for axes, (group, (title, markers)) in zip(grid, MARKS.items(), strict=True):
        labels = list(dict.fromkeys(row[2] for row in rows if row[1] == group))
        for k, (label, marker) in enumerate(zip(labels, markers, strict=True)):
            points = [
                (ratio, names.index(name) + 0.1 * (k - (len(labels) - 1) / 2))
                for name, _, about, _, _, ratio in rows
                if about == label
            ]
            axes.plot(
                *zip(*points, strict=True),
                marker,
                color=colours[k],
                markersize=3.5,
                label=label,
                markerfacecolor=colours[k] if k % 2 else "white",
            )
        axes.axvline(1, color="0.6", linewidth=0.8)
        for place in range(len(names)):
            axes.axhline(place, color="0.92", linewidth=0.5, zorder=0)
        axes.set_xscale("log")
        axes.set_title(title)
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), handletextpad=0.2)
        low, high = _wide(axes.get_xlim())
        ticks = [tick for tick in TICKS if low <= tick <= high]
        axes.set(xlim=(low, high), xticks=ticks, xticklabels=ticks)
        axes.minorticks_off()
    grid[0].set_yticks(range(len(names)), names)
    grid[0].set(ylim=(len(names) - 0.5, -0.5))
    figure.supxlabel("bound over what it bounds (1: attained)", fontsize=8)
    return figure


def _wide(limits: tuple[float, float]) -> tuple[float, float]:
    """At least from 0.9 to 4.2, so that ticks can be read."""
    return min(limits[0], 0.9), max(limits[1], 4.2)


TICKS = (0.25, 0.5, 1, 2, 4, 8)


FIGURE = Figure(
    name="bounds_looseness",
    title="Every bound over what it bounds, across the gallery",
    caption=(
        "Exact ratios of bounds to what they bound; 1 is attained, below 1 lies a lower bound. (a) "
        "Random order in three rounds, batches as equal as possible. (b) The schedules of claim B5 "
        "at r = 1/2, large batches first against r TC, large batches last against r DTC. (c) "
        "Ancestral decoding in eight steps: of equal mass of sqrt(h') for the growth complexity, "
        "of equal length for (TC + DTC)/N. (d) The growth complexity by min(TC, DTC), and the "
        "continuum complexity by TC + DTC and by two blocks between the shares 0.05 and 0.95. "
        "Bounds in the falls of the profile, over numbers of sites, with the largest batch and "
        "with the sharper step are ours. There is no mark where nothing is lost. First row: of the "
        "Reed-Solomon codes of 8 sites the one that comes closest to each bound. Where both sides "
        "are linear in the profile, in (a), (b), for equal steps and for G, no distribution of 8 "
        "sites comes closer, and a bound that is attained has the best possible constant."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="bounds of arXiv 2505.21400, 2511.04647 and 2608.13520, and ours",
    claims=("B4", "B5", "B6", "B7", "B18"),
    parameters={
        "rounds": ROUNDS,
        "steps": STEPS,
        "ratio": 0.5,
        "noise": 0.1,
        "corpus": corpora.made_from(),
    },
    absolute_tolerance=1e-8,
)
