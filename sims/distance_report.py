"""Predictions far from their context, for a reader: tables and sentences, or JSON."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sims.distance import DISTANCES, FREQUENT_WORDS, Context, Distances, Remains
from theory.distributions.corpora import END, UNKNOWN, Corpus

__all__ = ["print_distances", "to_json"]

PLAIN_WIDTH = 120
"""Width of the tables where the output is no terminal."""

ROUNDING = 1e-12
"""Between two phrases, smaller differences are not told from rounding."""

WHAT = (
    "What a chain of words predicts far from the words that are given: exact for this chain, and "
    "the analogue of asking a large model what it predicts far from its prompt."
)

COLUMNS = (
    "top-1: probability of the likeliest. words: effective vocabulary, exp(entropy), where "
    f"{UNKNOWN}, all rarer words together, counts as one. to limit, to next: total variation to "
    "the limit, and to the prediction one site further to the right. "
    "nats: information that the context still carries, KL(prediction || prediction without it). "
    "ended: chance that the end of a text stands among the sites up to this one (between two "
    "phrases: among all sites between them)."
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
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False)

    console.print(_heading(name, corpus), markup=False, soft_wrap=True)
    say(WHAT)
    for found in every:
        say("")
        states = f"order {order}, {found.states} states"
        say(f"{TITLES[found.end]} ({states}).")
        if found.after is not None:
            say(f"\nAfter {_quoted(found.after.phrases[0])}")
            console.print(_table(found.after))
            for line in _after(found, found.after):
                say(line)
        if found.between is not None:
            left, right = map(_quoted, found.between.phrases)
            say(f"\nBetween {left} and {right}")
            if found.between.rows:
                console.print(_table(found.between))
            for line in _between(found.between):
                say(line)
        say("")
        for line in _remains(found):
            say(line)
    say("")
    say(COLUMNS)


def _heading(name: str, corpus: Corpus) -> str:
    known = len(corpus.vocabulary) - 2
    rest = len(corpus.words) - known
    words, paragraphs = sum(corpus.words.values()), int(corpus.starts.sum())
    return (
        f"{name}: {words} words in {paragraphs} paragraphs, each a text of its own. "
        + (f"All {known} different words are told apart." if not rest else "")
        + (f"The {known} most frequent are told apart, {rest} are {UNKNOWN}." if rest else "")
    )


def _table(context: Context) -> Table:
    table = Table()
    both = len(context.phrases) == 2
    for column in ("left", "right") if both else ("distance",):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("likeliest words", overflow="fold")
    for column in ("top-1", "words", "to limit", "to next", "nats", "ended"):
        table.add_column(column, justify="right", no_wrap=True)
    floor = ROUNDING if both else 0.0
    for before, row in zip([None, *context.rows], context.rows, strict=False):
        if before is not None and row.left < before.left:
            table.add_section()
        table.add_row(
            *map(str, (row.left, row.right) if both else (row.left,)),
            _likeliest(row.likeliest),
            _share(row.top_mass),
            f"{row.effective_vocabulary:.3g}",
            _number(row.limit_tv, floor),
            _number(row.next_tv, floor),
            _number(row.information, floor),
            _share(row.ended),
        )
    return table


def _likeliest(words: list[tuple[str, float]]) -> str:
    """Words with their probabilities.

    >>> _likeliest([("the", 0.25), ("<end>", 0.03125)])
    'the 0.25, <end> 0.031'
    """
    return ", ".join(f"{word} {_share(chance)}" for word, chance in words)


def _share(value: float) -> str:
    """Two digits of a probability; only what is 1 is shown as that.

    >>> _share(1 - 1e-17), _share(0.9999), _share(0.0312), _share(0.0)
    ('1', '0.99', '0.031', '0')
    """
    if value > 1 - ROUNDING:
        return "1"
    return f"{min(value, 0.99):.2g}"


def _number(value: float | None, floor: float = 0.0) -> str:
    """Two digits; below the floor there is only rounding.

    >>> _number(None), _number(5.5e-22), _number(5.5e-22, 1e-12), _number(math.inf)
    ('–', '5.5e-22', '<1e-12', 'inf')
    """
    if value is None:
        return "–"
    return f"<{floor:.0e}" if value < floor else f"{value:.2g}"


def _quoted(phrase: str) -> str:
    return f'"{phrase}"'


def _after(found: Distances, context: Context) -> list[str]:
    near, far = context.rows[0], context.rows[-1]
    lines = []
    if context.limit is None:
        lines.append("There is no limit: the text repeats itself with a fixed period.")
        return lines
    if found.end == "absorbing":
        lines.append(
            f"Far away {END} takes all the mass, {_share(far.ended)} of it at distance {far.left}: "
            "predictions become alike because they become peaked, not because they become broad."
        )
    else:
        lines.append(f"Far away: {_likeliest(context.limit)}, whatever was given.")
    lines.append(
        f"The {FREQUENT_WORDS} most frequent words, which stand for function words here, have "
        f"{_percent(near.frequent)} of the mass at distance {near.left} and "
        f"{_percent(far.frequent)} at distance {far.left}; they are {_percent(found.frequent)} of "
        "the text."
    )
    if found.end == "absorbing" and far.ended < 1:
        share = _percent(far.frequent / (1 - far.ended))
        lines[-1] += f" Of what is not yet {END} then, they have {share}."
    lines.append(f"How fast: {_speed(context)}")
    return lines


def _percent(share: float) -> str:
    """A share in per cent; what is not all of it is not rounded to that.

    >>> _percent(0.374), _percent(0.999), _percent(1.0), _percent(1e-9)
    ('37 %', '99 %', '100 %', '0 %')
    """
    return "100 %" if share > 1 - ROUNDING else f"{min(100 * share, 99):.0f} %"


def _speed(context: Context) -> str:
    if context.rate == 0:
        return "the limit is reached after finitely many sites."
    said = f"the eigenvalues say a factor of {context.rate:.4f} per site in the long run"
    if context.measured is None:
        return f"{said}."
    near, far = DISTANCES[-2:]
    return (
        f"{said}; between distances {near} and {far} the total variation to the limit shrinks by "
        f"{context.measured:.4f} per site."
    )


def _between(context: Context) -> list[str]:
    lines = []
    if context.never:
        places = ", ".join(f"{a} and {b}" for a, b in context.never)
        lines.append(f"The chain never says the two with these distances to a site: {places}.")
    if context.limit is not None:
        lines.append(
            f"Far from both: {_likeliest(context.limit)}. In the distance to the nearer one, "
            f"{_speed(context)}"
        )
    elif context.rate == 0:
        lines.append("The two never stand far from each other.")
    else:
        lines.append("There is no limit far from both.")
    return lines


def _remains(found: Distances) -> list[str]:
    remains: Remains = found.remains
    told = ", ".join(f"{_number(value)} at {n}" for n, value in remains.information)
    felt = ", ".join(f"{word} {_number(value)}" for word, value in remains.felt)
    lines = [
        "What remains: a word drawn from this text and the word at a distance from it share, in "
        f"nats (mutual information): {told}. Felt most at distance {DISTANCES[-2]}: {felt}."
    ]
    whole, of_end = remains.information[-1][1], remains.of_end[-1][1]
    if found.end == "absorbing" and whole > 0:
        lines.append(
            f"Of what is told at distance {DISTANCES[-1]}, {_percent(of_end / whole)} is about "
            f"whether {END} stands there."
        )
    if found.reason is not None:
        lines.append(f"The decision (theory.homogenization): {found.reason}")
    return lines


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
        "frequent_words": list(corpus.vocabulary[:-2][:FREQUENT_WORDS]),
        "ends": [_plain(dataclasses.asdict(found)) for found in every],
    }
    return json.dumps(content, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return "inf" if value == math.inf else value
