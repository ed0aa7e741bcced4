"""Monte Carlo estimates, with a standard error, for where nothing exact is in reach."""

from typing import Any, NamedTuple

import numpy as np

from theory.arrays import MASK, from_host, log, to_host
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.sampling import as_floats, check_draw
from theory.errors import InvalidInput
from theory.information.units import in_units

__all__ = ["Estimate", "estimate_profile"]


class Estimate(NamedTuple):
    """An unbiased estimate and its standard error, of the same shape."""

    mean: Any
    standard_error: Any


def estimate_profile(
    p: Distribution, rng: np.random.Generator, size: int, *, base: float | None = None
) -> Estimate:
    """Estimate the profile from sequences of `p` that are revealed in random order.

    The surprise ``-log p(x_i | j others)`` of the next site of a random order has mean ``f(j)``.
    Entries of different j share their sequences, so their errors are correlated.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the sequences and the orders.
    size : int
        Number of sequences, at least 2. The work is ``L`` predictions of `size` patterns.

    Returns
    -------
    Estimate
        Arrays ``mean`` and ``standard_error``, shape (L,), on the host.

    >>> from theory import gallery
    >>> f, error = estimate_profile(gallery.repeated_bit(3), np.random.default_rng(0), 4, base=2)
    >>> f.tolist(), error.tolist()
    ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    """
    check_distribution(p)
    size = check_draw(rng, size)
    if size < 2:
        raise InvalidInput(f"size must be an integer of at least 2, got {size}")
    sequences = to_host(p.sample(rng, size))
    order = rng.permuted(np.broadcast_to(np.arange(p.length), sequences.shape), axis=1)
    place = np.arange(size)
    x = np.full_like(sequences, MASK)
    surprises = np.empty((size, p.length))
    for j in range(p.length):
        site = order[:, j]
        token = sequences[place, site]
        predictions = to_host(p.denoise(from_host(x, p.like)))[place, site, token]
        surprises[:, j] = -log(as_floats(predictions))
        x[place, site] = token
    error = surprises.std(axis=0, ddof=1) / np.sqrt(size)
    return Estimate(in_units(surprises.mean(axis=0) + 0.0, base), in_units(error, base))
