"""Make the committed word counts from the text of Python's own documentation.

``python -m theory.text.make_corpora`` rewrites ``words.csv``, ``word_pairs.csv`` and
``word_triples.csv``. The text is ``pydoc_data.topics``, which every CPython carries: English prose,
mixed with code, grammar productions and headings. Nothing of the text itself is stored, only the
counts of its words. The tables depend on the Python version, which their headers name, and on
nothing else.
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from theory.text.corpora import from_paragraphs
from theory.text.tokenize import paragraphs_of

__all__ = ["main", "prose", "tables"]

HEADER = """\
# {title}
# Made from: pydoc_data.topics of Python {version}
# Made by: python -m theory.text.make_corpora
# The text is the Python documentation (PSF licence, version 2); only its word counts are kept.
"""

MARKER = re.compile(
    r"\A(?:\d+\.|\*|\[\d+\]|(?:New|Added|Changed) in version [\d.]+:|Deprecated since[^:]*:)\s+"
)
"""What may stand before the sentence: a bullet, a number, or the note of a version."""

TYPEWRITTEN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2014": "-"})
"""Single quotation marks and dashes, as a typewriter has them."""

QUOTED = re.compile(
    r"""(?<![^\s(“”'….\-/])".+?"(?![^\s.,:;?!)'“”…\-/s])"""  # "code", maybe with a " inside
    r"|“[^”]*”"
    r"|\*\*[^*]+\*\*|\*[^*]+\*"  # **a reference**, *a parameter*
)
"""Spans that are mentioned rather than used."""

PLAIN = re.compile(r"[Aa]|[A-Za-z][a-z]+(?:[-/][a-z]+)*")
"""A written word, or some joined by hyphens or slashes. No ``NameError``, ``ASCII``, ``isn't``."""

SHORTEST = 5
"""A paragraph of fewer words is taken for a heading of some kind ("Some examples:")."""


def prose(topics: Iterable[str]) -> Iterator[str]:
    r"""Yield the prose paragraphs of pydoc topics, with only their plain words left in.

    A paragraph is prose if it begins as a sentence does (with a capital, a bracket or a quoted
    name), ends as a sentence does, leaves no quotation mark and no star alone, and if at least
    `SHORTEST` and at least half of its tokens are plain words. Code and grammar fail on each of
    these counts. The topics repeat whole sections of each other; every paragraph counts once.

    >>> list(prose(['The "global" statement\n*****\n\nNames listed in a "global" statement '
    ...             'must\nnot be "None" [1].\n\n   >>> x = 1\n']))
    ['Names listed in a statement must not be']

    What is not a plain word drops out: quoted code, parameters in stars, contractions.

    >>> list(prose(["Return a copy of *s*, don't change NULL or x_1.", "expr ::= not a sentence."]))
    ['Return a copy of change or']
    """
    seen = set()
    for topic in topics:
        for paragraph in paragraphs_of(topic):
            block = " ".join(paragraph.split())
            if block in seen:
                continue
            seen.add(block)
            tokens, plain = _tokens(block), []
            if tokens is not None:
                plain = [token for token in tokens if PLAIN.fullmatch(token)]
                if len(plain) >= max(SHORTEST, len(tokens) / 2):
                    yield " ".join(plain)


def _tokens(block: str) -> list[str] | None:
    """Return the tokens of a block that reads like a sentence, without punctuation, or None."""
    block = MARKER.sub("", block.translate(TYPEWRITTEN))
    if not re.match(r'[A-Z"*“(]', block) or not re.search(r"[.:!?][)”']?\Z", block):
        return None
    # A lone sign stands for the span, so that the s of "name"s is not taken for a word.
    text = QUOTED.sub("§", block)
    if '"' in text or "*" in text:
        return None
    # A dot before a name (.pdbrc) belongs to it; one behind is a full stop.
    stripped = (token.rstrip(".,;:!?)”'…-").lstrip("(“'-") for token in text.split())
    return [token for token in stripped if token]


def tables() -> dict[str, str]:
    """Return the text of every committed file by its name.

    >>> sorted(tables())
    ['word_pairs.csv', 'word_triples.csv', 'words.csv']
    """
    from pydoc_data.topics import topics

    corpus = from_paragraphs(prose(topics.values()))
    names = corpus.vocabulary
    rows = [("<start>", corpus.starts), *zip(names, corpus.pairs, strict=True)]
    before = (*names[:-1], "<start>")
    return {
        "words.csv": _table(
            "Words of the Python documentation with their counts, the most frequent first.",
            ("word", "count"),
            corpus.words.items(),
        ),
        "word_pairs.csv": _table(
            "Which word follows which, for the most frequent words; a paragraph begins at <start>.",
            ("word", "next", "count"),
            ((name, names[k], row[k]) for name, row in rows for k in row.nonzero()[0]),
        ),
        "word_triples.csv": _table(
            "Which word follows which two, for the most frequent words; see word_pairs.csv.",
            ("first", "second", "next", "count"),
            ((before[i], names[j], names[k], count) for i, j, k, count in corpus.triples),
        ),
    }


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    out = io.StringIO()
    out.write(HEADER.format(title=title, version=version))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def main(folder: Path = Path(__file__).parent / "data") -> None:
    """Write the tables into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables().items():
        (folder / name).write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    main()
