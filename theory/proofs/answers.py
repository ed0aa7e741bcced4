"""Answers to a statement: a proof with its certificate, a table that refutes it, or unknown."""

import itertools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.proofs.quantities import Fall, Form, Quantity, combined
from theory.proofs.statement import Assumption, Conclusion, Statement, value_at

__all__ = ["Certificate", "Proof", "Refutation", "Unknown", "sum_of_multiples"]

MOST_CELLS = 2**14
"""A table up to this size is gone through for what is in it."""

MOST_WORDS = 16
"""As many sequences of a distribution are printed."""


@dataclass(frozen=True)
class Certificate:
    """One conclusion as a sum: nonnegative multiples of what is never negative.

    Attributes
    ----------
    conclusion : Conclusion
    terms : tuple of (Fraction, Quantity)
        The multipliers are positive.
    used : tuple of (Fraction, Assumption)
        Multiples of assumptions; positive unless the assumption is an equality.
    """

    conclusion: Conclusion
    terms: tuple[tuple[Fraction, Quantity], ...]
    used: tuple[tuple[Fraction, Assumption], ...] = ()

    def check(self, sites: int) -> bool:
        """Tell whether the terms add up to the slack, in Fractions, and none can be negative.

        >>> from theory.proofs.quantities import Information
        >>> one = Fraction(1)
        >>> both = Conclusion("H(0,1) <= H(0) + H(1)", {1: one, 2: one, 3: -one})
        >>> Certificate(both, ((one, Information((0,), (1,))),)).check(2)
        True
        >>> Certificate(both, ((2 * one, Information((0,), (1,))),)).check(2)
        False
        """
        if any(multiplier < 0 for multiplier, _ in self.terms):
            return False
        if any(multiplier < 0 and not given.equal for multiplier, given in self.used):
            return False
        parts = [(-m, quantity.form(sites)) for m, quantity in self.terms]
        parts += [(-m, given.form) for m, given in self.used]
        return not combined([(Fraction(1), self.conclusion.slack), *parts])

    def __str__(self) -> str:
        """The slack as one line of algebra."""
        return f"slack of {self.conclusion.text}:  " + sum_of_multiples(
            [(m, str(quantity)) for m, quantity in self.terms]
            + [(m, f"[{given.text}]") for m, given in self.used]
        )

    @property
    def latex(self) -> str:
        """The sum in mathematical notation."""
        terms = [(m, quantity.latex) for m, quantity in self.terms]
        used = [(m, rf"\bigl[\text{{{given.text}}}\bigr]") for m, given in self.used]
        return sum_of_multiples(terms + used, latex=True)


@dataclass(frozen=True)
class Proof:
    """A statement that holds for every distribution, with one certificate for each conclusion.

    It is true where an answer is asked for its truth; the other answers are false.
    """

    statement: Statement
    certificates: tuple[Certificate, ...]

    def check(self) -> bool:
        """Add the certificates up again, in Fractions, with nothing of how they were found.

        Returns
        -------
        bool
            True if each conclusion of the statement is the sum that its certificate says, of
            quantities in the coordinates of the statement.
        """
        about = tuple(certificate.conclusion for certificate in self.certificates)
        given = {id(a) for a in self.statement.assumptions}
        profile = self.statement.coordinates == "profile"
        return (
            about == self.statement.conclusions
            and all(isinstance(q, Fall) == profile for c in self.certificates for _, q in c.terms)
            and all(id(a) in given for c in self.certificates for _, a in c.used)
            and all(c.check(self.statement.sites) for c in self.certificates)
        )

    def __bool__(self) -> Literal[True]:
        return True

    def __str__(self) -> str:
        return "\n".join(["proved", *map(str, self.certificates)])

    @property
    def latex(self) -> str:
        """The certificates in mathematical notation, one a line."""
        return " \\\\\n".join(certificate.latex for certificate in self.certificates)


