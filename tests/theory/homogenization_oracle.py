"""What becomes of predictions far away, slowly and from the definitions.

Powers of a transition matrix are integers over a power of one denominator, without rounding, so
that a distance of 1e-500 is no zero. "In the limit" means after so many steps as
`FAR` says. Nothing here imports the package under test.
"""

import functools
import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import sympy
from sympy.polys.matrices import DomainMatrix

from tests import oracles
from tests.oracles import MASK

FAR = 4096
"""Steps after which what tends to zero is below `ALIKE` and what does not is above."""

ALIKE = 1e-4


class Steps:
    """Exact powers of a square matrix of Fractions: ``power(n) / scale**n``."""

    def __init__(self, matrix):
        fractions = [[Fraction(v) for v in row] for row in matrix]
        self.scale = math.lcm(*(v.denominator for row in fractions for v in row))
        self.size = len(fractions)
        one = [[int(v * self.scale) for v in row] for row in fractions]
        nothing = [[int(i == j) for j in range(self.size)] for i in range(self.size)]
        self.known = {0: np.array(nothing, object), 1: np.array(one, object)}

    def power(self, n):
        """From the largest power that is known, or else from the half."""
        if n not in self.known:
            before = max((m for m in self.known if n <= 2 * m < 2 * n), default=n // 2)
            self.known[n] = self.power(before) @ self.power(n - before)
        return self.known[n]

    def log_total(self, differences, n):
        """The logarithm of half the L1 norm of integers over ``scale**n``; -inf if it is 0."""
        total = sum(abs(int(v)) for v in differences)
        return math.log(total) - math.log(2) - n * math.log(self.scale) if total else -math.inf

    def log_apart(self, before, n, after, m):
        """log TV of two rows, ``before / scale**n`` and ``after / scale**m`` with n <= m."""
        return self.log_total(before * self.scale ** (m - n) - after, m)


def hashable(matrix):
    return tuple(tuple(row) for row in matrix)


@functools.lru_cache(maxsize=4)
def same_steps(transition):
    return Steps(transition)


def steps_of(transition):
    """`Steps` that keep the powers that were taken of this matrix a moment ago."""
    return same_steps(hashable(transition))


# Which tokens, classes and periods


def reachable(initial, transition):
    """By walking."""
    seen = {a for a, v in enumerate(initial) if v != 0}
    for _ in transition:
        seen |= {b for a in seen for b, v in enumerate(transition[a]) if v != 0}
    return sorted(seen)


def after(transition, token):
    """Tokens that can come some time after `token`."""
    return set(reachable(transition[token], transition))


def recurrent_classes(initial, transition):
    """[(tokens, period)] by the smallest token: what each reaches can come back to it."""
    tokens = reachable(initial, transition)
    ahead = {a: after(transition, a) for a in tokens}
    return [
        (tuple(sorted(ahead[a])), period(transition, a))
        for a in tokens
        if all(a in ahead[b] for b in ahead[a]) and a == min(ahead[a])
    ]


def period(transition, token):
    """The greatest common divisor of the times at which the token can come back."""
    here, times = {token}, []
    ways = [{b for b, v in enumerate(row) if v != 0} for row in transition]
    for time in range(1, 2 * len(transition) ** 2 + 2):
        here = {b for a in here for b in ways[a]}
        times += [time] * (token in here)
    return math.gcd(*times)


# Chains with the left context observed


def log_adjacent(steps, tokens, n):
    """log of the largest TV, over tokens l, of P^n(l, .) and P^(n+1)(l, .)."""
    now, then = steps.power(n), steps.power(n + 1)
    return max(steps.log_apart(now[a], n, then[a], n + 1) for a in tokens)


def log_to_limit(steps, tokens, n):
    """The same of P^n(l, .) and P^(4n)(l, .), which is as good as the limit."""
    now, then = steps.power(n), steps.power(4 * n)
    return max(steps.log_apart(now[a], n, then[a], 4 * n) for a in tokens)


def homogenizes(initial, transition):
    steps, tokens = steps_of(transition), reachable(initial, transition)
    return math.exp(log_adjacent(steps, tokens, FAR)) < ALIKE


def forgets(initial, transition):
    if not homogenizes(initial, transition):
        return False
    steps, tokens = steps_of(transition), reachable(initial, transition)
    far = steps.power(FAR)
    pairs = itertools.combinations(tokens, 2)
    apart = [steps.log_apart(far[a], FAR, far[b], FAR) for a, b in pairs]
    return math.exp(max(apart, default=-math.inf)) < ALIKE


def far_rows(transition, n=FAR):
    """P^n in floats."""
    steps = steps_of(transition)
    return np.array([[int(v) / steps.scale**n for v in row] for row in steps.power(n)])


def measured_rate(log_distance, n=1024):
    """The n-th root of the distance at 2n over that at n, largest in a window of twelve."""
    near, far = (max(log_distance(m + i) for i in range(12)) for m in (n, 2 * n))
    return 0.0 if far == -math.inf else math.exp((far - near) / n)


def rate_by_powers(initial, transition, n=1024):
    steps, tokens = steps_of(transition), reachable(initial, transition)
    return measured_rate(functools.partial(log_adjacent, steps, tokens), n)


def exact_matrix(rows):
    entries = [[sympy.QQ(v.numerator, v.denominator) for v in map(Fraction, row)] for row in rows]
    return DomainMatrix(entries, (len(entries), len(entries[0])), sympy.QQ)


def moduli(matrix):
    """Moduli of the eigenvalues other than 1, largest first, each as often as it is a root."""
    return list(moduli_of(hashable(matrix)))


@functools.cache
def moduli_of(matrix):
    x, found = sympy.Symbol("x"), []
    coefficients = exact_matrix(matrix).charpoly()
    for factor, times in sympy.Poly(coefficients, x, domain=sympy.QQ).factor_list()[1]:
        if factor.as_expr() != x - 1:
            found += moduli_of_roots(factor) * times
    return sorted(found, reverse=True)


def moduli_of_roots(factor):
    """Of an irreducible polynomial, distinguished where roots differ by 1e-10 and less."""
    with mpmath.workdps(60):
        values = [mpmath.mpf(int(v.p)) / int(v.q) for v in factor.all_coeffs()]
        roots = mpmath.polyroots(values, maxsteps=500, extraprec=600)
        return [sympy.Float(abs(root), 40) for root in roots]


def reached_moduli(initial, transition):
    """Of the part of the matrix that belongs to reachable tokens."""
    tokens = reachable(initial, transition)
    return moduli([[transition[a][b] for b in tokens] for a in tokens])


def second_modulus(initial, transition):
    return next(iter(reached_moduli(initial, transition)), sympy.Integer(0))


def constants(initial, transition, rate, n=1024, window=60):
    """Largest TV to the limit over rate^m, for m in a window from n and in one from 2n."""
    steps, tokens = steps_of(transition), reachable(initial, transition)
    log_rate = sympy.log(rate).n(30)

    def largest(start):
        return max(
            math.exp(log_to_limit(steps, tokens, m) - float(m * log_rate))
            for m in range(start, start + window)
        )

    return largest(n), largest(2 * n)


# Hidden Markov models


def spanned(rows, maps):
    """Rows of the least space of Fractions that holds `rows` and that `maps` do not leave."""
    found, waiting = {}, list(rows)
    while waiting and len(found) < len(waiting[0]):
        row = waiting.pop()
        for lead, other in found.items():
            row = [a - row[lead] * b for a, b in zip(row, other, strict=True)]
        lead = next((k for k, v in enumerate(row) if v), None)
        if lead is not None:
            found[lead] = [v / row[lead] for v in row]
            waiting += [step(found[lead]) for step in maps]
    return list(found.values())


def seen_steps(initial, transition, emission):
    """What a step does to what contexts hold of the hidden state and tokens show, in Fractions."""
    columns, shows = list(zip(*transition, strict=True)), list(zip(*emission, strict=True))

    def read(dist, show):
        return [b * v for b, v in zip(dist, show, strict=True)]

    def step(dist):
        return [sum(read(dist, column)) for column in columns]

    def step_back(shown):
        return [sum(read(row, shown)) for row in transition]

    reads = [lambda dist, show=show: read(step(dist), show) for show in shows]
    held = exact_matrix(spanned([read(initial, show) for show in shows], reads))
    shown = exact_matrix(spanned(shows, [step_back])).transpose()
    pairs = held * shown
    which = list(pairs.transpose().rref()[1]), list(pairs.rref()[1])
    moved = (held * exact_matrix(transition) * shown).extract(*which)
    return (pairs.extract(*which).inv() * moved).to_list()


def decided_without_rounding(initial, transition, emission):
    """(homogenizes, forgets, rate) from the eigenvalues of all that is held and shown."""
    steps = seen_steps(initial, transition, emission)
    others = moduli([[Fraction(v.numerator, v.denominator) for v in row] for row in steps])
    if others and 1 - others[0] < sympy.Float("1e-30", 40):  # a root of unity
        return False, False, 1.0
    return True, len(steps) - len(others) == 1, float(others[0]) if others else 0.0


# Between two observed tokens


class Bridges:
    """``P^a(l, x) P^b(x, r) / P^(a+b)(l, r)``, of powers without rounding."""

    FAR_FROM_BOTH = (*((FAR, FAR + i) for i in range(12)), (FAR, 3 * FAR), (3 * FAR, FAR))

    def __init__(self, initial, transition, lefts=None, rights=None):
        self.steps, self.transition = steps_of(transition), transition
        tokens = reachable(initial, transition)
        lefts, rights = lefts or tokens, rights or tokens
        self.pairs = [
            (a, b)
            for a, b in itertools.product(lefts, rights)
            if any(self.steps.power(m)[a, b] for m in range(FAR, FAR + 12))
        ]
        self.weights = functools.cache(self._weights)
        self.homogenizes = functools.cache(self._homogenizes)

    def _weights(self, pair, a, b):
        """Integers, and their sum, which is ``power(a + b)[pair]``."""
        left, right = pair
        found = self.steps.power(a)[left] * self.steps.power(b)[:, right]
        return found, sum(found)

    def possible(self, a, b):
        before, after = self.steps.power(a) != 0, self.steps.power(b) != 0
        return [(left, right) for left, right in self.pairs if any(before[left] & after[:, right])]

    def dist(self, pair, a, b):
        """By logarithms, so that no integers of this size are multiplied."""
        left, right = pair
        before, after = self.steps.power(a)[left], self.steps.power(b)[:, right]
        logs = [
            math.log(v) + math.log(w) if v and w else -math.inf
            for v, w in zip(before, after, strict=True)
        ]
        weights = np.exp(np.array(logs) - max(logs))
        return weights / weights.sum()

    def log_adjacent(self, a, b):
        """log of the largest TV of the sites at a and a + 1 from the left end."""
        found = [-math.inf]
        for pair in self.possible(a, b):
            (here, whole), (after, _) = self.weights(pair, a, b), self.weights(pair, a + 1, b - 1)
            total = sum(abs(here - after))
            if total:
                found.append(math.log(total) - math.log(2 * whole))
        return max(found)

    def log_to_limit(self, a, b):
        """log of the largest TV of the site at (a, b) from one at least twice as far from both."""
        found, far = [-math.inf], 2 * max(a, b)
        for pair in self.possible(a, b):
            here, whole = self.weights(pair, a, b)
            there, all_there = self.weights(pair, far, far)
            total = sum(abs(here * all_there - there * whole))
            if all_there and total:
                found.append(math.log(total) - math.log(2 * whole * all_there))
        return max(found)

    def _homogenizes(self):
        return all(
            abs(self.dist(p, a, b) - self.dist(p, a + 1, b - 1)).sum() / 2 < 0.01
            for a, b in self.FAR_FROM_BOTH
            for p in self.possible(a, b)
        )

    def forgets(self):
        """One distribution for all ends, wherever the site is between them."""
        if not self.homogenizes():
            return False
        dists = [self.dist(p, *d) for d in self.FAR_FROM_BOTH for p in self.possible(*d)]
        return all(abs(dist - dists[0]).sum() / 2 < ALIKE for dist in dists)

    def rate(self, log_distance, n=256):
        """In the distance to the nearer end, whichever that is, or both."""

        def worst(k):
            return max(log_distance(a, b) for a, b in [(k, k), (k, 4 * k), (4 * k, k)])

        return measured_rate(worst, n)


# Measures of predictions


def kl(p, q):
    return math.fsum(float(a) * math.log(a / b) for a, b in zip(p, q, strict=True) if a)


def apart(p, q):
    return sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2


def measures(joint, vocab, pattern, *, sites=None, limit=None, top=1, exact=False):
    """{measure: values at the masked sites} of one pattern, in nats."""
    predictions = oracles.conditional_marginals(joint, pattern, vocab)
    marginals, length = oracles.site_marginals(joint, vocab), len(pattern)
    observed = [i for i, v in enumerate(pattern) if v != MASK]
    masked = [i for i in range(length) if i not in observed and (sites is None or i in sites)]
    limits = marginals if limit is None else limit

    def information(i):
        if not exact:
            return kl(predictions[i], marginals[i])
        joints = ({(v,): p for v, p in enumerate(dist)} for dist in (predictions[i], marginals[i]))
        return oracles.kl_divergence(*joints, exact=True)

    def to_next(i):
        followed = i + 1 < length and i + 1 not in observed
        return apart(predictions[i], predictions[i + 1]) if followed else math.nan

    return {
        "sites": masked,
        "distance": [min((abs(i - j) for j in observed), default=length) for i in masked],
        "entropy": [
            oracles.entropy({(v,): p for v, p in enumerate(predictions[i])}, exact=exact)
            for i in masked
        ],
        "top_mass": [
            list(itertools.accumulate(sorted(predictions[i], reverse=True)[:top])) for i in masked
        ],
        "neighbour_tv": [to_next(i) for i in masked],
        "limit_tv": [apart(predictions[i], limits[i]) for i in masked],
        "information": [information(i) for i in masked],
        "predictions": [predictions[i] for i in masked],
    }


def contexts(joint, vocab, observed):
    """Every possible value of the observed sites: (pattern, probability)."""
    length = oracles.length_of(joint)
    for values in itertools.product(range(vocab), repeat=len(observed)):
        held = dict(zip(observed, values, strict=True))
        pattern = tuple(held.get(i, MASK) for i in range(length))
        prob = oracles.evidence(joint, pattern)
        if prob != 0:
            yield pattern, prob
