"""E3: context on both sides helps, by exactly what infilling gains."""

import itertools
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims import policies
from sims.decoding.exact import output_distribution
from theory import MASK, MarkovChain, corpora, gallery, information, strategies
from theory._core.arrays import times_log, to_host
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.generators import (
    Size,
    by_size,
    named_distributions,
    start_as_it_is,
    stationary_start,
)
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution

__all__ = ["BOTH_SIDES"]

Given = Callable[[Distribution, tuple[int, ...], tuple[int, ...]], Any]


def _mutual(p: Distribution, a: Any, b: Any, given: Any) -> Any:
    """``I(X_a; X_b | X_given)``, a sum over the table of logarithms of ratios of marginals."""
    table = to_host(p.table())

    def marginal(*parts: Any) -> np.ndarray:
        kept = {i for part in parts for i in part}
        gone = tuple(i for i in range(p.length) if i not in kept)
        return table.sum(axis=gone, keepdims=True) + table * 0

    both, rest = marginal(a, b, given), marginal(given)
    total = times_log(table, both).sum() + times_log(table, rest).sum()
    return (
        total
        - times_log(table, marginal(a, given)).sum()
        - times_log(table, marginal(b, given)).sum()
    )


def _forgotten(p: Distribution, a: Any, b: Any, given: Any) -> Any:
    """Planted: as if nothing were known on the left."""
    return _mutual(p, a, b, ())


# ---- what the right adds --------------------------------------------------------------------


def _adds(p: Distribution, mutual: Callable[..., Any] = _mutual) -> list[Any]:
    """For every site: the mean log ratio of both predictions, and that it is not negative."""
    found = []
    for i in range(p.length):
        left, right = range(i), range(i + 1, p.length)
        gain = information.information_from_right(p, i)
        found += [gain - mutual(p, (i,), right, left), excess(0, gain)]
    return found


# ---- what infilling gains -------------------------------------------------------------------


def _sees_both(x: np.ndarray, site: int) -> np.ndarray:
    """Planted: the model that fills from the left sees the right, too."""
    return x


def _sees_left(x: np.ndarray, site: int) -> np.ndarray:
    """Everything from the site on is masked."""
    return np.where(np.arange(len(x)) < site, x, MASK)


def _written(
    p: Distribution, gap: tuple[int, int], sees: Callable[..., np.ndarray] = _sees_left
) -> list[Any]:
    """The price of deciding early against what a decoder that does not look right loses."""
    start, stop = (min(i, p.length) for i in (gap[0], gap[0] + gap[1]))
    if start >= stop:
        raise DoesNotApply("the gap lies beyond the last site")
    sites = range(start, stop)
    around = [i for i in range(p.length) if i not in sites]

    def from_the_left(x: Any) -> Any:
        host = to_host(x)
        patterns = np.stack([[sees(row, i) for i in range(p.length)] for row in host])
        flat = to_host(p.denoise(patterns.reshape(-1, p.length), on_impossible="marginal"))
        rows = flat.reshape(len(host), p.length, p.length, p.vocab)
        return np.stack([rows[:, i, i] for i in range(p.length)], axis=1)

    price = information.infilling(p, sites).price
    one = output_distribution(p, policies.LeftToRight(), denoiser=from_the_left, observed=around)
    both = output_distribution(p, policies.LeftToRight(), observed=around)
    left, right = range(start), range(stop, p.length)
    return [price - one.kl, both.kl, price - _mutual(p, sites, right, left)]


# ---- chains ---------------------------------------------------------------------------------


def _two_terms(p: MarkovChain, left: int, last: int, right: int) -> Any:
    """``H(X_r | X_l) - H(X_r | X_g)`` with g the last site of the gap."""

    def h(a: int, b: int) -> Any:
        return information.entropy(p, (a, b)) - information.entropy(p, (a,))

    return h(left, right) - h(last, right)


def _nearest_only(p: MarkovChain, left: int, last: int, right: int) -> Any:
    """Planted: as if the token before the gap did not matter."""
    return information.entropy(p, (right,)) - _two_terms(p, left, last, right)


