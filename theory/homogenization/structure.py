"""A chain taken apart: its classes, where they lead, and the spectrum of each."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.arrays import to_host
from theory._core.exact import all_rational
from theory._markov.classes import Classes, communicating_classes, possible
from theory._markov.spectrum import Spectrum, class_spectrum
from theory._markov.stationary import absorption, stationary_distribution
from theory.distributions import HiddenMarkovModel, MarkovChain
from theory.homogenization.decision import RecurrentClass

__all__ = ["Structure", "decompose", "structure"]


@dataclass(frozen=True, eq=False)
class Structure:
    """What the decisions are made from: the steps on the host, their classes and spectra.

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
    def reached(self) -> np.ndarray:
        """The states that are reached, in increasing order."""
        return np.sort(np.concatenate(self.classes.states))

    def block(self, c: int) -> np.ndarray:
        """The steps within a class."""
        states = self.classes.states[c]
        return self.steps[np.ix_(states, states)]

    def spectra(self) -> list[Spectrum]:
        """The spectrum of each class."""
        found, recurrent = self.classes, set(self.classes.recurrent)
        return [
            class_spectrum(self.block(c), found.periods[c], recurrent=c in recurrent)
            for c in range(len(found.states))
        ]

    def absorbed(self) -> np.ndarray:
        """The chance of ending in each recurrent class, shape (V, R); nan where not reached."""
        exits = np.stack([one_hot(r.states, len(self.steps)) for r in self.recurrent], axis=1)
        shares = np.full(exits.shape, np.nan, dtype=self.steps.dtype)
        kept = exits.any(axis=1)
        shares[kept] = exits[kept].astype(np.int64)
        if self.steps.dtype.kind == "O" and all_rational(self.steps):
            shares[kept] = shares[kept] * Fraction(1)
        inner = np.setdiff1d(self.reached, np.flatnonzero(kept))
        if len(inner):
            leaving = [self.steps[inner][:, list(r.states)].sum(axis=1) for r in self.recurrent]
            inside = self.steps[np.ix_(inner, inner)]
            shares[inner] = absorption(inside, np.stack(leaving, axis=1))
        return shares

    def limits(self) -> np.ndarray:
        """Where every row of the powers tends if all classes are aperiodic, shape (V, V)."""
        shares = self.absorbed()
        laws = np.stack([r.stationary for r in self.recurrent])
        return (shares[:, :, None] * laws[None, :, :]).sum(axis=1)


def one_hot(states: Any, size: int) -> np.ndarray:
    """Which of `size` states are among `states`."""
    return np.isin(np.arange(size), states)


def structure(p: MarkovChain | HiddenMarkovModel) -> Structure:
    """Take a chain, or the hidden chain of a model, apart."""
    return decompose(to_host(p.initial), to_host(p.transition))


def decompose(initial: np.ndarray, steps: np.ndarray) -> Structure:
    """Take a chain apart that is given by host arrays."""
    found = communicating_classes(possible(steps), possible(initial))
    recurrent = []
    for c in found.recurrent:
        states = found.states[c]
        law = steps[0] * 0
        law[states] = stationary_distribution(steps[np.ix_(states, states)])
        recurrent.append(RecurrentClass(tuple(states.tolist()), found.periods[c], law))
    return Structure(initial, steps, found, tuple(recurrent))
