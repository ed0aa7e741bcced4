"""Small distributions, each by its parameters and by its joint, for all tests to share."""

import dataclasses
import functools
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest

from tests import oracles
from tests.noted import each
from theory import (
    MASK,
    EmpiricalDistribution,
    Exchangeable,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    Permutations,
    ProductMixture,
    ReedSolomon,
)

DEVICE1 = strict.Device("device1")
CPU = strict.Device("CPU_DEVICE")


def to_device1(values) -> Any:
    return strict.asarray(np.asarray(values), device=DEVICE1)


def to_host(array) -> Any:
    if isinstance(array, np.ndarray | np.generic):
        return np.asarray(array)
    return np.from_dlpack(array if array.device == CPU else array.to_device(CPU))


def floats(nested):
    """Fractions become floats; integers stay."""
    if isinstance(nested, list | tuple):
        return [floats(item) for item in nested]
    return float(nested) if isinstance(nested, Fraction) else nested


def row(*weights):
    return [Fraction(w, sum(weights)) for w in weights]


def rows(*weights):
    return [row(*w) for w in weights]


def as_lists(nested):
    return nested


def close(expected, tolerance=1e-12):
    """For sums of at most a few hundred terms below 1, each rounded to 1e-16."""
    return pytest.approx(float(expected), rel=tolerance, abs=tolerance)


