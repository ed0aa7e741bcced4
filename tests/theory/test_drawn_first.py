"""What drawing first writes of independent sites, against all draws one by one."""

import itertools
import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tests.noted import each, refusals
from theory import TooLarge, drawn_first

R = Fraction(3, 10)
ROWS = {
    "coins": [7, 3],
    "three tokens": [5, 3, 2],
    "tied": [2, 1, 1],
    "all alike": [1, 1, 1],
    "one impossible": [3, 0, 1],
    "one token": [1],
}
TIES = ("lowest", "highest", "random")


def normalised(weights):
    return [Fraction(w, sum(weights)) for w in weights]


def kept_of(row, drawn, ties):
    """(probability, site) of what is kept of tokens that were drawn at some sites."""
    most = max(row[v] for v in drawn.values())
    best = sorted(i for i, v in drawn.items() if row[v] == most)
    if ties == "random":
        return [(Fraction(1, len(best)), i) for i in best]
    return [(Fraction(1), best[0] if ties == "lowest" else best[-1])]


def written(row, length, ties):
    """{sequence: probability}: all draws, then all draws at what is left, and so on."""
    layer: Any = Counter({(None,) * length: Fraction(1)})
    for _ in range(length):
        after: Any = Counter()
        for x, mass in layer.items():
            masked = [i for i, v in enumerate(x) if v is None]
            for tokens in itertools.product(range(len(row)), repeat=len(masked)):
                drawn = dict(zip(masked, tokens, strict=True))
                probability = mass * math.prod(row[v] for v in tokens)
                for share, i in kept_of(row, drawn, ties):
                    after[(*x[:i], drawn[i], *x[i + 1 :])] += probability * share
        layer = after
    return layer


@each("name", ROWS)
@each("ties", TIES)
@each("masks", [1, 2, 3])
def test_what_is_kept_of_some_draws(name, ties, masks):
    row = normalised(ROWS[name])
    expected: list = [Fraction(0)] * len(row)
    for tokens in itertools.product(range(len(row)), repeat=masks):
        drawn = dict(enumerate(tokens))
        for share, i in kept_of(row, drawn, ties):
            expected[drawn[i]] += math.prod(row[v] for v in tokens) * share
    found = drawn_first.revealed(ROWS[name], masks)
    assert found.tolist() == expected
    floats = drawn_first.revealed([float(v) for v in row], masks)
    assert floats == pytest.approx([float(v) for v in expected], rel=1e-12)


@each("name", ROWS)
@each("ties", TIES)
def test_how_often_each_token_is_written(name, ties):
    row = normalised(ROWS[name])
    for length in (1, 2, 3):
        expected = [Fraction(0)] * len(row)
        for x, mass in written(row, length, ties).items():
            for v in x:
                expected[v] += mass
        assert drawn_first.token_counts(ROWS[name], length).tolist() == expected


@each(("length", "block"), [(4, 2), (5, 2), (5, 3), (3, 5), (6, 1)])
def test_blocks_are_texts_of_their_own(length, block):
    blocks, rest = divmod(length, min(block, length))
    parts = [min(block, length)] * blocks + [rest] * (rest > 0)
    expected = np.sum([drawn_first.token_counts([7, 3], part) for part in parts], axis=0)
    assert drawn_first.token_counts([7, 3], length, block).tolist() == expected.tolist()


@each("ties", TIES)
@each("length", [1, 2, 3, 4])
def test_coins(ties, length):
    expected = written([1 - R, R], length, ties)
    table = drawn_first.coins_written(R, length, ties)
    assert {x: table[x] for x in np.ndindex(table.shape)} == dict(expected)
    counts = [sum(m for x, m in expected.items() if sum(x) == n) for n in range(length + 1)]
    assert drawn_first.rare_coins(R, length).tolist() == counts
    floats = drawn_first.coins_written(0.3, length, ties)
    assert floats == pytest.approx(table.astype(float), rel=1e-12)
    kl = 0.0
    for x, mass in expected.items():
        due = R ** sum(x) * (1 - R) ** (length - sum(x))
        kl += float(due) * math.log(due / mass)
    assert drawn_first.coins_kl(0.3, length, ties) == pytest.approx(kl, rel=1e-11)


@each("ties", TIES)
def test_coins_of_a_symbol_sum_to_one(ties):
    r = sympy.Symbol("r", positive=True)
    table = drawn_first.coins_written(r, 3, ties)
    assert sympy.expand(table.sum()) == 1
    assert sympy.expand(sum(drawn_first.rare_coins(r, 3))) == 1


