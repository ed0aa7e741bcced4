"""A policy that tosses a coin between sets of sites, written down context by context."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sims.open_questions.moves import Context
from sims.policies.base import Policy, Reveals
from theory import MASK

__all__ = ["Tossing"]


class Tossing(Policy):
    """Reveal a set of sites that a coin picks, with chances that depend on the tokens revealed.

    Such a policy is what `best_coins` finds. At contexts that are not listed it reveals
    everything.

    Parameters
    ----------
    choices : mapping
        From a context to the chances of sets of its masked sites.

    One of two equal bits, whichever, and then the other:

    >>> from fractions import Fraction
    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> half = Fraction(1, 2)
    >>> policy = Tossing({(MASK, MASK): {(0,): half, (1,): half}})
    >>> q = output_distribution(gallery.coupled_pairs(1, exact=True), policy)
    >>> q.kl, q.expected_rounds
    (0, Fraction(2, 1))
    """

    depends_on = "revealed"

    def __init__(self, choices: Mapping[Context, Mapping[tuple[int, ...], Any]]) -> None:
        self.choices = {context: dict(chances) for context, chances in choices.items()}

    def reveal_distribution(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int
    ) -> Reveals:
        """Yield every set that one of the rows may reveal."""
        rows = [self.choices.get(tuple(c)) or {_masked(c): 1} for c in x.tolist()]
        for sites in sorted({sites for row in rows for sites in row}):
            reveal = np.zeros(x.shape, dtype=bool)
            reveal[:, list(sites)] = True
            yield np.asarray([row.get(sites, 0) for row in rows], dtype=object), reveal

    def __repr__(self) -> str:
        return f"<Tossing policy of {len(self.choices)} contexts>"


def _masked(context: list[int]) -> tuple[int, ...]:
    return tuple(site for site, token in enumerate(context) if token == MASK)
