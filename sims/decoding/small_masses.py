"""The logarithm of what a decoder writes, for sequences whose probability is too small for a float.

As `sims.decoding.propagation`, for given sequences alone: a state is a sequence and which of its
sites are written, and its mass is a logarithm.
"""

from typing import Any

import numpy as np

from sims.decoding.denoiser import WithDraws
from sims.policies import Policy
from theory import MASK
from theory._core.arrays import from_host, log, read_only, to_host
from theory._core.segments import groups, row_counts
from theory.distributions.base import Distribution

__all__ = ["log_masses"]


def log_masses(
    p: Distribution, policy: Policy, ask: WithDraws, observed: tuple[int, ...], rows: np.ndarray
) -> np.ndarray:
    """``log q(x)`` of sequences (N, L) on the host, shape (N,); -inf where q never writes them.

    For policies that select sites before they draw and take nothing back.
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
            predictions, _ = ask(there)
            draws = to_host(ask.logs(predictions))
            own = np.take_along_axis(draws, x[some][:, :, None], axis=2)[:, :, 0]
            for chance, flip in policy.reveal_distribution(there, predictions, index):
                flip = to_host(flip)
                after = logs[some] + log(_as_host(chance)) + np.where(flip, own, 0.0).sum(axis=1)
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


def _as_host(chance: Any) -> Any:
    """Chances of rows, or one for all, as floats on the host."""
    return np.asarray(to_host(chance) if hasattr(chance, "shape") else chance, dtype=np.float64)
