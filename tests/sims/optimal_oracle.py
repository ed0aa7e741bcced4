"""The best decoder, slowly: every policy, one by one, and a recursion over patterns.

A policy is a dict from the patterns that it reaches with the data to the sites it reveals there.
Joints are dicts as in `tests.oracles`; sequences of probability zero may be missing.
"""

import functools
import itertools
import math
import operator
from fractions import Fraction
from typing import NamedTuple

from tests import oracles
from tests.oracles import MASK, reveal

SLACK = 1e-9  # of divergences that are sums of thousands of logarithms


def masked_sites(pattern):
    return [i for i, o in enumerate(pattern) if o == MASK]


def nonempty_subsets(sites):
    sizes = range(1, len(sites) + 1)
    return [chosen for k in sizes for chosen in itertools.combinations(sites, k)]


def following(joint, pattern, sites):
    """(probability, pattern after it) of all tokens at the sites that the data contain."""
    given = oracles.condition(joint, pattern)
    probabilities = oracles.marginal({x: p for x, p in given.items() if p != 0}, sites)
    return [(p, reveal(pattern, sites, tokens)) for tokens, p in probabilities.items()]


# Every policy, one by one


def all_policies(joint, pattern=None):
    if pattern is None:
        pattern = (MASK,) * oracles.length_of(joint)
    if MASK not in pattern:
        yield {}
        return
    for sites in nonempty_subsets(masked_sites(pattern)):
        rests = [list(all_policies(joint, after)) for _, after in following(joint, pattern, sites)]
        for choice in itertools.product(*rests):
            policy = {pattern: sites}
            for rest in choice:
                policy |= rest
            yield policy


def count_of_policies(masked, vocab):
    """N(m) = sum over the sets of k >= 1 of m sites of N(m - k) ** (vocab ** k)."""
    if masked == 0:
        return 1
    return sum(
        math.comb(masked, k) * count_of_policies(masked - k, vocab) ** (vocab**k)
        for k in range(1, masked + 1)
    )


def rounds_and_kl(support, policy, chance_of):
    """E_p[rounds] as it is, and KL(p || q) in nats; an int 0 if q is p.

    Every sequence is written along one path, so its probability is a product of predictions.
    """
    rounds, q = 0, {}
    for x, p in support.items():
        pattern, count, q[x] = (MASK,) * len(x), 0, Fraction(1)
        while MASK in pattern:
            before, sites = pattern, policy[pattern]
            pattern = reveal(pattern, sites, [x[i] for i in sites])
            q[x] = q[x] * chance_of(before, sites, pattern)
            count += 1
        rounds += count * p
    return rounds, 0 if q == support else oracles.kl_divergence(support, q)


def every_point(joint, vocab):
    """(rounds, kl) of every policy."""
    predict = oracles.zero_loss(joint, vocab)
    support = {x: p for x, p in joint.items() if p != 0}

    @functools.cache
    def chance_of(pattern, sites, after):
        rows = predict(pattern)
        return functools.reduce(operator.mul, [rows[i][after[i]] for i in sites])

    return [rounds_and_kl(support, policy, chance_of) for policy in all_policies(joint)]


def hull_at(points, rounds):
    """The least divergence of two policies, of which a coin picks one, with so many rounds.

    More rounds than zero divergence takes are no use.
    """
    if rounds >= min(r for r, kl in points if kl == 0):
        return 0
    best = {}
    for r, kl in points:
        best[r] = min(kl, best.get(r, math.inf))
    fewer = [(r, kl) for r, kl in best.items() if r <= rounds]
    more = [(r, kl) for r, kl in best.items() if r >= rounds]
    values = []
    for (a, high), (b, low) in itertools.product(fewer, more):
        share = Fraction(0) if a == b else Fraction(rounds - a) / Fraction(b - a)
        values.append((1 - float(share)) * high + float(share) * low)
    return min(values)


