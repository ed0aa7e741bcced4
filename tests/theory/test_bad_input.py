"""What the package refuses, and that it says which argument or number is at fault."""

import functools
import random
from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest
import sympy

from tests.noted import each, refusals
from theory import (
    MASK,
    EmpiricalDistribution,
    EvidenceLattice,
    Exchangeable,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    Permutations,
    ProductMixture,
    ReedSolomon,
)
from theory.errors import ImpossibleEvidence, InvalidInput, TooLarge, ZerolossError

NAN, INF = float("nan"), float("inf")
HALF = [0.5, 0.5]
FLIP = [[0.9, 0.1], [0.3, 0.7]]
EMIT = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]
SITES = [[[0.5, 0.5], [0.1, 0.9]], [[1.0, 0.0], [0.4, 0.6]]]


def test_every_refusal_is_a_value_error():
    for kind in (InvalidInput, TooLarge, ImpossibleEvidence):
        assert issubclass(kind, ZerolossError)
        assert issubclass(kind, ValueError)


BAD_TABLES = {
    "no axis": (0.5, r"\(\)|axis|axes|0-d|dimension|site"),
    "no token": ([], r"\(0,\)|token|empty"),
    "no token, two sites": (np.zeros((0, 0)), r"\(0, 0\)|token|empty"),
    "unequal axes": ([[0.1, 0.2, 0.3], [0.1, 0.2, 0.1]], r"\(2, 3\)"),
    "one longer axis": (np.ones((2, 2, 3)), r"\(2, 2, 3\)"),
    "ragged": ([[0.5, 0.2], [0.3]], "weights"),
    "negative": ([0.5, -0.25, 0.75], r"-0\.25"),
    "negative integer": ([[3, 2], [-7, 4]], "-7"),
    "all zero": ([[0.0, 0.0], [0.0, 0.0]], "zero|sum|positive"),
    "all integer zero": ([[0, 0], [0, 0]], "zero|sum|positive"),
    "nan": ([0.5, NAN], "(?i)nan"),
    "inf": ([0.5, INF], "(?i)inf"),
    "minus inf": ([0.5, -INF], "(?i)inf|-"),
    "complex": ([0.5 + 1j, 0.5], "(?i)complex|weights"),
    "text": (["a", "b"], "weights"),
    "none": (None, "weights"),
}


BAD_EXACT_TABLES = {
    "floats": ([[0.25, 0.25], [0.25, 0.25]], r"(?i)exact|float|0\.25"),
    "one float": ([[1, 2], [3, 4.5]], r"(?i)exact|float|4\.5"),
    "a float among fractions": ([[Fraction(1, 2), 0.5]] * 2, r"(?i)exact|float|0\.5"),
    "float array": (np.array([0.5, 0.5]), r"(?i)exact|float|0\.5"),
    "negative": ([[1, 2], [-3, 4]], "-3"),
    "negative fraction": ([Fraction(-1, 7), Fraction(8, 7)], "-1/7"),
    "all zero": ([[0, 0], [0, 0]], "zero|sum|positive"),
    "unequal axes": ([[1, 2, 3], [4, 5, 6]], r"\(2, 3\)"),
    "text": (["a", "b"], "(?i)weights|exact"),
    "symbolic float": ([sympy.Float(0.5), sympy.Rational(1, 2)], r"(?i)exact|float|0\.5"),
    "symbolic nan": ([sympy.nan, sympy.Integer(1)], "(?i)nan"),
    "symbolic infinity": ([sympy.oo, sympy.Integer(1)], "(?i)oo|inf"),
    "imaginary": ([sympy.I, sympy.Integer(1)], "(?i)real|complex|I"),
    "symbolic negative": ([-sympy.Symbol("a", positive=True), sympy.Integer(1)], "-a"),
}


