"""The GPU measurements, on a stand-in: the host itself, or a strict device that is not the host."""

import numpy as np
import pytest

from benchmarks import gpu, gpu_table
from benchmarks.devices import Accelerator, NoDevice
from benchmarks.report import plain
from tests.cases import to_device1
from theory import EvidenceLattice

GIB = 2**30


def stand_in(put=np.asarray, free=GIB, log=None):
    log = [] if log is None else log
    return Accelerator(
        description={"device": "stand-in", "memory_bytes": free},
        put=put,
        synchronize=lambda: log.append("wait"),
        release=lambda: log.append("release"),
        free=lambda: free,
        held=lambda: 8 * 3**5,
    )


def quiet(what):
    pass


def run(names=gpu.NAMES, **rest):
    return gpu.run(list(names), True, 1, quiet, lambda: stand_in(**rest))


@pytest.mark.parametrize("put", [np.asarray, to_device1], ids=["numpy", "device1"])
def test_everything_runs_on_a_stand_in(put):
    log = []
    found, sound = run(put=put, log=log)
    wrong = [p["failed"] for c in found["curves"] for p in c["points"] if "failed" in p]
    assert wrong == []
    assert sound
    assert {curve["kernel"] for curve in found["curves"]} == {w.kernel for w in gpu.workloads(True)}
    assert found["largest"]["length"] == 5
    assert found["largest"]["peak_over_result"] == 1
    assert {"wait", "release"} <= set(log)
    text = plain(gpu_table.rendered(found))
    assert "device stand-in" in text
    assert "largest case: V=2 L=5, 243 cells" in text


def test_shares_count_the_bytes_that_a_lattice_reads_and_writes(monkeypatch):
    """3^4 cells written and 2^4 read in a second, where a copy moves 1000 bytes in a second."""

    def in_a_second(repeats, calls, synchronize=None):
        calls[0]()
        return [1.0]

    monkeypatch.setattr(gpu, "minima", in_a_second)
    work = gpu.workloads(True)[0]
    point = gpu.point_of(stand_in(), work, 4, 1, 1000.0)
    assert point["share"] == pytest.approx(8 * (81 + 16) / 1000)
    assert point["speed_up"] == 1
    assert gpu.copy_bandwidth(stand_in(), 1, 1000) == 16000


def test_without_a_device_it_says_so():
    def none():
        raise NoDevice("CuPy cannot be imported (no module)")

    found, sound = gpu.run(list(gpu.NAMES), True, 1, quiet, none)
    assert sound
    assert plain(gpu_table.rendered(found)) == (
        "No GPU is there, so none was measured: CuPy cannot be imported (no module).\n"
    )


def test_what_does_not_fit_is_left_out_and_the_largest_case_shrinks():
    found, sound = run(["lattice"], free=2000)
    assert sound
    assert "do not fit" in found["curves"][-1]["points"][-1]["skipped"]
    assert found["largest"]["length"] == 4
    assert "do not fit" in plain(gpu_table.rendered(found))


def test_a_failure_costs_one_line_and_the_exit_code(monkeypatch):
    def broken(*rest):
        raise MemoryError("out of memory")

    monkeypatch.setattr(gpu, "largest", broken)
    found, sound = run(["lattice"])
    assert not sound
    assert found["largest"] == {"failed": "MemoryError: out of memory"}
    assert all("seconds" in point for c in found["curves"] for point in c["points"])
    assert "largest case: failed" in plain(gpu_table.rendered(found))


def test_wrong_answers_of_a_device_are_found():
    """A device that loses an entry of the table on the way."""

    def lossy(x):
        x = np.array(x)
        x.flat[0] += 0.5
        return x

    with pytest.raises(AssertionError):
        gpu.point_of(stand_in(put=lossy), gpu.workloads(True)[0], 4, 1, 1.0)
    with pytest.raises(AssertionError):
        gpu.largest(stand_in(put=lossy), 5, 1, 1.0)


def test_the_check_by_slices_agrees_with_the_lattice_and_with_no_other():
    table, other = np.full((2, 2), 0.25), np.asarray([[0.5, 0.25], [0.25, 0.0]])
    gpu._check(EvidenceLattice(table), table)
    with pytest.raises(AssertionError):
        gpu._check(EvidenceLattice(other), table)


@pytest.mark.parametrize(
    ("ratios", "start"),
    [([0.1, 0.9, 2, 3], 12), ([2, 0.5, 3, None], 12), ([0.1, 0.2], None), ([2, 3, 0.9], None)],
)
def test_it_pays_from_where_it_stays_faster(ratios, start):
    points = [
        {"length": 10 + k} | ({} if r is None else {"speed_up": r}) for k, r in enumerate(ratios)
    ]
    assert gpu.pays_from(points) == start


@pytest.mark.cupy
def test_on_a_gpu():
    from benchmarks.devices import cupy_device

    found, sound = gpu.run(list(gpu.NAMES), True, 1, quiet, cupy_device)
    assert sound, found
