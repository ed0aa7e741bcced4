"""Real text as exact data: the letters of words, and the words of paragraphs.

Two distributions come out of a text. The words of one length, weighted by how often they occur,
are an `EmpiricalDistribution` over letters. The succession of words in paragraphs is a
`MarkovChain` over the most frequent words; `theory.text.word_chain` follows it over any
distance, and remembers two words if asked. `english` has the counts of the Python documentation,
which are part of the package; `from_text` counts any text of yours.
"""

import csv
import functools
import importlib.resources
import itertools
import os
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from theory._core.arrays import require_memory
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.markov import MarkovChain
from theory.errors import InvalidInput
from theory.text.tokenize import paragraphs_of, words_of
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

WITH_NULS = {"x0x0": "UTF-16-LE", "0x0x": "UTF-16-BE", "x000": "UTF-32-LE", "000x": "UTF-32-BE"}
"""Encodings by where they have NULs in the first bytes of a text that begins with ASCII."""

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

    def __repr__(self) -> str:
        words = f"{counted(sum(self.words.values()), 'word')}, {len(self.words)} different"
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
        words = _phrase(phrase)
        if not words:
            raise InvalidInput(f"there is no word in {phrase!r}")
        missing = {word: None for word in words if word not in self.words and word not in index}
        if missing:
            verb = "does" if len(missing) == 1 else "do"
            raise InvalidInput(f"{', '.join(map(repr, missing))} {verb} not occur in {self.name}")
        if UNKNOWN in words and len(self.words) == len(self.vocabulary) - 2:
            raise InvalidInput(f"there is no {UNKNOWN}: all words of {self.name} are distinguished")
        return tuple(index.get(word, index[UNKNOWN]) for word in words)

    def unknown(self, phrase: str) -> tuple[str, ...]:
        """Return the words of a phrase that the text has and the vocabulary lacks.

        >>> from_paragraphs(["A rose is a rose.", "A cat!"], frequent=2).unknown("is a cat a cat")
        ('is', 'cat')
        """
        known = set(self.vocabulary)
        words = dict.fromkeys(_phrase(phrase))
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
        return tuple(sorted({*self.base, *"".join(self._of_length(length))}))

    def letters(self, length: int) -> EmpiricalDistribution:
        """Return the words of one length as sequences of letters, as likely as in the text.

        Raises
        ------
        InvalidInput
            If no word has this length.

        >>> from_paragraphs(["no one on no"]).letters(2).symbols
        ('n', 'o')
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

    def _of_length(self, length: int) -> dict[str, int]:
        length = as_integer(length, "length", 1)
        words = {word: count for word, count in self.words.items() if len(word) == length}
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
    words = {word: int(count) for word, count in _rows("words.csv")}
    vocabulary = (*itertools.islice(words, FREQUENT), UNKNOWN, END)
    index = {word: i for i, word in enumerate((*vocabulary, "<start>"))}
    size = len(vocabulary)
    table = np.zeros((size + 1, size), np.int64)
    for word, following, count in _rows("word_pairs.csv"):
        table[index[word], index[following]] = int(count)
    triples = functools.partial(_english_triples, vocabulary)
    name = "the prose of Python's documentation"
    return _corpus(words, vocabulary, table[:-1], table[-1], triples, name, string.ascii_lowercase)


def _english_triples(vocabulary: tuple[str, ...]) -> np.ndarray:
    index = {word: i for i, word in enumerate(vocabulary)}
    index["<start>"] = index[END]
    rows = [
        (index[first], index[second], index[third], int(count))
        for first, second, third, count in _rows("word_triples.csv")
    ]
    return np.asarray(rows, np.int64)


def made_from() -> str:
    """Return what the tables of `english` were made from, as their header says.

    >>> made_from().startswith("pydoc_data.topics of Python 3.")
    True
    """
    begin = "# Made from: "
    return next(line for line in _lines("words.csv") if line.startswith(begin)).removeprefix(begin)


def _lines(name: str) -> list[str]:
    file = importlib.resources.files("theory.text") / "data" / name
    return file.read_text(encoding="utf-8").splitlines()


def _rows(name: str) -> Iterator[list[str]]:
    """Yield the rows of a table of the package, without comments and the names of columns."""
    rows = csv.reader(line for line in _lines(name) if not line.startswith("#"))
    return itertools.islice(rows, 1, None)


def from_text(path: str | os.PathLike[str], frequent: int = FREQUENT) -> Corpus:
    """Count the words of a text file in any language.

    Parameters
    ----------
    path : path-like
        A file of plain text in UTF-8, its paragraphs separated by blank lines.
    frequent : int
        How many of the most frequent words the vocabulary holds.

    Raises
    ------
    InvalidInput
        If there is no such file, if it is not UTF-8 (a NUL is taken for a sign of UTF-16 or
        UTF-32), or if it has no words.
    """
    if not os.fspath(path):
        raise InvalidInput("the name of the text file is empty")
    path = Path(path)
    if path.is_dir():
        raise InvalidInput(f"{path} is a directory; a text file is needed")
    if not path.exists():
        raise InvalidInput(f"there is no file {path}")
    try:
        # the bytes, the text and its words are held at once
        require_memory(path.stat().st_size, f"the text {path}", itemsize=16)
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8: see the byte at offset {error.start}. Save it as UTF-8 first, "
            f"for instance with: iconv -f WINDOWS-1252 -t UTF-8 {path}"
        ) from None
    if "\0" in text:
        nuls = "".join("0" if sign == "\0" else "x" for sign in text[:4])
        encoding = WITH_NULS.get(nuls, "UTF-16 or UTF-32")
        raise InvalidInput(
            f"{path} holds NULs, the first at offset {text.index(chr(0))}: it is not UTF-8 but "
            f"perhaps {encoding} without a byte-order mark; convert it to UTF-8"
        )
    return from_paragraphs(paragraphs_of(text), frequent, name=str(path))


def from_paragraphs(
    paragraphs: Iterable[str], frequent: int = FREQUENT, *, name: str = "the text"
) -> Corpus:
    """Count the words of paragraphs; one without any words does not count as a paragraph.

    Parameters
    ----------
    paragraphs : iterable of str
    frequent : int
        How many of the most frequent words the vocabulary holds.
    name : str
        What messages call the text.

    Raises
    ------
    InvalidInput
        If there are no words, if a paragraph is no string, or `frequent` is less than 1.
    TooLarge
        If there is no room for the counts of all pairs.
    """
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
    texts = [words for words in map(words_of, paragraphs) if words]
    if not texts:
        raise InvalidInput("the text has no words: there is no letter in it")
    counts = Counter(itertools.chain.from_iterable(texts))
    words = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    vocabulary = (*itertools.islice(words, frequent), UNKNOWN, END)
    size = len(vocabulary)
    require_memory(2 * size**2, f"a table of the pairs of {size} words")
    unknown, end = size - 2, size - 1
    index = {word: i for i, word in enumerate(vocabulary)}
    # One walk through all paragraphs, from END to END: what follows END starts a paragraph.
    walk = [end]
    for text in texts:
        walk.extend(index.get(word, unknown) for word in text)
        walk.append(end)
    steps = np.asarray(walk, np.int64)
    table = np.bincount(steps[:-1] * size + steps[1:], minlength=size * size)
    pairs = table.reshape(size, size).astype(np.int64)
    starts = pairs[end].copy()
    pairs[end] = 0
    triples = functools.partial(_triples, steps)
    return _corpus(words, vocabulary, pairs, starts, triples, name)


def _phrase(phrase: str) -> list[str]:
    """Return the words of a phrase, and the two symbols where they are written out.

    >>> _phrase("The end<END>the <unknown>...")
    ['the', 'end', '<end>', 'the', '<unknown>']
    """
    if not isinstance(phrase, str):
        raise InvalidInput(f"a phrase is a string, got a value of type {type(phrase).__name__}")
    parts = SYMBOLS.split(phrase)  # every other one is a symbol
    return [
        word
        for i, part in enumerate(parts)
        for word in ([part.lower()] if i % 2 else words_of(part))
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
    name: str,
    base: str = "",
) -> Corpus:
    # A corpus is shared (english() returns the same one to all), so nobody may write to it.
    pairs.flags.writeable = starts.flags.writeable = False
    return Corpus(MappingProxyType(words), vocabulary, pairs, starts, triples, base, name)
