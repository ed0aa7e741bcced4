"""The path KL of a decoder at any length, by following data through it.

A policy that selects before it draws writes the sequence x by revealing the batches
``S_1, S_2, ...`` with probability ``prod_t prod_{i in S_t} f(x_i | c_t)``, f being what tokens are
drawn from and c_t what is known before the round. So with x from the data, and the batches that
the policy then selects,

    log p(x) - sum_t sum_{i in S_t} log f(x_i | c_t)

has the path KL as its mean [ours]: for coins, at any temperature, for every denoiser. It is the sum
of two parts, as `sims.split` has them exactly: what the predictions miss at the contexts of the
data, and what is lost by drawing the tokens of a round apart.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sims.decoding.arguments import as_decoder, as_run, refuse_masked
from sims.decoding.denoiser import Predict, predictor
from sims.decoding.monte_carlo import NUMBERS
from sims.decoding.sampling import Sampling, Temperature
from sims.policies import Decoder, Policy
from sims.policies.base import Select
from sims.policies.checks import check_choice
from sims.policies.observed_sites import predictions_with
from theory import MASK, EmpiricalDistribution
from theory._console.progress import tracked
from theory._core.arrays import as_array, from_host, log, read_only, to_host, within_memory, xlogx
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, check_draw
from theory.errors import InvalidInput
from theory.information.approximate import Estimate
from theory.loss.forward import Denoiser

__all__ = ["PathKL", "estimate_path_kl", "path_nll"]


@dataclass(frozen=True, eq=False)
class PathKL:
    """An estimate of the path KL in nats, and of its parts.

    Attributes
    ----------
    kl : Estimate
        The sum of the next two.
    learning : Estimate
        What the denoiser and the temperature miss at the contexts that the data lead to.
    factorisation : Estimate
        What is lost by drawing the tokens of a round independently.
    rounds : Estimate
        Calls of the denoiser for one sequence.
    has_zeros : bool
        Whether tokens were drawn from predictions that exclude some. If they exclude what the data
        may show at a context that was not met, the path KL is infinite and this has missed it.
        False where the predictions are those of the data and no token of theirs is left out.
    """

    kl: Estimate
    learning: Estimate
    factorisation: Estimate
    rounds: Estimate
    has_zeros: bool

    def __repr__(self) -> str:
        parts = (self.kl, self.learning, self.factorisation, self.rounds)
        text = "<path KL {} nats = learning {} + factorisation {}; {} rounds".format(
            *(f"{mean:.4g} ± {error:.2g}" for mean, error in parts)
        )
        missed = "; the predictions have zeros: an infinite value may have been missed"
        return text + missed * (self.has_zeros and self.kl.mean < math.inf) + ">"


@within_memory("what is followed at once")
def estimate_path_kl(
    p: Distribution,
    policy: Decoder | Select,
    rng: np.random.Generator,
    size: int,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> PathKL:
    """Estimate the path KL of a decoder, at any length, without bias.

    Of a `MarkovChain` `on_chain` computes it, for decoders that go gap by gap.

    Parameters
    ----------
    p : Distribution
        The data. Nothing of the size of its table is made.
    policy : Policy, or a function as for `policies.Rule`
        That selects before it draws and never remasks.
    rng : numpy.random.Generator
        Draws the sequences, and the choices of a randomised policy.
    size : int
        Number of sequences, at least 2.
    temperature, denoiser, observed, prompt
        As for `output_distribution`.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    Returns
    -------
    PathKL
        Infinite where a token of the data has probability 0.

    Raises
    ------
    InvalidInput
        For decoders that draw before they select, or remask: what they write is reached in many
        ways, of which one path shows only one.

    Examples
    --------
    A repeated bit of 100 sites in two halves: the first half is 50 equal bits drawn apart, which
    loses 49 bits, whatever the sequence is; the second half is then certain.

    >>> from sims import policies
    >>> from theory import gallery
    >>> p, halves = gallery.repeated_bit(100), policies.LeftToRight(50)
    >>> found = estimate_path_kl(p, halves, np.random.default_rng(0), 10)
    >>> round(found.kl.mean / math.log(2), 9), round(found.kl.error, 9), found.rounds.mean
    (49.0, 0.0, 2.0)
    """
    run = as_run(p, as_decoder(policy), temperature, observed, prompt)
    p, decoder = run.p, _with_one_path(run.decoder)
    size = check_draw(rng, size)
    if size < 2:
        raise InvalidInput(f"size must be an integer of at least 2, got {size}")
    truth = predictor(p, None)
    predict = truth if denoiser is None else predictor(p, denoiser)
    truncated = any(sampling.truncates for sampling in run.samplings)
    perfect = denoiser is None and not any(sampling.changes for sampling in run.samplings)
    excludes_more = denoiser is not None or truncated
    parts, has_zeros = [], False
    batch = max(1, NUMBERS // (p.length * p.vocab))
    for start in tracked(range(0, size, batch), progress, "following"):
        x = to_host(p.sample(rng, min(batch, size - start)))
        learning, factorisation = np.zeros(len(x)), _log_evidence(p, x, run.observed)
        calls = np.zeros(len(x))
        for step in _follow(x, decoder, predict, rng, run.observed):
            known = step.predictions
            if not perfect:
                known = known if denoiser is None else step.revealed(truth(step.before))
                drawn = step.logs(run.samplings)
                if excludes_more and (drawn == -math.inf).any():
                    has_zeros = True
                missed = (xlogx(known) - known * np.where(known > 0, drawn, 0.0)).sum(axis=1)
                np.add.at(learning, step.rows, missed)
            np.subtract.at(factorisation, step.rows, log(step.of_tokens(known)))
            calls[np.unique(step.rows)] += 1
        parts.append((learning, factorisation, calls))
    learning, factorisation, calls = map(np.concatenate, zip(*parts, strict=True))
    return PathKL(
        kl=_estimate(learning + factorisation),
        learning=_estimate(learning),
        factorisation=_estimate(factorisation),
        rounds=_estimate(calls),
        has_zeros=has_zeros,
    )


def path_nll(
    sequences: ArrayLike,
    policy: Decoder | Select,
    denoiser: Denoiser,
    rng: np.random.Generator,
    temperature: Temperature = 1.0,
    *,
    observed: Iterable[int] = (),
    progress: bool | None = None,
) -> Estimate:
    """The path NLL of any model on any text: what the path KL is without ``log p(x)``.

    Parameters
    ----------
    sequences : array_like of int, shape (N, L)
        N of at least 2, as independent as the standard error is to be true.
    policy
        As for `estimate_path_kl`.
    denoiser : callable
        From patterns (B, L) to predictions (B, L, V).
    rng : numpy.random.Generator
        For the choices of a randomised policy.
    temperature, observed, progress
        As for `estimate_path_kl`; the tokens at observed sites are given and cost nothing.

    Returns
    -------
    Estimate
        In nats for each sequence; infinite where a token is given probability 0.

    Examples
    --------
    A model that knows nothing about two bits:

    >>> from sims import policies
    >>> def fair(x):
    ...     return np.full((*x.shape, 2), 0.5)
    >>> rng = np.random.default_rng(0)
    >>> nll, error = path_nll([[0, 1], [1, 1]], policies.LeftToRight(), fair, rng)
    >>> nll / math.log(2), error
    (2.0, 0.0)
    """
    x = as_array(sequences, "sequences must have the same length")
    if x.ndim != 2 or x.shape[0] < 2:
        raise InvalidInput(f"sequences must have shape (N, L) with N >= 2, got {tuple(x.shape)}")
    if not callable(denoiser):
        raise InvalidInput(f"denoiser must be a function from patterns, got {denoiser!r}")
    blank = np.full((1, x.shape[1]), MASK, dtype=np.int64)
    shape = tuple(getattr(denoiser(blank), "shape", ()))
    if len(shape) != 3:
        raise InvalidInput(f"denoiser must return an array of shape (B, L, V), got {shape}")
    p = EmpiricalDistribution(x, vocab=shape[2])
    run = as_run(p, as_decoder(policy), temperature, observed, None)
    decoder, predict = _with_one_path(run.decoder), predictor(p, denoiser)
    x = to_host(p.sequences)
    nll = np.zeros(len(x))
    batch = max(1, NUMBERS // (p.length * p.vocab))
    for start in tracked(range(0, len(x), batch), progress, "following"):
        part = nll[start : start + batch]
        for step in _follow(x[start : start + batch], decoder, predict, rng, run.observed):
            drawn = step.logs(run.samplings)
            np.subtract.at(part, step.rows, step.of_tokens(drawn))
    return _estimate(nll)


class _Step(NamedTuple):
    """What one round reveals in a batch: M sites, each with its row and its prediction."""

    round_index: int
    before: np.ndarray  # (B, L), the patterns that the denoiser was asked about
    rows: np.ndarray  # (M,), of the whole batch
    asked: np.ndarray  # (M,), the same rows among those that were asked about
    sites: np.ndarray  # (M,)
    tokens: np.ndarray  # (M,)
    predictions: np.ndarray  # (M, V)

    def logs(self, samplings: Sequence[Sampling]) -> np.ndarray:
        """Logarithms of what the tokens are drawn from, (M, V)."""
        return samplings[min(self.round_index, len(samplings) - 1)].logs(self.predictions)

    def revealed(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions (B, L, V) at the revealed sites, (M, V)."""
        return as_floats(predictions[self.asked, self.sites])

    def of_tokens(self, values: np.ndarray) -> np.ndarray:
        """Of values (M, V), that of the token that stands at each site, (M,)."""
        return values[np.arange(len(self.tokens)), self.tokens]


