"""Proofs of linear information inequalities: exact certificates, or a table that refutes them."""

from theory.proofs.answers import Certificate, Proof, Refutation, Unknown
from theory.proofs.constants import BestConstant, best_constant
from theory.proofs.decide import prove
from theory.proofs.every_length import ProofForEveryLength
from theory.proofs.free_entropies import FreeEntropies, FreeProfile
from theory.proofs.quantities import Fall, Form, Information, Quantity
from theory.proofs.statement import Assumption, Conclusion, Statement

__all__ = [
    "Assumption",
    "BestConstant",
    "Certificate",
    "Conclusion",
    "Fall",
    "Form",
    "FreeEntropies",
    "FreeProfile",
    "Information",
    "Proof",
    "ProofForEveryLength",
    "Quantity",
    "Refutation",
    "Statement",
    "Unknown",
    "best_constant",
    "prove",
]
