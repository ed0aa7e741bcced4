"""The stand-in for NumPy's generator: each of its methods against the definition."""

import itertools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from sims.conformance import NotEnumerable
from sims.conformance.generator import ReplayGenerator
from sims.conformance.open_arrays import OpenArray
from sims.conformance.replay import END, Replay
from tests.noted import each, refusals
from tests.sims.conformance.enumerated import outcomes, rows

CLOSE = 1e-14
P = np.asarray([0.5, 0.0, 0.3, 0.2])


def found(ask, batch=64):
    """{answer: probability} of a function of a generator and the number of rows."""
    return outcomes(lambda run: rows(np.asarray(ask(ReplayGenerator(run), run.rows))), batch)


def assert_same(answers, expected):
    assert answers == pytest.approx({key: float(p) for key, p in expected.items()}, abs=CLOSE)


def independent(*each_):
    """The product of distributions {answer: probability}."""
    whole = defaultdict(float)
    for parts in itertools.product(*(d.items() for d in each_)):
        whole[tuple(answer for answer, _ in parts)] += math.prod(float(p) for _, p in parts)
    return dict(whole)


def uniformly(answers):
    answers = list(answers)
    count = defaultdict(Fraction)
    for answer in answers:
        count[answer] += Fraction(1, len(answers))
    return dict(count)


