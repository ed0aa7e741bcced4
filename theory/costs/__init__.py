"""What a decoder costs: bounds and closed forms of the information it loses."""

from theory.costs import bounds, closed_forms

__all__ = ["bounds", "closed_forms"]
