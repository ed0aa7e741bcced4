"""Weights of given words that make a slack least, by climbing down from many places.

The slack in units of the sum of the entropies of all sites is minimised by L-BFGS over
probabilities ``t_x^2 / sum t^2``, which can become zero; where it is negative the probabilities
are rounded to small integers. Places to begin at are a fixed sequence of equidistributed points.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.proofs.quantities import sites_of
from theory.proofs.question import Question

__all__ = ["Climb", "rounded", "starts"]

MAX_STEPS = 200
"""Of one climb."""

PENALTY = 100.0
"""Of an assumption that fails, by the square of how much."""

TINY = 1e-300
"""Added to probabilities before their logarithm is taken."""


@dataclass(frozen=True, eq=False)
class Climb:
    """The forms of a question as functions of the weights of given words.

    Attributes
    ----------
    inside : array, shape (B, N)
        Which words have which tokens at the sites of a set, for all sets that count.
    coefficients : array, shape (1 + M + 1, B)
        Of the entropies of those sets: slack, assumptions, and the sum over single sites.
    equal : array of bool, shape (M,)
    """

    inside: np.ndarray
    coefficients: np.ndarray
    equal: np.ndarray

    @classmethod
    def of(cls, question: Question, words: np.ndarray) -> "Climb":
        """For words (N, L), with the sites in the order of the statement."""
        forms = question.forms[0].astype(np.float64)
        alone = np.zeros(forms.shape[1])
        alone[[1 << i for i in range(question.sites)]] = 1
        rows = np.concatenate([forms, alone[None, :]])
        inside, coefficients = [], []
        for bits in np.flatnonzero(rows.any(axis=0)).tolist():
            _, block = np.unique(words[:, list(sites_of(bits))], axis=0, return_inverse=True)
            same = np.arange(block.max() + 1)[:, None] == block.reshape(1, -1)
            inside.append(same.astype(np.float64))
            coefficients.append(np.repeat(rows[:, bits, None], len(same), axis=1))
        return cls(np.concatenate(inside), np.concatenate(coefficients, axis=1), question.equal)

    def forms(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slack, assumptions and the sum over single sites at probabilities (N,), and gradients.

        Shapes (2 + M,) and (2 + M, N).
        """
        masses = self.inside @ p
        logarithms = np.log(masses + TINY)
        values = -self.coefficients @ (masses * logarithms)
        return values, -(self.coefficients * (logarithms + 1)) @ self.inside

    def share(self, t: np.ndarray) -> tuple[float, np.ndarray]:
        """The slack as a share of the sum over single sites, with penalties, and its gradient."""
        size = t @ t
        p = t * t / size
        values, slopes = self.forms(p)
        ratios = values[:-1] / values[-1]
        slopes = (slopes[:-1] - ratios[:, None] * slopes[-1]) / values[-1]
        missed = np.where(self.equal, ratios[1:], np.minimum(ratios[1:], 0))
        value = ratios[0] + PENALTY * missed @ missed
        slope = slopes[0] + 2 * PENALTY * missed @ slopes[1:]
        return float(value), 2 * t * (slope - slope @ p) / size

    def down(self, p: np.ndarray) -> np.ndarray:
        """Probabilities to which a climb from `p` comes."""
        from scipy import optimize

        found: Any = optimize.minimize(
            self.share,
            np.sqrt(p),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": MAX_STEPS, "ftol": 1e-15, "gtol": 1e-12},
        )
        return found.x**2 / (found.x @ found.x)


def starts(words: int, count: int) -> Iterator[np.ndarray]:
    """Probabilities of up to 81 words, spread over the simplex, the same ones at each call.

    Points of a Kronecker sequence, made exponential; of every other one small probabilities are
    made smaller, because most of the words of what refutes are often missing.

    >>> [p.round(2).tolist() for p in starts(2, 3)]
    [[0.96, 0.04], [0.2, 0.8], [0.4, 0.6]]
    """
    primes = [n for n in range(2, 420) if all(n % d for d in range(2, n))][:words]
    steps = np.sqrt(np.asarray(primes, dtype=np.float64))
    for number in range(1, count + 1):
        point = (-np.log(number * steps % 1)) ** (1 + 2 * (number % 2))
        yield point / point.sum()


def rounded(p: np.ndarray, totals: Iterable[int]) -> Iterator[np.ndarray]:
    """Integer weights near probabilities, without a common factor, as the totals say.

    >>> [w.tolist() for w in rounded(np.asarray([0.3, 0.7]), (2, 3, 10, 20))]
    [[1, 1], [1, 2], [3, 7]]
    """
    last = None
    for total in totals:
        weights = np.rint(p * total).astype(np.int64)
        weights //= max(1, int(np.gcd.reduce(weights)))
        if weights.any() and (last is None or (weights != last).any()):
            last = weights
            yield weights
