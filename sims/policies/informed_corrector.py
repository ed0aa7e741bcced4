"""Correctors that choose the site to draw again by what is written there."""

import math
from fractions import Fraction
from typing import Literal

import numpy as np

from sims.policies.base import Decoder, Select
from sims.policies.gibbs_corrector import GibbsCorrector
from sims.policies.scores import FREE_SYMBOLS
from theory._core import exact as exact_numbers
from theory._core.arrays import array_namespace, device, is_exact, log, softmax
from theory._core.segments import any_true
from theory._core.types import Array
from theory.errors import InvalidInput
from theory.validation.arguments import as_real

__all__ = ["InformedCorrector", "Repair", "Selection"]

Selection = Literal["confidence", "current", "margin", "random"]
SELECTIONS: tuple[Selection, ...] = ("confidence", "current", "margin", "random")

Repair = Literal["stay", "accept"]
REPAIRS: tuple[Repair, ...] = ("stay", "accept")


class InformedCorrector(GibbsCorrector):
    """After `inner` has written everything, draw one site again, chosen by how doubtful it is.

    The site is drawn with probabilities ``w_i(x)``, then its token from ``p(x_i | x_-i)``. That
    takes the data p to

        ``p(x) sum_i E[w_i(X) | X_-i = x_-i]``

    so it leaves them as they are iff the sum is 1 wherever p is positive, as it is if w does not
    depend on x. [ours] In Diffusers 0.42.1 the discrete DDIM scheduler has a corrector that
    chooses by "margin" at temperature 1, unless told otherwise, on data at a level of noise [code
    read]. Each round counts as one call, of a denoiser that predicts every site from the others; a
    masked one takes one for each site.

    Parameters
    ----------
    inner : Decoder, function as for `Rule`, or None
    steps : int
    selection : {"margin", "current", "confidence", "random"}
        What makes a site doubtful: little log margin of its token over the likeliest other one, a
        low probability of its token, a low largest probability, or nothing.
    temperature : float
        Sites are chosen in proportion to the inverse of that probability, or of the odds of the
        two tokens, to the power ``1 / temperature``. Exact distributions allow ``1/n``.
    repair : {None, "stay", "accept"}
        Two ways to leave the data as they are. With "stay" the probabilities are not normalised
        over the sites, but each is a function of the others' tokens alone, and with what is left
        nothing is drawn again: for "confidence" and "random". With "accept" the new sequence y is
        taken with probability ``min(1, w_i(y) / w_i(x))``.

    Examples
    --------
    Of two bits with probabilities 1, 2, 3 and 4 in tenths, started from the data:

    >>> from sims import output_distribution
    >>> from sims.policies import InformedCorrector
    >>> from theory import JointTable
    >>> p = JointTable([[1, 2], [3, 4]], exact=True)
    >>> output_distribution(p, InformedCorrector(None, 1, "current")).tv
    Fraction(284, 6435)
    >>> output_distribution(p, InformedCorrector(None, 1, "current", repair="accept")).tv
    Fraction(0, 1)
    """

    def __init__(
        self,
        inner: Decoder | Select | None,
        steps: int,
        selection: Selection = "margin",
        temperature: float | Fraction = 1.0,
        repair: Repair | None = None,
    ) -> None:
        super().__init__(inner, steps)
        if selection not in SELECTIONS:
            known = ", ".join(SELECTIONS)
            raise InvalidInput(f"selection must be one of {known}, got {selection!r}")
        if repair is not None and repair not in REPAIRS:
            raise InvalidInput(f"repair must be None, stay or accept, got {repair!r}")
        if repair == "stay" and selection in ("current", "margin"):
            raise InvalidInput(
                f"nothing stays for selection {selection!r}, which depends on the token of the site"
            )
        self.selection: Selection = selection
        self.repair: Repair | None = repair
        self.temperature = as_real(temperature, "temperature", 0, math.inf, ends=False)
        if self.depends_on != "drawn tokens":
            self.depends_on = "predictions"

    def __repr__(self) -> str:
        values = [self.selection, self.temperature, self.repair]
        while values and values[-1] in ("margin", 1.0, None):  # as they are if not given
            values.pop()
        return f"{type(self).__name__}({', '.join(map(repr, (self.inner, self.steps, *values)))})"

    def site_probabilities(self, tokens: Array, predictions: Array) -> Array:
        """Probabilities of drawing each of n written sites again, shape (B, n).

        Those of a row sum to at most 1; with what is left to 1 nothing is drawn again. A corrector
        of your own overrides this.

        Parameters
        ----------
        tokens : array of int64, shape (B, n)
            What is written at these sites.
        predictions : array, shape (B, n, V)
            The prediction of each of them given all other tokens.
        """
        odds = self._doubt(tokens, predictions)
        xp, sites = array_namespace(tokens), tokens.shape[1]
        if self.repair == "stay":
            most = 1 if self.selection == "random" else predictions.shape[-1]
            if is_exact(odds):
                return exact_numbers.ratio(odds ** self._power(), most ** self._power() * sites)
            return (odds / most) ** (1 / self.temperature) / sites
        infinite = odds == -1
        some = xp.any(infinite, axis=1)[:, None]
        if is_exact(odds):
            odds = np.where(some, np.where(infinite, 1, 0), odds ** self._power())
            odds = np.where((odds == 0).all(axis=1, keepdims=True), 1, odds)
            return exact_numbers.ratio(odds, odds.sum(axis=1, keepdims=True))
        logs = log(xp.where(some, xp.astype(infinite, xp.float64), odds)) / self.temperature
        nothing = xp.all(logs == -math.inf, axis=1)[:, None]
        return softmax(xp.where(nothing, xp.zeros_like(logs), logs))

    def _doubt(self, tokens: Array, predictions: Array) -> Array:
        """What is raised to a power, shape (B, n); -1 where it is infinite."""
        xp = array_namespace(predictions)
        one = predictions[..., 0] * 0 + 1
        if self.selection == "random":
            return one
        token = xp.arange(predictions.shape[-1], dtype=xp.int64, device=device(predictions))
        here = tokens[..., None] == token
        current = xp.sum(xp.where(here, predictions, predictions * 0), axis=-1)
        try:
            if self.selection == "confidence":
                return _quotient(one, xp.max(predictions, axis=-1))
            other = one
            if self.selection == "margin":
                other = xp.max(xp.where(here, predictions * 0, predictions), axis=-1)
        except TypeError:
            raise InvalidInput(FREE_SYMBOLS) from None
        return _quotient(other, current)

    def _power(self) -> int:
        power = round(1 / self.temperature)
        if power < 1 or 1 / power != self.temperature:
            raise InvalidInput(
                f"exact probabilities need a temperature of 1/n, got {self.temperature}"
            )
        return power


def _quotient(a: Array, b: Array) -> Array:
    """``a / b``, and -1 where b is 0."""
    zero = b == 0
    if is_exact(b):
        found = exact_numbers.ratio(a, array_namespace(b).where(zero, 1, b))
        return array_namespace(b).where(zero, -1, found)
    if not any_true(zero):
        return a / b
    xp = array_namespace(b)
    return xp.where(zero, -xp.ones_like(b), a / xp.where(zero, xp.ones_like(b), b))
