"""Hypothesis profiles, and the tests that need a GPU.

``HYPOTHESIS_PROFILE=thorough pytest`` draws many examples. Where ``CI`` is set the examples are
the same in every run.
"""

import gc
import os
import warnings

import pytest
from hypothesis import settings

from tests.noted import CHOSEN

# Tables are as wide as COLUMNS says: readline, which pytest loads, passes one on to test workers.
os.environ.pop("COLUMNS", None)

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_addoption(parser):
    parser.addoption(
        "--case",
        metavar="TEXT",
        default="",
        help="of tests that look at many cases in turn, only cases whose name contains TEXT",
    )


def pytest_configure(config):
    CHOSEN["text"] = config.getoption("--case")


def pytest_sessionfinish():
    """Pytest looks through everything ten times for what failed when it was thrown away."""
    gc.collect()
    gc.freeze()


def gpu_is_available():
    """CuPy can be imported without a GPU, so it has to be asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing driver, say
        try:
            import cupy  # pyright: ignore[reportMissingImports]
        except ImportError:
            return False
        return bool(cupy.is_available())


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("cupy")]
    if marked and not gpu_is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA GPU and CuPy"))
