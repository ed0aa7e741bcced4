"""Decoders with a cache: their rounds along all paths on the data, and what these cost."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory import MASK, information
from theory._core.arrays import log, to_host
from theory._core.types import Number
from theory.distributions import Distribution

__all__ = [
    "Round",
    "divergences",
    "followed",
    "informations",
    "mean_cost",
    "together",
    "written_cost",
]


class Round(NamedTuple):
    """What was written when the cache was refreshed, what is now, and the sites to write."""

    old: tuple[int, ...]
    known: tuple[int, ...]
    sites: list[int]


def _chosen(view: tuple[int, ...], known: tuple[int, ...], rule: Sequence[int]) -> list[int]:
    """Any non-empty set of masked sites: a hash of what is seen and of which sites are masked."""
    masked = [i for i, token in enumerate(known) if token == MASK]
    state = 0
    for k, token in enumerate(view):
        state = state * 31 + rule[k % len(rule)] * (token + 2) + k * (known[k] == MASK)
    bits = 1 + state % (2 ** len(masked) - 1)
    return [i for k, i in enumerate(masked) if bits >> k & 1]


def followed(p: Distribution, rule: Sequence[int], every: int, by_new: bool) -> list[Round]:
    """All rounds of all paths on the data; what is known tells by which path it was reached.

    The cache is refreshed every so many rounds. Sites are chosen by what is old, or by what is new,
    too.
    """
    start = (MASK,) * p.length
    found, waiting = [], [(start, start, 0)]
    while waiting:
        old, known, age = waiting.pop()
        if MASK not in known:
            continue
        old = known if age % every == 0 else old
        sites = _chosen(known if by_new else old, known, rule)
        found.append(Round(old, known, sites))
        for tokens in itertools.product(range(p.vocab), repeat=len(sites)):
            after = np.asarray(known)
            after[sites] = tokens
            if p.evidence(after) != 0:
                waiting.append((old, tuple(after.tolist()), age + 1))
    return found


def written_cost(p: Distribution, rounds: list[Round]) -> Number:
    """``E log p(X) / q(X)``, q the product of the predictions from what is old."""
    by_known = {r.known: r for r in rounds}
    table, written = to_host(p.table()), to_host(p.table()) * 0
    for x in itertools.product(range(p.vocab), repeat=p.length):
        if table[x] == 0:
            continue
        known, probability = (MASK,) * p.length, Fraction(1) if p.exact else 1.0
        while MASK in known:
            r = by_known[known]
            rows = p.denoise(np.asarray(r.old))
            for i in r.sites:
                probability = probability * rows[i, x[i]]
            known = tuple(x[i] if i in r.sites else known[i] for i in range(p.length))
        written[x] = probability
    return _expected_log(table, table) - _expected_log(table, written)


def _expected_log(weights: Any, values: Any) -> Number:
    inside = weights != 0
    return (weights[inside] * log(values[inside])).sum()


def _shown(pattern: tuple[int, ...]) -> list[int]:
    return [i for i, token in enumerate(pattern) if token != MASK]


def divergences(p: Distribution, r: Round) -> Number:
    """``sum_i KL(p(X_i | all) || p(X_i | old))``."""
    all_known, old = (p.denoise(np.asarray(pattern)) for pattern in (r.known, r.old))
    return sum(information.kl_divergence(all_known[i], old[i]) for i in r.sites)


def informations(p: Distribution, r: Round) -> Number:
    """``sum_i I(X_i; new | old)``, the old tokens as they are and the new ones unknown."""
    new, old = [i for i in _shown(r.known) if i not in _shown(r.old)], np.asarray(r.old)

    def entropy(*sites: int) -> Number:
        return information.entropy(p, sites, given=old)

    return sum(entropy(i) + entropy(*new) - entropy(i, *new) for i in r.sites)


def together(p: Distribution, r: Round) -> Number:
    """``TC(X_S | all)``."""
    return information.total_correlation(p, r.sites, given=np.asarray(r.known))


def mean_cost(p: Distribution, rounds: list[Round], cost: Callable) -> Number:
    """The sum over rounds of a cost that depends on what is known, in the mean over the data."""
    return sum(p.evidence(np.asarray(r.known)) * cost(p, r) for r in rounds)
