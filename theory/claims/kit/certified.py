"""Turns a residual on free entropies into a proof, with a certificate for each of its numbers."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from theory import information
from theory._core.bound import Bound
from theory._core.log_numbers import LinearForm
from theory._core.plurals import counted
from theory.claims.kit.inequality import sides
from theory.errors import InvalidInput
from theory.proofs.answers import Certificate, Proof, Unknown, as_sum
from theory.proofs.free_entropies import FreeEntropies, FreeProfile
from theory.proofs.quantities import Fall, Form, mask_of, names_of, sites_of
from theory.proofs.statement import Conclusion, Statement

__all__ = ["certified"]


def certified(words: str, residual: Any, p: FreeEntropies | FreeProfile) -> Proof | Unknown:
    """Prove that the numbers of a residual vanish and that its bounds hold, for all distributions.

    Parameters
    ----------
    words : str
        What the residual says.
    residual : nested list of numbers and bounds
        Linear in the symbols of `p`: the entropies of sets of sites, or what the profile falls.
    p : FreeEntropies or FreeProfile
        What it was evaluated on.

    Returns
    -------
    Proof or Unknown
        A number has to have no terms. The slack of a bound in the profile is a sum of falls.

    >>> from theory import bounds
    >>> p = FreeProfile(4)
    >>> print(certified("the largest batch", bounds.largest_batch(p, (1, 3)), p))
    proved
    slack of 2 f(1) - f(2) - f(3) <= 2 f(0) - 2 f(3):  2 (f(0) - f(1)) + (f(2) - f(3))
    """
    symbols, conclusions, equalities = _symbols(p), [], []
    kind = "profile" if isinstance(p, FreeProfile) else "sets"
    for least, most, equal in _comparisons(residual):
        left, right = _form(least, symbols), _form(most, symbols)
        text = f"{_written(left, kind)} <= {_written(right, kind)}"
        text = f"{words} ({counted(p.length, 'site')})" if equal else text
        conclusions.append(Conclusion(text, _form(most - least, symbols)))
        equalities.append(equal)
    statement = Statement(words, p.length, tuple(conclusions), coordinates=kind)
    certificates = []
    for conclusion, equal in zip(conclusions, equalities, strict=True):
        terms = _falls(conclusion.slack, p.length) if kind == "profile" and not equal else ()
        certificate = Certificate(conclusion, terms)
        if not certificate.check(p.length):
            return Unknown(statement, conclusion, {}, min(conclusion.slack.values()))
        certificates.append(certificate)
    return Proof(statement, tuple(certificates))


def _comparisons(residual: Any) -> Iterator[tuple[Any, Any, bool]]:
    """What is compared: two sides, and whether they are equal or the first is at most the other."""
    if isinstance(residual, Bound):
        yield *sides(residual), False
    elif isinstance(residual, (tuple, list)):
        for part in residual:
            yield from _comparisons(part)
    else:
        yield residual, LinearForm({}), True


def _symbols(p: FreeEntropies | FreeProfile) -> dict[Any, Form]:
    """What each symbol stands for."""
    one = Fraction(1)
    if isinstance(p, FreeProfile):
        (last,) = information.profile(p)[-1].numerators
        falls = {symbol: Fall(j).form(p.length) for j, symbol in enumerate(p.falls)}
        return {**falls, last: {p.length - 1: one}}
    entropies = p.subset_entropies()
    return {
        symbol: {mask_of(np.flatnonzero(index).tolist()): one}
        for index in np.ndindex(entropies.shape)
        for symbol in entropies[index].numerators
    }


def _form(number: Any, symbols: Mapping[Any, Form]) -> Form:
    """The coefficients of the entropies of sets, or of the profile."""
    found = defaultdict(Fraction)
    for symbol, multiplier in _coefficients(number).items():
        if symbol not in symbols:
            raise InvalidInput(f"a number that is not linear in free entropies: {number}")
        for key, coefficient in symbols[symbol].items():
            found[key] += multiplier * coefficient
    return {key: found[key] for key in sorted(found) if found[key]}


def _written(form: Form, kind: str) -> str:
    """A form as text."""
    names = (f"f({key})" if kind == "profile" else f"H({names_of(sites_of(key))})" for key in form)
    return as_sum(list(zip(form.values(), names, strict=True)))


def _coefficients(number: Any) -> dict[Any, Fraction]:
    """What each symbol is multiplied by; a constant stands under 1."""
    import sympy

    if isinstance(number, LinearForm):
        return {symbol: number.coefficient(symbol) for symbol in number.numerators}
    found = sympy.expand(sympy.sympify(number)).as_coefficients_dict()
    return {symbol: Fraction(int(c.p), int(c.q)) for symbol, c in found.items() if c}


def _falls(slack: Form, length: int) -> tuple[tuple[Fraction, Fall], ...]:
    """The slack as a sum of falls, with any multipliers: the falls are a basis."""
    sums = itertools.accumulate(slack.get(j, Fraction(0)) for j in range(length))
    return tuple((multiplier, Fall(j)) for j, multiplier in enumerate(sums) if multiplier)
