"""Claims of the literature as objects that can be checked."""

from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.registry import Registry, claims_in, registry
from theory.claims.kit.result import DoesNotApply, Level, Outcome, Result

__all__ = [
    "CLAIMS",
    "Check",
    "Claim",
    "DoesNotApply",
    "Level",
    "Outcome",
    "Provenance",
    "Registry",
    "Result",
    "Verdict",
    "registry",
]

CLAIMS = claims_in(__name__, __path__)
"""The claims that need no decoder: one in each module of this folder."""
