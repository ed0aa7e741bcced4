"""What a policy is: the choice of which masked sites to reveal next.

Decoding starts with every site masked. In each round the policy sees the current sequence and
the denoiser's predictions, and gives a law over non-empty sets of masked sites; the tokens at
the chosen sites are then drawn independently from the predictions. *Select* and *draw* are kept
apart: a policy of this kind has chosen before any token is drawn. With the zero-loss denoiser
and one site per round it samples exactly from the data.

A policy of your own is a function (see `Rule`) or a subclass of `Policy` with one method, `law`.
Two other kinds of decoders, which the exact computation treats in ways of their own, are

- `TokenPolicy`, which looks at drawn tokens before it chooses,
- `Corrector`, which lets a policy write everything and then draws some sites again.

Sequences and predictions reach a policy where the data live, on the host or on a device, and it
answers with arrays that live there: nothing is moved for it. What draws (`choose`, `write`, with
a host generator) is given host arrays.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from sims.policies.checks import (
    as_chances,
    chances_of_rows,
    check_chances,
    check_choice,
    checked_chances,
)
from theory import MASK
from theory._core.segments import groups, row_counts

__all__ = [
    "Ask",
    "Decoder",
    "Law",
    "Outcomes",
    "Policy",
    "Rule",
    "Select",
    "TokenPolicy",
    "as_chances",
    "as_rule",
    "chances_of_rows",
    "check_chances",
    "check_choice",
    "checked_chances",
]

Select = Callable[[Any, Any], Any]
"""From patterns (B, L) and predictions (B, L, V) to the sites to reveal, bool (B, L)."""

Law = Iterator[tuple[Any, Any]]
"""Outcomes of a choice: chances, and the sites that are then revealed."""

Ask = Callable[[Any], tuple[Any, Any]]
"""Calls the denoiser on patterns (B, L): predictions, and what tokens are drawn from, (B, L, V)."""

Outcomes = Iterator[tuple[Any, Any, Any, int]]
"""Rows that an outcome concerns (N,), its chances (N,), the sequences after it, and the calls."""


class Decoder:
    """What all kinds of decoders have in common.

    Attributes
    ----------
    looks_at_tokens : bool
        Whether it draws tokens before it chooses among them (see `TokenPolicy`).
    """

    looks_at_tokens: bool = False

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the decoder does not fit such sequences."""

    def __repr__(self) -> str:
        names = inspect.signature(type(self)).parameters
        values = (repr(getattr(self, name)) for name in names if hasattr(self, name))
        return f"{type(self).__name__}({', '.join(values)})"


