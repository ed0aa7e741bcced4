"""E4: training masks do not change what is best, they change how fast it is learnt."""

import contextlib
import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from sims.sweep.sweep import generator
from sims.training import (
    FittedChain,
    Tabular,
    best_masks,
    draw_training_set,
    expected_excess,
    left_to_right,
    predicting,
    rate,
    uniform_time,
    visited,
)
from theory import MarkovChain, gallery, strategies
from theory._core.arrays import MASK, to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution
from theory.errors import InvalidInput

__all__ = ["E4"]

Weight = Callable[[np.ndarray, tuple[int, ...], tuple[int, ...]], Any]

E4 = Claim(
    id="E4",
    title="Training masks do not change what is best, they change how fast it is learnt",
    statement=(
        "Whatever the distribution of masks, if they are drawn without looking at the tokens, the "
        "loss is least for the same conditional marginals in every context that training shows. "
        "How fast they are learnt does change. With one table for each context, the mean excess "
        "KL over data sets of n samples, decoded from left to right, is the sum over prefixes of "
        "B(k) / (n pi(k)) in the limit, with pi the masks of training; the least limit has pi "
        "proportional to the root of B, not to how often inference comes there. On a chain, on "
        "permutations and on latents with clauses, at 1000 samples, left-to-right masks give a "
        "smaller mean than uniform time. A learner that fits a chain to what all masks show has "
        "it the other way round."
    ),
    latex=(
        r"n\, \mathbb E[\mathrm{KL}_n - \mathrm{KL}_0] \to \sum_S \frac{B(S)}{\pi(S)} \ge "
        r"\Bigl(\sum_S \sqrt{B(S)}\Bigr)^2,\qquad B(S) = \sum_{c,\, i} "
        r"\tfrac{s_{c,i} - 1}{2} + \alpha (V - s_{c,i})"
    ),
    says="arXiv 2602.10314, as it is restated elsewhere, supports the direction",
    note=(
        "B counts, in the contexts c that are possible, s possible tokens of V, under a Dirichlet "
        "prior of alpha per token; a pattern with uniform predictions only needs no training. "
        "Masks that look at tokens do change the minimiser. Patterns that training does not show "
        "keep the uniform prediction: on these data the excess of random order after "
        "left-to-right masks stays above 1 nat for ever. Where the right prediction is that of "
        "the prior, training can only harm, so that matched masks are better is no theorem for "
        "finite n. What a decoder by confidence visits depends on what was learnt: masks that "
        "match the visits of the perfect denoiser need not help it."
    ),
    source="derived here; direction: arXiv 2602.10314 (restated)",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)

OFTEN = 1e3
"""A finite sample stands for the limit where its rarest sequence is drawn so often, unmasked."""

SAMPLES, REPEATS, ERRORS = 1000, 24, 3
"""Training samples, data sets, and by how many standard errors a difference has to be seen."""


def _best(p: Distribution) -> np.ndarray:
    return best_masks(p, LeftToRight())


def _drawn_masks(p: Distribution) -> dict[str, Any]:
    """Integer weights of all masks, of the prefixes, or near the best; something is hidden."""
    prefixes = predicting(left_to_right(p.length)) > 0

    def table(drawn: list[int], which: str) -> np.ndarray:
        weights = np.asarray([Fraction(w) for w in drawn], dtype=object).reshape((2,) * p.length)
        weights[(0,) * p.length] += 1
        if which == "near the best":
            with contextlib.suppress(InvalidInput):  # there may be nothing to learn
                weights = weights + np.rint(90 * _best(p)).astype(np.int64)
        return weights if which == "all" else np.where(prefixes, weights, weights * 0)

    count = 2**p.length
    drawn = st.lists(st.integers(0, 9), min_size=count, max_size=count)
    which = st.sampled_from(["all", "prefixes", "near the best"])
    return {"weights": st.builds(table, drawn, which)}


def _as_masks(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum(), dtype=np.float64)


# ---- what is best ----------------------------------------------------------------------------


def _blind(weights: np.ndarray, shown: tuple[int, ...], x: tuple[int, ...]) -> Any:
    """Weight of a mask, whatever the tokens."""
    return weights[shown]


def _looks(weights: np.ndarray, shown: tuple[int, ...], x: tuple[int, ...]) -> Any:
    """Planted: a mask that hides token 0 is twice as likely for each such token."""
    return weights[shown] * 2 ** sum(1 - s for s, v in zip(shown, x, strict=True) if v == 0)


