"""The paragraphs of a text, split at blank lines, and their tokens.

Tokens are words, the longest runs of letters; or characters, for scripts without spaces; or what
a function says.
"""

import functools
import itertools
import re
import sys
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from theory.errors import InvalidInput

__all__ = [
    "WORDS",
    "Tokenizer",
    "Tokens",
    "characters_of",
    "paragraphs_of",
    "tokenizer",
    "warn_without_spaces",
    "windows",
    "words_of",
]

Tokens = Literal["words", "characters"] | Callable[[str], Iterable[str]]
"""What `from_text` takes for its tokens."""

JOINERS = "\u200c\u200d"
"""Signs that say how the letters beside them are joined; they are not seen themselves."""

LONGEST_MEAN = {
    **dict.fromkeys(("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA"), 4),
    **dict.fromkeys(("THAI", "LAO", "KHMER", "MYANMAR"), 10),
}
"""Letters that words have at most, on average, in scripts without spaces: less than a clause has.
The scripts are told by how Unicode's names of their letters begin."""

LONGEST_MEAN_ELSEWHERE = 30
"""The same in other scripts; no language has words as long as that on average."""

LINE_END = re.compile("(?:\r\n|[\n\r\v\f\x85\u2028])\f?")
"""Where Unicode breaks a line in any case, but for U+2029, which ends a paragraph. A form feed
after a line end begins a page there, and no second line."""


def paragraphs_of(text: str) -> list[str]:
    r"""Split a text at its blank lines, and at paragraph separators (U+2029).

    Lines end with any of Unicode's mandatory breaks: line feed, carriage return, both, line
    tabulation, form feed, next line (U+0085), line separator (U+2028).

    >>> paragraphs_of("one\ntwo\n \n\nthree\r\n\r\nfour\u2029five")
    ['one\ntwo', 'three', 'four', 'five']
    """
    lines = LINE_END.sub("\n", text).replace("\u2029", "\n\n")
    return [paragraph for paragraph in re.split(r"\n\s*\n", lines.strip()) if paragraph]


def words_of(paragraph: str) -> list[str]:
    """Return the words of a paragraph: its longest runs of letters, with case folded.

    A letter is what Unicode calls one (`str.isalpha`), composed with its accents. Marks stay with
    the letter before them: accents that cannot be composed, and the vowel signs of Devanagari and
    other scripts. Signs of format, such as soft hyphens, are left out as if they were not there,
    but for the zero width space, which is Unicode's sign of a word's end where no space is written.
    Anything else ends a word, an apostrophe and a hyphen too: "don't" gives "don" and "t".

    >>> words_of("«Straße», cried the well-known CAT.")
    ['strasse', 'cried', 'the', 'well', 'known', 'cat']
    >>> words_of("हिन्दी में।")
    ['हिन्दी', 'में']
    >>> words_of("hy\u00adphen, zero\u200bwidth")
    ['hyphen', 'zero', 'width']
    """
    return list(_runs(paragraph, str.isalpha))


def characters_of(paragraph: str) -> list[list[str]]:
    """Return the characters of a paragraph, run by run.

    A character is a letter or a number (`str.isalnum`), composed and with case folded as in
    `words_of`, with the marks and joiners that follow it. Anything else, such as punctuation,
    a space or an emoji, is left out and ends a run.

    >>> characters_of("床前明月光，疑是地上霜。")
    [['床', '前', '明', '月', '光'], ['疑', '是', '地', '上', '霜']]
    >>> characters_of("Pà 2つ! ที่")
    [['p', 'à'], ['2', 'つ'], ['ที่']]
    """
    return [_apart(run) for run in _runs(paragraph, str.isalnum)]


class Tokenizer(NamedTuple):
    """How paragraphs are read.

    Attributes
    ----------
    noun : str
        What a token is called.
    runs : callable
        From a paragraph to lists of its tokens, none empty: characters run by run, all others in
        one list.
    """

    noun: Literal["word", "character", "token"]
    runs: Callable[[str], list[list[str]]]

    def __call__(self, paragraph: str) -> list[str]:
        """Return the tokens of a paragraph."""
        return list(itertools.chain.from_iterable(self.runs(paragraph)))


def _words(paragraph: str) -> list[list[str]]:
    words = words_of(paragraph)
    return [words] if words else []


WORDS = Tokenizer("word", _words)


