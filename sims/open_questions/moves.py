"""All sets of sites that a round can reveal at each context of a small table, exactly.

A context is a tuple of tokens, ``MASK`` where nothing is observed. A move reveals a set of masked
sites; their tokens are drawn independently from the predictions of the zero-loss denoiser. It is

- *independent* if the product of the predictions is the joint conditional of the sites, so that
  the round is lossless,
- *inside* if it cannot write what the data never contain.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isclose, prod

import numpy as np

from theory import MASK, JointTable
from theory._core.arrays import to_host
from theory._core.exact import all_rational
from theory._core.plurals import counted
from theory.distributions import Distribution
from theory.distributions.base import check_distribution
from theory.errors import InvalidInput, TooLarge

__all__ = ["Context", "Move", "Moves", "Sites", "masked_sites", "rational_table", "subsets"]

Context = tuple[int, ...]
Sites = tuple[int, ...]

MAX_PAIRS = 3000
"""Pairs of a context and a set that are gone through, ``(V + 2)^L`` at most."""

MAX_DENOMINATOR = 10**6
"""Floats are read as the nearest fractions with denominators up to this."""


def rational_table(p: Distribution) -> JointTable:
    """The joint of `p` in Fractions, which decide independence without a tolerance.

    Parameters
    ----------
    p : Distribution
        Floats have to be fractions with denominators of up to 10^6, up to rounding.

    Raises
    ------
    InvalidInput
        If `p` has free symbols, or floats that are no such fractions.
    TooLarge
        Above 3000 pairs of a context and a set, ``(V + 2)^L``.

    >>> rational_table(JointTable([[0.25, 0.0], [0.0, 0.75]])).table().tolist()
    [[Fraction(1, 4), Fraction(0, 1)], [Fraction(0, 1), Fraction(3, 4)]]
    """
    check_distribution(p)
    pairs = (p.vocab + 2) ** p.length
    if pairs > MAX_PAIRS:
        raise TooLarge(
            f"{counted(p.length, 'site')} over {counted(p.vocab, 'token')} have {pairs:.3g} pairs "
            f"of a context and a set; the depths are computed up to {MAX_PAIRS}"
        )
    table = to_host(p.table())
    if p.exact:
        if not all_rational(table):
            raise InvalidInput("the depths of a distribution with free symbols are not known")
        return JointTable(table, exact=True)
    values = table.reshape(-1).tolist()
    near = [Fraction(v).limit_denominator(MAX_DENOMINATOR) for v in values]
    for value, fraction in zip(values, near, strict=True):
        if not isclose(value, fraction, rel_tol=1e-14):
            raise InvalidInput(
                f"depths need exact probabilities: {value} is no fraction with a denominator of "
                f"up to {MAX_DENOMINATOR}; use exact=True"
            )
    return JointTable(np.asarray(near, dtype=object).reshape(table.shape), exact=True)


@dataclass(frozen=True)
class Move:
    """Revealing some sites at a context.

    Attributes
    ----------
    sites : tuple of int
    after : tuple of (Fraction, Context)
        What can come next, with its probability under the product of the predictions.
    independent : bool
        Whether the product is the joint conditional.
    inside : bool
        Whether the data contain every context that can come next.
    """

    sites: Sites
    after: tuple[tuple[Fraction, Context], ...]
    independent: bool
    inside: bool


class Moves:
    """All moves at all contexts that the data contain.

    Parameters
    ----------
    p : Distribution
        Small; see `rational_table` for what is refused.

    Attributes
    ----------
    p : JointTable
        In Fractions.
    evidence : dict
        From every context to its probability times a common denominator.
    start : Context
        Nothing observed.

    Two equal bits cannot be revealed together; the second one given the first can:

    >>> moves = Moves(JointTable([[1, 0], [0, 1]], exact=True))
    >>> [(move.sites, move.independent, move.inside) for move in moves[MASK, MASK]]
    [((0,), True, True), ((1,), True, True), ((0, 1), False, False)]
    >>> moves[0, MASK][0].after
    ((Fraction(1, 1), (0, 0)),)
    """

    def __init__(self, p: Distribution) -> None:
        self.p = rational_table(p)
        tokens = (*range(p.vocab), MASK)
        contexts = itertools.product(tokens, repeat=p.length)
        numbers = self.p.lattice().numerators.reshape(-1).tolist()
        self.evidence: dict[Context, int] = dict(zip(contexts, numbers, strict=True))
        self.start = (MASK,) * p.length

    def __getitem__(self, context: Context) -> tuple[Move, ...]:
        return self._moves[context]

    @cached_property
    def contexts(self) -> list[Context]:
        """Those that the data contain and that have a masked site."""
        return [c for c, weight in self.evidence.items() if weight and MASK in c]

    @cached_property
    def sequences(self) -> list[Context]:
        """Those that the data contain."""
        return [c for c, weight in self.evidence.items() if weight and MASK not in c]

    def probability(self, context: Context) -> Fraction:
        """The probability of a context, or of a sequence, under the data."""
        return Fraction(self.evidence[context], self.evidence[self.start])

    @cached_property
    def _moves(self) -> dict[Context, tuple[Move, ...]]:
        return {c: tuple(self._at(c)) for c in self.contexts}

    def _at(self, context: Context) -> Iterator[Move]:
        here = self.evidence[context]
        marginals = {
            site: [
                (v, weight)
                for v in range(self.p.vocab)
                if (weight := self.evidence[_observe(context, (site,), (v,))])
            ]
            for site in masked_sites(context)
        }
        for sites in subsets(tuple(marginals)):
            after, independent, inside = [], True, True
            whole = here ** len(sites)
            for drawn in itertools.product(*(marginals[site] for site in sites)):
                tokens, weights = zip(*drawn, strict=True)
                product, following = prod(weights), _observe(context, sites, tokens)
                weight = self.evidence[following]
                independent = independent and weight * whole == product * here
                inside = inside and weight != 0
                after.append((Fraction(product, whole), following))
            yield Move(sites, tuple(after), independent, inside)


def _observe(context: Context, sites: Sites, tokens: tuple[int, ...]) -> Context:
    seen = list(context)
    for site, token in zip(sites, tokens, strict=True):
        seen[site] = token
    return tuple(seen)


def masked_sites(context: Sequence[int]) -> Sites:
    """The sites of a context where nothing is observed."""
    return tuple(site for site, token in enumerate(context) if token == MASK)


def subsets(sites: Sites) -> Iterator[Sites]:
    """Non-empty subsets, small ones first.

    >>> list(subsets((0, 2)))
    [(0,), (2,), (0, 2)]
    """
    for count in range(1, len(sites) + 1):
        yield from itertools.combinations(sites, count)
