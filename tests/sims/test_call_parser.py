"""Calls as users write them: what is called with which arguments, and that nothing is evaluated."""

import os
from fractions import Fraction

import pytest

from sims import policies
from sims.comparison.call_parser import call
from tests.noted import each, refusals
from theory import InvalidInput


def pair(a, b=0):
    return ("pair", a, b)


def nothing():
    return "nothing"


KNOWN = {"pair": pair, "nothing": nothing}
DECODERS = {name: getattr(policies, name) for name in policies.__all__}


def spoken(text):
    return call(text, KNOWN, "thing")


def decoder(text):
    return call(text, DECODERS, "decoder")


# What can be said


@each(
    ("text", "expected"),
    [
        ("nothing", "nothing"),
        ("nothing()", "nothing"),
        ("  nothing ( )\n", "nothing"),
        ("pair(1)", ("pair", 1, 0)),
        ("pair(1, 2)", ("pair", 1, 2)),
        ("pair(b=1, a=2)", ("pair", 2, 1)),
        ("pair(1, b=-2.5)", ("pair", 1, -2.5)),
        ("pair('x', \"y, (z)\")", ("pair", "x", "y, (z)")),
        ("pair((1, 2), (3, (4,)))", ("pair", (1, 2), (3, (4,)))),
        ("pair((), (nothing, pair(1)))", ("pair", (), ("nothing", ("pair", 1, 0)))),
        ("pair(1/4, (0, -1/2, 1))", ("pair", Fraction(1, 4), (0, Fraction(-1, 2), 1))),
        ("pair(None, True)", ("pair", None, True)),
        ("pair({'a': 1}, {2})", ("pair", {"a": 1}, {2})),
        ("pair(pair(1), nothing())", ("pair", ("pair", 1, 0), "nothing")),
        ("pair(a=pair(a=pair(3)))", ("pair", ("pair", ("pair", 3, 0), 0), 0)),
    ],
)
def test_names_and_calls_with_literals_and_calls(text, expected):
    assert spoken(text) == expected


def test_numbers_keep_their_types():
    assert [type(v) for v in spoken("pair(2, 2.0)")[1:]] == [int, float]
    assert type(spoken("pair(True)")[1]) is bool


AS_WRITTEN = [
    "Bernoulli((0, 1/4, 1))",
    "Bisection()",
    "Blocks(2, Bernoulli((0, 1/2, 1)))",
    "Editing(TokenConfidence(1), 0.5, 4, 'flat')",
    "PathPlanning(3, 'leave-one-out')",
    "BlockCorrector(GibbsCorrector(Blocks(2, Speculative(2)), 1), 2, 3)",
    "BlockCorrector(None, 2, 3)",
    "DrawThenKeep(1, 'tempered', noise=0.5, noise_on='score')",
    "DrawThenKeep(1, threshold=0.9)",
    "DrawThenKeep(2, 'margin')",
    "DrawThenKeep(score='tempered', sizes=(1, 2), noise=(4.5, 0.0), ties='random')",
    "EntropyBounded(0.5)",
    "Factor(1.5)",
    "FirstHitting()",
    "FixedOrder((1, 0), (0, 2))",
    "GibbsCorrector(Blocks(2, TopK(1, 'entropy')), 4)",
    "LeftToRight(2)",
    "RandomOrder((1, 2))",
    "Remask((0, 1/2, 1), 1/2)",
    "Remask((0, 1/2, 1), 1, 1/4, 1/2)",
    "RemaskLoop(4, 3/4, 1/4, 1/2, 1/5)",
    "Steps((1,))",
    "Steps((1/2, 1), (1, 0))",
    "Speculative(None)",
    "Threshold(0.75)",
    "TokenConfidence(2)",
    "TokenConfidence(sizes=(2, 1), ties='highest')",
    "TopK(2, 'margin')",
    "TopK(2, 'margin', ties='random')",
    "TopK(2, ties='random')",
    "TopK(sizes=(2, 1, 1), ties='highest')",
]


@each("text", AS_WRITTEN)
def test_decoders_are_written_as_they_are_read(text):
    """The table of the command shows them so; they have to be possible as --policy."""
    assert repr(decoder(text)) == text


