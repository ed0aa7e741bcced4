"""The fewest rounds at zero divergence, for policies of five kinds.

All of them write exactly the data. Of the open questions only the questions were seen, so the
definitions are ours:

- *fixed*: an ordered partition of the sites, the same for all values. Its rounds.
- *worst*: the next sites may depend on the tokens revealed. The rounds of its longest path.
- *mean*: the same, by expected rounds on the data (`sims.frontier` at ``math.inf``).
- *randomised* and *orders*: see `sims.open_questions.randomised`.

A deterministic policy writes the data if and only if every set that it reveals is independent
given what was revealed before (claim B1), so the first three are dynamic programs over such sets.
"""

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from sims.open_questions.moves import Context, Move, Moves, Sites, masked_sites, subsets
from sims.open_questions.randomised import Adaptive, best_orders, best_randomised
from theory import MASK
from theory.distributions import Distribution

__all__ = ["Depths", "depths", "fixed", "mean", "worst"]

Value = Callable[[Context], Any]


class Depths(NamedTuple):
    """The rounds of the best policy of each kind that writes exactly the data.

    Attributes
    ----------
    fixed, worst : int
    mean : Fraction
    randomised : Fraction
        Least expected rounds of randomised adaptive policies.
    orders : Fraction
        Least expected rounds of a random ordered partition.
    """

    fixed: int
    worst: int
    mean: Fraction
    randomised: Fraction
    orders: Fraction


def depths(p: Distribution) -> Depths:
    """Compute all depths at zero divergence, exactly.

    Parameters
    ----------
    p : Distribution
        Small; floats have to be simple fractions (see `rational_table`).

    Raises
    ------
    InvalidInput
    TooLarge
    Uncertified
        If floats do not lead to an exact optimum of a linear program.

    Two coupled pairs of bits take one bit of each, and then the rest:

    >>> from theory import gallery
    >>> found = depths(gallery.coupled_pairs(2, exact=True))
    >>> found.fixed, found.worst, found.mean == found.randomised == found.orders == 2
    (2, 2, True)
    """
    moves = Moves(p)
    return Depths(
        len(fixed(moves)),
        int(worst(moves).rounds),
        Fraction(mean(moves).rounds),
        Fraction(best_randomised(moves).rounds),
        best_orders(moves).rounds,
    )


def fixed(moves: Moves) -> list[Sites]:
    """Find the ordered partition with the fewest rounds that is lossless.

    >>> from theory import gallery
    >>> fixed(Moves(gallery.parity(3, exact=True)))
    [(0, 1), (2,)]
    """
    lossy = {
        (masked_sites(context), move.sites)
        for context in moves.contexts
        for move in moves[context]
        if not move.independent
    }

    @functools.cache
    def shortest(masked: Sites) -> list[Sites]:
        if not masked:
            return []
        rests = (
            [sites, *shortest(tuple(i for i in masked if i not in sites))]
            for sites in subsets(masked)
            if (masked, sites) not in lossy
        )
        return min(rests, key=len)

    return shortest(masked_sites(moves.start))


def worst(moves: Moves) -> Adaptive:
    """Find the adaptive policy whose longest path is shortest.

    >>> from theory import gallery
    >>> worst(Moves(gallery.parity(3, exact=True))).rounds
    2
    """

    def longest(move: Move, value: Value) -> int:
        return max(value(after) for _, after in move.after)

    return _adaptive(moves, longest)


def mean(moves: Moves) -> Adaptive:
    """Find the adaptive policy with the fewest expected rounds.

    >>> from theory import gallery
    >>> mean(Moves(gallery.walk(4, exact=True))).rounds
    Fraction(11, 4)
    """

    def expected(move: Move, value: Value) -> Fraction:
        return sum((share * value(after) for share, after in move.after), Fraction(0))

    return _adaptive(moves, expected)


def _adaptive(moves: Moves, following: Callable[[Move, Value], Any]) -> Adaptive:
    """``value(c) = 1 + min over independent moves of following(move, value)``."""
    choices: dict[Context, dict[Sites, int]] = {}

    @functools.cache
    def value(context: Context) -> Any:
        if MASK not in context:
            return 0
        independent = [move for move in moves[context] if move.independent]
        values = [following(move, value) for move in independent]
        least = min(values)
        choices[context] = {independent[values.index(least)].sites: 1}
        return 1 + least

    return Adaptive(value(moves.start), choices)
