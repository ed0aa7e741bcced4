"""The picture of the cost: a schedule makes steps of the profile, and loses what they add."""

from typing import Any

from figures.figure import Data, Figure
from theory import gallery, information, schedules
from theory.distributions import Distribution

__all__ = ["FIGURE"]

LENGTH = 8
ROUNDS = 3
FLIP = 0.1


def _distributions() -> dict[str, Distribution]:
    return {
        "concave: balanced strings": gallery.balanced(LENGTH),
        "linear: coupled pairs": gallery.coupled_pairs(LENGTH // 2),
        "convex: symmetric chain": gallery.binary_symmetric(LENGTH, FLIP),
    }


def compute() -> Data:
    """Profiles, and the batches of equal and of best sizes, in bits."""
    profiles: dict[str, list[Any]] = {name: [] for name in ("data", "known", "profile_bits")}
    columns = ("data", "schedule", "start", "size", "height_bits", "lost_bits")
    batches: dict[str, list[Any]] = {name: [] for name in columns}
    for name, p in _distributions().items():
        f = [round(float(v), 12) + 0.0 for v in information.profile(p, base=2)]
        profiles["data"] += [name] * LENGTH
        profiles["known"] += range(LENGTH)
        profiles["profile_bits"] += f
        for schedule, sizes in {
            "equal": schedules.uniform(LENGTH, ROUNDS),
            "best": schedules.optimal(f, ROUNDS),
        }.items():
            start = 0
            for size in sizes:
                lost = size * f[start] - sum(f[start : start + size])
                row = (name, schedule, start, size, f[start], round(lost, 12) + 0.0)
                for column, value in zip(batches, row, strict=True):
                    batches[column].append(value)
                start += size
    return {"profiles": profiles, "batches": batches}


def draw(data: Data) -> Any:
    """A column for each kind of profile; equal batches above, the best ones below."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(data["profiles"]["data"]))
    figure, grid = plt.subplots(2, len(names), figsize=(6.75, 3.6), sharex=True, sharey=True)
    for column, name in enumerate(names):
        profile = _rows(data["profiles"], name, ("known", "profile_bits"))
        for axes, schedule in zip(grid[:, column], ("equal", "best"), strict=True):
            wanted = ("schedule", "start", "size", "height_bits", "lost_bits")
            batches = [b[1:] for b in _rows(data["batches"], name, wanted) if b[0] == schedule]
            _draw_batches(axes, [f for _, f in profile], batches)
            sizes = ", ".join(str(size) for _, size, _, _ in batches)
            lost = sum(b[-1] for b in batches)
            axes.text(
                0.97,
                0.95,
                f"{schedule} sizes {sizes}\nlose {lost:.3f} bits",
                transform=axes.transAxes,
                ha="right",
                va="top",
                fontsize=7,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )
        grid[0, column].set_title(f"({'abc'[column]}) {name}")
    grid[0, 0].set(ylim=(0, 1.45), xlim=(0, LENGTH), yticks=[0, 0.5, 1])
    figure.supxlabel("known sites j", fontsize=8)
    figure.supylabel("entropy of one more site f(j), bits", fontsize=8)
    return figure


LOST, PROFILE, STEPS = "#E69F00", "#0072B2", "#000000"


def _draw_batches(axes: Any, profile: list[float], batches: list[Any]) -> None:
    for start, size, height, _ in batches:
        inside = profile[start : start + size]
        axes.bar(
            range(start, start + size),
            [height - f for f in inside],
            bottom=inside,
            width=1,
            align="edge",
            color=LOST,
            edgecolor="white",
            hatch="////",
            linewidth=0,
        )
        axes.plot([start, start + size], [height, height], "-", color=STEPS, linewidth=1.2)
        axes.plot([start, start], [0, height], ":", color=STEPS, linewidth=0.8)
    axes.stairs(profile, range(len(profile) + 1), color=PROFILE, linewidth=1.2, baseline=None)
    axes.plot(range(len(profile)), profile, "o", color=PROFILE, markersize=3, clip_on=False)


def _rows(panel: Any, name: str, columns: tuple[str, ...]) -> list[Any]:
    here = [k for k, at in enumerate(panel["data"]) if at == name]
    return [tuple(panel[column][k] for column in columns) for k in here]


FIGURE = Figure(
    name="cost_picture",
    title="What a schedule loses is the area between its steps and the profile",
    caption=(
        "Random-order decoding of eight binary sites in three rounds. Blue: the profile, the "
        "mean entropy of one more site when j random ones are known. A round reveals a batch as if "
        "each of its sites still had the entropy of the first (black); the sum of what that is "
        "too much (hatched) is the divergence, in the mean over orders. Above, batches as equal as "
        "possible; below, the best ones. A concave profile wants large batches first, a "
        "convex one wants them last, a linear one wants them equal."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="the cost is that of Chen, Cong, Li, arXiv 2511.04647 (restated)",
    claims=("B2", "B5", "I1"),
    parameters={"length": LENGTH, "rounds": ROUNDS, "flip": FLIP},
)