def _follow(
    x: np.ndarray,
    decoder: Policy,
    predict: Predict,
    rng: np.random.Generator,
    observed: tuple[int, ...],
) -> Iterator[_Step]:
    """Reveal complete sequences (B, L) as the policy selects, from the sites that are given."""
    shown = np.full(x.shape, MASK, dtype=np.int64)
    shown[:, list(observed)] = x[:, list(observed)]
    index = 0
    while index != decoder.steps:
        active = np.flatnonzero((shown == MASK).any(axis=1))
        if not len(active):
            break
        before = read_only(shown[active])
        predictions = read_only(predictions_with(predict, before, decoder.observed))
        reveal = decoder.choose(before, predictions, index, rng)
        check_choice(decoder, before, reveal)
        asked, sites = np.nonzero(reveal)
        rows = active[asked]
        tokens = x[rows, sites]
        here = as_floats(predictions[asked, sites])
        yield _Step(index, before, rows, asked, sites, tokens, here)
        shown[rows, sites] = tokens
        index += 1
    refuse_masked(decoder, shown)


def _with_one_path(decoder: Decoder) -> Policy:
    """Refuse decoders of which one path says nothing about the probability of what is written."""
    if not isinstance(decoder, Policy) or decoder.looks_at_tokens or decoder.remasks:
        why = "remasks" if decoder.remasks else "draws tokens before it selects sites"
        raise InvalidInput(
            f"{decoder!r} {why}: it can write a sequence in many ways, and the probability of one "
            f"says nothing about that of the sequence. sims.decode draws what it writes"
        )
    return decoder


def _log_evidence(p: Distribution, x: np.ndarray, observed: tuple[int, ...]) -> np.ndarray:
    """Logarithms of the probability of sequences (B, L), given their tokens at some sites."""
    whole = as_floats(to_host(p.log_evidence(from_host(x, p.like))))
    if not observed:
        return whole
    given = np.full_like(x, MASK)
    given[:, list(observed)] = x[:, list(observed)]
    return whole - as_floats(to_host(p.log_evidence(from_host(given, p.like))))


def _estimate(values: np.ndarray) -> Estimate:
    """The mean of values (N,) and its standard error; what is infinite is certain to be."""
    if not np.isfinite(values).all():
        return Estimate(math.inf, 0.0, len(values))
    return Estimate(
        float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5), len(values)
    )
