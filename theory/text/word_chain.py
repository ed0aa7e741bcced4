"""A text as a chain of words that remembers one word or two, at any distance.

What comes after a word depends on it alone (order 1), or on it and the one before it (order 2).
A chain of order 2 is a chain of order 1 on the pairs that occur in the text: thousands of states,
of which each leads to a few, so that the transition matrix is sparse. Predictions are exact: they
are sums over all ways in which the chain can go on, and nothing is drawn.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from theory._core.plurals import counted
from theory._markov.sparse_spectrum import Limit, power_limit
from theory.errors import InvalidInput
from theory.text.corpora import END, Corpus
from theory.validation.arguments import as_integer

__all__ = ["End", "Far", "WordChain"]

End = Literal["restart", "absorbing"]
"""What follows the end of a text: the next one, or nothing but the end."""


class Far(NamedTuple):
    """What predictions tend to, far away.

    Attributes
    ----------
    limit : (K,) array or None
        The prediction in the limit; None if there is none.
    rate : float
        The difference to the limit shrinks like ``rate ** distance`` (or faster, for some
        contexts): 0 if it vanishes, 1 if predictions have no limit or reach it more slowly. 0
        without a limit if two observations never stand far from each other.
    """

    limit: np.ndarray | None
    rate: float

    def __repr__(self) -> str:
        limit = "no limit" if self.limit is None else f"a limit over {len(self.limit)} words"
        return f"<Far: {limit}, rate {self.rate:.4g}>"


class WordChain:
    """The words of a text as a chain of order 1 or 2.

    Parameters
    ----------
    corpus : Corpus
    order : int
        How many words the chain remembers, 1 or 2. After the end of a paragraph nothing of it is
        remembered.
    end : {"restart", "absorbing"}
        Whether the end of a paragraph is followed by the start of one, as in texts that are
        packed one after another, or by nothing but the end.

    Attributes
    ----------
    corpus : Corpus
    vocabulary : tuple of str, length K
    words : (S,) array of int64
        The word of each state, an index into the vocabulary. Only what occurs in the text is a
        state; the last one is the end.
    counts : (S,) array of int64
        How often each state occurs in the text.
    transition : SciPy sparse array, shape (S, S)

    Raises
    ------
    InvalidInput
        If the order is neither 1 nor 2, or `end` is none of its two values.

    Examples
    --------
    "a" is followed by "rose" twice and by "cat" once, and both go on from there:

    >>> from theory.text.corpora import from_paragraphs
    >>> chain = WordChain(from_paragraphs(["A rose is a rose.", "A cat!"]), end="absorbing")
    >>> chain
    <WordChain of the text: order 1, 5 states, end='absorbing'>
    >>> chain.far(chain.after("a"))     # the end; until then, "rose" leads on to another rose
    <Far: a limit over 6 words, rate 0.6934>
    >>> chain.vocabulary
    ('a', 'rose', 'cat', 'is', '<unknown>', '<end>')
    >>> chain.predict(chain.after("a"), 2).round(3)     # rose is, rose END, cat END
    array([0.   , 0.   , 0.   , 0.333, 0.   , 0.667])
    >>> chain.bridge(chain.after("a"), chain.before("a"), 1, 2)     # a ? ? a
    array([0., 1., 0., 0., 0., 0.])

    With two words remembered, only "rose" follows "is a":

    >>> chain = WordChain(from_paragraphs(["A rose is a rose.", "A cat!"]), order=2)
    >>> chain.predict(chain.after("is a"), 1)
    array([0., 1., 0., 0., 0., 0.])
    """

    def __init__(self, corpus: Corpus, order: int = 1, end: End = "restart") -> None:
        from scipy.sparse import csr_array

        self.order = as_integer(order, "order", 1)
        if order > 2:
            raise InvalidInput(f"order must be 1 or 2, got {order}")
        if end not in get_args(End):
            raise InvalidInput(f"end must be one of {', '.join(get_args(End))}, got {end!r}")
        self.end: End = end
        self.corpus = corpus
        self.vocabulary = corpus.vocabulary
        size = len(corpus.vocabulary)
        source, target, times = _word_steps(corpus) if order == 1 else _pair_steps(corpus)
        states, index = np.unique(np.stack([source, target]), return_inverse=True)
        # the walk through the text is closed, so that every state is left as often as entered
        source, target = index.reshape(2, -1)
        self.words = states % size
        self.counts = np.bincount(source, times).astype(np.int64)
        probabilities = times / self.counts[source]
        last = len(states) - 1
        if end == "absorbing":
            going = source != last
            source, target = np.append(source[going], last), np.append(target[going], last)
            probabilities = np.append(probabilities[going], 1.0)
        shape = (len(states), len(states))
        self.transition: Any = csr_array((probabilities, (source, target)), shape)
        self._back: Any = self.transition.T.tocsr()
        spelling = (np.ones(len(states)), (self.words, np.arange(len(states))))
        self._spelling: Any = csr_array(spelling, (size, len(states)))
        self._limits: dict[bytes, Limit] = {}

    def __repr__(self) -> str:
        states = counted(len(self.words), "state")
        return f"<WordChain of {self.corpus.name}: order {self.order}, {states}, end={self.end!r}>"

    # ---- what is observed ---------------------------------------------------------------

    def tokens(self, phrase: str) -> tuple[int, ...]:
        """Return the words of a phrase, as `Corpus.tokens` does.

        Raises
        ------
        InvalidInput
            If there is no word in it or one that does not occur in the text.
        """
        return self.corpus.tokens(phrase)

    def anywhere(self) -> np.ndarray:
        """Distribution over states at a random place of the text, shape (S,).

        The end of a paragraph is a place like any other if the next one follows; if nothing
        follows, only words are drawn. With `end="restart"` the chain keeps this distribution.
        """
        weights = self.counts.astype(np.float64)
        if self.end == "absorbing":
            weights[-1] = 0.0
        return weights / weights.sum()

    def after(self, phrase: str) -> np.ndarray:
        """Distribution over states right after a phrase, wherever it occurs, shape (S,).

        With one word this is the word itself (order 1) or the pairs that end in it, as frequent
        as they are (order 2). Each further word is predicted and then observed. A phrase may begin
        or end with `END`.

        Raises
        ------
        InvalidInput
            If the chain never says this.
        """
        first, *others = self.tokens(phrase)
        # a text that is over for good is in no random place of the text
        before = self.lasting() if self.vocabulary[first] == END else self.anywhere()
        start = self._observed(before, first, phrase)
        for token in others:
            start = self._observed(self._back @ start, token, phrase)
        return start

    def before(self, phrase: str) -> np.ndarray:
        """Probability of a phrase, given the state at its first word, shape (S,).

        Raises
        ------
        InvalidInput
            If the chain never says this.
        """
        *others, last = self.tokens(phrase)
        future = (self.words == last).astype(np.float64)
        for token in reversed(others):
            future = np.where(self.words == token, self.transition @ future, 0.0)
        self._refuse(future, phrase)
        return future

    def _observed(self, states: np.ndarray, token: int, phrase: str) -> np.ndarray:
        """The distribution over states once their word is observed."""
        weights = np.where(self.words == token, states, 0.0)
        self._refuse(weights, phrase)
        return weights / weights.sum()

    def _refuse(self, weights: np.ndarray, phrase: str) -> None:
        if weights.any():
            return
        words = [self.vocabulary[token] for token in self.tokens(phrase)]
        said = " ".join(words)
        over = self.end == "absorbing" and END in words[:-1]
        raise InvalidInput(
            f"the chain of order {self.order} never says {said!r}"
            + (f" ({phrase!r})" if said != phrase else "")
            + (f": an absorbing {END} is followed by {END} only" if over else "")
        )

    # ---- predictions --------------------------------------------------------------------

    def of_words(self, states: np.ndarray) -> np.ndarray:
        """Sum over the states of each word: from shape (S,) or (B, S) to (K,) or (B, K)."""
        return (self._spelling @ states.T).T

    def predict(self, start: np.ndarray, distance: int) -> np.ndarray:
        """Prediction of the word at a distance to the right, shape (..., K).

        Parameters
        ----------
        start : (S,) or (B, S) array
            Distributions over states at distance 0, as `after` returns them.
        """
        return next(self.predictions(start, [distance]))

    def predictions(self, start: np.ndarray, distances: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield the predictions at distances that grow, each as `predict` returns it."""
        return self._followed(lambda states: self._back @ states, start, distances)

    def difference(self, start: np.ndarray, other: np.ndarray, distance: int) -> np.ndarray:
        """Difference of two predictions at a distance, shape (..., K).

        The difference itself is followed step by step. It keeps its relative accuracy where the
        predictions agree in all their digits.

        Parameters
        ----------
        start : (S,) or (B, S) array
        other : (S,) array
        """
        return next(self.differences(start, other, [distance]))

    def differences(
        self, start: np.ndarray, other: np.ndarray, distances: Iterable[int]
    ) -> Iterator[np.ndarray]:
        """Yield the differences at distances that grow, each as `difference` returns it."""
        keeps = self.lasting()

        def step(gap: np.ndarray) -> np.ndarray:
            gap = self._back @ gap
            # what rounding adds to the sum would not fade
            return gap - np.multiply.outer(keeps, gap.sum(axis=0))

        return self._followed(step, start - other, distances)

    def _followed(
        self, step: Callable[[np.ndarray], np.ndarray], start: np.ndarray, distances: Iterable[int]
    ) -> Iterator[np.ndarray]:
        states, gone = start.T, 0
        for distance in distances:
            for _ in range(as_integer(distance, "distance", gone) - gone):
                states = step(states)
            gone = distance
            yield self.of_words(states.T)

    def lasting(self) -> np.ndarray:
        """The distribution over states that the chain keeps, shape (S,)."""
        if self.end == "restart":
            return self.anywhere()
        return (np.arange(len(self.words)) == len(self.words) - 1).astype(np.float64)

    def ended(self, start: np.ndarray, distance: int, future: np.ndarray | None = None) -> float:
        """Probability that the end stands at one of the next sites, up to a distance or before it.

        Parameters
        ----------
        start : (S,) array
        future : (S,) array, optional
            As `before` returns it: what is observed at that distance. Then the end has to stand
            before it; what is observed there, and may be the end, does not count.

        Raises
        ------
        InvalidInput
            If the future is impossible.
        """
        # Both are sums of products, and nothing cancels: what is impossible stays exactly zero.
        going, over = start, np.zeros_like(start)  # before the end; with an end on the way
        for step in range(as_integer(distance, "distance", 0)):
            if step:
                over[-1] += going[-1]
                going[-1] = 0.0
            going, over = self._back @ going, self._back @ over
        if future is None:
            ended, alive = over.sum(), going.sum()
            if distance:
                ended, alive = ended + going[-1], going[:-1].sum()
        else:
            ended, alive = over @ future, going @ future
        if ended + alive == 0.0:
            raise InvalidInput(f"the chain never says this at distance {distance}")
        return float(ended / (ended + alive))

    def bridge(self, start: np.ndarray, future: np.ndarray, left: int, right: int) -> np.ndarray:
        """Prediction of the word between two observations, shape (K,).

        Parameters
        ----------
        start, future : (S,) arrays
            As `after` and `before` return them.
        left, right : int
            Distances to the two.

        Raises
        ------
        InvalidInput
            If the two never stand at this distance from each other.
        """
        for _ in range(as_integer(left, "left", 0)):
            start = self._back @ start
        for _ in range(as_integer(right, "right", 0)):
            future = self.transition @ future
            future = future / (future.max() or 1.0)
        weights = start * future
        if not weights.any():
            raise InvalidInput(f"the chain never says this at distance {left + right}")
        return self.of_words(weights / weights.sum())

    # ---- far away -----------------------------------------------------------------------

    def far(self, start: np.ndarray, future: np.ndarray | None = None) -> Far:
        """Find what predictions after an observation, or between two, tend to, and how fast.

        After one observation the chain ends up where it stays: in the text's own frequencies, or
        in the end, which leaves the rate to the words. Between two observations that are far
        from each other the end cannot have come if it stays; then the limit is the
        *quasi-stationary* distribution of what is still going on and will go on.

        Parameters
        ----------
        start : (S,) array
            As `after` returns it.
        future : (S,) array, optional
            As `before` returns it.
        """
        among = self.on_the_way(start, future)
        if not len(among):
            return Far(None, 0.0)
        key = among.tobytes()
        if key not in self._limits:
            self._limits[key] = power_limit(self.transition[among][:, among])
        found = self._limits[key]
        if found.distribution is None:
            return Far(None, found.rate)
        limit = np.zeros(len(self.words))
        limit[among] = found.distribution
        return Far(self.of_words(limit), found.rate)

    def on_the_way(self, start: np.ndarray, future: np.ndarray | None = None) -> np.ndarray:
        """States that can follow an observation and, if there are two, precede the other one.

        Takes what `far` takes, and returns the numbers of the states, growing.
        """
        states = self._reachable(self._back, start)
        if future is not None:
            states = states & self._reachable(self.transition, future)
        return np.flatnonzero(states)

    def _reachable(self, step: Any, start: np.ndarray) -> np.ndarray:
        """Where any number of steps makes a positive number out of those at the start."""
        seen, new = start > 0, start > 0
        while new.any():
            new = (step @ new.astype(np.float64) > 0) & ~seen
            seen = seen | new
        return seen


def _word_steps(corpus: Corpus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every step of the text, from a word to the next, with how often it is taken."""
    source, target = corpus.pairs.nonzero()
    starts = corpus.starts.nonzero()[0]
    end = np.full_like(starts, len(corpus.vocabulary) - 1)
    times = np.concatenate([corpus.pairs[source, target], corpus.starts[starts]])
    return np.concatenate([source, end]), np.concatenate([target, starts]), times


def _pair_steps(corpus: Corpus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every step of the text, from a pair to the next; the end is one state, the last one.

    The pair ``(u, v)`` has the number ``u K + v``, so the word is the remainder.
    """
    size = len(corpus.vocabulary)
    end = size - 1
    over = end * size + end
    first, second, third, times = corpus.triples.T
    starts = corpus.starts.nonzero()[0]
    source = np.concatenate([first * size + second, np.full_like(starts, over)])
    going = np.where(third == end, over, second * size + third)
    target = np.concatenate([going, end * size + starts])
    return source, target, np.concatenate([times, corpus.starts[starts]])