def test_a_name_alone_is_also_enough_for_an_argument():
    """``--policy Bisection`` is; then why not ``Blocks(2, Bisection)``."""
    assert repr(decoder("Blocks(2, Bisection)")) == "Blocks(2, Bisection())"


# What cannot

NO_PYTHON = ["", "   ", "pair(", "pair(1))", "1 2", "pair(1,,2)", "pa ir"]
NO_CALL = ["1", "'nothing'", "nothing.x", "nothing()()", "[nothing]", "lambda: 1"]
UNKNOWN = ["other", "other()", "Pair(1)", "pair(other(1))", "__import__('os')"]
CALCULATED = ["2**9", "10**10**10", "'x' * 10**10", "1 < 2", "1/0", "1/2/3", "'a'/2", "1//2"]
"""The second would not end, the third would not fit."""
UNPACKED = ["pair(*[1, 2])", "pair(**{'a': 1})", "pair(1, **{'b': 1})"]
NAMES = ["open", "print", "eval", "os", "KNOWN", "pytest", "self"]
UNREADABLE = ["(" * 5000, "pair(" * 300 + "1" + ")" * 300, f"pair({'9' * 5000})", "pair('\udcff')"]
"""The last is how a byte that is not UTF-8 arrives from a shell."""

test_refusals = refusals(
    ("is no thing: write a name, or name", spoken, [*NO_PYTHON, *NO_CALL, "nothing; nothing"]),
    (r"there is no thing '\w+'; there are nothing, pair$", spoken, UNKNOWN),
    ("pair: missing a required argument: 'a'", spoken, ["pair", "pair()"]),
    ("nothing: too many positional arguments", spoken, ["nothing(1)", "pair(nothing(1))"]),
    ("pair: too many positional arguments", spoken, ["pair(1, 2, 3)"]),
    ("pair: multiple values for argument 'a'", spoken, ["pair(1, a=2)"]),
    ("pair: got an unexpected keyword argument 'c'", spoken, ["pair(1, c=2)"]),
    (".", spoken, UNPACKED),
    (".", spoken, [text.format(name) for name in NAMES for text in ("pair({})", "{}('x')")]),
    (".", spoken, UNREADABLE),
    (
        "is neither a number, a string nor a thing",
        spoken,
        [f"pair({text})" for text in CALCULATED],
    ),
    ("k must be an integer of at least 1, got 0", decoder, ["Blocks(2, TopK(0))"]),
    ("score must be one of", decoder, ["TopK(1, 'luck')"]),
)


# Nothing is evaluated

EVALUATING = [
    "{}",
    "pair({})",
    "pair(1, b={})",
    "pair([{}])",
    "pair(({},))",
    "pair({{1: {}}})",
    "pair(pair({}))",
    "pair(f'{{{}}}')",
    "pair((lambda: {})())",
    "pair([{} for _ in (1,)])",
    "pair({} if True else 1)",
    "pair((x := {}))",
    "pair(-{})",
    "pair(1 + {})",
    "pair(*{})",
    "pair(**{})",
    "pair(nothing().x({}))",
    "nothing()[{}]",
    "{}.__class__",
    "nothing; {}",
    "(nothing, {})",
]


@each("around", EVALUATING)
@each(
    "code",
    [
        "open('made', 'w')",
        "__import__('os').mkdir('made')",
        'exec(\'open("made", "w")\')',
        "nothing.__globals__['os'].mkdir('made')",
        "pair.__builtins__['open']('made', 'w')",
    ],
)
def test_code_is_refused_and_not_run(around, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput):
        spoken(around.format(code))
    assert os.listdir(tmp_path) == []


@each("many", [101, 300, 900, 3000, 20000])
@each("before", ["-", "1/", "1+", "not ", "lambda: ", "x."])
def test_what_is_nested_too_deeply_is_refused_like_any_other(before, many):
    """Each version of Python gives up at another depth, and at another place."""
    with pytest.raises(InvalidInput):
        spoken(f"pair({before * many}x)")


def test_nesting_is_no_fault():
    expected = 1
    for _ in range(90):
        expected = pair(expected, 3)
    assert spoken("pair(" * 90 + "1" + ", 3)" * 90) == expected
