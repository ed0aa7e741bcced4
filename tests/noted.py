"""Tests that look at many things say on failure which they were."""

import functools
import inspect
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from theory import InvalidInput

__all__ = ["CHOSEN", "each", "noted", "refusals"]

CHOSEN = {"text": ""}
"""What the name of a value of `each` has to contain: the option ``--case``."""


@contextmanager
def noted(what):
    """Add `what` to any failure within."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(what)
        raise


def each(names: Any, values: Any, ids: Any = None) -> Callable[[Any], Callable[..., Any]]:
    """One test for all values, for many that take little time each.

    It is written like ``pytest.mark.parametrize``, whose tests cost some milliseconds each before
    anything is looked at. All values are looked at, and those that fail are named; a fixture is
    one for all. The test is skipped if nothing is left, as if each value had been skipped.
    """
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    values = [(value,) if len(names) == 1 else tuple(value) for value in values]
    if any(hasattr(value, "marks") for whole in values for value in (whole, *whole)):
        raise TypeError("each takes values, not pytest.param(...)")
    named = functools.cache(lambda: _named(names, values, ids))

    def decorated(test: Any) -> Callable[..., Any]:
        @functools.wraps(test)
        def of_all(**others: Any) -> None:
            failures, skipped = [], []
            chosen = {name: value for name, value in named().items() if CHOSEN["text"] in name}
            for name, value in chosen.items():
                try:
                    with noted(f"case: {name}"):
                        test(**others, **dict(zip(names, value, strict=True)))
                except pytest.skip.Exception as skip:
                    skipped.append(skip)
                except Exception as failure:
                    failures.append(failure)
            if len(failures) > 1:
                raise ExceptionGroup(f"{len(failures)} of {len(chosen)} cases", failures)
            if failures:
                raise failures[0]
            if len(skipped) == len(chosen):
                raise skipped[0] if skipped else pytest.skip.Exception("no such case")

        signature = inspect.signature(test)
        left = [p for name, p in signature.parameters.items() if name not in names]
        found: Any = of_all
        found.__signature__ = signature.replace(parameters=left)
        return found

    return decorated


def _named(names, values, ids):
    """{name: value}, where values of the same name are distinguished by their number."""
    if ids is None:
        pairs = [zip(names, value, strict=True) for value in values]
        found = [", ".join(f"{name}={v!r}" for name, v in pair) for pair in pairs]
    elif callable(ids):
        found = ["-".join(str(ids(v)) for v in value) for value in values]
    else:
        found = [str(v) for v in ids]
    found = [f"{name} ({k})" if found.count(name) > 1 else name for k, name in enumerate(found)]
    return dict(zip(found, values, strict=True))


def refusals(*rows: Any, error: type[Exception] = InvalidInput) -> Callable[..., Any]:
    """One test of what is refused: rows of a message, a call and a list of bad arguments.

    Each argument is tried by itself, and ``{}`` in the message stands for it. A row without
    arguments is a call that is bad as it is.
    """
    tried = []
    for message, call, *bad in rows:
        if len(bad) > 1 or bad == [[]]:
            raise TypeError(f"a list of bad arguments, or none: {bad}")
        if not bad:
            tried.append((message, call))
        for argument in bad[0] if bad else ():
            named = message.replace("{}", re.escape(str(argument)))
            tried.append((named, functools.partial(call, argument)))

    @each(("message", "call"), tried)
    def refused(message, call):
        with pytest.raises(error, match=message):
            call()

    return refused
