"""The rounds of a policy that says it depends on nothing, with a check that it does.

It is given two sequences at once that differ in all tokens and all predictions. So a policy that
is declared wrongly is mostly found out, in the first round in which its two choices differ.
"""

from collections.abc import Iterator

import numpy as np

from sims.policies.base import Policy
from sims.policies.checks import check_choice, row_probabilities
from theory import MASK
from theory.errors import InvalidInput

__all__ = ["blind_rounds"]


def blind_rounds(
    policy: Policy, length: int, observed: tuple[int, ...] = ()
) -> Iterator[tuple[np.ndarray, bool]]:
    """Follow the first outcome of every round until all sites are revealed or the clock ends.

    Parameters
    ----------
    policy : Policy
        One whose `depends_on` is "nothing".
    length : int
    observed : tuple of int
        Sites that are given from the start.

    Yields
    ------
    sites : ndarray of int64, shape (k,)
    only : bool
        Whether the round has no other outcome.

    Raises
    ------
    InvalidInput
        If the policy does depend on tokens or predictions.

    >>> from sims.policies import FirstHitting, TopK
    >>> [(sites.tolist(), only) for sites, only in blind_rounds(FirstHitting(), 2)]
    [([0], False), ([1], True)]
    >>> blind = TopK(1)
    >>> blind.depends_on = "nothing"
    >>> next(blind_rounds(blind, 2))
    Traceback (most recent call last):
    ...
    theory.errors.InvalidInput: TopK(1, 'confidence') is said to depend on nothing, but ...
    """
    tokens = np.asarray([[0], [1]])
    x = np.full((2, length), MASK, dtype=np.int64)
    x[:, list(observed)] = tokens
    # one prefers token 0, more and more so to the right, the other token 1, less and less so
    rising = np.arange(length + 1, 2 * length + 1, dtype=np.int64) / (2 * length + 2)
    predictions = np.stack([[rising, 1 - rising], [1 - rising[::-1], rising[::-1]]])
    predictions = np.ascontiguousarray(predictions.transpose(0, 2, 1))
    one_hot = np.eye(2)[:, None]
    predictions[:, list(observed)] = one_hot
    index, left = 0, length - len(observed)
    while left and (policy.steps is None or index < policy.steps):
        outcomes = _used(policy, x, predictions, index)
        first = next(outcomes, None)
        if first is None:
            raise InvalidInput(f"the probabilities of {policy!r} sum to 0 in round {index}")
        sites = np.flatnonzero(first)
        yield sites, next(outcomes, None) is None
        x[:, sites] = tokens
        predictions[:, sites] = one_hot
        index, left = index + 1, left - len(sites)


def _used(
    policy: Policy, x: np.ndarray, predictions: np.ndarray, index: int
) -> Iterator[np.ndarray]:
    """The sets of a round, (L,), that have a probability other than 0."""
    for found, reveal in policy.reveal_distribution(x, predictions, index):
        probabilities = row_probabilities(found, x)
        check_choice(policy, x, reveal, probabilities != 0)
        if probabilities[0] != probabilities[1] or (
            probabilities[0] != 0 and (reveal[0] != reveal[1]).any()
        ):
            sets = [np.flatnonzero(row).tolist() for row in reveal]
            raise InvalidInput(
                f"{policy!r} is said to depend on nothing, but where the sites "
                f"{np.flatnonzero(x[0] != MASK).tolist()} are revealed its choice differs with "
                f"tokens and predictions: {sets[0]} with probability {probabilities[0]}, and "
                f"{sets[1]} with probability {probabilities[1]}"
            )
        if probabilities[0] != 0:
            yield reveal[0]
