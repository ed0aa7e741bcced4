"""Recursive halving: the middle site of every run of masked sites in each round."""

from sims.policies.base import Policy, Reveals
from theory import MASK
from theory._core.arrays import array_namespace, device
from theory._core.segments import cummax
from theory._core.types import Array
from theory.validation.arguments import as_integer

__all__ = ["Bisection"]


class Bisection(Policy):
    """Reveal the middle site of every run of masked sites: of all, then of both halves, ...

    The placement of Wen, Liang and Lu (arXiv 2608.25505, Theorem 2) [source] for Markov chains,
    whose sites on both sides of a revealed one are independent: there it is exact, in about
    log2(L) rounds. It depends neither on tokens nor on predictions. Not exact in general.

    In a chain of order m, where a token depends on the m tokens before it, it takes m neighbours
    to separate two sides. So they are revealed one per round, from the left, in the middle of
    every stretch between such separators. From L >= m masked sites this takes at most
    ``m (ceil(log2(L / m)) + 1)`` rounds, the bound of the theorem. L < m sites take L rounds.

    Parameters
    ----------
    order : int
        m. If the rest of a stretch is odd, its left side is the shorter one.

    >>> from theory import gallery
    >>> from sims import output_distribution
    >>> q = output_distribution(gallery.binary_symmetric(7, 0.1), Bisection())
    >>> abs(round(q.kl, 12)), q.expected_rounds
    (0.0, 3.0)
    """

    depends_on = "nothing"
    randomised = False

    def __init__(self, order: int = 1) -> None:
        self.order = as_integer(order, "order", 1)

    def __repr__(self) -> str:
        return "Bisection()" if self.order == 1 else f"Bisection({self.order})"

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked, length = array_namespace(x), x == MASK, x.shape[1]
        site, far = xp.arange(length, dtype=xp.int64, device=device(x)), self.order
        before = _last_masked(masked, site)
        after = length - 1 - _last_masked(masked[:, ::-1], site)[:, ::-1]
        begins = masked & ((before < 0) | (site - before > far))
        ends = masked & ((after >= length) | (after - site > far))
        first = cummax(xp.where(begins, site, 0))
        last = -cummax(xp.where(ends, -site, -length)[:, ::-1])[:, ::-1]
        middle = first + xp.where(last - first >= far, last - first + 1 - far, 0) // 2
        yield 1, masked & (site >= middle) & (before < middle)


def _last_masked(masked: Array, site: Array) -> Array:
    """The nearest masked site strictly to the left of every site, -1 where there is none."""
    xp = array_namespace(masked)
    here = cummax(xp.where(masked, site, -1))
    return xp.concat([xp.full_like(here[:, :1], -1), here[:, :-1]], axis=1)
