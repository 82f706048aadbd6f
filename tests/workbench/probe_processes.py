"""What the processes of the tests of ``workbench.probes`` do; each writes what it saw to a file."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import distribute_tensor, init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from tests.workbench import ef21_processes
from tests.workbench.probe_cases import cross_entropy, data, mlp
from workbench.probes.batches import take
from workbench.probes.gradients.oracle import GradientOracle

SPLITS = {"equal": 6, "unequal": 4}
"""Rows of rank 0; rank 1 has the others of the twelve."""


class Mine(nn.Sequential):
    def forward(self, x):
        return super().forward(x)


def model():
    """With buffers, in eval mode so that each row counts for itself."""
    return Mine(*mlp(torch.float64), nn.BatchNorm1d(3, dtype=torch.float64)).eval()


def wrapped():
    """How a model may come: with its group, or inside wrappers."""
    return {
        "group": (model(), dist.group.WORLD),
        "ddp": (DistributedDataParallel(model()), None),
        "ddp and group": (DistributedDataParallel(model()), dist.group.WORLD),
        "compiled ddp": (torch.compile(DistributedDataParallel(model()), backend="eager"), None),
        "ddp of compiled": (DistributedDataParallel(torch.compile(model(), backend="eager")), None),
    }


def said(action):
    """The type and text of what it raises, in one."""
    return ": ".join(ef21_processes.said(action) or ())


def rows_of(rank, first):
    return take(data(), 0, first) if rank == 0 else take(data(), first, 12)


def evaluated(rank):
    """Loss, gradient and Hessian product of each wrapper and split, and whether p.grad stayed."""
    found = {}
    for kind, (given, group) in wrapped().items():
        for split, first in SPLITS.items():
            oracle = GradientOracle(given, cross_entropy, group=group, chunk=5)
            x, batch = oracle.point(), rows_of(rank, first)
            loss, gradient = oracle.evaluate(x, batch)
            product = oracle.hvp(x, gradient, batch)
            untouched = all(p.grad is None for p in given.parameters())
            found[kind, split] = oracle.names, [loss, *gradient, *product], untouched
    return found


def trained_around(rank):
    """The gradient that DistributedDataParallel leaves, without and with an evaluation before it."""
    left = []
    for probed in (False, True):
        given = DistributedDataParallel(model())
        if probed:
            oracle = GradientOracle(given, cross_entropy)
            oracle.evaluate(oracle.point(), rows_of(rank, 6))
        x, y = rows_of(rank, 6)
        cross_entropy(given, (x.double(), y)).backward()
        left.append([p.grad for p in given.parameters()])
    return left


def refused():
    """What is said to sharded models, to another group, and to a part that is wrapped."""
    mesh = init_device_mesh("cpu", (2,))
    sharded = mlp()
    sharded[0].weight = nn.Parameter(distribute_tensor(sharded[0].weight.detach(), mesh))
    cases = {
        "fsdp": lambda: FullyShardedDataParallel(mlp(), device_id=torch.device("cpu")),
        "fully_shard": lambda: fully_shard(mlp(), mesh=mesh),
        "inside": lambda: nn.Sequential(fully_shard(mlp(), mesh=mesh), nn.Linear(3, 3)),
        "dtensor": lambda: sharded,
        "ddp inside": lambda: nn.Sequential(DistributedDataParallel(mlp())),
    }
    found = {}
    for name, case in cases.items():
        given = case()
        found[name] = said(lambda given=given: GradientOracle(given, cross_entropy))
    other, ddp = dist.new_group([0, 1]), DistributedDataParallel(mlp())
    found["group"] = said(lambda: GradientOracle(ddp, cross_entropy, group=other))
    return found


def failing(rank):
    """The loss of rank 1 fails, then its memory does not suffice; then all is well."""

    def bad(model, batch):
        if rank == 1:
            raise KeyError("a row of rank 1")
        return cross_entropy(model, batch)

    def large(model, batch):
        if rank == 1 and len(batch[0]) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return cross_entropy(model, batch)

    batch = rows_of(rank, 6)
    first, second = (GradientOracle(model(), loss, group=dist.group.WORLD) for loss in (bad, large))
    told = said(lambda: first.evaluate(first.point(), batch))
    point = said(lambda: second.evaluate(second.point()[: 6 - rank], batch))
    loss, gradient = second.evaluate(second.point(), batch)
    return {"bad": told, "point": point, "loss": [loss, *gradient], "chunk": second.chunk}


def two(rank, folder):
    ef21_processes.join(rank, 2, folder)
    found = {"evaluated": evaluated(rank), "trained": trained_around(rank), "failing": failing(rank)}
    found["refused"] = refused()
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()
