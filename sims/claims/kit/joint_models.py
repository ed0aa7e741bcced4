"""Claim E5 about joint laws: what each gives, and laws that are wrong in one place."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims import joints
from sims.claims.kit.random_rules import any_rule
from sims.decoding.exact import output_distribution
from sims.joints.base import quotients
from sims.policies import JointDraw, LeftToRight
from theory import MASK, information
from theory._core.arrays import log, to_host
from theory.claims.kit.generators import every_pattern
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution

__all__ = [
    "AnyNumber",
    "Halfway",
    "Independent",
    "Unbroken",
    "Unconditional",
    "Unfitted",
    "any_sets_of_a_chain",
    "blocks_of_a_chain",
    "candidates",
    "likeliest",
    "many_components",
    "marginals",
    "one_component",
    "resampling_bound",
    "too_few_components",
    "true_joint",
]

Law = Callable[[Distribution], joints.Joint]


class Halfway(joints.ResidualEnergy):
    """Planted: weights halfway between those of the product and the true ones."""

    def weights(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return quotients(super().weights(x, sites) + 1, np.asarray(2))


def true_joint(
    p: Distribution, rule: Sequence[int], joint: Law = joints.ResidualEnergy
) -> list[Any]:
    """``q - p``, and the rounds of the policy against what it takes on the data."""
    inner = any_rule(rule)
    q = output_distribution(p, JointDraw(inner, joint(p)))
    rounds = output_distribution(p, inner).expected_rounds_on_data
    return [*(q.table - to_host(p.table())).reshape(-1), q.expected_rounds - rounds]


def _one_product(p: Distribution) -> joints.Joint:
    return joints.Mixture(p, 1)


class Unconditional(joints.Mixture):
    """Planted: the product of the marginals given nothing."""

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        every = to_host(self.p.denoise(np.full_like(x, MASK)))
        return joints.outer(every[np.arange(len(x))[:, None], sites])


def one_component(p: Distribution, rule: Sequence[int], joint: Law = _one_product) -> Any:
    """What the one-component mixture writes, and what the policy writes."""
    inner = any_rule(rule)
    q = output_distribution(p, JointDraw(inner, joint(p)))
    return q.table - output_distribution(p, inner).table


def many_components(p: Distribution, rule: Sequence[int], fewer: bool = False) -> Any:
    """``q - p`` with as many components as all sites but one have values.

    And the sum of the products of one round of all sites minus p, term by term, beside what the
    weights and the rows of each product sum to.
    """
    joint = joints.Mixture(p, 1 if fewer else p.vocab ** (p.length - 1))
    q = output_distribution(p, JointDraw(any_rule(rule), joint))
    data = to_host(p.table())
    weights, products = joint.parts(np.full(p.length, MASK), np.arange(p.length))
    total: Any = data * 0
    for x in itertools.product(range(p.vocab), repeat=p.length):
        for weight, product in zip(weights, products, strict=True):
            total[x] += weight * math.prod(row[t] for row, t in zip(product, x, strict=True))
    wrong = [abs(v) for v in (total - data).reshape(-1)]
    sums = [abs(weights.sum() - 1), *abs(products.sum(axis=2) - 1).reshape(-1)]
    more = max(0, len(weights) - joint.components)
    return [*(q.table - data).reshape(-1), *wrong, *sums, more]


class AnyNumber(joints.Mixture):
    """Planted: the joint itself, however few components there are."""

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        return joints.conditional(self.p, x, sites)[0]


def too_few_components(
    p: Distribution, count: int, joint: Callable[..., joints.Joint] = joints.Mixture
) -> Any:
    """By how much a mixture of k products is nearer to p than a matrix of rank k can be.

    With some sites as rows and the others as columns a mixture of k products has rank at most k,
    so that its distance from p in the Frobenius norm is at least the root of the sum of the
    squares of all singular values of p but the first k (Eckart and Young). EM is not exact.
    """
    if p.exact or p.length == 1:
        raise DoesNotApply("it is about singular values, in floats, of two or more sites")
    x, sites, marginals = _everything(p)
    data = to_host(p.table())
    off = joint(p, count).distribution(x, sites, marginals)[0].reshape(data.shape) - data
    distance = float(np.sqrt((off**2).sum()))
    least = []
    for size in range(1, p.length):
        for rows in itertools.combinations(range(p.length), size):
            matrix = np.moveaxis(data, rows, range(size)).reshape(p.vocab**size, -1)
            left = np.linalg.svd(matrix, compute_uv=False)[count:]
            least.append(float(np.sqrt((left**2).sum())))
    return [excess(value, distance) for value in least]


def _is_chain(p: Distribution) -> bool:
    """Tell whether ``p(x)`` times the inner ``p(x_i)`` is the product of the ``p(x_i, x_{i+1})``.

    Summed from the table, with nothing of what is checked.
    """
    data, sites = to_host(p.table()), range(p.length)

    def marginal(*kept: int) -> Any:
        return data.sum(axis=tuple(i for i in sites if i not in kept), keepdims=True)

    left = data * math.prod(marginal(i) for i in sites[1:-1])
    right = math.prod(marginal(i, i + 1) for i in sites[:-1]) if p.length > 1 else data
    off = abs(left - right).max()
    return bool(off == 0 if p.exact else off < 1e-12)


class Independent(joints.Projection):
    """Planted: a reference without links."""

    def _reference(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return self._chain(sites, [False] * (len(sites) - 1))


class Unbroken(joints.Projection):
    """Planted: links across revealed sites."""

    def _reference(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return self._chain(sites, [True] * (len(sites) - 1))


def blocks_of_a_chain(p: Distribution, size: int, joint: Law = joints.Projection) -> Any:
    """``q - p`` for blocks from left to right, on a chain."""
    if not _is_chain(p):
        raise DoesNotApply("it is about data that are a chain")
    return output_distribution(p, JointDraw(LeftToRight(size), joint(p))).table - p.table()


def any_sets_of_a_chain(
    p: Distribution, rule: Sequence[int], joint: Law = joints.Projection
) -> Any:
    """``q - p`` for any sets, on a chain; fitting does not end in exact numbers."""
    if p.exact or not _is_chain(p):
        raise DoesNotApply("it is about data that are a chain, in floats")
    return output_distribution(p, JointDraw(any_rule(rule), joint(p))).table - p.table()


class Unfitted(joints.Projection):
    """Planted: the reference itself."""

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        return np.asarray([self._reference(*row) for row in zip(x, sites, strict=True)])


def marginals(p: Distribution, joint: Callable[..., joints.Joint] = joints.Projection) -> Any:
    """Marginals of the projections minus the predictions, for every context and set.

    Fitting does not end in exact numbers.
    """
    if p.exact or p.length < 2:
        raise DoesNotApply("it is about fitting two sites or more, in floats")
    residuals: list[Any] = []
    for reference in ("chain", "pairs"):
        projection = joint(p, reference)
        for x in every_pattern(p):
            masked = np.flatnonzero(x == MASK).tolist()
            if p.evidence(x) == 0:
                continue
            marginals = to_host(p.denoise(x))
            for count in range(2, len(masked) + 1):
                for sites in itertools.combinations(masked, count):
                    rows = marginals[list(sites)]
                    law = projection.distribution(x[None], np.asarray([sites]), rows[None])[0]
                    law = law.reshape((p.vocab,) * count)
                    for i in range(count):
                        others = tuple(j for j in range(count) if j != i)
                        residuals.extend(law.sum(axis=others) - rows[i])
    return residuals


def likeliest(weights: Sequence[Any]) -> list[Any]:
    """Planted: the candidate of the largest weight is taken."""
    return [
        int(k == max(range(len(weights)), key=lambda j: weights[j])) for k in range(len(weights))
    ]


def _in_proportion(weights: Sequence[Any]) -> list[Any]:
    total = sum(weights)
    if total == 0:
        return [1, *[0] * (len(weights) - 1)]
    return [w / total for w in weights]


def _everything(p: Distribution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, sites = np.full((1, p.length), MASK), np.arange(p.length)[None]
    return x, sites, to_host(p.denoise(x))


def candidates(
    p: Distribution, count: int, choose: Callable[[Sequence[Any]], list[Any]] = _in_proportion
) -> Any:
    """The law of one round with M candidates, against all M-tuples of candidates."""
    x, sites, marginals = _everything(p)
    product = joints.outer(marginals)[0]
    weights = joints.ResidualEnergy(p).weights(x, sites)[0]
    law: Any = product * 0
    possible = np.flatnonzero(product != 0).tolist()
    for drawn in itertools.product(possible, repeat=count):
        chance = math.prod(product[c] for c in drawn)
        for c, share in zip(drawn, choose([weights[c] for c in drawn]), strict=True):
            law[c] = law[c] + chance * share
    return joints.Resampled(p, count).distribution(x, sites, marginals)[0] - law


def resampling_bound(p: Distribution, count: int, power: int = 1) -> Any:
    """By how much one round with M candidates loses more than ``log(1 + chi2 / M)``."""
    x, sites, marginals = _everything(p)
    count = min(count, 2) if p.exact else count  # more can be drawn in too many ways
    law = joints.Resampled(p, count).distribution(x, sites, marginals)[0]
    data = to_host(p.table()).reshape(-1)
    lost = information.kl_divergence(data, law)
    weights = joints.ResidualEnergy(p).weights(x, sites)[0]
    chi2 = (data * weights).sum() - 1
    share = chi2 / count**power
    return excess(lost, log(np.asarray([1 + share]))[0])
