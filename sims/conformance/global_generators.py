"""The generators that a sampler may draw from without being seen: those of whole modules."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from sims.conformance.replay import NotEnumerable

__all__ = ["unmoved"]


@contextlib.contextmanager
def unmoved() -> Iterator[None]:
    """Raise at the end unless the global generators of Python, NumPy and torch are where they were.

    Raises
    ------
    NotEnumerable
        Names the generator that was drawn from, or seeded.

    >>> import random
    >>> with unmoved():
    ...     random.random()
    Traceback (most recent call last):
    sims.conformance.replay.NotEnumerable: a draw from Python's random cannot be enumerated: that
    generator was drawn from, or seeded, by a call that is not seen (somewhere in the sampler)
    """
    before = _states()
    yield
    for name, state in _states().items():
        if state != before.get(name, state):
            raise NotEnumerable(
                f"a draw from {name}",
                where="somewhere in the sampler",
                because="that generator was drawn from, or seeded, by a call that is not seen",
            )
        if name not in before and name == "torch":
            raise NotEnumerable(
                "a draw from torch",
                where="somewhere in the sampler",
                because="torch was imported by the sampler; import it before",
            )


def _states() -> dict[str, Any]:
    """The state of each generator by its name; modules that are not imported have none."""
    states: dict[str, Any] = {}
    loaded = sys.modules  # nothing is drawn here, so nothing is imported
    if python := loaded.get("random"):
        states["Python's random"] = python.getstate()
    if numpy := loaded.get("numpy.random"):
        _, key, *place = numpy.get_state()
        states["numpy.random"] = (key.tobytes(), place)
    torch: Any = loaded.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes()
        if torch.cuda.is_initialized():
            states["torch.cuda"] = torch.cuda.get_rng_state().numpy().tobytes()
    return states
