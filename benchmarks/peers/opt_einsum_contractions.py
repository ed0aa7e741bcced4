"""opt_einsum: the probability of a pattern as one contraction, its path found beforehand."""

import numpy as np

from benchmarks.peers.installed import load
from benchmarks.timing import Call
from theory import MASK


def table_evidence(p: np.ndarray, x: np.ndarray) -> Call:
    """Evidence of patterns (B, L): the table times a vector for every site."""
    oe = load("opt_einsum")
    sites = list(range(p.ndim))
    text = ",".join(["".join(map(oe.get_symbol, sites)), *map(oe.get_symbol, sites)]) + "->"
    contract = oe.contract_expression(text, p.shape, *[(p.shape[0],)] * p.ndim)
    chosen = _vectors(x, p.shape[0])
    return lambda: [contract(p, *vectors) for vectors in chosen]


def chain_evidence(initial: np.ndarray, transition: np.ndarray, x: np.ndarray) -> Call:
    """Evidence of patterns (B, L): the first site, then a matrix and a vector for every next."""
    oe = load("opt_einsum")
    length, vocab = x.shape[1], len(initial)
    name = oe.get_symbol
    steps = [name(i) + name(i + 1) for i in range(length - 1)]
    text = ",".join([name(0), *steps, *map(name, range(length))]) + "->"
    shapes = [(vocab,), *[(vocab, vocab)] * (length - 1), *[(vocab,)] * length]
    contract = oe.contract_expression(text, *shapes)
    chosen = _vectors(x, vocab)
    matrices = [transition] * (length - 1)
    return lambda: [contract(initial, *matrices, *vectors) for vectors in chosen]


def _vectors(x: np.ndarray, vocab: int) -> np.ndarray:
    """For every site the indicator of what is observed, all ones at masks: (B, L, V)."""
    return ((x == MASK)[..., None] | (x[..., None] == np.arange(vocab))).astype(float)
