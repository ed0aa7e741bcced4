"""The same calls with arrays on a GPU: share of its copy bandwidth, speed-up, the largest case.

Copy bandwidth counts bytes read and bytes written. A lattice has to read its table and to write
its cells: these bytes in its time, over the bandwidth of a copy on the same device in the same
run, are its *share*. Wherever the CPU is timed, too, the answers are compared with its; the largest
case, with sums over slices of the table at random patterns. Arrays are on the device beforehand,
and results stay there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

import sims
from benchmarks import naive
from benchmarks.case import slug
from benchmarks.devices import Accelerator, NoDevice, cupy_device
from benchmarks.lattices import random_table
from benchmarks.timing import Call, minima
from sims import policies
from theory import MASK, EvidenceLattice, JointTable, information
from theory._core.arrays import to_host

COPIED = 2**26  # doubles: 512 MiB
ON_THE_HOST = 10**8  # cells up to which the CPU computes the same
LARGEST = 20  # sites of bits: 3^20 = 3.5e9 cells, 28 GB
SPARE = 1.15  # of the bytes of a lattice are to be free before it is tried
CHECKED = 1000  # patterns of the largest case


@dataclass(frozen=True)
class Workload:
    """One kernel on tables of growing length.

    Attributes
    ----------
    kernel : str
    vocab : int
    lengths : tuple of int
    build : callable
        From a table, on the host or on the device, to the call.
    answer : callable
        From the result to the array that is compared.
    base : int
        There are ``base^L`` cells.
    table : bool
        Whether each cell is a number that is written, so that bytes can be counted.
    power : int
        Of the random table that is asked about.
    """

    kernel: str
    vocab: int
    lengths: tuple[int, ...]
    build: Callable[[Any], Call]
    answer: Callable[[Any], Any]
    base: int
    table: bool = False
    power: int = 1


def _entropies(p: Any) -> Call:
    return lambda: EvidenceLattice(p).subset_entropies()


def _profile(p: Any) -> Call:
    return lambda: information.profile(JointTable(p))


def _output(p: Any) -> Call:
    joint = JointTable(p)
    joint.lattice()
    return partial(sims.output_distribution, joint, policies.TopK(1))


def _best(p: Any) -> Call:
    joint = JointTable(p)
    joint.lattice()
    return partial(sims.frontier, joint, [3.0])


def workloads(quick: bool) -> list[Workload]:
    """All kernels."""

    def upto(first: int, last: int) -> tuple[int, ...]:
        return tuple(range(first, (first + 1 if quick else last) + 1))

    def lattice(p: Any) -> Call:
        return partial(EvidenceLattice, p)

    values = lambda found: found.values  # noqa: E731
    same = lambda found: found  # noqa: E731
    cost = lambda points: np.asarray(float(points[0].rounds) + 3.0 * float(points[0].kl))  # noqa: E731
    return [
        Workload("lattice", 2, upto(4, 19), lattice, values, 3, table=True),
        Workload("lattice", 3, upto(3, 14), lattice, values, 4, table=True),
        Workload("lattice", 8, upto(2, 8), lattice, values, 9, table=True),
        Workload("lattice", 16, upto(2, 6), lattice, values, 17, table=True),
        Workload("lattice + entropies", 2, upto(4, 16), _entropies, same, 3),
        Workload("profile", 3, upto(3, 11), _profile, same, 4),
        Workload("exact output, top 1", 3, upto(3, 12), _output, lambda q: q.table, 4),
        Workload("best decoder", 2, upto(3, 11), _best, cost, 4, power=8),
    ]


def run(
    names: list[str],
    quick: bool,
    repeats: int,
    watch: Callable[[str], None],
    find: Callable[[], Accelerator] = cupy_device,
) -> tuple[dict[str, Any], bool]:
    """Results on the device that is found, or why there is none; and whether all went well."""
    try:
        device = find()
    except NoDevice as reason:
        return {"absent": str(reason)}, True
    watch("copy bandwidth")
    bandwidth = copy_bandwidth(device, repeats, 2**16 if quick else COPIED)
    curves, sound = [], True
    for work in workloads(quick):
        if slug(work.kernel) not in names:
            continue
        points: list[dict[str, Any]] = []
        for length in work.lengths:
            watch(f"{slug(work.kernel)}, L={length} V={work.vocab}")
            point = attempted(point_of, device, work, length, repeats, bandwidth)
            points.append({"length": length, "cells": work.base**length} | point)
            if "failed" in point or "skipped" in point:
                sound &= "failed" not in point
                break
        curves.append(
            {"kernel": work.kernel, "vocab": work.vocab, "pays_from": pays_from(points)}
            | {"points": points}
        )
    found = {"device": device.description, "copy_bytes_per_second": bandwidth, "curves": curves}
    if "lattice" in names:
        watch("the largest case")
        found["largest"] = attempted(largest, device, 5 if quick else LARGEST, repeats, bandwidth)
        sound &= "failed" not in found["largest"]
    return found, sound


def attempted(measure: Callable[..., dict[str, Any]], device: Accelerator, *rest: Any) -> Any:
    """What is measured, or what went wrong: one failure does not cost the other results."""
    device.release()
    try:
        return measure(device, *rest)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    finally:
        device.release()


def copy_bandwidth(device: Accelerator, repeats: int, doubles: int) -> float:
    """Bytes read and written per second by a copy on the device."""
    doubles = min(doubles, device.free() // 32)
    seconds = _copied(device, repeats, doubles)
    device.release()
    return 16 * doubles / seconds


def _copied(device: Accelerator, repeats: int, doubles: int) -> float:
    source, target = device.put(np.ones(doubles)), device.put(np.zeros(doubles))

    def copy() -> None:
        target[...] = source

    [seconds] = minima(repeats, [copy], device.synchronize)
    assert_allclose(to_host(target), 1.0)
    return seconds


def point_of(
    device: Accelerator, work: Workload, length: int, repeats: int, bandwidth: float
) -> dict[str, Any]:
    """Time of one size on the device and, where it computes the same, on the CPU."""
    cells = work.base**length
    if SPARE * 8 * cells > device.free():
        return {"skipped": f"{8 * cells / 1e9:.3g} GB do not fit in {device.free() / 1e9:.3g} GB"}
    table = random_table(length, work.vocab) ** work.power
    call = work.build(device.put(table))
    found: dict[str, Any] = {}
    if cells <= ON_THE_HOST:
        slow = work.build(table)
        assert_allclose(to_host(work.answer(call())), work.answer(slow()), rtol=1e-9, atol=1e-12)
        found["cpu_seconds"] = minima(repeats, [slow])[0]
    elif work.kernel == "lattice":
        _check(call(), table)
    [found["seconds"]] = minima(repeats, [call], device.synchronize)
    if "cpu_seconds" in found:
        found["speed_up"] = found["cpu_seconds"] / found["seconds"]
    if work.table:
        found["share"] = 8 * (cells + table.size) / found["seconds"] / bandwidth
    return found


def largest(device: Accelerator, length: int, repeats: int, bandwidth: float) -> dict[str, Any]:
    """The lattice of as many bits as fit, up to `length`."""
    while SPARE * 8 * 3**length > device.free():
        length -= 1
    table, cells = random_table(length, 2), 3**length
    there = device.put(table)
    built = EvidenceLattice(there)
    held = device.held()
    _check(built, table)
    del built
    [seconds] = minima(repeats, [partial(EvidenceLattice, there)], device.synchronize)
    return {
        "length": length,
        "vocab": 2,
        "cells": cells,
        "bytes": 8 * cells,
        "peak_over_result": held / (8 * cells),
        "seconds": seconds,
        "share": 8 * (cells + table.size) / seconds / bandwidth,
    }


def _check(built: EvidenceLattice, table: np.ndarray) -> None:
    """Compare the lattice with slices of the table at random patterns."""
    x = np.random.default_rng(1).integers(MASK, table.shape[0], size=(CHECKED, table.ndim))
    assert_allclose(to_host(built.evidence(x)), naive.sliced_evidence(table, x), rtol=1e-9)


def pays_from(points: list[dict[str, Any]]) -> int | None:
    """The length from which on the device is always faster; None if it never is at the end."""
    found = None
    for point in points:
        ratio = point.get("speed_up")
        if ratio is not None and ratio > 1:
            found = found or point["length"]
        elif ratio is not None:
            found = None
    return found


NAMES = tuple(dict.fromkeys(slug(w.kernel) for w in workloads(True)))
