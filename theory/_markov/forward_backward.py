"""Forward-backward smoothing: posteriors of hidden states and the evidence of what is observed.

With hidden states ``h_i``, transition matrix ``A`` and likelihoods ``l_i(h)`` of the observation
at site ``i`` (all ones where the site is masked)::

    prior_i(h)    = p(h_i = h | all observations strictly left of i)
    future_i(h)  ~= p(all observations strictly right of i | h_i = h),  scaled to a maximum of 1
    factor_i      = sum_h prior_i(h) l_i(h)
    overlap_i     = sum_h prior_i(h) l_i(h) future_i(h)

so that the evidence is the product of the factors and the posterior of ``h_i`` is
``prior_i l_i future_i / overlap_i``.

Rescaling at every step keeps the largest state from underflowing, at any length. A state that
falls a factor of 1e308 behind underflows. That does no harm as long as every overlap is far from
zero: the paths through such a state then carry less than 1e-17 of the evidence. Where some
overlap is *not* far from zero, the paths that underflowed may be the only ones that agree with
the observations. Those sequences are computed again with logarithms, which do not underflow, and
in which a true zero is ``-inf``.

Through a run of sites that are masked in the whole batch, messages take up to 64 steps at once, by
the powers of the transition matrix.
"""

from typing import NamedTuple

from theory._core.arrays import array_namespace, device, log, softmax, to_host
from theory._core.special import log_sum_exp
from theory._core.types import Array

__all__ = [
    "UNDERFLOW_TOL",
    "Smoothed",
    "divide",
    "forward_backward",
    "log_futures",
    "recomputed",
    "smooth_in_logarithms",
]

UNDERFLOW_TOL = 1e-290
"""Beside an overlap below this, paths that matter may have underflowed."""

WORKSPACE = 2**22
"""Entries of the largest temporary array in logarithms (32 MiB)."""

STRIDE = 64
"""As many sites that are masked in the whole batch are passed at once."""

POWERS_SIZE = 2**20
"""Entries of the powers that this takes, at most (8 MiB)."""


class Smoothed(NamedTuple):
    """The posterior (B, L, H) of the hidden states, and the log of the evidence (B,).

    The posterior given impossible observations is ``nan``.
    """

    posterior: Array
    log_evidence: Array


