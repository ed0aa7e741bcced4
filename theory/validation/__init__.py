"""Validation of input: one error for each argument, which names the shape and the number."""