def tokenizer(tokens: Tokens, reserved: Iterable[str] = ()) -> Tokenizer:
    """Return how paragraphs are read into words, characters or what a function returns.

    >>> tokenizer("characters")("So, 2")
    ['s', 'o', '2']
    >>> tokenizer(str.split)("So, 2")
    ['So,', '2']
    """
    if tokens == "words":
        return WORDS
    if tokens == "characters":
        return Tokenizer("character", characters_of)
    if not callable(tokens):
        raise InvalidInput(
            "tokens must be 'words', 'characters' or a function from a paragraph to a list of "
            f"tokens, got {tokens!r}"
        )
    taken = frozenset(reserved)

    def runs(paragraph: str) -> list[list[str]]:
        found = tokens(paragraph)
        if isinstance(found, str | bytes) or not isinstance(found, Iterable):
            raise InvalidInput(
                f"a tokenizer returns a list of tokens, got one value of type "
                f"{type(found).__name__} for {_begin(paragraph)}"
            )
        found = list(found)
        for i, token in enumerate(found):
            if not isinstance(token, str) or not token:
                raise InvalidInput(
                    f"token {i} of {_begin(paragraph)} is no string of one sign or more: {token!r}"
                )
            if token.lower() in taken:
                raise InvalidInput(f"token {i} of {_begin(paragraph)} is {token!r}, a symbol")
        return [found] if found else []

    return Tokenizer("token", runs)


def windows(runs: Iterable[Sequence[str]], length: int) -> Counter[tuple[str, ...]]:
    """Count the sequences of `length` tokens that follow each other in a run.

    >>> dict(windows(["ABABA"], 2))
    {('A', 'B'): 2, ('B', 'A'): 2}
    """
    return Counter(
        window for run in runs for window in zip(*(run[k:] for k in range(length)), strict=False)
    )


def warn_without_spaces(words: Mapping[str, int], name: str, stacklevel: int) -> None:
    """Warn if words have more letters than words have: the text has next to no spaces.

    The words of the script that most letters are of are looked at.

    >>> with warnings.catch_warnings(record=True) as noted:
    ...     warnings.simplefilter("always")
    ...     warn_without_spaces({"床前": 2, "明月光": 1, "moonlight": 1}, "the text", 2)
    ...     warn_without_spaces({"床前明月光": 1, "疑是地上霜": 1}, "the text", 2)
    >>> [str(warning.message)[:44] for warning in noted]
    ['the words of the text have 5 letters on aver']
    """
    letters: Counter[int] = Counter()  # by the limit of the first letter, and so nearly by script
    number: Counter[int] = Counter()
    for word, count in words.items():
        limit = _limit(word[0])
        letters[limit] += count * sum(map(str.isalpha, word))
        number[limit] += count
    limit = max(letters, key=letters.__getitem__)
    mean = letters[limit] / number[limit]
    if mean > limit:
        warnings.warn(
            f"the words of {name} have {mean:.3g} letters on average: are there spaces between "
            "them? To count characters, say tokens='characters' (--tokens characters), or give "
            "the function of a tokenizer",
            UserWarning,
            stacklevel,
        )


@functools.cache
def _limit(sign: str) -> int:
    """Letters that words of this letter's script have at most, on average."""
    script = re.split("[ -]", unicodedata.name(sign, ""))[0]
    return LONGEST_MEAN.get(script, LONGEST_MEAN_ELSEWHERE)


def _begin(paragraph: str) -> str:
    return repr(paragraph if len(paragraph) <= 20 else f"{paragraph[:20]}...")


def _apart(run: str) -> list[str]:
    """Split before every letter and number but the first; equal characters are one object."""
    starts = [i for i, sign in enumerate(run) if i and sign.isalnum()]
    return [sys.intern(run[i:j]) for i, j in itertools.pairwise([0, *starts, len(run)])]


def _runs(paragraph: str, begins: Callable[[str], bool]) -> Iterator[str]:
    """Yield the longest runs of such signs, and of the marks and joiners that follow them."""

    def inside(sign: str) -> bool:
        return begins(sign) or _follows(sign)

    text = unicodedata.normalize("NFC", "".join(itertools.filterfalse(_ignored, paragraph)))
    for within, signs in itertools.groupby(text, inside):
        if within:
            # marks that follow nothing are left out, such as those of emoji
            run = "".join(itertools.dropwhile(lambda sign: not begins(sign), signs))
            run = _folded(run.rstrip(JOINERS))
            if run:
                yield run


@functools.cache
def _ignored(sign: str) -> bool:
    """Whether a sign is not there for a word: format (UAX #29, rule WB4), joiners aside."""
    return sign not in JOINERS + "\u200b" and unicodedata.category(sign) == "Cf"


def _folded(word: str) -> str:
    """Fold case; what folding takes apart, such as the letter U+01F0, is composed again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", word).casefold())


@functools.cache
def _follows(sign: str) -> bool:
    """Whether a sign stays with the one before it: a mark or a joiner."""
    return sign in JOINERS or unicodedata.category(sign).startswith("M")
