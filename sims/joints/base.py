"""Joint distributions of the tokens of a round: ``r(x_S | c)`` in place of ``prod_i p(x_i | c)``.

One call of the denoiser gives the marginals of the tokens at the revealed sites S. A `Joint`
adds something that it knows beyond them, and says what. By the chain rule, drawing the sites of
every round from r loses

    KL(p || q) = E_p sum_t KL(p(X_S | c_t) || r(X_S | c_t)),

which is the cost of the product where r is the product, and 0 where r is the true conditional.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from theory._core.arrays import is_exact, require_memory, to_host
from theory._core.exact import ratio
from theory._core.plurals import counted
from theory._core.renamed import Renamed
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.sampling import as_floats, draw_tokens
from theory.errors import InvalidInput
from theory.lattice.codes import digits

__all__ = [
    "FromData",
    "Joint",
    "Product",
    "conditional",
    "marginal",
    "outer",
    "predicted",
    "quotients",
    "scaled",
]


class Joint(Renamed, ABC, renamed={"law": "distribution"}):
    """A distribution of the tokens at the sites of one round.

    Attributes
    ----------
    knows : str
        What it must know beyond the predicted marginals.
    extra_calls : int
        Calls of a network that follow the denoiser's in a round of several sites; a batch counts
        as one.
    """

    knows: str
    extra_calls: ClassVar[int] = 0

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if it does not fit so many sites to write, at most all."""

    def check_whole(self, length: int) -> None:
        """Raise `InvalidInput` if it does not fit sequences of so many sites, observed or not."""

    @abstractmethod
    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the probabilities of all values of the sites, shape (B, V^k), last site fastest.

        Parameters
        ----------
        x : ndarray of int64, shape (B, L)
            Masked sequences.
        sites : ndarray of int64, shape (B, k)
            Masked sites of each, ascending.
        marginals : ndarray, shape (B, k, V)
            What each of them would be drawn from alone.
        """

    def draw(
        self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the tokens at the sites, shape (B, k)."""
        probs = as_floats(self.distribution(x, sites, marginals))
        return digits(draw_tokens(rng, probs), sites.shape[1], marginals.shape[-1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FromData(Joint):
    """A distribution that knows something of the data.

    Parameters
    ----------
    p : Distribution
    """

    def __init__(self, p: Distribution) -> None:
        check_distribution(p)
        self.p = p

    def check(self, length: int, vocab: int) -> None:
        """Raise `InvalidInput` if the data have other tokens, or fewer sites."""
        if length > self.p.length or vocab != self.p.vocab:
            raise InvalidInput(
                f"{self!r} knows data of {counted(self.p.length, 'site')} and "
                f"{counted(self.p.vocab, 'token')}, not of {length} and {vocab}"
            )

    def check_whole(self, length: int) -> None:
        """Raise `InvalidInput` if the data are longer or shorter sequences."""
        if length != self.p.length:
            raise InvalidInput(
                f"{self!r} knows data of {counted(self.p.length, 'site')}, not of {length}"
            )


class Product(Joint):
    """The product of the marginals: what parallel decoding draws from.

    >>> from theory import MASK
    >>> marginals = np.asarray([[[0.5, 0.5], [0.25, 0.75]]])
    >>> Product().distribution(np.asarray([[MASK, MASK]]), np.asarray([[0, 1]]), marginals).tolist()
    [[0.125, 0.375, 0.125, 0.375]]
    """

    knows = "nothing"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the product of the rows."""
        return outer(marginals)


def outer(marginals: np.ndarray) -> np.ndarray:
    """Products of one entry from each row, (B, k, V) to (B, V^k), last site fastest."""
    require_memory(
        2 * len(marginals) * marginals.shape[2] ** marginals.shape[1],
        f"a distribution of {counted(marginals.shape[1], 'site')}",
    )
    probs = marginals[:, 0]
    for k in range(1, marginals.shape[1]):
        probs = (probs[:, :, None] * marginals[:, k, None, :]).reshape(len(marginals), -1)
    return probs


def conditional(p: Distribution, x: np.ndarray, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``p(x_S | c)``, and whether the context c is possible at all.

    Parameters
    ----------
    p : Distribution
    x : ndarray of int64, shape (B, L)
    sites : ndarray of int64, shape (B, k)

    Returns
    -------
    probs : ndarray, shape (B, V^k)
        0 everywhere where the context is impossible.
    possible : ndarray of bool, shape (B,)

    >>> from theory import MASK, gallery
    >>> p = gallery.parity(3, exact=True)
    >>> conditional(p, np.asarray([[1, MASK, MASK]]), np.asarray([[1, 2]]))[0].tolist()
    [[Fraction(0, 1), Fraction(1, 2), Fraction(1, 2), Fraction(0, 1)]]
    """
    count, size = sites.shape[1], p.vocab ** sites.shape[1]
    require_memory(
        len(x) * size * (p.length + 2),
        f"the conditional distributions of {counted(count, 'site')}",
    )
    whole = to_host(p.evidence(x))
    possible = np.asarray(whole != 0)
    probs = np.zeros((len(x), size), dtype=whole.dtype)
    if possible.any():
        x, sites, whole = x[possible], sites[possible], whole[possible]
        patterns = np.repeat(x, size, axis=0)
        tokens = np.tile(digits(np.arange(size, dtype=np.int64), count, p.vocab), (len(x), 1))
        np.put_along_axis(patterns, np.repeat(sites, size, axis=0), tokens, axis=1)
        joint = to_host(p.evidence(patterns)).reshape(len(x), size)
        probs[possible] = quotients(joint, whole[:, None])
    return probs, possible


def quotients(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a / b``, and 0 where b is 0."""
    if is_exact(a) or is_exact(b):
        return np.where(b == 0, 0, ratio(a, b))
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.zeros(a.shape), where=b > 0)


def marginal(joint: np.ndarray, *axes: int) -> np.ndarray:
    """Sums over all axes but these."""
    return joint.sum(axis=tuple(axis for axis in range(joint.ndim) if axis not in axes))


def scaled(
    joint: np.ndarray, axes: tuple[int, ...], now: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """One step of iterative proportional fitting: the marginal on these axes becomes `target`.

    >>> joint = np.asarray([[1.0, 1.0], [1.0, 3.0]])
    >>> scaled(joint, (0,), marginal(joint, 0), np.asarray([0.5, 0.5])).tolist()
    [[0.25, 0.25], [0.125, 0.375]]
    """
    others = tuple(axis for axis in range(joint.ndim) if axis not in axes)
    return joint * np.expand_dims(quotients(target, now), others)


def predicted(p: Distribution, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Zero-loss predictions at the sites, (B, k, V)."""
    every = to_host(p.denoise(x, on_impossible="marginal"))
    return every[np.arange(len(x))[:, None], sites]
