"""Measures of predictions, from the joint: every value of the observed sites in turn.

Joints are dicts as in `tests.oracles`. Nothing here imports the package under test.
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import sympy

from tests import oracles
from tests.oracles import MASK

NAMES = ("entropy", "top_mass", "neighbour_tv", "limit_tv", "information")


def contexts(joint, observed, vocab):
    """(pattern, chance) of every value of the observed sites that is possible."""
    length = oracles.length_of(joint)
    for values in itertools.product(range(vocab), repeat=len(observed)):
        fixed = dict(zip(observed, values, strict=True))
        pattern = tuple(fixed.get(i, MASK) for i in range(length))
        chance = oracles.evidence(joint, pattern)
        if chance != 0:
            yield pattern, chance


def variation(a, b):
    return sum(abs(v - w) for v, w in zip(a, b, strict=True)) / 2


def of_pattern(rows, alone, pattern, limit, top, exact=False):
    """{name: one value for each masked site}; top masses one after the other, None is nan."""
    found = {name: [] for name in NAMES}
    for i in (i for i, o in enumerate(pattern) if o == MASK):
        falling = sorted(rows[i], reverse=True)
        pairs = list(zip(rows[i], alone[i], strict=True))
        terms = [oracles.times_log(p, p, exact) - oracles.times_log(p, q, exact) for p, q in pairs]
        has_next = i + 1 < len(pattern) and pattern[i + 1] == MASK
        minus = [oracles.times_log(p, p, exact) for p in rows[i]]
        found["entropy"].append(-oracles.total(minus, exact))
        found["top_mass"] += [sum(falling[: k + 1]) for k in range(top)]
        found["neighbour_tv"].append(variation(rows[i], rows[i + 1]) if has_next else None)
        found["limit_tv"].append(variation(rows[i], limit[i]))
        found["information"].append(oracles.total(terms, exact))
    return found


def mean(values, chances, exact=False):
    if values[0] is None:
        return None
    if exact:
        weights = [oracles.rational(c) for c in chances]
        return sympy.Add(
            *(
                sympy.expand(c * (oracles.rational(v) if isinstance(v, Fraction) else v))
                for c, v in zip(weights, values, strict=True)
            )
        )
    return math.fsum(float(c) * float(v) for c, v in zip(chances, values, strict=True))


def extreme(values, name):
    if values[0] is None:
        return None
    return (min if name == "entropy" else max)(values, key=float)


def deviation(values, chances):
    """Standard deviation over the contexts."""
    if values[0] is None:
        return 0.0
    center: Any = mean(values, chances)
    return math.sqrt(
        math.fsum(float(c) * (float(v) - center) ** 2 for v, c in zip(values, chances, strict=True))
    )


def birkhoff(steps):
    """tanh(D / 4), D the diameter log max P_il P_jk / (P_ik P_jl) (positive entries only)."""
    index, columns = range(len(steps)), range(len(steps[0]))
    cross = max(
        Fraction(steps[i][b] * steps[j][a]) / (steps[i][a] * steps[j][b])
        for i, j in itertools.product(index, repeat=2)
        for a, b in itertools.product(columns, repeat=2)
    )
    return math.tanh(math.log(cross) / 4)


def reached(initial, transition):
    states = {i for i, p in enumerate(initial) if p != 0}
    for _ in initial:
        states |= {j for i in states for j, p in enumerate(transition[i]) if p != 0}
    return sorted(states)
