"""The JSON of the cases of a sweep and of their results, and the generator of each case.

Both are dicts of names to numbers, strings, None and lists of these. NumPy's types become plain
ones and lists become tuples, so that a case reads the same before and after it was written. What
JSON has no word for is written ``{"float": "nan"}``, or ``"inf"``, or ``"-inf"``; integers of
thousands of digits ``{"integer": "0x..."}``; exact numbers ``{"fraction": [1, 3]}`` and
``{"logarithms": [[2, 3], [5, -1]], "denominator": 2}``, which is (3 log 2 - log 5) / 2.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.log_numbers import LinearForm
from theory.errors import InvalidInput

__all__ = ["Case", "as_case", "generator_of", "key_of", "listed", "read", "spelled", "written"]

Case = dict[str, Any]

MAX_BITS = 10_000
"""Of integers that JSON has in digits: Python reads up to 4,300."""


def as_case(given: Mapping[Any, Any]) -> Case:
    """Return names and values in plain types.

    >>> as_case({"p": np.float64(0.5), "sites": [0, np.int64(2)]})
    {'p': 0.5, 'sites': (0, 2)}
    """
    for name in given:
        if not isinstance(name, str):
            raise InvalidInput(f"names must be strings, got {name!r}")
    return {name: _plain(value, name) for name, value in given.items()}


def listed(cases: Iterable[Any]) -> dict[str, Case]:
    """Return the cases by their keys.

    >>> listed([{"b": 1, "a": 2}])
    {'{"a": 2, "b": 1}': {'b': 1, 'a': 2}}
    """
    found: dict[str, Case] = {}
    for given in cases:
        if not isinstance(given, Mapping):
            raise InvalidInput(f"a case must be a dict of parameters, got {given!r}")
        case = as_case(given)
        key = key_of(case)
        if key in found:
            raise InvalidInput(f"the case {spelled(case)} is there twice")
        found[key] = case
    return found


def key_of(case: Case) -> str:
    """Return the JSON of a case, whatever the order of its names.

    >>> key_of({"b": 1.0, "a": 1})
    '{"a": 1, "b": 1.0}'
    """
    return json.dumps(written(case), sort_keys=True, allow_nan=False)


def written(case: Case) -> dict[str, Any]:
    """Return a case or results in what JSON has words for.

    >>> written({"x": (1, math.inf)})
    {'x': [1, {'float': 'inf'}]}
    """
    return {name: _encode(value) for name, value in case.items()}


def read(entries: Mapping[str, Any]) -> Case:
    """Return a case or results from what the JSON holds.

    >>> read({"x": [1, {"float": "inf"}]})
    {'x': (1, inf)}
    """
    return {name: _decode(entry) for name, entry in entries.items()}


def spelled(case: Case) -> str:
    """Return a case as a message names it.

    >>> spelled({"policy": "TopK", "length": 4})
    "policy='TopK' length=4"
    """
    return " ".join(f"{name}={value!r}" for name, value in case.items())


def generator_of(seed: int, key: str) -> np.random.Generator:
    """Return the generator of a case: its seed is SHA-256 of ``[seed,key]``."""
    digest = hashlib.sha256(f"[{seed},{key}]".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _plain(value: Any, name: str) -> Any:
    match value:
        case None | bool() | Fraction():
            return value
        case LinearForm() if not value.free_symbols:
            return value
        case np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value)
        case str():
            return str(value)
        case list() | tuple():
            return tuple(_plain(entry, name) for entry in value)
        case np.ndarray():
            return _plain(value.tolist(), name)
    raise InvalidInput(
        f"{name} must be a number, a string, None or a list of these, got {value!r} of type "
        f"{type(value).__name__}"
    )


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return {"integer": hex(value)}
    if isinstance(value, Fraction):
        return {"fraction": _encode(value.as_integer_ratio())}
    if isinstance(value, LinearForm):
        logarithms = _encode(tuple(sorted(value.numerators.items())))
        return {"logarithms": logarithms, "denominator": _encode(value.denominator)}
    return value


def _decode(entry: Any) -> Any:
    if isinstance(entry, list):
        return tuple(_decode(each) for each in entry)
    if not isinstance(entry, dict):
        return entry
    if "integer" in entry:
        return int(entry["integer"], 16)
    if "fraction" in entry:
        return Fraction(*_decode(entry["fraction"]))
    if "logarithms" in entry:
        return LinearForm(dict(_decode(entry["logarithms"])), _decode(entry["denominator"]))
    return float(entry["float"])
