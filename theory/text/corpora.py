"""Real text as exact data: the letters of words, and the words of paragraphs.

Two distributions come out of a text. The words of one length, weighted by how often they occur,
are an `EmpiricalDistribution` over letters. The succession of words in paragraphs is a
`MarkovChain` over the most frequent words; `theory.text.word_chain` follows it over any
distance, and remembers two words if asked. `english` has the counts of the Python documentation,
which are part of the package; `from_text` counts any text of yours, by words, by characters, as
Chinese and Japanese need it, or by the tokens of any tokenizer.
"""

import functools
import itertools
import os
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from theory._core.arrays import require_memory
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.markov import MarkovChain
from theory.errors import InvalidInput
from theory.text.tables import made_from, rows_of
from theory.text.text_file import read_text
from theory.text.tokenize import (
    WORDS,
    Tokenizer,
    Tokens,
    paragraphs_of,
    tokenizer,
    warn_without_spaces,
    windows,
)
from theory.validation.arguments import as_integer

__all__ = [
    "END",
    "FREQUENT",
    "UNKNOWN",
    "Corpus",
    "english",
    "from_paragraphs",
    "from_text",
    "made_from",
]

UNKNOWN = "<unknown>"
"""Stands for every word that is not among the most frequent ones."""

END = "<end>"
"""Follows the last word of a paragraph."""

FREQUENT = 254
"""How many words the vocabulary holds; with `UNKNOWN` and `END` there are 256 states."""

