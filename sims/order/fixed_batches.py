"""The batches of a policy that depends on nothing and is not randomised.

Such a policy (left to right, recursive halving, both in blocks or mirrored) reveals the same sites
in the same rounds whatever is written. Then `theory.information.fixed_order_cost` says what it
loses on data of any length: neither a table nor a denoiser is needed.
"""

from collections.abc import Iterable

from sims.decoding.arguments import as_decoder, as_observed
from sims.policies import Decoder, Policy
from sims.policies.base import Select
from sims.policies.blind import blind_rounds
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["fixed_batches"]


def fixed_batches(
    policy: Decoder | Select, length: int, *, observed: Iterable[int] = ()
) -> tuple[tuple[int, ...], ...]:
    """Compute the sites that a policy reveals in each round, where nothing written changes them.

    Parameters
    ----------
    policy : Policy
        Such as LeftToRight, Bisection, Blocks and Mirrored of them, or one of your own that
        declares ``depends_on = "nothing"`` and ``randomised = False``.
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
        For a policy that depends on predictions or tokens, is randomised, remasks, or may do so,
        such as a function of the user's. And for one that is declared wrongly.

    >>> from sims.policies import Bisection, Blocks, LeftToRight, Mirrored, TopK
    >>> fixed_batches(Bisection(), 7)
    ((3,), (1, 5), (0, 2, 4, 6))
    >>> fixed_batches(Mirrored(LeftToRight(2)), 5, observed=[4])
    ((2, 3), (0, 1))

    Blocks of 1000 sites of a chain of 10,000 bits: halving within them is still lossless.

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
    if (
        not isinstance(decoder, Policy)
        or decoder.depends_on != "nothing"
        or decoder.randomised
        or decoder.remasks
    ):
        raise InvalidInput(
            f"{decoder!r} has no fixed batches: it depends on {decoder.depends_on} or is "
            f"randomised, or may be. If that is not so of a policy of your own, let it say "
            f'depends_on = "nothing" and randomised = False'
        )
    length = as_integer(length, "length", 1)
    given = as_observed(observed, length)
    decoder = decoder.with_given(given, length)
    batches: list[tuple[int, ...]] = []
    for sites, only in blind_rounds(decoder, length, given):
        if not only:
            raise InvalidInput(
                f"{decoder!r} is said not to be randomised, but after {batches} it may reveal "
                f"{sites.tolist()} or something else"
            )
        batches.append(tuple(sites.tolist()))
    if sum(map(len, batches)) + len(given) < length:
        raise InvalidInput(f"{decoder!r} leaves sites masked at the end of its clock")
    return tuple(batch for batch in batches if batch)  # a step of a clock may reveal nothing
