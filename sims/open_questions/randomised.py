"""The fewest rounds of randomised policies at zero divergence, by linear programs over visits.

A randomised policy may follow paths each of which writes something else than the data, as long as
their mixture *is* the data. No path can leave the support, since nothing would take its mass
away again. So at a context c that the data contain it picks a move that stays inside. Let
``y(c, S)`` be the expected number of times that it reveals S at c. These numbers are those of
some policy if and only if, with the predictions as transitions, what enters a context leaves it
again; the policy then reveals S at c with probability ``y(c, S) / sum_S y(c, S)``. It writes the
data if the mass that arrives at each sequence x is p(x), and it takes ``sum y`` rounds on average.

That a policy may remember its draws or its path is covered: what it visits on average is of this
form. The formulation is ours; occupation measures are textbook [memory].
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from sims.open_questions.moves import Context, Moves, Sites, masked_sites, subsets
from sims.policies.base import Policy, Reveals
from theory._core.linear_program import least
from theory._core.plurals import counted
from theory._core.types import Number
from theory.errors import TooLarge

__all__ = ["Adaptive", "Choices", "Orders", "RandomSets", "best_orders", "best_randomised"]

Choices = Mapping[Context, Mapping[Sites, Number | Fraction]]
"""From a context to the probabilities of the sets of sites that may be revealed there."""

Partition = tuple[Sites, ...]

MAX_SITES = 5
"""Of which all 541 ordered partitions are mixed."""


class Adaptive(NamedTuple):
    """The fewest rounds of a kind of adaptive policies, and the choices of one that attains them.

    Attributes
    ----------
    rounds : int or Fraction
    choices : dict
        At the contexts that it reaches; see `RandomSets`.
    """

    rounds: int | Fraction
    choices: Choices


class Orders(NamedTuple):
    """The fewest expected rounds of random orders, and the probabilities of ordered partitions."""

    rounds: Fraction
    probabilities: dict[Partition, Fraction]


class RandomSets(Policy):
    """Reveal a random set of sites, with probabilities that depend on the tokens revealed.

    Such a policy is what `best_randomised` finds. At contexts that are not listed it reveals
    everything.

    Parameters
    ----------
    choices : mapping
        From a context to the probabilities of sets of its masked sites.

    One of two equal bits, whichever, and then the other:

    >>> from theory import MASK, gallery
    >>> from sims import output_distribution
    >>> half = Fraction(1, 2)
    >>> policy = RandomSets({(MASK, MASK): {(0,): half, (1,): half}})
    >>> q = output_distribution(gallery.coupled_pairs(1, exact=True), policy)
    >>> q.kl, q.expected_rounds
    (0, Fraction(2, 1))
    """

    depends_on = "revealed"

    def __init__(self, choices: Choices) -> None:
        self.choices = {context: dict(sets) for context, sets in choices.items()}

    def reveal_distribution(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int
    ) -> Reveals:
        """Yield every set that one of the rows may reveal."""
        rows = [self.choices.get(tuple(c)) or {masked_sites(c): 1} for c in x.tolist()]
        for sites in sorted({sites for row in rows for sites in row}):
            reveal = np.zeros(x.shape, dtype=bool)
            reveal[:, list(sites)] = True
            yield np.asarray([row.get(sites, 0) for row in rows], dtype=object), reveal

    def __repr__(self) -> str:
        return f"<RandomSets at {len(self.choices)} contexts>"


def best_randomised(moves: Moves) -> Adaptive:
    """Compute the fewest expected rounds of randomised adaptive policies that write the data.

    Optimal in rational arithmetic.

    Raises
    ------
    Uncertified
        If the optimum could not be shown in Fractions.

    Permutations of three take three rounds, randomised or not:

    >>> from theory import gallery
    >>> best_randomised(Moves(gallery.permutations(3, exact=True))).rounds
    Fraction(3, 1)
    """
    rows = {context: i for i, context in enumerate((*moves.contexts, *moves.sequences))}
    totals = [Fraction(0)] * len(rows)
    totals[rows[moves.start]] = Fraction(1)
    for x in moves.sequences:
        totals[rows[x]] = -moves.probability(x)
    pairs = [(c, move) for c in moves.contexts for move in moves[c] if move.inside]
    columns = []
    for context, move in pairs:
        arrivals = {rows[after]: -share for share, after in move.after}
        columns.append({rows[context]: Fraction(1), **arrivals})
    optimum = least([1] * len(pairs), columns, totals)
    choices: dict[Context, dict[Sites, Fraction]] = {}
    for j, visits in optimum.solution.items():
        context, move = pairs[j]
        choices.setdefault(context, {})[move.sites] = visits
    for sets in choices.values():
        total = sum(sets.values())
        sets.update({sites: visits / total for sites, visits in sets.items()})
    return Adaptive(optimum.value, choices)


def best_orders(moves: Moves) -> Orders:
    """Compute the fewest expected rounds of random ordered partitions that write the data.

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
    written = list(_written(moves, {moves.start: 1}, 1))
    rows = {x: i for i, x in enumerate(moves.sequences)}
    columns = [{rows[x]: share for x, share in q.items()} for _, q in written]
    totals = [moves.probability(x) for x in moves.sequences]
    optimum = least([len(partition) for partition, _ in written], columns, totals)
    return Orders(optimum.value, {written[j][0]: y for j, y in optimum.solution.items()})


def _written(
    moves: Moves, reached: dict[Context, int], whole: int
) -> Iterator[tuple[Partition, dict[Context, Fraction]]]:
    """Ordered partitions of the masked sites that stay inside, and the distributions they write.

    Probabilities are carried as integers over one denominator.
    """
    masked = masked_sites(next(iter(reached)))
    if not masked:
        yield (), {x: Fraction(mass, whole) for x, mass in reached.items()}
        return
    for k, sites in enumerate(subsets(masked)):  # in the order of the moves
        chosen = [moves[context][k] for context in reached]
        if all(move.inside for move in chosen):
            common = math.lcm(*(share.denominator for move in chosen for share, _ in move.after))
            later: dict[Context, int] = {}
            for move, mass in zip(chosen, reached.values(), strict=True):
                for share, after in move.after:
                    part = share.numerator * (common // share.denominator)
                    later[after] = later.get(after, 0) + mass * part
            for rest, written in _written(moves, later, whole * common):
                yield (sites, *rest), written
