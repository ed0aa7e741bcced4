"""Predictions along a long gap, and the decision whether they fade."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks import naive
from benchmarks.case import Case, Way
from theory import MASK, HiddenMarkovModel, MarkovChain, corpora, homogenization

TRIED = 50
"""How many sites the naive ways go through."""


def far_chain(quick: bool) -> Iterator[Case]:
    """Means over the tokens at both ends of a gap, against powers of the matrix site by site."""
    length = 200 if quick else 10_000
    rng = np.random.default_rng(0)
    for vocab in (2, 16):
        initial, transition = rng.dirichlet(np.ones(vocab)), rng.dirichlet(np.ones(vocab), vocab)
        p = MarkovChain(initial, transition, length)
        sites = rng.choice(np.arange(1, length - 1), TRIED, replace=False)
        slow = partial(naive.mean_bridge_entropies, initial, transition, length, sites.tolist())
        found = homogenization.average(p, [0, length - 1])
        assert_allclose(found.entropy[sites - 1], slow(), atol=1e-10)
        yield Case(
            "measure, chain",
            f"L={length} V={vocab}",
            length * vocab**3,
            partial(homogenization.average, p, [0, length - 1]),
            [Way("powers", slow, TRIED / (length - 2))],
            targets=(("seconds", 1),),
            floors=(),
        )


def far_hidden(quick: bool) -> Iterator[Case]:
    """One pattern of a hidden Markov model, against summing over states in plain loops."""
    length, states = (200, 4) if quick else (10_000, 16)
    rng = np.random.default_rng(0)
    rows = [rng.dirichlet(np.ones(states), n) for n in (1, states, states)]
    p = HiddenMarkovModel(rows[0][0], rows[1], rows[2], length)
    x = np.full(length, MASK)
    x[0], x[-1] = 0, 1
    slow = partial(naive.hidden_predictions, *rows, x.tolist())
    found = np.asarray(homogenization.measure(p, x).predictions)
    assert_allclose(found, slow()[1:-1], atol=1e-10)
    yield Case(
        "measure, hidden",
        f"L={length} V={states}",
        length * states,
        partial(homogenization.measure, p, x),
        [Way("plain loops", slow)],
        targets=(("seconds", 1),),
        floors=(),
    )


def decision(quick: bool) -> Iterator[Case]:
    """The words of English prose, against powers until nothing changes any more."""
    p = corpora.english().chain(2)
    if quick:
        p = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], 2)
    decided, (rate, limit) = homogenization.decide(p), naive.fading_of_powers(p.transition)
    assert_allclose(decided.rate, rate, rtol=1e-4)
    assert_allclose(np.asarray(decided.limit), limit, atol=1e-8)
    ways = [
        Way("powers", partial(naive.fading_of_powers, p.transition)),
        Way("only the eigenvalues", partial(np.linalg.eigvals, p.transition)),
    ]
    size = f"V={p.vocab}"
    call = partial(homogenization.decide, p)
    yield Case("decide", size, p.vocab**2, call, ways, floors=())
