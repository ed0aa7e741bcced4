"""The evidence lattice: one table with the probability of every pattern of observed tokens."""

from theory.lattice.lattice import EvidenceLattice

__all__ = ["EvidenceLattice"]