COIN = {True: 0.3, False: 0.7}
LETTERS = {0: 0.5, 2: 0.3, 3: 0.2}
CASES = {
    "random": (lambda g, n: g.random((n, 2)) < 0.3, independent(COIN, COIN)),
    "the other way": (lambda g, n: g.random((n, 2)) >= 0.7, independent(COIN, COIN)),
    "larger": (lambda g, n: g.random((n, 2)) > [0.7, 0.7], independent(COIN, COIN)),
    "no numbers": (lambda g, n: g.random((n, 0)) < 0.5, {(): 1}),
    "uniform": (lambda g, n: g.uniform(-1, 4, (n, 2)) < 0.5, independent(COIN, COIN)),
    "of parameters": (
        lambda g, n: g.uniform(np.zeros((n, 2)), [1, 2]) < [0.3, 0.6],
        independent(COIN, COIN),
    ),
    "exponential": (
        lambda g, n: g.exponential(2.0, (n, 1)) < -2 * math.log(0.7),
        independent(COIN),
    ),
    "standard_exponential": (
        lambda g, n: g.standard_exponential((n, 1)) > -math.log(0.3),
        independent(COIN),
    ),
    "gumbel": (
        lambda g, n: g.gumbel(1.0, 2.0, (n, 1)) < 1 - 2 * math.log(-math.log(0.3)),
        independent(COIN),
    ),
    "choice": (lambda g, n: g.choice(4, (n, 2), p=P), independent(LETTERS, LETTERS)),
    "choice of values": (
        lambda g, n: g.choice(np.asarray([7, 8, 9]), n),
        uniformly([(7,), (8,), (9,)]),
    ),
    "integers": (lambda g, n: g.integers(2, 5, (n, 1)), uniformly([(2,), (3,), (4,)])),
    "integers of bounds": (
        lambda g, n: g.integers(0, np.tile([1, 2, 3], (n, 1)), endpoint=False),
        uniformly((0, j, k) for j in range(2) for k in range(3)),
    ),
    "integers to the end": (
        lambda g, n: g.integers(2, size=n, endpoint=True),
        uniformly([(0,), (1,), (2,)]),
    ),
    "binomial": (
        lambda g, n: g.binomial(2, 0.3, (n, 1)),
        {(0,): 0.49, (1,): 0.42, (2,): 0.09},
    ),
    "binomial of a coin": (
        lambda g, n: g.binomial(1, np.full((n, 1), 0.3)) == 1,
        independent(COIN),
    ),
    "one multinomial": (
        lambda g, n: g.multinomial(1, np.tile(P, (n, 1))).argmax(axis=1),
        independent(LETTERS),
    ),
    "permuted": (
        lambda g, n: g.permuted(np.tile([1, 2, 3], (n, 1)), axis=1),
        uniformly(itertools.permutations([1, 2, 3])),
    ),
    "permuted with equal ones": (
        lambda g, n: g.permuted(np.tile([1, 1, 0], (n, 1)), axis=1),
        uniformly(itertools.permutations([1, 1, 0])),
    ),
    "argsort": (
        lambda g, n: np.argsort(g.random((n, 3)), axis=1),
        uniformly(itertools.permutations(range(3))),
    ),
    "ranks": (
        lambda g, n: g.random((n, 3)).argsort().argsort() < 1,
        uniformly([(True, False, False), (False, True, False), (False, False, True)]),
    ),
    "the first of an order": (
        lambda g, n: np.argsort(g.random((n, 3)))[:, :2],
        uniformly(itertools.permutations(range(3), 2)),
    ),
    "the last of an order": (
        lambda g, n: np.argsort(g.random((n, 3)))[..., -2:],
        uniformly(itertools.permutations(range(3), 2)),
    ),
    "an order in two parts": (
        lambda g, n: (lambda o: np.concatenate([o[:, 1:2], o[:, :1], o[:, 2:]], axis=1))(
            np.argpartition(g.random((n, 3)), 1)
        ),
        uniformly(itertools.permutations(range(3))),
    ),
    "one by one": (
        lambda g, n: np.stack([np.argsort(g.random((n, 3)))[:, k] for k in (1, 0)], axis=1),
        uniformly(itertools.product(range(3), repeat=2)),
    ),
    "argmax of all": (
        lambda g, n: [np.argmax(v.reshape(2, 2)) for v in g.random((n, 4))],
        uniformly([(0,), (1,), (2,), (3,)]),
    ),
    "another axis": (
        lambda g, n: g.random((n, 3, 1)).argmin(axis=1, keepdims=True),
        uniformly([(0,), (1,), (2,)]),
    ),
    "search": (
        lambda g, n: np.searchsorted(np.cumsum(P), g.random((n, 2))),
        independent(LETTERS, LETTERS),
    ),
    "digitize": (
        lambda g, n: np.digitize(g.random((n, 1)), np.cumsum(P)[:-1]),
        independent(LETTERS),
    ),
    "integer parts": (
        lambda g, n: (g.random((n, 2)) * [3, 1]).astype(int),
        uniformly([(0, 0), (1, 0), (2, 0)]),
    ),
    "floor": (
        lambda g, n: np.floor(np.where([True, False], g.uniform(-1, 1.5, (n, 2)), 2.5)),
        {(-1.0, 2.0): 0.4, (0.0, 2.0): 0.4, (1.0, 2.0): 0.2},
    ),
    "written over": (lambda g, n: with_hidden(g.random((n, 3))), uniformly([(1,), (2,)])),
    "in place": (lambda g, n: in_place(g.random((n, 1))), independent(COIN)),
    "guarded": (
        lambda g, n: (
            np.log([1, 3]) - np.log(-np.log(g.random((n, 2)).clip(1e-9, 1 - 1e-9)))
        ).argmax(1),
        {(0,): 0.25, (1,): 0.75},
    ),
}


def with_hidden(u):
    """Masked out in a copy and in a view."""
    u = u.copy()
    u[:, 0] = -1
    return np.where([True, True, True], u, 0).argmax(axis=1)


def in_place(u):
    """-log u, by assignment."""
    np.log(u, out=u)
    u *= -1
    return u > -math.log(0.3)


@each("name", CASES)
@each("batch", [1, 64])
def test_methods_by_rows(name, batch):
    ask, expected = CASES[name]
    assert_same(found(ask, batch), expected)


