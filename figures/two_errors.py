"""Two errors of ancestral steps: of whole sequences, and for each token, at real lengths."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from figures.figure import Data, Figure
from figures.published import as_panel
from sims import fixed_batches, on_chain, policies
from sims.chains import Gaps, OnChain
from theory import MarkovChain, gallery

__all__ = ["FIGURE"]

LENGTHS = (32, 64, 128, 256)
STEPS = (1, 2, 4, 8, 16, 32)
SHORT = (16, 32, 64, 128)
"""Where the fewest steps are looked for."""

SER, NATS = 0.1, 0.01
"""What is asked for: sequences that are wrong, and nats for each token."""

WHOLE, EACH, HALVING = "sequences", "tokens", "bisection"

LONGEST = 400
"""Of the gaps that the rate sums over; longer ones count as independent of their ends."""

DIGITS = 10


def compute() -> Data:
    """Sequence error rates and KL for each token, both exact, and the steps that they take."""
    rate = _rate(gallery.golden_mean_chain(LONGEST))
    return {
        "errors": as_panel(
            ("sites", "steps", "sites_over_steps", "ser", "minus_log_valid", "nats_per_token"),
            _errors(),
        ),
        "needed": as_panel(("asked", "sites", "steps"), _needed(rate)),
        "rate": as_panel(
            ("sites_over_steps", "minus_log_valid"), [(x, round(rate * x, 6)) for x in (1, 256)]
        ),
    }


def _errors() -> Iterator[tuple[Any, ...]]:
    for length in LENGTHS:
        for steps in STEPS:
            found = _ancestral(length, steps)
            scale = -math.log(float(found.valid_mass))
            numbers = (float(found.sequence_error_rate), scale, float(found.path_kl) / length)
            yield length, steps, length / steps, *(round(value, DIGITS) for value in numbers)


def _needed(rate: float) -> Iterator[tuple[str, int, int]]:
    for length in SHORT:

        def too_often(steps: int, length: int = length) -> bool:
            return float(_ancestral(length, steps).sequence_error_rate) > SER

        def too_much(steps: int, length: int = length) -> bool:
            return float(_ancestral(length, steps).path_kl) > NATS * length

        yield WHOLE, length, _fewest(too_often, round(rate * length / -math.log(1 - SER)))
        yield EACH, length, _fewest(too_much, 10)
        yield HALVING, length, len(fixed_batches(policies.Bisection(), length))


def _ancestral(length: int, steps: int) -> OnChain:
    times = [Fraction(k, steps) for k in range(steps + 1)]
    return on_chain(gallery.golden_mean_chain(length), policies.Bernoulli(times))


def _fewest(bad: Callable[[int], bool], guess: int) -> int:
    """The first number of steps that is not bad, if all are bad before it and none after."""
    while bad(guess):
        guess += 1
    while guess > 1 and not bad(guess - 1):
        guess -= 1
    return guess


def _rate(p: MarkovChain) -> float:
    """What -log(1 - SER) is in L/K, for a stationary chain of many sites in many steps.

    Two neighbours are revealed in one step with probability 1/K, at a time t that is uniform, with
    each other site known by then with probability t: so they lie in a gap of n sites, at each place
    of it, with probability ``int t^2 (1-t)^(n-2) dt = 2 / ((n-1) n (n+1))``.
    """
    gaps, never = Gaps(p), (p.transition == 0).astype(float)
    total, apart = 0.0, 0.0
    for n in range(2, p.length + 1):
        inside = gaps.marginals(n)[: p.vocab, : p.vocab, ...]
        wrong = np.sum((inside[:, :, :-1, :] @ never) * inside[:, :, 1:, :], axis=(2, 3))
        ends = p.initial[:, None] * gaps.evidence(n)[: p.vocab, : p.vocab]
        apart = float(np.sum(ends * wrong)) / (n - 1)
        total += 2 * apart / (n * (n + 1))
    return total + 2 * apart / (p.length + 1)


STYLES = {
    32: ("#0072B2", "o", "-"),
    64: ("#D55E00", "s", "--"),
    128: ("#009E73", "^", "-."),
    256: ("#CC79A7", "D", ":"),
}
"""Colour, mark and line of a length."""

TICKS = {f"{rate:g}": -math.log(1 - rate) for rate in (0.01, 0.1, 0.5, 0.9, 0.999)}
"""Sequence error rates on their scale."""

ASKED = {
    WHOLE: ("#D55E00", "s", "--", (16, 60, "left", "1 sequence in 10\nis wrong")),
    EACH: ("#0072B2", "o", "-", (128, 12.5, "right", "0.01 nats a token")),
    HALVING: ("#009E73", "D", "-.", (128, 4.6, "right", "bisection: no errors")),
}
"""Colour, mark, line, and where what is said."""


def draw(data: Data) -> Any:
    """Errors of sequences, nats for each token, and the steps that either takes."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(6.75, 2.7))
    rows = list(zip(*data["errors"].values(), strict=True))
    left.plot(*data["rate"].values(), "-", color="0.6", linewidth=0.8, zorder=0)
    for length, (colour, mark, dashes) in STYLES.items():
        here = [row[1:] for row in rows if row[0] == length]
        steps, over, _, scale, nats = zip(*here, strict=True)
        style = {"color": colour, "marker": mark, "markersize": 4, "fillstyle": "none"}
        left.plot(over, scale, linestyle="none", label=f"{length} sites", **style)
        middle.plot(steps, nats, linestyle=dashes, linewidth=0.9, label=f"{length}", **style)
    left.set(xscale="log", yscale="log", xlabel="sites / steps", ylabel="sequence error rate")
    left.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    left.set_yticks(list(TICKS.values()), list(TICKS))
    left.legend(loc="upper left")
    left.set_title("(a) whole sequences")
    middle.set(xscale="log", yscale="log", xlabel="steps", ylabel="path KL for each token, nats")
    middle.set_xticks(list(STEPS), [str(k) for k in STEPS])
    middle.set_yticks([0.003, 0.01, 0.03, 0.1], ["0.003", "0.01", "0.03", "0.1"])
    middle.set_title("(b) each token")
    for what, (colour, mark, dashes, (x, y, side, text)) in ASKED.items():
        found = [row[1:] for row in zip(*data["needed"].values(), strict=True) if row[0] == what]
        sites, steps = zip(*found, strict=True)
        right.plot(sites, steps, linestyle=dashes, marker=mark, color=colour)
        right.text(x, y, text, color=colour, ha=side, fontsize=7)
    right.set(xscale="log", yscale="log", xlabel="sites", ylabel="steps needed", ylim=(4, 110))
    right.set_xticks(list(SHORT), [str(n) for n in SHORT])
    right.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    right.set_title("(c) what it takes")
    for axes in (left, middle, right):
        axes.minorticks_off()
    return figure


