"""hmmlearn: forward-backward along a chain.

It has no missing data. A chain is a hidden Markov model whose state is shown, and one more symbol
that every state emits as often is exactly a mask: it tells nothing.
"""

import numpy as np

from benchmarks.peers.installed import load
from benchmarks.timing import Call
from theory import MASK


def posteriors(
    initial: np.ndarray, transition: np.ndarray, x: np.ndarray, implementation: str
) -> Call:
    """Distribution of every site given the observed ones, shape (L, V).

    `implementation` is "scaling" or "log", which is what hmmlearn does if it is not told.
    """
    vocab = len(initial)
    model = load("hmmlearn.hmm").CategoricalHMM(vocab, implementation=implementation)
    model.startprob_, model.transmat_ = initial, transition
    model.emissionprob_ = np.concatenate([np.eye(vocab), np.ones((vocab, 1))], axis=1) / 2
    symbols = np.where(x == MASK, vocab, x)[:, None]
    return lambda: model.predict_proba(symbols)
