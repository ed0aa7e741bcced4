"""How many rounds it takes to lose nothing, for policies of four kinds.

All of them write exactly the data. Of the open questions only the questions were seen, so the
definitions are ours:

- *fixed*: an ordered partition of the sites, the same for all values. Its rounds.
- *worst*: the next sites may depend on the tokens revealed. The rounds of its longest path.
- *mean*: the same, by expected rounds on the data (`sims.frontier` at ``math.inf``).
- with coins: see `sims.open_questions.coins`.

Without coins a policy writes the data if and only if every set that it reveals is independent
given what was revealed before (claim B1), so all three are dynamic programs over such sets.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sims.open_questions.coins import best_coins, best_orders
from sims.open_questions.moves import Context, Move, Moves, subsets
from theory import MASK
from theory.distributions import Distribution

__all__ = ["Adaptive", "Depths", "depths", "fixed", "mean", "worst"]

Value = Callable[[Context], Any]


@dataclass(frozen=True)
class Adaptive:
    """The best policy of a kind that looks at tokens.

    Attributes
    ----------
    rounds : int or Fraction
    choices : dict
        From a context to the sites that are revealed there.
    """

    rounds: int | Fraction
    choices: dict[Context, tuple[int, ...]]


@dataclass(frozen=True)
class Depths:
    """The rounds of the best policy of each kind that writes exactly the data.

    Attributes
    ----------
    fixed, worst : int
    mean : Fraction
    coins : Fraction
        Least expected rounds of adaptive policies with coins.
    orders : Fraction
        Least expected rounds of an ordered partition drawn by a coin.
    """

    fixed: int
    worst: int
    mean: Fraction
    coins: Fraction
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
    >>> found.fixed, found.worst, found.mean == found.coins == found.orders == 2
    (2, 2, True)
    """
    moves = Moves(p)
    return Depths(
        len(fixed(moves)),
        int(worst(moves).rounds),
        Fraction(mean(moves).rounds),
        best_coins(moves).rounds,
        best_orders(moves).rounds,
    )


def fixed(moves: Moves) -> list[tuple[int, ...]]:
    """The ordered partition with the fewest rounds that loses nothing.

    >>> from theory import gallery
    >>> fixed(Moves(gallery.parity(3, exact=True)))
    [(0, 1), (2,)]
    """
    lossy = {
        (_masked(context), move.sites)
        for context in moves.contexts
        for move in moves[context]
        if not move.independent
    }

    @functools.cache
    def shortest(masked: tuple[int, ...]) -> list[tuple[int, ...]]:
        if not masked:
            return []
        rests = (
            [sites, *shortest(tuple(i for i in masked if i not in sites))]
            for sites in subsets(masked)
            if (masked, sites) not in lossy
        )
        return min(rests, key=len)

    return shortest(_masked(moves.start))


def worst(moves: Moves) -> Adaptive:
    """The adaptive policy whose longest path is shortest.

    >>> from theory import gallery
    >>> worst(Moves(gallery.parity(3, exact=True))).rounds
    2
    """

    def longest(move: Move, value: Value) -> int:
        return max(value(after) for _, after in move.after)

    return _adaptive(moves, longest)


def mean(moves: Moves) -> Adaptive:
    """The adaptive policy with the fewest expected rounds.

    >>> from theory import gallery
    >>> mean(Moves(gallery.walk(4, exact=True))).rounds
    Fraction(11, 4)
    """

    def expected(move: Move, value: Value) -> Fraction:
        return sum((chance * value(after) for chance, after in move.after), Fraction(0))

    return _adaptive(moves, expected)


def _adaptive(moves: Moves, following: Callable[[Move, Value], Any]) -> Adaptive:
    """``value(c) = 1 + min over independent moves of following(move, value)``."""
    choices: dict[Context, tuple[int, ...]] = {}

    @functools.cache
    def value(context: Context) -> Any:
        if MASK not in context:
            return 0
        free = [move for move in moves[context] if move.independent]
        values = [following(move, value) for move in free]
        least = min(values)
        choices[context] = free[values.index(least)].sites
        return 1 + least

    return Adaptive(value(moves.start), choices)


def _masked(context: Context) -> tuple[int, ...]:
    return tuple(site for site, token in enumerate(context) if token == MASK)