class Policy(Decoder, ABC):
    """Which masked sites to reveal next.

    Attributes
    ----------
    steps : int or None
        How many rounds a policy on a clock has; None if it goes on until nothing is masked. A
        policy on a clock may select no site at all, which costs no call of the denoiser.
    revises : bool
        Whether it may mask observed sites again (it then needs a clock).

    Examples
    --------
    One site that is drawn by chance, more likely a sure one than a doubtful one. (One site per
    round: it is exact.)

    >>> from theory import MASK, gallery
    >>> from sims import output_distribution
    >>> class SurelyFirst(Policy):
    ...     def law(self, x, predictions, round_index):
    ...         weights = np.where(x == MASK, predictions.max(axis=-1), 0)
    ...         weights /= weights.sum(axis=1, keepdims=True)
    ...         for site in range(x.shape[1]):
    ...             reveal = np.zeros(x.shape, dtype=bool)
    ...             reveal[:, site] = True
    ...             yield weights[:, site], reveal
    >>> q = output_distribution(gallery.golden_mean(4), SurelyFirst())
    >>> round(q.kl, 12), round(q.expected_rounds, 12)
    (0.0, 4.0)
    """

    revises: ClassVar[bool] = False

    @property
    def steps(self) -> int | None:
        """None: it goes on until nothing is masked."""
        return None

    @abstractmethod
    def law(self, x: Any, predictions: Any, round_index: int) -> Law:
        """Yield the outcomes of the choice.

        Parameters
        ----------
        x : array of int64, shape (B, L)
            Sequences with equally many masked sites; at least one, unless the policy revises.
            Nobody may write to `x` or `predictions`. They live where the data do.
        predictions : array, shape (B, L, V)
            The denoiser's untempered predictions; one-hot at observed sites.
        round_index : int
            0 in the first round.

        Yields
        ------
        chance : number or array, shape () or (B,)
            Probability of this outcome. The chances of a row sum to 1; Fractions stay exact.
        reveal : array of bool, shape (B, L)
            The sites to reveal: masked ones, at least one in each row whose chance is not 0. A
            policy that revises marks an observed site to mask it again.
        """

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw one outcome of the law for each row, shape (B, L) bool.

        Unlike `law` it is given rows with different numbers of masked sites. Random policies
        whose law is long override it.
        """
        chosen = np.zeros(x.shape, dtype=bool)
        for _, rows in groups(row_counts(x == MASK)):
            seen, guessed = x[rows], predictions[rows]
            uniform, below = rng.random(len(rows)), np.zeros(len(rows))
            for chance, reveal in self.law(seen, guessed, round_index):
                chance, _ = checked_chances(self, seen, chance, reveal, exact=False)
                here = (uniform >= below) & (chance > 0)
                chosen[rows[here]] = reveal[here]
                below = below + chance
            check_chances(below, seen)
        return chosen


class TokenPolicy(Decoder, ABC):
    """A decoder that draws tokens first and then chooses which of them to keep.

    Such a choice favours the tokens that it likes, so nothing guarantees that one site per round
    is exact.
    """

    looks_at_tokens = True

    @abstractmethod
    def outcomes(self, x: Any, ask: Ask, round_index: int) -> Outcomes:
        """Yield what one round can lead to, from sequences with equally many masked sites.

        Parameters
        ----------
        x : array of int64, shape (B, L)
            On the host or on a device; everything that is yielded lives there, too.
        ask : callable
            ``ask(x)`` returns predictions and the probabilities to draw from (the predictions at
            the temperature of the run), both (B, L, V).
        round_index : int

        Yields
        ------
        rows : array of int64, shape (N,)
        chance : array, shape (N,)
            The chances of each row sum to 1 over all outcomes.
        after : array of int64, shape (N, L)
            Observed tokens stay, at least one more is observed.
        calls : int
            Calls of the denoiser that follow each other; a batch counts as one.
        """

    @abstractmethod
    def write(
        self, x: np.ndarray, ask: Ask, round_index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Draw one outcome for each row; rows may have different numbers of masked sites."""


class Rule(Policy):
    """A deterministic policy given by a function.

    Parameters
    ----------
    select : callable
        ``select(x, predictions)`` returns a bool array (B, L): the sites to reveal. It is given
        arrays that live where the data do, NumPy's if that is the host, and has to answer with
        one that lives there.

    Examples
    --------
    Reveal every site whose prediction is certain, else the first masked one:

    >>> from theory import MASK, gallery
    >>> from sims import output_distribution
    >>> def certain_first(x, predictions):
    ...     masked = x == MASK
    ...     sure = masked & (predictions.max(axis=-1) == 1)
    ...     first = masked & (masked.cumsum(axis=1) == 1)
    ...     return np.where(sure.any(axis=1, keepdims=True), sure, first)
    >>> q = output_distribution(gallery.coupled_pairs(2), Rule(certain_first))
    >>> q.kl, q.expected_rounds
    (0.0, 4.0)
    """

    def __init__(self, select: Select) -> None:
        self.select = select

    def law(self, x: Any, predictions: Any, round_index: int) -> Law:
        """Yield the one outcome of the rule."""
        yield 1, self.select(x, predictions)

    def __repr__(self) -> str:
        return f"Rule({getattr(self.select, '__name__', repr(self.select))})"


def as_rule(policy: Any) -> Any:
    """Return the `Rule` of a function, and anything else as it is.

    >>> as_rule(lambda x, predictions: x == MASK)
    Rule(<lambda>)
    """
    if isinstance(policy, Decoder | type) or not callable(policy):
        return policy
    select: Any = policy
    return Rule(select)
