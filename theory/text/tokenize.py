"""The paragraphs of a text, split at blank lines, and its words: the longest runs of letters."""

import functools
import itertools
import re
import unicodedata

__all__ = ["paragraphs_of", "words_of"]

JOINERS = "\u200c\u200d"
"""Signs that say how the letters beside them are joined; they are not seen themselves."""

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
    text = unicodedata.normalize("NFC", "".join(itertools.filterfalse(_ignored, paragraph)))
    runs = ("".join(run) for inside, run in itertools.groupby(text, _inside) if inside)
    words = (_folded(_from_first_letter(run).rstrip(JOINERS)) for run in runs)
    return [word for word in words if word]


@functools.cache
def _ignored(sign: str) -> bool:
    """Whether a sign is not there for a word: format (UAX #29, rule WB4), joiners aside."""
    return sign not in JOINERS + "\u200b" and unicodedata.category(sign) == "Cf"


def _folded(word: str) -> str:
    """Fold case; what folding takes apart, such as the letter U+01F0, is composed again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", word).casefold())


@functools.cache
def _inside(sign: str) -> bool:
    """Whether a sign can stand in a word: a letter, a mark or a joiner."""
    return sign.isalpha() or sign in JOINERS or unicodedata.category(sign).startswith("M")


def _from_first_letter(run: str) -> str:
    """Leave out marks without a letter before them, such as those of digits and of emoji."""
    return "".join(itertools.dropwhile(lambda sign: not sign.isalpha(), run))