@dataclass(frozen=True)
class Refutation:
    """A distribution on which a conclusion fails.

    Attributes
    ----------
    statement : Statement
    conclusion : Conclusion
        The one that fails.
    distribution : Distribution
        An exact table, or the words of a code.
    slack : LinearForm
        What the conclusion's slack is there: a negative number.
    found_by : str
        What kind of search found it.
    """

    statement: Statement
    conclusion: Conclusion
    distribution: Distribution
    slack: Any = field(compare=False)
    found_by: str = ""

    def check(self) -> bool:
        """Compute the slack and the assumptions on the distribution again, exactly."""
        p, kind = self.distribution, self.statement.coordinates
        return (
            p.exact
            and p.length == self.statement.sites
            and self.conclusion in self.statement.conclusions
            and value_at(self.conclusion.slack, p, kind) == self.slack
            and self.slack < 0
            and all(a.met(value_at(a.form, p, kind)) for a in self.statement.assumptions)
        )

    def __bool__(self) -> Literal[False]:
        return False

    def __str__(self) -> str:
        return (
            f"refuted: the slack of {self.conclusion.text} is {self.slack} = "
            f"{float(self.slack):.6g} nats on\n{self.distribution}{_listed(self.words())}"
        )

    def words(self) -> dict[tuple[int, ...], Any]:
        """The sequences that the distribution gives probability, if they are few enough to list.

        >>> from theory import gallery
        >>> p = gallery.parity(2, exact=True)
        >>> Refutation(Statement("", 2, ()), Conclusion("", {}), p, 0).words()
        {(0, 0): Fraction(1, 2), (1, 1): Fraction(1, 2)}
        """
        p = self.distribution
        if isinstance(p, EmpiricalDistribution):
            found: dict[tuple[int, ...], Any] = {}
            for word, weight in zip(p.sequences.tolist(), p.weights.tolist(), strict=True):
                found[tuple(word)] = found.get(tuple(word), 0) + weight
            return found
        if p.vocab**p.length > MOST_CELLS:
            return {}
        return {word: prob for word, prob in np.ndenumerate(p.table()) if prob}


@dataclass(frozen=True)
class Unknown:
    """Neither proved nor refuted: it does not follow from Shannon's inequalities.

    Attributes
    ----------
    statement : Statement
    conclusion : Conclusion
        The one that does not follow.
    ray : mapping
        Numbers ``h(S)`` by the bits of S that obey all of Shannon's inequalities and the
        assumptions, and on which the conclusion fails. They need not be entropies of any
        distribution.
    slack : Fraction
        What the conclusion's slack is there: a negative number.
    searched : tuple of str
        What was gone through for a distribution on which it fails.
    """

    statement: Statement
    conclusion: Conclusion
    ray: Form
    slack: Fraction
    searched: tuple[str, ...] = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __str__(self) -> str:
        searched = "; ".join(self.searched) or "nothing"
        return (
            f"unknown: {self.conclusion.text} does not follow from Shannon's inequalities, and no "
            f"distribution was found on which it fails (searched: {searched})"
        )


def sum_of_multiples(terms: list[tuple[Fraction, str]], latex: bool = False) -> str:
    """Multiples of named things, written as a sum.

    >>> sum_of_multiples([(Fraction(1), "I(0;1)"), (Fraction(-3, 2), "[a = b]")])
    'I(0;1) - 3/2 [a = b]'
    """
    if not terms:
        return "0"
    text = ""
    for number, (multiplier, name) in enumerate(terms):
        size = abs(multiplier)
        shown = rf"\tfrac{{{size.numerator}}}{{{size.denominator}}}" if latex else str(size)
        shown = str(size.numerator) if size.denominator == 1 else shown
        minus, plus = (" - ", " + ") if number else ("-", "")
        sign = minus if multiplier < 0 else plus
        text += sign + ("" if size == 1 else f"{shown} ") + name
    return text


def _listed(words: dict[tuple[int, ...], Any]) -> str:
    """Sequences with their probabilities, or that these are all the same.

    >>> _listed({(0, 0): Fraction(1, 2), (1, 12): Fraction(1, 2)})
    ': uniform on 0 0, 1 12'
    >>> _listed({(0, 0): Fraction(1, 3), (1, 1): Fraction(2, 3)})
    ': 00 1/3, 11 2/3'
    """
    if not words:
        return ""
    between = "" if max(map(max, words)) < 10 else " "
    uniform = len(set(words.values())) == 1
    shown = [
        between.join(map(str, word)) + ("" if uniform else f" {prob}")
        for word, prob in itertools.islice(words.items(), MOST_WORDS)
    ]
    more = f", ... ({len(words)} in all)" if len(words) > MOST_WORDS else ""
    return f": {'uniform on ' * uniform}{', '.join(shown)}{more}"
