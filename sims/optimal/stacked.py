"""What a decoder loses on many tables of one shape at once, in floats.

A search tries thousands of small tables, and following each on its own is mostly overhead. Here the
contexts of all of them travel through the same `Propagation`, labelled by their table, so that a
policy sees the contexts of many tables as the rows of one batch.
"""

from collections.abc import Iterator

import numpy as np

from sims.decoding.arguments import as_run
from sims.decoding.denoiser import TemperedDenoiser
from sims.decoding.exact import output_distribution
from sims.decoding.layers import Layer, Reveal
from sims.decoding.propagation import Propagation
from sims.optimal.frontier import cost_of
from sims.policies import Corrector, Policy, TokenPolicy
from theory._core.arrays import xlogy
from theory.distributions import JointTable
from theory.lattice.lattice import reveal_observed

__all__ = ["rounds_and_loss"]

CALLS = 2**12
"""Labels of a table, one for each number of calls of the denoiser."""

MOST_STEPS = 2**8
"""Of decoders on a clock, so that they have labels enough."""

AT_ONCE = 2**20
"""Entries of evidence lattices that travel together."""


class Unstackable(Exception):
    """The denoiser is called with other sequences than those reached: their table is not known."""


class Stack(Propagation):
    """The steps of a decoder on tables (M, V, ..., V) of float64 that sum to 1.

    Labels are ``table * CALLS + calls``. `p` is the first of the tables, which gives the shape.
    """

    def __init__(self, tables: np.ndarray, decoder: Policy | TokenPolicy) -> None:
        run = as_run(JointTable(tables[0]), decoder, 1.0, (), None)
        assert not isinstance(run.decoder, Corrector)
        if run.decoder.observed != "one-hot" or (run.decoder.steps or 0) > MOST_STEPS:
            raise Unstackable
        super().__init__(run.p, None, run.decoder, TemperedDenoiser(self._predict, *run.samplings))
        for axis in range(1, tables.ndim):
            tables = np.concatenate([tables, tables.sum(axis=axis, keepdims=True)], axis=axis)
        self.values = tables.reshape(-1)
        self._rows_of: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def count(self) -> int:
        """How many tables there are."""
        return self.values.shape[0] // self.codes.cells

    def table_of(self, keys: np.ndarray) -> np.ndarray:
        """The table that a key belongs to."""
        return keys // (self.codes.cells * CALLS)

    def start(self) -> Layer:
        every = np.arange(self.count, dtype=np.int64)
        keys = every * (self.codes.cells * CALLS) + self.codes.blank
        return Layer(keys, (np.ones(self.count),) * len(self.measures))

    def evidence(self, keys: np.ndarray) -> np.ndarray:
        cells = self.codes.cells
        return self.values[self.table_of(keys) * cells + keys % cells]

    def _select(self, layer: Layer, x: np.ndarray, masked: int, index: int) -> Iterator[Reveal]:
        self._rows_of = x, self.table_of(layer.keys)
        yield from super()._select(layer, x, masked, index)

    def _write(self, layer: Layer, x: np.ndarray, masked: int, index: int) -> Iterator[Reveal]:
        self._rows_of = x, self.table_of(layer.keys)
        yield from super()._write(layer, x, masked, index)

    def _predict(self, x: np.ndarray) -> np.ndarray:
        """The zero-loss predictions; the marginals where a context is impossible."""
        assert self._rows_of is not None
        seen, tables = self._rows_of
        if x.shape != seen.shape or x.ctypes.data != seen.ctypes.data:
            raise Unstackable
        first, codes = tables * self.codes.cells, self.codes.encode(x)
        blank = np.full_like(codes, self.codes.blank)
        given = np.where(self.values[first + codes] > 0, codes, blank)
        context = self.codes.decode(given)
        around = self.codes.neighbours(context, given) + first[:, None, None]
        predictions = self.values[around] / self.values[first + given][:, None, None]
        return reveal_observed(x, predictions)


def rounds_and_loss(
    tables: np.ndarray, decoder: Policy | TokenPolicy | Corrector
) -> tuple[np.ndarray, np.ndarray]:
    """The expected rounds and the path KL in nats of every table, by which `regret` judges.

    Parameters
    ----------
    tables : ndarray, shape (M, V, ..., V)
        Probabilities.
    decoder : Policy, TokenPolicy or Corrector

    >>> from sims import policies
    >>> repeated = np.asarray([[[0.5, 0.0], [0.0, 0.5]], [[0.25, 0.25], [0.25, 0.25]]])
    >>> [v.round(4).tolist() for v in rounds_and_loss(repeated, policies.LeftToRight(2))]
    [[1.0, 1.0], [0.6931, 0.0]]
    """
    if not isinstance(decoder, Corrector):
        cells = (tables.shape[1] + 1) ** (tables.ndim - 1)
        parts = range(0, len(tables), max(1, AT_ONCE // cells))
        step = parts.step
        try:
            found = [_of_stack(Stack(tables[k : k + step], decoder)) for k in parts]
        except Unstackable:
            pass
        else:
            rounds, losses = (np.concatenate(part) for part in zip(*found, strict=True))
            return rounds, losses
    pairs = [cost_of(output_distribution(JointTable(table), decoder)) for table in tables]
    rounds, losses = np.asarray(pairs).T
    return rounds, losses


def _of_stack(stack: Stack) -> tuple[np.ndarray, np.ndarray]:
    """`rounds_and_loss` of the tables that travel together."""
    cells, count, follows_data = stack.codes.cells, stack.count, "data" in stack.measures
    loss, rounds, written = np.zeros(count), np.zeros(count), np.zeros(count * cells)
    for reveal in stack:
        of = stack.table_of(reveal.before)
        if follows_data:
            data, draw = reveal.masses_after[1], reveal.draw
            if draw is not None and draw.share is not None:
                costs = (xlogy(data, draw.share) - xlogy(data, draw.factor)).sum(axis=1)
                loss += np.bincount(of, costs, count)
                rounds += np.bincount(of, reveal.masses[1], count)
        elif reveal.complete and reveal.reached.size:
            keys, mass = reveal.reached.keys, reveal.reached.masses[0]
            of, code = stack.table_of(keys), keys % cells
            rounds += np.bincount(of, keys // cells % CALLS * mass, count)
            written += np.bincount(of * cells + code, mass, len(written))
    if not follows_data:
        p, q = (
            v.reshape((count, *(stack.p.vocab + 1,) * stack.p.length))
            for v in (stack.values, written)
        )
        tokens = (slice(None), *(slice(stack.p.vocab),) * stack.p.length)
        loss = (xlogy(p, p) - xlogy(p, q))[tokens].reshape(count, -1).sum(axis=1)
    return rounds, loss
