"""Claims about decoders."""

from theory.claims.kit.registry import claims_in

__all__ = ["CLAIMS"]

CLAIMS = claims_in(__name__, __path__)
"""The claims about what decoders write: one in each module of this folder."""
