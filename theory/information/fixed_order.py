"""KL divergence of decoding in a fixed order: batches of sites that are chosen beforehand.

In round t the sites of batch ``B_t`` are drawn in parallel, each from its prediction given the
sites O_t of all rounds before. The batches are neither random nor dependent on what is drawn, so
the decoder writes ``q(x) = prod_t prod_{i in B_t} p(x_i | x_{O_t})``, and

    KL(p || q)  =  sum_t [ sum_{i in B_t} H(X_i | X_{O_t}) - H(X_{B_t} | X_{O_t}) ],

the total correlation of each batch given what was written before. It is a sum of entropies of
sets of sites: in reach wherever `theory.information.entropy` is.

In a Markov chain the sites on both sides of a known one are independent. So the batch falls into
the segments between known sites, and within one, with ends l and r, each site b costs what it
shares with the site a of the batch before it, ``I(X_a; X_b | X_l, X_r)``. With ``E(i, j) =
H(X_j | X_i)`` for i < j, which the marginal at i and the gap ``j - i`` determine,

    I(X_a; X_b | X_l, X_r)  =  E(l, b) - E(l, r) - E(a, b) + E(a, r),

where ``E(l, b)`` is ``H(X_b)`` if there is no l, and E(., r) is 0 if there is no r. No table, no
sum over patterns: one power of the transition matrix for each gap, at any length. [ours]

Predictions may be *stale*: they go by the sites C_t, some of O_t. A token i then costs what it
shares with the new ones, ``I(X_i; X_{O_t} | X_{C_t})``, beside the total correlation above, and

    KL(p || q)  =  sum_t sum_{i in B_t} H(X_i | X_{C_t})  -  H(X).

In a chain ``H(X_i | X_l, X_r) = E(l, i) + E(i, r) - E(l, r)`` with the nearest ends in C_t. [ours]
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from theory._core.arrays import array_namespace, from_host, xlogx
from theory._core.plurals import counted
from theory._core.types import Array, Number
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.markov import MarkovChain
from theory.errors import InvalidInput
from theory.information.units import in_units, not_negative
from theory.validation.arguments import as_sites

__all__ = ["fixed_order_cost"]


def fixed_order_cost(
    p: Distribution,
    batches: Iterable[Iterable[int]],
    *,
    observed: Iterable[int] = (),
    seen: Iterable[Iterable[int]] | None = None,
    base: float | None = None,
) -> Number:
    """KL divergence of decoding in batches of sites that are fixed beforehand.

    Parameters
    ----------
    p : Distribution
    batches : iterable of iterables of int
        The sites of each round, none empty; every site once, but those that are observed.
        `sims.fixed_batches` takes them from a policy.
    observed : iterable of int
        Sites that are given from the start, with tokens as the data have them.
    seen : iterable of iterables of int, optional
        For each batch, the sites that its predictions go by: those that are observed or in batches
        before, all of them if not given. Fewer where a cache or attention in one direction leaves
        some out.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Returns
    -------
    number
        ``KL(p || q)``, averaged over the observed tokens; float64, or exact if `p` is. It is
        the path KL, too.

    Raises
    ------
    TooLarge
        If the family sums over all tokens of a set of sites, and they are too many.

    Notes
    -----
    In closed form and at any length for `MarkovChain`; exchangeable bits, permutations and
    empirical distributions have their entropies in closed form, too. A table needs to be small, and
    so do a `HiddenMarkovModel` and a `ProductMixture`: they have no closed form and sum over all
    values of the sites. As a sum of differences of entropies the float is good to some 1e-15 of
    these, so that smaller costs are rounding; batches of one site to a segment cost exactly 0.

    Examples
    --------
    A bit that flips with probability 1/4, two at a time. The first two cost ``1 - h(1/4)`` bits.
    The others are written as if the second did not know the first: it is two flips away from what
    is known, ``h(3/8) - h(1/4)``.

    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(4, 0.25)
    >>> cost = fixed_order_cost(p, [(0, 1), (2, 3)], base=2)
    >>> round(float(cost), 6)                           # 1 + 0.954434 - 2 * 0.811278
    0.331878

    At 10,000 sites, two at a time again, and from the middle outwards:

    >>> p = gallery.binary_symmetric(10_000, 0.25)
    >>> pairs = [(i, i + 1) for i in range(0, 10_000, 2)]
    >>> round(float(fixed_order_cost(p, pairs, base=2)), 3)     # 0.188722 + 4999 * 0.1431559
    715.825
    >>> outwards = [(5000,), *((4999 - i, 5001 + i) for i in range(4999)), (0,)]
    >>> float(fixed_order_cost(p, outwards))
    0.0

    One at a time from a cache that is refreshed every second round: the sites of two rounds are
    written as if together.

    >>> p = gallery.binary_symmetric(4, 0.25)
    >>> one_by_one = [(0,), (1,), (2,), (3,)]
    >>> cost = fixed_order_cost(p, one_by_one, seen=[(), (), (0, 1), (0, 1)], base=2)
    >>> round(float(cost), 6)
    0.331878
    """
    check_distribution(p)
    known = as_sites(observed, p.length, "observed")
    order = _as_batches(batches, known, p.length)
    contexts = None if seen is None else _as_contexts(seen, order, known, p.length)
    if isinstance(p, MarkovChain):
        cost = _chain_cost(p, order, known, contexts)
    else:
        cost = _cost(p, order, known, contexts)
    return in_units(not_negative(cost), base)


def _as_batches(
    batches: Iterable[Iterable[int]], known: tuple[int, ...], length: int
) -> list[tuple[int, ...]]:
    """Batches with their sites in increasing order."""
    try:
        order = [as_sites(batch, length, f"batch {n}") for n, batch in enumerate(batches)]
    except TypeError:
        raise InvalidInput(
            f"batches must be a sequence of sets of sites, got {batches!r}"
        ) from None
    seen = dict.fromkeys(known, "observed")
    for n, batch in enumerate(order):
        if not batch:
            raise InvalidInput(f"batch {n} is empty")
        for site in batch:
            if site in seen:
                raise InvalidInput(f"batch {n} has site {site} again, which is {seen[site]}")
            seen[site] = f"in batch {n}"
    if len(seen) < length:
        missing = next(i for i in range(length) if i not in seen)
        raise InvalidInput(
            f"the batches leave out {counted(length - len(seen), 'site')}, site {missing} first"
        )
    return order


def _as_contexts(
    seen: Iterable[Iterable[int]],
    order: list[tuple[int, ...]],
    known: tuple[int, ...],
    length: int,
) -> list[tuple[int, ...]]:
    """What is seen in each round, in increasing order: some of what is known by then."""
    try:
        contexts = [as_sites(sites, length, f"seen {n}") for n, sites in enumerate(seen)]
    except TypeError:
        raise InvalidInput(f"seen must be a sequence of sets of sites, got {seen!r}") from None
    if len(contexts) != len(order):
        raise InvalidInput(
            f"seen must have {counted(len(order), 'set')}, one for each batch, got {len(contexts)}"
        )
    before = set(known)
    for n, (batch, context) in enumerate(zip(order, contexts, strict=True)):
        for site in context:
            if site not in before:
                raise InvalidInput(f"seen {n} has site {site}, which is not known before batch {n}")
        before.update(batch)
    return contexts


def _rounds(
    order: list[tuple[int, ...]],
    known: tuple[int, ...],
    contexts: list[tuple[int, ...]] | None,
) -> Iterator[tuple[tuple[int, ...], list[int], list[int]]]:
    """Each batch, with what its predictions go by and all that is known, in increasing order."""
    before = list(known)
    for n, batch in enumerate(order):
        yield batch, before if contexts is None else list(contexts[n]), before
        for site in batch:
            bisect.insort(before, site)


def _cost(
    p: Distribution,
    order: list[tuple[int, ...]],
    known: tuple[int, ...],
    contexts: list[tuple[int, ...]] | None = None,
) -> Any:
    """The definition, from the entropies of sets of sites."""

    def entropy(*sites: int) -> Any:
        return p.subset_entropy(tuple(sorted(sites))) if sites else 0

    cost: Any = 0 if p.exact else 0.0
    for batch, context, before in _rounds(order, known, contexts):
        if len(batch) > 1 or context != before:
            there = entropy(*context)
            alone = sum(entropy(*context, i) - there for i in batch)
            cost = cost + alone - (entropy(*before, *batch) - entropy(*before))
    return cost


def _chain_cost(
    p: MarkovChain,
    order: list[tuple[int, ...]],
    known: tuple[int, ...],
    contexts: list[tuple[int, ...]] | None,
) -> Any:
    """The sum over all sites; equal terms of opposite sign cancel beforehand."""
    times = _terms(order, known, contexts)
    by_gap: dict[int, dict[int, int]] = defaultdict(dict)
    alone: dict[int, int] = {}
    for (left, right), count in times.items():
        if not count:
            continue
        if left is None:
            alone[right] = count
        else:
            by_gap[right - left][left] = count
    xp, parts = array_namespace(p.like), []
    gaps = sorted(by_gap)
    entropies = p.gap_entropies(gaps)
    if alone:
        rows, counts = _rows(p, alone)
        parts.append(-xp.sum(counts * xp.sum(xlogx(rows), axis=1)))
    for n, gap in enumerate(gaps):
        rows, counts = _rows(p, by_gap[gap])
        parts.append(xp.sum(counts * xp.sum(rows * entropies[n, ...][None, :], axis=1)))
    if p.exact:
        return sum(parts)
    return xp.sum(xp.stack(parts)) if parts else xp.sum(p.initial * 0)


def _rows(p: MarkovChain, times: dict[int, int]) -> tuple[Array, Array]:
    """Marginals of some sites, (N, V), and how often each is counted, (N,)."""
    xp = array_namespace(p.like)
    sites = from_host(np.asarray(list(times), dtype=np.int64), p.like)
    counts = np.asarray(list(times.values()), dtype=object if p.exact else np.float64)
    return xp.take(p.marginals, sites, axis=0), from_host(counts, p.like)


def _terms(
    order: list[tuple[int, ...]],
    known: tuple[int, ...],
    contexts: list[tuple[int, ...]] | None,
) -> dict[tuple[int | None, int], int]:
    """How often each E(i, j) is counted; i is None where no site on the left is known."""
    times: dict[tuple[int | None, int], int] = defaultdict(int)
    for batch, context, _ in _rounds(order, known, contexts):
        for site in batch:
            segment = bisect.bisect(context, site)
            left = context[segment - 1] if segment else None
            times[left, site] += 1
            if segment < len(context):
                times[site, context[segment]] += 1
                times[left, context[segment]] -= 1
    for sites, count in ((range(sum(map(len, order), len(known))), -1), (known, 1)):
        left = None
        for site in sites:  # H(X) less that of what is known
            times[left, site] += count
            left = site
    return times
