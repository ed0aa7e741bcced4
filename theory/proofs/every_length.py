"""Statements about the profile at every length n: formulas on ranges of steps, and their signs.

On the step ``1{j < r}`` the quantities of a statement are ``e(k) = min(k, r)``, ``f(j) = [j < r]``,
``H = r``, ``TC = n - r`` and ``DTC = r - n [r = n]``. With arguments that are numbers or n minus
numbers, the steps r = 1..n fall into a few ranges, the same for all n from some length on, and on
each the slack is a quotient of polynomials in n times a form that is affine in r. So its sign is
decided by those at both ends of each range, in n alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from theory.errors import InvalidInput
from theory.proofs.answers import Proof, Unknown
from theory.proofs.signs import Nonnegative
from theory.proofs.steps import on_steps
from theory.proofs.syntax import Atom, Relation, Term, Tree, syntax_tree, value
from theory.proofs.text import parse

__all__ = [
    "EveryLength",
    "ProofForEveryLength",
    "Range",
    "UnknownForEveryLength",
    "first_length",
    "ranges_of",
    "symbols",
]


LONG = 10**6
"""A length at which signs are looked at, for writing them."""


def symbols() -> tuple[Any, Any]:
    """The number of sites n and the step r, as symbols of SymPy."""
    import sympy

    return sympy.Symbol("n", integer=True), sympy.Symbol("r", integer=True)


@dataclass(frozen=True)
class Range:
    """Steps r = first..last on which the slack is one formula; it is written with ``f(n) = 0``.

    Attributes
    ----------
    first, last : Expr
        Numbers, or n minus numbers.
    slack : Expr
        In n and r, and affine in r; without r where the range is one step.
    signs : tuple of Nonnegative
        The slack at both ends, from some length on.
    """

    first: Any
    last: Any
    slack: Any
    signs: tuple[Nonnegative, ...] = ()

    @property
    def ends(self) -> list[Any]:
        """The slack at the first and the last step, in n."""
        _, r = symbols()
        return [self.slack.subs(r, end) for end in dict.fromkeys((self.first, self.last))]

    def __str__(self) -> str:
        """What the range adds to the slack."""
        return self._written(str, "sum_{{r={}..{}}}", "({})")

    @property
    def latex(self) -> str:
        """What the range adds to the slack, in mathematical notation."""
        import sympy

        return self._written(sympy.latex, r"\sum_{{r={}}}^{{{}}}", r"\left({}\right)")

    def _written(self, shown: Callable[[Any], str], several: str, one: str) -> str:
        n, r = symbols()
        step = self.first if self.first == self.last else r
        fall = f"f({shown(step - 1)})"
        fall = fall if step == n else f"({fall} - f({shown(step)}))"
        factor = shown(self.slack) if not self.slack.is_Add else one.format(shown(self.slack))
        terms = fall if self.slack == 1 else f"{factor} {fall}"
        if self.first == self.last:
            return terms
        return f"{several.format(shown(self.first), shown(self.last))} {terms}"


@dataclass(frozen=True)
class EveryLength:
    """One conclusion at every length from a first one on, as a sum of falls by ranges of steps.

    Attributes
    ----------
    conclusion : Relation
        Not an equality.
    start : int
    ranges : tuple of Range
        They follow each other from r = 1 to r = n.
    """

    conclusion: Relation
    start: int
    ranges: tuple[Range, ...]

    @property
    def terms(self) -> tuple[tuple[Fraction, Range], ...]:
        """What adds to the slack, each once."""
        return tuple((Fraction(1), part) for part in self.ranges if part.slack != 0)

    used = ()
    """No assumptions."""

    def check(self) -> bool:
        """Compute the slack on all steps again, at as many lengths as its degree takes.

        Both the formula and the slack are quotients of polynomials in n at either end of a range,
        and affine between: where they agree at more lengths than the degree of their difference,
        they are the same.

        Returns
        -------
        bool
            True if the ranges follow each other, the formulas are the slack, and the certificates
            of their signs are about the ends of the ranges and right.
        """
        import sympy

        n, r = symbols()
        ends = [0, *(part.last for part in self.ranges)]
        follow = all(
            part.first == before + 1 for part, before in zip(self.ranges, ends, strict=False)
        )
        if not follow or ends[-1] != n:
            return False
        region = n - self.start
        for part in self.ranges:
            length = part.last - part.first
            if length.subs(n, self.start) < 0 or sympy.diff(length, n) < 0:
                return False
            about = [(sign.expression, sign.region) for sign in part.signs]
            if about != [(end, (region,)) for end in part.ends]:
                return False
            if not all(sign.check() for sign in part.signs):
                return False
            if sympy.Poly(sympy.numer(part.slack), r).degree() > 1:
                return False
        for length in range(self.start, self.start + self._degree() + 1):
            formulas = [
                part.slack.subs({n: length, r: step})
                for part in self.ranges
                for step in range(part.first.subs(n, length), part.last.subs(n, length) + 1)
            ]
            if formulas != [sympy.Rational(v) for v in slacks_of(self.conclusion, length)]:
                return False
        return True

    def _degree(self) -> int:
        """No less than the degree in n of a numerator of formula minus slack."""
        import sympy

        n, _ = symbols()
        terms = [sympy.sympify(term.coefficient) for term in self.conclusion.slack(n)]
        numbers = [*terms, *(end for part in self.ranges for end in part.ends)]
        quotients = [sympy.fraction(sympy.together(number)) for number in numbers]
        parts = [part for quotient in quotients for part in quotient if part.has(n)]
        return 1 + sum(int(sympy.degree(part, n)) for part in parts)

    def __str__(self) -> str:
        return f"slack of {self.conclusion.text}:  " + (
            " + ".join(str(part) for _, part in self.terms) or "0"
        )

    @property
    def latex(self) -> str:
        """The sum in mathematical notation."""
        return " + ".join(part.latex for _, part in self.terms) or "0"


@dataclass(frozen=True)
class ProofForEveryLength:
    """A statement that holds for every distribution of any number of sites. It is true.

    Attributes
    ----------
    tree : Tree
        The statement with n open.
    certificates : tuple of EveryLength
        One for each conclusion, from a first length on.
    few : tuple of Proof
        Proofs for the lengths below it at which the statement is defined.
    """

    tree: Tree
    certificates: tuple[EveryLength, ...]
    few: tuple[Proof, ...] = ()

    @property
    def start(self) -> int:
        """The length from which on the certificates hold."""
        return max((certificate.start for certificate in self.certificates), default=1)

    def check(self) -> bool:
        """Check all certificates again, and those of the first lengths.

        Returns
        -------
        bool
        """
        about = [certificate.conclusion for certificate in self.certificates]
        tree = syntax_tree(self.tree.text)
        asked = [part for relation in tree.conclusions for part in relation.inequalities]
        proved = {proof.statement.sites: proof for proof in self.few}
        for length in range(1, self.start):
            try:
                statement = parse(self.tree.text, length, profile=True)
            except InvalidInput:
                continue  # it is not defined there
            if length not in proved or proved[length].statement != statement:
                return False
        return (
            tree == self.tree
            and about == asked
            and [part.text for part in about] == [part.text for part in asked]
            and all(certificate.check() for certificate in self.certificates)
            and all(proof.check() for proof in self.few)
        )

    def __bool__(self) -> Literal[True]:
        return True

    def __str__(self) -> str:
        few = ", ".join(f"n = {proof.statement.sites}" for proof in self.few)
        lengths = f"for every n >= {self.start}" + (f", and {few} by itself" if few else "")
        lines = [lengths, *map(str, self.certificates)]
        return "\n".join(["proved", *lines])

    @property
    def latex(self) -> str:
        """The certificates in mathematical notation, one a line."""
        return " \\\\\n".join(certificate.latex for certificate in self.certificates)


@dataclass(frozen=True)
class UnknownForEveryLength(Unknown):
    """Neither proved for every length nor refuted at one that was tried; `searched` says why."""

    def __str__(self) -> str:
        return (
            f"unknown: whether {self.conclusion.text} at every length ({'; '.join(self.searched)})"
        )


def slacks_of(conclusion: Relation, length: int) -> list[Fraction]:
    """The slack of an inequality on the steps r = 1..n at one length.

    >>> from theory.proofs.syntax import syntax_tree
    >>> [str(v) for v in slacks_of(syntax_tree("TC <= DTC").conclusions[0], 3)]
    ['-1', '1', '0']
    """
    (part,) = parse(conclusion.text, length, profile=True).conclusions
    return on_steps(part.slack, length)


def first_length(conclusion: Relation) -> int:
    """The length from which on the ranges of steps are the same, and the slack is defined.

    >>> from theory.proofs.syntax import syntax_tree
    >>> first_length(syntax_tree("f(2) <= f(0)").conclusions[0])
    3
    """
    import sympy

    n, _ = symbols()
    terms = conclusion.slack(n)
    numbers, ends = _breaks(terms)
    least = max(numbers) + max(n - end for end in ends) + 1
    for term in terms:
        below = sympy.denom(sympy.together(term.coefficient))
        if below.has(n):
            roots = sympy.Poly(below, n).ground_roots()
            least = max([least, *(int(root) + 1 for root in roots if root.is_integer)])
    return int(least)


def ranges_of(conclusion: Relation) -> list[Range]:
    """The ranges of steps, and the slack on each.

    >>> from theory.proofs.syntax import syntax_tree
    >>> for part in ranges_of(syntax_tree("TC <= (n-1) DTC").conclusions[0]):
    ...     print(part.first, part.last, part.slack)
    1 n - 1 n*(r - 1)
    n n 0
    """
    import sympy

    n, r = symbols()
    terms = conclusion.slack(n)
    numbers, ends = _breaks(terms)
    ordered = [*sorted(numbers), *sorted(ends, key=lambda end: end.subs(n, 0))]
    found = []
    for k, last in enumerate(ordered[1:], 1):
        first = ordered[k - 1] + 1
        slack = sum(
            (term.coefficient * _on_step(term.atom, ordered, k) for term in terms if term.atom),
            sympy.Integer(0),
        )
        slack = slack.subs(r, last) if first == last else slack
        found.append(Range(first, last, _readable(slack, first, last)))
    return found


def _readable(slack: Any, first: Any, last: Any) -> Any:
    """In factors that are positive in the middle of a long range, as far as they have a sign."""
    import sympy

    n, r = symbols()
    middle = {n: LONG, r: ((first + last) / 2).subs(n, LONG)}
    factors = sympy.Mul.make_args(sympy.factor(slack))
    changed = [f for f in factors if f.is_Add and f.subs(middle) < 0]
    others = [f for f in factors if f not in changed]
    return sympy.Mul(*others, *(-f for f in changed), (-1) ** len(changed))


def _breaks(terms: list[Term]) -> tuple[set[Any], set[Any]]:
    """Where ranges of steps end: numbers, and n minus numbers."""
    import sympy

    n, _ = symbols()
    alone = [term for term in terms if term.atom is None]
    if sympy.simplify(sum((term.coefficient for term in alone), sympy.Integer(0))) != 0:
        raise alone[0].place.error("statements are linear in entropies; here is a number by itself")
    ends = {sympy.Integer(0), n}
    for term in terms:
        if term.atom is not None:
            ends |= set(_ends(term.atom))
    return {end for end in ends if not end.has(n)}, {end for end in ends if end.has(n)}


def _ends(atom: Atom) -> Iterator[Any]:
    """Steps behind which an atom has another formula."""
    import sympy

    n, _ = symbols()
    if atom.name in ("e", "f"):
        argument = sympy.expand(sympy.sympify(value(atom.left[0], n)))
        offset = n - argument if argument.has(n) else argument
        if not (offset.is_Integer and offset >= (1 if atom.name == "f" and argument.has(n) else 0)):
            last = "n - 1" if atom.name == "f" else "n"
            raise atom.place.error(
                f"at every length an argument is a whole number k or n - k between 0 and {last}"
            )
        yield argument
    elif atom.left or atom.name == "I":
        raise atom.place.error(
            "a profile has means over all sets of a size, and knows nothing of single sites: "
            "expected TC, DTC, H, e(k) or f(j)"
        )
    elif atom.name == "DTC":
        yield n - 1


def _on_step(atom: Atom, ordered: list[Any], k: int) -> Any:
    """An atom on a step r behind the break before k, and not behind that one."""
    n, r = symbols()
    if atom.name in ("e", "f"):
        (argument,) = _ends(atom)
        behind = ordered.index(argument) < k
        if atom.name == "f":
            return 1 if behind else 0
        return argument if behind else r
    if atom.name == "TC":
        return n - r
    if atom.name == "DTC" and k == len(ordered) - 1:
        return r - n
    return r
