"""The difference of a prediction between two phrases and its limit, to full relative accuracy.

With ``u`` what is known from the left, ``v`` from the right, and ``pi`` and ``h`` what they tend
to, the prediction at a site is ``u v`` and the limit ``pi h``, both normalised. Their difference is

    (pi + d)(h + e) - pi h  =  d h + pi e + d e,    d = u - pi,    e = v - h,

and ``d`` and ``e`` are followed themselves, site by site: they keep their relative accuracy where
``u`` and ``pi`` agree in all their digits.
"""

import math
from typing import Any

import numpy as np

from theory.text.word_chain import WordChain

__all__ = ["Middle"]

MAX_RATE = 0.9
"""Of chains that forget more slowly, predictions 50 sites away still differ visibly."""

REMAINDER = 1e-18
"""Powers of the chain approach the limits until so much of the difference should be left."""

LIMIT_TOL = 1e-13
"""The chain must map the limits to themselves up to this."""


class Middle:
    """Predictions between two observations and the limit far from both.

    Parameters
    ----------
    chain : WordChain
    start, future : (S,) arrays
        As `WordChain.after` and `WordChain.before` return them.

    Attributes
    ----------
    far : Far
    rounded : bool
        Whether `gap` is no more than the difference of two rounded predictions. It is if the chain
        forgets slowly (with a rate above 0.9), after finitely many sites or not at all.

    Examples
    --------
    200 sites from both ends the prediction is the limit in all its digits, and differs from it:

    >>> from theory.text.corpora import from_paragraphs
    >>> chain = WordChain(from_paragraphs(["to be or not to be", "to be is to do", "do be do"]))
    >>> start, future = chain.after("to"), chain.before("do")
    >>> middle = Middle(chain, start, future)
    >>> round(middle.far.rate, 4), middle.rounded
    (0.7293, False)
    >>> bool(abs(chain.bridge(start, future, 200, 200) - middle.far.limit).max() < 1e-14)
    True
    >>> bool(0 < abs(middle.gap(200, 200)).max() < 1e-25)
    True
    """

    def __init__(self, chain: WordChain, start: np.ndarray, future: np.ndarray) -> None:
        self.chain, self.start, self.future = chain, start, future
        self.far = chain.far(start, future)
        self.rounded = True
        if self.far.limit is None or not 0 < self.far.rate <= MAX_RATE:
            return
        among = chain.on_the_way(start, future)
        self._steps: Any = chain.transition[among][:, among]
        self._back: Any = self._steps.T.tocsr()
        self._words = chain.words[among]
        left, right = start[among], future[among]
        pi, root = self._limit(self._back, left)
        h = self._limit(self._steps, right)[0]
        self._root, self._pi, self._h = root, pi, h / (pi @ h)
        residuals = [
            np.abs(step @ limit / root - limit).sum() / limit.sum()
            for step, limit in ((self._back, self._pi), (self._steps, self._h))
        ]
        if max(residuals) < LIMIT_TOL:
            self.rounded = False
            self._from_left = left / (left @ self._h) - self._pi
            self._from_right = right / (right @ self._pi) - self._h

    def _limit(self, step: Any, start: np.ndarray) -> tuple[np.ndarray, float]:
        """What powers make of a start, summing to 1, and the factor of one more power."""
        here, factor = start / start.sum(), 1.0
        for _ in range(math.ceil(math.log(REMAINDER) / math.log(self.far.rate))):
            here = step @ here
            factor = float(here.sum())
            here = here / factor
        return here, factor

    def gap(self, left: int, right: int) -> np.ndarray:
        """Prediction minus limit at distances to both, shape (K,); there must be a limit.

        Raises
        ------
        InvalidInput
            If the two never stand at this distance from each other.
        """
        prediction = self.chain.bridge(self.start, self.future, left, right)
        if self.rounded:
            return prediction - self.far.limit
        pi, h, limit = self._pi, self._h, self._pi * self._h
        d, e = self._from_left, self._from_right
        for _ in range(left):
            d = self._back @ d / self._root
            # what rounding adds along the limit would not fade
            d = d - pi * (h @ d)
        for _ in range(right):
            e = self._steps @ e / self._root
            e = e - h * (pi @ e)
        change = d * h + pi * e + d * e
        total = change.sum()
        gap = (change - total * limit) / (1 + total)
        return np.bincount(self._words, gap, len(self.chain.vocabulary))
