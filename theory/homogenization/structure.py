"""The classes of a chain, where they lead, and the spectrum and stationary distribution of each."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory._core.arrays import to_host
from theory._core.exact import all_rational
from theory._core.types import Number
from theory._markov.classes import Classes, communicating_classes, possible
from theory._markov.spectrum import Spectrum, class_spectrum, is_nilpotent, largest
from theory._markov.stationary import absorption, stationary_distribution
from theory.distributions import HiddenMarkovModel, MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.decision import RecurrentClass, format_states

__all__ = ["Structure", "stationary", "structure"]


@dataclass(frozen=True, eq=False)
class Structure:
    """What the decisions are made from: the transition matrix on the host, its classes and spectra.

    Attributes
    ----------
    initial : (V,) array
    steps : (V, V) array
    classes : Classes
    recurrent : tuple of RecurrentClass
    """

    initial: np.ndarray
    steps: np.ndarray
    classes: Classes
    recurrent: tuple[RecurrentClass, ...]

    @property
    def one(self) -> Number:
        """1, as the steps hold it: a float, a Fraction or an expression."""
        return self.steps[0, 0] * 0 + 1

    @property
    def reached(self) -> np.ndarray:
        """The states that are reached, in increasing order."""
        return np.sort(np.concatenate(self.classes.states))

    def among_reached(self, matrix: np.ndarray) -> np.ndarray:
        """The part of a matrix (V, V) that belongs to the states that are reached."""
        return matrix[np.ix_(self.reached, self.reached)]

    def block(self, c: int) -> np.ndarray:
        """The steps within a class."""
        states = self.classes.states[c]
        return self.steps[np.ix_(states, states)]

    def spectra(self) -> list[Spectrum]:
        """The spectrum of each class."""
        recurrent = set(self.classes.recurrent)
        return [
            class_spectrum(self.block(c), period, recurrent=c in recurrent)
            for c, period in enumerate(self.classes.periods)
        ]

    def absorbed(self) -> np.ndarray:
        """Probability of ending in each recurrent class, shape (V, R); nan where not reached."""
        every = np.arange(len(self.steps), dtype=np.int64)
        exits = np.stack([np.isin(every, r.states) for r in self.recurrent], axis=1)
        shares = np.full(exits.shape, np.nan, dtype=self.steps.dtype)
        kept = exits.any(axis=1)
        shares[kept] = exits[kept].astype(np.int64)
        if self.steps.dtype.kind == "O" and all_rational(self.steps):
            shares[kept] = shares[kept] * Fraction(1)
        passing = np.setdiff1d(self.reached, np.flatnonzero(kept))
        if len(passing):
            leaving = [self.steps[passing][:, list(r.states)].sum(axis=1) for r in self.recurrent]
            inside = self.steps[np.ix_(passing, passing)]
            shares[passing] = absorption(inside, np.stack(leaving, axis=1))
        return shares

    def fading_rate(self, deviation: np.ndarray) -> Number:
        """The spectral radius of the steps minus their limit, if all classes are aperiodic."""
        recurrent, spectra = set(self.classes.recurrent), self.spectra()
        smaller = [spectrum.second for spectrum in spectra]
        smaller += [spectrum.root for c, spectrum in enumerate(spectra) if c not in recurrent]
        rate = largest(smaller)
        if deviation.dtype.kind == "O":
            return rate
        # rounding may put it above 1
        return 0.0 if is_nilpotent(deviation, rate) else min(rate, 1.0)

    def limits(self) -> np.ndarray:
        """Where every row of the powers tends if all classes are aperiodic, shape (V, V)."""
        ends = np.stack([r.stationary for r in self.recurrent])
        return (self.absorbed()[:, :, None] * ends[None, :, :]).sum(axis=1)


def structure(p: MarkovChain | HiddenMarkovModel, *, hidden: bool = False) -> Structure:
    """Decompose a chain, or if `hidden` may be also the hidden chain of a model.

    Raises
    ------
    InvalidInput
        If `p` is something else.
    """
    if not isinstance(p, (MarkovChain, HiddenMarkovModel) if hidden else MarkovChain):
        needed = "a MarkovChain or a HiddenMarkovModel" if hidden else "a MarkovChain"
        raise InvalidInput(f"p must be {needed}, got {type(p).__name__}")
    initial, steps = to_host(p.initial), to_host(p.transition)
    found = communicating_classes(possible(steps), possible(initial))
    recurrent = []
    for c in found.recurrent:
        states = found.states[c]
        kept = steps[0] * 0
        kept[states] = stationary_distribution(steps[np.ix_(states, states)])
        recurrent.append(RecurrentClass(tuple(states.tolist()), found.periods[c], kept))
    return Structure(initial, steps, found, tuple(recurrent))


def stationary(p: MarkovChain) -> np.ndarray:
    """The stationary distribution of a chain that ends in one class, shape (V,).

    Exact if the chain is, and accurate in each entry if it is not.

    Raises
    ------
    InvalidInput
        If `p` is no chain, or several recurrent classes can be reached.

    >>> from theory import gallery
    >>> stationary(gallery.end_of_text(5))
    array([0., 0., 1.])
    """
    recurrent = structure(p).recurrent
    if len(recurrent) != 1:
        raise InvalidInput(
            f"{len(recurrent)} recurrent classes can be reached, so there is no one stationary "
            f"distribution: {', '.join(format_states(r.states, p.symbols) for r in recurrent)}"
        )
    return recurrent[0].stationary
