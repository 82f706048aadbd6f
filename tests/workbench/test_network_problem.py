"""A network as a problem: what it computes against autograd, methods on it, and what is refused."""

import copy
import math
import pickle
from typing import Any

import cloudpickle
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from typer.testing import CliRunner

from assumptions import EUCLIDEAN, Smooth
from assumptions.layerwise.smooth import LayerSmooth
from problems.well_formed import require_well_formed
from workbench import run
from workbench.cli.app import app
from workbench.methods import PAGE, SGD, Gluon, GradientDescent, Muon
from workbench.optim import groups_for
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import layers_for
from workbench.probes.problem.network_problem import NetworkProblem

ROWS = 6


class Words(nn.Module):
    """Attention over tokens, one table at both ends."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.mix = nn.Linear(4, 12)
        self.gain = nn.Parameter(torch.tensor(1.5))
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        q, k, v = self.mix(x).chunk(3, dim=-1)
        x = x + self.gain * F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.head(x)


class Twice(nn.Module):
    """Activations that are computed again in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 4)
        self.last = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Any:
        return self.last(checkpoint(lambda y: self.first(y).tanh(), x, use_reentrant=False))


class Recurrent(nn.Module):
    """An LSTM: torch does not batch it over weights."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(5, 4, batch_first=True)
        self.last = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x.unsqueeze(1))[0][:, 0])


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 1, 5)),
        nn.Conv2d(1, 4, (1, 2)),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.ConvTranspose2d(4, 2, 1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


def cross_entropy(model: nn.Module, batch: Any) -> Tensor:
    x, y = batch
    return F.cross_entropy(model(x).flatten(0, -2), y.flatten())


def squares(model: nn.Module, batch: Any) -> Tensor:
    return model(batch["x"]).square().mean()


def data(rows: int = ROWS, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 5, generator=g), torch.randint(3, (rows,), generator=g)


def tokens() -> tuple[Tensor, Tensor]:
    text = torch.randint(7, (ROWS, 4), generator=torch.Generator().manual_seed(1))
    return text[:, :-1], text[:, 1:]


MODELS = {"mlp": mlp, "words": Words, "cnn": cnn, "recurrent": Recurrent, "twice": Twice}
NORMS: dict[str, dict[str, Any]] = {
    "mlp": {"norms": "scion", "output": "2"},
    "words": {"norms": "scion", "output": "head"},
    "cnn": {"norms": "muon", "output": "7"},
    "recurrent": {},
    "twice": {"norms": {"*.bias": "bias", "*": "hidden"}},
}


def model_of(kind: str) -> nn.Module:
    torch.manual_seed(0)
    model = MODELS[kind]()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean = torch.tensor([0.1, -0.2, 0.3, 0.0])
            part.running_var = torch.tensor([0.5, 1.5, 1.0, 2.0])
    return model


def made(kind: str, **options: Any) -> NetworkProblem:
    batch = tokens() if kind == "words" else data()
    return NetworkProblem(model_of(kind), cross_entropy, batch, **{**NORMS[kind], **options})


PROBLEMS = {kind: made(kind) for kind in MODELS}
every = pytest.mark.parametrize("kind", MODELS)


def matrices() -> NetworkProblem:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 4, bias=False), nn.Tanh(), nn.Linear(4, 3, bias=False))
    return NetworkProblem(model, cross_entropy, data(), norms={"*": "operator"}, name="matrices")


MATRICES = matrices()


def points(problem: NetworkProblem, *shape: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return problem.x0 + 0.3 * torch.randn(*shape, problem.d, dtype=torch.float64, generator=g)


def by_hand(kind: str, x: Tensor, rows: slice = slice(None)) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of a float64 model that holds the point."""
    problem = PROBLEMS[kind]
    model = model_of(kind).double().eval()
    model.load_state_dict(problem.parameters(x), strict=False)
    batch = tokens() if kind == "words" else (data()[0].double(), data()[1])
    loss = cross_entropy(model, tuple(t[rows] for t in batch))
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


# -- what is computed -------------------------------------------------------------------------------


@every
def test_value_and_gradient_are_those_of_the_model(kind):
    problem = PROBLEMS[kind]
    for x in (problem.x0, points(problem)):
        loss, grads = by_hand(kind, x)
        assert set(grads) == set(problem.network_layers.names)
        torch.testing.assert_close(problem.value(x), loss, rtol=1e-12, atol=0)
        torch.testing.assert_close(problem.grad(x), problem.flat(grads), rtol=1e-10, atol=1e-13)


