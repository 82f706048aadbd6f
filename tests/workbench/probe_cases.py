"""Small networks, data and the gradient of torch itself, for the tests of ``workbench.probes``."""

import copy

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from workbench.probes.batches import moved

F = nn.functional


def cross_entropy(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def data(rows=12, width=5, classes=3):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, width, generator=generator)
    return x, torch.randint(classes, (rows,), generator=generator)


def mlp(dtype=torch.float32):
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).to(dtype)


def reference(model, loss, batch):
    """Loss and gradients by autograd on a float64 copy of the module itself."""
    model = copy.deepcopy(model).double()
    value = loss(model, moved(batch, torch.device("cpu"), torch.float64))
    live = [p for p in model.parameters() if p.requires_grad]
    return value, torch.autograd.grad(value, live, allow_unused=True, materialize_grads=True)


def close(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a.double(), b.double(), rtol=tolerance, atol=tolerance)


def equal(found, expected):
    return all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


class Tied(nn.Module):
    """Embedding and output share a weight; the middle is frozen, one parameter is unused."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.middle = nn.Linear(4, 4).requires_grad_(False)
        self.unused = nn.Parameter(torch.ones(2))
        self.head = nn.Linear(4, 6, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(self.middle(self.embedding(tokens)).tanh())


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 4, batch_first=True)
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        return self.last(self.lstm(x[:, None])[0][:, -1])


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp()

    def forward(self, x):
        return checkpoint(self.body, x, use_reentrant=False)


def attention():
    torch.manual_seed(3)
    layer = nn.TransformerEncoderLayer(5, 1, 8, dropout=0.0, batch_first=True)
    return nn.Sequential(nn.Unflatten(1, (1, 5)), layer, nn.Flatten(), nn.Linear(5, 3))


def parametrized():
    first = nn.utils.parametrizations.spectral_norm(nn.Linear(5, 7)).eval()
    return nn.Sequential(first, nn.Tanh(), nn.Linear(7, 3))


MODELS = {
    "mlp": mlp,
    "lstm": Recurrent,
    "checkpoint": Checkpointed,
    "attention": attention,
    "parametrized": parametrized,
}