def fewest_at(points, target):
    """The fewest rounds of two policies, of which a coin picks one, that lose at most so much."""
    best = {}
    for r, kl in points:
        best[r] = min(kl, best.get(r, math.inf))
    values = [float(r) for r, kl in best.items() if kl <= target]
    more = [(r, kl) for r, kl in best.items() if kl > target]
    less = [(r, kl) for r, kl in best.items() if kl <= target]
    for (a, high), (b, low) in itertools.product(more, less):
        share = (high - target) / (high - low)
        values.append((1 - share) * float(a) + share * float(b))
    return min(values)


def corners_of(points, slack=SLACK):
    """The corners of the lower convex hull, by rounds: from each the steepest way down."""
    corners = [min(points)]
    while corners[-1][1] != 0:
        rounds, kl = corners[-1]
        below = {(r, k) for r, k in points if r > rounds and k < kl}
        slopes = {point: (kl - point[1]) / float(point[0] - rounds) for point in below}
        steepest = max(slopes.values())
        corners.append(max(point for point, slope in slopes.items() if slope >= steepest - slack))
    return corners


# A recursion over patterns


class Move(NamedTuple):
    sites: tuple
    cost: float  # the total correlation of the sites given the pattern, in nats
    free: bool  # whether they are independent given the pattern
    after: list  # of (probability, pattern)
    floats: list  # the same probabilities in floats


def _moves(joint, pattern):
    given = {x: p for x, p in oracles.condition(joint, pattern).items() if p != 0}
    alone = {i: oracles.marginal(given, [i]) for i in masked_sites(pattern)}
    for sites in nonempty_subsets(masked_sites(pattern)):
        together = oracles.marginal(given, sites)
        terms, free = [], True
        for tokens, p in together.items():
            probabilities = [alone[i][v,] for i, v in zip(sites, tokens, strict=True)]
            product = functools.reduce(operator.mul, probabilities)
            free = free and product == p
            terms += [oracles.times_log(p, p), -oracles.times_log(p, product)]
        after = [(p, reveal(pattern, sites, tokens)) for tokens, p in together.items()]
        yield Move(sites, math.fsum(terms), free, after, [float(p) for p, _ in after])


class Game:
    """All moves at all patterns that the data contain. Exact if the joint is of Fractions."""

    def __init__(self, joint):
        self.joint = {x: p for x, p in joint.items() if p != 0}
        self.start = (MASK,) * oracles.length_of(joint)
        self.moves = functools.cache(lambda pattern: list(_moves(self.joint, pattern)))
        self.depth = functools.cache(self._depth)
        self.optimum = functools.cache(self._optimum)

    def _depth(self):
        """Fewest expected rounds without divergence, where the joint is of Fractions."""

        @functools.cache
        def rounds(pattern):
            if MASK not in pattern:
                return Fraction(0)
            return 1 + min(
                sum(p * rounds(after) for p, after in move.after)
                for move in self.moves(pattern)
                if move.free
            )

        return rounds(self.start)

    def _optimum(self, multiplier):
        """The least E_p[rounds] + multiplier * KL."""

        @functools.cache
        def least(pattern):
            if MASK not in pattern:
                return 0.0
            return min(
                1
                + multiplier * m.cost
                + math.fsum(p * least(x) for p, (_, x) in zip(m.floats, m.after, strict=True))
                for m in self.moves(pattern)
            )

        return least(self.start)

    def total_correlation(self):
        return self.moves(self.start)[-1].cost

    def measured(self, sites_of):
        """(E_p[rounds], KL, whether it is zero) of a policy, as sums over its moves."""

        def go(pattern):
            if MASK not in pattern:
                return 0, 0.0, True
            sites = tuple(sites_of(pattern))
            move = next(m for m in self.moves(pattern) if m.sites == sites)
            parts = [(p, *go(after)) for p, after in move.after]
            return (
                1 + sum(p * rounds for p, rounds, _, _ in parts),
                move.cost
                + math.fsum(p * kl for p, (_, _, kl, _) in zip(move.floats, parts, strict=True)),
                move.free and all(free for *_, free in parts),
            )

        return go(self.start)


def uniform(sequences):
    sequences = [tuple(x) for x in sequences]
    return {x: Fraction(1, len(sequences)) for x in sequences}