def few(items, most):
    """Evenly from the whole list."""
    items = list(items)
    return items[:: len(items) // most + 1]


# Cases


@dataclass(frozen=True, eq=False)
class Case:
    """A distribution, by its parameters (Fractions or ints) and by its joint."""

    name: str
    family: Callable
    arrays: dict
    joint: dict
    vocab: int
    scalars: dict

    @property
    def exact(self):
        """Whether the family counts in Fractions if it is asked to."""
        return self.name.split()[0] in (
            *("table", "chain", "empirical", "exchangeable", "permutations", "code"),
        )

    @property
    def length(self):
        return oracles.length_of(self.joint)

    def build(self, convert=np.asarray):
        arrays = {key: convert(floats(value)) for key, value in self.arrays.items()}
        return self.family(**arrays, **self.scalars)

    @functools.cached_property
    def patterns(self):
        return oracles.all_patterns(self.length, self.vocab)

    @functools.cached_property
    def evidence(self):
        return {x: oracles.evidence(self.joint, x) for x in self.patterns}

    @functools.cached_property
    def possible(self):
        return [x for x in self.patterns if self.evidence[x] != 0]

    @functools.cached_property
    def impossible(self):
        return [x for x in self.patterns if self.evidence[x] == 0]

    @functools.cached_property
    def conditionals(self):
        return {x: oracles.conditional_marginals(self.joint, x, self.vocab) for x in self.possible}

    def conditional(self, x, on_impossible="raise"):
        if self.evidence[x] != 0:
            return self.conditionals[x]
        if (x, on_impossible) not in self.instead:
            rows = oracles.conditional_marginals(self.joint, x, self.vocab, on_impossible)
            self.instead[x, on_impossible] = rows
        return self.instead[x, on_impossible]

    @functools.cached_property
    def instead(self):
        """What is answered where the evidence is 0."""
        return {}

    def expected(self, patterns, on_impossible="raise"):
        return np.array([self.conditional(x, on_impossible) for x in patterns], dtype=float)


def table(name, weights):
    joint = oracles.table_joint(weights)
    return Case(f"table {name}", JointTable, {"weights": weights}, joint, len(weights), {})


def chain(name, initial, transition, length):
    joint = oracles.chain_joint(initial, transition, length)
    arrays = {"initial": initial, "transition": transition}
    scalars = {"length": length}
    return Case(f"chain {name}", MarkovChain, arrays, joint, len(initial), scalars)


def hmm(name, initial, transition, emission, length):
    joint = oracles.hmm_joint(initial, transition, emission, length)
    arrays = {"initial": initial, "transition": transition, "emission": emission}
    scalars = {"length": length}
    return Case(f"hmm {name}", HiddenMarkovModel, arrays, joint, len(emission[0]), scalars)


def mixture(name, weights, sites):
    joint = oracles.mixture_joint(weights, sites)
    arrays = {"weights": weights, "sites": sites}
    return Case(f"mixture {name}", ProductMixture, arrays, joint, len(sites[0][0]), {})


def empirical(name, sequences, vocab=None, weights=None):
    arrays = {"sequences": sequences} | ({} if weights is None else {"weights": weights})
    scalars = {} if vocab is None else {"vocab": vocab}
    vocab = vocab or 1 + max(map(max, sequences))
    joint = oracles.empirical_joint(sequences, vocab, weights)
    return Case(f"empirical {name}", EmpiricalDistribution, arrays, joint, vocab, scalars)


def exchangeable(name, count_weights):
    joint = oracles.exchangeable_joint(count_weights)
    arrays = {"count_weights": count_weights}
    return Case(f"exchangeable {name}", Exchangeable, arrays, joint, 2, {})


def permutations(n):
    joint = oracles.empirical_joint(list(itertools.permutations(range(n))), n)
    return Case(f"permutations of {n}", Permutations, {}, joint, n, {"n": n})


# Of GF(4): 2 is x and 3 is x + 1, with x^2 = x + 1.
TIMES_IN_FOUR = [[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2]]


def polynomial_at(coefficients, x, field):
    """The value in GF(field), 4 or a prime."""
    value = 0
    for c in reversed(coefficients):
        value = TIMES_IN_FOUR[value][x] ^ c if field == 4 else (value * x + c) % field
    return value


def code_words(length, dimension, field):
    """Values of polynomials; or one number at all sites, or all words with a sum of 0."""
    polynomials = list(itertools.product(range(field), repeat=dimension))
    if length <= field + 1:
        sites = range(min(length, field))
        at_infinity = [lambda f: f[-1] if f else 0] * (length > field)
        return [
            tuple(polynomial_at(f, x, field) for x in sites) + tuple(g(f) for g in at_infinity)
            for f in polynomials
        ]
    if dimension <= 1:
        return [(f[0] if f else 0,) * length for f in polynomials]
    every = itertools.product(range(field), repeat=length)
    return [x for x in every if dimension == length or sum(x) % field == 0]


def code(length, dimension, field):
    joint = oracles.empirical_joint(code_words(length, dimension, field), field)
    scalars = {"length": length, "dimension": dimension, "field": field}
    return Case(f"code {length} {dimension} {field}", ReedSolomon, {}, joint, field, scalars)


def random_weights(seed, shape, zeros=0.0) -> Any:
    rng = random.Random(seed)
    if not shape:
        return 0 if rng.random() < zeros else rng.randint(1, 20)
    return [random_weights(rng.random(), shape[1:], zeros) for _ in range(shape[0])]


def random_rows(seed, *shape) -> Any:
    """Nested rows of Fractions, each summing to one."""
    if len(shape) == 1:
        return row(*random_weights(seed, shape))
    rng = random.Random(seed)
    return [random_rows(rng.random(), *shape[1:]) for _ in range(shape[0])]


XOR = [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]
CYCLE = rows((0, 1, 0), (0, 0, 1), (1, 0, 0))
BIPARTITE = rows((0, 0, 1, 2), (0, 0, 3, 1), (2, 5, 0, 0), (1, 1, 0, 0))
ABSORBING = rows((1, 1, 1), (1, 2, 2), (0, 0, 1))
TWO_CLASSES = rows((1, 2, 0, 0), (3, 1, 0, 0), (0, 0, 2, 3), (0, 0, 1, 1))
LEFT_TO_RIGHT = rows((1, 1, 0), (0, 1, 2), (0, 0, 1))

CASES = [
    table("one site, one token", [3]),
    table("one site", [1, 2, 5]),
    table("one site, one possible", [0, 2, 0]),
    table("one token", [[[7]]]),
    table("two sites", [[1, 2], [3, 4]]),
    table("fractions", [[Fraction(1, 3), Fraction(1, 6)], [Fraction(0), Fraction(1, 2)]]),
    table("diagonal", [[1, 0, 0], [0, 2, 0], [0, 0, 3]]),
    table("token never seen", [[1, 0, 2], [0, 0, 0], [3, 0, 0]]),
    table("parity", XOR),
    table("point mass", [[[0, 0], [0, 0]], [[0, 5], [0, 0]]]),
    table("dense", random_weights(1, (3, 3, 3))),
    table("zeros", random_weights(2, (2, 2, 2, 2), zeros=0.6)),
    table("five sites", random_weights(3, (2, 2, 2, 2, 2), zeros=0.3)),
    chain("one site", row(1, 0, 3), random_rows(1, 3, 3), 1),
    chain("one token", row(1), rows((1,)), 4),
    chain("two sites", row(1, 2), rows((1, 3), (2, 5)), 2),
    chain("dense", random_rows(2, 3), random_rows(3, 3, 3), 4),
    chain("long", random_rows(4, 2), random_rows(5, 2, 2), 6),
    chain("cycle from one state", row(1, 0, 0), CYCLE, 4),
    chain("cycle from any state", row(1, 2, 4), CYCLE, 4),
    chain("identity", row(1, 2, 0), rows((1, 0, 0), (0, 1, 0), (0, 0, 1)), 4),
    chain("bipartite", row(1, 1, 0, 0), BIPARTITE, 4),
    chain("absorbing", row(2, 1, 0), ABSORBING, 4),
    chain("two classes", row(1, 1, 1, 1), TWO_CLASSES, 4),
    chain("state never entered", row(1, 0), rows((1, 0), (1, 1)), 4),
    hmm("one hidden state", row(1), rows((1,)), rows((1, 2, 4)), 3),
    hmm("one site", row(1, 2), random_rows(1, 2, 2), random_rows(2, 2, 3), 1),
    hmm("one token", row(1, 2), random_rows(1, 2, 2), rows((1,), (1,)), 4),
    hmm("dense", random_rows(6, 2), random_rows(7, 2, 2), random_rows(8, 2, 3), 4),
    hmm("three states", random_rows(9, 3), random_rows(10, 3, 3), random_rows(11, 3, 2), 4),
    hmm("shown states", row(1, 2, 1), ABSORBING, rows((1, 0, 0), (0, 1, 0), (0, 0, 1)), 3),
    hmm("left to right", row(1, 0, 0), LEFT_TO_RIGHT, rows((1, 1, 0), (0, 1, 0), (0, 1, 3)), 4),
    hmm("hidden cycle", row(1, 1, 0), CYCLE, rows((1, 1), (0, 1), (1, 0)), 5),
    mixture("one component", row(1), random_rows(1, 1, 3, 3)),
    mixture("one site", row(1, 2), random_rows(2, 2, 1, 3)),
    mixture("one token", row(1, 2), random_rows(3, 2, 3, 1)),
    mixture("dense", random_rows(4, 3), random_rows(5, 3, 3, 3)),
    mixture("disjoint", row(1, 3), [rows((1, 2, 0, 0)) * 3, rows((0, 0, 3, 1)) * 3]),
    mixture("constants", row(1, 2, 2), [rows(v) * 4 for v in [(1, 0, 0), (0, 1, 0), (0, 0, 1)]]),
    mixture("component of weight zero", row(0, 1), [rows((1, 0)) * 3, rows((0, 1)) * 3]),
    mixture("some zeros", row(1, 1), [rows((1, 1), (0, 1), (2, 1)), rows((1, 0), (1, 3), (1, 0))]),
    empirical("one sequence", [[0, 2, 1]]),
    empirical("one site", [[0], [1], [1]]),
    empirical("one token", [[0, 0], [0, 0]]),
    empirical("repeated rows", [[0, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0], [0, 1, 1]]),
    empirical("tokens never seen", [[0, 1, 1], [1, 0, 1]], vocab=4),
    empirical("weights", [[0, 1], [2, 2], [1, 1], [2, 2]], weights=[1, 2, 3, 5]),
    empirical("fractional weights", [[0, 1], [1, 1], [1, 0]], weights=row(1, 2, 4)),
    empirical("a row of weight zero", [[0, 1, 2], [2, 1, 0], [0, 0, 0]], weights=[0, 2, 1]),
    exchangeable("one site", [1, 3]),
    exchangeable("one site, one possible", [0, 3]),
    exchangeable("dense", random_weights(12, (6,))),
    exchangeable("fractions", row(1, 0, 2, 4, 1)),
    exchangeable("parity", [1, 0, 6, 0, 1]),
    exchangeable("one count", [0, 0, 5, 0, 0, 0]),
    exchangeable("all or nothing", [2, 0, 0, 1]),
    exchangeable("zeros", [0, 3, 0, 2, 1, 0]),
]

# On the host only, and so not among the others.
ON_HOST = [permutations(n) for n in (1, 2, 3)]
CODES = [(1, 0, 2), (1, 1, 3), (2, 1, 5), (3, 1, 2), (3, 2, 2), (3, 3, 2), (4, 1, 2), (5, 4, 2)]
CODES += [(4, 2, 3), (4, 3, 3), (3, 2, 4)]
ON_HOST += [code(*numbers) for numbers in CODES]


def prompted(case, *pattern):
    """A case, or the one of this name, on condition of a pattern that is possible."""
    case = named(case) if isinstance(case, str) else case

    def family(**parameters):
        return case.family(**parameters).given(pattern)

    joint = oracles.condition(case.joint, pattern)
    return dataclasses.replace(case, name=f"{case.name} given", family=family, joint=joint)


def named(name):
    """The case of this name."""
    return next(case for case in CASES if case.name == name)


CASES += [
    prompted("table zeros", MASK, 1, MASK, MASK),
    prompted("chain one site", 2),
    prompted("chain dense", MASK, 0, MASK, 2),
    prompted("chain absorbing", 0, MASK, MASK, 1),
    prompted("chain bipartite", MASK, MASK, 1, MASK),
    prompted("hmm dense", MASK, 2, MASK, MASK),
    prompted("hmm left to right", MASK, MASK, 1, MASK),
    prompted("mixture disjoint", MASK, 2, MASK),
    prompted("mixture some zeros", 0, MASK, MASK),
    prompted("empirical repeated rows", MASK, MASK, 1),
    prompted("empirical tokens never seen", MASK, MASK, 1),
    prompted("exchangeable dense", 1, MASK, MASK, 0, MASK),
    prompted("exchangeable zeros", MASK, 1, MASK, MASK, 1),
]


def each_of(cases):
    """One test for all these cases."""
    return each("case", cases, ids=lambda case: case.name)


each_case = each_of(CASES)

# One of each family, with impossible patterns where the family can have them.
FAMILIES = [
    named(name)
    for name in [
        "table zeros",
        "chain absorbing",
        "hmm left to right",
        "mixture disjoint",
        "empirical weights",
        "exchangeable zeros",
    ]
]
each_family = each("case", FAMILIES, ids=lambda case: case.name.split()[0])


EXACT_CASES = [case for case in CASES if case.exact and len(case.patterns) <= 256]


def build_exact(case, convert=as_lists):
    arrays = {key: convert(value) for key, value in case.arrays.items()}
    return case.family(**arrays, **case.scalars, exact=True)


each_exact = each_of(EXACT_CASES)

# What is no base of a logarithm, and what is no distribution.
BAD_BASES: list[Any] = [1, 1.0, 0.5, 0, -2, math.inf, math.nan, "2", True, [2]]
NO_DISTRIBUTION: list[Any] = [[[0.5, 0.0], [0.0, 0.5]], np.ones((2, 2)) / 4, None]

# What are no batch sizes of four sites, no profile, no times from 0 to 1 and no levels between;
# of the times and the levels, what the refusal names.
BAD_SIZES: list[Any] = [
    (),
    (3,),
    (2, 3),
    (0, 4),
    (5, -1),
    (2.0, 2.0),
    (4.0,),
    "4",
    4,
    None,
    (True, 3),
]
NO_PROFILES: list[Any] = [
    [],
    [[1, 2]],
    3.0,
    [1, math.nan],
    [math.inf, 1],
    ["a"],
    None,
    [[1], [1, 2]],
    [1j],
]
BAD_TIMES: dict[str, list[Any]] = {
    "0.5": [[0.0, 0.5, 0.5, 1.0]],
    "0.[37]": [[0.0, 0.7, 0.3, 1.0]],
    "0.125": [[0.125, 1.0]],
    "0.875": [[0.0, 0.875]],
    "1.5": [[0.0, 1.5], [0.0, 1.5, 1.0]],
    "-0.25": [[-0.25, 0.5, 1.0]],
    "nan": [[0.0, math.nan, 1.0]],
    "time": [[], [0.0], [[0.0, 1.0]], None, 0.5, ["a", "b"]],
}
BAD_LEVELS: dict[str, list[Any]] = {
    "0": [[0, 0.5]],
    "1": [[0.5, 1]],
    "1.25": [[0.5, 1.25]],
    "-0.125": [[-0.125, 0.5]],
    "0.5": [[0.5, 0.5]],
    "0.25|0.625": [[0.625, 0.25]],
    "nan": [[0.25, math.nan]],
    "level|time": [[0.5], [], 0.5, None, "ab"],
}

# Without the case whose large integers stay unfactored, so that equal expressions differ in form.
FACTORED = [case for case in EXACT_CASES if case.name != "chain dense"]
each_factored = each_of(FACTORED)

# In floats, and as expressions where the family can be exact.
EITHER = [(case, False) for case in CASES] + [(case, True) for case in FACTORED]


def each_of_either(pairs):
    return each(("case", "exact"), pairs, ids=lambda v: getattr(v, "name", "exact" * bool(v)))


each_either = each_of_either(EITHER)


def built(case, exact):
    return build_exact(case) if exact else case.build()
