"""Independent distributions side by side, against the joint of their parts, written out."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from tests import oracles
from tests.noted import each
from tests.theory.test_families import assert_exact
from theory import EmpiricalDistribution, JointTable, TooLarge, gallery, information
from theory.distributions import SideBySide

UNEVEN = JointTable([[1, 2], [0, 3]], exact=True)
DATA = EmpiricalDistribution([[0, 2], [1, 1], [1, 1]], exact=True)
PRODUCTS = [(UNEVEN,), (UNEVEN, DATA), (DATA, UNEVEN), (UNEVEN, UNEVEN)]


def joint_of(parts):
    """Tokens of all parts at one site as one, the first part's counting most."""
    tables = [
        {tuple(map(int, x)): Fraction(p) for x, p in np.ndenumerate(part.table())} for part in parts
    ]
    joint = {}
    for rows in itertools.product(*(table.items() for table in tables)):
        tokens = [0] * parts[0].length
        weight = Fraction(1)
        for part, (x, p) in zip(parts, rows, strict=True):
            tokens = [t * part.vocab + v for t, v in zip(tokens, x, strict=True)]
            weight *= p
        joint[tuple(tokens)] = weight
    return joint


class Case:
    """What `assert_exact` asks for."""

    def __init__(self, parts):
        self.vocab = int(np.prod([part.vocab for part in parts]))
        self.joint = joint_of(parts)
        self.patterns = oracles.all_patterns(parts[0].length, self.vocab)
        self.evidence = oracles.lattice(self.joint, parts[0].length, self.vocab)
        self.possible = [x for x in self.patterns if self.evidence[x]]

    def conditional(self, x, mode="raise"):
        return oracles.conditional_marginals(self.joint, x, self.vocab, mode)


@each("parts", PRODUCTS)
def test_answers_are_those_of_the_joint(parts):
    assert_exact(SideBySide(parts), Case(parts))


@each("parts", PRODUCTS)
def test_entropies_are_those_of_the_joint(parts):
    p, joint = SideBySide(parts), joint_of(parts)
    for sites in ((), (0,), (1,), (0, 1)):
        assert information.entropy(p, sites) == oracles.entropy(joint, sites, exact=True)
        table = information.subset_entropies(p)
        assert table[int(0 in sites), int(1 in sites)] == information.entropy(p, sites)
    first = next(x for x, weight in joint.items() if weight)[0]
    given = oracles.condition(joint, (first, -1))
    assert information.entropy(p, [1], [first, -1]) == oracles.entropy(given, [1], exact=True)
    assert information.total_correlation(p) == oracles.total_correlation(joint, exact=True)
    profile = oracles.profile(joint, exact=True)
    assert all(a == b for a, b in zip(information.profile(p), profile, strict=True))


def test_samples_follow_the_support():
    p = SideBySide((UNEVEN, DATA))
    drawn = p.sample(np.random.default_rng(0), 200)
    seen = set(map(tuple, drawn.tolist()))
    assert seen == {x for x, weight in joint_of(p.parts).items() if weight}


MANY = SideBySide([gallery.parity(3, exact=True)] * 100)


def test_a_vocabulary_may_be_too_large_for_tokens_but_not_for_entropies():
    """Of 2^100 tokens those of 62 bits can be written; predictions of all of them cannot."""
    assert MANY.vocab == 2**100
    assert repr(MANY) == f"<SideBySide: 100 x {MANY.parts[0]!r}>"
    assert information.total_correlation(MANY, base=2) == 100
    assert MANY.evidence([0, -1, -1]) == Fraction(1, 2**100)
    assert MANY.evidence([2**61, 1, 2**61 + 1]) == Fraction(1, 2**200)
    assert MANY.evidence([2**61, 1, 2**61]) == 0
    with pytest.raises(TooLarge, match="tokens of 100 bits"):
        MANY.sample(np.random.default_rng(0), 1)
    with pytest.raises(TooLarge, match="table of predictions"):
        MANY.denoise([0, -1, -1])
