"""Statements about so many sites, from text and from functions of a distribution.

`parse` reads a text in the language of `theory.proofs.syntax`. `from_function` calls a function
with free symbols in place of entropies, so that what the package computes is stated without
writing it down again.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.bound import Bound
from theory._core.log_numbers import LinearForm, as_fraction
from theory.errors import InvalidInput, TooLarge
from theory.proofs.answers import sum_of_multiples
from theory.proofs.free_entropies import FreeEntropies, FreeProfile
from theory.proofs.quantities import Fall, Form, Information, combined, mask_of, sites_of
from theory.proofs.statement import Assumption, Conclusion, Coordinates, Statement
from theory.proofs.syntax import Atom, Expression, Relation, syntax_tree, value
from theory.validation.arguments import as_integer

__all__ = ["from_function", "parse", "written"]

MOST_SETS = 2**18
"""Coefficients in one form."""


def parse(text: str, sites: int, profile: bool = False) -> Statement:
    """Read a statement about so many sites.

    Parameters
    ----------
    text : str
        Relations ``<=``, ``>=``, ``=`` between sums of multiples of quantities, joined by ``and``;
        what is assumed stands before ``implies``. Quantities are ``H(0,1|2)``, ``I(0;1|2)``,
        ``TC``, ``DTC``, ``TC(0,1|2)``, ``DTC(0,1|2)``, mean entropies ``e(k)`` and the profile
        ``f(j)``; coefficients may contain ``n``.
    sites : int
        The number of sites n.
    profile : bool
        Keep mean entropies as forms in the profile. Else they are means over all sets of sites.

    Returns
    -------
    Statement

    Raises
    ------
    InvalidInput
        With the line, a caret below the place, and what was expected there.
    TooLarge
        If a mean is over too many sets of sites.

    Examples
    --------
    >>> (conclusion,) = parse("TC <= (n-1) DTC", 3).conclusions
    >>> written(conclusion.slack, 3)
    '-3 e(1) + 6 e(2) - 3 H'
    >>> (conclusion,) = parse("TC <= (n-1) DTC", 3, profile=True).conclusions
    >>> written(conclusion.slack, 3, "profile")
    '3 f(1) - 3 f(2)'
    >>> parse("TC <= H(0,7)", 4)
    Traceback (most recent call last):
    theory.errors.InvalidInput: sites are 0..3 where n = 4, got 7
      TC <= H(0,7)
                ^
    """
    n = as_integer(sites, "sites", 1)
    tree = syntax_tree(text)
    return Statement(
        tree.text,
        n,
        tuple(
            Conclusion(part.text, _form(part, n, profile))
            for relation in tree.conclusions
            for part in relation.inequalities
        ),
        tuple(
            Assumption(relation.text, _form(relation, n, profile), relation.sign == "=")
            for relation in tree.assumptions
        ),
        "profile" if profile else "sets",
    )


def from_function(slack: Callable[[Any], Any], sites: int, profile: bool = False) -> Statement:
    """State that what a function returns is never negative.

    Parameters
    ----------
    slack : callable
        Takes a distribution, and returns an exact number that is linear in its entropies, a bound
        of `theory.bounds`, or lists of these, each of which is a conclusion.
    sites : int
        Length of the distribution.
    profile : bool
        The function is called with mean entropies only, so it must not ask for those of sets.

    Returns
    -------
    Statement
        Its text can be parsed again.

    Raises
    ------
    InvalidInput
        If the function compares entropies, or returns something that is not linear in them with
        rational coefficients.
    TooLarge
        If there are too many sets of sites.

    Examples
    --------
    >>> from theory import bounds, information
    >>> def slack(p):
    ...     return 2 * information.total_correlation(p) - information.dual_total_correlation(p)
    >>> from_function(slack, 3).text
    '6 e(1) - 3 e(2) >= 0'
    >>> from_function(slack, 3, profile=True).text
    '3 f(0) - 3 f(1) >= 0'
    >>> from_function(lambda p: bounds.li_cai(p, (1, 2)), 3, profile=True).text
    'f(0) - f(1) >= 0'
    """
    n = as_integer(sites, "sites", 1)
    if not callable(slack):
        raise InvalidInput(f"slack must be a function of a distribution, got {slack!r}")
    if not profile and 2**n > MOST_SETS:
        raise TooLarge(f"{n} sites have 2^{n} sets: more than {MOST_SETS}; or use profile=True")
    p = FreeProfile(n) if profile else FreeEntropies(n)
    try:
        results = list(_flat(slack(p)))
    except TypeError as error:
        raise InvalidInput(
            f"the function must be linear in entropies with rational coefficients; it cannot "
            f"compare them or turn them into floats: {error}"
        ) from error
    if not results:
        raise InvalidInput("the function returned no numbers")
    symbols = _symbols(p)
    forms = [_read(result, symbols) for result in results]
    kind: Coordinates = "profile" if profile else "sets"
    texts = [f"{written(form, n, kind)} >= 0" for form in forms]
    return Statement(" and ".join(texts), n, tuple(map(Conclusion, texts, forms)), coordinates=kind)


def written(form: Form, sites: int, coordinates: Coordinates = "sets") -> str:
    """A form as text that can be parsed again.

    >>> written({1: Fraction(1), 2: Fraction(1), 3: Fraction(-1)}, 2)
    '2 e(1) - H'
    >>> written({1: Fraction(1, 2), 6: Fraction(-1)}, 3)
    '1/2 H(0) - H(1,2)'
    """
    if coordinates == "profile":
        return sum_of_multiples([(c, f"f({j})") for j, c in sorted(form.items())])
    terms = []
    for size in range(1, sites + 1):
        here = {bits: c for bits, c in sorted(form.items()) if bits.bit_count() == size}
        count = math.comb(sites, size)
        if size == sites:
            terms += [(c, "H") for c in here.values()]
        elif len(here) == count and len(set(here.values())) == 1:
            terms.append((count * next(iter(here.values())), f"e({size})"))
        else:
            terms += [(c, str(Information(sites_of(bits)))) for bits, c in here.items()]
    return sum_of_multiples(terms)


# From text


def _form(relation: Relation, n: int, profile: bool) -> Form:
    """The slack of a relation."""
    terms = relation.slack(n)
    alone = [term for term in terms if term.atom is None and term.coefficient]
    if constant := sum(term.coefficient for term in alone):
        first = min((term.place for term in alone), key=lambda place: place.start)
        raise first.error(
            f"numbers that stand by themselves must cancel, because statements are linear in "
            f"entropies: {abs(constant)} is left"
        )
    expand = _profile_form if profile else _set_form
    return combined((c, expand(atom, n)) for c, atom, _ in terms if atom is not None)


def _profile_form(atom: Atom, n: int) -> Form:
    """An atom by the coefficients of f(0), ..., f(n-1)."""
    if atom.name == "f":
        return {_argument(atom, n, n - 1): Fraction(1)}
    if atom.name == "e":
        return dict.fromkeys(range(_argument(atom, n, n)), Fraction(1))
    if atom.left:
        raise atom.place.error(
            "a profile has means over all sets of a size, and knows nothing of single sites: "
            "expected TC, DTC, H, e(k) or f(j)"
        )
    all_sites: Form = dict.fromkeys(range(n), Fraction(1))
    if atom.name == "TC":
        return combined([(Fraction(n), {0: Fraction(1)}), (Fraction(-1), all_sites)])
    if atom.name == "DTC":
        return combined([(Fraction(1), all_sites), (Fraction(-n), {n - 1: Fraction(1)})])
    return all_sites


def _set_form(atom: Atom, n: int) -> Form:
    """An atom by the coefficients of the entropies of sets."""
    if atom.name == "e":
        return _mean_entropy(_argument(atom, n, n), n, atom)
    if atom.name == "f":
        j = _argument(atom, n, n - 1)
        steps = [(Fraction(1), j + 1), (Fraction(-1), j)]
        return combined((sign, _mean_entropy(k, n, atom)) for sign, k in steps)
    left, right, given = (_sites(part, n) for part in (atom.left, atom.right, atom.given))
    left = left if atom.left else tuple(range(n))
    whole = Information(left, right, given).form(n)
    if atom.name in ("H", "I"):
        return whole
    if len(set(left)) < len(left):
        twice = next(part for k, part in enumerate(atom.left) if left[k] in left[:k])
        raise twice.place.error(
            f"{atom.name} is of distinct sites: {value(twice, n)} is there twice"
        )
    if atom.name == "TC":
        alone = (Information((i,), (), given).form(n) for i in left)
        return combined([(Fraction(-1), whole), *((Fraction(1), form) for form in alone)])
    others = (Information((i,), (), (*set(left) - {i}, *given)).form(n) for i in left)
    return combined([(Fraction(1), whole), *((Fraction(-1), form) for form in others)])


def _mean_entropy(size: int, n: int, atom: Atom) -> Form:
    """The mean over all sets of a size, by the entropies of sets."""
    count = math.comb(n, size)
    if count > MOST_SETS:
        raise TooLarge(
            f"{atom.place} is a mean over {count} sets of {n} sites: more than {MOST_SETS}; "
            f"or state it with profile=True"
        )
    sets = itertools.combinations(range(n), size)
    return dict.fromkeys(map(mask_of, sets), Fraction(1, count)) if size else {}


def _argument(atom: Atom, n: int, most: int) -> int:
    """What e or f is taken at."""
    (argument,) = atom.left
    return _whole(argument, n, f"{atom.name} takes 0..{most} where n = {n}", most)


def _sites(sites: tuple[Expression, ...], n: int) -> tuple[int, ...]:
    return tuple(_whole(site, n, f"sites are 0..{n - 1} where n = {n}", n - 1) for site in sites)


def _whole(expression: Expression, n: int, rule: str, most: int) -> int:
    number = value(expression, n)
    if number.denominator != 1 or not 0 <= number <= most:
        raise expression.place.error(f"{rule}, got {number}")
    return int(number)


# From functions


def _symbols(p: FreeEntropies | FreeProfile) -> dict[Any, Form]:
    """The form that each symbol stands for."""
    if isinstance(p, FreeProfile):
        falls = {symbol: Fall(j).form(p.length) for j, symbol in enumerate(p.falls)}
        return {**falls, p.last: Fall(p.length - 1).form(p.length)}
    return {
        symbol: {sum(bit << i for i, bit in enumerate(index)): Fraction(1)}
        for index, entropy in np.ndenumerate(p.subset_entropies())
        for symbol in entropy.free_symbols
    }


def _flat(result: Any) -> Iterator[Any]:
    """What is to be nonnegative, of lists within lists."""
    if isinstance(result, Bound):
        yield result.slack
    elif isinstance(result, np.ndarray):
        yield from _flat(result.tolist())
    elif isinstance(result, (list, tuple)):
        for part in result:
            yield from _flat(part)
    else:
        yield result


def _read(result: Any, symbols: dict[Any, Form]) -> Form:
    """The form of an exact number that is linear in the symbols."""
    number = as_fraction(result) if not isinstance(result, (bool, np.bool_)) else None
    form = LinearForm({}) if number == 0 else result
    if not isinstance(form, LinearForm) or form.numerators.keys() - symbols.keys():
        raise InvalidInput(
            f"the function must return its slack, linear in entropies with rational coefficients "
            f"and without constants, or a bound; got {result!r}"
        )
    return combined((form.coefficient(key), symbols[key]) for key in form.numerators)
