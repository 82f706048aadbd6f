"""Settings of every test: one thread, the same examples each time, and a reason where a GPU is missing."""

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)

# No deadline: it would fail a test for the load of the machine. Derandomised: a failure can be repeated.
settings.register_profile("workbench", deadline=None, derandomize=True)
settings.load_profile("workbench")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none; -ra prints the reason."""
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="needs a CUDA device, and torch.cuda.is_available() is False")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skip)
