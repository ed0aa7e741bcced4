"""Costs of parallel decoding: bounds that follow from the profile, and closed forms."""

from theory.costs import bounds, closed_forms, drawn_first

__all__ = ["bounds", "closed_forms", "drawn_first"]
