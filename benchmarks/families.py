"""Families of distributions that need no table: chains and many sequences.

A new chain first tabulates powers of its transition matrix; later calls only look them up.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks import naive
from benchmarks.case import Case, Way
from benchmarks.floors import Floor
from benchmarks.peers import hmmlearn_chains, opt_einsum_contractions, pgmpy_networks
from benchmarks.peers.installed import compared
from theory import MASK, EmpiricalDistribution, MarkovChain

QUERIES = 4  # masked sites that pgmpy is asked for; the time for all goes with the number


def random_chain(length: int, vocab: int) -> tuple[MarkovChain, np.ndarray]:
    """A chain and a half observed sequence of it."""
    rng = np.random.default_rng(0)
    initial, transition = rng.dirichlet(np.ones(vocab)), rng.dirichlet(np.ones(vocab), size=vocab)
    chain = MarkovChain(initial, transition, length)
    return chain, np.where(rng.random(length) < 0.5, chain.sample(rng, 1)[0], MASK)


def longest_reach(x: np.ndarray) -> int:
    """Most steps from a masked site to the nearest observed one on a side (or to the end)."""
    reach = longest = 0
    for token in x.tolist():
        reach = reach + 1 if token == MASK else 0
        longest = max(longest, reach)
    return longest


def markov(quick: bool) -> Iterator[Case]:
    """One half observed sequence, against messages passed along it."""
    length, vocab = (128, 32) if quick else (1024, 256)
    chain, x = random_chain(length, vocab)
    initial, transition = chain.initial, chain.transition
    expected = naive.forward_backward(initial, transition, x)
    assert_allclose(chain.denoise(x), expected, rtol=1e-9, atol=1e-15)
    slow = partial(naive.forward_backward, initial, transition, x)
    posteriors = partial(hmmlearn_chains.posteriors, initial, transition, x)
    peers, missing = compared(
        expected,
        {
            "hmmlearn": partial(posteriors, "scaling"),
            "hmmlearn in logarithms": partial(posteriors, "log"),
        },
        atol=1e-12,
    )
    ways = [Way("forward-backward", slow), *peers]
    powers = max(longest_reach(x) - 1, 1) * vocab**3
    read = "a prediction is a row of one power times a column of another: two are read, one written"
    made = "powers of the transition matrix up to the longest way to an observed site"
    lines = {
        "Markov chain, first call": (
            lambda: MarkovChain(initial, transition, length).denoise(x),
            Floor("products", powers, made, side=vocab),
            (),
        ),
        "Markov chain, later calls": (
            partial(chain.denoise, x),
            Floor("copy", length * vocab, read),
            (("forward-backward", 20.0), ("hmmlearn", 100.0)),
        ),
    }
    for kernel, (call, floor, targets) in lines.items():
        size, floors = f"L={length} V={vocab}", (floor,)
        cells = length * vocab
        yield Case(kernel, size, cells, call, ways, targets=targets, floors=floors, missing=missing)


def chain_network(quick: bool) -> Iterator[Case]:
    """Predictions of all masked sites, against one query to a Bayesian network for each."""
    length, vocab = (8, 3) if quick else (64, 8)
    chain, x = random_chain(length, vocab)
    expected = naive.forward_backward(chain.initial, chain.transition, x)
    assert_allclose(chain.denoise(x), expected, rtol=1e-9, atol=1e-15)
    masked = np.flatnonzero(x == MASK)
    few = masked[:: max(1, len(masked) // QUERIES)].tolist()
    queries = partial(pgmpy_networks.chain_queries, chain.initial, chain.transition, x, few)
    peers, missing = compared(
        expected[few], {"pgmpy": queries}, share=len(few) / len(masked), atol=1e-15
    )
    slow = partial(naive.forward_backward, chain.initial, chain.transition, x)
    yield Case(
        "short chain, later calls",
        f"L={length} V={vocab}",
        length * vocab,
        partial(chain.denoise, x),
        [Way("forward-backward", slow), *peers],
        floors=(),
        missing=missing,
    )


def chain_evidence(quick: bool) -> Iterator[Case]:
    """Probabilities of a batch of half observed sequences, against a contraction for each."""
    length, vocab, batch = (8, 3, 8) if quick else (32, 16, 64)
    chain, _ = random_chain(length, vocab)
    rng = np.random.default_rng(1)
    x = np.where(rng.random((batch, length)) < 0.5, chain.sample(rng, batch), MASK)
    slow = partial(naive.chain_evidence, chain.initial, chain.transition, x)
    assert_allclose(chain.evidence(x), slow(), rtol=1e-9)
    contract = partial(opt_einsum_contractions.chain_evidence, chain.initial, chain.transition, x)
    peers, missing = compared(slow(), {"opt_einsum": contract})
    yield Case(
        "chain evidence, later calls",
        f"L={length} V={vocab}, batch {batch}",
        batch,
        partial(chain.evidence, x),
        [Way("messages", slow), *peers],
        patterns=batch,
        floors=(),
        missing=missing,
    )


def empirical(quick: bool) -> Iterator[Case]:
    """Half observed sequences out of many, against one mask of rows for each."""
    count, length, vocab, batch = (1000, 8, 4, 8) if quick else (100_000, 16, 8, 64)
    rng = np.random.default_rng(0)
    sequences = rng.integers(vocab, size=(count, length))
    x = np.where(rng.random((batch, length)) < 0.5, sequences[:batch], MASK)
    p = EmpiricalDistribution(sequences, vocab=vocab)
    expected = naive.matching_rows(sequences, x, vocab)
    assert_allclose(p.denoise(x), expected, rtol=1e-9, atol=1e-15)
    size, call = f"N={count:.0e} L={length} V={vocab}, batch {batch}", partial(p.denoise, x)
    ways = [Way("row masks", partial(naive.matching_rows, sequences, x, vocab))]
    yield Case("empirical", size, x.size * vocab, call, ways, patterns=batch, floors=())
