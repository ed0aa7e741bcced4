"""Families of data distributions, with evidence and zero-loss denoiser in closed form."""

from theory.distributions.base import Distribution
from theory.distributions.empirical import EmpiricalDistribution
from theory.distributions.exchangeable import Exchangeable
from theory.distributions.hidden_markov import HiddenMarkovModel
from theory.distributions.markov import MarkovChain
from theory.distributions.mixture import ProductMixture
from theory.distributions.permutations import Permutations
from theory.distributions.reed_solomon import ReedSolomon
from theory.distributions.side_by_side import SideBySide
from theory.distributions.table import JointTable

__all__ = [
    "Distribution",
    "EmpiricalDistribution",
    "Exchangeable",
    "HiddenMarkovModel",
    "JointTable",
    "MarkovChain",
    "Permutations",
    "ProductMixture",
    "ReedSolomon",
    "SideBySide",
]
