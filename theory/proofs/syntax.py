"""The language of statements: a syntax tree whose numbers and arguments may contain ``n``.

::

    statement = [relations "implies"] relations
    relations = chain {"and" chain}
    chain     = sum relation sum {relation sum}           relation: <= >= =
    sum       = product {("+" | "-") product}
    product   = factor {["*" | "/"] factor}               from left to right
    factor    = "-" factor | number | "n" | "(" sum ")" | quantity
    quantity  = ("H" | "TC" | "DTC") ["(" sites ["|" sites] ")"]
              | "I" "(" sites ";" sites ["|" sites] ")"
              | ("e" | "f") "(" sum ")"
    sites     = sum {"," sum}

Without sites, ``H``, ``TC`` and ``DTC`` are of all n sites; ``e(k)`` is the mean entropy of k
random sites, and ``f(j) = e(j+1) - e(j)`` the profile. Sites are counted from 0. A number is
written before what it multiplies: ``1/3 TC`` is a third of TC. Whether the n of ``1/2n`` is part of
the divisor is not guessed: it is refused, and ``1/2 n`` is half of n. Decimals are read as written:
``0.3`` is 3/10.

The number of sites n stays open here: it is an integer where a statement is about so many sites,
and a symbol of SymPy where it is about all numbers of sites.
"""

import dataclasses
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

from theory.errors import InvalidInput
from theory.proofs.place import Place

__all__ = [
    "Atom",
    "Expression",
    "Length",
    "Number",
    "Product",
    "Relation",
    "Sum",
    "Term",
    "Tree",
    "syntax_tree",
    "value",
]

Sign = Literal["<=", ">=", "="]

DEEPEST = 100
"""Parentheses and minus signs within each other."""

TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<name>[A-Za-z]+)"
    r"|(?P<sign><=|>=|[-+*/=()|;,≤≥−·]))"
)
SAME = {"≤": "<=", "≥": ">=", "−": "-", "·": "*"}
ENDS = {"and", "implies"}


@dataclass(frozen=True)
class _Node:
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class Number(_Node):
    """A rational number."""

    number: Fraction


@dataclass(frozen=True)
class Length(_Node):
    """The number of sites, ``n``."""


@dataclass(frozen=True)
class Sum(_Node):
    """Expressions with the signs 1 and -1."""

    parts: "tuple[tuple[int, Expression], ...]"


@dataclass(frozen=True)
class Product(_Node):
    """Expressions that are multiplied (``*``) or divided by (``/``), one after the other."""

    parts: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True)
class Atom(_Node):
    """A quantity that sums are linear in: an entropy, an information, a total correlation.

    Attributes
    ----------
    name : {"H", "I", "TC", "DTC", "e", "f"}
    left, right, given : tuple of expressions
        Sites; for ``e`` and ``f`` the argument is in `left`. All empty: of all sites.
    """

    name: str
    left: "tuple[Expression, ...]" = ()
    right: "tuple[Expression, ...]" = ()
    given: "tuple[Expression, ...]" = ()


Expression: TypeAlias = Number | Length | Sum | Product | Atom


class Term(NamedTuple):
    """A multiple of an atom, or of 1 if `atom` is None."""

    coefficient: Any
    atom: Atom | None
    place: Place


@dataclass(frozen=True)
class Relation:
    """Two sums, and which is at least the other, or that they are equal."""

    left: Expression
    sign: Sign
    right: Expression

    @property
    def text(self) -> str:
        """As it was written."""
        return f"{self.left.place} {self.sign} {self.right.place}"

    @property
    def inequalities(self) -> "tuple[Relation, ...]":
        """The relation itself, or the two that make an equality."""
        if self.sign != "=":
            return (self,)
        return tuple(dataclasses.replace(self, sign=sign) for sign in ("<=", ">="))

    def slack(self, n: Any) -> list[Term]:
        """Terms of the greater side minus the other (of an equality, left minus right).

        Parameters
        ----------
        n : int, Fraction or Symbol
            The number of sites. Coefficients are Fractions, or expressions in the symbol.

        Raises
        ------
        InvalidInput
            If something is divided by 0.

        Examples
        --------
        >>> import sympy
        >>> relation = syntax_tree("TC <= (n-1) DTC").conclusions[0]
        >>> [(str(c), atom.name) for c, atom, _ in relation.slack(5)]
        [('4', 'DTC'), ('-1', 'TC')]
        >>> [(str(c), atom.name) for c, atom, _ in relation.slack(sympy.Symbol("n"))]
        [('n - 1', 'DTC'), ('-1', 'TC')]
        """
        most, least = (self.right, self.left) if self.sign == "<=" else (self.left, self.right)
        return _terms(most, n) + [t._replace(coefficient=-t.coefficient) for t in _terms(least, n)]


