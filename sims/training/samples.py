"""Training sets: sequences of the data, each with a mask that does not depend on its tokens.

A training set is n independent pairs (x, S) with x ~ p and S ~ pi. The learner is shown the
tokens at S and has to predict each of the others.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sims.training.masks import as_masks
from theory._core.arrays import to_host
from theory._core.exact import is_rational
from theory._core.plurals import counted
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real, as_tokens

__all__ = ["TrainingSet", "as_prior", "draw_training_set"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Sequences and which of their sites are shown.

    Attributes
    ----------
    tokens : ndarray of int64, shape (n, L)
    shown : ndarray of bool, shape (n, L)
    vocab : int

    Raises
    ------
    InvalidInput
        If the shapes differ or a token is not one of ``0..vocab-1``.

    >>> TrainingSet(np.asarray([[0, 1]]), np.asarray([[True, False]]), 2)
    <TrainingSet: 1 sequence of length 2, vocab 2>
    """

    tokens: np.ndarray
    shown: np.ndarray
    vocab: int

    def __post_init__(self) -> None:
        tokens, shown = np.asarray(self.tokens), np.asarray(self.shown)
        vocab = as_integer(self.vocab, "vocab", 1)
        if tokens.ndim != 2 or tokens.shape[1] == 0 or shown.shape != tokens.shape:
            raise InvalidInput(
                f"tokens and shown must have the same shape (n, L), got {tokens.shape} and "
                f"{shown.shape}"
            )
        if shown.dtype != bool:
            raise InvalidInput(f"shown must hold bools, got {shown.dtype}")
        if len(tokens):
            tokens, _ = as_tokens(tokens, tokens.shape[1], vocab, np.zeros(0), masked=False)
        object.__setattr__(self, "tokens", tokens.astype(np.int64, copy=False))
        object.__setattr__(self, "shown", shown)

    @property
    def length(self) -> int:
        """Number of sites."""
        return self.tokens.shape[1]

    def __repr__(self) -> str:
        count, length = self.tokens.shape
        return f"<TrainingSet: {counted(count, 'sequence')} of length {length}, vocab {self.vocab}>"


def as_prior(alpha: Number | Fraction, exact: bool, *, zero: bool = False) -> float | Fraction:
    """Check the prior of a learner: above 0, or 0 as well; rational where it is to be exact.

    >>> as_prior(1, exact=True)
    Fraction(1, 1)
    """
    as_real(alpha, "alpha", 0, np.inf, ends=zero)
    if exact and not is_rational(alpha):
        raise InvalidInput(f"an exact denoiser needs a rational alpha, got {alpha!r}")
    return Fraction(alpha) if exact else float(alpha)


def draw_training_set(
    p: Distribution, masks: ArrayLike, size: int, rng: np.random.Generator
) -> TrainingSet:
    """Draw `size` sequences of the data, and a mask for each.

    Parameters
    ----------
    p : Distribution
    masks : array_like, shape (2,)*L
        Probabilities of the patterns, 1 = observed; see `sims.training.masks`.
    size : int
    rng : numpy.random.Generator

    >>> from sims.training.masks import fixed_count
    >>> from theory import gallery
    >>> masks = fixed_count(3, 1)
    >>> drawn = draw_training_set(gallery.parity(3), masks, 4, np.random.default_rng(0))
    >>> drawn.tokens.sum(axis=1) % 2, drawn.shown.sum(axis=1)
    (array([0, 0, 0, 0]), array([1, 1, 1, 1]))
    """
    check_distribution(p)
    size = as_integer(size, "size", 0)
    pi = as_masks(masks, p.length).reshape(-1).astype(np.float64)
    if not isinstance(rng, np.random.Generator):
        raise InvalidInput(f"rng must be a numpy.random.Generator, got {rng!r}")
    tokens = np.zeros((0, p.length), dtype=np.int64)
    if size:
        tokens = to_host(p.sample(rng, size))
    codes = rng.choice(len(pi), size=size, p=pi / pi.sum())
    bits = np.arange(p.length - 1, -1, -1, dtype=np.int64)
    return TrainingSet(tokens, (codes[:, None] >> bits & 1).astype(bool), p.vocab)
