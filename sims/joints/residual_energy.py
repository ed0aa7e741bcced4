"""The residual energy: the product times ``exp(tc(x_S | c))``, normalised or by resampling.

The pointwise total correlation ``tc(x_S | c) = log p(x_S | c) - sum_i log p(x_i | c)`` is what one
parallel round leaves out. An energy learnt as the residual of the product, as energy-based
diffusion language models do (arXiv 2410.21357 [memory]), has it as its optimum, up to a constant
that depends on the context marginals.

In finite time, M candidates y_1 ... y_M are drawn from the product pi, and one is chosen in
proportion to ``w = exp(tc)``: self-normalised importance resampling. What comes out has the
distribution

    r_M(y) = M pi(y) w(y) E[1 / (w(y) + W)],    W a sum of M - 1 independent weights,

and, where all M weights are 0, the first candidate. In floats the expectation is an integral in
one variable, for ``1/a = int_0^inf e^(-s a) ds`` [ours]:

    E[1 / (w + W)] = int_0^inf e^(-s w) phi(s)^(M-1) ds,    phi(s) = E_pi e^(-s w(Y)),

and in exact arithmetic a sum over how often each weight occurs. A round with M candidates loses
``KL(p || r_M) <= log(1 + chi2(p || pi) / M)``, by Jensen's inequality [ours].
"""

import itertools
import math
from typing import Any, ClassVar

import numpy as np

from sims.joints.base import FromData, conditional, outer, predicted, quotients
from theory._core.arrays import is_exact, to_host
from theory.distributions.base import Distribution
from theory.distributions.sampling import as_floats, draw_tokens
from theory.errors import InvalidInput, TooLarge
from theory.validation.arguments import as_integer

__all__ = ["Resampled", "ResidualEnergy"]

STEP = 0.25
"""Of the trapezoidal rule in log s; its error falls like exp(-pi^2 / step)."""

MAX_COUNTS = 20_000
"""Exact expectations are sums over at most so many ways to draw the other candidates."""