def forward_backward(initial: Array, transition: Array, likelihood: Array) -> Smoothed:
    """Smooth a batch of observations by one forward and one backward pass along the chain.

    Shapes: initial distribution (H,), transition matrix (H, H), likelihood (B, L, H).
    """
    xp = array_namespace(likelihood)
    batch, states = likelihood.shape[0], likelihood.shape[2]
    runs = _runs(likelihood, max(1, min(STRIDE, POWERS_SIZE // states**2)))
    powers = _powers(transition, max(count for _, count, _ in runs))
    prior = xp.broadcast_to(initial[None, :], (batch, states))
    passed, factors = [], []  # parts of shape (sites, B, H) and (sites, B)
    for start, count, masked in runs:
        if masked:
            priors = xp.matmul(prior[None, ...], powers[: count + 1, ...])
            here, prior = priors[:count, ...], priors[count, ...]
        else:
            here = prior[None, ...] * likelihood[None, :, start, :]
        factor = xp.sum(here, axis=-1)
        passed.append(here)
        factors.append(factor)
        if not masked:
            prior = xp.matmul(divide(here[-1, ...], factor[-1, :, None]), transition)
    future = xp.ones_like(likelihood[:, 0, :])
    futures = [future[None, ...]]
    backwards = xp.permute_dims(powers, (0, 2, 1))
    for start, count, masked in reversed(runs):
        if masked:
            ahead = xp.matmul(future[None, ...], backwards[1 : count + 1, ...])
        else:
            ahead = xp.matmul(future * likelihood[:, start, :], backwards[1, ...])[None, ...]
        ahead = divide(ahead, xp.max(ahead, axis=-1, keepdims=True))
        futures.append(xp.flip(ahead, axis=0))
        future = ahead[-1, ...]
    futures = xp.concat(futures[::-1])[1:, ...]  # the last one is of a site before the first
    weights = xp.permute_dims(xp.concat(passed) * futures, (1, 0, 2))  # (B, L, H)
    overlap = xp.sum(weights, axis=-1, keepdims=True)
    smoothed = Smoothed(divide(weights, overlap), xp.sum(log(xp.concat(factors)), axis=0))
    doubtful = xp.any(overlap[..., 0] < UNDERFLOW_TOL, axis=1)
    return recomputed(smoothed, doubtful, initial, transition, likelihood)


def _powers(transition: Array, most: int) -> Array:
    """The powers 0 .. `most` of the transition matrix, shape (most + 1, H, H)."""
    xp, states = array_namespace(transition), transition.shape[0]
    one = xp.eye(states, dtype=transition.dtype, device=device(transition))
    powers = [one, transition]
    for _ in range(1, most):
        powers.append(xp.matmul(powers[-1], transition))
    return xp.stack(powers)


def _runs(likelihood: Array, most: int) -> list[tuple[int, int, bool]]:
    """First sites and lengths of runs of masked sites, and all other sites one by one."""
    xp = array_namespace(likelihood)
    masked = to_host(xp.all(likelihood == 1, axis=(0, 2))).tolist()
    runs, start = [], 0
    while start < len(masked):
        stop = start + 1
        while masked[start] and stop < min(len(masked), start + most) and masked[stop]:
            stop += 1
        runs.append((start, stop - start, masked[start]))
        start = stop
    return runs


def recomputed(
    smoothed: Smoothed, doubtful: Array, initial: Array, transition: Array, likelihood: Array
) -> Smoothed:
    """Replace the doubtful rows (B,) of a batch by what logarithms give."""
    xp = array_namespace(doubtful)
    if not bool(xp.any(doubtful)):
        return smoothed
    rows = xp.nonzero(doubtful)[0]
    again = smooth_in_logarithms(initial, transition, xp.take(likelihood, rows, axis=0))
    # a row is found by its rank among the doubtful ones
    rank = xp.cumulative_sum(xp.astype(doubtful, xp.int64)) - 1
    rank = xp.maximum(rank, xp.zeros_like(rank))
    posterior = xp.take(again.posterior, rank, axis=0)
    evidence = xp.take(again.log_evidence, rank, axis=0)
    return Smoothed(
        xp.where(doubtful[:, None, None], posterior, smoothed.posterior),
        xp.where(doubtful, evidence, smoothed.log_evidence),
    )


def smooth_in_logarithms(initial: Array, transition: Array, likelihood: Array) -> Smoothed:
    """The same as `forward_backward`, slower, without underflow."""
    xp = array_namespace(likelihood)
    states = transition.shape[0]
    rows = max(1, WORKSPACE // states**2)
    count = likelihood.shape[0]
    batches = [likelihood[k : min(k + rows, count), ...] for k in range(0, count, rows)]
    parts = [_in_logarithms(log(initial), log(transition), log(batch)) for batch in batches]
    return Smoothed(
        xp.concat([part.posterior for part in parts]),
        xp.concat([part.log_evidence for part in parts]),
    )


def _in_logarithms(initial: Array, transition: Array, likelihood: Array) -> Smoothed:
    xp = array_namespace(likelihood)
    batch, length, states = likelihood.shape
    prior = xp.broadcast_to(initial[None, :], (batch, states))
    passed = []
    for i in range(length):
        passed.append(prior + likelihood[:, i, :])
        prior = log_sum_exp(passed[-1][:, :, None] + transition[None, ...], axis=1)
    posterior = softmax(xp.stack(passed, axis=1) + log_futures(transition, likelihood))
    return Smoothed(posterior, log_sum_exp(passed[-1], axis=1))


def log_futures(transition: Array, likelihood: Array) -> Array:
    """``log p(everything observed right of i | h_i)`` of logarithms, shape (B, L, H)."""
    xp = array_namespace(likelihood)
    future = xp.zeros_like(likelihood[:, 0, :])
    futures = [future]
    for i in range(likelihood.shape[1] - 1, 0, -1):
        ahead = (future + likelihood[:, i, :])[:, None, :]
        future = log_sum_exp(ahead + transition[None, ...], axis=2)
        futures.append(future)
    futures.reverse()
    return xp.stack(futures, axis=1)


def divide(x: Array, total: Array) -> Array:
    """Quotients, and `x` itself where the total is 0."""
    xp = array_namespace(total)
    return x / xp.where(total > 0, total, xp.ones_like(total))