FIGURE = Figure(
    name="two_errors",
    title="Two errors",
    caption=(
        "Ancestral steps on the stationary golden-mean chain (bits without two adjacent ones, the "
        "Parry measure) with a perfect denoiser: in each of K equal steps every masked site is "
        "revealed or not by itself. All marks are exact. (a) The sequence error rate, the "
        "probability that the output has two adjacent ones, on the scale of -log(1 - rate): for "
        "all lengths and steps nearly a function of sites / steps. Line: 0.0657 L/K, the limit of "
        "many sites and steps, where two neighbours are revealed in the same step with "
        "probability 1/K and are then both ones with probability 0.0657. (b) Path KL for each "
        "token hardly depends on anything but the number of steps: 0.006 nats in 16 steps at 32 "
        "and at 256 sites, while 12 % and 65 % of the sequences are wrong. (c) The fewest steps "
        "for which at most one sequence in ten is wrong grow in proportion to the length; the "
        "fewest for 0.01 nats a token do not grow. The former is the price of random places, not "
        "of few rounds: bisection of the same chain writes no sequence that is wrong, in rounds "
        "that grow like the logarithm of the length."
    ),
    compute=compute,
    draw=draw,
    relation="analogue",
    source=(
        "Feng et al., arXiv 2502.09622 (abstract seen): steps for perplexity do not grow with the "
        "length, steps for the sequence error rate do; the chain and all numbers are ours"
    ),
    claims=("B20", "B3", "B11"),
    long=True,
    parameters={
        "lengths": list(LENGTHS),
        "steps": list(STEPS),
        "lengths_of_fewest_steps": list(SHORT),
        "sequence_error_rate": SER,
        "nats_per_token": NATS,
        "longest_gap_of_the_rate": LONGEST,
    },
)
