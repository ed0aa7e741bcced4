"""Decoders: what they write exactly, the best possible one, and sequences drawn with them.

A cell is a masked sequence that is visited, a pair of a context and a set of sites that is
considered, or a token that is written. The naive versions take one such sequence or pair at a
time. Where that is too slow they are timed on a smaller table, or with fewer sequences, and
extrapolated by the number of cells. Evidence lattices are there beforehand.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

import sims
from benchmarks import naive
from benchmarks.case import Case, Way
from benchmarks.lattices import random_table
from sims import policies
from theory import JointTable, ProductMixture, gallery

MULTIPLIER = 3.0  # rounds that a nat is worth


def _with_lattice(table: np.ndarray) -> JointTable:
    p = JointTable(table)
    p.lattice()
    return p


def _way(name: str, length: int, naive_length: int) -> str:
    """The name of a naive way, with its length if it is timed on shorter sequences."""
    return name if naive_length == length else f"{name} (L={naive_length})"


def _at_most(seconds: float | None) -> tuple[tuple[str, float], ...]:
    return () if seconds is None else (("seconds", seconds),)


def decode(quick: bool) -> Iterator[Case]:
    """Exact output distributions; memory is in proportion to the sequences held at once."""
    top, order = {k: (policies.TopK(k), naive.most_confident(k)) for k in (1, 2)}, {}
    for sizes in [(1, 1, 2), (1, 3)] if quick else [(1,) * 8, (2, 2, 2, 2), (1, 3, 4)]:
        order[sizes] = policies.RandomOrder(sizes), naive.any_order(sizes)
    if quick:
        lines = [("top 1", top[1], 6, 3, 5, None), ("top 2", top[2], 6, 2, 6, None)]
        lines += [(f"random {sizes}", both, 4, 3, 4, None) for sizes, both in order.items()]
    else:
        lines = [("top 1", top[1], 8, 3, 8, 0.01), ("top 1", top[1], 12, 3, 11, 1.0)]
        lines += [("top 2", top[2], 16, 2, 16, 0.3)]
        names = ["8 × 1", "4 × 2", "1, 3, 4"]
        for name, both in zip(names, order.values(), strict=True):
            lines += [(f"random {name}", both, 8, 3, 8, 1.0)]
    for name, (policy, reveal_distribution), length, vocab, naive_length, seconds in lines:
        p, small = (_with_lattice(random_table(n, vocab)) for n in (length, naive_length))
        expected, cost, states = naive.decoded_one_by_one(small.table(), reveal_distribution)
        found = sims.output_distribution(small, policy)
        assert_allclose(found.table, expected, rtol=1e-9)
        assert_allclose(found.path_kl, cost, rtol=1e-9, atol=1e-12)
        assert found.states == states, f"{found.states} sequences, not {states}"
        q = sims.output_distribution(p, policy)
        if list(q.rounds) == [length]:  # one site per round is exact
            assert_allclose(q.table, p.table(), rtol=1e-9)
        yield Case(
            f"exact output, {name}",
            f"L={length} V={vocab}",
            q.states,
            partial(sims.output_distribution, p, policy),
            [
                Way(
                    _way("one by one", length, naive_length),
                    partial(naive.decoded_one_by_one, small.table(), reveal_distribution),
                    states / q.states,
                )
            ],
            targets=_at_most(seconds),
            floors=(),
            counts={"visited": q.states, "held": q.widest},
        )


def frontier(quick: bool) -> Iterator[Case]:
    """One optimal decoder, with a fresh program each time.

    Powers of a random table, so that the sites depend on each other enough for several rounds.
    """
    lines = [(8, 2, 8, 0.3), (10, 2, 8, 1.5), (12, 2, 8, 60.0), (7, 4, 5, 60.0)]
    if quick:
        lines = [(5, 2, 5, None), (7, 2, 5, None)]
    for length, vocab, naive_length, seconds in lines:
        p, small = (_with_lattice(random_table(n, vocab) ** 8) for n in (length, naive_length))
        [point] = sims.frontier(small, [MULTIPLIER])
        expected = naive.best_decoder(small.table(), MULTIPLIER)
        assert_allclose(point.rounds + MULTIPLIER * point.kl, expected, rtol=1e-12)
        name = _way("recursion", length, naive_length)
        pairs = (vocab + 2) ** length
        yield Case(
            "optimal decoder, first point",
            f"L={length} V={vocab}",
            pairs,
            partial(sims.frontier, p, [MULTIPLIER]),
            [
                Way(
                    name,
                    partial(naive.best_decoder, small.table(), MULTIPLIER),
                    (vocab + 2) ** naive_length / pairs,
                )
            ],
            targets=_at_most(seconds),
            floors=(),
        )


def monte_carlo(quick: bool) -> Iterator[Case]:
    """Sequences drawn together, against one sequence at a time."""
    size, lengths = (8, (32, 40)) if quick else (64, (256, 1000))
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(8))
    sites = rng.dirichlet(np.ones(4), size=(8, lengths[1]))
    lines = {
        "symmetric chain": (gallery.binary_symmetric(lengths[0], 0.1), size),
        "product mixture": (ProductMixture(weights, sites), size // 16 or size),
    }
    for family, (p, few) in lines.items():

        def draw(count: int, batch: int, p=p) -> sims.Decoded:
            rng = np.random.default_rng(1)
            return sims.decode(p, policies.TopK(4), rng, count, batch=batch, progress=False)

        for count, batch in ((size, size), (few, 1)):  # what is drawn depends on the batches
            shape = tuple(draw(count, batch).tokens.shape)
            assert shape == (count, p.length), f"{shape} tokens, not {(count, p.length)}"
        yield Case(
            f"decode, {family}",
            f"L={p.length} V={p.vocab}, batch {size}",
            size * p.length,
            partial(draw, size, size),
            [Way("batch of 1", partial(draw, few, 1), few / size)],
            patterns=size,
            floors=(),
        )
