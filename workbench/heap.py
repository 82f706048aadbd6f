"""Freed memory stays with the process: mapped anew for each large tensor, it costs a tenth of the time."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of glibc's malloc.h."""

LARGEST, KEPT = 2**26, 2**28
"""Bytes: blocks up to the first come from the heap, of which at most the second is free at its end."""


def keep_freed_memory() -> None:
    """Ask the C library for it; does nothing where that is not glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # no library of that name; Windows; musl, macOS
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST)
    mallopt(M_TRIM_THRESHOLD, KEPT)
