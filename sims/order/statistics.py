"""Statistics of the order in which a decoder reveals: how autoregressive it is.

Let n sites be masked at first. Sites that are revealed in the same round are taken to follow each
other in random order, so that ranks 1..n are defined, and both correlations are means over the
decoder's draws and choices and over that order. With r_j the rank of the j-th site from the left:

    Kendall's tau    (pairs in order from the left - pairs that are not) / (n (n - 1) / 2)
    Spearman's rho   the correlation of r_j and j

Both are 1 from left to right, 0 for a random order and -1 from right to left. They are sums over
what is revealed in each round, so that the *contexts* that are reached are enough to know them;
no path is ever enumerated.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.decoding.arguments import as_revealing, with_prompt
from sims.decoding.monte_carlo import Decoded
from sims.decoding.propagation import propagate
from sims.decoding.sampling import Temperature
from sims.policies import Decoder
from sims.policies.base import Select
from theory import MASK
from theory._core.arrays import within_memory
from theory._core.exact import ratio, short
from theory._core.plurals import counted
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_sites

__all__ = ["Order", "order", "order_of"]


@dataclass(frozen=True, eq=False)
class Order:
    """The order in which sites are revealed, on average.

    Numbers are Fractions if the distribution is exact, else floats.

    Attributes
    ----------
    sites : tuple of int
        The n sites that are masked at first.
    revealed : ndarray, shape (T, n)
        Probability that a site is revealed in a round.
    kendall, spearman : number
        Correlation with the order from left to right; nan for a single site.
    adjacent : number
        Mean share of the sites with a neighbour, on one side at least, that was known in an
        earlier round (an observed one too).
    left_to_right : number
        Probability that every round reveals the leftmost sites that are masked, several at once
        included: 1 for a decoder that writes everything in one round.
    runs : ndarray, shape (T + 1,)
        Mean number of runs of neighbouring known sites, before the first round and after each.
    """

    sites: tuple[int, ...]
    revealed: np.ndarray
    kendall: Number
    spearman: Number
    adjacent: Number
    left_to_right: Number
    runs: np.ndarray

    def __repr__(self) -> str:
        names = ("kendall", "spearman", "adjacent", "left_to_right")
        numbers = (getattr(self, name) for name in names)
        rounded = (round(v, 12) if isinstance(v, float) else v for v in numbers)  # 5e-16 is 0
        values = (f"{name}={short(value)}" for name, value in zip(names, rounded, strict=True))
        return f"<Order of {counted(len(self.sites), 'site')}: {', '.join(values)}>"


@within_memory("the output of a decoder")
def order(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> Order:
    """Compute in which order a decoder reveals, exactly.

    Parameters
    ----------
    p, policy, temperature, denoiser, observed, prompt
        As for `output_distribution`.

    Returns
    -------
    Order

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders that remask.
    TooLarge

    Examples
    --------
    The most confident site of a chain of bits is a neighbour of a known one. Without a prompt the
    first is the leftmost of equals; the middle of three would do as well:

    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(3, 0.25)
    >>> order(p, policies.TopK(1))
    <Order of 3 sites: kendall=1, spearman=1, adjacent=0.6667, left_to_right=1>
    >>> order(p, policies.Bisection()).revealed.tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    decoder = as_revealing(policy)
    p, given = with_prompt(p, observed, prompt)
    tally = _Tally(p.length, given, p.exact)
    # beside the decoder's mass that of the paths which have kept to the order so far
    measures = ("decoder", lambda known: _leftmost(known, tally.sites))
    for reveal in propagate(p, decoder, temperature, denoiser, given, measures=measures):
        tally.add(reveal.index, reveal.x, reveal.sites, *reveal.masses)
    return tally.finish()


def order_of(written: Decoded, observed: Iterable[int] = ()) -> Order:
    """Estimate the order from trajectories, at any length: means over the sequences drawn.

    Parameters
    ----------
    written : Decoded
        From ``decode(..., trajectory=True)``.
    observed : iterable of int
        As it was given to `decode`, or the sites of its prompt.

    Raises
    ------
    InvalidInput
        If the states were not kept, or if tokens are remasked in them.

    Examples
    --------
    >>> from sims import decode, policies
    >>> from theory import gallery
    >>> p, rng = gallery.binary_symmetric(100, 0.25), np.random.default_rng(0)
    >>> order_of(decode(p, policies.LeftToRight(2), rng, 3, trajectory=True))
    <Order of 100 sites: kendall=0.9899, spearman=0.9997, adjacent=0.49, left_to_right=1>
    """
    states = written.kept_states()
    length = states.shape[2]
    given = as_sites(observed, length, "observed")
    tally = _Tally(length, given, exact=False)
    wrong = (states[0] != MASK) != tally.first
    if wrong.any():
        start = np.flatnonzero(states[0][wrong.any(axis=1)][0] != MASK).tolist()
        raise InvalidInput(f"observed is {list(given)}, but a trajectory starts with {start}")
    if ((states[:-1] != MASK) & (states[:-1] != states[1:])).any():
        raise InvalidInput("tokens are remasked in these trajectories")
    mass = np.full(states.shape[1], 1 / states.shape[1])
    orderly = mass
    for index, (before, after) in enumerate(itertools.pairwise(states)):
        tally.add(index, before, (before == MASK) & (after != MASK), mass, orderly)
        orderly = np.where(_leftmost(after != MASK, tally.sites), orderly, 0.0)
    return tally.finish()


