"""Costs and accuracies in closed form: permutations, one-hot strings, walks, calls, limits.

A *cost* is the KL divergence of the output distribution of the zero-loss denoiser from the data,
when the rounds reveal batches of the given sizes. It is in nats (in bits with ``base=2``), a float,
or with ``exact=True`` a linear form in the logarithms of primes.

Copying a list, or anything else that the prompt determines, costs nothing in any number of rounds.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory import schedules
from theory._core.exact import log as exact_log
from theory._core.types import Number
from theory.errors import InvalidInput
from theory.information.units import in_units
from theory.schedules.minimax import Of, as_budgets
from theory.validation.arguments import as_base, as_integer, as_real, as_sizes
from theory.validation.times import as_times

__all__ = [
    "expected_calls",
    "expected_calls_on",
    "minimax_limit",
    "one_hot_accuracy",
    "one_hot_cost",
    "permutation_cost",
    "permutation_frontier",
    "permutation_schedule",
    "shuffle_accuracy",
    "shuffle_cost",
    "shuffle_pairs_cost",
    "walk_scan_cost",
]


def permutation_cost(
    n: int, sizes: Sequence[int], *, base: float | None = None, exact: bool = False
) -> Number:
    """Cost of writing a uniform permutation of n tokens in batches of these sizes.

    Revealing B of the M sites that are left costs ``log(M^B / (M)_B)``, with the falling factorial
    ``(M)_B = M (M-1) ... (M-B+1)``, whichever sites they are. Source: Wen, Liang, Lu
    (arXiv 2608.25505, Theorems 6 to 9), read.

    Parameters
    ----------
    n : int
    sizes : sequence of int
        Positive, summing to n.
    base : float, optional
        Unit: nats if not given, 2 for bits.
    exact : bool
        Return a `theory.LinearForm`.

    >>> permutation_cost(3, (3,), exact=True)                  # log(27/6)
    -log(2) + 2*log(3)
    >>> round(permutation_cost(4, (1, 1, 2), base=2), 12)      # the last two collide or not
    1.0
    """
    n = as_integer(n, "n", 1)
    terms = []
    for left, size in _batches(n, sizes):
        terms += [(1, Fraction(left, left - i)) for i in range(1, size)]
    return _sum_of_logs(terms, base, exact)


def permutation_frontier(n: int, *, base: float | None = None) -> np.ndarray:
    """Least cost of a permutation of n tokens in 1, 2, ..., n rounds, shape (n,).

    ``E_{n,R} = F_{n,R} - log n!`` with ``F_{n,1} = n log n`` and ``F_{n,R}`` the least of
    ``(n-m) log n + F_{m,R-1}`` over ``R-1 <= m <= n-1`` sites that the first round leaves. Source:
    Wen, Liang, Lu (arXiv 2608.25505, Theorems 6 to 9), read. Here the recursion runs on E itself,
    so that nothing cancels. Takes ``O(n^3)`` steps.

    >>> permutation_frontier(4, base=2).round(4).tolist()      # 4^4 / 4!, then 8/3, 4/3 and 1
    [3.415, 1.415, 0.415, 0.0]
    """
    n = as_integer(n, "n", 1)
    unit = as_base(base)
    later = np.arange(n + 1, dtype=np.int64)[None, :]
    left = later[:, 1:].T
    taken = np.where(later < left, (left - later - 1) / left, 0)  # when the last token is drawn
    # one_round[M - 1, m] is the cost of going from M sites left to m.
    one_round = np.cumsum(-np.log1p(-taken)[:, ::-1], axis=1)[:, ::-1]
    one_round = np.where(later < left, one_round, np.inf)
    least = np.full(n + 1, np.inf)
    least[0] = 0.0
    frontier = []
    for _ in range(n):
        least = np.append(np.inf, (one_round + least).min(axis=1))
        frontier.append(least[n])
    return np.asarray(frontier) / unit


def permutation_schedule(n: int, rounds: int) -> tuple[int, ...]:
    """Batch sizes of least cost for a permutation of n tokens in this many rounds.

    The profile of permutations is ``f(j) = log(n - j)``, so this is `theory.schedules.optimal` of
    it. Of equally good schedules, the one whose last batches are largest is returned.

    >>> permutation_schedule(8, 4)
    (3, 2, 2, 1)
    >>> permutation_schedule(4, 2)               # (3, 1) costs as much: 4/3 * 4/2 = 4/3 * 2/1
    (2, 2)
    """
    n = as_integer(n, "n", 1)
    return schedules.optimal(np.log(np.arange(n, 0, -1)), rounds)


def shuffle_cost(n: int, *, base: float | None = None, exact: bool = False) -> Number:
    """Cost of shuffling n tokens in one round: ``n log n - log n!``.

    Source: ParallelBench (arXiv 2510.04767), read.

    >>> shuffle_cost(2, base=2, exact=True)
    1
    """
    n = as_integer(n, "n", 1)
    return permutation_cost(n, (n,), base=base, exact=exact)


def shuffle_pairs_cost(n: int, *, base: float | None = None, exact: bool = False) -> Number:
    """Cost of shuffling n tokens, two in every round: ``log(n!! / (n-1)!!)``.

    Source: ParallelBench (arXiv 2510.04767), read.

    An even n. The other arguments are as for `permutation_cost`.

    >>> shuffle_pairs_cost(4, exact=True)                      # log(4 * 2 / 3)
    -log(3) + 3*log(2)
    """
    n = as_integer(n, "n", 2)
    if n % 2:
        raise InvalidInput(f"pairs need an even number of tokens, got {n}")
    return permutation_cost(n, (2,) * (n // 2), base=base, exact=exact)


def shuffle_accuracy(n: int, *, exact: bool = False) -> Number:
    """Probability that n tokens shuffled in one round are a permutation: ``n! / n^n``.

    Source: ParallelBench (arXiv 2510.04767), read.

    >>> shuffle_accuracy(3, exact=True)
    Fraction(2, 9)
    """
    n = as_integer(n, "n", 1)
    accuracy: Any = Fraction(math.factorial(n), n**n)
    return accuracy if exact else float(accuracy)


def one_hot_cost(
    n: int, sizes: Sequence[int], *, base: float | None = None, exact: bool = False
) -> Number:
    """Cost of writing a one at a uniformly random one of n sites, in batches of these sizes.

    This is "Replace Random" of ParallelBench. With M sites left and no one so far, which has
    probability ``M / n``, revealing B costs ``B h(1/M) - H``, with h the binary entropy and H that
    of which of the B sites has the one, if any. Together::

        (1/n) sum [ B (M-1) log(M / (M-1)) - (M-B) log(M / (M-B)) ]

    In one round ``(n-1) [log n - log(n-1)]``, which tends to 1 nat. Source: ParallelBench
    (arXiv 2510.04767), read, for one round; ours for several. Arguments as for `permutation_cost`.

    >>> one_hot_cost(3, (3,), exact=True)                      # 2 log(3/2)
    -2*log(2) + 2*log(3)
    >>> round(one_hot_cost(4, (2, 2), base=2), 12)     # (6 log2(4/3) - 2 log2(2) + 2 log2(2)) / 4
    0.622556248918
    """
    n = as_integer(n, "n", 1)
    terms = []
    for left, size in _batches(n, sizes):
        after = left - size
        if left > 1:
            terms.append((Fraction(size * (left - 1), n), Fraction(left, left - 1)))
        if after:
            terms.append((Fraction(-after, n), Fraction(left, after)))
    return _sum_of_logs(terms, base, exact)


def one_hot_accuracy(n: int, *, exact: bool = False) -> Number:
    """Probability of a single one, written in one round: ``((n-1) / n)^(n-1)``, which tends to 1/e.

    Source: ParallelBench (arXiv 2510.04767), read.

    >>> one_hot_accuracy(3, exact=True)
    Fraction(4, 9)
    """
    n = as_integer(n, "n", 1)
    share: Any = Fraction(n - 1, n) if exact else (n - 1) / n
    return share ** (n - 1)


def walk_scan_cost(
    sizes: Sequence[int], *, base: float | None = None, exact: bool = False
) -> Number:
    """Cost of writing the Bernoulli walk from left to right in batches of these sizes.

    In bits ``sum_t sum_{j <= B_t} H(Bin(j, 1/2)) - n``, for batches ``B_1, B_2, ...`` of n steps.
    Source: Wen, Liang, Lu (arXiv 2608.25505), read.

    The arguments are as for `permutation_cost`.

    >>> walk_scan_cost((2,), base=2, exact=True)               # 1 + 3/2 - 2
    1/2
    >>> walk_scan_cost((1, 1, 1))
    0.0
    """
    sizes = as_sizes(sizes, None)
    if not sizes:
        raise InvalidInput("sizes must name at least one batch, got ()")
    terms = []
    for size in sizes:
        counts = [1]
        for j in range(1, size + 1):
            counts = [a + b for a, b in zip([0, *counts], [*counts, 0], strict=True)]  # Pascal's
            terms += [(Fraction(c, 2**j), Fraction(2**j, c)) for c in counts]
        terms.append((Fraction(-size), Fraction(2)))
    return _sum_of_logs(terms, base, exact)


def expected_calls(length: int, steps: int, *, exact: bool = False) -> Number:
    """Mean number of denoiser calls on a grid of equal steps, where empty steps need none.

    ``steps (1 - (1 - 1/steps)^length)``, which tends to `length` with many steps. Source: RADD
    (arXiv 2406.03736), memory; it follows at once, because a step reveals none of the sites with
    probability ``(1 - 1/steps)^length``.

    >>> expected_calls(2, 4, exact=True)                       # 4 (1 - 9/16)
    Fraction(7, 4)
    """
    length, steps = as_integer(length, "length", 1), as_integer(steps, "steps", 1)
    return steps * _not_empty(length, Fraction(1, steps), exact)


def expected_calls_on(length: int, times: Sequence[Any], *, exact: bool = False) -> Number:
    """Mean number of denoiser calls on any grid, where empty steps need none.

    Every site is revealed at a uniformly random time, so the step from a to b is empty with
    probability ``(1 - (b-a))^length``. The times are revealed fractions that rise from 0 to 1.

    >>> expected_calls_on(2, (0, 0.25, 1), exact=True)         # (1 - 9/16) + (1 - 1/16)
    Fraction(11, 8)
    """
    length = as_integer(length, "length", 1)
    steps = [b - a for a, b in itertools.pairwise(as_times(times))]
    return sum(_not_empty(length, step, exact) for step in steps)


def minimax_limit(sites_per_round: float, *, of: Of = "tc", random: bool = False) -> float:
    """Limit of the number of rounds times the worst share of the best sizes, of long sequences.

    Length L and rounds K grow with ``L/K`` as given; the share v is that of
    `theory.schedules.minimax`, so that v is about this limit over K. Where ``u = v B(r)`` may be
    lost of the code of dimension r, batches begin at ``1/(1 + floor(u))`` of the sites with fixed
    sizes, and with random ones at the least n for which ``sum_j max(0, 1 - j n)`` is at most u:
    ``2 (m - u)/(m (m + 1))`` with ``m = floor(2 u) + 1``. For TC and for DTC u goes from 0 to
    ``w = v L``, hence ``K v = Phi(w)``, the integral of that share, and ``w = (L/K) Phi(w)``; for
    their sum u is w everywhere. Fixed, Phi(w) is the harmonic number of an integer w. The gain of
    random sizes falls from any number at one site a round to 2 at many. Derived here.

    If K stays and L grows, the share of TC + DTC tends to ``1/K``, and with random sizes to
    ``1/M(K - 1)``. Let M(s) be how far from the end, in units of the sites that may be lost, the
    probabilities of boundaries sum to s: as the loss is that unit everywhere, ``M(s) = 1 +
    int_{s-1}^s M``, the renewal equation of the number of uniform numbers that exceed s.

    Parameters
    ----------
    sites_per_round : float
        From 1 to 100,000.
    of : {"tc", "dtc", "both"}
    random : bool

    With 4/3 sites a round w = 2, whose harmonic number is 3/2; with random sizes w = 1/2.

    >>> round(minimax_limit(4 / 3), 12), round(minimax_limit(4 / 3, random=True), 12)
    (1.5, 0.375)
    >>> minimax_limit(4, of="both"), minimax_limit(4, of="both", random=True)      # 3/4 and 3/8
    (0.75, 0.375)
    """
    ratio = as_real(sites_per_round, "sites_per_round", 1, 1e5)
    as_budgets(1, of)
    if of == "both":
        m = math.floor(ratio)
        return (m - m * (m + 1) / (2 * ratio)) / ratio if random else (math.ceil(ratio) - 1) / ratio
    if ratio == 1:
        return 0.0
    m, phi = 1, 0.0  # the m-th piece of Phi, and Phi where it starts
    step = 0.5 if random else 1.0
    while m * step < ratio * (phi + (area := _area(m, random))):
        m, phi = m + 1, phi + area
    density, start = 2 / (m * (m + 1)) if random else 1 / m, (m - 1) * step
    if not random:
        return (phi - density * start) / (1 - ratio * density)
    # w = ratio (phi + density ((m w - w^2/2) - (m start - start^2/2))), a quadratic equation
    half, constant = ratio * density, ratio * (phi - density * (m * start - start**2 / 2))
    linear = 1 - half * m
    return (math.sqrt(linear**2 + 2 * half * constant) - linear) / half / ratio


def _area(m: int, random: bool) -> float:
    """The integral over the m-th piece of Phi; see `minimax_limit`."""
    return (2 * m + 1) / (4 * m * (m + 1)) if random else 1 / m


def _not_empty(length: int, step: Fraction, exact: bool) -> Any:
    """Probability that a step reveals any of the sites."""
    if exact:
        return 1 - (1 - step) ** length
    share = float(step)
    return -math.expm1(length * math.log1p(-share)) if share < 1 else 1.0


def _batches(n: int, sizes: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Yield how many sites are left before each batch, and its size."""
    left = n
    for size in as_sizes(sizes, n):
        yield left, size
        left -= size


def _sum_of_logs(terms: Iterable[tuple[Any, Fraction]], base: float | None, exact: bool) -> Number:
    """``sum_k w_k log r_k`` of positive rationals."""
    unit = as_base(base)
    if exact:
        ratios = [(w, exact_log(np.asarray([r], dtype=object))[0]) for w, r in terms]
        return in_units(sum(w * value for w, value in ratios), base)
    return math.fsum(float(w) * _log(r) for w, r in terms) / unit


def _log(ratio: Fraction) -> float:
    """Logarithm of a positive rational, however near 1 or large."""
    if ratio < 2:
        return math.log1p(ratio - 1)
    return math.log(ratio.numerator) - math.log(ratio.denominator)
