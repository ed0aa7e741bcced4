"""Signs of rational expressions in symbols that are in order, such as ``a < r < b <= L``.

A region is given by affine inequalities ``g_i >= 0``, as many as there are symbols. With new
variables ``y_i = g_i >= 0`` the expression is a quotient of polynomials in y, and where none of
their coefficients is negative it cannot be negative on the region. Where some are, the region is
cut, into ``y_i = 0`` and ``y_i >= 1`` or into ``y_i <= y_j`` and ``y_i > y_j``, and each part is
treated alike ("successive difference substitution", from memory). The cuts and the polynomials are
the certificate.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from theory.errors import InvalidInput
from theory.proofs.polynomials import Polynomial, added, as_quotient, at, shifted, without

__all__ = ["Cut", "Negative", "Nonnegative", "Undecided", "nonnegative"]

MAX_CUTS = 6
"""Cuts within each other, with two variables or more."""

MAX_PARTS = 4000
"""Parts of regions that are looked at."""

MAX_VALUES = 512
"""With one variable: how many of its first values are looked at one by one."""

TRIED = (0, 1, 2, 5, 20, 1000, 10**6)
"""Values of the variables at which a negative value is looked for."""


@dataclass(frozen=True)
class Cut:
    """Where a region is cut, and how its parts are; None stands for a part that is not.

    Attributes
    ----------
    kind : {"values", "order"}
        ``y_i = 0, ..., y_i = j - 1`` and ``y_i >= j``; or ``y_i <= y_j`` and ``y_i >= y_j + 1``.
    i, j : int
    parts : tuple of Cut or None
    """

    kind: Literal["values", "order"]
    i: int
    j: int
    parts: "tuple[Cut | None, ...]"

    def substitutions(self, names: Sequence[Any]) -> list[dict[Any, Any]]:
        """What stands for a variable on each part: together they cover all integers."""
        i = names[self.i]
        if self.kind == "values":
            return [*({i: 0 * i + value} for value in range(self.j)), {i: i + self.j}]
        j = names[self.j]
        return [{j: i + j}, {i: i + j + 1}]


@dataclass(frozen=True)
class Nonnegative:
    """An expression that is never negative on a region, with what shows it. It is true.

    Attributes
    ----------
    expression : Expr
    region : tuple of Expr
        Affine forms that are at least 0 on the region, as many as symbols.
    symbols : tuple of Symbol
    cuts : Cut or None
    """

    expression: Any
    region: tuple[Any, ...]
    symbols: tuple[Any, ...]
    cuts: Cut | None = None

    def check(self) -> bool:
        """Substitute and expand again, part by part, with SymPy.

        Returns
        -------
        bool
            True if the variables are what the region's forms are, and no coefficient of the
            numerator and of the denominator is negative on any part.
        """
        import sympy

        places, names = self._places()
        values = [form.subs(places) for form in self.region]
        if any(sympy.expand(v - y) != 0 for v, y in zip(values, names, strict=True)):
            return False
        if self.cuts is not None and not _is_whole(self.region, self.symbols):
            return False
        for place in self._parts():
            parts = sympy.fraction(sympy.together(self.expression.subs(place)))
            if not _is_shown([sympy.Poly(part, *names).as_dict() for part in parts]):
                return False
        return True

    def _places(self) -> tuple[dict[Any, Any], Sequence[Any]]:
        """What the symbols are in the variables, and these."""
        names = _variables(len(self.region))
        places = _solved(self.region, self.symbols, names)
        assert places is not None
        return places, names

    def _parts(self) -> list[dict[Any, Any]]:
        """What the symbols are in the variables, on each part."""
        places, names = self._places()

        def within(cut: Cut | None, place: dict[Any, Any]) -> list[dict[Any, Any]]:
            if cut is None:
                return [place]
            return [
                leaf
                for part, new in zip(cut.parts, cut.substitutions(names), strict=True)
                for leaf in within(part, {s: v.subs(new) for s, v in place.items()})
            ]

        return within(self.cuts, places)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return "\n".join(["proved", *self._lines(str, "with")])

    @property
    def latex(self) -> str:
        """The expression on each part, in mathematical notation, one a line."""
        import sympy

        return " \\\\\n".join(self._lines(sympy.latex, r"\quad"))

    def _lines(self, written: Callable[[Any], str], between: str) -> list[str]:
        """The expression on each part in variables that are not negative, and what these are."""
        import sympy

        lines = []
        for place in self._parts():
            value = sympy.factor(self.expression.subs(place))
            if "-" in str(value):  # a factor with a negative coefficient
                above, below = map(sympy.expand, sympy.fraction(sympy.together(value)))
                value = above / below
            where = (f"{written(s)} = {written(sympy.expand(v))}" for s, v in place.items())
            lines.append(
                f"{written(self.expression)} = {written(value)} {between} {', '.join(where)}"
            )
        return lines


@dataclass(frozen=True)
class Negative:
    """A point of a region at which an expression is negative. It is false.

    Attributes
    ----------
    expression : Expr
    point : mapping
        From symbols to numbers.
    value : Fraction
    """

    expression: Any
    point: Mapping[Any, Fraction]
    value: Fraction

    def check(self) -> bool:
        """Put the point in again."""
        return self.value < 0 and self.expression.subs(self.point) == self.value

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        where = ", ".join(f"{symbol} = {value}" for symbol, value in self.point.items())
        return f"negative: {self.value} at {where}"


@dataclass(frozen=True)
class Undecided:
    """Neither shown nor refuted: negative coefficients are left after all cuts. It is false.

    Attributes
    ----------
    expression : Expr
    """

    expression: Any

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"undecided: whether {self.expression} is ever negative"


def nonnegative(expression: Any, region: Iterable[Any]) -> Nonnegative | Negative | Undecided:
    """Show that an expression is never negative where symbols are in order, or find where it is.

    Parameters
    ----------
    expression : Expr
        A quotient of polynomials in the symbols, with rational coefficients. That its denominator
        is not 0 on the region is shown likewise.
    region : iterable of relations
        Inequalities between affine expressions, such as ``[a >= 0, a < r, r < b, b <= L]``, and
        what SymPy knows of the symbols, as of ``Symbol("a", integer=True, nonnegative=True)``.
        At least as many as there are symbols; of more, some are used for a proof, and all for a
        point where the expression is negative. Without ``integer=True`` symbols are real
        numbers; then no inequality may be strict, and nothing is cut.

    Returns
    -------
    Nonnegative, Negative or Undecided
        Of these only the first is true. All but the last have ``.check()``.

    Raises
    ------
    InvalidInput
        If the expression is no quotient of polynomials, or the region leaves symbols free.

    Examples
    --------
    What a batch from a to b costs on the profile 1{j < r} is at most the share (b-a-1)/(L-a-1) of
    its total correlation L - r:

    >>> import sympy
    >>> a, b, r, n = sympy.symbols("a b r L", integer=True)
    >>> between = [a >= 0, a < r, r < b, b <= n]
    >>> shown = nonnegative((b - a - 1) * (n - r) - (b - r) * (n - a - 1), between)
    >>> shown.check()
    True
    >>> print(nonnegative((b - a - 2) * (n - r) - (b - r) * (n - a - 1), between))
    negative: -1 at L = 2, a = 0, b = 2, r = 1
    >>> print(nonnegative(r * (b - r), [a >= 0, a < r, r < b]))
    proved
    r*(b - r) = (y2 + 1)*(y0 + y1 + 1) with a = y0, b = y0 + y1 + y2 + 2, r = y0 + y1 + 1
    """
    import sympy

    expression = sympy.sympify(expression)
    forms, symbols = _affine_forms(expression, list(region))
    names = _variables(len(symbols))
    answer: Nonnegative | Negative | Undecided | None = None
    for chosen in itertools.combinations(forms, len(symbols)):
        places = _solved(chosen, symbols, names)
        if places is None:
            continue
        quotient = as_quotient(expression.subs(places), names)
        if quotient is None:
            raise InvalidInput(f"not a quotient of polynomials over the rationals: {expression}")
        if _is_shown(quotient):
            return Nonnegative(expression, chosen, symbols)
        whole = _is_whole(chosen, symbols)
        if answer is None:
            found = _negative(expression, quotient, places, forms)  # which is false
            answer = Undecided(expression) if found is None else found
        if isinstance(answer, Undecided) and whole:
            shown, cuts = _Search().shown(quotient)
            if shown:
                return Nonnegative(expression, chosen, symbols, cuts)
    if answer is None:
        raise InvalidInput(f"the region leaves some of the symbols {symbols} free: {list(region)}")
    return answer


def _affine_forms(expression: Any, region: list[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """What is at least 0 on a region, and the symbols."""
    import sympy

    relations = [relation for relation in region if relation not in (True, sympy.true)]
    for relation in relations:
        if not isinstance(relation, (sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt)):
            raise InvalidInput(f"a region has inequalities between symbols, got {relation!r}")
    found = expression.free_symbols.union(*(relation.free_symbols for relation in relations))
    symbols = tuple(sorted(found, key=str))
    whole = all(s.is_integer for s in symbols)
    forms = [s - int(bool(s.is_positive and whole)) for s in symbols if s.is_nonnegative]
    for relation in relations:
        form = sympy.expand(relation.gts - relation.lts)
        if not form.is_polynomial(*symbols) or sympy.Poly(form, *symbols).total_degree() > 1:
            raise InvalidInput(f"a region has affine inequalities, got {relation}")
        form *= math.lcm(*(int(c.q) for c in form.as_coefficients_dict().values() if c.is_Rational))
        if isinstance(relation, (sympy.Lt, sympy.Gt)):
            if not whole:
                raise InvalidInput(f"a strict inequality needs integers: {relation}")
            form -= 1
        forms.append(form)
    return list(dict.fromkeys(forms)), symbols


def _variables(count: int) -> Sequence[Any]:
    """Symbols for the values of the forms of a region."""
    import sympy

    return sympy.symbols(f"y:{count}", seq=True)


def _solved(forms: Sequence[Any], symbols: Sequence[Any], names: Any) -> dict[Any, Any] | None:
    """The symbols where the forms have these values, or None if that is not one point."""
    import sympy

    equations = [form - y for form, y in zip(forms, names, strict=True)]
    matrix, right = sympy.linear_eq_to_matrix(equations, *symbols)
    if matrix.det() == 0:
        return None
    return dict(zip(symbols, matrix.LUsolve(right), strict=True))


def _is_whole(forms: Sequence[Any], symbols: Sequence[Any]) -> bool:
    """Tell whether the forms are integers on their region."""
    coefficients = [c for form in forms for c in form.as_coefficients_dict().values()]
    return all(s.is_integer for s in symbols) and all(c.is_integer for c in coefficients)


def _is_shown(quotient: Sequence[Polynomial]) -> bool:
    """Tell whether both have no negative coefficient, and the last is not 0 anywhere.

    Both may have their signs changed.
    """
    numerator, denominator = quotient
    constant = next((c for exponents, c in denominator.items() if not any(exponents)), 0)
    sign = 1 if constant > 0 else -1
    both = [*numerator.values(), *denominator.values()]
    return constant != 0 and all(sign * c >= 0 for c in both)


def _negative(
    expression: Any,
    quotient: tuple[Polynomial, Polynomial],
    places: Mapping[Any, Any],
    forms: Sequence[Any],
) -> Negative | None:
    """A point of the region where the quotient is negative, of few that are tried."""
    names = _variables(len(places))
    whole = all(s.is_integer for s in places)
    tried: Iterable[int] = TRIED if len(names) < 4 else TRIED[:4]
    if len(names) == 1:
        tried = sorted({*range(MAX_VALUES), *TRIED})
    for point in sorted(itertools.product(tried, repeat=len(names)), key=sum):
        above, below = (at(part, point) for part in quotient)
        if above * below >= 0:
            continue
        values = dict(zip(names, point, strict=True))
        where = {s: v.subs(values) for s, v in places.items()}
        inside = all(form.subs(where) >= 0 for form in forms)
        if inside and (not whole or all(v.is_integer for v in where.values())):
            found = {s: Fraction(int(v.p), int(v.q)) for s, v in where.items()}
            return Negative(expression, found, above / below)
    return None


class _Search:
    """Cuts a region until no coefficient is negative on any part."""

    def __init__(self) -> None:
        self.left = MAX_PARTS

    def shown(self, quotient: tuple[Polynomial, Polynomial]) -> tuple[bool, Cut | None]:
        """Tell whether it is shown, and by which cuts."""
        if all(len(exponents) == 1 for part in quotient for exponents in part):
            return _value_by_value(quotient)
        for depth in range(1, MAX_CUTS + 1):
            found = self._cut(quotient, depth)
            if found[0] or self.left <= 0:
                return found
        return False, None

    def _cut(self, quotient: tuple[Polynomial, Polynomial], depth: int) -> tuple[bool, Cut | None]:
        self.left -= 1
        if _is_shown(quotient):
            return True, None
        if depth == 0 or self.left <= 0:
            return False, None
        for cut in _cuts(quotient):
            parts: list[Cut | None] = []
            for part in _on_parts(quotient, cut):
                shown, inner = self._cut(part, depth - 1)
                if not shown:
                    break
                parts.append(inner)
            else:
                return True, Cut(cut.kind, cut.i, cut.j, tuple(parts))
        return False, None


def _value_by_value(quotient: tuple[Polynomial, Polynomial]) -> tuple[bool, Cut | None]:
    """With one variable: its first values one by one, and then all the rest."""
    for count in range(MAX_VALUES):
        if _is_shown(quotient):
            return True, Cut("values", 0, count, (None,) * (count + 1)) if count else None
        if not _is_shown([without(part, 0) for part in quotient]):
            return False, None
        quotient = shifted(quotient[0], 0), shifted(quotient[1], 0)
    return False, None


def _cuts(quotient: tuple[Polynomial, Polynomial]) -> list[Cut]:
    """Cuts that may help: two variables in order, and those of negative terms at 0."""
    terms = [(e, c) for part in quotient for e, c in part.items()]
    every = sorted({i for e, _ in terms for i, power in enumerate(e) if power})
    negative = {i for e, c in terms if c < 0 for i, power in enumerate(e) if power}
    orders = [Cut("order", i, j, ()) for i, j in itertools.combinations(every, 2)]
    return orders + [Cut("values", i, 1, ()) for i in every if i in negative]


def _on_parts(
    quotient: tuple[Polynomial, Polynomial], cut: Cut
) -> Iterable[tuple[Polynomial, Polynomial]]:
    """The quotient on both parts of a cut."""
    first, second = quotient
    i, j = cut.i, cut.j
    if cut.kind == "values":
        yield without(first, i), without(second, i)
        yield shifted(first, i), shifted(second, i)
    else:
        yield added(first, i, j), added(second, i, j)
        yield added(shifted(first, i), j, i), added(shifted(second, i), j, i)
