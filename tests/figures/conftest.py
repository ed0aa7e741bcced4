"""The numbers of all figures, computed once for all tests, and for all processes that run them."""

import os
import pickle
from collections.abc import Mapping
from contextlib import contextmanager

import matplotlib as mpl
import pytest

from figures import FIGURES


class ComputedOnce(Mapping):
    """Numbers of figures by name, computed when they are first asked for and kept in a folder."""

    def __init__(self, folder):
        self.folder, self.known = folder, {}

    def __getitem__(self, name):
        if name not in self.known:
            self.known[name] = self._shared(name)
        return self.known[name]

    def _shared(self, name):
        path = self.folder / f"{name}.pickle"
        with locked(self.folder / f"{name}.lock"):
            if not path.exists():
                path.write_bytes(pickle.dumps(FIGURES[name].compute()))
            return pickle.loads(path.read_bytes())

    def __iter__(self):
        return iter(FIGURES)

    def __len__(self):
        return len(FIGURES)


@contextmanager
def locked(path):
    """Let one process at a time in; where files cannot be locked, some numbers come twice."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed, or its process ends
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    mpl.use("Agg")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers of this run
    folder = folder / "computed_figures"
    folder.mkdir(exist_ok=True)
    return ComputedOnce(folder)
