"""A probe in two processes of one training: the numbers are those of one process with all rows."""

import pytest
import torch

from tests.workbench import probe_ranks as work
from tests.workbench.forked import group_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each process saw."""
    return group_of(work.two, 2, tmp_path_factory.mktemp("probe"))


def alone(name):
    """The same training in one process; the halves of its fixed set are those of both processes together."""
    if name == "fixed":
        indices = [*work.FIRST[:4], *work.SECOND[:2], *work.FIRST[4:], *work.SECOND[2:]]
        return work.trained(work.rows(indices), [0, 1], level="radii, coupling, lmo")
    return work.trained(
        "different" if name == "different" else "training", [0, 1], micro=2 if name == "micro" else 1
    )


@pytest.mark.parametrize("name", ["fixed", "training", "micro", "different"])
def test_all_rows_count_whoever_has_them(two, name):
    parameters, values, stopped, source = alone(name)
    assert not stopped
    for mine in (rank[name] for rank in two):
        assert mine[2:] == ("", source)
        torch.testing.assert_close(mine[0], parameters, rtol=1e-10, atol=1e-12)
        assert mine[1].keys() == values.keys()
        for quantity in values.keys() - {"ratio_resolution", "ratio_noise"}:
            torch.testing.assert_close(
                mine[1][quantity], values[quantity], rtol=1e-6, atol=1e-10, equal_nan=True
            )
    assert (source != "computed") == (name != "fixed")
    for quantity in values:
        assert torch.equal(two[0][name][1][quantity].nan_to_num(), two[1][name][1][quantity].nan_to_num())


@pytest.mark.parametrize(
    ("name", "said", "rows"),
    [
        ("loss", "step 1: ValueError: a loss of rank 1", 1),
        ("unseen", "step 2: MissingBatchError", 2),
        ("uneven", "step 0: ValueError: processes saw different numbers of batches", 0),
        ("level lmo", "step 0: RuntimeError: a level of rank 1", 1),
        ("level radii, lmo", "step 0: RuntimeError: a level of rank 1", 1),
        ("level lmo, coupling", "step 0: RuntimeError: a level of rank 1", 1),
    ],
)
def test_what_stops_one_stops_both_and_no_training(two, name, said, rows):
    """Not one waits for the other: both took all steps, and their parameters are the same."""
    first, second = (rank[name] for rank in two)
    assert second[2].startswith(said)
    assert first[2].startswith(said.split(":")[0])
    assert name == "uneven" or "on rank 1" in first[2]
    assert first[1]["ratio"].shape[0] == second[1]["ratio"].shape[0] == rows
    for p, q in zip(first[0], second[0], strict=True):
        assert torch.equal(p, q)
    plain = two[0]["micro" if name == "uneven" else "training"][0]
    assert all(torch.equal(p, q) for p, q in zip(first[0], plain, strict=True))


def test_p_grad_that_is_no_mean_over_the_processes_is_refused_by_both(two):
    """Without DistributedDataParallel p.grad is that of one process, and the gradient that of the group."""
    for rank in two:
        assert not rank["sum"][2]
        assert rank["sum"][3].startswith("computed, since p.grad")
