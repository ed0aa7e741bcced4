"""A hidden Markov model of any length.

A masked site emits nothing: its likelihood is 1 in every hidden state. The forward-backward
algorithm gives the posterior of each hidden state, and the prediction at a masked site is that
posterior times the emission matrix.
"""

from collections.abc import Sequence

import numpy as np

from theory._core.arrays import MASK, array_namespace, from_host, on_one_device, within_memory
from theory._core.plurals import counted
from theory._core.segments import gather
from theory._core.types import Array, ArrayLike
from theory._markov.forward_backward import Smoothed, forward_backward
from theory.distributions.base import Distribution
from theory.distributions.hidden_markov_bounds import hidden_bracket
from theory.distributions.sampling import check_draw, draw_states, draw_tokens
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer
from theory.validation.probabilities import as_chain, as_rows

__all__ = ["HiddenMarkovModel"]


class HiddenMarkovModel(Distribution):
    """Tokens emitted by a Markov chain of hidden states.

    Parameters
    ----------
    initial : array_like, shape (H,)
    transition : array_like, shape (H, H)
    emission : array_like, shape (H, V)
        Row ``h`` is the distribution of the token that state ``h`` emits.
    length : int
    symbols : sequence of str, optional

    Raises
    ------
    InvalidInput
        If shapes disagree or a row does not sum to 1.

    Examples
    --------
    A hidden bit that never changes, read with error 1/4. After one 0 the bit is 0 with
    probability 3/4, and the next reading is 0 with probability ``9/16 + 1/16``:

    >>> from theory import MASK
    >>> read = [[0.75, 0.25], [0.25, 0.75]]
    >>> HiddenMarkovModel([0.5, 0.5], [[1, 0], [0, 1]], read, length=2).denoise([0, MASK])[1]
    array([0.625, 0.375])
    """

    @within_memory("a hidden chain")
    def __init__(
        self,
        initial: ArrayLike,
        transition: ArrayLike,
        emission: ArrayLike,
        length: int,
        symbols: Sequence[str] | None = None,
    ) -> None:
        self.initial, transition = as_chain(initial, transition, "states")
        self.initial, self.transition, self.emission = on_one_device(
            self.initial, transition, as_rows(emission, "emission", 2)
        )
        states = self.initial.shape[0]
        if self.emission.shape[0] != states:
            raise InvalidInput(
                f"emission must have {counted(states, 'row')}, one per state, "
                f"got shape {tuple(self.emission.shape)}"
            )
        self._describe(as_integer(length, "length", 1), self.emission.shape[1], symbols)

    @property
    def like(self) -> Array:
        return self.transition

    def _likelihood(self, x: Array) -> Array:
        """Probability of each observed token in each state, 1 where masked, (B, L, H)."""
        xp = array_namespace(x)
        emitted = gather(xp.matrix_transpose(self.emission), xp.where(x == MASK, 0, x))
        return xp.where(x[..., None] == MASK, 1.0, emitted)

    def _smooth(self, x: Array) -> Smoothed:
        return forward_backward(self.initial, self.transition, self._likelihood(x))

    def _predict(self, x: Array) -> tuple[Array, Array]:
        smoothed = self._smooth(x)
        xp = array_namespace(self.emission)
        return xp.matmul(smoothed.posterior, self.emission), xp.isfinite(smoothed.log_evidence)

    def _log_evidence(self, x: Array) -> Array:
        return self._smooth(x).log_evidence

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L): at each site a hidden state, then its token."""
        size = check_draw(rng, size)
        xp = array_namespace(self.transition)
        state = draw_tokens(rng, xp.broadcast_to(self.initial, (size, *self.initial.shape)))
        tokens = []
        for i in range(self.length):
            if i:
                state = draw_tokens(rng, xp.take(self.transition, state, axis=0))
            tokens.append(draw_tokens(rng, xp.take(self.emission, state, axis=0)))
        return xp.stack(tokens, axis=1)

    def _sample_given(self, rng: np.random.Generator, size: int, pattern: Array) -> Array:
        xp = array_namespace(self.transition)
        likelihood = self._likelihood(pattern[None, :])[0, ...]
        states = draw_states(rng, size, self.initial, self.transition, likelihood)
        drawn = [
            draw_tokens(rng, xp.take(self.emission, states[:, i], axis=0))
            for i in range(self.length)
        ]
        return xp.where(pattern == MASK, xp.stack(drawn, axis=1), pattern)

    def mean_entropy_bracket(self) -> tuple[Array, Array]:
        """Bounds of the mean entropy of k random sites in nats, k = 0..L (see `hidden_bracket`)."""
        bounds = hidden_bracket(self.initial, self.transition, self.emission, self.length)
        lower, upper = (from_host(bound, self.like) for bound in bounds)
        return lower, upper
