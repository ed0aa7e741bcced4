"""Policies that a claim about all of them is checked on."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import SearchStrategy

from sims import policies
from sims.decoding.propagation import propagate
from sims.policies import Policy
from theory import schedules
from theory.distributions import Distribution

__all__ = ["path_steps", "some_selecting_policy"]


def some_selecting_policy(length: int) -> SearchStrategy[Policy]:
    """Hypothesis strategy of policies that select sites before they draw, several per round.

    One of every kind.
    """
    pair = min(2, length)
    return st.sampled_from(
        [
            policies.RandomOrder(schedules.uniform(length, pair)),
            policies.LeftToRight(2),
            policies.Blocks(2, policies.TopK(2, "margin")),
            *(policies.TopK(2, score) for score in ("confidence", "margin", "entropy")),
            policies.Threshold(0.6),
            policies.Factor(1.0),
            policies.EntropyBounded(0.5),
            policies.Bisection(),
            policies.Bernoulli((0, Fraction(1, 3), 1)),
            policies.FirstHitting(),
        ]
    )


def path_steps(
    p: Distribution, policy: Policy
) -> Iterator[tuple[Any, int, tuple[int, ...], np.ndarray]]:
    """Everything that a policy can do along the data, one context and choice at a time.

    Yields
    ------
    chance : number
        Of the context under the data and the choice of the policy.
    index : int
        The step.
    sites : tuple of int
        What is revealed; may be empty for a policy on a clock.
    x : ndarray, shape (L,)
        The context.
    """
    for reveal in propagate(p, policy, measures=("data",)):
        for x, sites, chance in zip(reveal.x, reveal.sites, reveal.masses[0], strict=True):
            yield chance, reveal.index, tuple(np.flatnonzero(sites).tolist()), x
