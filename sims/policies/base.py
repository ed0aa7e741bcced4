"""The choice of which masked sites to reveal next, as a distribution over sets of sites.

Decoding starts with every site masked. In each round the policy sees the current sequence and
the denoiser's predictions, and gives a distribution over non-empty sets of masked sites; the
tokens at the chosen sites are then drawn independently from the predictions. *Select* and *draw*
are kept apart: a policy of this kind has chosen before any token is drawn. With the zero-loss
denoiser and one site per round it samples exactly from the data.

A policy of your own is a function (see `Rule`) or a subclass of `Policy` with one method,
`reveal_distribution`. One that depends on less than the predictions, or is not random, says so by
two attributes (see `Decoder`): what is computed for such policies alone is then computed for it.
Two other kinds of decoders, which the exact computation treats in ways of their own, are

- `TokenPolicy`, which draws tokens before it chooses among them,
- `Corrector`, which lets a policy write everything and then draws some sites again.

Sequences and predictions reach a policy where the data live, on the host or on a device, and it
returns arrays that live there: nothing is moved for it. What draws (`choose`, `write`, with
a host generator) is given host arrays.
"""

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np

from sims.policies.checks import check_total, checked_outcome
from sims.policies.observed_sites import Observed
from theory import MASK
from theory._core.renamed import Renamed
from theory._core.segments import groups, row_counts
from theory._core.types import Array
from theory.errors import InvalidInput

__all__ = [
    "DEPENDENCES",
    "CallDenoiser",
    "Decoder",
    "Dependence",
    "Outcomes",
    "Policy",
    "Reveals",
    "Rule",
    "Select",
    "TokenPolicy",
    "as_rule",
    "told",
]

Dependence = Literal["nothing", "revealed", "predictions", "drawn tokens"]
DEPENDENCES: tuple[Dependence, ...] = ("nothing", "revealed", "predictions", "drawn tokens")

Select = Callable[[Array, Array], Array]
"""From patterns (B, L) and predictions (B, L, V) to the sites to reveal, bool (B, L)."""

Reveals = Iterator[tuple[Any, Array]]
"""Outcomes of a choice: probabilities, and the sites that are then revealed."""

CallDenoiser = Callable[[Array], tuple[Array, Array]]
"""From patterns (B, L) to predictions, and what tokens are drawn from, both (B, L, V)."""

Outcomes = Iterator[tuple[Array, Array, Array, int]]
"""Rows that an outcome concerns (N,), its probabilities (N,), the sequences after, the calls."""


class Decoder:
    """What all kinds of decoders have in common.

    Attributes
    ----------
    depends_on : {"nothing", "revealed", "predictions", "drawn tokens"}
        The most that its choice of sites depends on, beside which sites are masked and which round
        it is: nothing more; the tokens revealed so far; the predictions; or tokens that it draws
        itself (see `TokenPolicy`). "predictions", which covers all that a `Policy` is given, if a
        class does not say.
    randomised : bool
        Whether its choice of sites is random; True if a class does not say.
    remasks : bool
        Whether it may mask, or draw, again what is already written.
    observed : {"one-hot", "leave-one-out", "flat"}
        What it is shown as predictions at observed sites (see `observed_sites`).
    gapwise : bool
        Whether what it chooses in a gap, a run of masked sites, depends on that gap alone: its
        length, its ends, the predictions in it and, for one with `steps`, the round. It then
        reveals something in every gap; or gaps may wait as long as there is something to reveal in
        others, and once all wait, what one of them would reveal if it were alone is revealed there.
        False if a class does not say. On Markov chains `sims.on_chain` follows it at any length.
    """

    depends_on: Dependence = "predictions"
    randomised: bool = True
    remasks: bool = False
    observed: Observed = "one-hot"
    gapwise: bool = False

    @property
    def looks_at_tokens(self) -> bool:
        """Whether it draws tokens before it chooses among them."""
        return self.depends_on == "drawn tokens"

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The decoder for sequences of which these sites are given, or none; most need not know.

        `Blocks` count from the end of a prompt, and a decoder of others tells them. It is asked
        before `check`.
        """
        return self

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the decoder does not fit so many sites to write."""

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """`check` of a decoder within `Blocks`: of L sites that it is shown, these are masked."""
        self.check(len(masked), vocab)

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters.values()
        known = [(p, getattr(self, p.name)) for p in parameters if hasattr(self, p.name)]
        keywords = [(p, v) for p, v in known if p.kind is p.KEYWORD_ONLY and v != p.default]
        shown, skipped = [], False
        for p, value in known:
            if p.kind is p.KEYWORD_ONLY:
                continue
            if keywords and value == p.default:
                skipped = True
            else:
                shown.append(f"{p.name}={value!r}" if skipped else repr(value))
        shown += [f"{p.name}={value!r}" for p, value in keywords]
        return f"{type(self).__name__}({', '.join(shown)})"