BAD_CHAINS = {
    "initial sums low": (([0.5, 0.4], FLIP, 3), r"initial.*0\.9"),
    "initial all zero": (([0.0, 0.0], FLIP, 3), "initial"),
    "initial negative": (([1.5, -0.5], FLIP, 3), r"initial.*-0\.5"),
    "initial nan": (([0.5, NAN], FLIP, 3), "initial.*(?i:nan)"),
    "initial with two axes": ((FLIP, FLIP, 3), r"initial.*\(2, 2\)"),
    "initial scalar": ((1.0, FLIP, 3), "initial"),
    "initial empty": (([], np.zeros((0, 0)), 3), "initial"),
    "transition sums low": ((HALF, [[0.9, 0.1], [0.3, 0.6]], 3), r"transition.*row 1.*0\.(9|89)"),
    "transition row zero": ((HALF, [[0.0, 0.0], [0.5, 0.5]], 3), "transition.*row 0"),
    "transition negative": ((HALF, [[1.25, -0.25], [0.5, 0.5]], 3), r"transition.*-0\.25"),
    "transition nan": ((HALF, [[NAN, 1.0], [0.5, 0.5]], 3), "transition.*(?i:nan)"),
    "transition flat": ((HALF, HALF, 3), r"transition.*\(2,\)"),
    "transition not square": ((HALF, [[0.5, 0.25, 0.25]] * 2, 3), r"transition.*\(2, 3\)"),
    "transition too large": ((HALF, np.eye(3), 3), r"transition.*\(3, 3\)"),
    "transition ragged": ((HALF, [[1.0], [0.5, 0.5]], 3), "transition"),
    "length zero": ((HALF, FLIP, 0), "length.*0"),
    "length negative": ((HALF, FLIP, -4), "length.*-4"),
    "length float": ((HALF, FLIP, 3.0), r"length.*3\.0"),
    "length text": ((HALF, FLIP, "3"), "length.*3"),
    "length none": ((HALF, FLIP, None), "length.*None"),
    "length bool": ((HALF, FLIP, True), "length.*True"),
}


def test_rows_may_miss_one_by_rounding():
    third = 1 / 3
    p = MarkovChain([0.1] * 10, [[0.1] * 10] * 10, 2)
    assert p.evidence([MASK, MASK]) == pytest.approx(1.0, abs=1e-12)
    p = MarkovChain([third] * 3, [[0.7, 0.2, 0.1]] * 3, 2)
    assert p.denoise([MASK, MASK])[1] == pytest.approx([0.7, 0.2, 0.1])


THIRD = Fraction(1, 3)
EXACT_HALF = [Fraction(1, 2), Fraction(1, 2)]
BAD_EXACT_CHAINS = {
    "floats": ((HALF, FLIP), r"(?i)exact|float|0\.5"),
    "float transition": ((EXACT_HALF, FLIP), r"(?i)exact|float|0\.9"),
    "row sums low": ((EXACT_HALF, [EXACT_HALF, [THIRD, THIRD]]), "transition.*row 1.*2/3"),
    "row barely low": (
        (EXACT_HALF, [[Fraction(1, 2), Fraction(1, 2) - Fraction(1, 10**30)], EXACT_HALF]),
        "transition.*row 0",
    ),
    "initial sums high": (([Fraction(1, 2), Fraction(2, 3)], [EXACT_HALF] * 2), "initial.*7/6"),
    "negative": (([Fraction(-1, 3), Fraction(4, 3)], [EXACT_HALF] * 2), "initial.*-1/3"),
    "integer rows": (([1, 0], [[1, 1], [0, 1]]), "transition.*row 0.*2"),
}


BAD_HMMS = {
    "initial sums low": (([0.5, 0.4], FLIP, EMIT, 3), r"initial.*0\.9"),
    "transition sums": ((HALF, [[0.9, 0.1], [0.3, 0.9]], EMIT, 3), r"transition.*row 1.*1\.2"),
    "emission sums": ((HALF, FLIP, [[0.2, 0.3, 0.4], [1, 0, 0]], 3), r"emission.*row 0.*0\.9"),
    "emission negative": ((HALF, FLIP, [[1.5, -0.5], [0.5, 0.5]], 3), r"emission.*-0\.5"),
    "emission row missing": ((HALF, FLIP, [[0.5, 0.5]], 3), r"emission.*\(1, 2\)"),
    "emission row too many": ((HALF, FLIP, [[0.5, 0.5]] * 3, 3), r"emission.*\(3, 2\)"),
    "emission flat": ((HALF, FLIP, HALF, 3), r"emission.*\(2,\)"),
    "emission without tokens": ((HALF, FLIP, np.zeros((2, 0)), 3), "emission"),
    "length zero": ((HALF, FLIP, EMIT, 0), "length.*0"),
}


