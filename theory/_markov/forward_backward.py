"""Forward and backward messages along a chain of hidden states.

With hidden states ``h_i``, transition matrix ``A`` and likelihoods ``l_i(h)`` of what is seen at
site ``i`` (all ones where the site is masked)::

    prior_i(h)    = p(h_i = h | everything seen strictly left of i)
    future_i(h)  ~= p(everything seen strictly right of i | h_i = h),  scaled to a maximum of 1
    factor_i      = sum_h prior_i(h) l_i(h)
    overlap_i     = sum_h prior_i(h) l_i(h) future_i(h)

so that the evidence is the product of the factors and the posterior of ``h_i`` is
``prior_i l_i future_i / overlap_i``.

Rescaling at every step keeps the largest state from underflowing, at any length. A state that
falls a factor of 1e308 behind is lost. That does no harm as long as every overlap is far from
zero: the paths through a lost state then carry less than 1e-17 of the evidence. Where some
overlap is *not* far from zero, the paths that were lost may be the only ones that agree with
what is seen. Those sequences are computed again with logarithms, in which nothing is lost and a
true zero is ``-inf``.

Through a run of sites at which nothing is seen in the whole batch, messages take up to 64 steps at
once, by the powers of the transition matrix.
"""

from typing import Any, NamedTuple

from theory._core.arrays import array_namespace, device, log, softmax, to_host
from theory._core.special import log_sum_exp

__all__ = ["UNDERFLOW_TOL", "Smoothed", "forward_backward", "log_futures", "smooth_in_logarithms"]

UNDERFLOW_TOL = 1e-290
"""An overlap below this may have lost what matters."""

WORKSPACE_CELLS = 2**22
"""Entries of the largest temporary array in logarithms (32 MiB)."""

STRIDE = 64
"""As many sites at which nothing is seen are passed at once."""

POWER_CELLS = 2**20
"""Entries of the powers that this takes, at most (8 MiB)."""


class Smoothed(NamedTuple):
    """The posterior of every hidden state, given everything seen.

    Attributes
    ----------
    posterior : array, shape (B, L, H)
        ``nan`` where what is seen is impossible.
    log_evidence : array, shape (B,)
    """

    posterior: Any
    log_evidence: Any


