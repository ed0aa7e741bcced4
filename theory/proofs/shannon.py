"""Certificates from Shannon's inequalities, exactly, or numbers that obey them and violate.

A linear form in the entropies of sets of sites follows from Shannon's inequalities if and only if
it is a nonnegative combination of the elemental ones, ``H(i | all others) >= 0`` and
``I(i; j | K) >= 0`` (Yeung 1997, from memory): n + C(n, 2) 2^(n-2) of them. Otherwise there is a
polymatroid, numbers ``h(S)`` that obey all of them, on which it is negative. Beside the elemental
quantities all ``H(i | K)`` are offered as terms, which makes certificates shorter.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory._core.arrays import require_memory
from theory._core.linear_program import TRIALS, Separation, combination
from theory._core.pivots import in_integers
from theory._core.work import require_steps
from theory.proofs.answers import Certificate
from theory.proofs.quantities import Form, Information, Quantity
from theory.proofs.statement import Assumption, Conclusion
from theory.proofs.symmetry import (
    Blocks,
    SymmetricMean,
    exchanged,
    folded,
    interchangeable,
    on_orbits,
)

__all__ = ["Violation", "certificate", "elementals"]

PLAIN = 6
"""Sites up to which certificates without means over images are looked for, too."""

WORTH = 4
"""A mean over images is as hard to read as so many terms."""

MOST_STEPS = 2 * 10**11
"""Rows times rows times columns: 1.7e10 with ten sites and no symmetry."""


@dataclass(frozen=True)
class Violation:
    """A polymatroid that meets the assumptions, and on which the conclusion fails.

    Attributes
    ----------
    ray : mapping
        Integers ``h(S)``, without a common divisor, by the bits of S.
    slack : Fraction
        What the conclusion's slack is there: a negative number.
    """

    ray: Form
    slack: Fraction


def elementals(sites: int) -> list[Information]:
    """All elemental quantities of so many sites.

    >>> print(*elementals(3))
    H(0|1,2) H(1|0,2) H(2|0,1) I(0;1) I(0;1|2) I(0;2) I(0;2|1) I(1;2) I(1;2|0)
    """
    alone = tuple((i,) for i in range(sites))
    return [
        quantity
        for quantity in _representatives(alone)
        if quantity.right or len(quantity.given) == sites - 1
    ]


def certificate(
    conclusion: Conclusion, assumptions: Sequence[Assumption], sites: int, trials: int = TRIALS
) -> Certificate | Violation:
    """Prove a conclusion from Shannon's inequalities, or show that it does not follow.

    Up to six sites few terms are looked for, and means over interchangeable sites are used
    where that is shorter. With more sites a statement is reduced by its symmetry first.

    Parameters
    ----------
    conclusion : Conclusion
    assumptions : sequence of Assumption
        Forms in the entropies of sets.
    sites : int
    trials : int
        How hard few terms are looked for.

    Returns
    -------
    Certificate or Violation

    Raises
    ------
    TooLarge
        If what symmetry leaves would take too long or too much memory; without any, that is
        beyond eleven sites. Ten take some seconds in a process of about 130 MB.
    Uncertified
        If floats misled and there are too many sites to repair that exactly.

    Examples
    --------
    >>> from theory.proofs.text import parse
    >>> def answer(text, sites):
    ...     statement = parse(text, sites)
    ...     return certificate(statement.conclusions[0], statement.assumptions, sites)
    >>> print(answer("TC <= 2 DTC", 3))
    slack of TC <= 2 DTC:  I(0;1|2) + I(0;2|1) + I(1;2|0)
    >>> print(answer("I(0;2|1) = 0 implies I(0;2) <= I(0;1)", 3))
    slack of I(0;2) <= I(0;1):  I(0;1|2) - [I(0;2|1) = 0]

    Three bits of which each is the sum of the others have entropies like this:

    >>> violation = answer("TC <= I(0;1) + I(0;2) + I(1;2)", 3)
    >>> {bits: int(h) for bits, h in violation.ray.items()}, violation.slack
    ({1: 1, 2: 1, 3: 2, 4: 1, 5: 2, 6: 2, 7: 2}, Fraction(-1, 1))
    """
    alone = tuple((i,) for i in range(sites))
    blocks = interchangeable(conclusion.slack, assumptions, range(sites))
    if sites > PLAIN:
        return _over(blocks, conclusion, assumptions, trials)
    if blocks == alone:
        return _over(alone, conclusion, assumptions, trials)
    symmetric = _over(blocks, conclusion, assumptions, min(trials, 2))
    plain = _over(alone, conclusion, assumptions, 1)
    if isinstance(plain, Violation) or isinstance(symmetric, Violation):
        return plain
    if _effort(plain) < 2 * _effort(symmetric):
        further = _over(alone, conclusion, assumptions, trials)
        plain = further if isinstance(further, Certificate) else plain
    return min(plain, symmetric, key=_effort)


def _over(
    blocks: Blocks,
    conclusion: Conclusion,
    assumptions: Sequence[Assumption],
    trials: int,
) -> Certificate | Violation:
    """The certificate among those that are symmetric in each block, or a symmetric violation."""
    sites = sum(map(len, blocks))
    _require_room(blocks)
    canonical = folded(blocks)
    quantities = list(_representatives(blocks))
    orbits = _orbits(assumptions, blocks)
    columns = [on_orbits(q.form(sites), canonical) for q in quantities]
    given = [on_orbits(orbit[0].form, canonical) for orbit in orbits]
    free = {j for j, orbit in enumerate(orbits, len(columns)) if orbit[0].equal}
    target = on_orbits(conclusion.slack, canonical)
    found = combination([*columns, *given], target, trials, free)
    if isinstance(found, Separation):
        numbers, whole = in_integers(found.direction, 1)
        scale = Fraction(whole, math.gcd(*numbers.values()))
        values = {orbit: h * scale for orbit, h in found.direction.items()}
        ray = {bits: values[orbit] for bits, orbit in enumerate(canonical) if orbit in values}
        return Violation(ray, found.value * scale)
    terms: list[tuple[Fraction, Quantity]] = []
    for j, quantity in enumerate(quantities):
        if j in found:
            mean = SymmetricMean(quantity, blocks)
            if mean.size < WORTH:
                terms += [(found[j] / mean.size, image) for image in mean.images()]
            else:
                terms.append((found[j], mean))
    used = [
        (found[j] / len(orbit), assumption)
        for j, orbit in enumerate(orbits, len(quantities))
        if j in found
        for assumption in orbit
    ]
    return Certificate(conclusion, tuple(terms), tuple(used))


def _effort(found: Certificate) -> int:
    """How many terms there are to read."""
    means = sum(isinstance(quantity, SymmetricMean) for _, quantity in found.terms)
    return len(found.terms) + len(found.used) + means * (WORTH - 1)


def _representatives(blocks: Blocks) -> Iterator[Information]:
    """One of all images of each ``H(i | K)`` and ``I(i; j | K)`` under permutations of blocks."""
    for block in blocks:
        yield from (Information(block[:1], (), k) for k in _given(blocks, block[:1]))
    for one, other in itertools.combinations_with_replacement(blocks, 2):
        pair = one[:2] if one == other else (one[0], other[0])
        if len(pair) == 2:
            yield from (Information(pair[:1], pair[1:], k) for k in _given(blocks, pair))


def _given(blocks: Blocks, without: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sets of other sites, with the first ones of each block."""
    left = [tuple(i for i in block if i not in without) for block in blocks]
    for counts in itertools.product(*(range(len(block) + 1) for block in left)):
        yield tuple(sorted(i for block, k in zip(left, counts, strict=True) for i in block[:k]))


