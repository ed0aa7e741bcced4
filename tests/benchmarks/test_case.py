"""Lines of the table, from calls whose times are set by hand."""

import itertools

import numpy as np
import pytest

from benchmarks import case, timing
from benchmarks.case import Case, Skipped, Way, measured, slug
from benchmarks.floors import UNITS, Floor, rates, writes
from benchmarks.memory import peak_bytes
from benchmarks.timing import minima


class Clock:
    """A clock that only calls move."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def call(self, *seconds):
        """A call that takes these seconds in turn."""
        left = itertools.cycle(seconds)

        def run():
            self.now += next(left)

        return run


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_the_least_of_all_turns_counts(clock):
    assert minima(3, [clock.call(0.4, 0.2, 0.3), clock.call(0.5)]) == pytest.approx([0.2, 0.5])


def test_calls_take_turns_and_slow_ones_fewer(clock, monkeypatch):
    """Three seconds are enough of one call; a short one is repeated until its turn is over."""
    monkeypatch.setattr(timing, "BURST", 0.01)
    log = []

    def named(name, seconds):
        call = clock.call(seconds)
        return lambda: (log.append(name), call())

    minima(3, [named("slow", 4), named("fast", 1), named("short", 0.004)])
    assert log[:5] == ["slow", "fast", "short", "short", "short"]
    assert log.count("slow") == 1
    assert log.count("fast") == 3


def test_a_kernel_and_its_floors_take_the_same_turns(clock):
    """Two of three slow calls are compared with each other."""
    log = []

    def named(name):
        return lambda: (log.append(name), clock.call(4)())

    minima(3, [named("ours"), named("floor"), named("naive")], always=2)
    assert [log.count(name) for name in ("ours", "floor", "naive")] == [3, 3, 1]


def test_a_device_is_waited_for_before_and_after(clock):
    log = []
    minima(1, [lambda: (log.append("call"), clock.call(1)())], lambda: log.append("wait"))
    assert log == ["wait", "call", "wait"]


@pytest.mark.parametrize("name", UNITS)
def test_floors_do_what_they_say(name):
    call, factor = Floor(name, 64, side=4).clock()
    result = call()
    assert factor == 1
    if name == "fresh":
        assert result.tolist() == [1.0] * 64
    if name == "products":
        assert result.shape == (4, 4)


def test_a_floor_of_more_than_is_written_is_scaled(monkeypatch):
    monkeypatch.setattr("benchmarks.floors.MOST", 16)
    assert Floor("resident", 40).clock()[1] == Floor("copy", 40).clock()[1] == 2.5
    call, factor = Floor("fresh", 40).clock()  # nothing of it is kept
    assert (call().size, factor) == (40, 1)


def test_an_unknown_floor_is_refused():
    with pytest.raises(ValueError, match="no floor is called disk"):
        Floor("disk", 1)


def test_rates_count_bytes_and_operations(monkeypatch):
    """2^20 doubles in a second are 8 MB written, 16 MB copied; 2 · 128^3 operations a product."""
    monkeypatch.setattr("benchmarks.floors.minima", lambda repeats, calls: [1.0])
    found = {r["floor"]: r["rate"] * 1e9 for r in rates(True, 1)}
    assert found["fresh"] == found["resident"] == pytest.approx(8 * 2**20)
    assert found["copy"] == pytest.approx(16 * 2**20)
    assert found["products"] == pytest.approx(2 * 128**3)


def lines(monkeypatch, seconds, **rest):
    """A line whose calls take these seconds: ours, floors, ways."""
    monkeypatch.setattr(case, "minima", lambda repeats, calls, always: seconds[: len(calls)])
    return measured(Case("kernel", "L=1", 100, lambda: None, **rest), 1)


def test_ratios(monkeypatch):
    ways = [Way("naive", lambda: None), Way("sampled", lambda: None, 0.25)]
    found = lines(monkeypatch, [2.0, 1.0, 0.5, 8.0, 3.0], ways=ways, patterns=10, entries=4)
    assert found["over_floor"] == {"fresh": 2, "resident": 4}
    assert found["faster_than"] == {"naive": 4, "sampled*": 6}
    assert found["cells_per_second"] == 50
    assert found["seconds_per_pattern"] == pytest.approx(0.2)
    assert found["microseconds_per_entry"] == pytest.approx(2e6 / 40)


@pytest.mark.parametrize(
    ("target", "met", "words"),
    [
        (("seconds", 2), True, "≤ 2 s"),
        (("seconds", 1.9), False, "≤ 1.9 s"),
        (("fresh", 2), True, "≤ 2× fresh"),
        (("resident", 3.9), False, "≤ 3.9× resident"),
        (("naive", 4), True, "≥ 4× naive"),
        (("naive", 4.1), False, "≥ 4.1× naive"),
        (("sampled", 6.1), False, "≥ 6.1× sampled"),
        (("entry", 50000), True, "≤ 50000 µs an entry"),
        (("entry", 49000), False, "≤ 49000 µs an entry"),
        (("absent", 50), None, "≥ 50× absent"),
        (("peak", 1.1), None, "≤ 1.1× memory"),
    ],
)
def test_targets(monkeypatch, target, met, words):
    ways = [Way("naive", lambda: None), Way("sampled", lambda: None, 0.25)]
    rest = {"ways": ways, "patterns": 10, "entries": 4, "missing": ("absent",)}
    found = lines(monkeypatch, [2.0, 1.0, 0.5, 8.0, 3.0], targets=(target,), **rest)
    assert found["reach"] == [{"target": words, "met": met}]


def test_a_target_without_a_measurement_is_a_mistake(monkeypatch):
    with pytest.raises(ValueError, match="nothing measured is called niave"):
        lines(monkeypatch, [1.0] * 3, targets=(("niave", 2.0),))


def test_what_is_skipped_says_why():
    found = measured(Skipped("lattice", "L=40", "needs 1 TiB"), 1)
    assert found == {"kernel": "lattice", "size": "L=40", "skipped": "needs 1 TiB"}


def test_the_peak_counts_the_result_and_what_was_there_beside_it():
    n, before = 2**17, np.ones(2**18)

    def twice():
        first = np.ones(n)
        return first + before[:n]

    assert peak_bytes(twice) / (8 * n) == pytest.approx(2, abs=0.01)
    assert peak_bytes(lambda: np.ones(n)) / (8 * n) == pytest.approx(1, abs=0.01)


def test_memory_of_a_case_is_over_its_result():
    def wasteful():
        return (np.ones(2**17), np.ones(2**17))[0]

    target = (("peak", 1.1),)
    for call, met in ((wasteful, False), (lambda: np.ones(2**17), True)):
        found = measured(Case("k", "s", 1, call, floors=(), result_bytes=2**20, targets=target), 1)
        assert found["reach"][0]["met"] is met


def test_the_floors_of_a_result_are_its_writes():
    assert [(floor.name, floor.amount) for floor in writes(7)] == [("fresh", 7), ("resident", 7)]


def test_slugs():
    assert slug("lattice + entropies") == "lattice-entropies"
    assert slug("exact output, top 1") == "exact-output-top-1"
