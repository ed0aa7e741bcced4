"""What a chain of words predicts far from the words that are given, exactly.

The exact analogue, for a chain of real words, of asking a large model what it predicts far from
its prompt: at some distance after a phrase, and between two phrases at some distance from both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory import MarkovChain, homogenization
from theory._core.arrays import within_memory
from theory.text.bridges import Middle
from theory.text.corpora import Corpus
from theory.text.influence import Remains, divergence, frequent_words, remains
from theory.text.word_chain import End, Far, WordChain

__all__ = [
    "DISTANCES",
    "Context",
    "Distances",
    "Row",
    "distances",
    "usual_phrases",
]

DISTANCES = (1, 2, 5, 10, 50)
"""At these distances predictions are shown."""

LONG = 99
"""The two distances at the places near one end sum to this: an odd number, since two equal ones
sum to an even number, and some phrases stand at distances of one parity only."""

REACHED = 1e-10
"""If a total variation may be rounding, none below this is compared with another."""

CONTENT_LETTERS = 6
"""A frequent word of so many letters is likely to have a meaning of its own."""

DECISION_STATES = 600
"""Chains of order 1 with more states are not handed to `theory.homogenization`."""


@dataclass(frozen=True)
class Row:
    """The prediction at one site, and what it is compared with. Information is in nats.

    Attributes
    ----------
    left, right : int, int or None
        Distances to the phrases; None where there is none on the right.
    likeliest : list of (str, float)
        The likeliest words, the end and the unknown among them, with their probabilities.
    top_mass : float
    effective_vocabulary : float
        The exponential of the entropy.
    limit_tv : float or None
        Total variation to the limit; None where there is no limit.
    next_tv : float or None
        Total variation to the prediction one site further from the phrase on the left; None
        where that site is given.
    information : float or None
        KL divergence of this prediction from the one that knows no phrase: at this distance from
        a random place of the text or, between two phrases, the limit.
    ended : float
        Chance that the end of a text stands between the phrase on the left and this site, or the
        site itself is one; between two phrases, that one stands anywhere between them.
    frequent : float
        Mass on the most frequent words.
    """

    left: int
    right: int | None
    likeliest: list[tuple[str, float]]
    top_mass: float
    effective_vocabulary: float
    limit_tv: float | None
    next_tv: float | None
    information: float | None
    ended: float
    frequent: float


@dataclass(frozen=True)
class Context:
    """What is predicted after a phrase, or between two.

    Attributes
    ----------
    phrases : list of str
        One phrase, or two, as they are known to the chain.
    read_as_unknown : list of str
        Words of the phrases that the text has, but that are not told apart.
    rows : list of Row
    never : list of (int, int)
        Distances at which the two phrases never stand.
    limit : list of (str, float) or None
        The likeliest words of the limit; None if there is none.
    rate : float
        From the eigenvalues: the difference to the limit shrinks like ``rate ** distance``.
    measured : float or None
        The factor by which its total variation does shrink per site, between two distances.
    measured_at : (int, int) or None
        These two distances, 10 and 50.
    rounded : bool
        Whether the differences may be rounding if they are below 1e-12 or so.
    """

    phrases: list[str]
    read_as_unknown: list[str]
    rows: list[Row]
    never: list[tuple[int, int]]
    limit: list[tuple[str, float]] | None
    rate: float
    measured: float | None
    measured_at: tuple[int, int] | None
    rounded: bool


@dataclass(frozen=True)
class Distances:
    """All of it, for one chain.

    Attributes
    ----------
    end : str
    states : int
    after, between : Context or None
    remains : Remains
    frequent : float
        Share of the most frequent words in the text, its ends included.
    reason : str or None
        What `theory.homogenization.decide` says of the chain, if it is small enough.
    """

    end: End
    states: int
    after: Context | None
    between: Context | None
    remains: Remains
    frequent: float
    reason: str | None


def usual_phrases(corpus: Corpus) -> tuple[str, str]:
    """Return the two most frequent words of the vocabulary that have six letters or more.

    Short words are mostly function words, in many languages. Where there are no such words, the
    most frequent ones will do.

    >>> from theory import corpora
    >>> usual_phrases(corpora.english())
    ('object', 'method')
    """
    words = corpus.vocabulary[:-2]
    longer = [word for word in words if len(word) >= CONTENT_LETTERS]
    first, second = [*longer, *words, *words][:2]
    return first, second


@within_memory("the chain of a text")
def distances(
    corpus: Corpus,
    after: str | None,
    between: tuple[str, str] | None,
    order: int = 1,
    end: End = "restart",
    shown: int = 4,
    progress: Callable[[range], Iterable[Any]] = iter,
) -> Distances:
    """Follow the chain of a text away from what is given.

    Parameters
    ----------
    corpus : Corpus
    after : str, optional
        A phrase; what it is followed by is masked.
    between : (str, str), optional
        Two phrases; what is between them is masked.
    order, end
        Of the chain, as in `WordChain`.
    shown : int
        How many of the likeliest words are named.
    progress : callable
        Goes through the pieces of what takes longest, for instance with a progress bar.

    Raises
    ------
    InvalidInput
        If a word of a phrase does not occur in the text, or the chain never says a phrase.
    """
    chain = WordChain(corpus, order, end)
    return Distances(
        end,
        len(chain.words),
        None if after is None else _after(chain, after, shown),
        None if between is None else _between(chain, *between, shown),
        remains(chain, shown, progress),
        _mass_of_frequent(chain.of_words(chain.counts / chain.counts.sum())),
        _reason(chain),
    )


def _after(chain: WordChain, phrase: str, shown: int) -> Context:
    law, keeps, anywhere = chain.after(phrase), chain.lasting(), chain.anywhere()
    far = chain.far(law)
    gaps = list(chain.differences(law, keeps, [m for n in DISTANCES for m in (n, n + 1)]))
    walks = zip(
        DISTANCES,
        chain.predictions(law, DISTANCES),
        chain.predictions(anywhere, DISTANCES),
        chain.differences(law, anywhere, DISTANCES),
        chain.endings(law, DISTANCES),
        gaps[::2],
        gaps[1::2],
        strict=True,
    )
    rows = [
        _row(
            chain,
            here,
            (n, None),
            shown,
            limit_tv=None if far.limit is None else _variation(gap),
            next_tv=_variation(gap - further),
            information=float(divergence(told, without, here)),
            ended=ended,
        )
        for n, here, without, told, ended, gap, further in walks
    ]
    return _context(chain, [phrase], rows, [], far, False, shown)


def _between(chain: WordChain, left: str, right: str, shown: int) -> Context:
    law, future = chain.after(left), chain.before(right)
    middle = Middle(chain, law, future)
    places = [(n, n) for n in DISTANCES] + [(n, LONG - n) for n in DISTANCES[:-1]]
    with_next = [*places, *((a + 1, b - 1) for a, b in places if b > 1)]
    found = zip(with_next, chain.bridges(law, future, with_next), strict=True)
    predictions = {place: here for place, here in found if here is not None}
    possible, gaps = list(predictions), {}
    if middle.far.limit is not None:
        gaps = dict(zip(possible, middle.gaps(possible), strict=True))
    spans = sorted({a + b for a, b in possible})
    ended = dict(zip(spans, chain.endings(law, spans, future), strict=True))
    rows, never = [], []
    for a, b in places:
        if (a, b) not in predictions:
            never.append((a, b))
            continue
        limit_tv, information = None, None
        if middle.far.limit is not None:
            limit_tv = _variation(gaps[a, b])
            information = float(divergence(gaps[a, b], middle.far.limit, predictions[a, b]))
        compared = gaps or predictions
        next_tv = _variation(compared[a, b] - compared[a + 1, b - 1]) if b > 1 else None
        rows.append(
            _row(
                chain,
                predictions[a, b],
                (a, b),
                shown,
                limit_tv=limit_tv,
                next_tv=next_tv,
                information=information,
                ended=ended[a + b],
            )
        )
    return _context(chain, [left, right], rows, never, middle.far, middle.rounded, shown)


def _context(
    chain: WordChain,
    phrases: list[str],
    rows: list[Row],
    never: list[tuple[int, int]],
    far: Far,
    rounded: bool,
    shown: int,
) -> Context:
    unknown = [word for phrase in phrases for word in chain.corpus.unknown(phrase)]
    a, b = DISTANCES[-2:]
    by_place = {row.left: row.limit_tv or 0.0 for row in rows if row.right in (None, row.left)}
    near, remote = by_place.get(a, 0.0), by_place.get(b, 0.0)
    there = min(near, remote) > (REACHED if rounded else 0.0)
    return Context(
        [_spelled(chain, phrase) for phrase in phrases],
        list(dict.fromkeys(unknown)),
        rows,
        never,
        _named(chain, far.limit, shown),
        far.rate,
        (remote / near) ** (1 / (b - a)) if there else None,
        (a, b) if there else None,
        rounded,
    )


def _reason(chain: WordChain) -> str | None:
    if chain.order > 1 or len(chain.words) > DECISION_STATES:
        return None
    symbols = [chain.vocabulary[word] for word in chain.words]
    p = MarkovChain(chain.anywhere(), chain.transition.toarray(), 2, symbols=symbols)
    return homogenization.decide(p).reason


def _row(
    chain: WordChain,
    prediction: np.ndarray,
    places: tuple[int, int | None],
    shown: int,
    *,
    limit_tv: float | None,
    next_tv: float | None,
    information: float | None,
    ended: float,
) -> Row:
    positive = prediction[prediction > 0]
    likeliest = _named(chain, prediction, shown)
    assert likeliest is not None
    return Row(
        *places,
        likeliest=likeliest,
        top_mass=float(prediction.max()),
        effective_vocabulary=float(np.exp(-(positive @ np.log(positive)))),
        limit_tv=limit_tv,
        next_tv=next_tv,
        information=information,
        ended=ended,
        frequent=_mass_of_frequent(prediction),
    )


def _named(
    chain: WordChain, prediction: np.ndarray | None, shown: int
) -> list[tuple[str, float]] | None:
    if prediction is None:
        return None
    order = np.argsort(-prediction, kind="stable")[:shown]
    return [(chain.vocabulary[i], float(prediction[i])) for i in order if prediction[i] > 0]


def _mass_of_frequent(prediction: np.ndarray) -> float:
    return float(prediction[: frequent_words(len(prediction))].sum())


def _spelled(chain: WordChain, phrase: str) -> str:
    return " ".join(chain.vocabulary[token] for token in chain.tokens(phrase))


def _variation(gap: np.ndarray) -> float:
    return float(np.abs(gap).sum()) / 2
