"""The mean excess of a decoder with learnt tables over data sets, without drawing any.

Let a policy choose its sites independently of tokens and predictions, and let w(S, U) be the
expected number of its calls that reveal U where S is observed. With tables learnt from n samples
under the masks pi (see `sims.training.tabular`), the excess of its path KL over that of the
zero-loss denoiser is, on average over data sets,

    sum_{S, U} w(S, U) sum_{i in U} sum_c p(c) E KL(p(x_i | c) || f_i(c))

over the values c of the observed sites. The counts are binomial: N(c) of n and pi(S) p(c), and
N_i(c, v) of n and pi(S) p(c, v). So the mean is a finite sum of E log(N + alpha), and for large n

    n E excess  ->  sum_S B(S) / pi(S)
    B(S) = sum_U w(S, U) sum_{i in U} sum_c ((s - 1) / 2 + alpha (V - s))

with s the number of tokens that are possible at i given c, and c the values that are possible.
A pattern whose predictions are all uniform needs no training, as the tables say that unasked: it
counts for nothing where pi(S) = 0. The masks that make the limit least are proportional to sqrt(B)
on the other patterns, by the inequality of Cauchy and Schwarz, and it is then
(sum_S sqrt(B(S)))^2. Derived here; E KL of add-constant estimators: textbook.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sims.decoding.arguments import as_revealing
from sims.decoding.propagation import propagate
from sims.policies import Decoder, Policy
from sims.policies.base import Select
from sims.policies.blind import blind_rounds
from sims.training.masks import as_masks
from theory import MASK, JointTable
from theory._core.arrays import is_exact, read_only, to_host, xlogx
from theory._core.exact import floats, is_rational
from theory._core.types import ArrayLike, Number
from theory._markov.classes import possible
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real

__all__ = ["best_masks", "expected_excess", "questions", "rate"]

Sites = tuple[int, ...]
Questions = Mapping[tuple[Sites, Sites], Fraction]


def questions(policy: Decoder | Select, length: int) -> Questions:
    """Expected number of calls w(S, U) for each set S observed and U revealed.

    Parameters
    ----------
    policy : Policy
        One that depends on nothing (see `policies.Decoder`).
    length : int

    >>> from sims.policies import LeftToRight
    >>> dict(questions(LeftToRight(), 2))
    {((), (0,)): Fraction(1, 1), ((0,), (1,)): Fraction(1, 1)}
    """
    decoder, length = as_revealing(policy), as_integer(length, "length", 1)
    if not isinstance(decoder, Policy) or decoder.depends_on != "nothing":
        raise InvalidInput(
            f"{decoder!r} depends on {decoder.depends_on}: so its questions depend on what was "
            f'learnt. A policy of your own that depends on nothing says depends_on = "nothing"'
        )
    known = decoder.with_given((), length)
    for _ in blind_rounds(known, length):  # refuses one that is declared wrongly
        pass
    calls: dict[tuple[Sites, Sites], Fraction] = {}
    one_token = JointTable(np.ones((1,) * length, dtype=np.int64), exact=True)
    for reveal in propagate(one_token, decoder, measures=("decoder",)):
        for row, flip, mass in zip(reveal.x, reveal.sites, reveal.masses[0], strict=True):
            shown, new = (tuple(np.flatnonzero(v).tolist()) for v in (row != MASK, flip))
            if new:
                calls[shown, new] = calls.get((shown, new), Fraction(0)) + mass
    return calls


def expected_excess(
    p: Distribution,
    policy: Decoder | Select,
    masks: ArrayLike,
    size: int,
    alpha: Number | Fraction = 0.5,
) -> float:
    """Mean over data sets of the excess path KL of a decoder with learnt tables, in nats.

    Parameters
    ----------
    p : Distribution
    policy : Policy
        One that depends on nothing. If it is not randomised, path KL is the KL of what is
        written.
    masks : array_like, shape (2,)*L
        Of training.
    size : int
        Number n of samples, each one sequence with one mask.
    alpha : number
        Prior of the tables, above 0.

    Returns
    -------
    float

    Examples
    --------
    One sample of a bit that is always 0, and the prior of Laplace: it is predicted with
    probability 2/3.

    >>> from sims.policies import LeftToRight
    >>> excess = expected_excess(JointTable([1, 0]), LeftToRight(), [1, 0], 1, alpha=1)
    >>> bool(np.isclose(excess, np.log(3 / 2)))
    True
    """
    check_distribution(p)
    pi = as_masks(masks, p.length).astype(np.float64)
    size, prior = as_integer(size, "size", 0), as_real(alpha, "alpha", 0, np.inf, ends=False)

    @cache
    def learning(shown: Sites, site: int) -> float:
        """Mean divergence at one site, over contexts that show these."""
        share = pi[_pattern(shown, p.length)]
        evidence, joint = (floats(v, "the excess is not known") for v in _evidence(p, shown, site))
        total = xlogx(joint).sum() - xlogx(evidence).sum()
        total -= (joint * mean_log(size, share * joint, prior)).sum()
        total += (evidence * mean_log(size, share * evidence, prior * p.vocab)).sum()
        return float(total)

    return sum(
        float(weight) * learning(shown, site)
        for (shown, new), weight in questions(policy, p.length).items()
        for site in new
    )


def rate(
    p: Distribution,
    policy: Decoder | Select,
    masks: ArrayLike,
    alpha: Number | Fraction = Fraction(1, 2),
) -> Number:
    """Limit of n times `expected_excess` for large n, in nats: ``sum_S B(S) / pi(S)``.

    Returns
    -------
    Fraction or float
        A Fraction if `masks` and `alpha` are rational; infinite if training never shows a pattern
        that inference meets and whose predictions are not all uniform.

    Examples
    --------
    Two independent bits from left to right: half a nat for each context over its share.

    >>> from sims.policies import LeftToRight
    >>> from sims.training.masks import left_to_right, uniform_time
    >>> p = JointTable([[1, 2], [2, 4]], exact=True)
    >>> rate(p, LeftToRight(), left_to_right(2, exact=True))       # (1/2 + 2/2) / (1/3)
    Fraction(9, 2)
    >>> rate(p, LeftToRight(), uniform_time(2, exact=True))        # 1/2 / (1/3) + 2/2 / (1/6)
    Fraction(15, 2)
    """
    check_distribution(p)
    pi = as_masks(masks, p.length)
    total: Any = Fraction(0)
    asked = questions(policy, p.length)
    for shown, difficulty in _difficulties(p, asked, alpha).items():
        share = pi[_pattern(shown, p.length)]
        if share != 0:
            total += difficulty / (share if is_exact(pi) else float(share))
        elif not _uniform(p, asked, shown):
            return np.inf
    return total


def best_masks(
    p: Distribution, policy: Decoder | Select, alpha: Number | Fraction = Fraction(1, 2)
) -> np.ndarray:
    """Training masks with the least `rate` for a policy: proportional to ``sqrt(B(S))``.

    Not those that inference visits: patterns with more possible contexts need more samples, and
    those with uniform predictions only need none, as the tables are right about them unasked.

    Returns
    -------
    ndarray of float64, shape (2,)*L

    >>> from sims.policies import LeftToRight
    >>> best_masks(JointTable([[1, 2], [2, 4]], exact=True), LeftToRight()).round(3).tolist()
    [[0.414, 0.0], [0.586, 0.0]]
    """
    check_distribution(p)
    table = np.zeros((2,) * p.length)
    asked = questions(policy, p.length)
    for shown, difficulty in _difficulties(p, asked, alpha).items():
        if not _uniform(p, asked, shown):
            table[_pattern(shown, p.length)] = np.sqrt(float(difficulty))
    if not table.any():
        raise InvalidInput("there is nothing to learn: every prediction is uniform")
    return read_only(table / table.sum())


def mean_log(size: int, probability: np.ndarray, alpha: float) -> np.ndarray:
    """``E log(N + alpha)`` for binomial N of `size` and each probability.

    What lies more than twelve standard deviations and forty counts from the mean is left out.

    >>> mean_log(1, np.asarray([0.5]), 1.0)[0] == np.log(2) / 2
    np.True_
    """
    from scipy.special import gammaln, xlog1py, xlogy

    values, inverse = np.unique(np.clip(probability, 0.0, 1.0), return_inverse=True)
    means = np.empty(len(values))
    for k, r in enumerate(values.tolist()):
        reach = 12 * np.sqrt(size * r * (1 - r)) + 40
        low, high = max(0, int(size * r - reach)), min(size, int(size * r + reach) + 1)
        n = np.arange(low, high + 1, dtype=np.float64)
        logs = xlogy(n, r) + xlog1py(size - n, -r) - gammaln(n + 1) - gammaln(size - n + 1)
        weights = np.exp(logs - logs.max())
        means[k] = (weights * np.log(n + alpha)).sum() / weights.sum()
    return means[inverse.reshape(-1)].reshape(np.shape(probability))


def _pattern(shown: Sites, length: int) -> tuple[int, ...]:
    return tuple(int(i in shown) for i in range(length))


def _evidence(p: Distribution, shown: Sites, site: int) -> tuple[np.ndarray, np.ndarray]:
    """``p(c)``, shape (C,), and ``p(c, x_site = v)``, shape (C, V), of possible contexts c."""
    x = to_host(p.assignments(shown))
    evidence = to_host(p.evidence(x))
    x, evidence = x[evidence != 0], evidence[evidence != 0]
    with_token = np.repeat(x[:, None], p.vocab, axis=1)
    with_token[:, :, site] = np.arange(p.vocab)
    joint = to_host(p.evidence(with_token.reshape(-1, p.length)))
    return evidence, joint.reshape(-1, p.vocab)


def _difficulties(p: Distribution, asked: Questions, alpha: Number | Fraction) -> dict[Sites, Any]:
    """B(S) for every S that inference meets."""
    as_real(alpha, "alpha", 0, np.inf, ends=False)
    prior = Fraction(alpha) if is_rational(alpha) else float(alpha)
    found: dict[Sites, Any] = {}
    for (shown, new), weight in asked.items():
        for site in new:
            sizes = possible(_evidence(p, shown, site)[1]).sum(axis=1).tolist()
            cost = sum(Fraction(s - 1, 2) + prior * (p.vocab - s) for s in sizes)
            found[shown] = found.get(shown, Fraction(0)) + weight * cost
    return found


def _uniform(p: Distribution, asked: Questions, shown: Sites) -> bool:
    """Whether all that is predicted where S is observed is uniform, as the tables say unasked."""
    for seen, new in asked:
        for site in new if seen == shown else ():
            evidence, joint = _evidence(p, shown, site)
            gap = joint * p.vocab - evidence[:, None]
            if (possible(gap) if p.exact else abs(gap) > 1e-12).any():
                return False
    return True
