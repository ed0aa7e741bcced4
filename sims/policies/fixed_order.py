"""A given order: the sites one after another, or in batches."""

import copy
from collections.abc import Sequence
from typing import Self

import numpy as np

from sims.policies.base import Policy, Reveals
from sims.policies.batches import Batches
from sims.policies.scores import ranks
from sims.policies.site_sets import site_count
from theory import MASK
from theory._core.arrays import array_namespace, from_host
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

__all__ = ["FixedOrder"]


class FixedOrder(Policy):
    """Reveal the sites in a given order, ``sizes[t]`` of them in round t.

    The schedule of Halton-MaskGIT, whose order is a Halton sequence over the image [code run]. It
    depends neither on tokens nor on predictions. Exact at one site per round.

    Parameters
    ----------
    order : sequence of int
        Different sites, first to last. Every site that is to be written has to be among them;
        those that are given, or lie in another block, are passed over.
    sizes : sequence of int, optional
        Batch sizes that sum to the number of sites to write; one site per round if not given. A
        size of 0 is a step that reveals nothing.

    >>> from theory import gallery
    >>> from sims import fixed_batches, output_distribution
    >>> ends_first = FixedOrder((0, 3, 1, 2), sizes=(2, 0, 2))
    >>> fixed_batches(ends_first, 4)
    ((0, 3), (1, 2))
    >>> q = output_distribution(gallery.coupled_pairs(2), ends_first)    # two pairs of equal bits
    >>> q.valid_mass, q.expected_rounds
    (1.0, 2.0)
    """

    depends_on = "nothing"
    randomised = False
    _given: tuple[int, ...] = ()

    def __init__(self, order: Sequence[int], sizes: Sequence[int] | None = None) -> None:
        try:
            self.order = tuple(as_integer(site, "a site of the order", 0) for site in order)
        except TypeError:
            raise InvalidInput(f"order must be a sequence of sites, got {order!r}") from None
        if len(set(self.order)) < len(self.order):
            twice = next(site for site in self.order if self.order.count(site) > 1)
            raise InvalidInput(f"order must name every site once: it has {twice} twice")
        self._batches = Batches(1 if sizes is None else None, sizes)
        self.sizes = self._batches.sizes

    def with_given(self, sites: tuple[int, ...], length: int) -> Self:
        """The order may, and need not, name the given sites."""
        known = copy.copy(self)
        known._given = sites
        return known

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the order or the sizes do not fit the sites to write."""
        every = range(length + len(self._given))
        outside = [site for site in self.order if site not in every]
        if outside:
            raise InvalidInput(f"order has site {outside[0]}; the sites are 0 to {every[-1]}")
        self.check_within([site for site in every if site not in self._given], len(every), vocab)

    def check_within(self, masked: Sequence[int], length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the order lacks a site or the sizes do not fit."""
        lacking = set(masked).difference(self.order)
        if lacking:
            raise InvalidInput(f"order {self.order} lacks site {min(lacking)}")
        self._batches.check(len(masked))

    def reveal_distribution(self, x: Array, predictions: Array, round_index: int) -> Reveals:
        """Yield the one outcome."""
        xp, masked = array_namespace(x), x == MASK
        sizes, _ = self._batches.at(np.asarray([site_count(masked)], dtype=np.int64))
        last = np.zeros(x.shape[1])
        for place, site in enumerate(self.order):
            if site < len(last):
                last[site] = place
        earlier = -xp.broadcast_to(from_host(last, x), x.shape)
        yield 1, masked & (ranks(earlier, masked) < int(sizes[0]))
