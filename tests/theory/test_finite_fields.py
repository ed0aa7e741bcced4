"""Finite fields against their definition: the axioms, and polynomials multiplied one by one."""

import itertools

import numpy as np
import pytest

from tests.noted import each, refusals
from theory import InvalidInput, TooLarge
from theory._core.finite_fields import MAX_SIZE, finite_field, next_prime_power, prime_power

SIZES = [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 25, 27, 32, 49]


@each("size", SIZES)
def test_all_axioms_of_a_field(size):
    """For all elements: both operations commute, associate and distribute; neutral and inverse."""
    field, a = finite_field(size), np.arange(size)
    plus, times = field.addition, field.multiplication
    b, c = a[:, None], a[:, None, None]
    for table in (plus, times):
        assert table.dtype == np.int64
        assert (table == table.T).all()
        assert (table[table[a, b], c] == table[a, table[b, c]]).all()
    assert (times[a, plus[b, c]] == plus[times[a, b], times[a, c]]).all()
    assert (plus[0] == a).all()
    assert (times[1] == a).all()
    assert (plus[a, field.negative] == 0).all()
    assert (times[a, field.inverse][1:] == 1).all()
    assert (times[0] == 0).all()
    assert (np.sort(times[1:, 1:], axis=1) == a[1:]).all()


@each("size", [2, 3, 5, 7, 11, 13])
def test_prime_fields_count_modulo_the_prime(size):
    field, a = finite_field(size), np.arange(size)
    assert (field.addition == (a + a[:, None]) % size).all()
    assert (field.multiplication == a * a[:, None] % size).all()


@each("size", [4, 8, 9, 16, 27])
def test_other_fields_multiply_polynomials(size):
    """Modulo ``x^m - (x^m reduced)``, whatever the field says that is."""
    field = finite_field(size)
    p, m = field.characteristic, field.degree

    def digits(n):
        return [n // p**i % p for i in range(m)]

    reduced = digits(field.multiplication[p, p ** (m - 1)])

    def product(a, b):
        full = [0] * (2 * m - 1)
        for (i, u), (j, v) in itertools.product(enumerate(digits(a)), enumerate(digits(b))):
            full[i + j] += u * v
        for high in range(2 * m - 2, m - 1, -1):
            lead, full[high] = full[high], 0
            for i, c in enumerate(reduced):
                full[high - m + i] += lead * c
        return sum(c % p * p**i for i, c in enumerate(full[:m]))

    for a, b in itertools.product(range(size), repeat=2):
        assert field.multiplication[a, b] == product(a, b)


@each("size", SIZES)
def test_powers_are_all_elements_and_logarithms_say_which(size):
    field = finite_field(size)
    assert sorted(field.powers.tolist()) == list(range(1, size))
    element = 1
    for n, power in enumerate(field.powers):
        assert power == element
        assert field.logarithms[power] == n
        element = field.multiplication[element, field.powers[1 % (size - 1)]]
    assert element == 1


@each("size", [2, 5, 8, 9])
def test_sums_and_matrix_products_add_one_by_one(size):
    field, rng = finite_field(size), np.random.default_rng(size)
    x = rng.integers(0, size, (3, 4, 5))
    for axis in (0, 1, -1):
        total = np.zeros_like(x.take(0, axis))
        for k in range(x.shape[axis]):
            total = field.addition[total, x.take(k, axis)]
        assert (field.sum(x, axis) == total).all()
    a, b = rng.integers(0, size, (3, 4)), rng.integers(0, size, (4, 2))
    products = field.multiplication[a[:, :, None], b[None]]
    assert (field.matmul(a, b) == field.sum(products, 1)).all()
    assert field.matmul(a[:, :0], b[:0]).tolist() == [[0, 0]] * 3


def test_the_largest_field():
    field, a = finite_field(MAX_SIZE), np.arange(MAX_SIZE)
    assert (field.addition == a ^ a[:, None]).all()
    assert (np.sort(field.multiplication[1:, 1:]) == a[1:]).all()


def test_prime_powers_are_those_of_one_prime():
    def is_power(n):
        return any(n == p**m for p in range(2, n + 1) for m in range(1, 9) if is_prime(p))

    def is_prime(n):
        return all(n % d for d in range(2, n))

    found = [n for n in range(130) if prime_power(n)]
    assert found == [n for n in range(2, 130) if is_power(n)]
    assert [next_prime_power(n) for n in range(120)] == [
        min(q for q in found if q >= n) for n in range(120)
    ]


test_what_is_no_field_is_refused = refusals(
    ("prime power .* got {}", finite_field, [-3, 0, 1, 6, 12, 1000])
)
test_large_fields_are_refused = refusals((r"GF\({}\)", finite_field, [1031, 2048]), error=TooLarge)


def test_tables_cannot_be_changed():
    field = finite_field(4)
    for x in (field.addition, field.multiplication, field.inverse, field.negative, field.powers):
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 1


def test_the_message_names_the_next_field():
    with pytest.raises(InvalidInput, match="such as 7, got 6"):
        finite_field(6)
