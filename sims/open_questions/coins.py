"""Policies that toss coins and lose nothing: linear programs over what they visit.

A policy with coins may follow paths each of which writes something else than the data, as long as
their mixture *is* the data. No path can leave the support, since nothing would take its mass
away again. So at a context c that the data contain it picks a move that stays inside. Let
``y(c, S)`` be the expected number of times that it reveals S at c. These numbers are those of
some policy if and only if, with the predictions as transitions, what enters a context leaves it
again; the policy then reveals S at c with chance ``y(c, S) / sum_S y(c, S)``. It writes the data
if the mass that arrives at each sequence x is p(x), and it takes ``sum y`` rounds on average.

That a policy may remember its coins or its path is covered: what it visits on average is of this
form. The formulation is ours; occupation measures are textbook [memory].
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sims.open_questions.linear_program import least
from sims.open_questions.moves import Context, Move, Moves, subsets
from theory import MASK
from theory._core.plurals import counted
from theory.errors import TooLarge

__all__ = ["Coins", "Orders", "Partition", "best_coins", "best_orders"]

Partition = tuple[tuple[int, ...], ...]

MAX_SITES = 5
"""Of which all 541 ordered partitions are mixed."""


@dataclass(frozen=True)
class Coins:
    """The best adaptive policy with coins.

    Attributes
    ----------
    rounds : Fraction
        Expected rounds.
    choices : dict
        From a context that it reaches to the chances of the sets of sites revealed there.
    """

    rounds: Fraction
    choices: dict[Context, dict[tuple[int, ...], Fraction]]


@dataclass(frozen=True)
class Orders:
    """The best mixture of ordered partitions.

    Attributes
    ----------
    rounds : Fraction
        Expected rounds.
    chances : dict
        From an ordered partition to its chance.
    """

    rounds: Fraction
    chances: dict[Partition, Fraction]


def best_coins(moves: Moves) -> Coins:
    """Find the fewest expected rounds of adaptive policies with coins that write the data.

    Parameters
    ----------
    moves : Moves

    Returns
    -------
    Coins
        Optimal in rational arithmetic.

    Raises
    ------
    Uncertified
        If the optimum could not be shown in Fractions.

    Permutations of three take three rounds; no coin helps:

    >>> from theory import gallery
    >>> best_coins(Moves(gallery.permutations(3, exact=True))).rounds
    Fraction(3, 1)
    """
    rows = {context: i for i, context in enumerate((*moves.contexts, *moves.sequences))}
    totals = [Fraction(0)] * len(rows)
    totals[rows[moves.start]] = Fraction(1)
    for x in moves.sequences:
        totals[rows[x]] = -moves.chance(x)
    pairs = [(c, move) for c in moves.contexts for move in moves[c] if move.inside]
    columns = [{rows[c]: Fraction(1), **_arrivals(rows, move)} for c, move in pairs]
    optimum = least([1] * len(pairs), columns, totals)
    choices: dict[Context, dict[tuple[int, ...], Fraction]] = {}
    for j, visits in optimum.solution.items():
        context, move = pairs[j]
        choices.setdefault(context, {})[move.sites] = visits
    for chances in choices.values():
        total = sum(chances.values())
        chances.update({sites: visits / total for sites, visits in chances.items()})
    return Coins(optimum.value, choices)


def _arrivals(rows: dict[Context, int], move: Move) -> dict[int, Fraction]:
    return {rows[after]: -chance for chance, after in move.after}


def best_orders(moves: Moves) -> Orders:
    """Find the fewest expected rounds of ordered partitions drawn by a coin that write the data.

    Parameters
    ----------
    moves : Moves

    Returns
    -------
    Orders
        Optimal in rational arithmetic.

    Raises
    ------
    TooLarge
        Above 5 sites.
    Uncertified
        If the optimum could not be shown in Fractions.

    >>> from theory import gallery
    >>> best_orders(Moves(gallery.coupled_pairs(1, exact=True))).rounds
    Fraction(2, 1)
    """
    if len(moves.start) > MAX_SITES:
        raise TooLarge(
            f"all ordered partitions of {counted(len(moves.start), 'site')} would be mixed; "
            f"this is done up to {MAX_SITES}"
        )
    laws = list(_laws(moves, {moves.start: 1}, 1))
    rows = {x: i for i, x in enumerate(moves.sequences)}
    columns = [{rows[x]: chance for x, chance in law.items()} for _, law in laws]
    totals = [moves.chance(x) for x in moves.sequences]
    optimum = least([len(partition) for partition, _ in laws], columns, totals)
    return Orders(optimum.value, {laws[j][0]: y for j, y in optimum.solution.items()})


def _laws(
    moves: Moves, reached: dict[Context, int], whole: int
) -> Iterator[tuple[Partition, dict[Context, Fraction]]]:
    """Ordered partitions of the masked sites that stay inside, and what they write.

    Chances are carried as integers over one denominator.
    """
    masked = tuple(site for site, token in enumerate(next(iter(reached))) if token == MASK)
    if not masked:
        yield (), {x: Fraction(mass, whole) for x, mass in reached.items()}
        return
    for k, sites in enumerate(subsets(masked)):  # in the order of the moves
        chosen = [moves[context][k] for context in reached]
        if all(move.inside for move in chosen):
            common = math.lcm(*(chance.denominator for move in chosen for chance, _ in move.after))
            law: dict[Context, int] = {}
            for move, mass in zip(chosen, reached.values(), strict=True):
                for chance, after in move.after:
                    share = chance.numerator * (common // chance.denominator)
                    law[after] = law.get(after, 0) + mass * share
            for rest, written in _laws(moves, law, whole * common):
                yield (sites, *rest), written
