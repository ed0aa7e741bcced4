"""What the tokens at observed sites can be, and how likely: the evidence to average over.

All values of k sites are V^k contexts. Fewer matter in some families: on a chain only the nearest
observed tokens on both sides do, so each gap is a short chain of its own; a text has only the
contexts that occur in it; of exchangeable bits only the number of ones counts. Elsewhere contexts
may be drawn instead of gone through.
"""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._core.arrays import MASK, array_namespace, from_host, to_host
from theory._core.segments import distinct_rows
from theory.distributions import (
    Distribution,
    EmpiricalDistribution,
    Exchangeable,
    MarkovChain,
)
from theory.errors import TooLarge
from theory.validation.arguments import as_integer

__all__ = ["Contexts", "drawn", "every_context"]


class Contexts(NamedTuple):
    """Contexts of some masked sites.

    Attributes
    ----------
    p : Distribution
        What predicts those sites from the patterns: the given one, or the chain of a gap.
    first : int
        Which site the first one of `p` is.
    sites : tuple of int
        The masked sites, counted as in the given distribution.
    patterns : (C, length of p) array of int64
    chances : (C,) array
        None is 0.
    """

    p: Distribution
    first: int
    sites: tuple[int, ...]
    patterns: Any
    chances: Any


def every_context(
    p: Distribution, observed: tuple[int, ...], sites: tuple[int, ...]
) -> Iterator[Contexts]:
    """All contexts of the masked `sites` where the sites of `observed` are observed.

    >>> from theory import gallery
    >>> (only,) = every_context(gallery.binary_symmetric(9, 0.5), (0, 1, 5), (3,))
    >>> only.first, only.patterns.shape, only.chances
    (1, (4, 5), array([0.25, 0.25, 0.25, 0.25]))
    """
    if isinstance(p, MarkovChain):
        yield from _of_gaps(p, observed, sites)
    elif isinstance(p, EmpiricalDistribution):
        yield _of_rows(p, observed, sites)
    elif isinstance(p, Exchangeable):
        yield _of_counts(p, observed, sites)
    else:
        yield _of_values(p, observed, sites)


def drawn(
    p: Distribution,
    observed: tuple[int, ...],
    sites: tuple[int, ...],
    rng: np.random.Generator,
    size: int,
) -> Contexts:
    """Contexts of `size` drawn sequences, equally likely."""
    size = as_integer(size, "size", 1)
    sequences = to_host(p.sample(rng, size))
    patterns = np.full_like(sequences, MASK)
    patterns[:, list(observed)] = sequences[:, list(observed)]
    patterns, which = distinct_rows(patterns)
    chances = np.bincount(which) / size
    return Contexts(p, 0, sites, from_host(patterns, p.like), from_host(chances, p.like))


def _possible(
    p: Distribution, first: int, sites: tuple[int, ...], patterns: Any, chances: Any
) -> Contexts:
    """Leave out contexts of probability 0."""
    xp = array_namespace(patterns)
    kept = xp.nonzero(chances != 0)[0]
    return Contexts(p, first, sites, xp.take(patterns, kept, axis=0), xp.take(chances, kept))


def _assignments(p: Distribution, observed: tuple[int, ...]) -> Any:
    """All values of the observed sites, as patterns."""
    try:
        return p.assignments(observed)
    except TooLarge as error:
        raise TooLarge(f"{error}. With rng and size, contexts are drawn instead") from None


def _of_values(p: Distribution, observed: tuple[int, ...], sites: tuple[int, ...]) -> Contexts:
    patterns = _assignments(p, observed)
    return _possible(p, 0, sites, patterns, p.evidence(patterns))


def _of_gaps(
    p: MarkovChain, observed: tuple[int, ...], sites: tuple[int, ...]
) -> Iterator[Contexts]:
    ends = (None, *observed, None)
    marginals, masked = p.marginals, np.asarray(sites)
    same: dict[tuple[int, ...], MarkovChain] = {}  # predictions depend on the size of a gap alone
    for left, right in itertools.pairwise(ends):
        first, stop = 0 if left is None else left, p.length if right is None else right
        inside = masked[(masked >= first) & (masked < stop)].tolist()
        if inside:
            last = min(inside[-1] + 1, p.length - 1) if right is None else right
            length = last - first + 1
            seen = tuple(i - first for i in (left, right) if i is not None)
            if (length, *seen) not in same:
                start = marginals[0, :] if left is None else _any_token(p)
                same[length, *seen] = MarkovChain(start, p.transition, length, exact=p.exact)
            gap = same[length, *seen]
            chances = _chances_of_ends(p, left, right, marginals)
            yield _possible(gap, first, tuple(inside), _assignments(gap, seen), chances)


def _any_token(p: MarkovChain) -> Any:
    """A start that excludes nothing: which tokens are possible is known from their chances."""
    share = Fraction(1, p.vocab)
    uniform = [share if p.exact else float(share)] * p.vocab
    return from_host(np.asarray(uniform, dtype=object if p.exact else np.float64), p.like)


def _chances_of_ends(p: MarkovChain, left: int | None, right: int | None, marginals: Any) -> Any:
    """Probabilities of the tokens at the ends of a gap, the left one slowest, (V^k,)."""
    xp = array_namespace(marginals)
    if left is None:
        return xp.sum(marginals[:1, :], axis=1) if right is None else marginals[right, :]
    if right is None:
        return marginals[left, :]
    return xp.reshape(marginals[left, :][:, None] * p.power(right - left), (-1,))


def _of_rows(
    p: EmpiricalDistribution, observed: tuple[int, ...], sites: tuple[int, ...]
) -> Contexts:
    rows = to_host(p.sequences)[:, list(observed)]
    values, _ = distinct_rows(rows)
    patterns = np.full((len(values), p.length), MASK)
    patterns[:, list(observed)] = values
    patterns = from_host(patterns, p.like)
    return _possible(p, 0, sites, patterns, p.evidence(patterns))


def _of_counts(p: Exchangeable, observed: tuple[int, ...], sites: tuple[int, ...]) -> Contexts:
    k = len(observed)
    patterns = np.full((k + 1, p.length), MASK)
    patterns[:, list(observed)] = np.arange(k) < np.arange(k + 1)[:, None]
    times = np.asarray([math.comb(k, ones) for ones in range(k + 1)], object if p.exact else float)
    patterns = from_host(patterns, p.like)
    chances = p.evidence(patterns) * from_host(times, p.like)
    return _possible(p, 0, sites, patterns, chances)
