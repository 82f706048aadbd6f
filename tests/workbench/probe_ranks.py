"""What the processes of ``test_probe_ranks`` do: trainings with a probe, each with rows of its own."""

import warnings
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from tests.workbench import ef21_processes
from workbench.probes import measure
from workbench.probes.probe import SmoothnessProbe

X = torch.randn(64, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
Y = torch.randint(3, (64,), generator=torch.Generator().manual_seed(2))
FIRST, SECOND = range(8), range(8, 12)
"""Rows of the fixed set that rank 0 and rank 1 have."""
STEPS = 4


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def rows(indices):
    chosen = list(indices)
    return X[chosen], Y[chosen]


def step_rows(k, j, ranks):
    """Rows of the micro-batch j of step k, of some ranks together."""
    return rows(
        i % 64 for rank in ranks for i in range(7 * k + 13 * j + 6 * rank, 7 * k + 13 * j + 6 * rank + 6)
    )


def trained(batch, ranks, wrap=lambda model: model, loss_of=loss, micro=1, see=lambda k: True, **options):
    """Steps on the rows of some ranks. Returns the parameters, the rows of the probe, and why it stopped."""
    model = wrap(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    probe = SmoothnessProbe(
        model, optimizer, loss=loss_of, batch=batch, norms="muon", every=1, announce=None, **options
    )
    with probe, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(STEPS):
            optimizer.zero_grad()
            for j in range(micro):
                each = step_rows(k, j, ranks)
                (loss(model, each) / micro).backward()
                if see(k):
                    probe.saw(each)
            optimizer.step()
    result = probe.result()
    values = {name: torch.tensor(result[name].values) for name in result.data_vars if name != "seconds"}
    return [p.detach() for p in model.parameters()], values, probe.stopped, result.attrs["gradient_before"]


@contextmanager
def failing_level(here):
    """The level lmo fails in this process."""
    kept = measure.MEASURES["lmo"]

    def fail(*_):
        raise RuntimeError("a level of rank 1")

    measure.MEASURES["lmo"] = fail if here else kept
    yield
    measure.MEASURES["lmo"] = kept


class Failing:
    """A loss that fails in one process after some calls."""

    def __init__(self, here, calls):
        self.left = calls if here else 10**9

    def __call__(self, model, batch):
        self.left -= 1
        if self.left < 0:
            raise ValueError("a loss of rank 1")
        return loss(model, batch)


def two(rank, folder):
    ef21_processes.join(rank, 2, folder)
    fixed, one = rows((FIRST, SECOND)[rank]), {"ranks": [rank], "wrap": DistributedDataParallel}
    found = {
        "fixed": trained(fixed, **one, level="radii, coupling, lmo"),
        "training": trained("training", **one),
        "micro": trained("training", **one, micro=2),
        "different": trained("different", **one),
        "loss": trained(fixed, **one, loss_of=Failing(rank == 1, 5)),
        "unseen": trained("training", **one, see=lambda k: rank == 0 or k != 2),
        "sum": trained("training", [rank], group=dist.group.WORLD),
    }
    found["uneven"] = trained("training", **one, micro=2, see=Half(rank == 1))
    for level in ("lmo", "radii, lmo", "lmo, coupling"):
        with failing_level(rank == 1):
            found[f"level {level}"] = trained(fixed, **one, level=level)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


class Half:
    """Of two micro-batches, one process shows the first alone."""

    def __init__(self, here):
        self.here, self.shown = here, set()

    def __call__(self, k):
        seen = k in self.shown
        self.shown.add(k)
        return not (self.here and seen)
