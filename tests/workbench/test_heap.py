"""Both thresholds are set or none, whatever the C library takes."""

from types import SimpleNamespace

import pytest

from workbench import heap

MMAP, TRIM = (heap.M_MMAP_THRESHOLD, 2**26), (heap.M_TRIM_THRESHOLD, 2**28)
SMALLER = (heap.M_MMAP_THRESHOLD, 2**25)


@pytest.mark.parametrize(
    ("most", "asked"),
    [(2**62, [MMAP, TRIM]), (2**25, [MMAP, SMALLER, TRIM]), (2**19, [MMAP, SMALLER])],
    ids=["glibc", "glibc before 2.35", "the same of 32 bits"],
)
def test_the_second_is_set_only_where_the_first_is_taken(monkeypatch, most, asked):
    """Else every large tensor would be mapped anew, as glibc raises no threshold once one is set."""
    calls = []

    def mallopt(name, value):
        calls.append((name, value))
        return int(name != heap.M_MMAP_THRESHOLD or value <= most)

    monkeypatch.setattr("ctypes.CDLL", lambda name: SimpleNamespace(mallopt=mallopt))
    heap.keep_freed_memory()
    assert calls == asked


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError], ids=lambda error: error.__name__)
def test_another_library_is_left_alone(monkeypatch, error):
    def missing(name):
        raise error

    monkeypatch.setattr("ctypes.CDLL", missing)
    heap.keep_freed_memory()
