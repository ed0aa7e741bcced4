"""All contexts that some observed sites can show, with their probabilities, or a sample of them.

All values of k sites are V^k contexts. Fewer matter in some families: on a chain only the nearest
observed tokens on both sides do, so each gap is a short chain of its own; a text has only the
contexts that occur in it; of exchangeable bits only the number of ones counts. Elsewhere contexts
may be drawn instead of gone through.
"""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from theory._core.arrays import MASK, array_namespace, from_host, to_host
from theory._core.segments import distinct_rows
from theory._core.types import Array
from theory.distributions import (
    Distribution,
    EmpiricalDistribution,
    Exchangeable,
    MarkovChain,
)
from theory.errors import TooLarge
from theory.validation.arguments import as_integer

__all__ = ["Contexts", "drawn_contexts", "every_context"]


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
    probabilities : (C,) array
        None is 0.
    """

    p: Distribution
    first: int
    sites: tuple[int, ...]
    patterns: Array
    probabilities: Array


def every_context(
    p: Distribution, observed: tuple[int, ...], sites: tuple[int, ...]
) -> Iterator[Contexts]:
    """All contexts of the masked `sites` where the sites of `observed` are observed.

    >>> from theory import gallery
    >>> (only,) = every_context(gallery.binary_symmetric(9, 0.5), (0, 1, 5), (3,))
    >>> only.first, only.patterns.shape, only.probabilities
    (1, (4, 5), array([0.25, 0.25, 0.25, 0.25]))
    """
    if isinstance(p, MarkovChain):
        yield from _of_gaps(p, observed, sites)
        return
    if isinstance(p, EmpiricalDistribution):
        values, _ = distinct_rows(to_host(p.sequences)[:, list(observed)])
        patterns = _patterns(p, observed, values)
        probabilities = p.evidence(patterns)
    elif isinstance(p, Exchangeable):
        k = len(observed)
        ones = np.arange(k + 1, dtype=np.int64)
        patterns = _patterns(p, observed, np.arange(k, dtype=np.int64) < ones[:, None])
        times = np.asarray([math.comb(k, n) for n in range(k + 1)], object if p.exact else float)
        probabilities = p.evidence(patterns) * from_host(times, p.like)
    else:
        patterns = _assignments(p, observed)
        probabilities = p.evidence(patterns)
    yield _possible(p, 0, sites, patterns, probabilities)


def drawn_contexts(
    p: Distribution,
    observed: tuple[int, ...],
    sites: tuple[int, ...],
    rng: np.random.Generator,
    size: int,
) -> Contexts:
    """Contexts of `size` drawn sequences, each as likely as it is frequent among them."""
    size = as_integer(size, "size", 1)
    values, which = distinct_rows(to_host(p.sample(rng, size))[:, list(observed)])
    shares = from_host(np.bincount(which) / size, p.like)
    return Contexts(p, 0, sites, _patterns(p, observed, values), shares)


def _patterns(p: Distribution, observed: tuple[int, ...], values: np.ndarray) -> Array:
    """Patterns (C, L) with these values (C, k) at the observed sites."""
    patterns = np.full((len(values), p.length), MASK, dtype=np.int64)
    patterns[:, list(observed)] = values
    return from_host(patterns, p.like)


def _assignments(p: Distribution, observed: tuple[int, ...]) -> Array:
    """All values of the observed sites, as patterns."""
    try:
        return p.assignments(observed)
    except TooLarge as error:
        raise TooLarge(f"{error}. With rng and size, contexts are drawn instead") from None


def _possible(
    p: Distribution, first: int, sites: tuple[int, ...], patterns: Array, probabilities: Array
) -> Contexts:
    """Leave out contexts of probability 0."""
    xp = array_namespace(patterns)
    kept = xp.nonzero(probabilities != 0)[0]
    patterns, probabilities = xp.take(patterns, kept, axis=0), xp.take(probabilities, kept)
    return Contexts(p, first, sites, patterns, probabilities)


def _of_gaps(
    p: MarkovChain, observed: tuple[int, ...], sites: tuple[int, ...]
) -> Iterator[Contexts]:
    marginals, masked = p.marginals, np.asarray(sites)
    same: dict[tuple[int, ...], MarkovChain] = {}  # predictions depend on the size of a gap alone
    for left, right in itertools.pairwise((None, *observed, None)):
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
            probabilities = _probabilities_of_ends(p, left, right, marginals)
            yield _possible(gap, first, tuple(inside), _assignments(gap, seen), probabilities)


def _any_token(p: MarkovChain) -> Array:
    """A start that excludes nothing: which tokens are possible their probabilities say."""
    share = Fraction(1, p.vocab)
    uniform = [share if p.exact else float(share)] * p.vocab
    return from_host(np.asarray(uniform, dtype=object if p.exact else np.float64), p.like)


def _probabilities_of_ends(
    p: MarkovChain, left: int | None, right: int | None, marginals: Array
) -> Array:
    """Probabilities of the tokens at the ends of a gap, the left one slowest, (V^k,)."""
    xp = array_namespace(marginals)
    if left is None:
        return xp.sum(marginals[:1, :], axis=1) if right is None else marginals[right, :]
    if right is None:
        return marginals[left, :]
    return xp.reshape(marginals[left, :][:, None] * p.power(right - left), (-1,))
