"""Prints the predictions of a chain of words far from their context: tables, or JSON."""

from collections.abc import Sequence

from rich.table import Table

from theory._console.console import Fitting, output_console
from theory._console.format import as_json
from theory._core.plurals import counted
from theory.text.corpora import END, UNKNOWN, Corpus
from theory.text.distance import (
    DISTANCES,
    FREQUENT_WORDS,
    STRONGEST_AT,
    Context,
    Distances,
    limit_variation,
)

__all__ = ["print_distances", "to_json"]

ROUNDING_TOL = 1e-12
"""Where differences are rounded, smaller ones are not distinguished from 0; nor is a probability
from 1 that is as near to it."""

RATE_TOL = 0.02
"""Factors that differ by more, relatively, are said to differ."""

LIMIT_TOL = 0.1
"""A total variation to the limit above this is said to be far from it."""

WHAT = (
    "What a chain of real words predicts far from the words that are given, exact for this chain: "
    "the exact analogue of asking a large model what it predicts far from its prompt, as arXiv "
    "2510.03289 is said to have done (its experiment was not seen)."
)

TITLES = {
    "restart": f"Texts packed one after another: {END} is followed by the next text",
    "absorbing": f"A text that is over stays over: {END} is followed by {END}",
}

COLUMNS = (
    "distance: from the phrase, or from the left and from the right one. vocab: effective "
    f"vocabulary, exp(entropy), where {UNKNOWN}, all rarer words together, counts as one. "
    "frequent: probability of the most frequent words. to limit, to next: total variation to the "
    "limit, and to the prediction one site further to the right. nats: information that the "
    "context still carries, KL(prediction || prediction without it); between two phrases the "
    "comparison is with the limit. ended: probability that the end of a text stands among the "
    "sites up to this one (between two phrases: among all sites between them)."
)

DRAWN_COLUMNS = (
    "After a word drawn from the text, nats: what it tells about the word at a distance (mutual "
    f"information). about {END}: the part of it about whether {END} stands there. Then the share "
    f"of the words drawn after which the likeliest there is a frequent word, {UNKNOWN}, {END} or "
    f"another; words only: a frequent one, with {UNKNOWN} and {END} left out."
)


