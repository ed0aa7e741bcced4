"""What a chain of words predicts far from the words that are given, exactly.

The analogue, for a chain of real words, of asking a large model what it predicts far from its
prompt: at some distance after a phrase, and between two phrases at some distance from both.
"""

from dataclasses import dataclass

import numpy as np

from theory import MarkovChain, homogenization
from theory.distributions.corpora import Corpus
from theory.distributions.word_chain import End, WordChain
from theory.errors import InvalidInput

__all__ = [
    "DISTANCES",
    "FREQUENT_WORDS",
    "Context",
    "Distances",
    "Remains",
    "Row",
    "distances",
    "usual_phrases",
]

DISTANCES = (1, 2, 5, 10, 50)
"""At these distances predictions are shown."""

LONG = 100
"""Length of the gap of which the places near one end are shown."""

FREQUENT_WORDS = 20
"""The most frequent words, so many of them, stand for function words: no list is needed."""

CONTENT_LETTERS = 6
"""A frequent word of so many letters is likely to have a meaning of its own."""

DECISION_STATES = 600
"""Chains of order 1 with more states are not handed to `theory.homogenization`."""

SMALL = 1e-4
"""Smaller relative differences are summed as a series."""

CHUNK = 64
"""So many words of the text are followed at a time."""


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
    rows : list of Row
    never : list of (int, int)
        Distances at which the two phrases never stand.
    limit : list of (str, float) or None
        The likeliest words of the limit; None if there is none.
    rate : float
        From the eigenvalues: the difference to the limit shrinks like ``rate ** distance``.
    measured : float or None
        The factor by which it does shrink per site, between distances 10 and 50 after a phrase.
    """

    phrases: list[str]
    rows: list[Row]
    never: list[tuple[int, int]]
    limit: list[tuple[str, float]] | None
    rate: float
    measured: float | None


@dataclass(frozen=True)
class Remains:
    """What a word drawn from the text says about the word at a distance, in nats.

    Attributes
    ----------
    information : list of (int, float)
        At each distance the mean over the words drawn, which is the mutual information.
    of_end : list of (int, float)
        The part of it that is about whether the end stands there.
    felt : list of (str, float)
        The words that are felt most at distance 10, with their information.
    """

    information: list[tuple[int, float]]
    of_end: list[tuple[int, float]]
    felt: list[tuple[str, float]]


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


def distances(
    corpus: Corpus,
    after: str | None,
    between: tuple[str, str] | None,
    order: int = 1,
    end: End = "restart",
    shown: int = 4,
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

    Raises
    ------
    InvalidInput
        If the chain never says a phrase.
    """
    chain = WordChain(corpus, order, end)
    return Distances(
        end,
        len(chain.words),
        None if after is None else _after(chain, after, shown),
        None if between is None else _between(chain, *between, shown),
        _remains(chain, shown),
        _mass_of_frequent(chain.of_words(chain.counts / chain.counts.sum())),
        _reason(chain),
    )


def _after(chain: WordChain, phrase: str, shown: int) -> Context:
    law, keeps, anywhere = chain.after(phrase), chain.lasting(), chain.anywhere()
    far = chain.far(law)
    rows = []
    for n in DISTANCES:
        gap = chain.difference(law, keeps, n)
        further = chain.difference(law, keeps, n + 1)
        without = chain.predict(anywhere, n)
        rows.append(
            _row(
                chain,
                chain.predict(law, n),
                (n, None),
                shown,
                limit_tv=None if far.limit is None else _variation(gap),
                next_tv=_variation(gap - further),
                information=_divergence(chain.difference(law, anywhere, n), without),
                ended=chain.ended(law, n),
            )
        )
    measured = None
    near, remote = rows[-2].limit_tv, rows[-1].limit_tv
    if near and remote:
        measured = (remote / near) ** (1 / (DISTANCES[-1] - DISTANCES[-2]))
    return Context(
        [_spelled(chain, phrase)], rows, [], _named(chain, far.limit, shown), far.rate, measured
    )