@dataclass(frozen=True)
class Tree:
    """A statement for every number of sites.

    Attributes
    ----------
    text : str
    assumptions, conclusions : tuple of Relation
    """

    text: str = field(compare=False)
    assumptions: tuple[Relation, ...]
    conclusions: tuple[Relation, ...]


def value(expression: Expression, n: Any) -> Any:
    """What an expression without atoms is for so many sites: a Fraction, or in a symbol.

    >>> import sympy
    >>> (argument,) = syntax_tree("f((n-1)/2) >= 0").conclusions[0].left.left
    >>> value(argument, 6), value(argument, sympy.Symbol("n"))
    (Fraction(5, 2), n/2 - 1/2)
    """
    if isinstance(expression, Number):
        return expression.number
    if isinstance(expression, Length):
        return Fraction(n) if isinstance(n, int) else n
    if isinstance(expression, Sum):
        return sum((sign * value(part, n) for sign, part in expression.parts), Fraction(0))
    if isinstance(expression, Atom):
        raise expression.place.error("expected a number, found a quantity")
    total: Any = Fraction(1)
    for sign, part in expression.parts:
        number = value(part, n)
        if sign == "/" and number == 0:
            raise part.place.error(f"a division by 0, with n = {n}")
        total = total * number if sign == "*" else total / number
    return total


def _terms(expression: Expression, n: Any) -> list[Term]:
    """A sum of multiples of atoms and of 1."""
    if isinstance(expression, Atom):
        return [Term(Fraction(1), expression, expression.place)]
    if isinstance(expression, Sum):
        return [
            t._replace(coefficient=sign * t.coefficient)
            for sign, part in expression.parts
            for t in _terms(part, n)
        ]
    if not (isinstance(expression, Product) and _is_linear(expression)):
        return [Term(value(expression, n), None, expression.place)]
    linear = [part for _, part in expression.parts if _is_linear(part)]
    one = Number(linear[0].place, Fraction(1))
    parts = tuple((sign, one if part is linear[0] else part) for sign, part in expression.parts)
    factor = value(dataclasses.replace(expression, parts=parts), n)
    return [t._replace(coefficient=factor * t.coefficient) for t in _terms(linear[0], n)]


def _is_linear(expression: Expression) -> bool:
    """Tell whether there is an atom in it."""
    if isinstance(expression, (Sum, Product)):
        return any(_is_linear(part) for _, part in expression.parts)
    return isinstance(expression, Atom)


def syntax_tree(text: str) -> Tree:
    """Read a statement for an open number of sites.

    Raises
    ------
    InvalidInput
        With the line, a caret below the place, and what was expected there.

    Examples
    --------
    >>> tree = syntax_tree("I(0;2|1) = 0 implies 0 <= I(0;2) <= I(0;1)")
    >>> [relation.text for relation in (*tree.assumptions, *tree.conclusions)]
    ['I(0;2|1) = 0', '0 <= I(0;2)', 'I(0;2) <= I(0;1)']
    >>> syntax_tree("TC <= (n-1 DTC")
    Traceback (most recent call last):
    theory.errors.InvalidInput: expected ')', found the end
      TC <= (n-1 DTC
                    ^
    """
    if not isinstance(text, str):
        raise InvalidInput(f"a statement is a text, got {text!r}")
    return _Parser(text).tree()


