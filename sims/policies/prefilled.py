"""A policy that is shown tokens that are certain, before they are revealed."""

from typing import Self

import numpy as np

from sims.policies.base import Decoder, Policy, Reveals, Select, as_rule, told
from theory import MASK
from theory._core.arrays import array_namespace, format_pattern, from_host, read_only, to_host
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike
from theory.errors import InvalidInput

__all__ = ["Prefilled"]


class Prefilled(Policy):
    """Let a policy see a prompt that is not written yet, and reveal the prompt in the first round.

    Of data that always have these tokens, such as ``p.given(pattern)``, the masked sites of the
    prompt are certain: revealing them costs nothing, and the inner policy goes on as if they had
    been given from the start. It has to look at the revealed tokens alone.

    Parameters
    ----------
    inner : Policy, or a function as for `Rule`
        One that depends on predictions in no way, never remasks and has no clock.
    pattern : array_like of int, shape (L,)
        The tokens, ``MASK`` elsewhere.

    Raises
    ------
    InvalidInput

    >>> from theory import gallery
    >>> from sims import output_distribution, policies
    >>> pattern = [0, MASK, MASK, MASK, 1]
    >>> p = gallery.binary_symmetric(5, 0.25).given(pattern)
    >>> policy = Prefilled(policies.Bisection(), pattern)    # the middle, then the others
    >>> q = output_distribution(p, policy)
    >>> round(abs(q.kl), 12), q.expected_rounds
    (0.0, 2.0)
    """

    def __init__(self, inner: Decoder | Select, pattern: ArrayLike) -> None:
        inner = as_rule(inner)
        if (
            not isinstance(inner, Policy)
            or inner.depends_on not in ("nothing", "revealed")
            or inner.remasks
            or inner.steps is not None
        ):
            raise InvalidInput(
                f"inner must depend on revealed tokens at most, without a clock, got {inner!r}"
            )
        pattern = np.asarray(to_host(pattern))
        if pattern.ndim != 1 or pattern.dtype.kind not in "iu" or (pattern < MASK).any():
            raise InvalidInput(f"pattern must be tokens of shape (L,), got {pattern!r}")
        self.inner: Policy = inner
        self.pattern = read_only(pattern.astype(np.int64))
        self.depends_on, self.randomised = "revealed", inner.randomised
        self._left = 0

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The inner policy is told that the prompt is given, too."""
        if length != len(self.pattern):
            raise InvalidInput(
                f"the pattern has {counted(len(self.pattern), 'site')}, the sequences {length}"
            )
        given = {*sites, *np.flatnonzero(self.pattern != MASK).tolist()}
        known = told(self, tuple(sorted(given)), length)
        known._left = length - len(given)
        return known

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy does not fit what is left."""
        self.inner.check(self._left, vocab)

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the outcomes of the inner policy, with what is certain."""
        xp, pattern = array_namespace(x), from_host(self.pattern, x)
        certain = (x == MASK) & (pattern != MASK)
        seen = xp.where(certain, pattern, x)
        for probability, reveal in self.inner.reveal_distribution(seen, predictions, round_index):
            yield probability, reveal | certain

    def __repr__(self) -> str:
        return f"Prefilled({self.inner!r}, {format_pattern(self.pattern)})"
