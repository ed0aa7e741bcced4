"""The decision for a chain, from its recurrent classes and their periods.

After a token l the prediction at distance n is row l of P^n. Rows of neighbouring powers approach
each other if and only if every recurrent class that is reached is aperiodic: a class of period d
passes through d disjoint sets of tokens in turn, and an aperiodic one tends to its stationary
distribution. The limit is then the same after every token if and only if there is one such class.

`P^n - limit` is the n-th power of one matrix, whose spectral radius is therefore the rate. [ours,
from textbook theory of finite chains]
"""

from functools import partial

import numpy as np

from theory._markov.spectrum import is_nilpotent, largest
from theory.distributions import MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.decision import Decision
from theory.homogenization.rate_constant import asymptotic_constant
from theory.homogenization.reasons import far_away, never_alike, spelled
from theory.homogenization.structure import structure

__all__ = ["decide_chain", "stationary"]


def stationary(p: MarkovChain) -> np.ndarray:
    """The stationary distribution of a chain that ends in one class, shape (V,).

    Exact if the chain is, and accurate in each entry if it is not.

    Parameters
    ----------
    p : MarkovChain

    Raises
    ------
    InvalidInput
        If `p` is no chain, or several recurrent classes can be reached.

    >>> from theory import gallery
    >>> stationary(gallery.end_of_text(5))
    array([0., 0., 1.])
    """
    if not isinstance(p, MarkovChain):
        raise InvalidInput(
            f"a stationary distribution is that of a MarkovChain, got {type(p).__name__}"
        )
    first, *others = structure(p).recurrent
    if others:
        recurrent = (first, *others)
        raise InvalidInput(
            f"{len(recurrent)} recurrent classes can be reached, so there is no one stationary "
            f"distribution: {', '.join(spelled(r.states, p.symbols) for r in recurrent)}"
        )
    return first.stationary


def decide_chain(p: MarkovChain) -> Decision:
    """`decide` for a chain."""
    s = structure(p)
    for r in s.recurrent:
        if r.period > 1:
            one = s.steps[0, 0] * 0 + 1
            reason = never_alike(r, p.symbols)
            return Decision(False, False, one, None, None, s.recurrent, reason)
    limits, spectra = s.limits(), s.spectra()
    others = [spectrum.second for spectrum in spectra]
    kept = set(s.classes.recurrent)
    others += [spectrum.root for c, spectrum in enumerate(spectra) if c not in kept]
    inside = np.ix_(s.reached, s.reached)
    deviation = s.steps[inside] - limits[inside]
    rate = largest(others)
    if deviation.dtype.kind != "O":  # rounding may have put it above 1
        rate = 0.0 if is_nilpotent(deviation, rate) else min(rate, 1.0)
    forgets = len(s.recurrent) == 1
    return Decision(
        True,
        forgets,
        rate,
        s.recurrent[0].stationary if forgets else None,
        limits,
        s.recurrent,
        far_away(s.recurrent, p.symbols, rate),
        partial(asymptotic_constant, deviation, rate),
    )
