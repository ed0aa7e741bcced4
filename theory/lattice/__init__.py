"""The evidence lattice: the probability of every pattern of observed tokens, at once."""

from theory.lattice.lattice import EvidenceLattice

__all__ = ["EvidenceLattice"]