SYMBOLS = re.compile(f"({UNKNOWN}|{END})", re.IGNORECASE)
"""The two, where they are written out in a phrase."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """The word counts of a text.

    Attributes
    ----------
    words : mapping of str to int
        How often each word occurs, the most frequent first and equals in alphabetical order.
    vocabulary : tuple of str, length K
        The most frequent words, then `UNKNOWN` and `END`.
    pairs : (K, K) array of int64
        ``pairs[i, j]`` counts how often word ``j`` follows word ``i``. Every word but `END` is
        followed by something, so each row sums to the occurrences of its word; nothing follows
        `END`, whose row is zero.
    starts : (K,) array of int64
        How many paragraphs begin with the word.
    count_triples : callable
        Makes `triples`, when they are first asked for.
    base : str
        Letters that belong to every alphabet, whether or not a word has them.
    name : str
        What messages call the text.
    read : callable
        How paragraphs and phrases are read. What is said of words here is true of characters, or
        of other tokens, if the text was read as these.
    runs : sequence of lists of str
        Where characters are counted: all of the text, in runs that nothing else interrupts.

    >>> corpus = from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2)
    >>> dict(corpus.words)
    {'a': 3, 'rose': 2, 'cat': 1, 'is': 1}
    >>> corpus.vocabulary
    ('a', 'rose', '<unknown>', '<end>')
    >>> corpus.pairs.tolist()
    [[0, 2, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]]
    >>> corpus.starts.tolist()
    [2, 0, 0, 0]
    >>> corpus
    <Corpus the text: 7 words, 4 different, vocab 4>
    """

    words: Mapping[str, int]
    vocabulary: tuple[str, ...]
    pairs: np.ndarray
    starts: np.ndarray
    count_triples: Callable[[], np.ndarray]
    base: str = ""
    name: str = "the text"
    read: Tokenizer = WORDS
    runs: Sequence[list[str]] = ()

    def __repr__(self) -> str:
        words = f"{counted(sum(self.words.values()), self.read.noun)}, {len(self.words)} different"
        return f"<Corpus {self.name}: {words}, vocab {len(self.vocabulary)}>"

    @functools.cached_property
    def triples(self) -> np.ndarray:
        """Three words in a row, a (T, 4) array of int64: two words, the next, and how often.

        The first is `END` where the second begins a paragraph, and the third is `END` where it is
        the last: nothing is counted across paragraphs. Rows are in the order of the vocabulary.

        >>> from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2).triples.tolist()
        [[0, 1, 2, 1], [0, 1, 3, 1], [0, 2, 3, 1], [1, 2, 0, 1], [2, 0, 1, 1], [3, 0, 1, 1],
         [3, 0, 2, 1]]
        """
        triples = self.count_triples()
        triples.flags.writeable = False
        return triples

    def tokens(self, phrase: str) -> tuple[int, ...]:
        """Return the words of a phrase as indices into the vocabulary.

        Words of the text that the vocabulary lacks are `UNKNOWN`. The two symbols may be written
        out: "<end> a" is how a paragraph begins.

        Raises
        ------
        InvalidInput
            If there is no word in the phrase or one that does not occur in the text.

        >>> corpus = from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2)
        >>> corpus.tokens("A rose, a CAT! <end>")
        (0, 1, 0, 2, 3)
        >>> corpus.tokens("a dog")
        Traceback (most recent call last):
            ...
        theory.errors.InvalidInput: 'dog' does not occur in the text
        """
        index = {word: i for i, word in enumerate(self.vocabulary)}
        words = _phrase(phrase, self.read)
        if not words:
            raise InvalidInput(f"there is no {self.read.noun} in {phrase!r}")
        missing = {word: None for word in words if word not in self.words and word not in index}
        if missing:
            verb = "does" if len(missing) == 1 else "do"
            raise InvalidInput(f"{', '.join(map(repr, missing))} {verb} not occur in {self.name}")
        if UNKNOWN in words and len(self.words) == len(self.vocabulary) - 2:
            raise InvalidInput(
                f"there is no {UNKNOWN}: all {self.read.noun}s of {self.name} are distinguished"
            )
        return tuple(index.get(word, index[UNKNOWN]) for word in words)

    def unknown(self, phrase: str) -> tuple[str, ...]:
        """Return the words of a phrase that the text has and the vocabulary lacks.

        >>> from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2).unknown("is a cat a cat")
        ('is', 'cat')
        """
        known = set(self.vocabulary)
        words = dict.fromkeys(_phrase(phrase, self.read))
        return tuple(word for word in words if word in self.words and word not in known)

    def alphabet(self, length: int) -> tuple[str, ...]:
        """Return the letters of the words of this length, in the order of Unicode.

        The letters of `base` are always among them. For `english` these are a to z, so that the
        number of symbols is 26 at every length; for other texts there are none. A mark that cannot
        be composed with its letter, such as a vowel sign of Devanagari, counts as a letter.

        Raises
        ------
        InvalidInput
            If no word has this length.

        >>> from_paragraphs(["no one on"]).alphabet(2)
        ('n', 'o')
        """
        return tuple(sorted({*self.base, *itertools.chain(*self._of_length(length))}))

    def letters(self, length: int) -> EmpiricalDistribution:
        """Return the words of one length as sequences of letters, as likely as in the text.

        Where characters are counted, words are not known; then it is the sequences of so many
        characters that follow each other with nothing else between, such as punctuation.

        Raises
        ------
        InvalidInput
            If no word, or no run of characters, has this length.

        >>> from_paragraphs(["no one on no"]).letters(2).symbols
        ('n', 'o')
        >>> from_paragraphs(["不，不好"], tokens="characters").letters(2).symbols
        ('不', '好')
        """
        words = self._of_length(length)
        alphabet = self.alphabet(length)
        index = {letter: i for i, letter in enumerate(alphabet)}
        sequences = np.asarray([[index[letter] for letter in word] for word in words], np.int64)
        weights = np.asarray(list(words.values()), np.int64)
        return EmpiricalDistribution(sequences, weights, vocab=len(alphabet), symbols=alphabet)

    def chain(self, length: int) -> MarkovChain:
        """Return the Markov chain of words, observed for `length` steps.

        `END` is absorbing: a paragraph that is over is filled up with it.

        >>> from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2).chain(5).symbols
        ('a', 'rose', '<unknown>', '<end>')
        """
        pairs = self.pairs.astype(np.float64)
        # END repeats itself, and so that its row can be normalised, an unknown word that never
        # occurs is taken to end the text. Every other word is followed by something.
        pairs[pairs.sum(axis=1) == 0, -1] = 1.0
        transition = pairs / pairs.sum(axis=1, keepdims=True)
        initial = self.starts / self.starts.sum()
        return MarkovChain(initial, transition, length, symbols=self.vocabulary)

    def _of_length(self, length: int) -> Mapping[tuple[str, ...], int]:
        length = as_integer(length, "length", 1)
        if self.runs:
            longest = max(map(len, self.runs))
            if length > longest:
                raise InvalidInput(
                    f"no run has {counted(length, 'character')}; the longest has {longest}"
                )
            return windows(self.runs, length)
        words = {tuple(word): count for word, count in self.words.items() if len(word) == length}
        if not words:
            there = ", ".join(map(str, sorted(set(map(len, self.words)))))
            raise InvalidInput(
                f"no word has {counted(length, 'letter')}; the lengths that occur are {there}"
            )
        return words


@functools.cache
def english() -> Corpus:
    """Return the words of the Python documentation.

    The counts are read from tables in the package, which
    ``python -m theory.text.make_corpora`` makes from the text that CPython carries as
    ``pydoc_data.topics``. Only prose is counted; a code word that the prose uses like any other
    ("a dict subclass") stays. Every call returns the same object.

    >>> list(english().words)[:4]
    ['the', 'a', 'is', 'of']
    >>> len(english().alphabet(4)), len(english().vocabulary)
    (26, 256)
    """
    words = {word: int(count) for word, count in rows_of("words.csv")}
    vocabulary = (*itertools.islice(words, FREQUENT), UNKNOWN, END)
    index = {word: i for i, word in enumerate((*vocabulary, "<start>"))}
    size = len(vocabulary)
    table = np.zeros((size + 1, size), np.int64)
    for word, following, count in rows_of("word_pairs.csv"):
        table[index[word], index[following]] = int(count)
    triples = functools.partial(_english_triples, vocabulary)
    name = "the prose of Python's documentation"
    base = string.ascii_lowercase
    return _corpus(words, vocabulary, table[:-1], table[-1], triples, base=base, name=name)


def _english_triples(vocabulary: tuple[str, ...]) -> np.ndarray:
    index = {word: i for i, word in enumerate(vocabulary)}
    index["<start>"] = index[END]
    rows = [
        (index[first], index[second], index[third], int(count))
        for first, second, third, count in rows_of("word_triples.csv")
    ]
    return np.asarray(rows, np.int64)


def from_text(
    path: str | os.PathLike[str], frequent: int = FREQUENT, *, tokens: Tokens = "words"
) -> Corpus:
    """Count the words, or other tokens, of a text file in any language.

    Parameters
    ----------
    path : path-like
        A file of plain text in UTF-8, its paragraphs separated by blank lines.
    frequent : int
        How many of the most frequent words the vocabulary holds.
    tokens : "words", "characters" or callable
        What is counted: the longest runs of letters; single letters and numbers with their marks,
        as for Chinese and Japanese, which have no spaces between words; or what a function from a
        paragraph to a list of strings returns, as it is, such as ``jieba.lcut``. Case is folded
        in words and characters, and both are composed (NFC).

    Raises
    ------
    InvalidInput
        If there is no such file, if it is not UTF-8 (a NUL is taken for a sign of UTF-16 or
        UTF-32), if it has no words, or if a tokenizer returns anything but a list of strings.

    Warns
    -----
    UserWarning
        If words are counted, and have more letters than words have: where there are next to no
        spaces, whole clauses are taken for words.
    """
    return _count(paragraphs_of(read_text(path)), frequent, str(Path(path)), tokens)


def from_paragraphs(
    paragraphs: Iterable[str],
    frequent: int = FREQUENT,
    *,
    name: str = "the text",
    tokens: Tokens = "words",
) -> Corpus:
    """Count the words of paragraphs; one without any words does not count as a paragraph.

    Parameters
    ----------
    paragraphs : iterable of str
    frequent : int
        How many of the most frequent words the vocabulary holds.
    name : str
        What messages call the text.
    tokens : "words", "characters" or callable
        As for `from_text`, which also says when there is a warning.

    Raises
    ------
    InvalidInput
        If there are no words, if a paragraph is no string, or `frequent` is less than 1.
    TooLarge
        If there is no room for the counts of all pairs.

    >>> corpus = from_paragraphs(["知之为知之，不知为不知，是知也。"], tokens="characters")
    >>> corpus
    <Corpus the text: 13 characters, 6 different, vocab 8>
    >>> corpus.vocabulary[:3], corpus.tokens("知也<end>")
    (('知', '不', '为'), (0, 4, 7))
    """
    return _count(paragraphs, frequent, name, tokens)


def _count(paragraphs: Iterable[str], frequent: int, name: str, tokens: Tokens) -> Corpus:
    read = tokenizer(tokens, (UNKNOWN, END))
    frequent = as_integer(frequent, "frequent", 1)
    if isinstance(paragraphs, str | bytes):
        raise InvalidInput(
            f"a list of paragraphs is needed, not one value of type {type(paragraphs).__name__}"
        )
    paragraphs = list(paragraphs)
    for number, paragraph in enumerate(paragraphs):
        if not isinstance(paragraph, str):
            raise InvalidInput(
                f"paragraph {number} is no string but of type {type(paragraph).__name__}"
            )
        if "\0" in paragraph:
            raise InvalidInput(
                f"paragraph {number} holds a NUL: was the text decoded as what it is encoded in?"
            )
    texts = [runs for runs in map(read.runs, paragraphs) if runs]
    if not texts:
        lacking = {"word": ": there is no letter in it", "character": ": no letter, no number"}
        raise InvalidInput(f"the text has no {read.noun}s{lacking.get(read.noun, '')}")
    counts = Counter(token for runs in texts for run in runs for token in run)
    words = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if read.noun == "word":
        warn_without_spaces(words, name, stacklevel=4)
    vocabulary = (*itertools.islice(words, frequent), UNKNOWN, END)
    size = len(vocabulary)
    require_memory(2 * size**2, f"a table of the pairs of {size} {read.noun}s")
    unknown, end = size - 2, size - 1
    index = {word: i for i, word in enumerate(vocabulary)}
    # One walk through all paragraphs, from END to END: what follows END starts a paragraph.
    walk = [end]
    for runs in texts:
        walk.extend(index.get(token, unknown) for run in runs for token in run)
        walk.append(end)
    steps = np.asarray(walk, np.int64)
    table = np.bincount(steps[:-1] * size + steps[1:], minlength=size * size)
    pairs = table.reshape(size, size).astype(np.int64)
    starts = pairs[end].copy()
    pairs[end] = 0
    triples = functools.partial(_triples, steps)
    runs = list(itertools.chain.from_iterable(texts)) if read.noun == "character" else ()
    return _corpus(words, vocabulary, pairs, starts, triples, name=name, read=read, runs=runs)


def _phrase(phrase: str, read: Tokenizer) -> list[str]:
    """Return the words of a phrase, and the two symbols where they are written out.

    >>> _phrase("The end<END>the <unknown>...", WORDS)
    ['the', 'end', '<end>', 'the', '<unknown>']
    """
    if not isinstance(phrase, str):
        raise InvalidInput(f"a phrase is a string, got a value of type {type(phrase).__name__}")
    parts = SYMBOLS.split(phrase)  # every other one is a symbol
    return [
        word for i, part in enumerate(parts) for word in ([part.lower()] if i % 2 else read(part))
    ]


def _triples(walk: np.ndarray) -> np.ndarray:
    """Count three in a row on a walk from `END` to `END`, without those that go across an end."""
    rows = np.stack([walk[:-2], walk[1:-1], walk[2:]], axis=1)
    rows, which = distinct_rows(rows[rows[:, 1] != walk[0]])
    return np.column_stack([rows, np.bincount(which, minlength=len(rows)).astype(np.int64)])


def _corpus(
    words: dict[str, int],
    vocabulary: tuple[str, ...],
    pairs: np.ndarray,
    starts: np.ndarray,
    triples: Callable[[], np.ndarray],
    **others: Any,
) -> Corpus:
    # A corpus is shared (english() returns the same one to all), so nobody may write to it.
    pairs.flags.writeable = starts.flags.writeable = False
    return Corpus(MappingProxyType(words), vocabulary, pairs, starts, triples, **others)
