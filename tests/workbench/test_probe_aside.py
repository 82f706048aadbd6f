"""What an evaluation of the oracle of gradients draws, sets and writes, and that it is put back."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from tests.workbench.probe_cases import Tied, cross_entropy, data, equal, mlp
from workbench.probes.gradients.aside import seeded
from workbench.probes.gradients.oracle import GradientOracle


class Writer(nn.Module):
    """Writes wherever a forward pass can: buffers, attributes, its weight, its modes; draws everywhere."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 5, max_norm=0.5)
        self.norm = nn.BatchNorm1d(5)
        self.drop = nn.Dropout(0.4)
        self.last = nn.Linear(5, 3)
        self.last.bias.requires_grad_(False)
        self.register_buffer("count", torch.zeros(2))
        self.register_buffer("late", None)
        self.mean, self.calls, self.plain = None, 0, torch.zeros(3)
        self.generator = torch.Generator().manual_seed(3)

    def forward(self, x):
        self.count += 1
        self.late = torch.ones(2)
        self.calls += 1
        self.plain += 1
        self.new = x.sum()
        h = self.norm(x + self.table(torch.arange(5)).mean(0))
        self.mean = h.mean()
        self.last.bias.data.mul_(0.9)
        self.norm.training = not self.norm.training
        noise = torch.randn(1) + random.random() + np.random.rand()
        return self.last(self.drop(h)) * (1 + noise + torch.rand(1, generator=self.generator))


def photograph(model):
    """Everything that must not change."""
    found = {}
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        found[name] = (id(value), value.tolist(), value.requires_grad, value.data_ptr(), value.grad is None)
        found[f"{name}.grad"] = None if value.grad is None else (id(value.grad), value.grad.tolist())
    for path, part in model.named_modules():
        found[f"{path} mode"] = part.training
        found[f"{path} vars"] = {key: id(value) for key, value in vars(part).items()}
        found[f"{path} hooks"] = len(part._forward_pre_hooks), len(part._forward_hooks)
    if isinstance(model, Writer):
        found |= {"plain": model.plain.tolist(), "own": model.generator.get_state().tolist()}
    kind, keys, *place = np.random.get_state()
    found["random"] = torch.get_rng_state().tolist(), random.getstate(), kind, keys.tolist(), place
    found["hooks"] = len(nn.modules.module._global_forward_pre_hooks)
    return found


def trained(model):
    """With gradients, momentum of the norms, and parts in other modes than the whole."""
    torch.manual_seed(8)
    cross_entropy(model, data()).backward()
    model.train()
    next(model.children()).eval()
    for p in model.parameters():
        p.data *= 2
    return model


def fails(model, batch):
    cross_entropy(model, batch)
    raise KeyError("on purpose")


@pytest.mark.parametrize("mode", [None, "train", "eval"])
@pytest.mark.parametrize("chunk", [None, 5], ids=["whole", "chunks"])
def test_everything_is_as_before(mode, chunk):
    model = trained(Writer())
    before = photograph(model)
    oracle = GradientOracle(model, cross_entropy, mode=mode, chunk=chunk, dtype=torch.float64)
    x, batch = oracle.point(), data()
    copies = [part.clone() for part in (*x, *batch)]
    loss = oracle.evaluate(x, batch).loss
    assert photograph(model) == before
    oracle.hvp(x, x, batch)
    oracle = GradientOracle(model, fails, mode=mode, chunk=chunk)
    with pytest.raises(KeyError, match="on purpose"):
        oracle.evaluate(x, batch)
    assert photograph(model) == before
    assert equal(copies, [*x, *batch])
    assert loss.isfinite()


def test_the_writer_writes():
    """Without an oracle, all that is photographed changes."""
    model = trained(Writer())
    before = photograph(model)
    cross_entropy(model, data()).backward()
    after = photograph(model)
    changed = {key for key in before if before[key] != after[key]}
    assert changed > {"table.weight", "last.bias", "last.weight.grad", "count", "late", "norm.running_mean"}
    assert changed > {" vars", "norm mode", "plain", "own", "random"}


def test_tied_and_frozen_parameters_stay():
    model = Tied()
    model(torch.arange(6)).sum().backward()
    before = photograph(model)
    oracle = GradientOracle(model, lambda m, b: m(b).square().mean())
    oracle.hvp(oracle.point(), oracle.evaluate(oracle.point(), torch.arange(6)).gradient, torch.arange(6))
    assert photograph(model) == before
    assert model.head.weight is model.embedding.weight


def test_the_batch_stays_when_the_loss_writes_into_it():
    def loss(model, batch):
        batch[0].mul_(2)
        return cross_entropy(model, batch)

    oracle, (x, y) = GradientOracle(mlp(), loss), data()
    first = oracle.evaluate(oracle.point(), (x, y)).loss
    assert torch.equal(x, data()[0])
    assert oracle.evaluate(oracle.point(), (x, y)).loss == first


def test_random_numbers_are_those_of_the_seed():
    """The same at each call, whatever was drawn between; others for another seed."""
    model = trained(Writer())
    losses = []
    for seed in (0, 0, 1, -1, 2**63 - 1):
        torch.rand(3), np.random.rand(3), random.random()
        oracle = GradientOracle(model, cross_entropy, seed=seed)
        losses += [oracle.evaluate(oracle.point(), data()).loss.item() for _ in range(2)]
    assert losses[0] == losses[1] == losses[2] == losses[3]
    assert len(set(losses)) == 4


def test_generators_return_after_an_error():
    def state():
        return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()

    before = state()

    def draws():
        with seeded(5, torch.device("cpu")):
            return torch.rand(1), np.random.rand(), random.random(), {}["no such key"]

    with pytest.raises(KeyError):
        draws()
    assert state() == before


@pytest.mark.parametrize(("mode", "expected"), [("train", {True}), ("eval", {False}), (None, {True, False})])
def test_modes_inside(mode, expected):
    model, seen = trained(Writer()), set()

    def loss(model, batch):
        seen.update(part.training for part in model.modules())
        return cross_entropy(model, batch)

    oracle = GradientOracle(model, loss, mode=mode)
    oracle.evaluate(oracle.point(), data())
    assert seen == expected
