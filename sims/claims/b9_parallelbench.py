"""B9: what one round costs on the tasks of ParallelBench."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.recognise import is_one_hot, is_permutation
from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from theory import JointTable, closed_forms, gallery, information
from theory._core.arrays import log, to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution

__all__ = ["PARALLELBENCH"]

Task = tuple[Any, Any]
"""Cost of one round in nats, and probability that what it writes is right."""


def _is_copy(p: Distribution) -> bool:
    return bool((to_host(p.table()) != 0).sum() == 1)


def _task(p: Distribution) -> Task:
    """Copy, Replace Random, Shuffle."""
    n, exact = p.length, p.exact
    if _is_copy(p):
        return 0, 1
    if is_one_hot(p):
        cost = closed_forms.one_hot_cost(n, (n,), exact=exact)
        return cost, closed_forms.one_hot_accuracy(n, exact=exact)
    if is_permutation(p):
        cost = closed_forms.shuffle_cost(n, exact=exact)
        return cost, closed_forms.shuffle_accuracy(n, exact=exact)
    raise DoesNotApply("it is about copying, replacing one of n at random, and shuffling")


def _always_shuffle(p: Distribution) -> Task:
    """Planted: takes every task for a shuffle."""
    n, exact = p.length, p.exact
    cost = closed_forms.shuffle_cost(n, exact=exact)
    return cost, closed_forms.shuffle_accuracy(n, exact=exact)


def _always_replace(p: Distribution) -> Task:
    """Planted: takes every task for Replace Random."""
    n, exact = p.length, p.exact
    cost = closed_forms.one_hot_cost(n, (n,), exact=exact)
    return cost, closed_forms.one_hot_accuracy(n, exact=exact)


def _one_round(p: Distribution, task: Callable[[Distribution], Task] = _task) -> list[Any]:
    """Cost and accuracy of one round: against their definitions, and against the formulas.

    The accuracy is the exponential of minus the cost.
    """
    cost, accuracy = task(p)
    q = output_distribution(p, LeftToRight(p.length))
    marginals, right = to_host(p.marginals), 0
    for x in np.argwhere(to_host(p.table()) != 0):
        right = right + math.prod(marginals[np.arange(p.length), x].tolist())
    surprise = log(np.asarray([q.valid_mass]))[0]
    defined = [q.kl - information.total_correlation(p), q.valid_mass - right]
    return [*defined, q.kl - cost, q.valid_mass - accuracy, surprise + q.kl]


def _pairs(p: Distribution, cost: Callable[..., Any] = closed_forms.shuffle_pairs_cost) -> Any:
    """A shuffle, two tokens in every round: the library's cost, and n!!/(n-1)!! as published."""
    n = p.length
    if n % 2 or not is_permutation(p):
        raise DoesNotApply("it is about permutations of an even number of tokens")
    lost = output_distribution(p, LeftToRight(2)).kl
    ratio = Fraction(math.prod(range(n, 0, -2)), math.prod(range(n - 1, 0, -2)))
    published = log(np.asarray([ratio if p.exact else float(ratio)]))[0]
    return [lost - cost(n, exact=p.exact), lost - published]


FIGURE = {"one_hot(3)": 44.4, "permutations(3)": 22.2}
"""Accuracy of one round at three tokens in percent, as published."""


def _figure(p: Distribution, more: float = 0.0) -> Any:
    """By how much the published percentages are off, beyond their last digit."""
    published = FIGURE["permutations(3)" if is_permutation(p) else "one_hot(3)"] + more
    valid = output_distribution(p, LeftToRight(p.length)).valid_mass
    return excess(abs(100 * valid - published), 0.05)


def _missing(p: Distribution, limit: float) -> tuple[float, float]:
    """How much Replace Random in one round falls short of its limit, and how much it may."""
    return limit - output_distribution(p, LeftToRight(p.length)).kl, 1 / (2 * (p.length - 1))


def _limit(p: Distribution, limit: float = 1.0) -> list[Any]:
    """``1 - 1/(2(n-1)) <= (n-1) log(n/(n-1)) <= 1``: the cost tends to 1 nat, log2(e) bits."""
    short, most = _missing(p, limit)
    return [excess(0.0, short), excess(short, most)]


def _share_of_room(p: Distribution) -> float:
    return closeness(*_missing(p, 1.0))


def _copies(exact: bool) -> Any:
    sequences = st.lists(st.integers(0, 1), min_size=1, max_size=4)
    return sequences.map(lambda x: JointTable(_one_cell(x), exact=exact))


def _one_cell(x: list[int]) -> np.ndarray:
    table = np.zeros((2,) * len(x), dtype=np.int64)
    table[tuple(x)] = 1
    return table


def _tasks(exact: bool) -> Any:
    """The three tasks at small sizes."""
    return st.one_of(
        st.integers(1, 7).map(lambda n: gallery.one_hot(n, exact=exact)),
        st.integers(1, 5).map(lambda n: gallery.permutations(n, exact=exact)),
        _copies(exact),
    )


PARALLELBENCH = Claim(
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
    checks=(
        Check(
            level=Level.EXACT,
            residual=_one_round,
            distributions=lambda: _tasks(exact=True),
            planted={"task": _always_shuffle},
        ),
        Check(
            level=Level.EXACT,
            residual=_one_round,
            distributions=lambda: _tasks(exact=True),
            planted={"task": _always_replace},
        ),
        Check(
            level=Level.EXACT,
            residual=_pairs,
            distributions=lambda: st.sampled_from(
                [gallery.permutations(2, exact=True), gallery.permutations(4, exact=True)]
            ),
            planted={"cost": closed_forms.shuffle_cost},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_one_round,
            distributions=lambda: _tasks(exact=False),
            planted={"task": _always_replace},
            tolerance=1e-11,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_pairs,
            named=lambda: {f"permutations({n})": gallery.permutations(n) for n in (2, 4, 6)},
            planted={"cost": closed_forms.shuffle_cost},
            tolerance=1e-11,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_figure,
            named=lambda: {
                "one_hot(3)": gallery.one_hot(3),
                "permutations(3)": gallery.permutations(3),
            },
            planted={"more": 0.1},
            tolerance=1e-12,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_limit,
            named=lambda: {f"one_hot({n})": gallery.one_hot(n) for n in range(2, 13)},
            planted={"limit": math.log(2)},
            tolerance=1e-12,
            tightness=_share_of_room,
        ),
    ),
)
