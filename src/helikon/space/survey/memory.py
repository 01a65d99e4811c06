"""Give memory back to the system between windows: glibc keeps what is freed, and ONNX Runtime its arena."""

import ctypes
import functools
from typing import Any

__all__ = ["give_back", "take_arrays_apart"]

_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def take_arrays_apart() -> None:
    """Let every array of a megabyte or more have its own pages, which are gone when it is freed."""
    if (libc := _libc()) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return freed memory to the system."""
    if (libc := _libc()) is not None:
        libc.malloc_trim(0)


@functools.cache
def _libc() -> Any:
    """Return glibc; None where the C library is another."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