class _Token(NamedTuple):
    kind: str
    word: str
    place: Place


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens: list[_Token] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = TOKEN.match(text, at)
            if found is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                strict = text[at] in "<>"
                problem = (
                    "is strict, which is not decided: write <= or >=" if strict else "is unknown"
                )
                raise Place(text, at, at + 1).error(f"the sign {text[at]!r} {problem}")
            kind = str(found.lastgroup)
            word, at = found[kind], found.end()
            place = Place(text, *found.span(kind))
            self.tokens.append(_Token(kind, SAME.get(word, word), place))
        self.tokens.append(_Token("end", "", Place(text, end, end)))
        self.text, self.at, self.depth = text, 0, 0

    # -- tokens -----------------------------------------------------------------------------------

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def taken(self, *words: str) -> _Token | None:
        """The next token if it is one of these words, and go on behind it."""
        if self.next.word not in words or self.next.kind == "end":
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, word: str) -> _Token:
        token = self.taken(word)
        if token is None:
            raise self.expected(repr(word))
        return token

    def expected(self, what: str) -> InvalidInput:
        found = "the end" if self.next.kind == "end" else repr(str(self.next.place))
        return self.next.place.error(f"expected {what}, found {found}")

    # -- statements -------------------------------------------------------------------------------

    def tree(self) -> Tree:
        assumptions, conclusions = (), self.relations()
        if self.taken("implies"):
            assumptions, conclusions = conclusions, self.relations()
        if self.next.kind != "end":
            more = "'and'" if assumptions else "'and' or 'implies'"
            raise self.expected(f"an operator, a relation, {more}")
        return Tree(" ".join(self.text.split()), assumptions, conclusions)

    def relations(self) -> tuple[Relation, ...]:
        found = self.chain()
        while self.taken("and"):
            found += self.chain()
        return tuple(found)

    def chain(self) -> list[Relation]:
        sides: list[Expression] = [self.sum()]
        signs: list[Any] = []
        while sign := self.taken("<=", ">=", "="):
            signs.append(sign.word)
            sides.append(self.sum())
        if not signs:
            raise self.expected("an operator or a relation (<=, >=, =)")
        return [Relation(*pair) for pair in zip(sides[:-1], signs, sides[1:], strict=True)]

    # -- expressions ------------------------------------------------------------------------------

    def sum(self) -> Expression:
        parts = [(1, self.product())]
        while sign := self.taken("+", "-"):
            parts.append((1 if sign.word == "+" else -1, self.product()))
        (_, first), (_, last) = parts[0], parts[-1]
        return first if len(parts) == 1 else Sum(first.place.to(last.place), tuple(parts))

    def product(self) -> Expression:
        first = self.factor()
        parts = [("*", first)]
        has_atom = _is_linear(first)
        while (sign := self.taken("*", "/")) or self.juxtaposed():
            word, factor = sign.word if sign else "*", self.factor()
            if _is_linear(factor):
                if has_atom or word == "/":
                    what = "a division by a quantity" if word == "/" else "a product of quantities"
                    raise factor.place.error(f"{what}: statements are linear in them")
                has_atom = True
            elif sign is None and parts[-1][0] == "/" and not self.rational(parts, factor):
                raise factor.place.error("part of the divisor or not? write *, or parentheses")
            parts.append((word, factor))
        whole = first.place.to(parts[-1][1].place)
        return first if len(parts) == 1 else Product(whole, tuple(parts))

    def rational(self, parts: list[tuple[str, Expression]], behind: Expression) -> bool:
        """Tell whether what was read last is a number like 1/2, and the next factor apart."""
        numbers = all(isinstance(part, Number) for _, part in parts[-2:])
        apart = behind.place.start > parts[-1][1].place.end
        return numbers and apart and parts[-2][0] == "*"

    def juxtaposed(self) -> bool:
        """Tell whether another factor follows without a sign."""
        if self.next.kind == "number":
            raise self.expected("an operator before a number")
        return self.next.word == "(" or (self.next.kind == "name" and self.next.word not in ENDS)

    def factor(self) -> Expression:
        token = self.next
        self.depth += 1
        if self.depth > DEEPEST:
            raise token.place.error(f"nested deeper than {DEEPEST} levels")
        if self.taken("-"):
            inner = self.factor()
            found: Expression = Sum(token.place.to(inner.place), ((-1, inner),))
        elif self.taken("("):
            inner = self.sum()
            found = dataclasses.replace(inner, place=token.place.to(self.expect(")").place))
        elif self.taken("n"):
            found = Length(token.place)
        elif token.kind == "number":
            self.at += 1
            found = Number(token.place, Fraction(token.word))
        elif token.kind == "name" and token.word not in ENDS:
            found = self.atom()
        else:
            raise self.expected("a number or a quantity")
        self.depth -= 1
        return found

    def atom(self) -> Atom:
        name = self.taken("H", "I", "TC", "DTC", "e", "f")
        if name is None:
            word = self.next.word
            there_are = "there are H, I, TC, DTC, e, f and n"
            raise self.next.place.error(f"there is no {word!r}; {there_are}")
        word, opening = name.word, self.next
        if word in ("H", "TC", "DTC"):
            if opening.word != "(":
                return Atom(name.place, word)
            if opening.place.start > name.place.end:
                of = f"{word}(...) or {word} * (...)"
                raise opening.place.error(f"of these sites, or times this? write {of}")
        self.expect("(")
        right, given = (), ()
        if word in ("e", "f"):
            left = (self.number(),)
        else:
            left = self.sites()
            if word == "I":
                self.expect(";")
                right = self.sites()
            given = self.sites() if self.taken("|") else ()
        end = self.taken(")")
        if end is None:
            raise self.expected(
                "')'" if word in ("e", "f") else "',' or ')'" if given else "',', '|' or ')'"
            )
        return Atom(name.place.to(end.place), word, left, right, given)

    def sites(self) -> tuple[Expression, ...]:
        found = [self.number("a site")]
        while self.taken(","):
            found.append(self.number("a site"))
        return tuple(found)

    def number(self, what: str = "a number") -> Expression:
        if self.next.word in (",", ";", "|", ")", ""):
            raise self.expected(what)
        found = self.sum()
        if _is_linear(found):
            raise found.place.error("expected a number, found a quantity")
        return found
