"""Spin models: token 0 is the spin s = -1, token 1 the spin s = +1."""

import numpy as np

from theory._core.arrays import require_memory
from theory._core.special import log_binomials
from theory.distributions.exchangeable import Exchangeable
from theory.distributions.table import JointTable
from theory.validation.arguments import as_integer, as_real

__all__ = ["curie_weiss", "ising_ring"]

MAX_BETA = 1e100
"""Largest coupling; far below it all but the likeliest states have probability 0 in floats."""


def curie_weiss(length: int, beta: float) -> Exchangeable:
    """Curie-Weiss model: weight ``exp(beta m^2 / (2 length))`` for the sum m of all spins.

    All spins are coupled alike: ferromagnetic for positive `beta`.

    >>> p = curie_weiss(2, np.log(3))      # weight 3 where both agree, 1 where they differ
    >>> p.denoise([1, -1])[1].round(12)
    array([0.25, 0.75])
    """
    length = as_integer(length, "length", 1)
    beta = as_real(beta, "beta", -MAX_BETA, MAX_BETA)
    spins = 2.0 * np.arange(length + 1) - length
    return Exchangeable.from_logarithms(log_binomials(length) + beta * spins**2 / (2 * length))


def ising_ring(length: int, beta: float) -> JointTable:
    """Ising model on a ring: weight ``exp(beta sum_i s_i s_{i+1})``, the sum around the ring.

    A ring of two sites counts their one pair twice, a ring of one site its own square.

    >>> p = ising_ring(3, np.log(3) / 4)   # three equal spins: exp(3 beta), else exp(-beta)
    >>> p.denoise([1, 1, -1])[2].round(12)   # exp(4 beta) = 3 against 1
    array([0.25, 0.75])
    """
    length = as_integer(length, "length", 1)
    beta = as_real(beta, "beta", -MAX_BETA, MAX_BETA)
    require_memory(2**length, f"the table of shape (2,)*{length}", itemsize=24)
    spins = [2.0 * axis - 1 for axis in np.indices((2,) * length, sparse=True)]
    bonds = sum(spins[i] * spins[(i + 1) % length] for i in range(length))
    energies = beta * np.asarray(bonds)
    return JointTable(np.exp(energies - energies.max()))