ONE = {
    "permutation": (lambda g: g.permutation(3), uniformly(itertools.permutations(range(3)))),
    "of an array": (
        lambda g: g.permutation(np.asarray([5, 5, 6])),
        uniformly(itertools.permutations([5, 5, 6])),
    ),
    "of rows": (
        lambda g: g.permutation(np.asarray([[5, 6], [7, 8]])).ravel(),
        uniformly([(5, 6, 7, 8), (7, 8, 5, 6)]),
    ),
    "shuffle": (lambda g: shuffled(g, np.arange(3)), uniformly(itertools.permutations(range(3)))),
    "of a list": (lambda g: shuffled(g, [0, 1, 2]), uniformly(itertools.permutations(range(3)))),
    "permuted": (
        lambda g: g.permuted(np.asarray([[0, 1], [2, 3]]), out=np.empty((2, 2), dtype=int)),
        uniformly(itertools.permutations(range(4))),
    ),
    "without replacement": (
        lambda g: g.choice(3, 2, replace=False),
        uniformly(itertools.permutations(range(3), 2)),
    ),
    "with weights": (
        lambda g: g.choice(4, 2, replace=False, p=P),
        {(i, j): P[i] * P[j] / (1 - P[i]) for i, j in itertools.permutations((0, 2, 3), 2)},
    ),
    "one": (lambda g: [g.choice([3, 4], p=[0.3, 0.7])], {(3,): 0.3, (4,): 0.7}),
    "multinomial": (
        lambda g: g.multinomial(2, [0.5, 0.3, 0.2]),
        {
            (2, 0, 0): 0.25,
            (0, 2, 0): 0.09,
            (0, 0, 2): 0.04,
            (1, 1, 0): 0.3,
            (1, 0, 1): 0.2,
            (0, 1, 1): 0.12,
        },
    ),
    "coin": (lambda g: [bool(g.random() < 0.3)], {(True,): 0.3, (False,): 0.7}),
    "integer": (lambda g: [int(3 * g.random())], uniformly([(0,), (1,), (2,)])),
    "inversion": (lambda g: [np.searchsorted(np.cumsum(P), g.random())], independent(LETTERS)),
}


def shuffled(g, x):
    g.shuffle(x)
    return x


@each("name", ONE)
def test_methods_of_a_row_alone(name):
    ask, expected = ONE[name]
    assert_same(found(lambda g, n: [ask(g)], batch=1), expected)
    with pytest.raises(NotEnumerable, match="in 2 rows"):
        found(lambda g, n: [ask(g)] * n + [ask(ReplayGenerator(two()))], batch=1)


def two():
    return Replay(np.full((2, 1), END))


def test_it_is_taken_for_a_generator():
    g = ReplayGenerator(two())
    assert isinstance(g, np.random.Generator)
    assert np.random.default_rng(g) is g
    assert repr(g) == "<ReplayGenerator of 2 rows>"
    assert not hasattr(g, "choices")
    with pytest.raises(NotEnumerable, match="dirichlet"):
        g.dirichlet([1, 1])


def test_arrays_that_are_not_drawn_have_a_shape():
    u = ReplayGenerator(two()).random((2, 3))
    assert (u.shape, u.ndim, u.size, len(u), u.dtype) == ((2, 3), 2, 6, 2, np.float64)
    assert (u.T.shape, np.shape(u), u[:, None].shape, u[0].shape) == (
        (3, 2),
        (2, 3),
        (2, 1, 3),
        (3,),
    )
    assert np.zeros_like(u).tolist() == [[0.0] * 3] * 2
    assert np.full_like(u, 2, dtype=np.int64).tolist() == [[2] * 3] * 2
    assert [v.shape for v in u] == [(3,), (3,)]
    assert not np.isnan(u).any()
    assert np.isfinite(u).all()
    assert not (u == 0.5).any()
    assert isinstance(u.astype(np.float32), OpenArray)
    assert repr(u) == "<uniform noise of shape (2, 3)>"
    order = np.argsort(u)
    assert (order.shape, order.ndim, len(order), order.dtype) == ((2, 3), 2, 2, np.int64)
    with pytest.raises(TypeError, match="unsized"):
        len(u[0, 0])


test_refused = refusals(
    ("there are none", lambda: ReplayGenerator(two()).integers(2, 2, size=2)),
    (
        r"p of shape \(2,\) is no distribution of 3 options",
        lambda: ReplayGenerator(two()).choice(3, 2, p=[0.5, 0.5]),
    ),
    ("4 of 3 options", lambda: found(lambda g, n: [g.choice(3, 4, replace=False)], batch=1)),
    ("must be finite, and some positive", lambda: found(lambda g, n: g.multinomial(1, [[0, 0]]))),
)
