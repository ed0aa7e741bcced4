"""Turns a residual on free entropies into a proof, with a certificate for each of its numbers."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from theory._core.bound import Bound
from theory._core.plurals import counted
from theory.claims.kit.inequality import sides
from theory.proofs.answers import Proof, Refutation, Unknown
from theory.proofs.decide import prove
from theory.proofs.every_length import ProofForEveryLength
from theory.proofs.free_entropies import FreeEntropies, FreeProfile
from theory.proofs.quantities import Form
from theory.proofs.statement import Conclusion, Statement
from theory.proofs.text import from_function, written

__all__ = ["certified"]


def certified(
    words: str, residual: Any, p: FreeEntropies | FreeProfile
) -> Proof | ProofForEveryLength | Refutation | Unknown:
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
    answer
        Of `theory.prove`.

    >>> from theory import bounds
    >>> p = FreeProfile(4)
    >>> print(certified("the largest batch", bounds.largest_batch(p, (1, 3)), p))
    proved
    slack of 2 f(1) - f(2) - f(3) <= 2 f(0) - 2 f(3):  2 (f(0) - f(1)) + (f(2) - f(3))
    """
    compared = list(_comparisons(residual))
    both = [side for least, most, _ in compared for side in (least, most)]
    read = from_function(lambda _: both, p.length, isinstance(p, FreeProfile))
    forms = [conclusion.slack for conclusion in read.conclusions]
    conclusions: list[Conclusion] = []
    for least, most, (_, _, equal) in zip(forms[::2], forms[1::2], compared, strict=True):
        if equal:
            text = f"{words} ({counted(p.length, 'site')})"
            slacks = [least, _minus({}, least)] if least else [least]
        else:
            text = " <= ".join(written(side, p.length, read.coordinates) for side in (least, most))
            slacks = [_minus(most, least)]
        conclusions += [Conclusion(text, slack) for slack in slacks]
    statement = Statement(words, p.length, tuple(conclusions), coordinates=read.coordinates)
    return prove(statement)


def _comparisons(residual: Any) -> Iterator[tuple[Any, Any, bool]]:
    """What is compared: two sides, and whether they are equal or the first is at most the other."""
    if isinstance(residual, Bound):
        yield *sides(residual), False
    elif isinstance(residual, (tuple, list)):
        for part in residual:
            yield from _comparisons(part)
    else:
        yield residual, 0, True


def _minus(form: Form, other: Form) -> Form:
    """The difference of two forms, without zeros."""
    keys = sorted({*form, *other})
    found = {key: form.get(key, Fraction(0)) - other.get(key, Fraction(0)) for key in keys}
    return {key: coefficient for key, coefficient in found.items() if coefficient}
