"""The smallest table of integer weights on which a sampler is wrong."""

import dataclasses
import itertools
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sims.conformance.check import TOLERANCE, check
from sims.conformance.verdict import WIDTH, Verdict
from theory import JointTable
from theory._core.plurals import counted
from theory.validation.arguments import as_integer

__all__ = ["Refutation", "Weights", "integer_tables", "refute"]


@dataclasses.dataclass(frozen=True, eq=False)
class Weights:
    """A table of integer weights, and the verdict on the sampler there."""

    weights: np.ndarray
    verdict: Verdict

    @property
    def tv(self) -> float:
        """Total variation distance, in floating point."""
        return self.verdict.tv

    def __repr__(self) -> str:
        return f"<Weights {self.weights.tolist()}: TV {self.tv:.4g}>"


@dataclasses.dataclass(frozen=True, eq=False)
class Refutation:
    """A table on which a sampler is wrong, with nothing smaller among those that were tried.

    Attributes
    ----------
    smallest : Weights
        The first by the sum of its weights.
    worst : Weights
        That with the largest TV of all that were tried.
    wrong, tried : int
        On how many tables the sampler was wrong, of how many.
    total : int
        The largest sum of weights for which all tables were tried.
    """

    smallest: Weights
    worst: Weights
    wrong: int
    tried: int
    total: int

    @property
    def weights(self) -> np.ndarray:
        """Of the smallest table, int64 of shape (V,)*L."""
        return self.smallest.weights

    @property
    def tv(self) -> float:
        """Of the smallest table, in floating point."""
        return self.smallest.tv

    def __repr__(self) -> str:
        return f"<Refutation by {self.weights.tolist()}: TV {self.tv:.4g}>"

    def __str__(self) -> str:
        return self.report()

    def report(self) -> str:
        """The tables for a reader, in lines of at most 80 columns."""
        how = "" if self.smallest.verdict.exact else f", {self.smallest.verdict.draws:,} draws each"
        text = (
            f"Wrong on {self.wrong} of {counted(self.tried, 'table')} with integer weights up to a "
            f"sum of {self.total}{how}. Expected: {self.smallest.verdict.against}."
        )
        lines = [textwrap.fill(text, WIDTH), "", *_page("The smallest", self.smallest)]
        if self.worst is not self.smallest:
            lines += ["", *_page("The worst", self.worst)]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All of it as numbers and lists, for JSON."""
        found = {
            name: {"weights": one.weights.tolist(), **one.verdict.to_dict()}
            for name, one in (("smallest", self.smallest), ("worst", self.worst))
        }
        return {**found, "wrong": self.wrong, "tried": self.tried, "total": self.total}


def refute(
    make_sampler: Callable[[Any], Callable[..., Any]],
    vocab: int = 2,
    length: int = 2,
    *,
    against: Any = None,
    total: int = 5,
    tables: int = 1000,
    tolerance: float = TOLERANCE,
    draws: int = 40_000,
    alpha: float = 1e-3,
    paths: int = 100_000,
    batch: int | None = None,
    rng: np.random.Generator | None = None,
    progress: Callable[[Sequence[np.ndarray]], Iterable[np.ndarray]] = iter,
    **settings: Any,
) -> Refutation | None:
    """Look for a small table on which a sampler is wrong.

    Tables of integer weights are tried by increasing sum of the weights, those that are multiples
    of others left out. So what is found is smallest, and can be worked through by hand.

    Parameters
    ----------
    make_sampler : callable
        From a distribution to a sampler whose model is its oracle, such as
        ``lambda p: sampler_for(Oracle(p))``.
    vocab, length : int
        V and L.
    against : optional
        What is expected, as for `check`: a policy, or the data themselves if not given.
    total : int
        The largest sum of weights.
    tables : int
        Try no more than so many.
    tolerance, draws, alpha, paths, batch, rng, **settings
        As for `check`. If the sampler has to be drawn from, the chance that a right one is called
        wrong on any of the tables is at most `alpha`, and some millionths for each of them.
    progress : callable
        Wraps the iteration over tables.

    Returns
    -------
    Refutation or None
        None if the sampler was right on all tables that were tried.

    Notes
    -----
    Weights are exact; what the sampler writes is computed in floating point, as it computes itself.

    Examples
    --------
    Both bits at once are right for independent bits only:

    >>> from sims.conformance import Oracle
    >>> def at_once(p):
    ...     model = Oracle(p)
    ...     def sampler(n, rng):
    ...         logits = model(np.full((n, 2), 2)).logits[..., :2]
    ...         return (logits + rng.gumbel(size=logits.shape)).argmax(-1)
    ...     return sampler
    >>> refute(at_once, total=3)
    <Refutation by [[0, 1], [1, 0]]: TV 0.5>
    """
    total = as_integer(total, "total", 1)
    tables = as_integer(tables, "tables", 1)
    shape = (as_integer(vocab, "vocab", 1),) * as_integer(length, "length", 1)
    some = list(itertools.islice(integer_tables(shape, total), tables + 1))
    reached = total if len(some) <= tables else int(some.pop().sum()) - 1
    wrong: list[Weights] = []
    for weights in progress(some):
        p = JointTable(weights)
        verdict = check(
            make_sampler(p),
            p,
            against,
            tolerance=tolerance,
            draws=draws,
            alpha=alpha / len(some),
            paths=paths,
            batch=batch,
            rng=rng,
            extras=False,
            **settings,
        )
        if not verdict:
            wrong.append(Weights(weights, verdict))
    if not wrong:
        return None
    return Refutation(wrong[0], max(wrong, key=lambda one: one.tv), len(wrong), len(some), reached)


def integer_tables(shape: tuple[int, ...], total: int) -> Iterator[np.ndarray]:
    """Tables of weights without a common divisor, by increasing sum up to `total`.

    >>> [table.tolist() for table in integer_tables((2,), 3)]
    [[0, 1], [1, 0], [1, 1], [1, 2], [2, 1]]
    """
    cells = math.prod(shape)
    for here in range(1, total + 1):
        # Between the weights of the cells, all 1s in a row, are places for dividers.
        for bars in itertools.combinations(range(here + cells - 1), cells - 1):
            ends = np.asarray([-1, *bars, here + cells - 1], dtype=np.int64)
            weights = np.diff(ends) - 1
            if np.gcd.reduce(weights) == 1:
                yield weights.reshape(shape)


def _page(what: str, one: Weights) -> list[str]:
    """One table beside what is expected and written there."""
    verdict = one.verdict
    near = Fraction(one.tv).limit_denominator(999)
    nearly = abs(float(near) - one.tv) < 1e-12 and near.denominator > 1
    fraction = f" (in floating point; {near} rounds to it)" if nearly and verdict.exact else ""
    lines = [f"{what}: TV {one.tv:.6g}{fraction}", ""]
    rows = [
        (verdict.p.spell(np.asarray([x]))[0], weight, verdict.expected[x], verdict.written[x])
        for x, weight in np.ndenumerate(one.weights)
        if weight or verdict.written[x] or verdict.expected[x]
    ]
    wide = max(8, *(len(row[0]) for row in rows))
    lines.append(f"{'sequence':{wide}}  {'weight':>6}  {'expected':>9}  {'written':>9}")
    lines += [f"{s:{wide}}  {w:6d}  {e:9.6f}  {q:9.6f}" for s, w, e, q in rows]
    if verdict.outside:
        lines.append(f"{verdict.outside:.3g} of what is written holds ids that are no tokens.")
    return lines
