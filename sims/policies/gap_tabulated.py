"""A policy as a table over gaps: for both ends and the length of a run of masked sites."""

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.copies import Copies
from theory import MASK
from theory._core.arrays import array_namespace, as_array, device, read_only, to_host
from theory._core.plurals import counted
from theory._core.segments import any_true, gather
from theory._core.types import Array, ArrayLike
from theory.distributions.neighbours import nearest_observed
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_tokens

__all__ = ["GapTabulated"]


class GapTabulated(Policy):
    """A policy as a table over gaps, such as the best ones that `frontier` finds for chains.

    In every gap, a run of masked sites, it reveals sites by the tokens at both ends of the gap, its
    length and the number of rounds that are left. On a Markov chain nothing else matters. Sequences
    are written in at most R rounds, whatever is drawn: it is on a clock of R steps, of which it
    needs fewer where the table reveals more. So in `Blocks` each block takes up to R rounds of its
    own; a block is a gap whose right end is open. Predictions play no role.

    Parameters
    ----------
    choices : array of bool, shape (R, V+1, V+1, n+1, n+1)
        Which offsets are revealed with 1..R rounds left, by the left end, the right end and the
        length of the gap, 0..n. An end is a token, or V where the sequence ends. With one round
        left all sites of a gap are revealed, whatever the table says.
    known : array_like of int, shape (L,), optional
        Tokens that have probability 1, ``MASK`` elsewhere: ends of gaps even while they are masked.
        Their sites are revealed in the first round. For data such as ``p.given(x)`` that are
        written without a prompt.

    Attributes
    ----------
    choices, known
        As above.
    rounds : int
        R.
    vocab : int
        V.
    longest : int
        n, the length of the longest gap.

    Raises
    ------
    InvalidInput
        If the choices are not bool, of another shape, or reveal nothing in some gap.

    Examples
    --------
    A gap of two sites between equal tokens is filled at once, other gaps site by site:

    >>> choices = np.zeros((2, 3, 3, 3, 3), dtype=bool)
    >>> choices[..., 1:, 0] = True
    >>> choices[1, [0, 1], [0, 1], 2, 1] = True
    >>> policy = GapTabulated(choices)
    >>> policy.sites([0, MASK, MASK, 0, MASK, MASK, 1], 2)
    (1, 2, 4)
    >>> policy
    <GapTabulated policy of at most 2 rounds, for gaps of up to 2 sites over 2 tokens>
    """

    depends_on = "revealed"
    randomised = False
    gapwise = True

    def __init__(self, choices: ArrayLike, known: ArrayLike | None = None) -> None:
        choices = as_array(choices)
        xp, shape = array_namespace(choices), tuple(choices.shape)
        fits = len(shape) == 5 and shape[1:] == (shape[1],) * 2 + (shape[3],) * 2
        if choices.dtype != xp.bool or not fits or min(shape[0], shape[1] - 1, shape[3] - 1) < 1:
            raise InvalidInput(
                f"choices must be bool of shape (R, V+1, V+1, n+1, n+1) with R, V, n >= 1, got "
                f"{choices.dtype} of shape {shape}"
            )
        self.choices = read_only(choices)
        self.rounds, self.vocab, self.longest = shape[0], shape[1] - 1, shape[3] - 1
        site = xp.arange(self.longest + 1, dtype=xp.int64, device=device(choices))
        found = xp.any(choices & (site < site[:, None]), axis=-1)  # for the lengths of gaps
        none = ~found[1:, :, :, 1:]
        if any_true(none):
            left, a, b, n = (int(index[0]) for index in xp.nonzero(none))
            raise InvalidInput(
                f"choices must reveal a site in every gap: with {left + 2} rounds left there is "
                f"none in {counted(n + 1, 'site')} between {a} and {b}"
            )
        self.known = None
        if known is not None:
            self.known = read_only(self._as_pattern(known, "known")[0, :])
        self._choices = Copies(self.choices)
        self._known = None if self.known is None else Copies(self.known)
        self._given: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """As many as there are rounds at most."""
        return self.rounds

    def sites(self, x: ArrayLike, rounds_left: int) -> tuple[int, ...]:
        """The sites that are revealed at a pattern (L,) with so many rounds left.

        Raises
        ------
        InvalidInput
            If `x` is no single pattern, or has gaps that the table has not.
        """
        rows = self._as_pattern(x, "x")
        left = as_integer(rounds_left, "rounds_left", 1)
        masked = np.flatnonzero(to_host(rows[0, :]) == MASK).tolist()
        self.check_within(masked, rows.shape[1], self.vocab)
        return tuple(np.flatnonzero(to_host(self._reveal(rows, left))[0]).tolist())

    def _as_pattern(self, x: ArrayLike, name: str) -> Array:
        """One pattern (1, L) that lives where the table does."""
        x = as_array(x)
        if x.ndim != 1:
            raise InvalidInput(f"{name} must be one pattern (L,), got shape {tuple(x.shape)}")
        return as_tokens(x[None, :], x.shape[0], self.vocab, self.choices)[0]

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The policy knows which sites are given, between which there are gaps."""
        told = copy.copy(self)
        told._given = sites
        return told

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table has the gaps of such sequences."""
        length, given = length + len(self._given), set(self._given)
        self.check_within([site for site in range(length) if site not in given], length, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` unless the table has the gaps of these masked sites."""
        open_sites = np.zeros(length, dtype=bool)
        open_sites[list(masked)] = True
        if self.known is not None:
            if length > self.known.shape[0]:
                raise InvalidInput(
                    f"the policy knows tokens of {counted(self.known.shape[0], 'site')}; the "
                    f"sequences have {length}"
                )
            open_sites &= to_host(self.known)[:length] == MASK
        ends = np.flatnonzero(~np.concatenate([[False], open_sites, [False]]))
        longest = int(np.diff(ends).max()) - 1
        if longest > self.longest or vocab != self.vocab:
            raise InvalidInput(
                f"the policy is tabulated for gaps of up to {counted(self.longest, 'site')} over "
                f"{counted(self.vocab, 'token')}; the sequences have gaps of {longest} over {vocab}"
            )

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        yield 1, self._reveal(x, self.rounds - round_index)

    def _reveal(self, x: Array, left: int) -> Array:
        xp, (_, length), masked = array_namespace(x), x.shape, x == MASK
        if left <= 1:
            return masked
        seen = x
        if self._known is not None:
            known = self._known.beside(x)[None, :length]
            seen = xp.where(known == MASK, x, known)
        near, inside = nearest_observed(seen), seen == MASK
        end = xp.full_like(x[:, :1], self.vocab)
        tokens = xp.concat([end, seen, end], axis=1)
        a = xp.take_along_axis(tokens, near.left + 1, axis=1)
        b = xp.take_along_axis(tokens, near.right + 1, axis=1)
        site = xp.arange(length, dtype=xp.int64, device=device(x))
        size = near.right - near.left - 1
        row = ((min(left, self.rounds) - 1) * (self.vocab + 1) + a) * (self.vocab + 1) + b
        index = (row * (self.longest + 1) + size) * (self.longest + 1) + site - near.left - 1
        table = xp.reshape(self._choices.beside(x), (-1,))
        chosen = gather(table, xp.where(inside, index, xp.zeros_like(index)))
        return masked & (chosen | ~inside)

    def __repr__(self) -> str:
        return (
            f"<GapTabulated policy of at most {counted(self.rounds, 'round')}, for gaps of up to "
            f"{counted(self.longest, 'site')} over {counted(self.vocab, 'token')}>"
        )
