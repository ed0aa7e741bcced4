"""Inference strategies on one chart: KL against expected rounds, with the exact optimum.

What is known of the paper on why mask diffusion does not work (arXiv 2510.03289) recommends to
write semi-autoregressively, in small blocks [restated]. Here every policy at every setting is
computed exactly on one distribution, beside the lower convex hull of what value-adaptive policies
can reach (`sims.frontier`), and beside decoders that draw the tokens of a round jointly
(`policies.JointDraw`). `sims.comparison.verdict` puts into words what the numbers say about blocks.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims import joints, policies
from sims.decoding.arguments import as_decoder
from sims.decoding.exact import output_distribution
from sims.optimal.dynamic_program import Point, Program
from sims.optimal.frontier import cost_of, frontier_of
from sims.policies import Decoder, Policy
from sims.policies.base import Reveals
from theory import MASK, information, schedules
from theory.distributions.base import Distribution, check_distribution
from theory.validation.arguments import as_integer

__all__ = [
    "BLOCKS",
    "FAMILIES",
    "JOINTS",
    "OPTIMUM",
    "SELECTING",
    "Row",
    "SpreadOut",
    "Strategy",
    "chart",
    "least",
    "strategies",
]

BLOCKS, OPTIMUM = "small blocks", "optimum"

SELECTING = (
    BLOCKS,
    "bisection",
    "spread out",
    "random order",
    "ancestral steps",
    "position scores",
    "entropy bounded",
)
"""Families that choose sites before they draw: none can lie below the optimum."""

JOINTS = ("mixture", "energy", "resampling", "projection")
"""Families that draw the tokens of a contiguous block jointly."""

FAMILIES = (OPTIMUM, *SELECTING, "drawn tokens", "draft and verify", *JOINTS, "others")

MOST_VALUES = 2**15
"""Joint laws are computed for blocks that have at most so many values."""

MOST_MIXED = 4
"""Mixtures are fitted to blocks of at most so many sites: EM is slow."""

FEW_CANDIDATES, FEW_VALUES = 4, 32
"""In exact numbers candidates are resampled from so many."""

MOST_COINS = 10**5
"""Bernoulli steps are followed where so many patterns with coins are enough."""

NOTHING = 1e-9
"""A divergence in nats below this is rounding."""


@dataclass(frozen=True)
class Strategy:
    """A decoder, its family, and what it knows beyond the predicted marginals."""

    family: str
    setting: str
    decoder: Decoder
    knows: str = "nothing"


@dataclass(frozen=True)
class Row:
    """One strategy on the chart; divergences in nats.

    Attributes
    ----------
    family, setting : str
        One of `FAMILIES`, and the decoder.
    rounds : float
        Expected calls on the data, or under the decoder where that is all that is defined.
    kl, path_kl : float
        Of the output, and the mean over coins (see `OutputDistribution`).
    regret : float
        Path KL above the lower convex hull of the optimum; negative only for decoders that do
        not compete in it.
    knows : str
        What it knows beyond the predicted marginals.
    """

    family: str
    setting: str
    rounds: float
    kl: float
    path_kl: float
    regret: float
    knows: str


class SpreadOut(Policy):
    """Every so-manieth site at once: the sites of one remainder after another.

    Parameters
    ----------
    rounds : int
        Also the distance between the sites of a batch. The remainders come in the order that
        halves the gaps: 0, 1/2, 1/4, 3/4, ... of the distance.

    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(8, 0.1)
    >>> far, near = SpreadOut(4), policies.LeftToRight(2)
    >>> [round(float(output_distribution(p, policy).kl), 3) for policy in (far, near)]
    [0.086, 0.807]
    """

    depends_on = "nothing"
    randomised = False

    def __init__(self, rounds: int) -> None:
        self.rounds = as_integer(rounds, "rounds", 1)
        bits = max(1, (self.rounds - 1).bit_length())
        reverse = [int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits)]
        self._rank = np.argsort([k for k in reverse if k < self.rounds])

    def reveal_distribution(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int
    ) -> Reveals:
        """Yield the sites of the first remainder that is not complete."""
        rank = self._rank[np.arange(x.shape[1]) % self.rounds]
        masked = x == MASK
        first = np.where(masked, rank, self.rounds).min(axis=1, keepdims=True)
        yield 1, masked & (rank == first)


def strategies(p: Distribution, rng: np.random.Generator) -> Iterator[Strategy]:
    """Every strategy at every setting that suits a distribution.

    Bernoulli steps are left out where they toss coins in too many patterns. Exact distributions
    have neither these nor the laws that are fitted in floats or summed over too many terms:
    mixtures, projections, and resampling of 16 candidates or of more than 32 values. Mixtures are
    fitted to four sites at most.

    Parameters
    ----------
    p : Distribution
    rng : numpy.random.Generator
        Draws the starts of the mixtures.

    >>> from theory import gallery
    >>> every = list(strategies(gallery.parity(3), np.random.default_rng(0)))
    >>> [s.setting for s in every if s.family == "bisection"]
    ['Bisection()', 'Bisection(2)']
    """
    check_distribution(p)
    for family, decoder in _selecting(p):
        yield Strategy(family, repr(decoder), decoder)
    for k in range(1, min(2, p.length) + 1):
        token = policies.TokenConfidence(k)
        yield Strategy("drawn tokens", repr(token), token)
    draft = "the predictions given its own draft"
    for k in range(2, p.length + 1):
        decoder = policies.Speculative(k)
        yield Strategy("draft and verify", repr(decoder), decoder, draft)
    sizes = [b for b in range(2, p.length + 1) if p.vocab**b <= MOST_VALUES]
    every = [
        ("mixture", joints.Mixture(p, 2, rng, starts=3)),
        ("mixture", joints.Mixture(p, 4, rng, starts=3)),
        ("energy", joints.ResidualEnergy(p)),
        ("resampling", joints.Resampled(p, 4)),
        ("resampling", joints.Resampled(p, 16)),
        ("projection", joints.Projection(p, "chain")),
        ("projection", joints.Projection(p, "pairs")),
    ]
    for (family, joint), size in itertools.product(every, sizes):
        if family == "mixture" and size > MOST_MIXED:
            continue
        if p.exact and not _in_fractions(joint, p.vocab**size):
            continue
        decoder = policies.JointDraw(policies.LeftToRight(size), joint)
        yield Strategy(family, repr(decoder), decoder, joint.knows)


def _in_fractions(joint: joints.Joint, values: int) -> bool:
    """Tell whether a joint law of so many values is computed in exact numbers on any data."""
    if isinstance(joint, joints.Resampled):
        return joint.candidates <= FEW_CANDIDATES and values <= FEW_VALUES
    return isinstance(joint, joints.ResidualEnergy)


def _selecting(p: Distribution) -> Iterator[tuple[str, Decoder]]:
    length = p.length
    for b in range(1, length + 1):
        yield BLOCKS, policies.LeftToRight(b)
    for b in range(3, length):
        for k in range(2, b):
            yield BLOCKS, policies.Blocks(b, policies.TopK(k))
    for b in range(2, length):
        yield BLOCKS, policies.Blocks(b, policies.EntropyBounded(0.1))
        yield BLOCKS, policies.Blocks(b, policies.Threshold(0.9))
    for order in range(1, min(2, length) + 1):
        yield "bisection", policies.Bisection(order)
    for rounds in range(2, length):
        yield "spread out", SpreadOut(rounds)
    profile = information.profile(p)
    for rounds in range(1, length + 1):
        yield "random order", policies.RandomOrder(schedules.optimal(profile, rounds))
    if not p.exact and (2 * p.vocab + 1) ** length <= MOST_COINS:
        for steps in (2, 4):
            times = schedules.best_grid(p, steps)
            yield "ancestral steps", policies.Bernoulli(times.tolist())
    for k in range(1, length + 1):
        yield "position scores", policies.TopK(k)
    for score in ("margin", "entropy"):
        yield "position scores", policies.TopK(min(2, length), score)
    for gamma in (0.5, 0.7, 0.9):
        yield "position scores", policies.Threshold(gamma)
    yield "position scores", policies.Factor(1.0)
    for gamma in (0.01, 0.1, 0.3, 0.6, 1.0, 2.0):
        yield "entropy bounded", policies.EntropyBounded(gamma)


def chart(p: Distribution, every: Iterable[Strategy | Any]) -> tuple[list[Row], list[Point]]:
    """Compute strategies on a distribution, and the optimum.

    Parameters
    ----------
    p : Distribution
        Small enough for `sims.frontier`.
    every : iterable of Strategy
        Such as `strategies(p, rng)`, or decoders of your own, which form the family "others".

    Returns
    -------
    rows : list of Row
        The corners of the optimum first, as a family of their own.
    corners : list of Point

    Raises
    ------
    InvalidInput
    TooLarge

    Examples
    --------
    A pair of equal bits takes two rounds, or one that knows more than marginals:

    >>> import math
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1)
    >>> rows, corners = chart(p, strategies(p, np.random.default_rng(0)))
    >>> [(c.rounds, round(float(c.kl) / math.log(2), 12)) for c in corners]
    [(1.0, 1.0), (2.0, 0.0)]
    >>> least(rows, "mixture", 1), round(least(rows, "position scores", 1) / math.log(2), 12)
    (0.0, 1.0)
    """
    check_distribution(p)
    corners = frontier_of(Program(p))
    hull = [(float(c.rounds), float(c.kl)) for c in corners]
    rows = [
        Row(OPTIMUM, f"multiplier {c.multiplier:.6g}", *point, point[1], 0.0, "nothing")
        for c, point in zip(corners, hull, strict=True)
    ]
    for strategy in every:
        if not isinstance(strategy, Strategy):
            decoder = as_decoder(strategy)
            strategy = Strategy("others", repr(decoder), decoder)
        q = output_distribution(p, strategy.decoder)
        rounds, judged = cost_of(q)
        rows.append(
            Row(
                strategy.family,
                strategy.setting,
                rounds,
                float(q.kl),
                judged,
                judged - _between(hull, rounds),
                strategy.knows,
            )
        )
    return rows, corners


def _between(hull: Sequence[tuple[float, float]], rounds: float) -> float:
    """The optimum at so many rounds, on the lines between its corners."""
    return float(np.interp(rounds, [r for r, _ in hull], [kl for _, kl in hull]))


def least(rows: Iterable[Row], family: str, rounds: float) -> float:
    """The least path KL of a family within so many rounds, in nats; infinite if there is none."""
    within = [r.path_kl for r in rows if r.family == family and r.rounds <= rounds + NOTHING]
    found = min(within, default=np.inf)
    return 0.0 if found < NOTHING else found
