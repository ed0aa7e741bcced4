"""Statements as text and from functions: on true tables they are the library's own numbers."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.noted import each, refusals
from theory import InvalidInput, TooLarge, bounds, information, strategies
from theory.proofs import Information
from theory.proofs.statement import value_at
from theory.proofs.syntax import syntax_tree, value
from theory.proofs.text import from_function, parse, written

few = settings(max_examples=40)
SITES = 3
tables = strategies.joint_tables(lengths=(SITES, SITES), vocabs=(2, 2), exact=True)

# Random expressions, as text and as the number that the library gives


def shown(sites, draw):
    """Sites as text, one of them perhaps as an expression in n."""
    names = [str(i) for i in sites]
    if draw(st.booleans()) and sites:
        names[0] = f"n-{SITES - sites[0]}"
    return ",".join(names)


def entropy(p, sites):
    return information.entropy(p, sorted(set(sites))) if sites else 0


def given_entropy(p, sites, known):
    return entropy(p, [*sites, *known]) - entropy(p, known)


def information_between(p, left, right, known):
    return given_entropy(p, left, known) - given_entropy(p, left, [*right, *known])


def correlation(p, sites, known):
    return sum(given_entropy(p, [i], known) for i in sites) - given_entropy(p, sites, known)


def dual_correlation(p, sites, known):
    rest = [given_entropy(p, [i], [*(set(sites) - {i}), *known]) for i in sites]
    return given_entropy(p, sites, known) - sum(rest)


OF_ALL = {
    "H": information.entropy,
    "TC": information.total_correlation,
    "DTC": information.dual_total_correlation,
}
OF_SITES = {"H": given_entropy, "TC": correlation, "DTC": dual_correlation}
chosen = st.lists(st.integers(0, SITES - 1), min_size=1, max_size=SITES)
distinct = st.lists(st.integers(0, SITES - 1), min_size=1, max_size=SITES, unique=True)


@st.composite
def atoms(draw, by_size):
    """A quantity as text, and as a function of a distribution."""
    kind = draw(st.sampled_from(["all", "e", "f"] + ["sites", "I"] * (not by_size)))
    if kind == "all":
        name = draw(st.sampled_from(sorted(OF_ALL)))
        return name, OF_ALL[name]
    if kind in "ef":
        k = draw(st.integers(0, SITES - (kind == "f")))
        function = {"e": information.mean_entropies, "f": information.profile}[kind]
        written_as = draw(st.sampled_from([f"{k}", f"n-{SITES - k}", f" ({k}) ", f"{2 * k}/2"]))
        return f"{kind}({written_as})", lambda p: function(p)[k]
    name = draw(st.sampled_from(sorted(OF_SITES))) if kind == "sites" else "I"
    left = draw(chosen if name in "HI" else distinct)
    right = draw(chosen)
    known = draw(st.just([]) | chosen)
    behind = f"|{shown(known, draw)}" if known else ""
    if name == "I":
        text = f"I({shown(left, draw)} ; {shown(right, draw)}{behind})"
        return text, lambda p: information_between(p, left, right, known)
    return f"{name}({shown(left, draw)}{behind})", lambda p: OF_SITES[name](p, left, known)


MULTIPLES = {
    "Q": lambda a, b: 1,
    "-Q": lambda a, b: -1,
    "aQ": lambda a, b: a,
    "a/b Q": lambda a, b: Fraction(a, b),
    "0.a*Q": lambda a, b: Fraction(a, 10),
    ".ab Q": lambda a, b: Fraction(10 * a + b, 100),
    "(n-a) Q": lambda a, b: SITES - a,
    "a*(n-b)/n Q": lambda a, b: Fraction(a * (SITES - b), SITES),
    "-a n Q": lambda a, b: -a * SITES,
    "1/(n+a)*b Q": lambda a, b: Fraction(b, SITES + a),
    "(n·a − b) Q": lambda a, b: SITES * a - b,
    "Q/a": lambda a, b: Fraction(1, a),
    "Q * a/b": lambda a, b: Fraction(a, b),
    "a Q*(b + n)": lambda a, b: a * (b + SITES),
}
"""What a quantity Q is multiplied by, with digits a and b."""


@st.composite
def sums(draw, by_size, depth=2):
    """A linear expression as text, and as a function of a distribution."""
    text, parts = "", []
    for k in range(draw(st.integers(1, 3))):
        if depth and draw(st.integers(0, 3)) == 0:
            inside, function = draw(sums(by_size, depth - 1))
            inside = f"({inside})"
        else:
            inside, function = draw(atoms(by_size))
        a, b = draw(st.integers(1, 9)), draw(st.integers(1, 9))
        multiple = draw(st.sampled_from(sorted(MULTIPLES)))
        term = multiple.replace("a", str(a)).replace("b", str(b)).replace("Q", inside)
        minus = k > 0 and draw(st.booleans())
        text += (" - " if minus else " + " if k else "") + term
        parts.append(((-1) ** minus * MULTIPLES[multiple](a, b), function))
    return text, lambda p: sum((c * f(p) for c, f in parts), Fraction(0))


@pytest.mark.parametrize("profile", [False, True])
@given(data=st.data(), p=tables)
@few
def test_the_slack_of_a_relation_is_the_difference_of_its_sides(profile, data, p):
    (left, first), (right, second) = (data.draw(sums(by_size=profile)) for _ in range(2))
    kind = "profile" if profile else "sets"
    slack = second(p) - first(p)
    (less,) = parse(f"{left} <= {right}", SITES, profile).conclusions
    (more,) = parse(f"{left} >= {right}", SITES, profile).conclusions
    assert value_at(less.slack, p, kind) == slack
    assert value_at(more.slack, p, kind) == -slack
    assert all(less.slack.values())
    equal = parse(
        f"{left} = {right} and {left} >= {right} implies {left} = {right}", SITES, profile
    )
    assert [c.slack for c in equal.conclusions] == [less.slack, more.slack]
    assert [(a.form, a.equal) for a in equal.assumptions] == [
        (more.slack, True),
        (more.slack, False),
    ]


@pytest.mark.parametrize("profile", [False, True])
@given(st.data())
@few
def test_a_form_is_written_so_that_it_reads_back(profile, data):
    text, _ = data.draw(sums(by_size=profile))
    (once,) = parse(f"{text} >= 0", SITES, profile).conclusions
    kind = "profile" if profile else "sets"
    again = parse(f"0 <= {written(once.slack, SITES, kind)}", SITES, profile)
    assert again.conclusions[0].slack == once.slack


@given(st.data())
@few
def test_with_a_symbol_for_n_the_terms_are_those_of_each_n(data):
    text, _ = data.draw(sums(by_size=False))
    (relation,) = syntax_tree(f"{text} >= DTC").conclusions
    n = sympy.Symbol("n")

    def at(number):
        return sympy.sympify(number).subs(n, SITES)

    pairs = zip(relation.slack(n), relation.slack(SITES), strict=True)
    for (symbolic, atom, _), (number, same, _) in pairs:
        assert type(number) is Fraction
        assert at(symbolic) == number
        assert atom is not None
        assert atom is same
        for part in (*atom.left, *atom.right, *atom.given):
            assert at(value(part, n)) == value(part, SITES)


# What a statement is made of


def test_assumptions_conclusions_chains_and_equalities():
    statement = parse(
        "I(0;2|1) = 0 and 0 <= H(3) <= H(2)\n implies  TC(0,2) <= I(0;1) = I(1;0) and DTC >= 0", 4
    )
    assert [(a.text, a.equal) for a in statement.assumptions] == [
        ("I(0;2|1) = 0", True),
        ("0 <= H(3)", False),
        ("H(3) <= H(2)", False),
    ]
    assert [c.text for c in statement.conclusions] == [
        "TC(0,2) <= I(0;1)",
        "I(0;1) <= I(1;0)",
        "I(0;1) >= I(1;0)",
        "DTC >= 0",
    ]
    assert statement.assumptions[0].form == Information((0,), (2,), (1,)).form(4)
    assert statement.conclusions[1].slack == {}
    assert (statement.sites, statement.coordinates) == (4, "sets")
    assert statement.text.startswith("I(0;2|1) = 0 and 0 <= H(3) <= H(2) implies TC(0,2)")


@each(
    "text, same",
    [
        ("I(0;0)", "H(0)"),
        ("H(0,1|1)", "H(0|1)"),
        ("H(1,1,0)", "H(0,1)"),
        ("H(1|0,1)", "0"),
        ("I(0,1;1,2|1)", "I(0;2|1)"),
        ("TC(0,1|1)", "0"),
        ("TC(2)", "0"),
        ("DTC(0,1)", "I(0;1)"),
        ("DTC(0,1|2)", "I(0;1|2)"),
        ("TC(0,1,2|3)", "I(0;1|3) + I(0,1;2|3)"),
        ("H(0,1,2,3)", "H"),
        ("e(n)", "H"),
        ("e(0)", "0"),
        ("e(1)", "1/4 (H(0) + H(1) + H(2) + H(3))"),
        ("f(n-1)", "(H(0|1,2,3) + H(1|0,2,3) + H(2|0,1,3) + H(3|0,1,2))/4"),
        ("n - (5-1) + TC", "TC"),
        ("(0.3 - .05) TC", "1/4 TC"),
        ("TC ≤ DTC and TC", "TC <= DTC and TC"),
        ("−2·TC", "-2 TC"),
        ("- - TC", "TC"),
        ("2 TC/3/2", "1/3 TC"),
        ("1/2 (n-1) n/3 TC", "2 TC"),
        ("n/2*n DTC", "8 DTC"),
        ("3/4 n(TC + DTC)", "3 TC + 3 DTC"),
        ("-(TC - DTC) n", "4 DTC - 4 TC"),
        ("TC(n-1, n-2)", "TC(2, 3)"),
    ],
)
def test_the_same_said_in_two_ways(text, same):
    first, second = (parse(f"{side} >= 0", 4) for side in (text, same))
    assert [c.slack for c in first.conclusions] == [c.slack for c in second.conclusions]


@each("quantity", [((0,), (2,), (1,)), ((0, 3), (), (1, 2)), ((3,), (0, 1), ()), ((0,), (), ())])
def test_what_certificates_are_written_in_reads_back(quantity):
    (conclusion,) = parse(f"{Information(*quantity)} >= 0", 4).conclusions
    assert conclusion.slack == Information(*quantity).form(4)


def test_a_statement_in_the_profile_may_be_long():
    (conclusion,) = parse("TC <= (n-1) DTC", 64, profile=True).conclusions
    expected = {j: Fraction(64) for j in range(1, 63)} | {63: Fraction(64 - 64 * 63)}
    assert conclusion.slack == expected


# Errors point into the text


def refused(text, problem, sites=4, profile=False):
    """The complaint, and below it the line with a caret where `text` has a mark ^."""
    at = text.index("^")
    clean = text.replace("^", "", 1)
    with pytest.raises(InvalidInput) as error:
        parse(clean, sites, profile)
    said, line, caret = str(error.value).split("\n")
    lines = clean.split("\n")
    number = clean[:at].count("\n")
    column = at - (clean[:at].rfind("\n") + 1)
    assert line == "  " + lines[number].rstrip()
    assert caret == " " * (2 + column) + "^"
    assert said == problem + (f" (line {number + 1})" if number else "")


NAMES = "there are H, I, TC, DTC, e, f and n"


ALONE = "numbers that stand by themselves must cancel, because statements are linear in entropies: "
EITHER = "part of the divisor or not? write *, or parentheses"
PRODUCT = "a product of quantities: statements are linear in them"
MEANS = (
    "a profile has means over all sets of a size, and knows nothing of single sites: "
    "expected TC, DTC, H, e(k) or f(j)"
)


@each(
    "text, problem",
    [
        # statements
        ("^", "expected a number or a quantity, found the end"),
        ("TC^", "expected an operator or a relation (<=, >=, =), found the end"),
        ("TC <=^ ", "expected a number or a quantity, found the end"),
        ("TC <= ^and DTC >= 0", "expected a number or a quantity, found 'and'"),
        ("^implies TC >= 0", "expected a number or a quantity, found 'implies'"),
        ("TC <= DTC implies^  ", "expected a number or a quantity, found the end"),
        ("TC <= DTC ^)", "expected an operator, a relation, 'and' or 'implies', found ')'"),
        (
            "TC >= 0 implies DTC >= 0 ^implies H >= 0",
            "expected an operator, a relation, 'and', found 'implies'",
        ),
        ("TC =^= DTC", "expected a number or a quantity, found '='"),
        ("TC <= ^≤ DTC", "expected a number or a quantity, found '≤'"),
        ("TC ^< DTC", "the sign '<' is strict, which is not decided: write <= or >="),
        # words and signs
        ("TC <= ^DCT", f"there is no 'DCT'; {NAMES}"),
        ("TC <= ^tc", f"there is no 'tc'; {NAMES}"),
        ("TC <= 2 ^% DTC", "the sign '%' is unknown"),
        ("TC <= H^_0", "the sign '_' is unknown"),
        ("TC <= H(0^..3)", "the sign '.' is unknown"),
        # expressions
        ("(TC ^<= DTC", "expected ')', found '<='"),
        ("TC <= (DTC^", "expected ')', found the end"),
        ("TC <= 2 ^3 DTC", "expected an operator before a number, found '3'"),
        ("TC <= 2 ^1/3 DTC", "expected an operator before a number, found '1'"),
        ("TC <= 1/2^n DTC", EITHER),
        ("TC <= DTC + 1/2^(n-1) DTC", EITHER),
        ("TC <= DTC/2 ^(n-1)", EITHER),
        ("TC <= 1/n ^(n-1) DTC", EITHER),
        ("TC <= 1/2/3 ^n DTC", EITHER),
        ("TC <= TC ^(n-1)", "of these sites, or times this? write TC(...) or TC * (...)"),
        ("TC <= TC ^DTC", PRODUCT),
        ("TC <= (H + 1)*^(TC - n)", PRODUCT),
        ("TC <= n/^H", "a division by a quantity: statements are linear in them"),
        ("TC <= DTC/^(n-4)", "a division by 0, with n = 4"),
        ("TC <= ^1", f"{ALONE}1 is left"),
        ("^2 + TC <= DTC + n - n", f"{ALONE}2 is left"),
        ("TC <= (DTC + ^3)/2", f"{ALONE}3/2 is left"),
        # arguments
        ("TC <= H(0 ^1)", "expected an operator before a number, found '1'"),
        ("TC <= H(0,^)", "expected a site, found ')'"),
        ("TC <= H(^|1)", "expected a site, found '|'"),
        ("TC <= H(^", "expected a site, found the end"),
        ("TC <= H(0^;1)", "expected ',', '|' or ')', found ';'"),
        ("TC <= TC(0|1^|2)", "expected ',' or ')', found '|'"),
        ("TC <= I^", "expected '(', found the end"),
        ("TC <= I(0^)", "expected ';', found ')'"),
        ("TC <= I(0;1^;2)", "expected ',', '|' or ')', found ';'"),
        ("TC <= f ^+ TC", "expected '(', found '+'"),
        ("TC <= f(^)", "expected a number, found ')'"),
        ("TC <= f(1^|2)", "expected ')', found '|'"),
        ("TC <= f(^TC)", "expected a number, found a quantity"),
        ("TC <= H(1,^e(1))", "expected a number, found a quantity"),
        ("TC <= f(^n)", "f takes 0..3 where n = 4, got 4"),
        ("TC <= e(^n+1)", "e takes 0..4 where n = 4, got 5"),
        ("TC <= f(^n/3)", "f takes 0..3 where n = 4, got 4/3"),
        ("TC <= I(0;1|2,^-1)", "sites are 0..3 where n = 4, got -1"),
        ("TC <= DTC(0,1,^0)", "DTC is of distinct sites: 0 is there twice"),
        # lines
        ("TC <=\n  DTC +\n H(^9)\n + TC", "sites are 0..3 where n = 4, got 9"),
        ("^(1) >= 0\n", f"{ALONE}1 is left"),
    ],
)
def test_errors_point_to_the_place(text, problem):
    refused(text, problem)


@each("text", ["TC <= ^H(0)", "TC <= 2 ^I(0;1|2) + H", "^TC(0,1) >= 0", "0 <= ^DTC(0)"])
def test_sites_are_refused_in_a_profile(text):
    refused(text, MEANS, profile=True)


WORDS = ["H", "I", "TC", "DTC", "e", "f", "n", "0", "1", "2", "and", "implies", "\n", " ", "?"]
SIGNS = [*"()|;,+-*/.=<", "<=", ">="]


@given(st.data())
@settings(max_examples=100)
def test_whatever_is_written_is_read_or_refused_with_a_place(data):
    text = "".join(data.draw(st.lists(st.sampled_from(WORDS + SIGNS), max_size=12)))
    if data.draw(st.booleans()):
        sound, _ = data.draw(sums(by_size=False))
        at = data.draw(st.integers(0, len(sound)))
        text = f"{sound[:at]}{text[:3]}{sound[at + 2 :]} >= 0"
    try:
        statement = parse(text, SITES)
    except InvalidInput as error:
        _, line, caret = str(error).split("\n")
        assert line[2:] in [line.rstrip() for line in text.split("\n")]
        assert caret.strip() == "^"
        assert 2 < len(caret) <= len(line) + 1
    else:
        assert statement.conclusions


def nested(levels):
    return parse("(" * levels + "TC" + ")" * levels + " >= 0", 4)


def test_long_sums_are_read_and_deep_ones_refused():
    long = " + ".join(["TC", "n TC"] * 2000)
    assert parse(f"{long} >= 0", 2).conclusions[0].slack == {1: 6000, 2: 6000, 3: -6000}
    assert nested(99).conclusions[0].slack == parse("TC >= 0", 4).conclusions[0].slack
    with pytest.raises(InvalidInput, match="nested deeper than 100 levels"):
        nested(100)


test_arguments_are_checked = refusals(
    (
        "sites must be an integer of at least 1, got {}",
        lambda n: parse("TC >= 0", n),
        [0, 2.5, True],
    ),
    ("a statement is a text, got {}", lambda text: parse(text, 3), [None, 3, b"TC >= 0"]),
    (
        "slack must be a function of a distribution, got {}",
        lambda f: from_function(f, 3),
        [None, 0],
    ),
)

test_what_is_too_large_is_refused = refusals(
    (
        r"e\(15\) is a mean over 155117520 sets of 30 sites: more than 262144",
        lambda: parse("e(15) >= 0", 30),
    ),
    (r"30 sites have 2\^30 sets", lambda: from_function(information.total_correlation, 30)),
    error=TooLarge,
)


# From functions


FUNCTIONS = {
    "total correlation": information.total_correlation,
    "gains": information.gains,
    "difference": lambda p: 4 * information.dual_total_correlation(p) - information.entropy(p) / 3,
    "falls": lambda p: -np.diff(information.profile(p)),
    "nested": lambda p: [[information.entropy(p)], (information.mean_entropies(p),), 0],
    "path cost": lambda p: information.path_cost(p, (1, p.length - 1)),
    "growth": information.growth_complexity,
    "gain curve": lambda p: information.gain_curve(p)(Fraction(1, 3)),
}
OF_SETS = {
    "sets": lambda p: information.subset_entropies(p),
    "pairs": lambda p: [
        information.total_correlation(p, s) for s in itertools.combinations(range(p.length), 2)
    ],
}


def flat(result):
    nested = result.tolist() if isinstance(result, np.ndarray) else result
    return (
        [v for part in nested for v in flat(part)]
        if isinstance(nested, (list, tuple))
        else [nested]
    )


@each("name", FUNCTIONS | OF_SETS)
@each("profile", [False, True])
@given(p=tables)
@settings(max_examples=8)
def test_what_a_function_says_about_symbols_it_says_about_tables(name, profile, p):
    if profile and name in OF_SETS:
        pytest.skip("asks for sets")
    function = (FUNCTIONS | OF_SETS)[name]
    statement = from_function(function, SITES, profile)
    numbers = flat(function(p))
    assert len(statement.conclusions) == len(numbers) > 0
    for conclusion, number in zip(statement.conclusions, numbers, strict=True):
        assert value_at(conclusion.slack, p, statement.coordinates) == number
    again = parse(statement.text, SITES, profile)
    assert again.conclusions == statement.conclusions


def bounded(p):
    return [bounds.drops(p, (3,)), bounds.least_drops(p, (3,)), bounds.li_cai(p, (2, 1))]


@pytest.mark.parametrize("profile", [False, True])
@given(tables)
@settings(max_examples=10)
def test_a_bound_is_stated_whichever_side_it_is_on(profile, p):
    statement = from_function(bounded, SITES, profile)
    pairs = list(zip(statement.conclusions, bounded(p), strict=True))
    assert [bound.upper for _, bound in pairs] == [True, False, True]
    assert all(conclusion.slack for conclusion, _ in pairs)
    for conclusion, bound in pairs:
        slack = bound.bound - bound.quantity if bound.upper else bound.quantity - bound.bound
        assert value_at(conclusion.slack, p, statement.coordinates) == slack


def test_a_profile_is_read_in_its_values():
    statement = from_function(lambda p: information.profile(p), 4, profile=True)
    assert [c.slack for c in statement.conclusions] == [{j: 1} for j in range(4)]
    assert statement.text == " and ".join(f"f({j}) >= 0" for j in range(4))
    assert from_function(information.entropy, 1, profile=True).conclusions[0].slack == {0: 1}


NOT_LINEAR = "the function must return its slack, linear in entropies with rational coefficients"
FAILS = "the function must be linear in entropies with rational coefficients; it cannot compare"


test_what_is_not_linear_is_refused = refusals(
    (
        NOT_LINEAR,
        lambda f: from_function(f, 3),
        [
            lambda p: information.total_correlation(p) ** 2,
            lambda p: information.total_correlation(p, base=2),
            lambda p: information.total_correlation(p) + 1,
            lambda p: 1,
            lambda p: 0.5,
            lambda p: True,
            lambda p: None,
            lambda p: [information.entropy(p), [1]],
            lambda p: "TC",
        ],
    ),
    (
        FAILS,
        lambda f: from_function(f, 3),
        [
            lambda p: information.total_correlation(p) <= 3,
            lambda p: 0.5 * information.total_correlation(p),
            lambda p: min(information.total_correlation(p), information.dual_total_correlation(p)),
        ],
    ),
    ("the function returned no numbers", lambda: from_function(lambda p: [], 3)),
    ("have no probabilities", lambda: from_function(lambda p: p.table(), 3)),
    (
        r"means over all sets of a size, not what is asked of sites \(0, 1\)",
        lambda: from_function(lambda p: information.entropy(p, [0, 1]), 3, profile=True),
    ),
)