def _between(chain: WordChain, left: str, right: str, shown: int) -> Context:
    law, future = chain.after(left), chain.before(right)
    far = chain.far(law, future)
    places = [(n, n) for n in DISTANCES] + [(n, LONG - n) for n in DISTANCES[:-1]]
    rows, never = [], []
    for a, b in places:
        try:
            here = chain.bridge(law, future, a, b)
        except InvalidInput:
            never.append((a, b))
            continue
        limit = far.limit
        rows.append(
            _row(
                chain,
                here,
                (a, b),
                shown,
                limit_tv=None if limit is None else _variation(here - limit),
                next_tv=_next(chain, here, law, future, a, b),
                information=None if limit is None else _divergence(here - limit, limit),
                ended=chain.ended(law, a + b, future),
            )
        )
    phrases = [_spelled(chain, left), _spelled(chain, right)]
    return Context(phrases, rows, never, _named(chain, far.limit, shown), far.rate, None)


def _next(
    chain: WordChain, here: np.ndarray, law: np.ndarray, future: np.ndarray, a: int, b: int
) -> float | None:
    if b == 1:
        return None
    return _variation(here - chain.bridge(law, future, a + 1, b - 1))


def _remains(chain: WordChain, shown: int) -> Remains:
    anywhere = chain.anywhere()
    chances = chain.of_words(anywhere)
    drawn = chances.nonzero()[0]
    told = {n: np.zeros(len(drawn)) for n in DISTANCES}
    of_end = {n: np.zeros(len(drawn)) for n in DISTANCES}
    for start in range(0, len(drawn), CHUNK):
        some = slice(start, start + CHUNK)
        laws = np.where(chain.words == drawn[some, None], anywhere, 0.0)
        laws = laws / laws.sum(axis=1, keepdims=True)
        for n in DISTANCES:
            gaps, without = chain.difference(laws, anywhere, n), chain.predict(anywhere, n)
            told[n][some] = [_divergence(gap, without) for gap in gaps]
            only = np.asarray([without[:-1].sum(), without[-1]])
            of_end[n][some] = [_divergence(gap * np.asarray([-1, 1]), only) for gap in gaps[:, -1:]]
    at_ten = told[DISTANCES[-2]]
    most = np.argsort(-at_ten, kind="stable")[:shown]
    return Remains(
        [(n, float(chances[drawn] @ told[n])) for n in DISTANCES],
        [(n, float(chances[drawn] @ of_end[n])) for n in DISTANCES],
        [(chain.vocabulary[drawn[i]], float(at_ten[i])) for i in most],
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
    return float(prediction[: min(FREQUENT_WORDS, len(prediction) - 2)].sum())


def _spelled(chain: WordChain, phrase: str) -> str:
    return " ".join(chain.vocabulary[token] for token in chain.tokens(phrase))


def _variation(gap: np.ndarray) -> float:
    return float(np.abs(gap).sum()) / 2


def _divergence(gap: np.ndarray, law: np.ndarray) -> float:
    """KL divergence in nats of ``law + gap`` from ``law``, accurate for small gaps too.

    >>> law = np.asarray([0.5, 0.5])
    >>> round(_divergence(np.asarray([0.5, -0.5]), law), 9)      # ln 2
    0.693147181
    >>> round(_divergence(np.asarray([1e-20, -1e-20]), law) * 1e40, 9)     # gap^2 / (2 law)
    2.0
    """
    from scipy.special import xlog1py

    there = law > 0
    if np.any(gap[~there] > 0):
        return float("inf")
    ratio = np.maximum(gap[there] / law[there], -1.0)
    series = ratio**2 / 2 - ratio**3 / 6 + ratio**4 / 12
    terms = np.where(np.abs(ratio) < SMALL, series, xlog1py(1 + ratio, ratio) - ratio)
    return float(law[there] @ terms)
