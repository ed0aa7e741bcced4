"""B19: the least loss of a chain in at most R rounds, as shortest paths over gaps."""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.chains.best import best_in_rounds
from sims.claims.kit.policies import path_steps
from sims.claims.kit.random_rules import any_rule, drawn_rules
from sims.comparison.strategies import SpreadOut
from sims.decoding.exact import output_distribution
from sims.open_questions.moves import subsets
from sims.optimal.frontier import frontier
from sims.order import fixed_batches
from sims.policies import Bisection, LeftToRight
from theory import MASK, MarkovChain, gallery, information, strategies
from theory._core.arrays import to_host, xlogx
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import shares
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import as_chain
from theory.distributions import Distribution

__all__ = ["B19"]

MAX_ENTRIES = 300
"""All policies are gone through for data with so many sequences."""

MAX_EDGES = 12
"""Paths are gone through edge by edge up to so many sites."""

MAX_LENGTH = 128
"""The optimum is computed up to so many sites."""

B19 = Claim(
    id="B19",
    title="The least loss of a chain in R rounds is a shortest path",
    statement=(
        "Let K_R(a, b, n) be the least path divergence with which n masked sites of a Markov chain "
        "between tokens a and b are written in at most R rounds on every path. It is the least "
        "length of a path 0 < s_1 < ... < s_k < n+1 over the sites of the first round, on which an "
        "edge (i, j) has the length I(X_i; X_j | a, b) + E K_{R-1}(X_i, X_j, j-i-1 | a, b), "
        "without the first term if it touches an end. No value-adaptive policy that selects before "
        "it draws loses less in R rounds, and the choices that are found lose as much. Recursive "
        "halving is the case of no loss: it writes up to 2^R - 1 sites, and if no two sites of a "
        "gap are independent, as with two tokens that may always follow each other and do not do "
        "so independently, nothing writes more without loss. A second round saves half or more: "
        "K_2 <= K_1 / 2."
    ),
    latex=(
        r"K_R(a, b, n) = \min_{0 < s_1 < \dots < s_k < n+1} \Bigl[\sum_{m=1}^{k-1} I(X_{s_m}; "
        r"X_{s_{m+1}} \mid a, b) + \sum_{m=0}^{k} \mathbb E\, K_{R-1}(X_{s_m}, X_{s_{m+1}}, "
        r"s_{m+1} - s_m - 1)\Bigr],\quad K_1 = \mathrm{TC};\quad n < 2^R \Rightarrow K_R = 0;\quad "
        r"K_2 \le \tfrac12 K_1"
    ),
    note=(
        "Given both ends the inside of a gap is independent of the rest, and the sites of a round, "
        "taken in order, are again a chain, whose total correlation is the sum of the informations "
        "between neighbours. K_2: every other site first loses at most the sum of I(X_i; X_{i+1}) "
        "over even i or over odd i, by data processing, and the rest nothing. Between two tokens, "
        "P^i(a, u) P^d(u, w) P^j(w, b) is of rank one only if P^d is. Further "
        "rounds may save less: of 512 bits that flip with probability 0.001, K_6 is 0.544 K_5. "
        "Whether K_R is convex in R is open: it was for all of some thousand chains. "
        "The symmetric chain with flip 0.1 loses 5.521, 0.876, 0.194, 0.014 and 0 nats at 16 sites."
    ),
    source="derived here",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)

Sets = Callable[[tuple[int, ...]], Iterable[tuple[int, ...]]]


def _least(p: Distribution, x: np.ndarray, rounds: int, sets: Sets) -> Any:
    """Over all first sets, the total correlation and the mean of what the rest loses."""
    masked = tuple(np.flatnonzero(x == MASK).tolist())
    if not masked:
        return 0
    if rounds == 1:
        return information.total_correlation(p, masked, given=x)
    values = []
    for sites in sets(masked):
        cost = information.total_correlation(p, sites, given=x)
        for tokens in itertools.product(range(p.vocab), repeat=len(sites)):
            after = x.copy()
            after[list(sites)] = tokens
            share = p.evidence(after) / p.evidence(x)
            if share != 0:
                cost = cost + share * _least(p, after, rounds - 1, sets)
        values.append(cost)
    return min(values)