def forward_backward(initial: Any, transition: Any, likelihood: Any) -> Smoothed:
    """Pass messages along a chain, one step per site, for a whole batch.

    Parameters
    ----------
    initial : array, shape (H,)
    transition : array, shape (H, H)
    likelihood : array, shape (B, L, H)

    Returns
    -------
    Smoothed
    """
    xp = array_namespace(likelihood)
    batch, states = likelihood.shape[0], likelihood.shape[2]
    runs = _runs(likelihood, max(1, min(STRIDE, POWER_CELLS // states**2)))
    powers = _powers(transition, max(count for _, count, _ in runs))
    prior = xp.broadcast_to(initial[None, :], (batch, states))
    seen, factors = [], []  # parts of shape (sites, B, H) and (sites, B)
    for start, count, silent in runs:
        priors = (
            xp.matmul(prior[None, ...], powers[: count + 1, ...]) if silent else prior[None, ...]
        )
        here = priors[:count, ...] if silent else priors * likelihood[None, :, start, :]
        factor = xp.sum(here, axis=-1)
        seen.append(here)
        factors.append(factor)
        last = here[-1, ...]
        prior = (
            priors[count, ...]
            if silent
            else xp.matmul(_divide(xp, last, factor[-1, :, None]), transition)
        )
    future = xp.ones_like(likelihood[:, 0, :])
    futures = [future[None, ...]]
    backwards = xp.permute_dims(powers, (0, 2, 1))
    for start, count, silent in reversed(runs):
        if silent:
            passed = xp.matmul(future[None, ...], backwards[1 : count + 1, ...])
        else:
            passed = xp.matmul(future * likelihood[:, start, :], backwards[1, ...])[None, ...]
        passed = _divide(xp, passed, xp.max(passed, axis=-1, keepdims=True))
        futures.append(xp.flip(passed, axis=0))
        future = passed[-1, ...]
    futures = xp.concat(futures[::-1])[1:, ...]  # the last one is of a site before the first
    weights = _by_row(xp.concat(seen) * futures)
    overlap = xp.sum(weights, axis=-1, keepdims=True)
    smoothed = Smoothed(_divide(xp, weights, overlap), xp.sum(log(xp.concat(factors)), axis=0))
    doubtful = xp.any(overlap[..., 0] < UNDERFLOW_TOL, axis=1)
    return replace(smoothed, doubtful, initial, transition, likelihood)


def _powers(transition: Any, most: int) -> Any:
    """The powers 0 .. `most` of the transition matrix, shape (most + 1, H, H)."""
    xp, states = array_namespace(transition), transition.shape[0]
    one = xp.eye(states, dtype=transition.dtype, device=device(transition))
    powers = [one, transition]
    for _ in range(1, most):
        powers.append(xp.matmul(powers[-1], transition))
    return xp.stack(powers)


def _runs(likelihood: Any, most: int) -> list[tuple[int, int, bool]]:
    """First sites and lengths of runs in which nothing is seen, and all other sites one by one."""
    xp = array_namespace(likelihood)
    silent = to_host(xp.all(likelihood == 1, axis=(0, 2))).tolist()
    runs, start = [], 0
    while start < len(silent):
        stop = start + 1
        while silent[start] and stop < min(len(silent), start + most) and silent[stop]:
            stop += 1
        runs.append((start, stop - start, silent[start]))
        start = stop
    return runs


def _by_row(x: Any) -> Any:
    """From (sites, B, H) to (B, sites, H)."""
    return array_namespace(x).permute_dims(x, (1, 0, 2))


def replace(
    smoothed: Smoothed, doubtful: Any, initial: Any, transition: Any, likelihood: Any
) -> Smoothed:
    """Compute the doubtful rows of a batch again, in logarithms."""
    xp = array_namespace(doubtful)
    if not bool(xp.any(doubtful)):
        return smoothed
    rows = xp.nonzero(doubtful)[0]
    again = smooth_in_logarithms(initial, transition, xp.take(likelihood, rows, axis=0))
    # place the recomputed rows by their rank among the doubtful ones
    rank = xp.cumulative_sum(xp.astype(doubtful, xp.int64)) - 1
    rank = xp.maximum(rank, xp.zeros_like(rank))
    posterior = xp.take(again.posterior, rank, axis=0)
    evidence = xp.take(again.log_evidence, rank, axis=0)
    return Smoothed(
        xp.where(doubtful[:, None, None], posterior, smoothed.posterior),
        xp.where(doubtful, evidence, smoothed.log_evidence),
    )


def smooth_in_logarithms(initial: Any, transition: Any, likelihood: Any) -> Smoothed:
    """The same as `forward_backward`, slower, without the loss of any state."""
    xp = array_namespace(likelihood)
    states = transition.shape[0]
    step = max(1, WORKSPACE_CELLS // states**2)
    count = likelihood.shape[0]
    batches = [likelihood[k : min(k + step, count), ...] for k in range(0, count, step)]
    parts = [_in_logarithms(log(initial), log(transition), log(batch)) for batch in batches]
    return Smoothed(
        xp.concat([part.posterior for part in parts]),
        xp.concat([part.log_evidence for part in parts]),
    )


def _in_logarithms(initial: Any, transition: Any, likelihood: Any) -> Smoothed:
    xp = array_namespace(likelihood)
    batch, length, states = likelihood.shape
    prior = xp.broadcast_to(initial[None, :], (batch, states))
    seen = []
    for i in range(length):
        seen.append(prior + likelihood[:, i, :])
        prior = log_sum_exp(seen[-1][:, :, None] + transition[None, ...], axis=1)
    posterior = softmax(xp.stack(seen, axis=1) + log_futures(transition, likelihood))
    return Smoothed(posterior, log_sum_exp(seen[-1], axis=1))


def log_futures(transition: Any, likelihood: Any) -> Any:
    """``log p(everything seen right of i | h_i)`` of logarithms, shape (B, L, H)."""
    xp = array_namespace(likelihood)
    future = xp.zeros_like(likelihood[:, 0, :])
    futures = [future]
    for i in range(likelihood.shape[1] - 1, 0, -1):
        ahead = (future + likelihood[:, i, :])[:, None, :]
        future = log_sum_exp(ahead + transition[None, ...], axis=2)
        futures.append(future)
    futures.reverse()
    return xp.stack(futures, axis=1)


def _divide(xp: Any, x: Any, total: Any) -> Any:
    return x / xp.where(total > 0, total, xp.ones_like(total))