def test_no_more_rare_tokens_than_a_limit_and_their_divergence_in_long_texts():
    """At random like (r L)^2 log(1/r) / 2; else between two bounds around r L^2 log(1/r) / 2."""
    counts = [drawn_first.token_counts([0.7, 0.3], n)[1] for n in (1, 10, 100, 1000)]
    assert sorted(counts) == counts
    assert counts[-1] <= 0.3 / 0.7
    assert counts[2] == pytest.approx(3 / 7, rel=1e-12)
    leading = math.log(1 / 0.3) / 2
    ratio = drawn_first.coins_kl(0.3, 4000, "random") / ((0.3 * 4000) ** 2 * leading)
    assert ratio == pytest.approx(1, abs=2e-3)
    entropy = -0.3 * math.log(0.3) - 0.7 * math.log(0.7)
    constant = math.fsum(math.log1p(-(0.3**m)) for m in range(1, 60))
    for length in (1, 2, 6, 12, 16):
        kl = drawn_first.coins_kl(0.3, length)
        most = 0.3 * length * (length + 1) * leading - length * entropy
        assert most - length * entropy <= kl <= most - constant


@each("name", ["coins", "three tokens", "tied", "one impossible", "one token"])
@each("noise", [1, Fraction(1, 2)])
@each("masks", [1, 2, 3, 4])
def test_the_first_reveal_with_gumbel_noise(name, noise, masks):
    """Of all draws, a site in proportion to p(v)^(1/noise): Gumbel noise takes the largest so."""
    row, power = normalised(ROWS[name]), int(1 / noise)
    expected = [Fraction(0)] * len(row)
    for tokens in itertools.product(range(len(row)), repeat=masks):
        probability = math.prod(row[v] for v in tokens)
        total = sum(row[v] ** power for v in tokens)
        for v in tokens:
            if probability:
                expected[v] += probability * row[v] ** power / total
    assert drawn_first.first_reveal(ROWS[name], noise, masks).tolist() == expected
    floats = drawn_first.first_reveal([float(v) for v in row], float(noise), masks)
    assert floats == pytest.approx([float(v) for v in expected], rel=1e-11, abs=1e-15)


def test_the_first_reveal_tends_to_a_power():
    p = np.asarray([0.5, 0.3, 0.15, 0.05])
    for noise in (0.5, 1.0, 3.0):
        limit = p ** (1 + 1 / noise) / (p ** (1 + 1 / noise)).sum()
        far = [abs(drawn_first.first_reveal(p, noise, m) - limit).sum() / 2 for m in (8, 32, 128)]
        assert far[0] > 3.5 * far[1] > 12 * far[2] > 0  # like one over the number of masks
    assert drawn_first.first_reveal(p, 0, 5) == pytest.approx(drawn_first.revealed(p, 5))


def test_the_first_reveal_against_drawn_noise():
    p, noise, masks, size = np.asarray([0.6, 0.3, 0.1]), 0.7, 5, 200_000
    rng = np.random.default_rng(0)
    tokens = rng.choice(3, size=(size, masks), p=p)
    site = (np.log(p[tokens]) + noise * rng.gumbel(size=tokens.shape)).argmax(axis=1)
    shares = np.bincount(tokens[np.arange(size), site], minlength=3) / size
    expected = drawn_first.first_reveal(p, noise, masks)
    assert (abs(shares - expected) < 5 * np.sqrt(expected * (1 - expected) / size)).all()


test_what_is_refused = refusals(
    ("masks must be an integer of at least 1, got 0", lambda: drawn_first.revealed([1, 1], 0)),
    (r"shape \(V,\), got \(1, 2\)", lambda: drawn_first.revealed([[1, 1]], 1)),
    ("block must be an integer of at least 1", lambda: drawn_first.token_counts([1, 1], 3, 0)),
    ("below 1/2, got 0.5", lambda: drawn_first.rare_coins(0.5, 3)),
    ("below 1/2, got 2/3", lambda: drawn_first.rare_coins(Fraction(2, 3), 3)),
    ("rare must be a finite number", lambda rare: drawn_first.coins_kl(rare, 3), [-0.1, "a", None]),
    ("ties must be one of lowest", lambda t: drawn_first.coins_written(0.3, 3, t), ["last"]),
    ("noise must be a finite number of at least 0", lambda: drawn_first.first_reveal([1], -1, 2)),
    ("noise 1/n", lambda: drawn_first.first_reveal([2, 1], 0.3, 2)),
)
test_what_is_too_large = refusals(
    ("table of shape", lambda: drawn_first.coins_written(0.3, 60)),
    ("counts of 40 tokens", lambda: drawn_first.first_reveal(np.ones(40) / 40, 1, 99)),
    error=TooLarge,
)