def _of_chains(p: Distribution, terms: Callable[..., Any] = _two_terms) -> list[Any]:
    """On a chain the price of a gap is a difference of two entropies, whatever its length."""
    p = as_chain(p, 3)
    found = []
    for stop in range(2, p.length):
        price = information.infilling(p, range(1, stop)).price
        found += [price - terms(p, 0, stop - 1, stop)]
        found += [excess(price, _from_the_neighbour(p, stop))]
    return found


def _from_the_neighbour(p: MarkovChain, site: int) -> Any:
    """``I(X_(r-1); X_r)``."""
    return information.total_correlation(p, (site - 1, site))


def _grows(
    p: Distribution, start: Callable[[MarkovChain], np.ndarray] = stationary_start
) -> list[Any]:
    """By how much the price falls where a gap gets longer, from a stationary start."""
    p = as_chain(p, 4)
    steady = MarkovChain(start(p), to_host(p.transition), p.length, exact=p.exact)
    prices = [information.infilling(_cut(steady, n), range(1, n - 1)).price for n in range(3, 6)]
    return [excess(before, after) for before, after in itertools.pairwise(prices)]


def _cut(p: MarkovChain, length: int) -> MarkovChain:
    return MarkovChain(p.initial, p.transition, length, exact=p.exact)


@by_size
def _drawn_gap(p: Size) -> dict[str, Any]:
    return {"gap": st.tuples(st.integers(0, 2), st.integers(1, 2))}


def _long() -> dict[str, Distribution]:
    return {
        "binary_symmetric(40, 0.1)": gallery.binary_symmetric(40, 0.1),
        "golden mean": MarkovChain([0.5, 0.5], [[0.5, 0.5], [1, 0]], 12),
        "words of English prose": corpora.english().chain(4),
    }


BOTH_SIDES = Claim(
    id="E3",
    title="Context on both sides helps, by exactly what infilling gains",
    statement=(
        "Known tokens on the right of a site take I(X_i; X_right | X_left) >= 0 from its entropy. "
        "A model that fills a gap from left to right without looking at what follows loses "
        "I(X_gap; X_right | X_left), which one that looks does not; nothing else is lost. On a "
        "chain this price is H(X_r | X_l) - H(X_r | X_g), with g the last site of the gap and r "
        "the one after it: never more than I(X_g; X_r), however long the gap. In a stationary "
        "chain it never falls as the gap gets longer."
    ),
    latex=(
        r"H(X_i \mid X_{<i}) - H(X_i \mid X_{<i}, X_{>i}) = I(X_i; X_{>i} \mid X_{<i}) \ge 0;\quad "
        r"\mathrm{KL}(p(\cdot \mid \text{both}) \,\|\, \textstyle\prod_{i \in G} "
        r"p(x_i \mid x_{<i})) = I(X_G; X_{\text{right}} \mid X_{\text{left}})"
    ),
    says=(
        "bidirectional attention is hard to exploit (R3, restated); how much there is to exploit "
        "is ours"
    ),
    note=(
        "Where tokens are written from left to right anyway, nothing is known on the right, and "
        "nothing is lost by not looking. The gain is one of tasks in which something is."
    ),
    source="textbook (chain rule); its use here is ours",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_adds,
            distributions=lambda: strategies.joint_tables(lengths=(2, 4), exact=True),
            planted={"mutual": _forgotten},
        ),
        Check(
            level=Level.EXACT,
            residual=_written,
            distributions=lambda: strategies.joint_tables(lengths=(2, 3), exact=True),
            parts=_drawn_gap,
            planted={"sees": _sees_both},
        ),
        Check(
            level=Level.EXACT,
            residual=_of_chains,
            distributions=lambda: strategies.chains(lengths=(3, 5), most=3, exact=True),
            planted={"terms": _nearest_only},
        ),
        Check(
            level=Level.EXACT,
            residual=_grows,
            distributions=lambda: strategies.chains(lengths=(4, 4), most=3, exact=True),
            planted={"start": start_as_it_is},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_written,
            distributions=lambda: strategies.distributions(lengths=(2, 4)),
            parts=_drawn_gap,
            planted={"sees": _sees_both},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_adds,
            named=lambda: named_distributions(4),
            planted={"mutual": _forgotten},
            tolerance=1e-10,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_of_chains,
            named=_long,
            planted={"terms": _nearest_only},
            tolerance=1e-9,
        ),
    ),
)
