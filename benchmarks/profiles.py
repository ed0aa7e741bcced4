"""Profiles without a table, and the best schedule for one."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks import naive
from benchmarks.case import Case, Way
from theory import Exchangeable, MarkovChain, information, schedules


def exchangeable(quick: bool) -> Iterator[Case]:
    """Mean entropies from the number of ones, against binomial coefficients term by term."""
    length = 64 if quick else 1024
    counts = np.random.default_rng(0).random(length + 1)
    small = 64
    expected = naive.exchangeable_entropies(counts[: small + 1])
    assert_allclose(information.mean_entropies(Exchangeable(counts[: small + 1])), expected)
    # the work of the naive way grows with the third power of the length
    slow = partial(naive.exchangeable_entropies, counts[: small + 1])
    yield Case(
        "profile, exchangeable",
        f"L={length} V=2",
        length + 1,
        lambda: information.profile(Exchangeable(counts)),
        [Way("term by term", slow, (small / length) ** 3)],
        targets=(("seconds", 0.5),),
        floors=(),
    )


def long_chain(quick: bool) -> Iterator[Case]:
    """Mean entropies of a chain from its gaps, against binomial coefficients term by term."""
    length, small = (256, 32) if quick else (4096, 128)
    initial, transition = np.array([0.3, 0.7]), np.array([[0.9, 0.1], [0.4, 0.6]])
    expected = naive.chain_entropies(initial, transition, small)
    assert_allclose(information.mean_entropies(MarkovChain(initial, transition, small)), expected)
    # the work of the naive way grows with the third power of the length
    slow = partial(naive.chain_entropies, initial, transition, small)
    yield Case(
        "profile, chain",
        f"L={length} V=2",
        length + 1,
        lambda: information.profile(MarkovChain(initial, transition, length)),
        [Way("term by term", slow, (small / length) ** 3)],
        targets=(("seconds", 5),),
        floors=(),
    )


def best_schedule(quick: bool) -> Iterator[Case]:
    """The dynamic program over boundaries, against the same in plain loops."""
    length, rounds = (64, 8) if quick else (1024, 64)
    f = information.profile(MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], length))
    small = (64, 8)
    loops = partial(naive.best_schedule, f[: small[0]].tolist(), small[1])
    sizes = schedules.optimal(f[: small[0]], small[1])
    assert_allclose(naive.left_riemann(f[: small[0]], sizes), loops())
    share = small[1] * small[0] ** 2 / (rounds * length**2)
    yield Case(
        "best schedule",
        f"L={length}, {rounds} rounds",
        rounds * length**2,
        partial(schedules.optimal, f, rounds),
        [Way("loops", loops, share)],
        floors=(),
    )
