"""Predictions far from their context, for a reader: tables and sentences, or JSON."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from theory._console.console import output_console
from theory._core.plurals import counted
from theory.text.corpora import END, UNKNOWN, Corpus
from theory.text.distance import DISTANCES, Context, Distances, Row
from theory.text.distance_tables import (
    likeliest,
    number,
    percent,
    print_drawn,
    print_rows,
    probability,
)
from theory.text.influence import DRAWN_DISTANCES, FELT, frequent_words

__all__ = ["print_distances", "to_json"]

DIFFERENT = 0.02
"""Factors that differ by more, relatively, are said to differ."""

NEAR = 0.1
"""A total variation to the limit above this is said to be far from it."""

FEW = 5
"""So many of the most frequent words are named where they are spoken of."""

WHAT = (
    "What a chain of real words predicts far from the words that are given, exact for this chain: "
    "the exact analogue of asking a large model what it predicts far from its prompt, as arXiv "
    "2510.03289 is said to have done (its experiment was not seen)."
)

COLUMNS = (
    "likeliest words: with their probabilities. vocab: effective vocabulary, exp(entropy), where "
    f"{UNKNOWN}, all rarer words together, counts as one. to limit, to next: total variation to "
    "the limit, and to the prediction one site further to the right. nats: information that the "
    "context still carries, KL(prediction || prediction without it); between two phrases the "
    "comparison is with the limit. ended: chance that the end of a text stands among the sites up "
    "to this one (between two phrases: among all sites between them)."
)

TITLES = {
    "restart": f"Texts packed one after another: {END} is followed by the next text",
    "absorbing": f"A text that is over stays over: {END} is followed by {END}",
}


def print_distances(name: str, corpus: Corpus, order: int, every: Sequence[Distances]) -> None:
    """Print the tables and what they say.

    Parameters
    ----------
    name : str
        Of the text.
    corpus : Corpus
    order : int
    every : sequence of Distances
        One for each thing that can follow the end of a text.
    """
    console = output_console(highlight=False, markup=False, emoji=False)
    console.print(_heading(name, corpus), soft_wrap=True)
    console.print(WHAT)
    for line in _unknown(corpus, every[0]):
        console.print(line)
    for found in every:
        states = f"order {order}, {counted(found.states, 'state')}"
        console.print(f"\n{TITLES[found.end]} ({states}).")
        if found.after is not None:
            console.print(f"\nAfter {_quoted(found.after.phrases[0])}")
            print_rows(console, found.after)
            for line in _after(corpus, found, found.after):
                console.print(line)
        if found.between is not None:
            left, right = map(_quoted, found.between.phrases)
            console.print(f"\nBetween {left} and {right}")
            if found.between.rows:
                print_rows(console, found.between)
            for line in _between(found.between):
                console.print(line)
        console.print(f"\n{_introduction(corpus)}")
        print_drawn(console, found.remains, some_are_frequent=_some_are_frequent(corpus))
        for line in _remains(corpus, found):
            console.print(line)
    console.print(f"\n{COLUMNS}")
    if _some_are_frequent(corpus):
        console.print(_frequent_ones(corpus))


def _heading(name: str, corpus: Corpus) -> str:
    known = len(corpus.vocabulary) - 2
    rest = len(corpus.words) - known
    words, paragraphs = sum(corpus.words.values()), int(corpus.starts.sum())
    told = f"{counted(known, 'different word')}, told apart."
    if rest:
        first = f"The {known} most frequent" if known > 1 else "The most frequent"
        told = (
            f"{first} of its {len(corpus.words)} different words {'are' if known > 1 else 'is'} "
            f"told apart, the other {f'{rest} are' if rest > 1 else 'one is'} {UNKNOWN}."
        )
    each = "each a text of its own" if paragraphs > 1 else "one text"
    return f"{name}: {counted(words, 'word')} in {counted(paragraphs, 'paragraph')}, {each}. {told}"


def _unknown(corpus: Corpus, found: Distances) -> list[str]:
    known = len(corpus.vocabulary) - 2
    contexts = [context for context in (found.after, found.between) if context is not None]
    words = dict.fromkeys(word for context in contexts for word in context.read_as_unknown)
    return [
        f"{word!r} occurs, but is not among the {counted(known, 'word')} told apart; it is read as "
        f"{UNKNOWN}."
        for word in words
    ]


def _quoted(phrase: str) -> str:
    return f'"{phrase}"'


def _after(corpus: Corpus, found: Distances, context: Context) -> list[str]:
    near, far = context.rows[0], context.rows[-1]
    lines = []
    if context.limit is None:
        lines.append("There is no limit: the text repeats itself with a fixed period.")
        return lines
    if found.end == "absorbing":
        lines.append(
            f"Far away {END} takes all the mass, {probability(far.ended)} of it at distance "
            f"{far.left}: predictions become alike because they become peaked, not because they "
            "become broad."
        )
    else:
        lines.append(f"Far away: {likeliest(context.limit)}, whatever was given.")
    if _some_are_frequent(corpus):
        lines.append(
            f"The {_frequent(corpus)} most frequent words ({_first_ones(corpus)}) have "
            f"{percent(near.frequent)} of the mass at distance {near.left} and "
            f"{percent(far.frequent)} at distance {far.left}; they are "
            f"{percent(found.frequent)} of the text."
        )
        if found.end == "absorbing" and far.ended < 1:
            share = percent(far.frequent / (1 - far.ended))
            lines[-1] += f" Of what is not yet {END} then, they have {share}."
    lines.append(f"How fast: {_speed(context, 'distances {} and {}')}")
    lines += _not_reached(far, f"distance {far.left}")
    return lines


def _speed(context: Context, places: str) -> str:
    if context.rate == 0:
        return "the limit is reached after finitely many sites."
    said = f"the eigenvalues say a factor of {context.rate:.4f} per site in the long run"
    if context.measured is None or context.measured_at is None:
        return f"{said}."
    said += (
        f"; between {places.format(*context.measured_at)} the total variation to the limit shrinks "
        f"by {context.measured:.4f} per site."
    )
    difference = abs(context.measured / context.rate - 1)
    if difference > DIFFERENT:
        said += (
            f" The two differ by {percent(difference)}: this is not yet the long run, or the "
            "slowest part of the difference is missing here."
        )
    return said


def _not_reached(row: Row, place: str) -> list[str]:
    if row.limit_tv is None or row.limit_tv <= NEAR:
        return []
    return [
        f"At {place} the limit is not reached: the total variation to it is still "
        f"{probability(row.limit_tv)}."
    ]


def _between(context: Context) -> list[str]:
    lines = []
    if context.never:
        places = ", ".join(f"{a} and {b}" for a, b in context.never)
        lines.append(f"The chain never says the two with these distances to a site: {places}.")
    if context.limit is not None:
        lines.append(
            f"Far from both: {likeliest(context.limit)}. In the distance to the nearer one, "
            f"{_speed(context, '{} and {} sites from both')}"
        )
        far = DISTANCES[-1]
        for row in context.rows:
            if (row.left, row.right) == (far, far):
                lines += _not_reached(row, f"{far} sites from both")
    elif context.rate == 0:
        lines.append("The two never stand far from each other.")
    else:
        lines.append("There is no limit far from both.")
    return lines


def _introduction(corpus: Corpus) -> str:
    kinds, more = f"a word, {UNKNOWN} or {END}", ""
    if _some_are_frequent(corpus):
        kinds = (
            f"frequent (one of the {_frequent(corpus)} most frequent words), {UNKNOWN}, {END} or "
            "another"
        )
        more = f"; words only: for how many it is frequent with {UNKNOWN} and {END} left out"
    return (
        "After a word drawn from the text. nats: what it tells about the word at a distance "
        "(mutual information). Then for how many of the words drawn the likeliest there is "
        f"{kinds}{more}."
    )


def _remains(corpus: Corpus, found: Distances) -> list[str]:
    remains = found.remains
    felt = ", ".join(f"{word} {number(value)}" for word, value in remains.felt)
    lines = []
    near, far = remains.leading[0], remains.leading[-1]
    if found.end == "restart" and _some_are_frequent(corpus):
        lines.append(
            "On average the frequent words have the same mass at every distance, "
            f"{percent(found.frequent)}. But with {UNKNOWN} and {END} left out, one of them is the "
            f"likeliest after {percent(near.frequent_of_words)} of the words drawn at distance "
            f"{near.distance}, and after {percent(far.frequent_of_words)} at distance "
            f"{far.distance}."
        )
    lines.append(f"Felt most at distance {FELT}, in nats: {felt}.")
    whole, of_end = remains.information[-1][1], remains.of_end[-1][1]
    if found.end == "absorbing" and whole > 0:
        lines.append(
            f"Of what is told at distance {DRAWN_DISTANCES[-1]}, {percent(of_end / whole)} is "
            f"about whether {END} stands there."
        )
    if found.reason is not None:
        lines.append(f"The decision (theory.homogenization): {found.reason}")
    return lines


def _frequent(corpus: Corpus) -> int:
    return frequent_words(len(corpus.vocabulary))


def _some_are_frequent(corpus: Corpus) -> bool:
    """Whether some words are frequent and some are not."""
    return _frequent(corpus) < len(corpus.vocabulary) - 2


def _first_ones(corpus: Corpus) -> str:
    return f"{', '.join(corpus.vocabulary[:FEW])}, ..."


def _frequent_ones(corpus: Corpus) -> str:
    words = ", ".join(corpus.vocabulary[: _frequent(corpus)])
    return (
        f"The most frequent words stand for function words; as no list of these is used, some may "
        f"be none: {words}."
    )


def to_json(name: str, corpus: Corpus, order: int, every: Sequence[Distances]) -> str:
    """All numbers as JSON; infinite ones are "inf"."""
    content = {
        "text": name,
        "what": WHAT,
        "words": sum(corpus.words.values()),
        "different_words": len(corpus.words),
        "paragraphs": int(corpus.starts.sum()),
        "vocabulary": len(corpus.vocabulary),
        "order": order,
        "unit": "nats",
        "frequent_words": list(corpus.vocabulary[: _frequent(corpus)]),
        "ends": [_plain(dataclasses.asdict(found)) for found in every],
    }
    return json.dumps(content, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return "inf" if value == math.inf else value
