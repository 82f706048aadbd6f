"""Models, losses, points and batches that ``workbench.probes.gradients.oracle`` cannot take."""

import collections

import pytest
import torch
from torch import nn

from tests.workbench.probe_cases import cross_entropy, data, mlp
from workbench.probes.batches import chunks, count_rows, halves, moved, take
from workbench.probes.gradients.oracle import GradientOracle


def frozen():
    return mlp().requires_grad_(False)


def with_parameter(p):
    model = mlp()
    model.register_parameter("extra", p)
    return model


MODELS = {
    "no module": (lambda: "a model", TypeError, r"model must be a torch.nn.Module, got 'a model'"),
    "frozen": (frozen, ValueError, "must have parameters that need a gradient, and has none"),
    "lazy": (
        lambda: nn.Sequential(nn.LazyLinear(3)),
        ValueError,
        "'0.weight' has no shape yet",
    ),
    "lazy buffer": (
        lambda: nn.Sequential(mlp(), nn.LazyBatchNorm1d(affine=False)),
        ValueError,
        r"'1.running_mean' has no shape yet",
    ),
    "meta": (lambda: mlp().to("meta"), ValueError, "must be on the CPU or a CUDA device, got meta"),
    "devices": (
        lambda: with_parameter(nn.Parameter(torch.ones(1, device="meta"))),
        ValueError,
        r"on one device, got .* on (cpu|meta), .* on (cpu|meta)",
    ),
    "complex": (
        lambda: with_parameter(nn.Parameter(torch.ones(1, dtype=torch.complex64))),
        TypeError,
        r"real floating point numbers; 'extra' is torch.complex64",
    ),
    "integer": (
        lambda: with_parameter(nn.Parameter(torch.ones(1, dtype=torch.int8), requires_grad=False)),
        TypeError,
        r"real floating point numbers; 'extra' is torch.int8",
    ),
    "data parallel": (lambda: nn.DataParallel(mlp()), TypeError, r"model has DataParallel, .* give .module"),
    "inside": (lambda: nn.Sequential(nn.DataParallel(mlp())), TypeError, "model has DataParallel at '0'"),
}


@pytest.mark.parametrize("case", MODELS)
def test_models_that_are_refused(case):
    model, error, told = MODELS[case]
    with pytest.raises(error, match=told):
        GradientOracle(model(), cross_entropy)


SETTINGS = [
    ({"loss": None}, TypeError, r"loss must be a function of \(model, batch\), got None"),
    (
        {"dtype": torch.bfloat16},
        ValueError,
        r"dtype must be .* got torch.bfloat16",
    ),
    ({"dtype": "float64"}, ValueError, "dtype must be .*, got 'float64'"),
    ({"chunk": 0}, ValueError, "chunk must be an integer >= 1, got 0"),
    ({"chunk": 2.5}, ValueError, "chunk must be an integer >= 1, got 2.5"),
    ({"mode": "test"}, ValueError, 'mode must be "train", "eval" or None, got \'test\''),
    ({"mode": True}, ValueError, 'mode must be "train", "eval" or None, got True'),
    ({"seed": 0.5}, ValueError, r"seed must be an integer in .*, got 0.5"),
    ({"seed": 2**63}, ValueError, "seed must be an integer in"),
    (
        {"group": "world"},
        TypeError,
        "group must be a process group .* got 'world'",
    ),
]


@pytest.mark.parametrize(("given", "error", "told"), SETTINGS, ids=lambda value: str(value)[:30])
def test_settings_that_are_refused(given, error, told):
    with pytest.raises(error, match=told):
        GradientOracle(mlp(), **{"loss": cross_entropy, **given})


LOSSES = {
    "rows": (
        lambda m, b: nn.functional.cross_entropy(m(b[0]), b[1], reduction="none"),
        ValueError,
        r"loss must return one number, the mean over the rows, got shape \(12,\)",
    ),
    "number": (lambda m, b: cross_entropy(m, b).item(), TypeError, r"must return a tensor .*, got \d"),
    "integer": (
        lambda m, b: cross_entropy(m, b).long(),
        TypeError,
        "real floating .* got torch.int64",
    ),
    "complex": (
        lambda m, b: cross_entropy(m, b) * 1j,
        TypeError,
        "real floating .* got torch.complex64",
    ),
    "detached": (lambda m, b: cross_entropy(m, b).detach(), ValueError, "loss must depend on the parameters"),
    "elsewhere": (lambda m, b: cross_entropy(frozen(), b), ValueError, "loss must depend on the parameters"),
}


@pytest.mark.parametrize("case", LOSSES)
def test_losses_that_are_refused(case):
    loss, error, told = LOSSES[case]
    oracle = GradientOracle(mlp(), loss)
    with pytest.raises(error, match=told):
        oracle.evaluate(oracle.point(), data())


def test_points_that_are_refused():
    oracle = GradientOracle(mlp(), cross_entropy)
    x = oracle.point()
    with pytest.raises(ValueError, match="must have 4 tensors, one for each of names, got 3"):
        oracle.evaluate(x[:3], data())
    wrong = (x[0].T, *x[1:])
    with pytest.raises(ValueError, match=r"must have shape \(7, 5\) for '0.weight', got \(5, 7\)"):
        oracle.evaluate(wrong, data())
    with pytest.raises(ValueError, match=r"must have shape \(7, 5\) for '0.weight'"):
        oracle.hvp(x, wrong, data())


@pytest.mark.parametrize(
    ("batch", "error"),
    [
        (torch.tensor(1.0), ValueError),
        (torch.zeros(0, 3), ValueError),
        ((torch.zeros(2), torch.zeros(3)), ValueError),
        ({"x": 3}, TypeError),
        (None, TypeError),
    ],
    ids=["number", "empty", "unequal", "no tensor", "none"],
)
def test_batches_that_are_refused(batch, error):
    with pytest.raises(error, match="batch must"):
        count_rows(batch)


Pair = collections.namedtuple("Pair", "x y")


def test_batches_are_cut_along_their_rows():
    x = torch.arange(10.0).reshape(5, 2)
    batch = {"pair": Pair(x, [torch.arange(5)]), "word": "kept"}
    assert count_rows(batch) == 5
    assert [count_rows(piece) for piece in chunks(batch, 2)] == [2, 2, 1]
    assert [count_rows(piece) for piece in (*chunks(batch, None), *chunks(batch, 9))] == [5, 5]
    first, second = halves(batch)
    assert torch.equal(torch.cat([first["pair"].x, second["pair"].x]), x)
    assert [count_rows(half) for half in (first, second)] == [2, 3]
    assert take(batch, 1, 3)["pair"].y[0].tolist() == [1, 2]
    assert second["word"] == "kept"
    copy = moved(batch, x.device, torch.float64)
    assert (copy["pair"].x.dtype, copy["pair"].y[0].dtype) == (torch.float64, torch.int64)
    copy["pair"].y[0].zero_()
    assert batch["pair"].y[0].tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="two rows or more"):
        halves(take(batch, 0, 1))
    with pytest.raises(ValueError, match="size must be an integer >= 1, got 0"):
        next(chunks(batch, 0))
