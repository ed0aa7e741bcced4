"""Tokens of one round drawn together, from a joint that knows more than their marginals."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from sims.joints.base import Joint
from sims.policies.base import CallDenoiser, Outcomes, Policy, Select, TokenPolicy, as_rule, told
from sims.policies.checks import check_choice, row_probabilities
from sims.policies.eligible import Shown, shown_sites
from theory._core.arrays import device, is_exact
from theory._core.types import Array
from theory.distributions.sampling import draw_tokens
from theory.errors import InvalidInput
from theory.lattice.codes import digits

__all__ = ["JointDraw"]

VALUES = 2**20
"""Distributions that are computed together have about so many values."""


class JointDraw(TokenPolicy):
    """Choose sites by a policy, then draw their tokens from an approximate joint.

    In each round `inner` selects the set S from the predictions, as it would alone; the tokens at
    S are then drawn from ``r(x_S | c)`` in place of the product of the predictions. With the
    product it is `inner`, with the true joint it writes the data in as many rounds as `inner`
    would take on them.

    A single site is drawn from the (tempered) predictions of the denoiser whatever the joint is.
    For several sites `Product`, `Projection`, `ResidualEnergy` and `Resampled` start from these,
    and the last two weigh them by what they know of the data; a `Mixture` of two components or
    more depends neither on the temperature nor on the denoiser.

    Parameters
    ----------
    inner : Policy, or a function as for `Rule`
        It must not depend on drawn tokens, nor be on a clock.
    joint : Joint
        For instance one of `sims.joints`.

    Notes
    -----
    In a round of several sites the calls that the joint needs beside the denoiser's
    (`Joint.extra_calls`) are counted, too. `path_kl` of the output is given as `kl`, which it is if
    `inner` is not randomised. The joints are computed on the host: exact output distributions of
    data on a device are refused.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> from sims.joints import ResidualEnergy
    >>> from sims.policies import LeftToRight
    >>> p = gallery.permutations(3, exact=True)
    >>> q = output_distribution(p, JointDraw(LeftToRight(3), ResidualEnergy(p)))
    >>> q.kl, q.expected_rounds
    (0, Fraction(1, 1))
    """

    _given: tuple[int, ...] = ()

    def __init__(self, inner: Policy | Select, joint: Joint) -> None:
        inner = as_rule(inner)
        if not isinstance(inner, Policy) or inner.looks_at_tokens:
            raise InvalidInput(
                f"inner must be a policy that selects before it draws, got {inner!r}"
            )
        if inner.steps is not None or inner.remasks:
            raise InvalidInput(f"inner must go on until nothing is masked: {inner!r} has a clock")
        if not isinstance(joint, Joint):
            raise InvalidInput(f"joint must be a Joint of sims.joints, got {joint!r}")
        self.inner, self.joint, self.randomised = inner, joint, inner.randomised
        self.observed = inner.observed

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The inner policy is told."""
        known = told(self, sites, length)
        known._given = sites
        return known

    def _told(self, shown: Shown) -> Policy:
        """The inner policy, which is shown a part of the sequence."""
        if shown.every or not self._given:
            return self.inner
        return self.inner.with_given(*shown.places(self._given))

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy or the joint does not fit."""
        self.inner.check(length, vocab)
        self.joint.check(length, vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the inner policy or the joint does not fit."""
        later = [i > masked[-1] and i not in self._given for i in range(length)]
        shown = Shown(np.asarray(later), np.zeros(0))
        self._told(shown).check_within(*shown.places(masked), vocab)
        self.joint.check(len(masked), vocab)

    def outcomes(
        self, x: Array, call_denoiser: CallDenoiser, round_index: int, eligible: Array | None = None
    ) -> Outcomes:
        """Yield every choice of the inner policy with every value of the chosen sites."""
        if not isinstance(x, np.ndarray):
            raise InvalidInput(
                f"{self!r} draws from joints that are computed on the host; these sequences live "
                f"on {device(x)}. Give it a distribution that lives on the host"
            )
        self.joint.check_whole(x.shape[1])
        predictions, sampling_probs = call_denoiser(x)
        vocab = sampling_probs.shape[-1]
        for here, shown in shown_sites(x, eligible):
            seen, guessed = shown.part(x[here]), shown.part(predictions[here])
            choices = self._told(shown).reveal_distribution(seen, guessed, round_index)
            for probability, reveal in choices:
                weights = row_probabilities(probability, seen).astype(sampling_probs.dtype)
                check_choice(self.inner, seen, reveal, weights != 0)
                reveal = shown.whole(reveal, False)
                for some, sites in _by_size(reveal, np.flatnonzero(weights != 0), vocab):
                    rows = here[some]
                    joint = self._distribution(x[rows], sites, sampling_probs[rows[:, None], sites])
                    mass = weights[some, None] * joint
                    at, value = np.nonzero(mass != 0)
                    after = x[rows[at]]
                    tokens = digits(value, sites.shape[1], vocab)
                    np.put_along_axis(after, sites[at], tokens, axis=1)
                    yield rows[at], mass[at, value], after, self._calls(sites.shape[1])

    def write(
        self,
        x: np.ndarray,
        call_denoiser: CallDenoiser,
        round_index: int,
        rng: np.random.Generator,
        eligible: Array | None = None,
    ) -> Any:
        """Let the inner policy choose, draw from the joint; the calls are an array (B,)."""
        self.joint.check_whole(x.shape[1])
        predictions, sampling_probs = call_denoiser(x)
        reveal = np.zeros(x.shape, dtype=bool)
        for rows, shown in shown_sites(x, eligible):
            seen = shown.part(x[rows])
            guessed = shown.part(predictions[rows])
            chosen = self._told(shown).choose(seen, guessed, round_index, rng)
            check_choice(self.inner, seen, chosen)
            reveal[rows] = shown.whole(chosen, False)
        after, calls = x.copy(), np.zeros(len(x), dtype=np.int64)
        for rows, sites in _by_size(reveal, np.arange(len(x)), sampling_probs.shape[-1]):
            marginals = sampling_probs[rows[:, None], sites]
            if sites.shape[1] == 1:  # as in `_distribution`: whatever the joint is
                tokens = draw_tokens(rng, marginals[:, 0])[:, None]
            else:
                tokens = self.joint.draw(x[rows], sites, marginals, rng)
            after[rows[:, None], sites] = tokens
            calls[rows] = self._calls(sites.shape[1])
        return after, calls

    def _distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """What the tokens at the sites are drawn from, (N, V^k)."""
        if sites.shape[1] == 1:
            return marginals[:, 0]
        found = self.joint.distribution(x, sites, marginals)
        expected = (len(x), marginals.shape[-1] ** sites.shape[1])
        if np.shape(found) != expected:
            raise InvalidInput(
                f"{self.joint!r} gave a distribution of shape {np.shape(found)}; expected "
                f"{expected}"
            )
        if is_exact(marginals):
            floats = [v for v in found.reshape(-1).tolist() if isinstance(v, float)]
            if floats:
                raise InvalidInput(
                    f"an exact distribution needs exact joints, {self.joint!r} gave {floats[0]}"
                )
        return found

    def _calls(self, size: int) -> int:
        return 1 if size == 1 else 1 + self.joint.extra_calls


def _by_size(
    reveal: np.ndarray, rows: np.ndarray, vocab: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows that reveal equally many sites, and these sites (N, k), not too many at once."""
    sizes = reveal.sum(axis=1)
    for size in np.unique(sizes[rows]).tolist():
        some = rows[sizes[rows] == size]
        parts = min(len(some), -(-len(some) * vocab**size // VALUES))
        for part in np.array_split(some, parts):
            yield part, np.nonzero(reveal[part])[1].reshape(len(part), size)
