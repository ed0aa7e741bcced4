"""Code of others: read from a checkout, imported from a temporary folder, never kept.

A repository lies in a folder of its name, as in ``LLaDA`` or ``ML-GSAI+LLaDA``: with its files, or
as a git directory (then also in a folder ``repo`` or ``.git`` within), which is read without a
work tree. Packages that a file imports and a sampler does not need (transformers, lightning,
flash-attn, ...) are replaced by empty ones while it is imported, whether they are installed or not,
so that what runs does not depend on what is there.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import shutil
import subprocess
import sys
import tempfile
import types
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Absent", "Checkout"]


class Absent(Exception):
    """A repository is not in the folder, or a file not in the repository."""


class Checkout:
    """One repository, as a git directory or as files.

    Parameters
    ----------
    folder : path
        Where the repositories are.
    name : str
        ``owner/name``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        places = [Path(folder, part) for part in (name.split("/")[-1], name.replace("/", "+"))]
        self.place = next((place for place in places if place.is_dir()), None)
        if self.place is None:
            raise Absent(f"{name} is not in {folder}: tried {', '.join(p.name for p in places)}")
        inside = (self.place / "repo", self.place / ".git", self.place)
        self.git = next((path for path in inside if (path / "HEAD").is_file()), None)
        self._folder = Path(tempfile.mkdtemp(prefix="samplers-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    @property
    def commit(self) -> str:
        """The commit that is checked out, as its first seven digits."""
        return self._git("rev-parse", "HEAD").strip()[:7] if self.git else "?"

    def text(self, path: str) -> str:
        """The text of a file."""
        try:
            if self.git:
                return self._git("show", f"HEAD:{path}")
            assert self.place is not None
            return (self.place / path).read_text(encoding="utf-8")
        except (OSError, subprocess.CalledProcessError) as error:
            raise Absent(f"{self.name} has no {path}") from error

    def module(
        self, path: str, *others: str, root: str = "", without: Sequence[str] = ()
    ) -> types.ModuleType:
        """Import a file.

        Parameters
        ----------
        path : str
        *others : str
            Files of the repository that it imports.
        root : str
            The folder from which the repository imports its modules.
        without : sequence of str
            Packages that are replaced by empty ones.
        """
        for file in (path, *others):
            to = self._folder / file
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(self.text(file), encoding="utf-8")
        name = str(Path(path).relative_to(root or ".").with_suffix("")).replace("/", ".")
        with _alone(str(self._folder / root), without):
            return importlib.import_module(name)

    def _git(self, *arguments: str) -> str:
        command = ["git", f"--git-dir={self.git}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def _alone(folder: str, without: Sequence[str]) -> Iterator[None]:
    """Import from a folder, without some packages, and leave no modules behind."""
    import torch  # pyright: ignore[reportMissingImports]

    finder, before, compiled = _Empty(without), dict(sys.modules), torch.compile
    passing = {*without, *(path.stem for path in Path(folder).iterdir())}
    for name in before:
        if name.split(".")[0] in passing:
            del sys.modules[name]
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    torch.compile = lambda function=None, **_: function or (lambda f: f)
    try:
        yield
    finally:
        torch.compile = compiled
        sys.path.remove(folder)
        sys.meta_path.remove(finder)
        for name in list(sys.modules):
            if name.split(".")[0] in passing:
                del sys.modules[name]
        sys.modules.update({name: m for name, m in before.items() if name not in sys.modules})


class _EmptyClass(type):
    """Every attribute is another empty class."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _EmptyClass(name, (_Anything,), {})


class _Anything(metaclass=_EmptyClass):
    """Can be made, subclassed, and used as a decorator with arguments."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **named: None


class _EmptyModule(types.ModuleType):
    """A module in which every name is there."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _EmptyClass(name, (_Anything,), {})


class _Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the packages that are replaced."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _EmptyModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass
