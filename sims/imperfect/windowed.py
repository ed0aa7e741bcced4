"""The best of all denoisers that see a window of w sites on each side, and what it loses.

Let W_i be the sites within distance w of i, without i. The zero-loss denoiser of `p` given
x with everything outside of the window masked,

    f_i(x_C) = p(x_i | x of C and W_i),

is the conditional marginal given what the window shows, so no other denoiser of that reach has a
smaller loss. What it loses against the unlimited one, for the known sites C, is the information

    E KL(p(X_i | X_C) || f_i) = H(X_i | X of C and W_i) - H(X_i | X_C)

that the known sites outside of the window have beyond those inside. It is zero if and only if
they are conditionally independent of X_i. [ours; the identity is textbook]

For a chain of order 1 that is so wherever the nearest known site on each side, if there is one,
lies in the window: always from left to right and whenever the known sites grow as one run, for
every width from 1 on. (From left to right a chain of order m needs m sites.) In random order the
nearest known site may be anywhere, and no width below ``L - 1`` is free.

In continuous time a site sees each set S of its window with a probability that does not depend on
what is outside of it, so the mean cross-entropy of site i is ``sum_S w_S H(X_i | X_S)`` over the
subsets S of W_i alone, ``w_S = 1 / ((n + 1) C(n, |S|))``, n the size of the window. The unlimited
one has the entropy of `p` in all.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory import MASK, information
from theory._core.arrays import from_host, require_memory, to_host
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import TooLarge
from theory.lattice.lattice import reveal_observed
from theory.validation.arguments import as_integer, as_tokens

__all__ = ["WindowedDenoiser", "window_price"]

AT_ONCE = 2**22
"""Probabilities that are computed together."""

MAX_SUBSETS = 2**20
"""Subsets of all windows that `window_price` goes through."""


class WindowedDenoiser:
    """The zero-loss denoiser of `p` that sees the `width` nearest sites on each side.

    The nearest *sites*, masked or not: where the nearest known token is farther away, it is not
    seen. At the ends of the sequence a window is cut off.

    Parameters
    ----------
    p : Distribution
        Of any family and length; exact ones give exact predictions.
    width : int
        Sites on each side. 0 sees nothing and predicts the marginals; ``L - 1`` sees all.

    Raises
    ------
    InvalidInput
        If `width` is no integer of at least 0.

    Examples
    --------
    The last of three equal bits, with the one next to it masked:

    >>> from theory import Exchangeable, gallery
    >>> p = Exchangeable([1, 0, 0, 1], exact=True)
    >>> x = [0, MASK, MASK]
    >>> [WindowedDenoiser(p, width)(x)[2].tolist() for width in (1, 2)]
    [[Fraction(1, 2), Fraction(1, 2)], [Fraction(1, 1), Fraction(0, 1)]]

    From left to right a chain needs no more than one site. Halving goes from the middle of five
    to their end, two sites away, and writes it without: ``log 2 - h(0.18)`` nats lost.

    >>> from sims import output_distribution, policies
    >>> chain = gallery.binary_symmetric(5, 0.1)
    >>> kl = [
    ...     output_distribution(chain, policy, denoiser=WindowedDenoiser(chain, 1)).kl
    ...     for policy in (policies.LeftToRight(), policies.Bisection())
    ... ]
    >>> [abs(round(k, 4)) for k in kl]
    [0.0, 0.2218]
    """

    def __init__(self, p: Distribution, width: int) -> None:
        check_distribution(p)
        self.p = p
        self.width = as_integer(width, "width", 0)

    def __call__(self, x: ArrayLike) -> Array:
        """Predict from patterns (B, L) or (L,), shape (B, L, V) or (L, V), beside `p`.

        Where the window shows what the data never contain, the unconditional marginals.
        """
        x, single = as_tokens(x, self.p.length, self.p.vocab, self.p.like)
        host = to_host(x)
        require_memory(host.size * self.p.vocab, f"a table of predictions of shape {host.shape}")
        dtype = object if self.p.exact else np.float64
        predictions = np.zeros((*host.shape, self.p.vocab), dtype=dtype)
        rows, sites = np.nonzero(host == MASK)
        every = np.arange(self.p.length, dtype=np.int64)
        at_once = max(1, AT_ONCE // (self.p.length * self.p.vocab))
        for start in range(0, len(rows), at_once):
            row, site = rows[start : start + at_once], sites[start : start + at_once]
            near = abs(every - site[:, None]) <= self.width
            seen = np.where(near, host[row], MASK)
            windows, which = distinct_rows(seen)
            patterns = from_host(np.ascontiguousarray(windows), self.p.like)
            found = to_host(self.p.denoise(patterns, on_impossible="marginal"))
            predictions[row, site] = found[which, site]
        predictions = reveal_observed(host, predictions)
        if not self.p.exact:
            predictions = from_host(predictions, self.p.like)
        return predictions[0, ...] if single else predictions

    def __repr__(self) -> str:
        return f"WindowedDenoiser({self.p!r}, {self.width})"


def window_price(p: Distribution, width: int) -> Number:
    """Cross-entropy that a window costs in continuous time, in nats for each token.

    ``(1 / L) (sum_i sum_S w_S H(X_i | X_S) - H(X))`` over the subsets S of the window of site i,
    the loss of `WindowedDenoiser` above the least one. Only entropies of windows are needed, so
    that `p` may be as long as its family allows.

    Parameters
    ----------
    p : Distribution
    width : int

    Returns
    -------
    number
        An exact number if `p` is exact. ``TC / L`` at width 0, and 0 at width ``L - 1``.

    Raises
    ------
    InvalidInput
    TooLarge
        If the windows have more than 2^20 subsets.

    Examples
    --------
    Of four equal bits, one is a fair bit if nothing in its window is known, which happens 1 in
    ``n + 1`` times; with one site on each side, ``1/2 + 1/3 + 1/3 + 1/2 - 1`` bits too many:

    >>> from theory import Exchangeable
    >>> p = Exchangeable([1, 0, 0, 0, 1], exact=True)
    >>> [window_price(p, width) for width in range(4)]
    [3*log(2)/4, log(2)/6, log(2)/24, 0]
    """
    check_distribution(p)
    width = as_integer(width, "width", 0)
    windows = [
        [j for j in range(max(0, i - width), min(p.length, i + width + 1)) if j != i]
        for i in range(p.length)
    ]
    count = sum(2 ** len(window) for window in windows)
    if count > MAX_SUBSETS:
        raise TooLarge(
            f"windows of width {width} have {count:.3g} subsets in "
            f"{counted(p.length, 'site')}; their entropies are summed up to {MAX_SUBSETS}"
        )

    @functools.cache
    def entropy(sites: tuple[int, ...]) -> Number:
        return information.entropy(p, sites) if sites else 0

    total: Any = 0
    for site, window in enumerate(windows):
        for size in range(len(window) + 1):
            weight: Any = Fraction(1, (len(window) + 1) * math.comb(len(window), size))
            weight = weight if p.exact else float(weight)
            for known in itertools.combinations(window, size):
                with_site = tuple(sorted((*known, site)))
                total = total + weight * (entropy(with_site) - entropy(known))
    return (total - information.entropy(p)) / p.length
