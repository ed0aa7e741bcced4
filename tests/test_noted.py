"""Tests of many cases: none is left out, and those that fail are named."""

import inspect

import pytest

from tests import noted
from tests.noted import each, refusals
from theory import InvalidInput, TooLarge


@pytest.fixture
def chosen(monkeypatch):
    return lambda text: monkeypatch.setitem(noted.CHOSEN, "text", text)


def notes(failure):
    if isinstance(failure, ExceptionGroup):
        return [[*failure.__notes__, *note] if hasattr(failure, "__notes__") else note
                for inner in failure.exceptions for note in notes(inner)]  # fmt: skip
    return [failure.__notes__]


def test_all_values_are_looked_at_and_those_that_fail_are_named():
    seen = []

    @each("x", range(5))
    def odd(x):
        seen.append(x)
        assert x % 2

    with pytest.raises(ExceptionGroup, match="3 of 5 cases") as failed:
        odd()
    assert seen == [0, 1, 2, 3, 4]
    assert notes(failed.value) == [["case: x=0"], ["case: x=2"], ["case: x=4"]]


def test_one_failure_is_raised_as_it_is():
    @each(("x", "y"), [(1, 1), (1, 0)], ids=["one", "none"])
    def quotient(x, y):
        return x / y

    with pytest.raises(ZeroDivisionError) as failed:
        quotient()
    assert notes(failed.value) == [["case: none"]]


def test_products_of_values():
    seen = []

    @each("x", [1, 2])
    @each("y, z", [(3, 4), (5, 6)])
    def sums(x, y, z):
        seen.append((x, y, z))
        assert x + y + z == 8

    with pytest.raises(ExceptionGroup) as failed:
        sums()
    assert seen == [(1, 3, 4), (1, 5, 6), (2, 3, 4), (2, 5, 6)]
    assert notes(failed.value) == [
        ["case: y=5, z=6", "case: x=1"],
        ["case: x=2", "case: y=3, z=4"],
        ["case: x=2", "case: y=5, z=6"],
    ]


@pytest.mark.parametrize("outer", [1, 2])
@each("x", [1, 2])
def test_other_arguments_are_left_to_pytest(tmp_path, x, outer):
    assert tmp_path.is_dir()
    assert {x, outer} <= {1, 2}


def test_the_signature_has_no_values():
    @each("x", [1])
    def test(tmp_path, x):
        raise AssertionError

    assert list(inspect.signature(test).parameters) == ["tmp_path"]


def test_a_case_can_be_chosen(chosen):
    seen = []
    all_of_them = each("x", [10, 20, 21], ids=str)(lambda x: seen.append(x))
    chosen("2")
    all_of_them()
    assert seen == [20, 21]
    chosen("3")
    with pytest.raises(pytest.skip.Exception, match="no such case"):
        all_of_them()


def test_values_of_the_same_name_are_told_apart():
    seen = []
    each("x", [1, 1, 2], ids=lambda x: "abc"[x])(lambda x: seen.append(x))()
    assert seen == [1, 1, 2]


def test_skipped_if_every_case_is():
    @each("x", [1, 2])
    def skipping(x, most):
        if x <= most:
            pytest.skip(f"{x}")

    skipping(most=1)
    with pytest.raises(pytest.skip.Exception, match="1"):
        skipping(most=2)


def test_names_and_values_have_to_fit():
    with pytest.raises(ValueError, match="zip"):
        each("x", [1, 2], ids=["one"])(lambda x: None)()


def refuse(x):
    if x != 3:
        raise InvalidInput(f"got {x} [!]")


def test_refusals_try_every_argument_by_itself():
    refusals(("got {} ", refuse, [1, 2]), ("got 5", lambda: refuse(5)))()
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        refusals(("got", refuse, [1, 3]))()
    with pytest.raises(AssertionError, match="did not match"):
        refusals(("got 1", refuse, [1, 2]))()
    with pytest.raises(InvalidInput):
        refusals(("got", refuse, [1]), error=TooLarge)()


def test_refusals_of_nothing_are_a_mistake():
    for bad in ([[]], [[1], [2]]):
        with pytest.raises(TypeError, match="a list of bad arguments"):
            refusals(("got", refuse, *bad))
