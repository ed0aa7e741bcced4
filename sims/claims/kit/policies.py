"""Policies that claims about all of them are checked on, and every round of one, or of any."""

from collections.abc import Iterator
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import SearchStrategy

from sims import policies
from sims.decoding.propagation import propagate
from sims.open_questions.moves import Sites, masked_sites, subsets
from sims.policies import Policy
from theory import schedules
from theory._core.arrays import to_host
from theory._core.types import Array, Number
from theory.claims.kit.generators import Size, every_pattern
from theory.distributions import Distribution

__all__ = ["path_steps", "possible_rounds", "selecting_policies"]


def selecting_policies(p: Size | Distribution) -> SearchStrategy[Policy]:
    """Hypothesis strategy of policies that select sites before they draw, several per round.

    One of every kind.
    """
    pair = min(2, p.length)
    return st.sampled_from(
        [
            policies.RandomOrder(schedules.uniform(p.length, pair)),
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


def path_steps(p: Distribution, policy: Policy) -> Iterator[tuple[Number, int, Sites, np.ndarray]]:
    """Everything that a policy can do along the data, one context and choice at a time.

    Yields
    ------
    probability : number
        Of the context under the data and the choice of the policy.
    index : int
        The step.
    sites : tuple of int
        What is revealed; may be empty for a policy on a clock.
    x : ndarray, shape (L,)
        The context.
    """
    for reveal in propagate(p, policy, measures=("data",)):
        for x, sites, mass in zip(reveal.x, reveal.sites, reveal.masses[0], strict=True):
            yield mass, reveal.index, tuple(np.flatnonzero(sites).tolist()), x


def possible_rounds(
    p: Distribution, least: int = 1
) -> Iterator[tuple[np.ndarray, list[int], Array]]:
    """Everything that any policy can reveal where the data go: at least so many sites at once.

    Yields
    ------
    x : ndarray, shape (L,)
        The context, which is possible.
    sites : list of int
        What is revealed.
    marginals : ndarray, shape (L, V)
        The predictions there.
    """
    for x in every_pattern(p):
        if p.evidence(x) != 0:
            marginals = to_host(p.denoise(x))
            for sites in subsets(masked_sites(x.tolist())):
                if len(sites) >= least:
                    yield x, list(sites), marginals
