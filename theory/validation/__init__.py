"""Validation of arguments: one error for each, which names the shape and the number."""
