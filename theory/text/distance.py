"""Predictions of a chain of words far from the words that are given, and their information.

The exact analogue, for a chain of real words, of asking a large model what it predicts far from
its prompt: at some distance after a phrase, between two phrases at some distance from both, and
on average over the words of the text, as mutual information by distance.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from theory import MarkovChain, homogenization
from theory._core.arrays import within_memory
from theory.errors import InvalidInput
from theory.text.bridges import Middle
from theory.text.corpora import Corpus
from theory.text.word_chain import End, Far, WordChain

__all__ = [
    "DISTANCES",
    "Context",
    "Distances",
    "Influence",
    "Row",
    "distances",
    "divergence",
    "limit_variation",
    "usual_phrases",
]

DISTANCES = (1, 2, 5, 10, 50)
"""Distances from a phrase."""

WORD_DISTANCES = (1, 2, 3, 5, 10, 50)
"""Distances from a word that is drawn from the text."""

STRONGEST_AT = 10
"""The words of most influence are those that tell most at this distance."""

SPAN = 99
"""What the two distances sum to at sites near one end: an odd number, while two equal ones sum to
an even one, since some phrases stand at distances of one parity only."""

MAX_NAMED = 4
"""How many words are named, at most."""

FREQUENT_WORDS = 20
"""How many of the most frequent words stand for function words: no list is needed."""

CONTENT_LETTERS = 6
"""A frequent word with so many letters or more is likely a content word."""

MAX_DECIDED_STATES = 600
"""Chains of order 1 with more states are not handed to `theory.homogenization`."""

ROUNDED_TOL = 1e-10
"""If a total variation may be rounding, none below this is compared with another."""

SERIES_BELOW = 1e-4
"""Smaller relative differences are summed as a series."""

TIE_TOL = 1e-12
"""Probabilities whose relative difference is at most this count as equal."""

CHUNK = 64
"""How many words of the text are followed at a time."""


@dataclass(frozen=True)
class Row:
    """The prediction at one site, and what it is compared with. Information is in nats.

    Attributes
    ----------
    left, right : int, int or None
        Distances to the phrases; None where there is none on the right.
    likeliest : list of (str, float)
        The likeliest words, the end and the unknown among them, with their probabilities.
    effective_vocabulary : float
        The exponential of the entropy.
    frequent : float
        Probability of the most frequent words.
    limit_tv, next_tv : float or None
        Total variation to the limit, and to the prediction one site further from the phrase on
        the left; None where there is no limit, and where that site is given.
    information : float or None
        KL divergence of this prediction from the one that knows no phrase: at this distance from
        a random place of the text or, between two phrases, the limit.
    ended : float
        Probability that the end of a text stands between the phrase on the left and this site, or
        the site itself is one; between two phrases, that one stands anywhere between them.
    """

    left: int
    right: int | None
    likeliest: list[tuple[str, float]]
    effective_vocabulary: float
    frequent: float
    limit_tv: float | None
    next_tv: float | None
    information: float | None
    ended: float


@dataclass(frozen=True)
class Context:
    """What is predicted after a phrase, or between two.

    Attributes
    ----------
    phrases : list of str
        One phrase, or two, as they are known to the chain.
    read_as_unknown : list of str
        Words of the phrases that the text has, but the vocabulary lacks.
    rows : list of Row
    never : list of (int, int)
        Distances at which the two phrases never stand.
    limit : list of (str, float) or None
        The likeliest words of the limit; None if there is none.
    rate : float
        From the eigenvalues: the difference to the limit shrinks like ``rate ** distance``.
    measured : float or None
        The factor by which its total variation does shrink per site, between distances 10 and 50.
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
    rounded: bool


@dataclass(frozen=True)
class Influence:
    """What a word drawn from the text says about the word at a distance.

    The end of a text is drawn like a word, unless it stays (see `WordChain.anywhere`). Of which
    kind the likeliest prediction is, is given as shares of the words drawn; of equally likely
    words the one that is more frequent in the text counts.

    Attributes
    ----------
    distance : int
    mutual_information : float
        In nats.
    about_end : float
        The part of it that is about whether the end stands there.
    frequent, unknown, end, other : float
        One of the most frequent words is the likeliest; `UNKNOWN`; `END`; any other word.
    frequent_of_words : float or None
        One of the most frequent words is, if `UNKNOWN` and `END` are left out: among the words
        drawn that some other word can follow at this distance. None if there are none.
    """

    distance: int
    mutual_information: float
    about_end: float
    frequent: float
    unknown: float
    end: float
    other: float
    frequent_of_words: float | None


