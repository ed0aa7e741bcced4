"""Inference strategies by family: each decoder at each setting that suits a distribution.

What is known of the paper on why mask diffusion does not work (arXiv 2510.03289) recommends to
write semi-autoregressively, in small blocks [restated]. `strategies` puts these beside all other
policies that select sites first, and beside decoders that draw the tokens of a round jointly
(`policies.JointDraw`); `sims.comparison.compare` computes what each of them loses, and the optimum.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sims import joints, policies
from sims.policies import Decoder, Policy
from sims.policies.base import Reveals
from theory import MASK, information, schedules
from theory.distributions.base import Distribution, check_distribution
from theory.validation.arguments import as_integer

__all__ = ["BLOCKS", "FAMILIES", "JOINTS", "SELECTING", "SpreadOut", "Strategy", "strategies"]

BLOCKS = "small blocks"

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

FAMILIES = (*SELECTING, "drawn tokens", "draft and verify", *JOINTS)

MAX_VALUES = 2**15
"""Joints are computed for blocks that have at most so many values."""

MAX_MIXED = 4
"""Mixtures are fitted to blocks of at most so many sites: EM is slow."""

FEW_CANDIDATES, FEW_VALUES = 4, 32
"""In exact numbers candidates are resampled from so many."""

MAX_PATTERNS = 10**5
"""Bernoulli steps are followed where so many patterns with draws are enough."""


@dataclass(frozen=True)
class Strategy:
    """A decoder, its family (one of `FAMILIES`), and what it knows beyond predicted marginals."""

    family: str
    decoder: Decoder
    knows: str = "nothing"


class SpreadOut(Policy):
    """Every R-th site at once: the sites of one remainder modulo R after another.

    Parameters
    ----------
    rounds : int
        Their number R, also the distance between the sites of a batch. The remainders come in the
        order that halves the gaps: 0, 1/2, 1/4, 3/4, ... of the distance.

    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(8, 0.1)
    >>> from sims.comparison.compare import compare
    >>> [round(row.kl, 3) for row in compare(p, [SpreadOut(4), policies.LeftToRight(2)]).rows]
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

    Bernoulli steps are left out where they draw sites in too many patterns. Exact distributions
    have neither these nor the joints that are fitted in floats or summed over too many terms:
    mixtures, projections, and resampling of 16 candidates or of more than 32 values. Mixtures are
    fitted to four sites at most.

    Parameters
    ----------
    p : Distribution
    rng : numpy.random.Generator
        Draws the starts of the mixtures.

    >>> from theory import gallery
    >>> every = list(strategies(gallery.parity(3), np.random.default_rng(0)))
    >>> [s.decoder for s in every if s.family == "bisection"]
    [Bisection(), Bisection(2)]
    """
    check_distribution(p)
    for family, decoder in _selecting(p):
        yield Strategy(family, decoder)
    for k in range(1, min(2, p.length) + 1):
        yield Strategy("drawn tokens", policies.TokenConfidence(k))
    draft = "the predictions given its own draft"
    for k in range(2, p.length + 1):
        yield Strategy("draft and verify", policies.Speculative(k), draft)
    sizes = [b for b in range(2, p.length + 1) if p.vocab**b <= MAX_VALUES]
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
        if family == "mixture" and size > MAX_MIXED:
            continue
        if p.exact and not _in_fractions(joint, p.vocab**size):
            continue
        decoder = policies.JointDraw(policies.LeftToRight(size), joint)
        yield Strategy(family, decoder, joint.knows)


def _in_fractions(joint: joints.Joint, values: int) -> bool:
    """Tell whether a joint of so many values is computed in exact numbers on any data."""
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
    if not p.exact and (2 * p.vocab + 1) ** length <= MAX_PATTERNS:
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
