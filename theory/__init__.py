"""The exact theory of masked diffusion: distributions, denoisers, information, bounds, claims.

``theory.strategies`` and ``theory.claims`` import Hypothesis and SymPy when they are first used.
"""

from theory import gallery, homogenization, information, schedules
from theory._core.arrays import MASK
from theory._core.log_numbers import LinearForm
from theory.costs import bounds, closed_forms, drawn_first
from theory.distributions import (
    Distribution,
    EmpiricalDistribution,
    Exchangeable,
    HiddenMarkovModel,
    JointTable,
    MarkovChain,
    Permutations,
    ProductMixture,
    ReedSolomon,
)
from theory.errors import ImpossibleEvidence, InvalidInput, TooLarge, ZerolossError
from theory.lattice import EvidenceLattice
from theory.loss import alpha_loss, forward
from theory.proofs import prove
from theory.text import WordChain, corpora

__all__ = [
    "MASK",
    "Distribution",
    "EmpiricalDistribution",
    "EvidenceLattice",
    "Exchangeable",
    "HiddenMarkovModel",
    "ImpossibleEvidence",
    "InvalidInput",
    "JointTable",
    "LinearForm",
    "MarkovChain",
    "Permutations",
    "ProductMixture",
    "ReedSolomon",
    "TooLarge",
    "WordChain",
    "ZerolossError",
    "alpha_loss",
    "bounds",
    "closed_forms",
    "corpora",
    "drawn_first",
    "forward",
    "gallery",
    "homogenization",
    "information",
    "prove",
    "schedules",
]


def __getattr__(name: str) -> object:
    if name in ("claims", "strategies"):
        from importlib import import_module

        return import_module(f"theory.{name}")
    raise AttributeError(f"module 'theory' has no attribute {name!r}")