@dataclass(frozen=True)
class Distances:
    """All of it, for one chain.

    Attributes
    ----------
    end : str
    states : int
    after, between : Context or None
    influence : list of Influence
    strongest : list of (str, float)
        The words that tell most about the word at distance 10, with their information in nats.
    frequent : float
        Share of the most frequent words in the text, its ends included.
    reason : str or None
        What `theory.homogenization.decide` says of the chain, if it is small enough.
    """

    end: End
    states: int
    after: Context | None
    between: Context | None
    influence: list[Influence]
    strongest: list[tuple[str, float]]
    frequent: float
    reason: str | None


def limit_variation(rows: list[Row]) -> dict[int, float]:
    """Total variation to the limit by distance from the phrase, or from both; 0 without a limit."""
    return {row.left: row.limit_tv or 0.0 for row in rows if row.right in (None, row.left)}


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
    progress: Callable[[range], Iterable[int]] = iter,
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
    progress : callable
        Goes through the pieces of what takes longest, for instance with a progress bar.

    Raises
    ------
    InvalidInput
        If a word of a phrase does not occur in the text, or the chain never says a phrase.
    """
    chain = WordChain(corpus, order, end)
    influence, strongest = _influence(chain, progress)
    reason = None
    if order == 1 and len(chain.words) <= MAX_DECIDED_STATES:
        symbols = [chain.vocabulary[word] for word in chain.words]
        p = MarkovChain(chain.anywhere(), chain.transition.toarray(), 2, symbols=symbols)
        reason = homogenization.decide(p).reason
    return Distances(
        end,
        len(chain.words),
        None if after is None else _after(chain, after),
        None if between is None else _between(chain, *between),
        influence,
        strongest,
        _mass_of_frequent(chain.of_words(chain.counts / chain.counts.sum())),
        reason,
    )


# ---- from phrases ---------------------------------------------------------------------------


def _after(chain: WordChain, phrase: str) -> Context:
    start, lasting, anywhere = chain.after(phrase), chain.lasting(), chain.anywhere()
    far = chain.far(start)
    rows = []
    for n in DISTANCES:
        here, without = chain.predict(start, n), chain.predict(anywhere, n)
        # followed themselves: predictions far away are rounded, their differences are not
        gap, further = (chain.difference(start, lasting, m) for m in (n, n + 1))
        told = divergence(chain.difference(start, anywhere, n), without, here)
        row = Row(
            n,
            None,
            *_shape(chain, here),
            limit_tv=None if far.limit is None else _variation(gap),
            next_tv=_variation(gap - further),
            information=float(told),
            ended=chain.ended(start, n),
        )
        rows.append(row)
    return _context(chain, [phrase], rows, [], far, False)


def _between(chain: WordChain, left: str, right: str) -> Context:
    start, future = chain.after(left), chain.before(right)
    middle = Middle(chain, start, future)
    limit = middle.far.limit
    # gaps are more accurate, where there is a limit
    followed = partial(chain.bridge, start, future) if limit is None else middle.gap
    rows, never = [], []
    for a, b in [(n, n) for n in DISTANCES] + [(n, SPAN - n) for n in DISTANCES[:-1]]:
        try:
            here = chain.bridge(start, future, a, b)
        except InvalidInput:
            never.append((a, b))
            continue
        gap = followed(a, b)
        row = Row(
            a,
            b,
            *_shape(chain, here),
            limit_tv=None if limit is None else _variation(gap),
            next_tv=_variation(gap - followed(a + 1, b - 1)) if b > 1 else None,
            information=None if limit is None else float(divergence(gap, limit, here)),
            ended=chain.ended(start, a + b, future),
        )
        rows.append(row)
    return _context(chain, [left, right], rows, never, middle.far, middle.rounded)


def _context(
    chain: WordChain,
    phrases: list[str],
    rows: list[Row],
    never: list[tuple[int, int]],
    far: Far,
    rounded: bool,
) -> Context:
    unknown = [word for phrase in phrases for word in chain.corpus.unknown(phrase)]
    a, b = DISTANCES[-2:]
    at = limit_variation(rows)
    measured = None
    if min(at.get(a, 0.0), at.get(b, 0.0)) > (ROUNDED_TOL if rounded else 0.0):
        measured = (at[b] / at[a]) ** (1 / (b - a))
    return Context(
        [" ".join(chain.vocabulary[t] for t in chain.tokens(phrase)) for phrase in phrases],
        list(dict.fromkeys(unknown)),
        rows,
        never,
        None if far.limit is None else _named(chain, far.limit),
        far.rate,
        measured,
        rounded,
    )


def _shape(
    chain: WordChain, prediction: np.ndarray
) -> tuple[list[tuple[str, float]], float, float]:
    """Likeliest words, effective vocabulary and probability of frequent words."""
    positive = prediction[prediction > 0]
    effective = float(np.exp(-(positive @ np.log(positive))))
    return _named(chain, prediction), effective, _mass_of_frequent(prediction)


def _named(chain: WordChain, prediction: np.ndarray) -> list[tuple[str, float]]:
    order = np.argsort(-prediction, kind="stable")[:MAX_NAMED]
    return [(chain.vocabulary[i], float(prediction[i])) for i in order if prediction[i] > 0]


def _mass_of_frequent(prediction: np.ndarray) -> float:
    return float(prediction[:-2][:FREQUENT_WORDS].sum())


def _variation(gap: np.ndarray) -> float:
    return float(np.abs(gap).sum()) / 2


# ---- from words that are drawn --------------------------------------------------------------


def _influence(
    chain: WordChain, progress: Callable[[range], Iterable[int]]
) -> tuple[list[Influence], list[tuple[str, float]]]:
    """Follow every word of the text; the influence by distance, and the strongest words."""
    anywhere = chain.anywhere()
    probabilities = chain.of_words(anywhere)
    drawn = probabilities.nonzero()[0]
    without = list(chain.predictions(anywhere, WORD_DISTANCES))
    unknown, end = len(chain.vocabulary) - 2, len(chain.vocabulary) - 1
    frequent = min(FREQUENT_WORDS, unknown)
    per_word = np.zeros((len(WORD_DISTANCES), 8, len(drawn)))
    for start in progress(range(0, len(drawn), CHUNK)):
        some = slice(start, start + CHUNK)
        weights = np.where(chain.words == drawn[some, None], anywhere, 0.0)
        starts = weights / weights.sum(axis=1, keepdims=True)
        # followed twice: a prediction far away is rounded, the difference of two is not
        gaps = chain.differences(starts, anywhere, WORD_DISTANCES)
        followed = chain.predictions(starts, WORD_DISTANCES)
        for k, (other, gap, here) in enumerate(zip(without, gaps, followed, strict=True)):
            ends, other_ends = (
                np.stack([words[..., :-1].sum(axis=-1), words[..., -1]], axis=-1)
                for words in (here, other)
            )
            first, words = _likeliest(here), here[:, :-2]
            spoken = words.any(axis=1)
            per_word[k, :, some] = [
                divergence(gap, other, here),
                divergence(gap[:, -1:] * np.asarray([-1, 1]), other_ends, ends),
                first < frequent,
                first == unknown,
                first == end,
                (first >= frequent) & (first < unknown),
                spoken & (_likeliest(words) < frequent),
                spoken,
            ]
    found = []
    for n, means in zip(WORD_DISTANCES, (per_word @ probabilities[drawn]).tolist(), strict=True):
        of_words, spoken = means[6:]
        share = of_words / spoken if spoken else None
        found.append(Influence(n, *means[:6], frequent_of_words=share))
    told = per_word[WORD_DISTANCES.index(STRONGEST_AT), 0]
    most = np.argsort(-told, kind="stable")[:MAX_NAMED]
    return found, [(chain.vocabulary[drawn[i]], float(told[i])) for i in most]


def _likeliest(predictions: np.ndarray) -> np.ndarray:
    """The first of the likeliest words of each prediction."""
    return (predictions >= predictions.max(axis=1, keepdims=True) * (1 - TIE_TOL)).argmax(axis=1)


def divergence(gap: np.ndarray, other: np.ndarray, here: np.ndarray) -> np.ndarray:
    """KL divergence in nats of a prediction from another, accurate for small differences too.

    The `gap` is the prediction `here` minus the `other` one, as accurate as it is known; `gap` and
    `here` have shape (K,) or (B, K). The divergence is infinite where `here` allows what `other`
    does not. `here` decides that: it is a sum of products, and positive only where something is
    possible, while of a gap of nothing rounding may leave 1e-17 of either sign.

    >>> half = np.asarray([0.5, 0.5])
    >>> round(float(divergence(np.asarray([0.5, -0.5]), half, np.asarray([1, 0]))), 9)      # ln 2
    0.693147181
    >>> round(float(divergence(np.asarray([1e-20, -1e-20]), half, half)) * 1e40, 9)  # sum gap^2
    2.0
    """
    from scipy.special import xlog1py

    there = other > 0
    ratio = np.maximum(np.compress(there, gap, axis=-1) / other[there], -1.0)
    series = ratio**2 / 2 - ratio**3 / 6 + ratio**4 / 12
    terms = np.where(np.abs(ratio) < SERIES_BELOW, series, xlog1py(1 + ratio, ratio) - ratio)
    # row by row, so that a row gives the same among any others
    found = (other[there] * terms).sum(axis=-1)
    return np.where(np.any(here[..., ~there] > 0, axis=-1), np.inf, found)[()]