def _from_the_left(masked: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Planted: the first sites only."""
    return [masked[:count] for count in range(1, len(masked) + 1)]


def _small_chain(p: Distribution) -> MarkovChain:
    chain = as_chain(p)
    if chain.vocab**chain.length > MAX_ENTRIES:
        raise DoesNotApply(f"it goes through all policies, for up to {MAX_ENTRIES} sequences")
    return chain


ROUNDS = {"rounds": st.integers(1, 3)}


@B19.residual(
    "shortest paths against all sets in all contexts",
    exact=strategies.chains(lengths=(1, 3), vocabs=(1, 2), exact=True),
    floats=strategies.chains(lengths=(1, 4), vocabs=(1, 2))
    | strategies.chains(lengths=(1, 3), vocabs=(3, 3)),
    parts=ROUNDS,
    tolerance=1e-9,
    sets=_from_the_left,
)
def all_policies(p: Distribution, rounds: int, sets: Sets = subsets) -> list[Any]:
    """The recursion, gaps in floats, and what the policy that is found loses in how many rounds.

    In exact arithmetic the optimum is found by tables over all contexts.
    """
    p, point = _small_chain(p), frontier(p, rounds=rounds)[-1]
    least = _least(p, np.full(p.length, MASK), rounds, sets)
    by_gaps = best_in_rounds(p, rounds)[-1][0]
    reached = output_distribution(p, point.policy).path_kl
    steps = [index + 1 for _, index, sites, _ in path_steps(p, point.policy) if sites]
    return [
        point.kl - least,
        excess(abs(by_gaps - float(least)), 1e-9),
        reached - least,
        max(0, *steps, rounds) - rounds,
    ]


@B19.residual(
    "no drawn policy loses less in as many rounds",
    floats=strategies.chains(lengths=(2, 5), vocabs=(2, 3)),
    parts={"rule": drawn_rules()},
    tolerance=1e-9,
    more=1,
)
def no_drawn_policy(p: Distribution, rule: Sequence[int], more: int = 0) -> Bound:
    """A policy that goes by everything that it sees, in the rounds that its longest path takes."""
    p, policy = _small_chain(p), any_rule(rule)
    rounds = max(index + 1 for _, index, sites, _ in path_steps(p, policy) if sites)
    lost = output_distribution(p, policy).path_kl
    return Bound(frontier(p, rounds=max(rounds - more, 1))[-1].kl, lost)


# ---- edge by edge ------------------------------------------------------------------------------


def _shortest(p: MarkovChain, rounds: int, informed: int = 1) -> float:
    """The recursion as it is stated, one gap and one edge after the other."""
    steps = to_host(p.transition).astype(float)
    powers = [np.linalg.matrix_power(steps, k) for k in range(p.length + 1)]
    start, ones = to_host(p.initial).astype(float), np.ones(p.vocab)

    def joint(a: int | None, b: int | None, sites: int, i: int, j: int) -> np.ndarray:
        before = start @ powers[i - 1] if a is None else powers[i][a]
        after = ones if b is None else powers[sites + 1 - j][:, b]
        weights = before[:, None] * powers[j - i] * after
        return weights / weights.sum()

    def mean(weights: np.ndarray, values: Callable[..., float]) -> float:
        possible = zip(*np.nonzero(weights), strict=True)
        return math.fsum(float(weights[at]) * values(*map(int, at)) for at in possible)

    def edge(r: int, a: int | None, b: int | None, sites: int, i: int, j: int) -> float:
        if (i, j) == (0, sites + 1):
            return math.inf
        if i == 0:
            alone = np.diag(joint(a, b, sites, j, j))
            return mean(alone, lambda w: least(r - 1, a, w, j - 1))
        if j > sites:
            alone = np.diag(joint(a, b, sites, i, i))
            return mean(alone, lambda u: least(r - 1, u, b, sites - i))
        both = joint(a, b, sites, i, j)
        parts = (both, both.sum(axis=0), both.sum(axis=1))
        shared, apart, other = (float(xlogx(part).sum()) for part in parts)
        later = mean(both, lambda u, w: least(r - 1, u, w, j - i - 1))
        return informed * (shared - apart - other) + later

    @functools.cache
    def least(r: int, a: int | None, b: int | None, sites: int) -> float:
        if sites == 0 or r == 0:
            return math.inf if sites else 0.0
        lengths = [0.0]
        for j in range(1, sites + 2):
            lengths.append(min(lengths[i] + edge(r, a, b, sites, i, j) for i in range(j)))
        return lengths[-1]

    return least(rounds, None, None, p.length)


@B19.residual(
    "shortest paths edge by edge",
    floats=strategies.chains(lengths=(1, 7), vocabs=(1, 3)),
    named=lambda: {
        "binary_symmetric(12, 0.1)": gallery.binary_symmetric(12, 0.1),
        "golden_mean_chain(12)": gallery.golden_mean_chain(12),
        "periodic(8, 2, 2)": gallery.periodic(8, 2, 2),
    },
    parts=ROUNDS,
    at=[{"rounds": rounds} for rounds in (1, 2, 3)],
    tolerance=1e-9,
    informed=0,
)
def edge_by_edge(p: Distribution, rounds: int, informed: int = 1) -> float:
    p = as_chain(p)
    if p.exact or p.length > MAX_EDGES:
        raise DoesNotApply(f"it goes edge by edge, in floats and for up to {MAX_EDGES} sites")
    return float(frontier(p, rounds=rounds)[-1].kl) - _shortest(p, rounds, informed)


def _short_chain(p: Distribution, least: int = 1) -> MarkovChain:
    chain = as_chain(p, least)
    if chain.length > MAX_LENGTH:
        raise DoesNotApply(f"it computes the optimum for up to {MAX_LENGTH} sites")
    return chain


# ---- no loss ---------------------------------------------------------------------------------


@B19.residual(
    "no loss of 2^R - 1 sites in R rounds, by recursive halving",
    floats=strategies.chains(lengths=(1, 15), vocabs=(1, 3)),
    named=lambda: {
        f"binary_symmetric({length}, 0.1)": gallery.binary_symmetric(length, 0.1)
        for length in (63, 64, 127)
    },
    tolerance=1e-12,
    fewer=1,
)
def halving(p: Distribution, fewer: int = 0) -> list[float]:
    p = _short_chain(p)
    batches, rounds = fixed_batches(Bisection(), p.length), p.length.bit_length() - fewer
    kl = frontier(p, rounds=max(rounds, 1))[-1].kl
    return [float(kl), float(information.fixed_order_cost(p, batches)), len(batches) - rounds]


def _dependent() -> Any:
    """Exact chains of two tokens that may always follow each other."""
    weights = st.lists(st.integers(1, 4), min_size=6, max_size=6)

    def build(length: int, w: list[int]) -> MarkovChain:
        start, *steps = shares([w[:2], w[2:4], w[4:]])
        return MarkovChain(start, steps, length, exact=True)

    return st.builds(build, st.integers(1, 5), weights)


@B19.residual(
    "no fewer rounds without loss where no two sites of a gap are independent",
    exact=_dependent(),
    fewer=1,
)
def no_fewer_rounds(p: Distribution, fewer: int = 0) -> Any:
    """The serial depth, over all policies."""
    p = as_chain(p)
    steps = to_host(p.transition)
    if p.vocab != 2 or not ((steps > 0).all() and (to_host(p.initial) > 0).all()):
        raise DoesNotApply("it is about two tokens that may always follow each other")
    if abs(steps[0, 0] - steps[1, 0]) <= (0 if p.exact else 1e-3):
        raise DoesNotApply("tokens are independent, or nearly so in floats")
    if p.length > 6:
        raise DoesNotApply("all policies are gone through, for up to 6 sites")
    (point,) = frontier(p, [math.inf])
    return point.rounds - (p.length.bit_length() - fewer)


# ---- what a second round saves, and what others lose -----------------------------------------


@B19.residual(
    "even and odd sites first lose no more together than one round does",
    exact=strategies.chains(lengths=(2, 5), vocabs=(2, 3), exact=True),
    floats=strategies.chains(lengths=(2, 8)),
    share=8,
)
def every_other_site(p: Distribution, share: int = 1) -> Bound:
    p = as_chain(p, 2)
    even, odd = range(0, p.length, 2), range(1, p.length, 2)
    both = [information.fixed_order_cost(p, order) for order in ([even, odd], [odd, even])]
    return Bound(share * sum(both), information.total_correlation(p))


@B19.residual(
    "a second round saves half",
    floats=strategies.chains(lengths=(2, 12), vocabs=(2, 3)),
    named=lambda: {
        f"binary_symmetric(64, {flip})": gallery.binary_symmetric(64, flip)
        for flip in (0.001, 0.02, 0.3)
    },
    tolerance=1e-9,
    share=4,
)
def second_round(p: Distribution, share: int = 1) -> Bound:
    one, two = frontier(_short_chain(p, 2), rounds=2)
    return Bound(2 * share * two.kl, one.kl)


@B19.residual(
    "contiguous blocks, and sites that are spread out, lose more in as many rounds",
    named=lambda: {
        "binary_symmetric(64, 0.1)": gallery.binary_symmetric(64, 0.1),
        "golden_mean_chain(64)": gallery.golden_mean_chain(64),
        "end_of_text(48)": gallery.end_of_text(48),
    },
    tolerance=1e-9,
    share=20,
)
def others(p: Distribution, share: int = 1) -> list[Bound]:
    p = as_chain(p)
    best = frontier(p, rounds=8)
    return [
        Bound(share * best[rounds - 1].kl, float(information.fixed_order_cost(p, batches)))
        for rounds in (2, 4, 8)
        for policy in (LeftToRight(-(-p.length // rounds)), SpreadOut(rounds))
        if (batches := fixed_batches(policy, p.length))
    ]
