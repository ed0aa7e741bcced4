"""The batches of a policy that looks at nothing and tosses no coins.

Such a policy (left to right, recursive halving, both in blocks or mirrored) reveals the same sites
in the same rounds whatever is written. Then `theory.information.fixed_order_cost` says what it
loses on data of any length: neither a table nor a denoiser is needed.

Policies are accepted by their kind, not by trying: one that looks at predictions, or at tokens,
may happen to look the same for a while.
"""

from collections.abc import Iterable

import numpy as np

from sims.decoding.arguments import as_decoder, as_observed
from sims.policies import Bisection, Blocks, Decoder, LeftToRight, Mirrored, Policy
from sims.policies.base import Select
from theory import MASK
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["fixed_batches"]


def fixed_batches(
    policy: Decoder | Select, length: int, *, observed: Iterable[int] = ()
) -> tuple[tuple[int, ...], ...]:
    """Which sites a policy reveals in each round, if nothing that is written can change it.

    Parameters
    ----------
    policy : LeftToRight, Bisection, or Blocks or Mirrored of what is accepted here
    length : int
    observed : iterable of int
        Sites that are given from the start.

    Returns
    -------
    tuple of tuples of int
        The sites of each round in increasing order, for `information.fixed_order_cost`.

    Raises
    ------
    InvalidInput
        For any other policy, which looks at predictions or at tokens, tosses coins, takes tokens
        back, or may do so, such as a function of the user's.

    >>> from sims.policies import Bisection, Blocks, LeftToRight, Mirrored, TopK
    >>> fixed_batches(Bisection(), 7)
    ((3,), (1, 5), (0, 2, 4, 6))
    >>> fixed_batches(Mirrored(LeftToRight(2)), 5, observed=[4])
    ((2, 3), (0, 1))

    Blocks of 1000 sites of a chain of 10,000 bits: halving within them still loses nothing.

    >>> from theory import gallery, information
    >>> p = gallery.binary_symmetric(10_000, 0.1)
    >>> batches = fixed_batches(Blocks(1000, Bisection()), 10_000)
    >>> len(batches), float(information.fixed_order_cost(p, batches))
    (100, 0.0)
    >>> fixed_batches(TopK(1), 7)
    Traceback (most recent call last):
    ...
    theory.errors.InvalidInput: TopK(1, 'confidence') has no fixed batches: ...
    """
    decoder = as_decoder(policy)
    if not (isinstance(decoder, Policy) and _looks_at_nothing(decoder)):
        raise InvalidInput(
            f"{decoder!r} has no fixed batches: only LeftToRight and Bisection, and Blocks and "
            "Mirrored of these, look at nothing and toss no coins"
        )
    length = as_integer(length, "length", 1)
    given = as_observed(observed, length)
    x = np.full((1, length), MASK, dtype=np.int64)
    x[0, list(given)] = TOKEN
    unseen = np.full((1, length, 1), np.nan)
    batches: list[tuple[int, ...]] = []
    while (x == MASK).any():
        ((_, reveal),) = decoder.law(x, unseen, len(batches))
        batches.append(tuple(np.flatnonzero(reveal[0]).tolist()))
        x = np.where(reveal, TOKEN, x)
    return tuple(batches)


TOKEN = 0
"""Any one will do."""


def _looks_at_nothing(policy: object) -> bool:
    """Whether the policy is of a kind that always reveals the same; a subclass may not be."""
    if type(policy) in (LeftToRight, Bisection):
        return True
    return isinstance(policy, Blocks | Mirrored) and (
        type(policy) in (Blocks, Mirrored) and _looks_at_nothing(policy.inner)
    )
