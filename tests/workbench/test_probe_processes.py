"""``workbench.probes.gradients.oracle`` in two processes, each with rows of its own."""

import pytest

from tests.workbench import probe_processes as work
from tests.workbench.forked import group_of
from tests.workbench.probe_cases import close, cross_entropy, data, equal
from workbench.probes.gradients.oracle import GradientOracle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each process saw."""
    return group_of(work.two, 2, tmp_path_factory.mktemp("probe"))


@pytest.fixture(scope="module")
def alone():
    """Loss, gradient and Hessian product on all rows in one process."""
    oracle = GradientOracle(work.model(), cross_entropy)
    loss, gradient = oracle.evaluate(oracle.point(), data())
    return oracle.names, [loss, *gradient, *oracle.hvp(oracle.point(), gradient, data())]


@pytest.mark.parametrize("split", work.SPLITS)
@pytest.mark.parametrize("kind", ["group", "ddp", "ddp and group", "compiled ddp", "ddp of compiled"])
def test_the_mean_over_the_rows_of_all(two, alone, kind, split):
    for found in two:
        names, values, untouched = found["evaluated"][kind, split]
        assert names == alone[0]
        close(values, alone[1], 1e-13)
        assert untouched
    assert equal(two[0]["evaluated"][kind, split][1], two[1]["evaluated"][kind, split][1])


def test_ranks_alone_see_something_else(alone):
    """Or nothing would have been averaged."""
    oracle = GradientOracle(work.model(), cross_entropy)
    loss = oracle.evaluate(oracle.point(), work.rows_of(1, 4)).loss
    assert abs(loss - alone[1][0]) > 1e-2


def test_the_training_goes_on_as_before(two):
    for found in two:
        without, with_probe = found["trained"]
        assert equal(without, with_probe)


def test_an_error_on_one_rank_reaches_all(two, alone):
    assert two[1]["failing"]["bad"] == "KeyError: 'a row of rank 1'"
    assert "could not be evaluated on rank 1, which says why" in two[0]["failing"]["bad"]
    assert "must have 6 tensors, one for each of names, got 5" in two[1]["failing"]["point"]
    assert "on rank 1" in two[0]["failing"]["point"]


def test_memory_of_one_rank(two, alone):
    """It takes fewer rows at once, and the mean is the same."""
    assert [found["failing"]["chunk"] for found in two] == [None, 2]
    for found in two:
        close(found["failing"]["loss"], alone[1][:7], 1e-13)


@pytest.mark.parametrize("kind", ["fsdp", "fully_shard", "inside", "dtensor"])
def test_sharded_parameters_are_refused(two, kind):
    for found in two:
        assert "sharded over processes: a probe needs whole parameters in each" in found["refused"][kind]


def test_wrong_groups_are_refused(two):
    for found in two:
        assert "DistributedDataParallel at '0'; wrap the whole model" in found["refused"]["ddp inside"]
        assert "group must be that of the model's Distributed" in found["refused"]["group"]