LOW_SITE = [SITES[0], [[1.0, 0.0], [0.4, 0.5]]]
BAD_MIXTURES = {
    "weights negative": (([1.5, -0.5], SITES), r"weights.*-0\.5"),
    "weights all zero": (([0.0, 0.0], SITES), "weights"),
    "weights with two axes": (([HALF], SITES), r"weights.*\(1, 2\)"),
    "weights of another count": (([0.5, 0.25, 0.25], SITES), r"\(3,\)|\(2, 2, 2\)|\b3\b"),
    "no components": (([], np.zeros((0, 2, 2))), "weights|sites"),
    "sites flat": ((HALF, FLIP), r"sites.*\(2, 2\)"),
    "sites with four axes": ((HALF, [SITES]), r"sites.*\(1, 2, 2, 2\)"),
    "sites without sites": ((HALF, np.zeros((2, 0, 2))), "sites"),
    "sites without tokens": ((HALF, np.zeros((2, 2, 0))), "sites"),
    "sites sum low": ((HALF, LOW_SITE), r"sites.*1.*0\.9"),
    "sites negative": ((HALF, [[[1.5, -0.5]], [[0.5, 0.5]]]), r"sites.*-0\.5"),
    "sites ragged": ((HALF, [[[0.5, 0.5]], [[1.0]]]), "sites"),
}


DATA = [[0, 1], [2, 1]]
BAD_DATA = {
    "flat": (([0, 1, 2],), {}, r"sequences.*\(3,\)"),
    "three axes": (([DATA],), {}, r"sequences.*\(1, 2, 2\)"),
    "no rows": ((np.zeros((0, 3), dtype=int),), {}, r"sequences"),
    "no sites": ((np.zeros((3, 0), dtype=int),), {}, r"sequences"),
    "ragged": (([[0, 1], [0]],), {}, "sequences"),
    "floats": (([[0.0, 1.0]],), {}, "(?i)float|integer"),
    "bools": (([[True, False]],), {}, "(?i)bool|integer"),
    "nan": (([[0.0, NAN]],), {}, "(?i)nan|float|integer"),
    "text": (([["a", "b"]],), {}, "(?i)integer|sequences"),
    "a mask": (([[0, 1], [MASK, 1]],), {}, "-1"),
    "negative token": (([[0, 1], [-6, 1]],), {}, "-6"),
    "vocab too small": ((DATA,), {"vocab": 2}, r"\b2\b"),
    "vocab far too small": (([[0, 41]],), {"vocab": 7}, "41"),
    "vocab zero": ((DATA,), {"vocab": 0}, "vocab|2"),
    "vocab float": ((DATA,), {"vocab": 3.0}, r"vocab.*3\.0"),
    "vocab bool": (([[0, 0]],), {"vocab": True}, "vocab.*True"),
    "weights of another count": ((DATA, [1, 2, 3]), {}, r"weights.*\(3,\)|\b3\b"),
    "weights with two axes": ((DATA, [[1, 2]]), {}, r"weights.*\(1, 2\)"),
    "weights negative": ((DATA, [1.0, -0.25]), {}, r"weights.*-0\.25"),
    "weights all zero": ((DATA, [0.0, 0.0]), {}, "weights"),
}


BAD_COUNTS = {
    "scalar": (1.0, r"\(\)"),
    "no site": ([1.0], r"\(1,\)"),
    "empty": ([], r"\(0,\)"),
    "two axes": (FLIP, r"\(2, 2\)"),
    "negative": ([0.5, -0.25, 0.75], r"count_weights.*-0\.25"),
    "all zero": ([0.0, 0.0], "count_weights"),
    "nan": ([0.5, NAN], "(?i)count_weights.*nan"),
}


