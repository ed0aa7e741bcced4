"""The log-probability that a decoder writes given sequences, also where a float would be 0.

As `sims.decoding.propagation`, for these sequences alone: a state is one of them and which of its
sites are written, and its mass is a logarithm.
"""

import numpy as np

from sims.decoding.denoiser import TemperedDenoiser
from sims.policies import Policy
from sims.policies.checks import row_probabilities
from theory import MASK
from theory._core.arrays import from_host, log, read_only, to_host
from theory._core.segments import groups, row_counts
from theory.distributions.base import Distribution

__all__ = ["log_masses"]


def log_masses(
    p: Distribution,
    policy: Policy,
    call_denoiser: TemperedDenoiser,
    observed: tuple[int, ...],
    rows: np.ndarray,
) -> np.ndarray:
    """``log q(x)`` of sequences (N, L) on the host, shape (N,); -inf where q never writes them.

    For policies that select sites before they draw and never remask.
    """
    count, length = rows.shape
    bits, everything = 2 ** np.arange(length, dtype=np.int64), 2**length
    total = np.full(count, -np.inf)
    which, index = np.arange(count, dtype=np.int64), 0
    known = np.full(count, bits[list(observed)].sum())
    given = np.where(known[:, None] & bits > 0, rows, MASK)
    logs = to_host(p.log_evidence(from_host(given, p.like)))
    while which.size:
        written, x = known[:, None] & bits > 0, rows[which]
        parts = [(which[:0], known[:0], logs[:0])]
        for _, some in groups(row_counts(~written)):
            there = read_only(from_host(np.where(written[some], x[some], MASK), p.like))
            called = call_denoiser.at(index)
            predictions, _ = called(there)
            every = to_host(called.logs(predictions))
            own = np.take_along_axis(every, x[some][:, :, None], axis=2)[:, :, 0]
            for found, flip in policy.reveal_distribution(there, predictions, index):
                flip, probability = to_host(flip), to_host(row_probabilities(found, there))
                drawn = np.where(flip, own, 0.0).sum(axis=1)
                after = logs[some] + log(probability.astype(np.float64)) + drawn
                parts.append((which[some], known[some] | flip @ bits, after))
        which, known, logs = (np.concatenate(part) for part in zip(*parts, strict=True))
        keys, inverse = np.unique(which * everything + known, return_inverse=True)
        which, known = keys // everything, keys % everything
        after, logs = logs, np.full(len(keys), -np.inf)
        np.logaddexp.at(logs, inverse.reshape(-1), after)
        done = known == everything - 1
        np.logaddexp.at(total, which[done], logs[done])
        left = ~done & (logs > -np.inf)
        which, known, logs = which[left], known[left], logs[left]
        index += 1
    return total
