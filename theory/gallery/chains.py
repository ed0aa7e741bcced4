"""Markov and hidden Markov chains whose predictions far from the context behave differently."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.distributions.hidden_markov import HiddenMarkovModel
from theory.distributions.markov import MarkovChain
from theory.distributions.mixture import ProductMixture
from theory.validation.arguments import as_integer, as_real

__all__ = [
    "binary_symmetric",
    "end_of_text",
    "golden_mean_chain",
    "hidden_periodic",
    "periodic",
    "template",
    "two_classes",
]


def binary_symmetric(length: int, flip: Any, *, exact: bool = False) -> MarkovChain:
    """A uniform first bit, then each bit differs from the one before with probability `flip`.

    TC is ``(length - 1) (1 - h(flip))`` bits, with h the binary entropy in bits.

    >>> binary_symmetric(3, 0.25).denoise([0, -1, 0])[1]
    array([0.9, 0.1])
    """
    flip = _probability(flip, "flip", exact)
    half = _fraction(1, 2, exact)
    return MarkovChain([half, half], [[1 - flip, flip], [flip, 1 - flip]], length, exact=exact)


def golden_mean_chain(length: int) -> MarkovChain:
    """The stationary chain of bits without two adjacent ones that has the largest entropy rate.

    The Parry measure of the golden mean shift: after a zero comes a one with probability
    ``1 / phi^2``, after a one a zero, with ``phi = (1 + sqrt 5) / 2``. At both ends it differs from
    the uniform words of `golden_mean`. [textbook]

    >>> p = golden_mean_chain(64)
    >>> p.transition.round(4).tolist(), round(float(p.evidence([1, 1, *[-1] * 62])), 12)
    ([[0.618, 0.382], [1.0, 0.0]], 0.0)
    """
    phi = (1 + math.sqrt(5)) / 2
    ones = 1 / (1 + phi**2)
    return MarkovChain([1 - ones, ones], [[1 / phi, 1 / phi**2], [1, 0]], length)


def periodic(length: int, period: int = 2, choices: int = 1, *, exact: bool = False) -> MarkovChain:
    """A cycle of phases from a random one; each site holds any of the `choices` of its phase.

    Token ``k * choices + c`` is choice c of phase k. Predictions far from the context never become
    alike.

    >>> periodic(4, exact=True).denoise([0, -1, -1, -1])[1:, 0].tolist()
    [Fraction(0, 1), Fraction(1, 1), Fraction(0, 1)]
    """
    period, choices = as_integer(period, "period", 1), as_integer(choices, "choices", 1)
    steps = np.roll(np.eye(period, dtype=np.int64), 1, axis=1)
    transition = np.kron(steps, np.full((choices, choices), 1)) * _fraction(1, choices, exact)
    initial = np.ones(period * choices, np.int64) * _fraction(1, period * choices, exact)
    return MarkovChain(initial, transition, length, exact=exact)


def end_of_text(
    length: int, end: Any = Fraction(1, 8), words: int = 2, *, exact: bool = False
) -> MarkovChain:
    """Independent words, after each of which the text ends with probability `end`, for good.

    Token `words` is the end. Predictions far from the context become alike, and certain.

    >>> end_of_text(3, end=0.5).denoise([0, -1, -1])[:, 2]
    array([0.  , 0.5 , 0.75])
    """
    words, end = as_integer(words, "words", 1), _probability(end, "end", exact)
    row = np.asarray([*[(1 - end) / words] * words, end])
    over = np.asarray([*[end * 0] * words, end * 0 + 1])
    start = np.asarray([*[_fraction(1, words, exact)] * words, end * 0])
    return MarkovChain(start, np.stack([row] * words + [over]), length, exact=exact)


def two_classes(length: int, flip: Any = Fraction(1, 8), *, exact: bool = False) -> MarkovChain:
    """Two chains of bits, over tokens {0, 1} and {2, 3}, which the first token chooses between.

    Predictions far from the context become alike, but depend on the class.

    >>> two_classes(3).denoise([2, -1, -1])[1]
    array([0.   , 0.   , 0.875, 0.125])
    """
    flip = _probability(flip, "flip", exact)
    steps = np.asarray([[1 - flip, flip], [flip, 1 - flip]])
    transition = np.kron(np.eye(2, dtype=np.int64), steps)
    initial = np.ones(4, np.int64) * _fraction(1, 4, exact)
    return MarkovChain(initial, transition, length, exact=exact)


def template(length: int, period: int = 2, noise: float = 0.125) -> ProductMixture:
    """Independent sites: site i holds token ``i mod period``, with `noise` any other one.

    Predictions do not depend on the context at all, and neighbours never become alike.

    >>> template(3).marginals[:2]
    array([[0.875, 0.125],
           [0.125, 0.875]])
    """
    length, period = as_integer(length, "length", 1), as_integer(period, "period", 2)
    noise = as_real(noise, "noise", 0, 1)
    rows = np.full((period, period), noise / (period - 1))
    np.fill_diagonal(rows, 1 - noise)
    return ProductMixture([1.0], rows[np.arange(length) % period][None, ...])


def hidden_periodic(length: int, visible: float = 0.0) -> HiddenMarkovModel:
    """Two hidden phases that alternate; a bit equals its phase with probability (1 + visible)/2.

    At ``visible = 0`` the bits are fair and independent.

    >>> hidden_periodic(3, visible=1.0).denoise([0, -1, -1])[:, 0]
    array([1., 0., 1.])
    """
    visible = as_real(visible, "visible", 0, 1)
    emission = [[(1 + visible) / 2, (1 - visible) / 2], [(1 - visible) / 2, (1 + visible) / 2]]
    return HiddenMarkovModel([0.5, 0.5], [[0, 1], [1, 0]], emission, length)


def _fraction(numerator: int, denominator: int, exact: bool) -> Any:
    return Fraction(numerator, denominator) if exact else numerator / denominator


def _probability(value: Any, name: str, exact: bool) -> Any:
    """A checked float, or the exact number or symbol that it is."""
    if not exact:
        return as_real(value, name, 0, 1)
    return Fraction(value) if isinstance(value, int) else value