class _Tally:
    """Sums over everything that is revealed."""

    def __init__(self, length: int, observed: tuple[int, ...], exact: bool) -> None:
        self.exact, self.dtype = exact, object if exact else np.float64
        self.first = np.isin(np.arange(length), observed)
        self.sites = np.flatnonzero(~self.first)
        self.rounds: list[np.ndarray] = []
        self.runs: list[Any] = []
        self.in_order: Any = 0
        self.ranked: Any = 0
        self.beside: Any = 0
        self.leaving: Any = 0

    def add(
        self, index: int, x: np.ndarray, reveal: np.ndarray, mass: np.ndarray, orderly: np.ndarray
    ) -> None:
        """Take in what is revealed in the step `index` in sequences (N, L) with masses (N,).

        `orderly` is the part of the mass that has been revealed from left to right so far.
        """
        while len(self.rounds) <= index:
            self.rounds.append(np.zeros(len(self.sites), dtype=self.dtype))
            self.runs.append(0)
        known = x != MASK
        written = known & ~self.first
        sizes, before = reveal.sum(axis=1), written.sum(axis=1)
        self.rounds[index] = self.rounds[index] + self._sums(reveal[:, self.sites], mass)
        self.runs[index] = self.runs[index] + self._sum(_runs(known | reveal) - _runs(known), mass)
        left = np.cumsum(written, axis=1)  # of what is written, that much is left of a site
        signs = np.where(reveal, 2 * left - before[:, None], 0).sum(axis=1)
        self.in_order = self.in_order + self._sum(signs, mass)
        number = np.cumsum(~self.first)  # 1..n from left to right
        twice = np.where(reveal, number * (2 * before + sizes + 1)[:, None], 0).sum(axis=1)
        self.ranked = self.ranked + self._sum(twice, mass)
        self.beside = self.beside + self._sum((reveal & _beside(known)).sum(axis=1), mass)
        leaves = ~_leftmost(known | reveal, self.sites)
        self.leaving = self.leaving + self._sum(leaves, orderly)

    def finish(self) -> Order:
        """Divide the sums into means and correlations."""
        count = len(self.sites)
        pairs, squares = count * (count - 1) // 2, count * (count**2 - 1)
        # sum j r_j - n ((n + 1)/2)^2, over n (n^2 - 1)/12
        spearman = 6 * self.ranked - 3 * count * (count + 1) ** 2
        runs = np.cumsum(np.asarray([int(_runs(self.first[None])[0]), *self.runs], dtype=object))
        return Order(
            tuple(self.sites.tolist()),
            np.stack(self.rounds),
            self._share(self.in_order, pairs),
            self._share(spearman, squares),
            self._share(self.beside, count),
            1 - self.leaving,
            runs.astype(self.dtype),
        )

    def _share(self, total: Any, whole: int) -> Number:
        if self.exact:
            return ratio(np.asarray(total), whole).item()
        return float(total) / whole if whole else math.nan

    def _sum(self, values: np.ndarray, mass: np.ndarray) -> Any:
        return self._sums(values[:, None], mass)[0]

    def _sums(self, values: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """``sum_n mass_n values_n``, exact if the masses are."""
        # SymPy multiplies no bools
        return mass @ values.astype(np.int64).astype(self.dtype)


def _leftmost(known: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Whether of these sites the leftmost ones are known, for rows of bools (N, L)."""
    return np.all(known[:, sites[1:]] <= known[:, sites[:-1]], axis=1)


def _runs(known: np.ndarray) -> np.ndarray:
    """How many runs of neighbouring known sites there are, (N,)."""
    return known[:, 0] + (known[:, 1:] & ~known[:, :-1]).sum(axis=1)


def _beside(known: np.ndarray) -> np.ndarray:
    """Sites that have a known neighbour."""
    beside = np.zeros_like(known)
    beside[:, 1:] |= known[:, :-1]
    beside[:, :-1] |= known[:, 1:]
    return beside