class Policy(Decoder, Renamed, ABC, renamed={"law": "reveal_distribution", "revises": "remasks"}):
    """Which masked sites to reveal next.

    A class that chooses anew declares anew: `depends_on`, `randomised` and `gapwise` are not
    inherited by a subclass with a `reveal_distribution` or a `choose` of its own.

    Attributes
    ----------
    steps : int or None
        How many rounds a policy on a clock has; None if it goes on until nothing is masked. A
        policy on a clock may select no site at all, which costs no call of the denoiser.
    remasks : bool
        Whether it may mask observed sites again. It then needs a clock.

    Examples
    --------
    One site that is drawn at random, more likely a confident one than a doubtful one. (One site
    per round: it is exact.)

    >>> from theory import MASK, gallery
    >>> from sims import output_distribution
    >>> class ConfidentFirst(Policy):
    ...     def reveal_distribution(self, x, predictions, round_index):
    ...         weights = np.where(x == MASK, predictions.max(axis=-1), 0)
    ...         weights /= weights.sum(axis=1, keepdims=True)
    ...         for site in range(x.shape[1]):
    ...             reveal = np.zeros(x.shape, dtype=bool)
    ...             reveal[:, site] = True
    ...             yield weights[:, site], reveal
    >>> q = output_distribution(gallery.golden_mean(4), ConfidentFirst())
    >>> round(q.kl, 12), round(q.expected_rounds, 12)
    (0.0, 4.0)

    Every other site, then the others, whatever the tokens and predictions are:

    >>> from sims.order import fixed_batches
    >>> class EvenFirst(Policy):
    ...     depends_on = "nothing"
    ...     randomised = False
    ...     def reveal_distribution(self, x, predictions, round_index):
    ...         yield 1, (x == MASK) & (np.arange(x.shape[1]) % 2 == round_index)
    >>> fixed_batches(EvenFirst(), 5)
    ((0, 2, 4), (1, 3))
    """

    remasks: bool = False  # again, for its old name is an alias of what a class defines

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # what a class declares is true of its own choice, not of one that a subclass makes
        declared = vars(cls).keys()
        if not declared.isdisjoint(("reveal_distribution", "choose")):
            for name in {"depends_on", "randomised", "gapwise"} - declared:
                setattr(cls, name, getattr(Policy, name))

    @property
    def steps(self) -> int | None:
        """None: it goes on until nothing is masked."""
        return None

    @abstractmethod
    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the outcomes of the choice.

        Parameters
        ----------
        x : array of int64, shape (B, L)
            Sequences with equally many masked sites; at least one, unless the policy remasks.
            Nobody may write to `x` or `predictions`. They live where the data do.
        predictions : array, shape (B, L, V)
            The denoiser's untempered predictions; one-hot at observed sites, or as the attribute
            `observed` says.
        round_index : int
            0 in the first round.

        Yields
        ------
        probability : number or array, shape () or (B,)
            Of this outcome. Those of a row sum to 1; Fractions stay exact.
        reveal : array of bool, shape (B, L)
            The sites to reveal: masked ones, at least one in each row whose probability is not 0.
            A policy that remasks marks an observed site to mask it again.
        """

    def choose(
        self, x: np.ndarray, predictions: np.ndarray, round_index: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw one outcome for each row, shape (B, L) bool.

        Unlike `reveal_distribution` it is given rows with different numbers of masked sites.
        Random policies with many outcomes override it.
        """
        chosen = np.zeros(x.shape, dtype=bool)
        for _, rows in groups(row_counts(x == MASK)):
            seen, guessed = x[rows], predictions[rows]
            uniform, below = rng.random(len(rows)), np.zeros(len(rows))
            outcomes = self.reveal_distribution(seen, guessed, round_index)
            for probability, reveal in outcomes:
                probability, _ = checked_outcome(self, seen, probability, reveal, exact=False)
                here = (uniform >= below) & (probability > 0)
                chosen[rows[here]] = reveal[here]
                below = below + probability
            check_total(below, seen)
        return chosen


