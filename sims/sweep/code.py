"""A hash of the code behind a result: it changes when an experiment, or what it uses, changes.

An experiment is compiled code, which refers to other functions, classes and constants by names.
They are followed as far as they can be seen: names of the module, attributes of modules, what is
closed over, defaults, methods. What is installed (NumPy, the standard library) counts by its name
only, and so does the state of objects that are neither plain values nor dataclasses. What a
function imports while it runs is not seen.
"""

import dataclasses
import hashlib
import platform
import sys
import sysconfig
from collections.abc import Iterator
from enum import Enum
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["code_of"]

INSTALLED = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib"))

PLAIN = (bool, int, float, complex, str, bytes, range, Fraction, np.generic, Path)


def code_of(thing: Any) -> dict[str, str]:
    """Return the versions of the package and of Python, and a hash of a function or class.

    >>> same = [code_of(eval(f"lambda x: x + {n}"))["source"] for n in (1, 1, 2)]
    >>> same[0] == same[1], same[0] == same[2]
    (True, False)
    """
    try:
        package = version("zeroloss")
    except PackageNotFoundError:  # a checkout that is not installed
        package = "unknown"
    digest = hashlib.sha256()
    for part in _Walk().parts(thing):
        digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
    python = ".".join(platform.python_version_tuple()[:2])  # the compiled code depends on it
    return {"package": package, "python": python, "source": digest.hexdigest()}


class _Walk:
    """Goes through what can be reached, each object once."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[int, Any]] = {}  # the objects, too: an id is free after them

    def parts(self, value: Any) -> Iterator[str]:
        if value is None or isinstance(value, PLAIN):
            yield repr(value) if not isinstance(value, int) else hex(value)
            return
        if id(value) in self.seen:
            yield f"seen {self.seen[id(value)][0]}"
            return
        self.seen[id(value)] = len(self.seen), value
        yield type(value).__name__
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            yield f"{value.dtype} {value.shape} {value.tobytes().hex()}"
        elif type(value) in (set, frozenset):
            yield from sorted(" ".join(_Walk().parts(entry)) for entry in value)
        else:
            yield from self._inside(value)

    def _inside(self, value: Any) -> Iterator[str]:
        followed: Any = ()
        if isinstance(value, CodeType):
            yield value.co_code.hex()
            followed = (value.co_consts, value.co_names, value.co_varnames, value.co_freevars)
        elif isinstance(value, FunctionType):
            yield value.__qualname__
            if _installed(value):
                return
            cells = value.__closure__ or ()
            followed = [value.__code__, value.__defaults__, value.__kwdefaults__]
            followed += [cell.cell_contents for cell in cells if cell != type(cell)()]
            followed += _named(value)
        elif isinstance(value, type):
            yield f"{value.__module__ if _installed(value) else ''}:{value.__qualname__}"
            if not _installed(value):
                followed = [value.__bases__, *_members(value)]
        elif isinstance(value, tuple) or type(value) is list:
            followed = value
        elif type(value) is dict:
            followed = [entry for item in value.items() for entry in item]
        elif isinstance(value, (staticmethod, classmethod)) or hasattr(value, "__wrapped__"):
            followed = [value.__wrapped__]  # such as a cached function
        elif isinstance(value, property):
            followed = [value.fget, value.fset]
        elif isinstance(value, Enum):
            yield value.name
        elif dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value) if field.compare]
            followed = [type(value), *(getattr(value, name, None) for name in names)]
        elif hasattr(value, "func") and hasattr(value, "keywords"):  # functools.partial
            followed = [value.func, value.args, value.keywords]
        elif hasattr(value, "__func__"):  # a method that is bound
            followed = [value.__func__, type(value.__self__)]
        elif not isinstance(value, ModuleType):
            followed = [type(value)]
        for entry in followed:
            yield from self.parts(entry)


def _installed(value: Any) -> bool:
    """Whether it is not of the user's own modules, nor of a checkout of this package."""
    module = sys.modules.get(value.__module__ or "")
    file = getattr(module, "__file__", None)
    if file is None:
        return module is None or value.__module__ == "builtins"
    return file.startswith(INSTALLED)


def _members(value: type) -> list[Any]:
    """What a class defines, without what Python or a dataclass makes by itself."""
    made = ("__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__", "_abc_impl")
    made += ("__annotations__", "__annotate_func__", "__annotations_cache__")
    made += ("__dataclass_fields__", "__dataclass_params__", "__firstlineno__")
    return [
        entry
        for name, member in sorted(vars(value).items())
        if name not in made and not type(member).__name__.endswith("descriptor")
        for entry in (name, member)
    ]


def _named(function: FunctionType) -> list[Any]:
    """What the names in a function stand for: in its module, and in modules that it names."""
    names = sorted(_names(function.__code__))
    found = [function.__globals__[name] for name in names if name in function.__globals__]
    for value in found:  # grows: a module inside of a module
        if isinstance(value, ModuleType) and not (
            getattr(value, "__file__", None) or INSTALLED[0]
        ).startswith(INSTALLED):
            inside = [getattr(value, name) for name in names if name in dir(value)]
            found += [entry for entry in inside if not any(entry is other for other in found)]
    return [value for value in found if not isinstance(value, ModuleType)]


def _names(code: CodeType) -> set[str]:
    inner = [entry for entry in code.co_consts if isinstance(entry, CodeType)]
    return set(code.co_names).union(*map(_names, inner))