def test_what_can_be_batched_is():
    batched = {kind: problem.vmapped for kind, problem in PROBLEMS.items()}
    assert batched == {"mlp": True, "words": True, "cnn": True, "recurrent": False, "twice": False}


@every
def test_rows_do_not_mix(kind):
    problem = PROBLEMS[kind]
    x, v = points(problem, 2, 3), points(problem, 2, 3, seed=1)
    j = torch.tensor([[0, 1, 2], [5, 0, 3]])
    b = torch.stack([j, j.flip(1)], dim=-1)
    together = [
        problem.value(x),
        problem.grad(x),
        problem.hvp(x, v),
        problem.part_value(x, j),
        problem.part_grad(x, j),
        problem.batch_grad(x, b),
        problem.part_values(x),
        problem.part_grads(x),
    ]
    n, d = problem.n_terms, problem.d
    tails = [(), (d,), (d,), (), (d,), (d,), (n,), (n, d)]
    for found, tail in zip(together, tails, strict=True):
        assert found.shape == (2, 3, *tail)
        assert found.dtype == torch.float64
    at = (1, 2)
    alone = [
        problem.value(x[at]),
        problem.grad(x[at]),
        problem.hvp(x[at], v[at]),
        problem.part_value(x[at], j[at]),
        problem.part_grad(x[at], j[at]),
        problem.batch_grad(x[at], b[at]),
        problem.part_values(x[at]),
        problem.part_grads(x[at]),
    ]
    for found, one in zip(together, alone, strict=True):
        torch.testing.assert_close(found[at], one, rtol=1e-11, atol=1e-12)


@every
def test_terms_are_the_rows_and_f_is_their_mean(kind):
    problem = PROBLEMS[kind]
    x = points(problem)
    assert problem.n_terms == ROWS
    values, grads = problem.part_values(x), problem.part_grads(x)
    loss, gradient = by_hand(kind, x, slice(2, 3))
    torch.testing.assert_close(values[2], loss, rtol=1e-11, atol=0)
    torch.testing.assert_close(grads[2], problem.flat(gradient), rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(values.mean(), problem.value(x), rtol=1e-11, atol=0)
    torch.testing.assert_close(grads.mean(0), problem.grad(x), rtol=1e-10, atol=1e-13)
    _, some = by_hand(kind, x, slice(1, 4))
    found = problem.batch_grad(x, torch.tensor([3, 1, 2]))
    torch.testing.assert_close(found, problem.flat(some), rtol=1e-10, atol=1e-13)
    twice = problem.batch_grad(x, torch.tensor([2, 2]))
    torch.testing.assert_close(twice, grads[2], rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(problem.part_grad(x), problem.grad(x), rtol=0, atol=0)
    torch.testing.assert_close(problem.part_value(x), problem.value(x), rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["mlp", "words", "recurrent", "twice"])
def test_hessian_products_are_derivatives_of_the_gradient(kind):
    problem = PROBLEMS[kind]
    x, v = points(problem, 2), points(problem, 2, seed=1)
    found = problem.hvp(x, v)
    differences = (problem.grad(x + 1e-5 * v) - problem.grad(x - 1e-5 * v)) / 2e-5
    torch.testing.assert_close(found, differences, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(problem.hvp(x, v[0])[1], problem.hvp(x[1], v[0]), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", ["mlp", "words", "recurrent"])
def test_callers_may_differentiate_through_all_of_it(kind):
    problem = PROBLEMS[kind]
    x, v = points(problem, 2), points(problem, 2, seed=1)
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    torch.testing.assert_close(problem.hvp(x, v), expected, rtol=1e-9, atol=1e-11)
    for at in (x, x[0]):
        (g,) = torch.autograd.grad(problem.value(at.requires_grad_()).sum(), at)
        torch.testing.assert_close(problem.grad(at.detach()), g, rtol=1e-10, atol=1e-13)
        with torch.no_grad():
            assert not problem.value(at).requires_grad
            assert not problem.grad(at).requires_grad
    assert not problem.grad(problem.x0).requires_grad


@every
def test_the_oracle_of_probes_says_the_same(kind):
    problem = PROBLEMS[kind]
    x = points(problem)
    batch = tokens() if kind == "words" else data()
    oracle = GradientOracle(model_of(kind), cross_entropy, dtype=torch.float64, mode="eval")
    found = oracle.evaluate(problem.point(x), batch)
    torch.testing.assert_close(problem.value(x), found.loss, rtol=1e-12, atol=0)
    gradient = problem.network_layers.flat(found.gradient)
    torch.testing.assert_close(problem.grad(x), gradient, rtol=1e-10, atol=1e-13)


@every
def test_layers_measure_flat_points_as_they_measure_parameters(kind):
    problem = PROBLEMS[kind]
    expected = layers_for(
        model_of(kind), NORMS[kind].get("norms", "euclidean"), output=NORMS[kind].get("output")
    )
    assert problem.network_layers == expected
    assert problem.layers.d == problem.d == sum(p.numel() for p in model_of(kind).parameters())
    x = points(problem)
    torch.testing.assert_close(
        problem.layers.norm_i(x), expected.norm_i(problem.point(x)), rtol=1e-12, atol=0
    )
    torch.testing.assert_close(
        problem.layers.dual_i(x), expected.dual_i(problem.point(x)), rtol=1e-11, atol=0
    )


def test_an_embedding_lies_in_x_as_its_norm_reads_it():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(4, 3))
    batch = (torch.arange(7)[:, None], torch.arange(7) % 3)
    problem = NetworkProblem(model, cross_entropy, batch, norms="scion", output="2")
    assert problem.network_layers.names == ("0.weight", "2.weight", "2.bias")
    assert problem.layers.shapes == ((4, 7), (3, 4), (3,))
    table = model[0].weight.detach().double()
    assert torch.equal(problem.x0[:28], table.T.reshape(-1))
    assert torch.equal(problem.parameters(problem.x0)["0.weight"], table)


@every
def test_points_and_parameters_lead_to_each_other(kind):
    problem, model = PROBLEMS[kind], model_of(kind)
    x = points(problem)
    assert torch.equal(problem.flat(problem.parameters(x)), x)
    assert torch.equal(problem.flat(model.state_dict()), problem.x0)
    model.double().load_state_dict(problem.parameters(x), strict=False)
    assert torch.equal(problem.flat(model.state_dict()), x)
    assert tuple(problem.parameters(x)) == problem.network_layers.names


# -- what it is -------------------------------------------------------------------------------------


def test_facts():
    problem = made("mlp", name="small", f_lower=0)
    assert repr(problem) == "NetworkProblem(small, d=39)"
    assert problem.family == repr(problem)
    assert problem.certified == ()
    assert problem.f_lower == 0.0
    assert [problem.offers(n) for n in ("f_lower", "hvp", "f_star", "prox", "x_star", "noise")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert not PROBLEMS["mlp"].offers("f_lower")
    assert repr(PROBLEMS["words"]) == f"NetworkProblem(Words, d={PROBLEMS['words'].d})"
    assert problem.x0.dtype == torch.float64
    require_well_formed(problem)


@every
def test_the_module_is_not_changed_and_changes_nothing(kind):
    model = model_of(kind).train()
    before = copy.deepcopy(model.state_dict())
    batch = tokens() if kind == "words" else data()
    problem = NetworkProblem(model, cross_entropy, batch, **NORMS[kind])
    state = torch.random.get_rng_state()
    value = problem.value(problem.x0)
    problem.part_grads(problem.x0)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before.values(), strict=True))
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert all(part.training for part in model.modules())
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers(), batch[0]):
            tensor.zero_()
    assert torch.equal(problem.value(problem.x0), value)


def test_parameters_without_gradient_stay_constant():
    model = model_of("mlp")
    model[0].requires_grad_(False)
    problem = NetworkProblem(model, cross_entropy, data())
    assert problem.network_layers.names == ("2.weight", "2.bias")
    assert problem.d == 15
    torch.testing.assert_close(problem.value(problem.x0), PROBLEMS["mlp"].value(PROBLEMS["mlp"].x0))


def test_pieces_of_the_batch_give_the_same():
    whole, pieces = PROBLEMS["mlp"], made("mlp", chunk=4)
    x = points(whole, 5)
    for one, other in (
        (whole.value(x), pieces.value(x)),
        (whole.grad(x), pieces.grad(x)),
        (whole.hvp(x, x), pieces.hvp(x, x)),
        (whole.part_grads(x), pieces.part_grads(x)),
    ):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)
    assert torch.equal(made("mlp", chunk=None).value(x), whole.value(x))


