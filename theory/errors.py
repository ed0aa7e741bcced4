"""The exceptions of the package: invalid input, objects that are too large, impossible evidence.

They are raised once, by input validation, and name the shape and the offending number. Code behind
it does not check again.
"""

__all__ = ["ImpossibleEvidence", "InvalidInput", "TooLarge", "ZerolossError"]


class ZerolossError(ValueError):
    """Base of all errors that the package raises on purpose."""


class InvalidInput(ZerolossError):
    """A value of the wrong shape, type or range."""


class TooLarge(ZerolossError):
    """An exact object that would not fit in memory or take too long; the message names its size."""


class ImpossibleEvidence(ZerolossError):
    """A prediction given an observation of probability zero.

    Attributes
    ----------
    pattern : tuple of int
        The first impossible pattern of the batch, with ``MASK`` where nothing is observed.
    """

    def __init__(self, message: str, pattern: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.pattern = pattern
