"""The sequence alpha-loss of AlphaDLM, and the products of distributions that are best under it.

A product ``q`` of one distribution per site scores ``J(q) = sum_x p(x) q(x)^alpha``. As ``alpha``
goes to 0, the best product is that of the marginals, which cross-entropy finds: ``(J - 1) / alpha``
goes to ``E log q``. At ``alpha = 1`` it puts everything on a likeliest sequence. Source of the
loss: AlphaDLM, read; what is said here about its maxima is ours.

Given all other sites, the best distribution at one site is ``q_i(v) ~ S_i(v)^(1 / (1 - alpha))``
with ``S_i(v) = sum_{x: x_i = v} p(x) prod_{j != i} q_j(x_j)^alpha``. Taking the sites in turn never
lowers the score. For ``alpha < 1 / L`` the score is concave, and one such sweep draws the
logarithms of two products together, at least by ``(L - 1) alpha / (1 - alpha) < 1``: there is one
best product, positive wherever the marginals are. Above ``1 / L`` there can be several maxima on
the boundary.
"""

import itertools
import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory._core import exact
from theory._core.arrays import MASK, array_namespace, as_array, is_exact, require_memory, to_host
from theory._core.exact import short
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.table import JointTable
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_numbers, as_real
from theory.validation.probabilities import as_rows

__all__ = [
    "BestProduct",
    "best_product",
    "best_share",
    "sentences",
    "sequence_alpha_objective",
]

MAX_SWEEPS = 20_000
"""Sweeps over the sites end after so many; at ``alpha`` close to ``1 / L`` they move slowly."""

CONVERGED_TOL = 1e-14
"""Sweeps end when no probability moves by more than this."""


class BestProduct(NamedTuple):
    """A product and its score.

    Attributes
    ----------
    sites : array, shape (L, V)
    value : float
    """

    sites: Array
    value: float

    def __repr__(self) -> str:
        return f"<BestProduct of {counted(self.sites.shape[0], 'site')}: value {short(self.value)}>"


def sequence_alpha_objective(p: Distribution, sites: ArrayLike, alpha: Any) -> Array:
    """Score of a product: ``sum_x p(x) q(x)^alpha``.

    Parameters
    ----------
    p : Distribution
        Small, as the whole table is used; `TooLarge` is raised otherwise.
    sites : array_like, shape (L, V) or (B, L, V)
        Rows sum to 1.
    alpha : number from 0 to 1
        At 0 every product scores 1. A SymPy number (or positive symbol) if all else is exact.

    Returns
    -------
    scalar, or array of shape (B,)
        float64, or exact numbers if `p`, `sites` and `alpha` are exact.

    >>> from fractions import Fraction
    >>> p = JointTable([[2, 0], [0, 1]], exact=True)
    >>> fair = [[Fraction(1, 2), Fraction(1, 2)]] * 2
    >>> sequence_alpha_objective(p, fair, Fraction(1, 2))
    1/2
    """
    check_distribution(p)
    sites = as_array(sites)
    in_exact = p.exact and is_exact(sites) and not isinstance(alpha, (float, np.floating))
    sites = as_rows(sites, "sites", 3 if sites.ndim == 3 else 2, exact=in_exact)
    if tuple(sites.shape[-2:]) != (p.length, p.vocab):
        raise InvalidInput(
            f"sites must have shape ({p.length}, {p.vocab}) or (B, {p.length}, {p.vocab}), "
            f"got {tuple(sites.shape)}"
        )
    batch = sites if sites.ndim == 3 else sites[None, ...]
    if in_exact:
        alpha = _as_exact_alpha(alpha)
        table = exact.elementwise(exact.as_sympy, to_host(p.table()))
        raised = exact.elementwise(lambda q: exact.as_sympy(q) ** alpha, batch)
    else:
        table = as_numbers(p.table(), "p")
        raised = batch ** as_real(alpha, "alpha", 0, 1)
    values = _score(table, raised)
    return values if sites.ndim == 3 else values[0]


def best_product(p: Distribution, alpha: float) -> BestProduct:
    """Find a product of the greatest score.

    Parameters
    ----------
    p : Distribution
        Small, or `TooLarge` is raised: the work grows as ``V^L``, for ``alpha`` from ``1 / L`` on
        as ``(V (V + 1))^L``.
    alpha : float
        From 0 to 1; 0 stands for the limit, the product of the marginals.

    Returns
    -------
    BestProduct
        For ``alpha < 1 / L`` and at 1 the maximum (just below ``1 / L`` sweeps end a little short
        of it). In between, the best that sweeps lead to from the predictions given every possible
        observation: at least a lower bound. Of equally good products, one.

    >>> p = JointTable([[0.8, 0], [0, 0.2]])
    >>> best_product(p, 0.25).sites[0].round(12)      # odds (8/2)^2
    array([0.94117647, 0.05882353])
    >>> best_product(p, 0.75), best_product(p, 0.75).sites.tolist()
    (<BestProduct of 2 sites: value 0.8>, [[1.0, 0.0], [1.0, 0.0]])
    """
    check_distribution(p)
    alpha = as_real(alpha, "alpha", 0, 1)
    table = as_numbers(p.table(), "p")
    xp = array_namespace(table)
    if alpha == 1:
        likeliest = np.unravel_index(int(xp.argmax(xp.reshape(table, (-1,)))), table.shape)
        patterns = np.asarray([likeliest], dtype=np.int64)
    elif alpha * p.length < 1:
        patterns = np.full((1, p.length), MASK, dtype=np.int64)
    else:
        patterns = _observations(p)
    sites = as_numbers(p.denoise(patterns), "predictions")
    if alpha < 1:
        sites = _swept(table, sites, alpha)
    values = _score(table, sites**alpha)
    best = int(xp.argmax(values))
    return BestProduct(sites[best, ...], float(values[best]))


