"""Rules for claims: any function of the observed pattern, drawn at random, or a fixed order.

A random rule is a list of integers. It is hashed with the pattern, so equal patterns get equal
answers and different ones usually do not. Lists of integers shrink, and every reveal set can come
up.
"""

from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import SearchStrategy

from sims.policies import Rule
from theory import MASK

__all__ = ["any_rule", "drawn_rules", "in_order", "one_site_rule"]


def _hash(x: np.ndarray, rule: Sequence[int]) -> np.ndarray:
    state = np.full(len(x), rule[0], dtype=np.int64)
    for k in range(x.shape[1]):
        state = (state * 31 + rule[1 + k % (len(rule) - 1)] * (x[:, k] - MASK) + k) % 65521
    return state


def any_rule(rule: Sequence[int]) -> Rule:
    """Reveal any non-empty set of masked sites, chosen by the observed pattern.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> bool(output_distribution(gallery.parity(3), any_rule((1, 2))).kl >= 0)
    True
    """

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        masked = x == MASK
        rank = np.cumsum(masked, axis=1) - 1
        subset = 1 + _hash(x, rule) % (2 ** masked.sum(axis=1) - 1)  # bits: which of the masked
        return masked & ((subset[:, None] >> np.maximum(rank, 0)) % 2 == 1)

    return Rule(select)


def one_site_rule(rule: Sequence[int]) -> Rule:
    """Reveal one masked site, chosen by the observed pattern."""

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        masked = x == MASK
        chosen = _hash(x, rule) % masked.sum(axis=1)
        return masked & (np.cumsum(masked, axis=1) - 1 == chosen[:, None])

    return Rule(select)


def in_order(batches: Sequence[Sequence[int]]) -> Rule:
    """Reveal one set of sites after the other, whatever the tokens."""
    rank = np.empty(sum(map(len, batches)), dtype=np.int64)
    for k, sites in enumerate(batches):
        rank[list(sites)] = k

    def select(x: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        left = np.where(x == MASK, rank, len(batches))
        return (x == MASK) & (left == left.min(axis=1, keepdims=True))

    return Rule(select)


def drawn_rules() -> SearchStrategy[tuple[int, ...]]:
    """Hypothesis strategy of the integers behind a rule."""
    return st.lists(st.integers(0, 50), min_size=3, max_size=5).map(tuple)
