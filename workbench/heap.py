"""Freed memory stays with the process: mapped anew for each large tensor, it costs a tenth of the time."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of glibc's malloc.h."""

LARGEST, KEPT = (2**26, 2**25), 2**28
"""Bytes: blocks up to the first come from the heap, of which at most the second is free at its end.

The first that is taken: glibc before 2.35 takes no more than 4 MiB times the size of a long.
"""


def keep_freed_memory() -> None:
    """Ask the C library for it; does nothing where that is not glibc or takes no such size.

    Not half of it: to set the second alone would keep small, for good, what glibc else raises as it goes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # no library of that name; Windows; musl, macOS
        return
    if any(mallopt(M_MMAP_THRESHOLD, size) for size in LARGEST):
        mallopt(M_TRIM_THRESHOLD, KEPT)