def test_float32_is_as_right_as_it_is():
    short, long = made("mlp", dtype=torch.float32), PROBLEMS["mlp"]
    x = points(long, 3)
    assert short.grad(x).dtype == torch.float64
    torch.testing.assert_close(short.grad(x), long.grad(x), rtol=1e-4, atol=1e-6)
    assert not torch.equal(short.grad(x), long.grad(x))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_a_gpu_agrees(kind):
    there = NetworkProblem(
        model_of(kind).cuda(), cross_entropy, tokens() if kind == "words" else data(), **NORMS[kind]
    )
    x, j = points(there, 3), torch.tensor([0, 5, 2])
    for found, expected in (
        (there.grad(x), PROBLEMS[kind].grad(x)),
        (there.part_grad(x, j), PROBLEMS[kind].part_grad(x, j)),
        (there.grad(x.cuda()).cpu(), PROBLEMS[kind].grad(x)),
    ):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


def test_norms_of_an_optimizer():
    model = model_of("mlp")
    problem = NetworkProblem(
        model, cross_entropy, data(), norms="optimizer", groups=groups_params(groups_for(model, "2"))
    )
    assert problem.layers == PROBLEMS["mlp"].layers


def groups_params(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As an optimizer holds them: tensors without names."""
    return [{**group, "params": [p for _, p in group["params"]]} for group in groups]


def test_dropout_in_train_mode_is_one_function_of_one_term():
    model = nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.5), nn.Linear(4, 3))
    problem = NetworkProblem(model, cross_entropy, data(), mode="train", terms=False, seed=3)
    x = points(problem, 2)
    assert problem.n_terms == 1
    assert torch.equal(problem.value(x), problem.value(x))
    torch.testing.assert_close(problem.value(x)[1], problem.value(x[1]), rtol=1e-12, atol=0)
    other = NetworkProblem(model, cross_entropy, data(), mode="train", terms=False, seed=4)
    assert not torch.equal(other.value(x), problem.value(x))
    assert problem.part_grads(x).shape == (2, 1, problem.d)
    assert torch.equal(problem.part_values(x)[:, 0], problem.value(x))
    assert torch.equal(problem.batch_grad(x, torch.zeros(2, 3, dtype=torch.int64)), problem.grad(x))


def test_batch_norm_in_train_mode_is_a_function_of_one_term():
    problem = made("cnn", mode="train", terms=False)
    x = points(problem, 2)
    assert torch.equal(problem.value(x), problem.value(x))
    assert not torch.allclose(problem.value(x), PROBLEMS["cnn"].value(x))


def test_a_linear_loss_has_hessian_zero():
    problem = NetworkProblem(nn.Linear(5, 1), lambda m, b: m(b).mean(), data()[0])
    x = points(problem, 2)
    assert torch.equal(problem.hvp(x, x), torch.zeros_like(x))
    assert torch.equal(problem.hvp(x[0], x[0]), torch.zeros_like(x[0]))


@pytest.mark.parametrize("kind", ["mlp", "recurrent"])
def test_a_loss_may_write_into_its_batch(kind):
    def scaled(model: nn.Module, batch: Any) -> Tensor:
        batch[0].mul_(2.0)
        return cross_entropy(model, batch)

    problem = NetworkProblem(model_of(kind), scaled, data())
    x = points(problem, 2)
    twice = NetworkProblem(model_of(kind), cross_entropy, (2 * data()[0], data()[1]))
    for found, expected in zip(
        (problem.value(x), problem.part_grads(x), problem.value(x)),
        (twice.value(x), twice.part_grads(x), twice.value(x)),
        strict=True,
    ):
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


def test_a_problem_travels_to_another_process():
    problem = PROBLEMS["mlp"]
    there = pickle.loads(cloudpickle.dumps(problem))
    assert repr(there) == repr(problem)
    x = points(problem, 2)
    assert torch.equal(there.grad(x), problem.grad(x))


def test_parameters_that_the_loss_does_not_use_have_gradient_zero():
    model = nn.ModuleDict({"used": nn.Linear(5, 2), "idle": nn.Linear(2, 2)})
    problem = NetworkProblem(model, lambda m, b: m["used"](b).square().mean(), data()[0])
    idle = problem.layers.split(problem.grad(problem.x0))[2:]
    assert all((part == 0).all() for part in idle)


# -- methods ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        GradientDescent(stepsize=0.5),
        Gluon(radius_i=0.03, beta=0.5, minibatch=3),
        Muon(radius_i=0.03, beta=0.5, minibatch=ROWS),
        SGD(stepsize=0.3, minibatch=2),
        PAGE(stepsize=0.3, p=0.3, minibatch=2),
    ],
    ids=lambda m: type(m).__name__,
)
def test_methods_decrease_the_loss(method):
    problem = MATRICES if isinstance(method, Muon) else PROBLEMS["mlp"]
    trace = run(method, problem, steps=40, replicates=2, record=["value", "gradnorm_i"], every=20)
    values = trace.quantities["value"]
    assert (values[:, -1] < 0.9 * values[:, 0]).all()
    assert trace.quantities["gradnorm_i"].shape == (2, 3, problem.layers.n_layers)


def test_gradient_descent_is_that_of_torch():
    problem, model = PROBLEMS["mlp"], model_of("mlp").double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        cross_entropy(model, (data()[0].double(), data()[1])).backward()
        optimizer.step()
    trace = run(GradientDescent(stepsize=0.5), problem, steps=5, keep_state=True)
    assert trace.x is not None
    torch.testing.assert_close(problem.flat(model.state_dict()), trace.x[0, -1], rtol=1e-11, atol=1e-13)


def test_assumptions_are_estimated_checked_and_refuted():
    problem = PROBLEMS["mlp"]
    x, y = Smooth.sample(problem, 20)
    seen = Smooth.estimate(problem, x, y)["L_seen"]
    hessian = torch.autograd.functional.hessian(problem.value, problem.x0)
    assert 0 < seen < 100
    assert Smooth(1.01 * seen).check(problem, x, y).verdict == "not refuted"
    assert Smooth(seen / 2).check(problem, x, y).verdict == "refuted"
    small = float(torch.linalg.eigvalsh(hessian).abs().max()) / 4
    assert Smooth(small).refute(problem, budget=200).verdict == "refuted"
    layerwise = LayerSmooth.estimate(problem, x, y)
    assert layerwise
    assert Smooth(1.0).norm == EUCLIDEAN


FILE = """
import torch
from torch import nn
from workbench.probes.problem.network_problem import NetworkProblem

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
x = torch.linspace(-1, 1, 12).reshape(4, 3)
PROBLEM = NetworkProblem(model, lambda m, b: (m(b) - 1).square().mean(), x, name="toy")
"""


def test_the_command_line_runs_a_network_of_a_users_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    said = ["run", "GradientDescent(stepsize=0.1)", "NetworkProblem(toy, d=11)", "--file", str(file)]
    result = CliRunner().invoke(app, [*said, "--steps", "5", "--record", "value,gradnorm"])
    assert result.exit_code == 0, result.output
    assert "NetworkProblem(toy, d=11)" in result.output
    result = CliRunner().invoke(app, ["run", "GradientDescent(stepsize=0.1)", "NetworkProblem(toy, d=11)"])
    assert result.exit_code != 0


# -- arguments ----------------------------------------------------------------------------------------


def two_rows_weigh_more(model: nn.Module, batch: Any) -> Tensor:
    """Padding: the mean over what is not left out."""
    x, y = batch
    return F.cross_entropy(model(x), torch.where(y == 1, -100, y), reduction="sum") / (y != 1).sum().clamp(
        min=1
    )


def flat_head() -> nn.Module:
    model = mlp()
    nn.init.zeros_(model[2].weight)  # pyright: ignore[reportArgumentType]
    nn.init.zeros_(model[2].bias)  # pyright: ignore[reportArgumentType]
    return model


OUTSIDE = mlp()
UNEQUAL = (data()[0], data()[1][1:])
WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"model": "mlp"}, TypeError, "model must be a torch.nn.Module, got 'mlp'"),
    ({"model": nn.ReLU()}, ValueError, "model must have parameters that need a gradient"),
    ({"loss": 3}, TypeError, r"loss must be a function of \(model, batch\), got 3"),
    ({"batch": UNEQUAL}, ValueError, r"share their first axis.*\[\(6, 5\), \(5,\)\]"),
    ({"batch": "text"}, TypeError, "batch must be a tensor"),
    (
        {"loss": lambda m, b: cross_entropy(m, b) * len(b[1])},
        ValueError,
        "loss must be the mean of the losses",
    ),
    ({"loss": two_rows_weigh_more}, ValueError, "loss must be the mean.* terms=False makes one term"),
    ({"loss": two_rows_weigh_more, "model": flat_head()}, ValueError, "loss must be the mean"),
    (
        {"loss": lambda m, b: m(b[0]).std(dim=0).mean()},
        ValueError,
        "loss must be the mean|fails on a row|finite",
    ),
    ({"loss": lambda m, b: m(b[0])}, ValueError, r"loss must return one number.*\(1, 3\)"),
    ({"loss": lambda m, b: 1.0}, TypeError, "loss must return a tensor with one number, got 1.0"),
    ({"loss": lambda m, b: cross_entropy(OUTSIDE.double(), b)}, ValueError, "model it is given"),
    ({"loss": lambda m, b: cross_entropy(m, b) * math.inf}, ValueError, "loss must be finite .* got inf"),
    ({"mode": "test"}, ValueError, 'mode must be "train", "eval" or None, got \'test\''),
    ({"dtype": torch.int64}, ValueError, "dtype must be torch.float32, torch.float64"),
    ({"chunk": 0}, ValueError, "chunk must be an integer >= 1, got 0"),
    ({"seed": 0.5}, ValueError, "seed must be an integer"),
    ({"terms": 1}, ValueError, "terms must be True or False, got 1"),
    ({"name": ""}, ValueError, "name must be a text that is not empty"),
    ({"f_lower": 5.0}, ValueError, r"f_lower must be at most f\(x0\) = .*, got 5.0"),
    ({"f_lower": math.nan}, ValueError, "f_lower must be finite"),
    ({"f_lower": "0"}, TypeError, "f_lower must be a number"),
    ({"norms": "adam"}, ValueError, "norms must be one of"),
    ({"norms": "scion", "output": "9"}, ValueError, "output must name a module"),
]


@pytest.mark.parametrize(("change", "kind", "message"), WRONG, ids=[w[2][:45] for w in WRONG])
def test_wrong_arguments_are_named(change, kind, message):
    torch.manual_seed(0)
    options = {"model": mlp(), "loss": cross_entropy, "batch": data(), **change}
    with pytest.raises(kind, match=message):
        NetworkProblem(**options)


@pytest.mark.parametrize("model", [cnn, lambda: nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5))])
def test_rows_that_need_each_other_are_no_terms(model):
    with pytest.raises(ValueError, match="terms=False makes one term of the batch"):
        NetworkProblem(model(), cross_entropy, data(), mode="train")


def test_a_loss_that_is_no_mean_is_one_term():
    problem = NetworkProblem(
        model_of("mlp"), lambda m, b: cross_entropy(m, b) * len(b[1]), data(), terms=False
    )
    x = problem.x0
    torch.testing.assert_close(problem.value(x), ROWS * PROBLEMS["mlp"].value(x), rtol=1e-12, atol=0)
    assert problem.n_terms == 1


def test_a_model_that_cannot_be_copied_is_refused():
    model = mlp()
    model.cache = model[0].weight * 2  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"copy.deepcopy copies"):
        NetworkProblem(model, cross_entropy, data())


def test_wrong_points_and_terms_are_named():
    problem = PROBLEMS["mlp"]
    x = points(problem, 2)
    for call in (problem.value, problem.grad, problem.part_values, lambda z: problem.hvp(x, z)):
        with pytest.raises(ValueError, match=r"must have shape \(\*batch, 39\)"):
            call(x[:, 1:])
    with pytest.raises(ValueError, match="x must be one point"):
        problem.parameters(x)
    with pytest.raises(ValueError, match="j must be int64"):
        problem.part_grad(x, torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="j must be int64"):
        problem.batch_grad(x, torch.zeros(2, dtype=torch.int64))
    for j in (-1, ROWS):
        with pytest.raises(IndexError, match=rf"j must be in 0..5, .* got \[{j}, 0\]|\[\[{j}\], \[0\]\]"):
            problem.part_grad(x, torch.tensor([j, 0]))
    with pytest.raises(ValueError, match=r"state has no parameter '0\.weight'"):
        problem.flat({"weight": x})
