"""Deprecated names of methods and attributes that subclasses may define, kept for one version."""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = ["Renamed"]


class Renamed:
    """A base class some of whose names have changed: `renamed` maps the old ones to the new.

    An old name gives what has the new one; a subclass that defines the old name alone has defined
    the new one. Both warn. Subclasses inherit the mapping.

    >>> class Shape(Renamed, renamed={"surface": "area"}):
    ...     def area(self):
    ...         return 1
    >>> with warnings.catch_warnings(record=True) as noted:
    ...     warnings.simplefilter("always")
    ...     found = Shape().surface()
    >>> found, [str(warning.message) for warning in noted]
    (1, ['Shape.surface is now called area'])
    """

    _renamed: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, renamed: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._renamed = {**cls._renamed, **(renamed or {})}
        for old, new in cls._renamed.items():
            defined = vars(cls)
            if new in defined:
                setattr(cls, old, _OldName(f"{cls.__name__}.{old}", new, defined[new]))
            elif old in defined:
                _warn(f"{cls.__name__}.{old}", new)
                setattr(cls, new, defined[old])


class _OldName:
    """What a class defines under a new name, under the old one: each class has its own.

    So ``super().old()`` is the method of the class above, as ever.
    """

    def __init__(self, old: str, new: str, value: Any) -> None:
        self.old, self.new, self.value = old, new, value

    def __get__(self, instance: object, owner: type) -> Any:
        _warn(self.old, self.new)
        bind = getattr(self.value, "__get__", None)
        return self.value if bind is None else bind(instance, owner)


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is now called {new}", DeprecationWarning, stacklevel=3)
