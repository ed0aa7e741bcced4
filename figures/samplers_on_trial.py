"""Published samplers on one perfect model: what they lose, and what their batches alone would."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from figures.figure import Data, Figure
from sims import Sampling, output_distribution
from sims.policies import (
    Bernoulli,
    Blocks,
    DrawThenKeep,
    FirstHitting,
    FixedOrder,
    LeftToRight,
    RandomOrder,
    Remask,
    Threshold,
    TokenConfidence,
    TopK,
)
from sims.policies.base import Decoder
from theory import JointTable

__all__ = ["FIGURE"]

LENGTH, VOCAB, SEED = 5, 3, 0
ONES = (1,) * LENGTH
NOISE = 4.5

DRAWS, SELECTS, CLOCK = "draws, then keeps", "selects, then draws", "tosses coins"


class Row(NamedTuple):
    """A published sampler.

    Attributes
    ----------
    name, setting : str
    kind : str
        In which order it draws tokens and selects sites.
    policy : Decoder
        What it is.
    says : Decoder
        Batches of as many sites as it says, chosen before tokens are drawn.
    temperature : float or Sampling
        For both.
    """

    name: str
    setting: str
    kind: str
    policy: Decoder
    says: Decoder
    temperature: Any = 1


def _rows() -> list[Row]:
    times = tuple(Fraction(k, LENGTH) for k in range(LENGTH + 1))
    few = tuple(Fraction(k, 3) for k in range(4))
    halves = (0, *ONES[:-2], 2)
    falling = tuple(NOISE * (1 - k / (LENGTH - 1)) for k in range(LENGTH))
    drawn = DrawThenKeep(sizes=ONES, score="tempered", noise=falling)
    nucleus = Sampling(top_p=0.9)
    bernoulli, third = Bernoulli(times), Bernoulli(few)
    return [
        Row("LLaDA", "one a step", DRAWS, TokenConfidence(1), TopK(1)),
        Row("LLaDA", "one a step, T = 0.5", DRAWS, TokenConfidence(1), TopK(1), 0.5),
        Row("LLaDA", "two a step", DRAWS, TokenConfidence(2), TopK(2)),
        Row(
            "LLaDA",
            "one a step, blocks of 2",
            DRAWS,
            Blocks(2, TokenConfidence(1)),
            Blocks(2, TopK(1)),
        ),
        Row("LLaDA", "random, one a step", SELECTS, RandomOrder(ONES), RandomOrder(ONES)),
        Row("Fast-dLLM", "above 0.6", DRAWS, DrawThenKeep(threshold=0.6), Threshold(0.6)),
        Row("Fast-dLLM", "above 0.9", DRAWS, DrawThenKeep(threshold=0.9), Threshold(0.9)),
        Row(
            "Dream's copies",
            "entropy, 5 steps",
            SELECTS,
            TopK(score="entropy", sizes=halves),
            TopK(1, "entropy"),
        ),
        Row("MaskGIT", "one a step, no noise", DRAWS, TokenConfidence(1), TopK(1)),
        Row("MaskGIT", f"one a step, noise {NOISE}", DRAWS, drawn, TopK(1)),
        Row(
            "Halton",
            "batches of 1, 2, 2",
            SELECTS,
            FixedOrder((0, 2, 4, 1, 3), (1, 2, 2)),
            FixedOrder((0, 2, 4, 1, 3), (1, 2, 2)),
        ),
        Row("MDLM, RADD", "5 steps", CLOCK, bernoulli, bernoulli),
        Row("MDLM, RADD", "3 steps", CLOCK, third, third),
        Row("RADD", "5 steps, top-p 0.9", CLOCK, bernoulli, bernoulli, nucleus),
        Row("ReMDM-cap", "5 steps, cap 0.2", CLOCK, Remask(times, cap=Fraction(1, 5)), bernoulli),
        Row("BD3-LM", "first hitting", SELECTS, FirstHitting(), FirstHitting()),
        Row("SDAR", "sequential", SELECTS, LeftToRight(), LeftToRight()),
    ]


def compute() -> Data:
    """Exact distances from the data, and expected rounds."""
    weights = np.random.default_rng(SEED).gamma(0.5, size=(VOCAB,) * LENGTH)
    p = JointTable(weights)
    columns = ("sampler", "setting", "kind", "policy", "rounds", "tv", "says", "tv_says")
    table: dict[str, list[Any]] = {name: [] for name in columns}
    for name, setting, kind, policy, says, temperature in _rows():
        q = output_distribution(p, policy, temperature)
        same = policy is says and temperature == 1
        stated = q if same else output_distribution(p, says)
        numbers = (round(float(v), 10) + 0.0 for v in (q.expected_rounds, q.tv, stated.tv))
        rounds, tv, tv_says = numbers
        row = (name, setting, kind, repr(policy), rounds, tv, repr(says), tv_says)
        for column, value in zip(columns, row, strict=True):
            table[column].append(value)
    return {"samplers": table}


STYLES = {DRAWS: ("#D55E00", "s"), SELECTS: ("#0072B2", "o"), CLOCK: ("#009E73", "^")}


def draw(data: Data) -> Any:
    """One line for each sampler, by the order of operations and then by distance."""
    import matplotlib.pyplot as plt

    rows = data["samplers"]
    kinds = list(STYLES)
    order = sorted(
        range(len(rows["tv"])), key=lambda k: (kinds.index(rows["kind"][k]), -rows["tv"][k])
    )
    figure, axes = plt.subplots(figsize=(6.75, 4.3))
    labels, at, y = [], [], 0.0
    for place, k in enumerate(order):
        kind, tv, says = rows["kind"][k], rows["tv"][k], rows["tv_says"][k]
        if place and kind != rows["kind"][order[place - 1]]:
            y += 0.6
        colour, mark = STYLES[kind]
        axes.plot([says, tv], [y, y], "-", color=colour, linewidth=1, zorder=1)
        axes.plot(says, y, mark, color="white", markeredgecolor=colour, markersize=5.5, zorder=2)
        axes.plot(tv, y, mark, color=colour, markersize=4.5, zorder=3)
        axes.text(1.03, y, f"{rows['rounds'][k]:.2f}", fontsize=7, va="center", ha="center")
        labels.append(f"{rows['sampler'][k]}: {rows['setting'][k]}")
        at.append(y)
        y += 1
    for kind, (colour, mark) in STYLES.items():
        axes.plot([], [], mark, color=colour, markersize=4.5, label=kind)
    axes.plot([], [], "o", color="white", markeredgecolor="0.3", label="its batches alone")
    axes.set_yticks(at, labels, fontsize=7)
    axes.set(xlabel="total variation to the data", xlim=(-0.03, 1.1), ylim=(y - 0.3, -1.2))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    axes.text(1.03, -0.85, "rounds", fontsize=7, va="center", ha="center")
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="center right", fontsize=7, bbox_to_anchor=(0.85, 0.39))
    return figure


FIGURE = Figure(
    name="samplers_on_trial",
    title="Samplers on trial",
    caption=(
        "Published samplers with the same perfect denoiser, on a random table of 5 sites and 3 "
        "tokens without ties: exact total variation to the data, and the expected number of rounds "
        "on the right. Filled: what the sampler does. Open: batches of as many sites as it says, "
        "chosen before tokens are drawn, at temperature 1; at one site a round that is exact. "
        "Squares draw a token at every site and keep the likeliest ones, which loses much even at "
        "one a round; noise on the choice repairs most of that. Circles choose sites by the "
        "predictions, at random or by place. Dream's copies say one a step, and reveal none in the "
        "first and two in the last. Triangles reveal each site with a probability of its own. Each "
        "policy agreed with the published code on smaller tables, see docs/samplers.md."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="derived here; the code of each sampler was run against its policy",
    claims=("C1", "C2", "C12"),
    parameters={
        "length": LENGTH,
        "vocab": VOCAB,
        "seed": SEED,
        "samplers": [f"{row.name}: {row.setting}" for row in _rows()],
    },
)
