"""A network and data of one's own, for `workbench probe docs/examples/probe_task.py:make`."""

import torch
from torch import nn


class Residual(nn.Module):
    """Two blocks x + B gelu(A x)."""

    def __init__(self):
        super().__init__()
        self.up = nn.ModuleList(nn.Linear(16, 64) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(64, 16) for _ in range(2))
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        for up, down in zip(self.up, self.down, strict=True):
            x = x + down(nn.functional.gelu(up(x)))
        return self.head(x).squeeze(-1)


def loss(model, batch):
    """Mean squared error over the rows."""
    x, y = batch
    return (model(x) - y).square().mean()


def make(seed):
    """The task: network, loss, batches as a function of the step, the set to probe at."""
    torch.manual_seed(seed)
    x = torch.randn(4096, 16)
    y = torch.sin(2 * x[:, 0]) * x[:, 1] + 0.1 * torch.randn(4096)

    def batch(step):
        rows = torch.randint(4096, (64,), generator=torch.Generator().manual_seed(step))
        return x[rows], y[rows]

    return {
        "model": Residual(),
        "loss": loss,
        "batch": batch,
        "fixed": (x[:512], y[:512]),
        "output": "head",
        "rates": {"scion": 0.005, "adamw": 1e-3},
    }