def best_share(first: float, second: float, sites: int, alpha: float) -> float:
    """The a in [0, 1] that maximises ``first a^(n alpha) + second (1-a)^(n alpha)``, n sites.

    No product ``prod a_i``, ``prod (1 - a_i)`` of different shares does better. For ``n alpha < 1``
    the odds are ``(first / second)^(1 / (1 - n alpha))``; else all goes to the greater weight, of
    equal ones to the first. Both weights are above 0, and `alpha` lies between 0 and 1.

    >>> best_share(0.8, 0.2, sites=2, alpha=0.25)      # odds 16
    0.9411764705882353
    """
    first, second = (as_real(w, "a weight", 0, math.inf, ends=False) for w in (first, second))
    concavity = 1 - as_integer(sites, "sites", 1) * as_real(alpha, "alpha", 0, 1)
    log_odds = math.log(first) - math.log(second)
    if concavity <= 0:
        return float(log_odds >= 0)
    return 1 / (1 + math.exp(min(-log_odds / concavity, 700.0)))


def sentences(*, exact: bool = False) -> JointTable:
    """Probability 0.4 for "I am", 0.3 for "he is" and "she is": the example of AlphaDLM.

    >>> p = sentences(exact=True)
    >>> p.spell([[0, 3], [2, 4]])
    ['I am', 'she is']
    """
    weights = np.zeros((5, 5), dtype=np.int64)
    weights[0, 3], weights[1, 4], weights[2, 4] = 4, 3, 3
    return JointTable(weights, exact=exact, symbols=("I", "he", "she", "am", "is"))


def _as_exact_alpha(alpha: Any) -> Any:
    import sympy

    if isinstance(alpha, bool) or not isinstance(alpha, (int, Fraction, np.integer, sympy.Expr)):
        raise InvalidInput(f"alpha must be a number from 0 to 1, got {alpha!r}")
    alpha = exact.as_sympy(alpha)
    if sympy.true in (alpha < 0, alpha > 1):  # of a symbol it is not known
        raise InvalidInput(f"alpha must be a number from 0 to 1, got {alpha}")
    return alpha


def _observations(p: Distribution) -> np.ndarray:
    """Every pattern of observed tokens and masks that is possible, shape (N, L)."""
    count = (p.vocab + 1) ** p.length
    require_memory(count * p.vocab**p.length, f"a table of sweeps from {count:.3g} starts", p.like)
    patterns = np.asarray(list(itertools.product(range(MASK, p.vocab), repeat=p.length)))
    patterns = patterns.astype(np.int64)
    return patterns[to_host(p.evidence(patterns)).astype(np.float64) > 0]


def _without(table: Array, raised: Array, site: int) -> Array:
    """``S_i(v)`` of one site i, where the powers of all others are given, shape (B, V)."""
    xp = array_namespace(table)
    rest = xp.moveaxis(table, site, 0)[None, ...]
    for other in reversed([j for j in range(table.ndim) if j != site]):
        factor = raised[:, other, :]
        factor = xp.reshape(factor, (factor.shape[0], *[1] * (rest.ndim - 2), factor.shape[1]))
        rest = xp.sum(rest * factor, axis=-1)
    return rest


def _score(table: Array, raised: Array) -> Array:
    """``J`` of products whose powers are given, (B,)."""
    xp = array_namespace(table)
    return xp.sum(_without(table, raised, 0) * raised[:, 0, :], axis=-1)


def _swept(table: Array, sites: Array, alpha: float) -> Array:
    """Products (B, L, V) after sweeps that make each site the best one given the others."""
    xp = array_namespace(table)
    columns = [sites[:, i, :] for i in range(table.ndim)]
    for _ in range(MAX_SWEEPS):
        moved = 0.0
        for i, before in enumerate(columns):
            rest = _without(table, xp.stack(columns, axis=1) ** alpha, i)
            rest = (rest / xp.max(rest, axis=-1, keepdims=True)) ** (1 / (1 - alpha))
            columns[i] = xp.broadcast_to(rest / xp.sum(rest, axis=-1, keepdims=True), before.shape)
            moved = max(moved, float(xp.max(xp.abs(columns[i] - before))))
        if moved <= CONVERGED_TOL:
            break
    return xp.stack(columns, axis=1)
