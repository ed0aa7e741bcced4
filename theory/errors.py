"""The exceptions of the package, one family for everything that it refuses.

They are raised once, by input validation where a user's value comes in, and name the shape and the
offending number. Code behind it does not check again.
"""

__all__ = ["ImpossibleEvidence", "InvalidInput", "TooLarge", "ZerolossError"]


class ZerolossError(ValueError):
    """Base of all errors that the package raises on purpose."""


class InvalidInput(ZerolossError):
    """A value of the wrong shape, type or range."""


class TooLarge(ZerolossError):
    """An exact object that would not fit; the message names its size."""


class ImpossibleEvidence(ZerolossError):
    """A prediction was asked for given an observation of probability zero.

    Attributes
    ----------
    pattern : tuple of int
        The first impossible pattern of the batch, with ``MASK`` where nothing is observed.
    """

    def __init__(self, message: str, pattern: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.pattern = pattern