class ResidualEnergy(FromData):
    """The product weighted by ``exp(tc)``: the true joint, if the predictions are perfect.

    An ideal: it is normalised by a sum over all ``V^k`` values of the sites, and no call of a
    network is counted for it. `Resampled` is what can be had from finitely many candidates.

    Parameters
    ----------
    p : Distribution
        The data. Where a context is impossible there is no energy, and the product is left.

    >>> from theory import MASK, gallery
    >>> p = gallery.parity(2, exact=True)
    >>> x, sites = np.asarray([[MASK, MASK]]), np.asarray([[0, 1]])
    >>> ResidualEnergy(p).distribution(x, sites, p.denoise(x)).tolist()
    [[Fraction(1, 2), Fraction(0, 1), Fraction(0, 1), Fraction(1, 2)]]
    """

    knows = "the joint of the revealed tokens up to a constant: exp(tc) of every candidate"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the product of the rows, weighted and normalised."""
        product, weights = outer(marginals), self.weights(x, sites)
        weighted = product * weights
        total = weighted.sum(axis=1, keepdims=True)
        return np.where(total == 0, product, quotients(weighted, total))

    def weights(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        """``exp(tc)`` of all values of the sites, (B, V^k); all 0 where a context is impossible.

        Their mean under the product of the zero-loss predictions is 1.
        """
        joint, possible = conditional(self.p, x, sites)
        probs = quotients(joint, outer(predicted(self.p, x, sites)))
        return np.where(possible[:, None], probs, probs * 0)


class Resampled(ResidualEnergy):
    """The residual energy with finitely many candidates.

    A round of several sites counts two calls, as draft and verify do (`policies.Speculative`):
    the draft, and one batch that weighs the candidates.

    Parameters
    ----------
    p : Distribution
    candidates : int
        One is the product.

    >>> from theory import MASK, gallery
    >>> p = gallery.parity(2, exact=True)
    >>> x, sites = np.asarray([[MASK, MASK]]), np.asarray([[0, 1]])
    >>> Resampled(p, 2).distribution(x, sites, p.denoise(x)).tolist()    # odd only if both are: 1/4
    [[Fraction(3, 8), Fraction(1, 8), Fraction(1, 8), Fraction(3, 8)]]
    """

    extra_calls: ClassVar[int] = 1

    def __init__(self, p: Distribution, candidates: int) -> None:
        super().__init__(p)
        self.candidates = as_integer(candidates, "candidates", 1)
        self.knows = f"the joint up to a constant, at {self.candidates} drawn candidates"

    def __repr__(self) -> str:
        return f"Resampled({self.candidates})"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the exact distribution of the candidate that is chosen."""
        product, weights = outer(marginals), self.weights(x, sites)
        if self.candidates == 1:
            return product
        mean_inverse = _expected if is_exact(product) or is_exact(weights) else _integrated
        others, rows = self.candidates - 1, []
        for pi, w in zip(product, weights, strict=True):
            chosen = self.candidates * pi * w * mean_inverse(pi, w, others)
            all_zero = np.where(w == 0, pi, 0).sum() ** others  # then the first one is taken
            rows.append(np.where(w == 0, pi * all_zero, chosen))
        probs = np.asarray(rows)
        return quotients(probs, probs.sum(axis=1, keepdims=True))  # 1 but for rounding

    def draw(
        self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw candidates, weigh them, choose one, without a sum over all values."""
        count, size, vocab = marginals.shape
        many = self.candidates
        rows = np.repeat(as_floats(marginals).reshape(-1, vocab), many, axis=0)
        drawn = draw_tokens(rng, rows).reshape(count, size, many).transpose(0, 2, 1)
        after = np.repeat(x[:, None, :], many, axis=1)
        np.put_along_axis(after, np.repeat(sites[:, None, :], many, axis=1), drawn, axis=2)
        joint = as_floats(to_host(self.p.evidence(after.reshape(-1, x.shape[1]))))
        single = np.take_along_axis(
            as_floats(predicted(self.p, x, sites))[:, None], drawn[..., None], axis=3
        )[..., 0]
        weights = quotients(joint.reshape(count, many), single.prod(axis=2))
        weights[(weights == 0).all(axis=1), 0] = 1.0
        return drawn[np.arange(count), draw_tokens(rng, weights)]


def _distinct(pi: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different positive weights, their probabilities, and which of them each value has."""
    try:
        values, inverse = np.unique(w[w != 0], return_inverse=True)
    except TypeError:
        raise InvalidInput("the weights of candidates cannot be compared: free symbols") from None
    probs = np.zeros(len(values), dtype=pi.dtype)
    np.add.at(probs, inverse, pi[w != 0])
    return values, probs, inverse


def _integrated(pi: np.ndarray, w: np.ndarray, others: int) -> np.ndarray:
    """``E[1 / (w + W)]`` at every positive weight by the trapezoidal rule in u = log s.

    The integrand falls like e^u on the left and like exp(-w e^u) on the right.
    """
    means = np.zeros(len(w))
    if not w.any():
        return means
    values, probs, inverse = _distinct(pi, w)
    low = math.log(1e-18 / ((others + 1) * values[-1]))
    high = math.log(745.0 / values[0])
    s = np.exp(np.arange(low, high + STEP, STEP))
    falls = np.exp(-s[:, None] * values)
    phi = pi[w == 0].sum() + falls @ probs
    means[w != 0] = (STEP * (s * phi**others) @ falls)[inverse]
    return means


def _expected(pi: np.ndarray, w: np.ndarray, others: int) -> np.ndarray:
    """``E[1 / (w + W)]`` at every positive weight, over all counts of the other weights."""
    values, probs, inverse = _distinct(pi, w)
    values = np.append(values, 0 if not len(values) else values[0] * 0)
    probs = np.append(probs, pi[w == 0].sum())
    ways = math.comb(others + len(values) - 1, others)
    if ways > MAX_COUNTS:
        raise TooLarge(
            f"{others + 1} candidates of {len(values)} different weights can be drawn in {ways} "
            f"ways; exact distributions are computed for at most {MAX_COUNTS}, use floats"
        )
    means: Any = np.zeros(len(values) - 1, dtype=object)
    for drawn in itertools.combinations_with_replacement(range(len(values)), others):
        counts = [drawn.count(d) for d in range(len(values))]
        probability: Any = math.factorial(others) // math.prod(map(math.factorial, counts))
        for d, n in enumerate(counts):
            probability = probability * probs[d] ** n
        total = sum(values[d] * n for d, n in enumerate(counts))
        means = means + quotients(np.asarray(probability, dtype=object), values[:-1] + total)
    every = np.zeros(len(w), dtype=object)
    every[w != 0] = means[inverse]
    return every
