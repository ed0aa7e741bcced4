"""A text taken apart: paragraphs at blank lines, words at whatever belongs to no letter."""

import itertools
import re
import unicodedata

__all__ = ["paragraphs_of", "words_of"]

JOINERS = "\u200c\u200d"
"""Signs that say how the letters beside them are joined; they are not seen themselves."""


def paragraphs_of(text: str) -> list[str]:
    r"""Split a text at its blank lines.

    >>> paragraphs_of("one\ntwo\n \n\nthree\r\n\r\nfour")
    ['one\ntwo', 'three', 'four']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return [paragraph for paragraph in re.split(r"\n\s*\n", lines.strip()) if paragraph]


def words_of(paragraph: str) -> list[str]:
    """Return the words of a paragraph: its longest runs of letters, with case folded.

    A letter is what Unicode calls one (`str.isalpha`), composed with its accents. Marks stay with
    the letter before them: accents that cannot be composed, and the vowel signs of Devanagari and
    other scripts. Anything else ends a word, an apostrophe and a hyphen too: "don't" gives "don"
    and "t".

    >>> words_of("«Straße», cried the well-known CAT.")
    ['strasse', 'cried', 'the', 'well', 'known', 'cat']
    >>> words_of("हिन्दी में।")
    ['हिन्दी', 'में']
    """
    text = unicodedata.normalize("NFC", paragraph)
    runs = ("".join(run) for inside, run in itertools.groupby(text, _inside) if inside)
    words = (_from_first_letter(run).rstrip(JOINERS).casefold() for run in runs)
    return [word for word in words if word]


def _inside(sign: str) -> bool:
    """Whether a sign can stand in a word: a letter, a mark or a joiner."""
    return sign.isalpha() or sign in JOINERS or unicodedata.category(sign).startswith("M")


def _from_first_letter(run: str) -> str:
    """Leave out marks without a letter before them, such as those of digits and of emoji."""
    return "".join(itertools.dropwhile(lambda sign: not sign.isalpha(), run))
