"""Short calls are not repeated: the tests ask for answers, not for times."""

import pytest

from benchmarks import timing


@pytest.fixture(autouse=True, scope="session")
def without_bursts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "BURST", 0.0)
        yield
