"""B9: what one round costs on the tasks of ParallelBench."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import is_one_hot, is_permutation
from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from theory import closed_forms, gallery, information
from theory._core.arrays import log, to_host
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution
from theory.gallery.uniform import uniform

__all__ = ["B9"]

Task = Callable[[Distribution], tuple[Any, Any]]
"""Cost of one round in nats, and probability that what it writes is right."""

B9 = Claim(
    id="B9",
    title="The costs of ParallelBench in one round and in pairs",
    statement=(
        "In one round, copying costs nothing; replacing one of n items at random costs "
        "(n-1) log(n/(n-1)), which tends to 1 nat (1.44 bits), and is right with probability "
        "((n-1)/n)^(n-1), which tends to 1/e; a shuffle costs n log n - log n! and is right with "
        "probability n!/n^n. In pairs a shuffle costs log(n!!/(n-1)!!). At n = 3 the "
        "probabilities are 44.4 % and 22.2 %."
    ),
    latex=(
        r"(n-1)\log\tfrac{n}{n-1} \to 1,\quad \bigl(\tfrac{n-1}{n}\bigr)^{n-1} \to e^{-1};\qquad "
        r"n \log n - \log n!,\quad \frac{n!}{n^n};\qquad \log\frac{n!!}{(n-1)!!}"
    ),
    says="these formulas, in bits, and the two percentages",
    note=(
        "On all three tasks the probability is exp(-cost) exactly: the bound of B8 is attained, "
        "because the product is uniform over the right answers. This remark is ours."
    ),
    source="ParallelBench, arXiv 2510.04767",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
)


def _replace(p: Distribution) -> tuple[Any, Any]:
    """Replace Random; planted where it is taken for every task."""
    cost = closed_forms.one_hot_cost(p.length, (p.length,), exact=p.exact)
    return cost, closed_forms.one_hot_accuracy(p.length, exact=p.exact)


def _shuffle(p: Distribution) -> tuple[Any, Any]:
    """Shuffle; planted where it is taken for every task."""
    cost = closed_forms.shuffle_cost(p.length, exact=p.exact)
    return cost, closed_forms.shuffle_accuracy(p.length, exact=p.exact)


def _its_own_task(p: Distribution) -> tuple[Any, Any]:
    """Copy, Replace Random, Shuffle."""
    if (to_host(p.table()) != 0).sum() == 1:
        return 0, 1
    if is_one_hot(p):
        return _replace(p)
    if is_permutation(p):
        return _shuffle(p)
    raise DoesNotApply("it is about copying, replacing one of n at random, and shuffling")


def _tasks(exact: bool) -> Any:
    """The three tasks at small sizes."""
    return st.one_of(
        st.integers(1, 7).map(lambda n: gallery.one_hot(n, exact=exact)),
        st.integers(1, 5).map(lambda n: gallery.permutations(n, exact=exact)),
        st.lists(st.integers(0, 1), min_size=1, max_size=4).map(lambda x: uniform([x], 2, exact)),
    )


@B9.residual(
    "one round of each task, told from replacing",
    exact=_tasks(exact=True),
    floats=_tasks(exact=False),
    tolerance=1e-11,
    task=_replace,
)
@B9.residual("one round of each task, told from shuffling", exact=_tasks(exact=True), task=_shuffle)
def one_round(p: Distribution, task: Task = _its_own_task) -> list[Any]:
    """Cost and accuracy of one round: against their definitions, and against the formulas.

    The accuracy is the exponential of minus the cost.
    """
    cost, accuracy = task(p)
    q = output_distribution(p, LeftToRight(p.length))
    marginals, sites = to_host(p.marginals), np.arange(p.length)
    happens = np.argwhere(to_host(p.table()) != 0)
    right = sum(math.prod(marginals[sites, x].tolist()) for x in happens)
    surprise = log(np.asarray([q.valid_mass]))[0]
    defined = [q.kl - information.total_correlation(p), q.valid_mass - right]
    return [*defined, q.kl - cost, q.valid_mass - accuracy, surprise + q.kl]


@B9.residual(
    "shuffle in pairs",
    exact=st.sampled_from([gallery.permutations(n, exact=True) for n in (2, 4)]),
    named=lambda: {f"permutations({n})": gallery.permutations(n) for n in (2, 4, 6)},
    tolerance=1e-11,
    cost=closed_forms.shuffle_cost,
)
def shuffle_in_pairs(
    p: Distribution, cost: Callable[..., Any] = closed_forms.shuffle_pairs_cost
) -> Any:
    """Two tokens in every round: the library's cost, and n!!/(n-1)!! as published."""
    n = p.length
    if n % 2 or not is_permutation(p):
        raise DoesNotApply("it is about permutations of an even number of tokens")
    lost = output_distribution(p, LeftToRight(2)).kl
    ratio = Fraction(math.prod(range(n, 0, -2)), math.prod(range(n - 1, 0, -2)))
    published = log(np.asarray([ratio if p.exact else float(ratio)]))[0]
    return [lost - cost(n, exact=p.exact), lost - published]


@B9.residual(
    "published percentages",
    named=lambda: {"one_hot(3)": gallery.one_hot(3), "permutations(3)": gallery.permutations(3)},
    tolerance=1e-12,
    more=0.1,
)
def published_percentages(p: Distribution, more: float = 0.0) -> Any:
    """By how much the accuracies at three tokens are off, beyond their last digit."""
    published = (22.2 if is_permutation(p) else 44.4) + more
    valid = output_distribution(p, LeftToRight(p.length)).valid_mass
    return excess(abs(100 * valid - published), 0.05)


@B9.residual(
    "replacement tends to one nat",
    named=lambda: {f"one_hot({n})": gallery.one_hot(n) for n in range(2, 13)},
    tolerance=1e-12,
    limit=math.log(2),
)
def replace_tends_to_one_nat(p: Distribution, limit: float = 1.0) -> list[Any]:
    """``1 - 1/(2(n-1)) <= (n-1) log(n/(n-1)) <= 1``: the cost tends to 1 nat, log2(e) bits."""
    short = limit - output_distribution(p, LeftToRight(p.length)).kl
    return [excess(0.0, short), Bound(short, 1 / (2 * (p.length - 1)))]
