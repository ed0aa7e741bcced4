"""Numbers with the nouns that they count, for messages and reports."""

__all__ = ["counted"]


def counted(number: float, what: str) -> str:
    """Write a number with the noun that it counts; of floats four digits.

    >>> counted(1, "site"), counted(0, "class"), counted(2, "axis"), counted(2.875, "round")
    ('1 site', '0 classes', '2 axes', '2.875 rounds')
    """
    plural = {"axis": "axes", "class": "classes"}.get(what, f"{what}s")
    shown = f"{number:.4g}" if isinstance(number, float) else str(number)
    return f"{shown} {what if number == 1 else plural}"
