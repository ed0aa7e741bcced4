"""Symmetry of statements under permutations of sites, and means over it.

Sites that may be exchanged two by two without changing a statement fall into blocks: any two of a
block may be, because transpositions of a block generate all of its permutations. Averaged over
these, a certificate stays one, so it is enough to look for a symmetric one: with one unknown for
all sets that hold as many sites of each block, and one for all images of an elemental quantity.
"""

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.proofs.quantities import Form, Information, names_of, sites_of
from theory.proofs.statement import Assumption

__all__ = [
    "Blocks",
    "SymmetricMean",
    "exchanged",
    "folded",
    "interchangeable",
    "on_orbits",
    "orbit_size",
]

Blocks = tuple[tuple[int, ...], ...]
"""Sets of interchangeable sites, each in increasing order, together all sites."""


@dataclass(frozen=True)
class SymmetricMean:
    """Mean of all images of a quantity under permutations of sites inside blocks.

    Attributes
    ----------
    of : Information
    blocks : tuple of tuple of int

    >>> mean = SymmetricMean(Information((0,), (1,)), ((0, 1, 2),))
    >>> print(mean, "=", f"1/{mean.size} (", *mean.images(), ")")
    mean I(0;1) = 1/3 ( I(0;1) I(0;2) I(1;2) )
    >>> print(*mean.form(3).values())
    2/3 2/3 -1/3 2/3 -1/3 -1/3
    >>> print(SymmetricMean(Information((0,), (3,), (1,)), ((0, 1, 2), (3,), (4, 5))))
    mean[0,1,2|4,5] I(0;3|1)
    """

    of: Information
    blocks: Blocks

    @property
    def size(self) -> int:
        """The number of images."""
        left, right, given = (set(s) for s in (self.of.left, self.of.right, self.of.given))
        images, exchangeable = 1, True
        for block in map(set, self.blocks):
            parts = [len(block & s) for s in (left, right, given)]
            images *= math.factorial(len(block)) // math.prod(
                math.factorial(k) for k in (*parts, len(block) - sum(parts))
            )
            exchangeable &= parts[0] == parts[1]
        return images // 2 if exchangeable else images

    def images(self) -> Iterator[Information]:
        """All of them, each once."""
        seen: set[Information] = set()
        parts = (self.of.left, self.of.right, self.of.given)
        counts = [[len(set(block) & set(part)) for part in parts] for block in self.blocks]
        for chosen in itertools.product(*map(_splits, self.blocks, counts)):
            left, right, given = (
                tuple(sorted(itertools.chain(*p))) for p in zip(*chosen, strict=True)
            )
            one, other = sorted((left, right)) if right else (left, right)
            image = Information(one, other, given)
            if image not in seen:
                seen.add(image)
                yield image

    def __str__(self) -> str:
        moved = "|".join(names_of(block) for block in self.blocks if len(block) > 1)
        return f"mean[{moved}] {self.of}" if len(self.blocks) > 1 else f"mean {self.of}"

    @property
    def latex(self) -> str:
        r"""The mean in mathematical notation, with the blocks.

        >>> print(SymmetricMean(Information((0,), (1,)), ((0, 1, 2),)).latex)
        \operatorname{mean}_{\{0,1,2\}} I(X_{0}; X_{1})
        """
        moved = ", ".join(rf"\{{{names_of(b)}\}}" for b in self.blocks if len(b) > 1)
        return rf"\operatorname{{mean}}_{{{moved}}} {self.of.latex}"

    def form(self, sites: int) -> Form:
        """Coefficients of the entropies of sets.

        All sets of an orbit have the same one: what one image has on the whole orbit, over the
        number of sets in it.
        """
        canonical = folded(self.blocks)
        whole = on_orbits(self.of.form(sites), canonical)
        each = {orbit: c / orbit_size(orbit, self.blocks) for orbit, c in whole.items()}
        return {bits: each[orbit] for bits, orbit in enumerate(canonical) if orbit in each}


def _splits(block: tuple[int, ...], counts: Sequence[int]) -> Iterator[list[tuple[int, ...]]]:
    """All ways to take disjoint sets of these sizes from a block."""
    if not counts:
        yield []
        return
    for part in itertools.combinations(block, counts[0]):
        rest = tuple(i for i in block if i not in part)
        yield from ([part, *others] for others in _splits(rest, counts[1:]))


@functools.lru_cache(maxsize=8)
def folded(blocks: Blocks) -> tuple[int, ...]:
    """For every set the one of its orbit that holds the first sites of each block.

    >>> folded(((0, 1), (2,)))
    (0, 1, 1, 3, 4, 5, 5, 7)
    """
    first: dict[int, tuple[int, ...]] = {}
    for block in blocks:
        starts = tuple(itertools.accumulate((1 << i for i in block), initial=0))
        first |= dict.fromkeys(block, starts)
    found = [0]
    for bits in range(1, 1 << sum(map(len, blocks))):
        last = bits.bit_length() - 1
        before, starts = found[bits & ~(1 << last)], first[last]
        held = (before & starts[-1]).bit_count()
        found.append(before & ~starts[-1] | starts[held + 1])
    return tuple(found)


def on_orbits(form: Form, canonical: Sequence[int]) -> dict[int, Fraction]:
    """The form on numbers that are the same for all sets of an orbit.

    >>> print(on_orbits({1: Fraction(2), 2: Fraction(1), 3: Fraction(-1)}, folded(((0, 1),))))
    {1: Fraction(3, 1), 3: Fraction(-1, 1)}
    """
    found: dict[int, Fraction] = {}
    for bits, coefficient in form.items():
        found[canonical[bits]] = found.get(canonical[bits], Fraction(0)) + coefficient
    return {bits: c for bits, c in found.items() if c}


def orbit_size(bits: int, blocks: Blocks) -> int:
    """The number of sets that hold as many sites of each block.

    >>> orbit_size(0b0111, ((0, 1, 2), (3, 4)))
    1
    """
    held = set(sites_of(bits))
    return math.prod(math.comb(len(block), len(held.intersection(block))) for block in blocks)


def exchanged(form: Form, one: int, other: int) -> Form:
    """The form with two sites exchanged.

    >>> exchanged({0b001: Fraction(1), 0b110: Fraction(2)}, 0, 1)
    {2: Fraction(1, 1), 5: Fraction(2, 1)}
    """
    both = 1 << one | 1 << other
    return {
        bits if bits & both in (0, both) else bits ^ both: coefficient
        for bits, coefficient in form.items()
    }


def interchangeable(slack: Form, assumptions: Sequence[Assumption], sites: Iterable[int]) -> Blocks:
    """Blocks of sites any two of which may be exchanged: the slack stays, and what is assumed.

    >>> print(interchangeable({0b11: Fraction(1), 0b111: Fraction(-1)}, (), range(3)))
    ((0, 1), (2,))
    """
    given = {(frozenset(a.form.items()), a.equal) for a in assumptions}
    blocks: list[list[int]] = []
    for site in sites:
        for block in blocks:
            if exchanged(slack, block[0], site) == slack and given == {
                (frozenset(exchanged(a.form, block[0], site).items()), a.equal) for a in assumptions
            }:
                block.append(site)
                break
        else:
            blocks.append([site])
    return tuple(map(tuple, blocks))
