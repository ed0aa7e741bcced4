"""An accelerator: how arrays get there, how to wait for it, and how much memory it has."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.timing import Call


class NoDevice(Exception):
    """There is no GPU to measure; the message says why."""


@dataclass(frozen=True)
class Accelerator:
    """What the measurements need to know of a device.

    Attributes
    ----------
    description : dict
        Name, memory, versions.
    put : callable
        Host array to device array.
    synchronize : callable
        Waits until all that was asked for is done.
    release : callable
        Gives back memory that is kept for later use.
    free, held : callable
        Bytes that can be had, and bytes taken since the last release, used or not.
    """

    description: dict[str, Any]
    put: Callable[[Any], Any]
    synchronize: Call
    release: Call
    free: Callable[[], int]
    held: Callable[[], int]


def cupy_device() -> Accelerator:
    """The current CUDA device.

    Raises
    ------
    NoDevice
        If CuPy is not installed, or finds no device.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing driver, say
        try:
            import cupy  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise NoDevice(f"CuPy cannot be imported ({error})") from None
        if not cupy.is_available():
            raise NoDevice("CuPy is installed, but finds no CUDA device")
    runtime, pool = cupy.cuda.runtime, cupy.get_default_memory_pool()
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    name = properties["name"]
    return Accelerator(
        description={
            "device": name.decode() if isinstance(name, bytes) else str(name),
            "memory_bytes": int(runtime.memGetInfo()[1]),
            "cupy": cupy.__version__,
            "cuda": int(runtime.runtimeGetVersion()),
            "driver": int(runtime.driverGetVersion()),
        },
        put=cupy.asarray,
        synchronize=lambda: cupy.cuda.Device().synchronize(),
        release=pool.free_all_blocks,
        free=lambda: int(runtime.memGetInfo()[0]) + pool.free_bytes(),
        held=pool.total_bytes,
    )
