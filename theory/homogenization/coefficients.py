"""Contraction coefficients: the most by which one step of a chain can keep distributions apart."""

import math

import numpy as np

from theory._core.exact import all_rational
from theory._core.types import Number
from theory._markov.spectrum import largest
from theory.distributions import HiddenMarkovModel, MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.structure import structure

__all__ = ["birkhoff", "dobrushin"]


def dobrushin(p: MarkovChain | HiddenMarkovModel) -> Number:
    """The largest total variation between two rows of the (hidden) transition matrix.

    Each step shrinks the total variation between two distributions at least by this factor, so
    predictions after different contexts differ by at most its n-th power at distance n.
    (Dobrushin's coefficient, textbook.)

    Returns
    -------
    number
        From 0 (independent tokens) to 1; exact if `p` is. Over the states that are reached.

    >>> from theory import gallery
    >>> dobrushin(gallery.binary_symmetric(5, 0.25))
    0.5
    """
    s = structure(p, hidden=True)
    steps = s.among_reached(s.steps)
    if not p.exact:
        return float(max(np.abs(steps - row).sum(axis=1).max() for row in steps)) / 2
    return largest(
        [sum(abs(u - v) for u, v in zip(a, b, strict=True)) / 2 for a in steps for b in steps]
    )


def birkhoff(p: MarkovChain | HiddenMarkovModel) -> float:
    """Birkhoff's contraction coefficient of the (hidden) transition matrix.

    Each step, with any observation of the new state, shrinks Hilbert's projective distance
    between two filters at least by ``(1 - sqrt(phi)) / (1 + sqrt(phi))``, where phi is the least
    ``P_ik P_jl / (P_il P_jk)``. (Textbook.)

    Returns
    -------
    float
        1 where one state can be followed by a state that cannot follow another one.

    >>> from theory import gallery
    >>> birkhoff(gallery.binary_symmetric(5, 0.2))         # phi = 1/16
    0.6
    """
    s = structure(p, hidden=True)
    steps = s.among_reached(s.steps)
    steps = steps[:, (steps != 0).any(axis=0)]
    if (steps == 0).any():
        return 1.0
    if p.exact and not all_rational(steps):
        raise InvalidInput("which of these symbols is the least is not known")
    ratios = (row / steps for row in steps)
    least = float(min(min(ratio.min(axis=1) / ratio.max(axis=1)) for ratio in ratios))
    return (1 - math.sqrt(least)) / (1 + math.sqrt(least))
