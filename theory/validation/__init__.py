"""Checks of arguments, with one clear error for each."""