class TokenPolicy(Decoder, ABC):
    """A decoder that draws tokens first and then chooses which of them to keep.

    Such a choice favours the tokens that it likes, so nothing guarantees that one site per round
    is exact.

    In `Blocks` not all masked sites may be written at once. Methods that have one more parameter,
    ``eligible=None``, are told which: bool (B, L), or None for all. Those without are shown the
    sequences without the masked sites that come later.

    One that may also change or mask again what is written says ``remasks = True`` and has a number
    of `steps`. It is shown complete sequences, too; one that a round leaves complete and unchanged
    is finished.
    """

    depends_on = "drawn tokens"

    @property
    def steps(self) -> int | None:
        """None: it goes on until nothing is masked."""
        return None

    @abstractmethod
    def outcomes(self, x: Array, call_denoiser: CallDenoiser, round_index: int, /) -> Outcomes:
        """Yield what one round can lead to, from sequences with equally many sites to write.

        Parameters
        ----------
        x : array of int64, shape (B, L)
            On the host or on a device; everything that is yielded lives there, too.
        call_denoiser : callable
            ``call_denoiser(x)`` returns predictions and the probabilities to draw from (the
            predictions at the temperature of the run), both (B, L, V).
        round_index : int

        Yields
        ------
        rows : array of int64, shape (N,)
        probability : array, shape (N,)
            Those of each row sum to 1 over all outcomes.
        after : array of int64, shape (N, L)
            Observed tokens stay, at least one more is observed, unless it remasks.
        calls : int
            Calls of the denoiser that follow each other; a batch counts as one.
        """

    @abstractmethod
    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        /,
    ) -> tuple[np.ndarray, int]:
        """Draw one outcome for each row; rows may have different numbers of masked sites."""


class Rule(Policy):
    """The deterministic policy that a function gives.

    Parameters
    ----------
    select : callable
        ``select(x, predictions)`` returns a bool array (B, L): the sites to reveal. It is given
        arrays that live where the data do, NumPy's if that is the host, and has to return one that
        lives there.
    depends_on : {"nothing", "revealed", "predictions"}
        The most that `select` depends on (see `Decoder`).

    Examples
    --------
    Reveal every site whose prediction is certain, else the first masked one:

    >>> from theory import MASK, gallery
    >>> from sims import output_distribution
    >>> def certain_first(x, predictions):
    ...     masked = x == MASK
    ...     certain = masked & (predictions.max(axis=-1) == 1)
    ...     first = masked & (masked.cumsum(axis=1) == 1)
    ...     return np.where(certain.any(axis=1, keepdims=True), certain, first)
    >>> q = output_distribution(gallery.coupled_pairs(2), Rule(certain_first))
    >>> q.kl, q.expected_rounds
    (0.0, 4.0)
    """

    randomised = False

    def __init__(self, select: Select, depends_on: Dependence = "predictions") -> None:
        if depends_on not in DEPENDENCES[:3]:
            known = ", ".join(DEPENDENCES[:3])
            raise InvalidInput(f"depends_on must be one of {known}, got {depends_on!r}")
        self.select, self.depends_on = select, depends_on

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome of the rule."""
        yield 1, self.select(x, predictions)

    def __repr__(self) -> str:
        return f"Rule({getattr(self.select, '__name__', repr(self.select))})"


def told(decoder: Any, sites: tuple[int, ...], length: int) -> Any:
    """A copy of a decoder of decoders, whose `inner` knows the given sites."""
    known = copy.copy(decoder)
    known.inner = decoder.inner.with_given(sites, length)
    return known


def as_rule(policy: Any) -> Any:
    """Return the `Rule` of a function, and anything else as it is.

    >>> as_rule(lambda x, predictions: x == MASK)
    Rule(<lambda>)
    """
    if isinstance(policy, Decoder | type) or not callable(policy):
        return policy
    select: Any = policy
    return Rule(select)