def _orbits(assumptions: Sequence[Assumption], blocks: Blocks) -> list[list[Assumption]]:
    """Different assumptions, together with their images; one of each."""
    by_form = {(frozenset(a.form.items()), a.equal): a for a in reversed(assumptions)}
    swaps = [(block[0], i) for block in blocks for i in block[1:]]
    orbits, seen = [], set()
    for start in reversed(by_form):
        orbit, reached = [], [start]
        while reached:
            key = reached.pop()
            if key not in seen:
                seen.add(key)
                orbit.append(by_form[key])
                form, equal = dict(key[0]), key[1]
                reached += [(frozenset(exchanged(form, *s).items()), equal) for s in swaps]
        if orbit:
            orbits.append(orbit)
    return orbits


def _require_room(blocks: Blocks) -> None:
    """Refuse what would take too long or too much memory."""
    sites = sum(map(len, blocks))
    rows = math.prod(len(block) + 1 for block in blocks)
    columns = rows * len(blocks) * (len(blocks) + 3) // (8 if rows == 2**sites else 2)
    what = f"a certificate for {sites} sites in {len(blocks)} blocks of interchangeable ones"
    require_steps(rows**2 * columns, MOST_STEPS, what)
    require_memory(columns * 3000 + rows**2 * 8 + 2**sites * 40, what, itemsize=1)