BAD_LOGARITHMS = {
    "nan": ([0.0, NAN], "nan"),
    "inf": ([0.0, INF], "inf"),
    "all zero": ([-INF, -INF], "-inf"),
    "no site": ([0.0], r"\(1,\)"),
    "empty": ([], r"\(0,\)"),
    "scalar": (0.0, r"\(\)"),
    "two axes": (FLIP, r"\(2, 2\)"),
    "complex": ([0j, 1j], "complex"),
    "text": (["a", "b"], "log_count_weights"),
    "objects": ([Fraction(1, 2), 1], "log_count_weights"),
    "ragged": ([[0.0], [1.0, 2.0]], "log_count_weights"),
}


BAD_LATTICES = {
    "no axis": (0.5, r"\(\)|axis|axes|0-d|dimension|site"),
    "no token": (np.zeros((0, 0)), r"\(0, 0\)|token|empty"),
    "unequal axes": (np.ones((2, 3)), r"\(2, 3\)"),
    "negative": ([[0.5, -0.25], [0.25, 0.5]], r"-0\.25"),
    "nan": ([0.5, NAN], "(?i)nan"),
    "inf": ([0.5, INF], "(?i)inf"),
    "ragged": ([[0.5, 0.2], [0.3]], "weights|table|shape"),
}


UNEVEN = np.full((5, 5), 0.2)
UNEVEN[3] = [0.18, 0.2, 0.2, 0.2, 0.2]
OF_ONE_ARGUMENT = [
    (JointTable, BAD_TABLES),
    (functools.partial(JointTable, exact=True), BAD_EXACT_TABLES),
    (Exchangeable, BAD_COUNTS),
    (Exchangeable.from_logarithms, BAD_LOGARITHMS),
    (EvidenceLattice, BAD_LATTICES),
]
OF_SEVERAL = [
    (MarkovChain, BAD_CHAINS),
    (functools.partial(MarkovChain, length=3, exact=True), BAD_EXACT_CHAINS),
    (HiddenMarkovModel, BAD_HMMS),
    (ProductMixture, BAD_MIXTURES),
]

test_bad_parameters = refusals(
    *((says, build, [bad]) for build, table in OF_ONE_ARGUMENT for bad, says in table.values()),
    *(
        (says, functools.partial(build, *bad))
        for build, table in OF_SEVERAL
        for bad, says in table.values()
    ),
    *(
        (says, functools.partial(EmpiricalDistribution, *bad, **named))
        for bad, named, says in BAD_DATA.values()
    ),
    (
        r"rows of transition must sum to 1: row 3 sums to 0\.98",
        lambda: MarkovChain(np.full(5, 0.2), UNEVEN, 4),
    ),
    (r"(?i)exact|float|0\.5", lambda: Exchangeable([0.5, 0.5], exact=True)),
    ("3 symbols", lambda: Exchangeable([1, 1], symbols="abc")),
    ("n must.*{}", Permutations, [0, -1, 2.0, "2", None, True]),
    (
        "{}",
        EvidenceLattice(np.full((2, 2, 2), 0.125)).conditionals,
        [3, -4, 17, 1.0, "0", None, True],
    ),
)


# Methods


DISTRIBUTIONS = {
    "table": lambda: JointTable(np.arange(1.0, 10.0).reshape(3, 3)),
    "exact table": lambda: JointTable([[1, 2, 3], [4, 5, 6], [7, 8, 9]], exact=True),
    "chain": lambda: MarkovChain([0.5, 0.25, 0.25], np.full((3, 3), 1 / 3), 2),
    "exact chain": lambda: MarkovChain([THIRD] * 3, [[THIRD] * 3] * 3, 2, exact=True),
    "hmm": lambda: HiddenMarkovModel(HALF, FLIP, EMIT, 2),
    "mixture": lambda: ProductMixture(HALF, [[[0.5, 0.25, 0.25]] * 2, [[0.1, 0.2, 0.7]] * 2]),
    "data": lambda: EmpiricalDistribution([[0, 1], [2, 2]]),
    "exchangeable": lambda: Exchangeable([1.0, 2.0, 4.0]),
    "exact exchangeable": lambda: Exchangeable([1, 2, 4], exact=True),
    "permutations": lambda: Permutations(2),
    "exact permutations": lambda: Permutations(2, exact=True),
    "code": lambda: ReedSolomon(2, 1, 3),
    "exact code": lambda: ReedSolomon(2, 1, 3, exact=True),
    "lattice": lambda: EvidenceLattice(np.full((3, 3), 1 / 9)),
}