def print_distances(name: str, corpus: Corpus, order: int, every: Sequence[Distances]) -> None:
    """Print the tables and what they do not say.

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
    words, known = sum(corpus.words.values()), len(corpus.vocabulary) - 2
    token = corpus.read.noun
    size = f"{counted(words, token)} in {counted(int(corpus.starts.sum()), 'paragraph')}"
    apart = f"{known} of {counted(len(corpus.words), f'different {token}')} distinguished"
    console.print(f"{name}: {size}; {apart}.", soft_wrap=True)
    console.print(WHAT)
    if token != "word":
        console.print(f"Where words are spoken of, these are the {token}s of the text.")
    contexts = [c for c in (every[0].after, every[0].between) if c is not None]
    for word in dict.fromkeys(word for context in contexts for word in context.read_as_unknown):
        console.print(f"{word!r} occurs, but is not in the vocabulary; it is read as {UNKNOWN}.")
    for found in every:
        states = f"order {order}, {counted(found.states, 'state')}"
        console.print(f"\n{TITLES[found.end]} ({states}).")
        for context in (found.after, found.between):
            if context is not None:
                where = "After" if len(context.phrases) == 1 else "Between"
                phrases = " and ".join(f'"{phrase}"' for phrase in context.phrases)
                console.print(f"\n{where} {phrases}")
                console.print(Fitting(_table(context)))
                console.print(_speed(context))
        console.print("\nAfter a word drawn from the text")
        console.print(Fitting(_drawn(found)))
        strongest = ", ".join(f"{word} {_number(value)}" for word, value in found.strongest)
        console.print(f"Strongest at distance {STRONGEST_AT}, in nats: {strongest}.")
        if found.reason is not None:
            console.print(f"The decision (theory.homogenization): {found.reason}")
    console.print(f"\n{COLUMNS}\n\n{DRAWN_COLUMNS}")
    console.print(
        "\nThe most frequent words stand for function words; as no list of these is used, some may "
        f"be none: {', '.join(_frequent(corpus))}. They are {_probability(every[0].frequent)} of "
        "the text, its ends included."
    )


def _frequent(corpus: Corpus) -> tuple[str, ...]:
    return corpus.vocabulary[:-2][:FREQUENT_WORDS]


def _table(context: Context) -> Table:
    table = Table()
    table.add_column("distance", justify="right", no_wrap=True)
    table.add_column("likeliest words", overflow="fold")
    for column in ("vocab", "frequent", "to limit", "to next", "nats", "ended"):
        table.add_column(column, justify="right", no_wrap=True)
    floor = ROUNDING_TOL if context.rounded else 0.0
    for row in context.rows:
        table.add_row(
            str(row.left) if row.right is None else f"{row.left}, {row.right}",
            _likeliest(row.likeliest),
            f"{row.effective_vocabulary:.3g}",
            _probability(row.frequent),
            *(_number(v, floor) for v in (row.limit_tv, row.next_tv, row.information)),
            _probability(row.ended),
        )
    for left, right in context.never:
        table.add_row(f"{left}, {right}", "the two never stand there")
    if context.limit is not None:
        table.add_row("limit", _likeliest(context.limit))
    else:
        table.add_row("limit", "none" if context.rate else "the two never stand far apart")
    return table


def _drawn(found: Distances) -> Table:
    table = Table()
    kinds = ("frequent", UNKNOWN, END, "another", "words only")
    for column in ("distance", "nats", f"about {END}", *kinds):
        table.add_column(column, justify="right", no_wrap=True)
    for row in found.influence:
        shares = (row.frequent, row.unknown, row.end, row.other, row.frequent_of_words)
        table.add_row(
            str(row.distance),
            _number(row.mutual_information),
            _number(row.about_end),
            *map(_probability, shares),
        )
    return table


def _speed(context: Context) -> str:
    """How fast the limit is approached, and whether what is measured says the same."""
    if context.limit is None:
        return "There is no limit."
    if context.rate == 0:
        return "The limit is reached after finitely many sites."
    near, far = DISTANCES[-2:]
    from_phrases = "" if len(context.phrases) == 1 else " from the nearer phrase"
    said = (
        "Total variation to the limit: the eigenvalues say a factor of "
        f"{context.rate:.4f} per site{from_phrases} in the long run"
    )
    if context.measured is None:
        return f"{said}."
    said += f"; between distances {near} and {far} it is {context.measured:.4f}."
    difference = abs(context.measured / context.rate - 1)
    if difference > RATE_TOL:
        said += (
            f" The two differ by {100 * difference:.0f} %: this is not yet the long run, or the "
            "slowest part of the difference is missing here."
        )
    left = limit_variation(context.rows).get(far, 0.0)
    if left > LIMIT_TOL:
        said += (
            f" At distance {far} the limit is not reached: the total variation to it is still "
            f"{_probability(left)}."
        )
    return said


def _likeliest(words: list[tuple[str, float]]) -> str:
    return ", ".join(f"{word} {_probability(value)}" for word, value in words)


def _probability(value: float | None) -> str:
    """Two digits of a probability or, near 1, one digit of what is missing.

    Only what is 0 or 1, up to rounding, is shown as that.

    >>> _probability(1 - 1e-17), _probability(0.99999), _probability(0.99934), _probability(0.98765)
    ('1', '>0.9999', '0.9993', '0.99')
    >>> _probability(0.0312), _probability(1e-15), _probability(0.0), _probability(None)
    ('0.031', '<1e-12', '0', '-')
    """
    if value is None or value <= 0 or value < 0.99:
        return "0" if value == 0 else _number(value, ROUNDING_TOL)
    missing = 1 - value
    if missing < ROUNDING_TOL:
        return "1"
    for digits in (2, 3, 4):
        if missing >= 10**-digits:
            return f"{value:.{digits}f}"
    return ">0.9999"


def _number(value: float | None, floor: float = 0.0) -> str:
    """Two digits, or a dash; below the floor there is only rounding.

    >>> _number(None), _number(5.5e-22), _number(5.5e-22, 1e-12), _number(float("inf"))
    ('-', '5.5e-22', '<1e-12', 'inf')
    """
    if value is None:
        return "-"
    return f"<{floor:.0e}" if value < floor else f"{value:.2g}"


def to_json(name: str, corpus: Corpus, order: int, every: Sequence[Distances]) -> str:
    """All numbers as JSON; infinite ones are "inf"."""
    content = {
        "text": name,
        "what": WHAT,
        "words": sum(corpus.words.values()),
        "different_words": len(corpus.words),
        "paragraphs": int(corpus.starts.sum()),
        "vocabulary": len(corpus.vocabulary),
        "tokens": f"{corpus.read.noun}s",
        "order": order,
        "unit": "nats",
        "frequent_words": _frequent(corpus),
        "ends": every,
    }
    return as_json(content)
