"""What a decoder loses with a denoiser that is not perfect: learning and factorisation parts.

Let a policy reveal the set S at the known tokens x_C, drawing site i from f_i (the denoiser's
prediction at the temperature of the draw), and let mu_i be the true conditional marginals. By the
chain rule of divergences

    KL(p(X_S | x_C) || prod f_i)  =  TC(X_S | x_C)  +  sum_{i in S} KL(mu_i || f_i)

Summed over the rounds, with tokens that follow the data, path KL is a *factorisation* part, what
it costs to draw sites at once, and a *learning* part, what it costs not to know mu. [ours; the
chain rule is textbook] It is exact for every policy that selects before it draws:

- a policy that does not look at predictions visits the same contexts with every denoiser, so its
  factorisation part is what it loses with the zero-loss denoiser;
- one that looks at them goes its own way with each denoiser, and both parts are along that way.
  Its factorisation part may be above or *below* that of the zero-loss denoiser.

For ancestral steps (`policies.Bernoulli`) the learning part is the training loss of the denoiser
on that grid above the least one; one site at a time in random order, it is the loss in
continuous time above the entropy (`excess_loss`) and there is no other part.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.decoding.costs import times_logs
from sims.decoding.denoiser import WithDraws, predictor
from sims.decoding.exact import as_decoder, as_observed, as_temperature
from sims.policies import Decoder, Policy
from sims.policies.base import Select
from sims.policies.checks import check_total, checked_outcome
from theory import MASK, forward, information
from theory._core.arrays import frozen, require_memory, times_log, to_host, within_memory
from theory._core.exact import ratio, short
from theory._core.segments import distinct_rows
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.information.units import not_negative
from theory.loss.forward import Denoiser

__all__ = ["Split", "excess_loss", "split"]


@dataclass(frozen=True, eq=False)
class Split:
    """Path KL and its two parts, in nats; exact numbers if the distribution is exact.

    Attributes
    ----------
    path_kl : number
        Mean of ``KL(p || q_path)`` over the coins of the policy, from the joint probabilities of
        what is revealed together. It equals ``learning + factorisation``.
    learning : number
        Mean of ``sum_{i revealed} KL(mu_i || f_i)`` at the contexts that the policy visits along
        the data; infinite if the denoiser excludes what can happen.
    factorisation : number
        Mean total correlation of what is revealed together, at the same contexts.
    by_round : tuple of (number, number)
        The learning and the factorisation part of each step.
    """

    path_kl: Any
    learning: Any
    factorisation: Any
    by_round: tuple[tuple[Any, Any], ...]

    def __repr__(self) -> str:
        parts = map(short, (self.path_kl, self.learning, self.factorisation))
        return "<Split: path KL {} = learning {} + factorisation {}>".format(*parts)


@within_memory("the output of a decoder")
def split(
    p: Distribution,
    policy: Decoder | Select,
    denoiser: Denoiser | None = None,
    temperature: float = 1.0,
    *,
    observed: Iterable[int] = (),
) -> Split:
    """Split the path KL of a decoder into what was not learnt and what parallel drawing costs.

    Every sequence of the data is followed, so this is exact, and quick where they are few.

    Parameters
    ----------
    p : Distribution
        Small enough for its table.
    policy : Policy, or a function as for `policies.Rule`
        That selects before it draws and takes nothing back.
    denoiser, temperature, observed
        As for `output_distribution`. The temperature counts for the denoiser: f is what tokens
        are drawn from.

    Returns
    -------
    Split

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders without a path of their own for each sequence:
        those that look at drawn tokens or revise.
    TooLarge

    Examples
    --------
    Two equal bits at once cost one bit, whatever was learnt. A model that mixes in half of the
    uniform distribution gives the second of them 3/4 instead of 1:

    >>> from fractions import Fraction
    >>> from sims import Perturbed, policies
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1, exact=True)
    >>> model = Perturbed(p, smoothing=Fraction(1, 2))
    >>> split(p, policies.RandomOrder((2,)), model).by_round
    ((0, log(2)),)
    >>> split(p, policies.LeftToRight(), model).by_round
    ((0, 0), (-log(3) + 2*log(2), 0))
    """
    check_distribution(p)
    decoder, given = as_decoder(policy), as_observed(observed, p.length)
    if not isinstance(decoder, Policy) or decoder.remasks:
        raise InvalidInput(
            f"{decoder!r} has no path of its own for each sequence: it looks at drawn tokens or "
            f"takes tokens back"
        )
    decoder.check(p.length - len(given), p.vocab)
    temperature = as_temperature(temperature, p)
    walk = _Walk(p, decoder, denoiser, temperature)
    walk.run(given)
    # divergences and total correlations, but for rounding
    tidy: Any = (lambda v: v) if p.exact else (lambda v: float(not_negative(v)))
    learning, factorisation = ([tidy(v) for v in part] for part in (walk.learning, walk.factor))
    rounds = tuple(zip(learning, factorisation, strict=True))
    return Split(tidy(sum(walk.path)), sum(learning), sum(factorisation), rounds)


@within_memory("all contexts")
def excess_loss(p: Distribution, denoiser: Denoiser) -> Any:
    """Loss of a denoiser in continuous time above the least one, in nats for each sequence.

    ``continuous_nelbo(p, denoiser) - H(p)``: what is left to learn, and the path KL of writing
    one site at a time in random order.

    Parameters
    ----------
    p : Distribution
        Small enough for its evidence lattice.
    denoiser : callable

    Examples
    --------
    Half of the time the second of two equal bits is asked for where the first is known:

    >>> from fractions import Fraction
    >>> from sims import Perturbed
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1, exact=True)
    >>> excess_loss(p, Perturbed(p, smoothing=Fraction(1, 2)))
    -log(3) + 2*log(2)
    """
    check_distribution(p)
    return forward.continuous_nelbo(p, denoiser) - information.entropy(p)


class _Walk:
    """The sequences of the data on their way through a policy.

    A state is a sequence of the data and the set of its sites that are known; its mass is the
    probability of the sequence times that of the coins that lead to the set.
    """

    def __init__(
        self, p: Distribution, policy: Policy, denoiser: Denoiser | None, temperature: float
    ) -> None:
        self.p, self.policy = p, policy
        self.ask = WithDraws(predictor(p, denoiser), temperature)
        self.truth = predictor(p, None)
        table = to_host(p.table())
        self.sequences = np.argwhere(table != 0)
        self.chances = table[table != 0]
        self.evidence: dict[int, np.ndarray] = {}
        self.bits = 2 ** np.arange(p.length, dtype=np.int64)
        self.path: list[Any] = []
        self.learning: list[Any] = []
        self.factor: list[Any] = []

    def run(self, observed: tuple[int, ...]) -> None:
        """Follow the policy from the observed sites until everything is known."""
        count, length = self.sequences.shape
        start = int(self.bits[list(observed)].sum())
        keys, mass = start * count + np.arange(count, dtype=np.int64), self.chances
        complete = (2**length - 1) * count
        for index in itertools.count():
            keys, mass = keys[keys < complete], mass[keys < complete]
            if not keys.size:
                return
            if self.policy.steps is not None and index >= self.policy.steps:
                x = self._context(keys[:1])[0].tolist()
                raise InvalidInput(
                    f"{self.policy!r} leaves sites masked at the end of its clock: x = {x}"
                )
            for part in (self.path, self.learning, self.factor):
                part.append(0)
            known = self._known(keys)
            sizes = known.sum(axis=1)
            after = [
                outcome
                for size in np.unique(sizes)
                for outcome in self._step(keys[sizes == size], mass[sizes == size], index)
            ]
            require_memory(4 * sum(len(k) for k, _ in after), "a round of the decoder")
            keys, mass = _merged(
                np.concatenate([k for k, _ in after]), np.concatenate([m for _, m in after])
            )

    def _step(
        self, keys: np.ndarray, mass: np.ndarray, index: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Let the policy choose at states with equally many known sites; add up what it costs."""
        x, total = frozen(self._context(keys)), 0
        predictions, draws = self.ask(x)
        revealed = np.zeros(x.shape, dtype=mass.dtype)
        for chance, flip in self.policy.reveal_distribution(x, predictions, index):
            chance, _ = checked_outcome(self.policy, x, chance, flip, exact=self.p.exact)
            total = total + chance
            weight = mass * chance
            revealed = revealed + np.where(flip, weight[:, None], 0)
            after = keys + (flip @ self.bits) * len(self.sequences)
            joint = times_log(weight, self._share(after, keys)).sum()
            self.path[-1] += joint
            self.factor[-1] += joint
            used = weight != 0
            yield after[used], weight[used]
        check_total(total, x)
        self._single_sites(x, keys, revealed, predictions, draws)

    def _single_sites(
        self,
        x: np.ndarray,
        keys: np.ndarray,
        revealed: np.ndarray,
        predictions: np.ndarray,
        draws: np.ndarray,
    ) -> None:
        """Take in the sites that are revealed, each with its mass, (N, L)."""
        truth = self.truth(x)
        tokens = self.sequences[keys % len(self.sequences)][:, :, None]
        right = np.take_along_axis(truth, tokens, axis=2)[:, :, 0]
        weights = revealed[:, :, None] * truth
        if self.p.exact:
            drawn = np.take_along_axis(draws, tokens, axis=2)[:, :, 0]
            path, spent = times_log(revealed, drawn).sum(), times_log(weights, draws).sum()
        else:  # a tempered probability may be too small for a float
            logs = self.ask.logs(predictions)
            drawn = np.take_along_axis(logs, tokens, axis=2)[:, :, 0]
            path, spent = times_logs(revealed, drawn).sum(), times_logs(weights, logs).sum()
        self.path[-1] -= path
        self.factor[-1] -= times_log(revealed, right).sum()
        divergence = times_log(weights, truth).sum() - spent
        self.learning[-1] += divergence

    def _known(self, keys: np.ndarray) -> np.ndarray:
        return (keys // len(self.sequences))[:, None] & self.bits > 0

    def _context(self, keys: np.ndarray) -> np.ndarray:
        return np.where(self._known(keys), self.sequences[keys % len(self.sequences)], MASK)

    def _share(self, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Probability of what is known after, given what was known before."""
        numerators, denominators = self._evidence(after), self._evidence(before)
        return ratio(numerators, denominators) if self.p.exact else numerators / denominators

    def _evidence(self, keys: np.ndarray) -> np.ndarray:
        """Probability of what each state knows; for each set of sites computed once."""
        count = len(self.sequences)
        found = np.zeros(len(keys), dtype=self.chances.dtype)
        for known in np.unique(keys // count).tolist():
            if known not in self.evidence:
                sums = np.zeros(count, dtype=self.chances.dtype)
                sites = self._known(np.asarray([known * count]))[0]
                _, which = distinct_rows(self.sequences[:, sites])
                np.add.at(sums, which, self.chances)
                self.evidence[known] = sums[which]
            rows = keys // count == known
            found[rows] = self.evidence[known][keys[rows] % count]
        return found


def _merged(keys: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equal states once, with the sum of their masses."""
    unique, which = np.unique(keys, return_inverse=True)
    total = np.zeros(len(unique), dtype=mass.dtype)
    np.add.at(total, which.reshape(-1), mass)
    return unique, total
