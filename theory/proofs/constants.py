"""The least constant with which one quantity bounds another, for all distributions.

Let c be ``A(h) / B(h)`` for some numbers h that obey Shannon's inequalities. Either ``A <= c B``
is proved, and no less constant follows from them, or there is a violation h with a greater ratio,
and so on: Dinkelbach's method (1967, from memory), which ends because the violations are corners
of a polytope.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory._core.linear_program import Separation, combination
from theory.distributions.base import Distribution
from theory.errors import InvalidInput, TooLarge
from theory.proofs import refute, text
from theory.proofs.answers import Proof, Refutation
from theory.proofs.decide import prove
from theory.proofs.quantities import Fall, Form, combined
from theory.proofs.shannon import Violation, certificate, elementals
from theory.proofs.statement import Assumption, Conclusion, Coordinates, Statement, value_at

__all__ = ["BestConstant", "best_constant"]

MINUS = Fraction(-1)

ATOM = re.compile(r"[A-Za-z]+(\([^()]*\))?")
"""What a coefficient may stand before without parentheses."""


@dataclass(frozen=True)
class BestConstant:
    """The least c with ``A <= c B`` that follows from Shannon's inequalities.

    Attributes
    ----------
    a, b : Conclusion
        What is bounded and what bounds it, as ``a >= 0`` and ``b >= 0``.
    constant : Fraction or None
        None if A is not bounded by any multiple of B.
    proof : Proof or None
        Of ``A <= c B``.
    ray : mapping
        Numbers that obey Shannon's inequalities and the assumptions, with A = c B and B > 0; or,
        if there is no constant, A > 0 and B = 0. They need not be entropies of any distribution.
    attained : Distribution or None
        An exact distribution of which the same is true; None if none was found, or if its code
        is too large.
    assumptions : tuple of Assumption
    coordinates : {"sets", "profile"}
    """

    a: Conclusion
    b: Conclusion
    constant: Fraction | None
    proof: Proof | None
    ray: Form
    attained: Distribution | None
    assumptions: tuple[Assumption, ...]
    coordinates: Coordinates

    @property
    def best(self) -> bool:
        """Whether some distribution allows no less.

        In the profile it always does, by codes. In entropies of sets it is False where no data
        were found: the constant is one that holds, and a smaller one may hold, too, but does not
        follow from Shannon's inequalities; or, if there is no constant, one may hold.
        """
        return self.attained is not None or self.coordinates == "profile"

    def check(self) -> bool:
        """Check the proof, the ray, and A and B on it and on the distribution, again, exactly."""
        if self.constant is None:
            proved = self.proof is None
        else:
            bound = combined([(self.constant, self.b.slack), (MINUS, self.a.slack)])
            proved = (
                self.proof is not None
                and self.proof.check()
                and [c.slack for c in self.proof.statement.conclusions] == [bound]
                and self.proof.statement.assumptions == self.assumptions
            )
        last = max(self.ray, default=0)
        if self.coordinates == "profile":
            never = [Fall(j).form(last + 1) for j in range(last + 1)]
        else:
            never = [q.form(last.bit_length()) for q in elementals(last.bit_length())]
        p = self.attained
        return (
            proved
            and all(_at(form, self.ray) >= 0 for form in never)
            and self._attains(lambda form: _at(form, self.ray))
            and (
                p is None or (p.exact and self._attains(lambda f: value_at(f, p, self.coordinates)))
            )
        )

    def _attains(self, value: Callable[[Form], Any]) -> bool:
        a, b = value(self.a.slack), value(self.b.slack)
        met = a > 0 and b == 0 if self.constant is None else a == self.constant * b and b > 0
        return met and all(g.met(value(g.form)) for g in self.assumptions)

    def __str__(self) -> str:
        where = "data" if self.best else "numbers that obey Shannon's inequalities"
        if self.proof is None:
            return f"there are {where} with {self.a.text} > 0 and {self.b.text} = 0"
        (bound,) = self.proof.statement.conclusions
        suffix = "" if self.best else "; less may hold, but does not follow from these"
        return f"{bound.text}, with equality for {where}{suffix}"


def best_constant(
    a: str | Callable[[Any], Any],
    b: str | Callable[[Any], Any],
    *,
    sites: int,
    profile: bool = False,
    assuming: str | None = None,
) -> BestConstant:
    """Compute the least c with ``A <= c B`` for all distributions, with its proof.

    Parameters
    ----------
    a, b : str or callable
        As in `prove`: quantities as text, or functions of a distribution. B must not be negative.
    sites : int
    profile : bool
        Both are in the profile.
    assuming : str, optional
        What is assumed, such as ``"I(0;2|1) = 0"``.

    Returns
    -------
    BestConstant

    Raises
    ------
    InvalidInput
        If B may be negative by Shannon's inequalities, or is always zero.

    Examples
    --------
    >>> found = best_constant("TC", "DTC", sites=3)
    >>> found.constant, found.best, found.attained.table().nonzero()
    (Fraction(2, 1), True, (array([0, 1]), array([0, 1]), array([0, 1])))
    >>> print(found.proof.certificates[0])
    slack of TC <= 2 DTC:  I(0;1|2) + I(0;2|1) + I(1;2|0)

    >>> print(found)
    TC <= 2 DTC, with equality for data

    What halving batches cost of 16 sites, against TC, by the profile:

    >>> from theory import information
    >>> found = best_constant(
    ...     lambda p: information.path_cost(p, (8, 4, 2, 1, 1)), "TC", sites=16, profile=True
    ... )
    >>> found.constant, found.attained
    (Fraction(7, 15), <ReedSolomon: length 16, vocab 2, exact=True, dimension 1>)

    Sums of pairwise informations bound TC by no multiple: three bits of even parity.

    >>> print(best_constant("TC", "I(0;1) + I(0;2) + I(1;2)", sites=3))
    there are data with TC > 0 and I(0;1) + I(0;2) + I(1;2) = 0
    """
    kind: Coordinates = "profile" if profile else "sets"
    upper, given = _quantity(a, sites, profile, assuming)
    lower, _ = _quantity(b, sites, profile, None)

    if _violation(lower.slack, given, sites, kind) is not None:
        raise InvalidInput(f"{lower.text} may be negative, as far as Shannon's inequalities go")
    ray = _violation(combined([(MINUS, lower.slack)]), given, sites, kind)
    if ray is None:
        raise InvalidInput(f"{lower.text} is always zero")
    zero = Assumption(f"{lower.text} = 0", lower.slack)
    far = _violation(combined([(MINUS, upper.slack)]), (*given, zero), sites, kind)
    if far is not None:
        data = _data(lower.slack, upper.slack, given, sites, kind)
        return BestConstant(upper, lower, None, None, far, data, given, kind)
    while True:
        constant = _at(upper.slack, ray) / _at(lower.slack, ray)
        slack = combined([(constant, lower.slack), (MINUS, upper.slack)])
        further = _violation(slack, given, sites, kind)
        if further is None:
            break
        ray = further
    bound = lower.text if ATOM.fullmatch(lower.text) else f"({lower.text})"
    words = f"{upper.text} <= {constant} {bound}"
    conclusion = Conclusion(words, slack)
    words = f"{assuming} implies {words}" if assuming else words
    proof = prove(Statement(words, sites, (conclusion,), given, kind))
    assert isinstance(proof, Proof)  # nothing violates it
    data = _data(slack, lower.slack, given, sites, kind)
    return BestConstant(upper, lower, constant, proof, ray, data, given, kind)


def _quantity(
    quantity: str | Callable[[Any], Any], sites: int, profile: bool, assuming: str | None
) -> tuple[Conclusion, tuple[Assumption, ...]]:
    """One quantity, as what is at least zero, and what is assumed."""
    given = text.parse(f"{assuming} implies 0 <= 0", sites, profile).assumptions if assuming else ()
    if isinstance(quantity, str):
        stated, words = text.parse(f"{quantity} >= 0", sites, profile), quantity
    else:
        stated = text.from_function(quantity, sites, profile)
        words = stated.text.removesuffix(" >= 0")
    if len(stated.conclusions) != 1 or stated.assumptions:
        raise InvalidInput(f"one quantity is bounded by another, got {words!r}")
    return Conclusion(words, stated.conclusions[0].slack), given


def _violation(
    slack: Form, given: tuple[Assumption, ...], sites: int, kind: Coordinates
) -> Form | None:
    """Numbers that obey Shannon's inequalities and the assumptions, but not this one, if any do."""
    if kind == "sets":
        found = certificate(Conclusion("", slack), given, sites, 1)
        return found.ray if isinstance(found, Violation) else None
    columns = [*(Fall(j).form(sites) for j in range(sites)), *(a.form for a in given)]
    free = {j for j, a in enumerate(given, sites) if a.equal}
    separation = combination(columns, slack, 1, free)
    return separation.direction if isinstance(separation, Separation) else None


def _data(
    zero: Form, positive: Form, given: tuple[Assumption, ...], sites: int, kind: Coordinates
) -> Distribution | None:
    """A distribution on which one form is zero and the other one positive, if one is found."""
    if kind == "sets":
        return refute.find_equal(zero, positive, given, sites)
    never = Conclusion("", combined([(MINUS, positive)]))
    try:
        found = prove(Statement("", sites, (never,), (*given, Assumption("", zero)), kind))
    except TooLarge:  # the field of the code, or its number of words
        return None
    return found.distribution if isinstance(found, Refutation) else None


def _at(form: Form, ray: Form) -> Fraction:
    """The number that a form is on a ray."""
    return sum((c * ray.get(k, 0) for k, c in form.items()), Fraction(0))
