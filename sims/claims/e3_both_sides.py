"""E3: context on both sides helps, by exactly what infilling gains."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import LeftToRight
from theory import MASK, MarkovChain, corpora, gallery, information, strategies
from theory._core.arrays import to_host, xlogy
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, start_as_it_is, stationary_start
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import as_chain
from theory.distributions import Distribution

__all__ = ["E3"]

E3 = Claim(
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
)


def _mutual_information(
    p: Distribution, a: Sequence[int], b: Sequence[int], given: Sequence[int]
) -> Any:
    """``I(X_a; X_b | X_given)``, a sum over the table of logarithms of ratios of marginals."""
    table = to_host(p.table())

    def mean_log(*parts: Sequence[int]) -> Any:
        gone = tuple(i for i in range(p.length) if not any(i in part for part in parts))
        return xlogy(table, table.sum(axis=gone, keepdims=True) + table * 0).sum()

    return mean_log(a, b, given) + mean_log(given) - mean_log(a, given) - mean_log(b, given)


@E3.residual(
    "what the right adds to each site",
    exact=strategies.joint_tables(lengths=(2, 4), exact=True),
    named=lambda: named_distributions(4),
    # as if nothing were known on the left
    mutual=lambda p, a, b, given: _mutual_information(p, a, b, ()),
)
def what_the_right_adds(
    p: Distribution, mutual: Callable[..., Any] = _mutual_information
) -> list[Any]:
    found = []
    for i in range(p.length):
        gain = information.information_from_right(p, i)
        found += [gain - mutual(p, (i,), range(i + 1, p.length), range(i)), excess(0, gain)]
    return found


def _sees_left(x: np.ndarray, site: int) -> np.ndarray:
    """Everything from the site on is masked."""
    return np.where(np.arange(len(x)) < site, x, MASK)


@E3.residual(
    "the price of a gap as the loss of a decoder that does not look right",
    exact=strategies.joint_tables(lengths=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(2, 4)),
    parts={"gap": st.tuples(st.integers(0, 2), st.integers(1, 2))},
    sees=lambda x, site: x,  # the right, too
)
def written_from_the_left(
    p: Distribution, gap: tuple[int, int], sees: Callable[..., np.ndarray] = _sees_left
) -> list[Any]:
    start, stop = min(gap[0], p.length), min(sum(gap), p.length)
    if start >= stop:
        raise DoesNotApply("the gap lies beyond the last site")
    sites, left, right = range(start, stop), range(start), range(stop, p.length)

    def from_the_left(x: Any) -> np.ndarray:
        host = to_host(x)
        patterns = np.stack([[sees(row, i) for i in range(p.length)] for row in host])
        flat = to_host(p.denoise(patterns.reshape(-1, p.length), on_impossible="marginal"))
        rows = flat.reshape(len(host), p.length, p.length, p.vocab)
        return np.stack([rows[:, i, i] for i in range(p.length)], axis=1)

    price = information.infilling(p, sites).price
    around = [*left, *right]
    one = output_distribution(p, LeftToRight(), denoiser=from_the_left, observed=around)
    both = output_distribution(p, LeftToRight(), observed=around)
    return [price - one.kl, both.kl, price - _mutual_information(p, sites, right, left)]


def _two_terms(p: MarkovChain, left: int, last: int, right: int) -> Any:
    """``H(X_r | X_l) - H(X_r | X_g)`` with g the last site of the gap."""

    def h(a: int, b: int) -> Any:
        return information.entropy(p, (a, b)) - information.entropy(p, (a,))

    return h(left, right) - h(last, right)


def _nearest_only(p: MarkovChain, left: int, last: int, right: int) -> Any:
    """Planted: as if the token before the gap did not matter."""
    return information.entropy(p, (right,)) - _two_terms(p, left, last, right)


@E3.residual(
    "the price of a gap in a chain as a difference of two entropies",
    exact=strategies.chains(lengths=(3, 5), most=3, exact=True),
    named=lambda: {
        "binary_symmetric(40, 0.1)": gallery.binary_symmetric(40, 0.1),
        "golden mean": MarkovChain([0.5, 0.5], [[0.5, 0.5], [1, 0]], 12),
        "words of English prose": corpora.english().chain(4),
    },
    tolerance=1e-9,
    terms=_nearest_only,
)
def price_on_a_chain(p: Distribution, terms: Callable[..., Any] = _two_terms) -> list[Any]:
    p, found = as_chain(p, 3), []
    for stop in range(2, p.length):
        price = information.infilling(p, range(1, stop)).price
        most = information.total_correlation(p, (stop - 1, stop))
        found += [price - terms(p, 0, stop - 1, stop), excess(price, most)]
    return found


@E3.residual(
    "no smaller price of a longer gap in a stationary chain",
    exact=strategies.chains(lengths=(4, 4), most=3, exact=True),
    start=start_as_it_is,
)
def price_of_longer_gaps(
    p: Distribution, start: Callable[[MarkovChain], np.ndarray] = stationary_start
) -> list[Any]:
    p, prices = as_chain(p, 4), []
    for length in range(3, 6):
        steady = MarkovChain(start(p), to_host(p.transition), length, exact=p.exact)
        prices.append(information.infilling(steady, range(1, length - 1)).price)
    return [excess(before, after) for before, after in itertools.pairwise(prices)]