BAD_TOKENS = {
    "token too large": ([0, 3], r"\b3\b"),
    "token far too large": ([[0, 1], [1, 123]], "123"),
    "token below the mask": ([-2, 0], "-2"),
    "too short": ([0], r"\(1,\)|\b1\b"),
    "too long": ([0, 1, 2], r"\(3,\)|\b3\b"),
    "rows too long": ([[0, 1, 2]], r"\(1, 3\)|\b3\b"),
    "three axes": ([[[0, 1]]], r"\(1, 1, 2\)"),
    "scalar": (0, r"\(\)"),
    "empty batch": (np.zeros((0, 2), dtype=int), r"\(0, 2\)|empty"),
    "nothing": ([], r"\(0,\)|empty|integers"),
    "float": ([0.0, 1.0], "(?i)float|integer"),
    "float batch": (np.array([[0.0, 1.0]]), "(?i)float|integer"),
    "nan": ([0.0, NAN], "(?i)nan|float|integer"),
    "bool": ([True, False], "(?i)bool|integer"),
    "bool batch": (np.array([[True, False]]), "(?i)bool|integer"),
    "complex": ([0j, 1j], "(?i)complex|integer"),
    "text": (["0", "1"], "(?i)integer|str"),
    "ragged": ([[0, 1], [0]], "(?i)shape|ragged|x|length"),
    "none": (None, "(?i)none|integer|shape"),
    "unsigned mask": (np.array([2**64 - 1, 0], dtype=np.uint64), "18446744073709551615|uint64"),
}


MODES = ["bogus", "", None, "RAISE", 0]
SIZES = [-1, 2.0, 2.5, "3", None, True, (2, 3)]
NO_GENERATORS = [
    0,
    None,
    np.random,
    np.random.RandomState(0),
    random.Random(0),
    np.random.Generator,
]
ELSEWHERE = strict.asarray(np.array([0, MASK]), device=strict.Device("device1"))


@each("name", DISTRIBUTIONS)
def test_bad_input_of_methods(name):
    """Unknown modes are refused also when nothing is impossible."""
    p = DISTRIBUTIONS[name]()
    lattice = name == "lattice"  # it gives no logarithms and no samples
    methods = [p.denoise, p.evidence] if lattice else [p.denoise, p.evidence, p.log_evidence]
    rows = [(says, method, [x]) for method in methods for x, says in BAD_TOKENS.values()]
    if not lattice:
        rows += [("device1", method, [ELSEWHERE]) for method in methods]
        rows += [
            ("on_impossible.*{}", lambda mode, x=x: p.denoise(x, on_impossible=mode), MODES)
            for x in ([0, MASK], [MASK, MASK])
        ]
        rows.append(("size.*{}", functools.partial(p.sample, np.random.default_rng(0)), SIZES))
        rows.append(("rng|Generator", lambda rng: p.sample(rng, 3), NO_GENERATORS))
    refusals(*rows)()


test_bad_input_is_refused_before_impossible_evidence = refusals(
    ("9", EmpiricalDistribution([[0, 1], [2, 2]]).denoise, [[[0, 2], [0, 9]]])
)


def test_the_message_of_impossible_evidence_shows_the_pattern():
    p = EmpiricalDistribution([[0, 1], [2, 2]])
    with pytest.raises(ImpossibleEvidence, match=r"0.*2"):
        p.denoise([0, 2])
