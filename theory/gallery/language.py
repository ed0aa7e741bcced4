"""Distributions over names of cities, balanced brackets, English words and texts of any length."""

import itertools
import math

import numpy as np

from theory._core.arrays import require_memory
from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.markov import MarkovChain
from theory.distributions.mixture import ProductMixture
from theory.distributions.table import JointTable
from theory.errors import InvalidInput
from theory.gallery.uniform import grown, require_sequences, uniform
from theory.text import corpora
from theory.validation.arguments import as_integer

__all__ = ["cities", "common_words", "dyck", "padded_text", "words"]


def cities(*, exact: bool = False) -> Distribution:
    """New York, New Orleans, Mexico City, Panama City: two words each, equally likely.

    >>> cities().spell([[0, -1], [1, 5]])
    ['New ·', 'Mexico City']
    """
    symbols = ("New", "Mexico", "Panama", "York", "Orleans", "City")
    return uniform([(0, 3), (0, 4), (1, 5), (2, 5)], len(symbols), exact, symbols)


def common_words(
    length: int, frequent: int = 8, corpus: corpora.Corpus | None = None
) -> MarkovChain:
    """Text of any length as a chain of its most frequent words and the rest: real English.

    Paragraphs follow each other, each beginning as any of them may. So the chain is stationary, and
    a word is as likely at every site as in the text.

    Parameters
    ----------
    length : int
    frequent : int
        How many words are distinguished. One more token stands for all others.
    corpus : Corpus, optional
        The documentation of Python (`theory.text.corpora`) if not given.

    Raises
    ------
    InvalidInput
        If the vocabulary of the corpus has fewer words.

    >>> p = common_words(64)
    >>> p.symbols
    ('the', 'a', 'is', 'of', 'to', 'in', 'and', 'are', '<unknown>')
    >>> words = corpora.english().words
    >>> round(float(p.marginals[63, 0]), 12) == round(words["the"] / sum(words.values()), 12)
    True
    """
    corpus = corpora.english() if corpus is None else corpus
    size = len(corpus.vocabulary) - 1
    frequent = as_integer(frequent, "frequent", 1)
    if frequent >= size:
        raise InvalidInput(f"frequent must be at most {size - 1} for {corpus}, got {frequent}")
    starts = corpus.starts[:size] / corpus.starts.sum()
    pairs = corpus.pairs[:size, :size] + corpus.pairs[:size, size:] * starts
    shown = np.minimum(np.arange(size), frequent)[:, None] == np.arange(frequent + 1)
    steps = shown.T @ pairs @ shown
    steps[steps.sum(axis=1) == 0, -1] = 1.0  # there are no others
    counts = shown.T @ corpus.pairs[:size].sum(axis=1)
    symbols = (*corpus.vocabulary[:frequent], corpora.UNKNOWN)
    transition = steps / steps.sum(axis=1, keepdims=True)
    return MarkovChain(counts / counts.sum(), transition, length, symbols=symbols)


def dyck(pairs: int, *, exact: bool = False) -> Distribution:
    """Uniform over balanced words of brackets, 0 to open and 1 to close: Dyck words.

    Their number is the Catalan number ``C(2n, n) / (n + 1)`` for n pairs.

    >>> p = dyck(3)
    >>> p.spell([[0, 0, 1, 0, 1, 1]]), round(1 / p.evidence([0, 0, 1, 0, 1, 1]))
    (['(()())'], 5)
    """
    pairs = as_integer(pairs, "pairs", 1)
    length = 2 * pairs
    require_sequences(math.comb(length, pairs) // (pairs + 1), length)

    def may_follow(rows: np.ndarray, token: int) -> np.ndarray:
        ones = rows.sum(axis=1)
        zeros = rows.shape[1] - ones
        return zeros > ones if token else zeros < pairs

    return uniform(grown(length, 2, may_follow), 2, exact, ("(", ")"))


def padded_text(length: int, words: int = 2, *, exact: bool = False) -> Distribution:
    """Texts of 0 to `length` random words, each length equally likely, then ends of text.

    Token `words` is the end of text, which fills what is left. A mixture of ``length + 1``
    products, one for each length of the text, so that it predicts at any length; a table with
    ``exact=True``. The first site is a word with probability ``length / (length + 1)``, the last
    one with probability ``1 / (length + 1)``.

    >>> padded_text(3, exact=True).marginals[:, 2].tolist()      # the end of text
    [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)]
    >>> padded_text(1000).denoise([-1] * 998 + [0, -1])[[0, 999]].round(2).tolist()
    [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    """
    length, words = as_integer(length, "length", 1), as_integer(words, "words", 1)
    if exact:
        require_memory((words + 1) ** length, f"the table of shape ({words + 1},)*{length}")
        table = np.zeros((words + 1,) * length, dtype=object)
        for lasting in range(length + 1):
            end = (words,) * (length - lasting)
            for text in itertools.product(range(words), repeat=lasting):
                table[(*text, *end)] = words ** (length - lasting)
        return JointTable(table, exact=True)
    what = f"a mixture of {length + 1} products of {length} sites over {words + 1} tokens"
    require_memory((length + 1) * length * (words + 1), what)
    sites = np.arange(length, dtype=np.int64)
    written = sites < np.arange(length + 1, dtype=np.int64)[:, None]
    word, end = [1 / words] * words + [0.0], [0.0] * words + [1.0]
    rows = np.where(written[..., None], word, end)
    return ProductMixture(np.ones(length + 1), rows)


def words(length: int) -> EmpiricalDistribution:
    """Letters of English words of this length, as often as they occur in real prose.

    The prose is the documentation of Python (`theory.text.corpora`).

    >>> words(4).spell(words(4).sequences[:2])
    ['that', 'this']
    """
    return corpora.english().letters(length)