@E4.residual(
    "frequencies of hidden tokens as the zero-loss predictions in every context",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    parts=_drawn_masks,
    weight=_looks,
)
def one_minimiser(p: Distribution, weights: np.ndarray, weight: Weight = _blind) -> list[Any]:
    """They are what minimises the expected cross-entropy under these masks (A1)."""
    table = to_host(p.table())
    counts: dict[tuple[tuple[int, ...], int], list[Any]] = {}
    for x in itertools.product(range(p.vocab), repeat=p.length):
        for shown in itertools.product((0, 1), repeat=p.length):
            mass = table[x] * weight(weights, shown, x)
            if mass == 0:
                continue
            context = tuple(v if s else MASK for v, s in zip(x, shown, strict=True))
            for i, s in enumerate(shown):
                if not s:
                    row = counts.setdefault((context, i), [0] * p.vocab)
                    row[x[i]] += mass
    residuals: list[Any] = []
    for (context, i), row in counts.items():
        right = to_host(p.denoise(context))[i].tolist()
        residuals += [c / sum(row) - r for c, r in zip(row, right, strict=True)]
    return residuals


# ---- how fast it is learnt, in the limit of many samples -------------------------------------


@E4.residual(
    "the best masks with the least limit",
    floats=strategies.joint_tables(lengths=(1, 3)),
    parts=_drawn_masks,
    tolerance=1e-9,
    best=lambda p: visited(p, LeftToRight()).astype(np.float64),  # as often as inference goes there
)
def least_rate(
    p: Distribution, weights: np.ndarray, best: Callable[[Distribution], np.ndarray] = _best
) -> Any:
    limit = float(rate(p, LeftToRight(), _as_masks(weights)))
    try:
        least = float(rate(p, LeftToRight(), best(p)))
    except InvalidInput:
        raise DoesNotApply("there is nothing to learn") from None
    return excess(least / limit, 1.0)


@E4.residual(
    "the limit to a hundredth at 2^20 samples",
    floats=strategies.joint_tables(lengths=(1, 2)),
    parts=_drawn_masks,
    tolerance=1e-9,
    factor=1.1,
)
def in_the_limit(p: Distribution, weights: np.ndarray, factor: float = 1.0) -> float:
    masks, size = _as_masks(weights), 2**20
    rarest = float(min(v for v in to_host(p.table()).reshape(-1).tolist() if v > 0))
    if size * rarest * masks[masks > 0].min() < OFTEN:
        raise DoesNotApply(f"{size} samples are too few to be near the limit, for {rarest:.3g}")
    limit = factor * float(rate(p, LeftToRight(), masks))
    if limit in (0, math.inf):
        raise DoesNotApply("the limit is 0 or infinite")
    reached = size * expected_excess(p, LeftToRight(), masks, size) / limit
    return max(0.0, abs(reached - 1) - 0.01)


# ---- how fast it is learnt, from 1000 samples ------------------------------------------------


def _mean_excess(p: Distribution, masks: np.ndarray, learn: Any) -> tuple[float, float]:
    """Mean excess KL from left to right over data sets, and its standard error."""
    learnt = []
    for repeat in range(REPEATS):
        rng = generator(0, {"claim": "E4", "repeat": repeat})
        denoiser = learn(draw_training_set(p, masks, SAMPLES, rng))
        learnt.append(output_distribution(p, LeftToRight(), denoiser=denoiser).kl)
    return float(np.mean(learnt)), float(np.std(learnt, ddof=1)) / math.sqrt(REPEATS)


@E4.residual(
    "left-to-right masks as faster for tables and slower for fitted chains",
    named=lambda: {
        "binary_symmetric(6, 0.1)": gallery.binary_symmetric(6, 0.1),
        "permutations(4)": gallery.permutations(4),
        "nae_sat(4, 2 clauses)": gallery.nae_sat(4, [(0, 1, 2), (1, 2, 3)]),
    },
    tolerance=1e-9,
    sign=-1,
)
def matched_is_faster(p: Distribution, sign: int = 1) -> list[float]:
    """The means of the tables are the exact ones. A chain is fitted where the data are one."""

    def short(small: tuple[float, float], large: tuple[float, float]) -> float:
        """By how much a difference of means falls short of being seen."""
        difference = sign * (large[0] - small[0])
        return max(0.0, ERRORS * math.hypot(small[1], large[1]) - difference)

    every = [predicting(f(p.length)) for f in (left_to_right, uniform_time)]
    matched, uniform = (_mean_excess(p, masks, Tabular) for masks in every)
    residuals = [short(matched, uniform)]
    for masks, (mean, error) in zip(every, (matched, uniform), strict=True):
        off = abs(mean - expected_excess(p, LeftToRight(), masks, SAMPLES))
        residuals.append(max(0.0, off - ERRORS * error))
    if isinstance(p, MarkovChain):
        matched, uniform = (_mean_excess(p, masks, FittedChain) for masks in every)
        residuals.append(short(uniform, matched))
    return residuals
