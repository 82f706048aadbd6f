"""Values of ``workbench.probes.gradients.oracle``: gradients, Hessian products, chunks, losses."""

import copy

import pytest
import torch
from torch import nn

from tests.workbench.probe_cases import MODELS, Tied, close, cross_entropy, data, mlp, reference
from workbench.probes.batches import count_rows
from workbench.probes.ends import difference, moved_by
from workbench.probes.gradients.derivatives import NotTwiceDifferentiableError
from workbench.probes.gradients.oracle import GradientOracle

F = nn.functional


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(None, 1e-5), (torch.float64, 1e-13)], ids=["32", "64"])
def test_the_gradient_is_autograd_s_at_another_point(name, dtype, tolerance):
    """The module stands elsewhere: nothing may come from its own weights."""
    torch.manual_seed(4)
    model = MODELS[name]()
    elsewhere = copy.deepcopy(model)
    for p in elsewhere.parameters():
        p.data += 0.3
    oracle = GradientOracle(elsewhere, cross_entropy, dtype=dtype)
    loss, gradient = oracle.evaluate(GradientOracle(model, cross_entropy).point(), data())
    expected, grads = reference(model, cross_entropy, data())
    assert oracle.names == tuple(n for n, _ in model.named_parameters())
    assert loss.dtype == torch.float64
    assert {g.dtype for g in gradient} == {dtype or torch.float32}
    close([loss], [expected], tolerance)
    close(gradient, grads, tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_the_hessian_product_is_a_difference_of_gradients(name):
    torch.manual_seed(5)
    oracle = GradientOracle(MODELS[name](), cross_entropy, dtype=torch.float64)
    x, batch, h = oracle.point(), data(), 1e-5
    v = tuple(torch.randn_like(part) for part in x)
    ahead, back = (oracle.evaluate(moved_by(x, v, s * h), batch).gradient for s in (1, -1))
    slope = tuple(d / (2 * h) for d in difference(ahead, back))
    product = oracle.hvp(x, v, batch)
    assert max(p.abs().max() for p in product) > 1e-2
    close(product, slope, 1e-8)
    close(
        GradientOracle(oracle.model, cross_entropy, dtype=torch.float64, chunk=5).hvp(x, v, batch),
        product,
        1e-13,
    )


def test_tied_weights_count_once_and_frozen_ones_not():
    torch.manual_seed(6)
    model, tokens = Tied(), torch.arange(6).repeat(2)

    def loss(model, batch):
        return F.cross_entropy(model(batch), batch.flip(0))

    oracle = GradientOracle(model, loss, dtype=torch.float64)
    assert oracle.names == ("unused", "embedding.weight")
    _, gradient = oracle.evaluate(oracle.point(), tokens)
    close(gradient, reference(model, loss, tokens)[1], 1e-14)
    assert gradient[1].norm() > 0.01
    assert not gradient[0].any()
    assert not oracle.hvp(oracle.point(), gradient, tokens)[0].any()


@pytest.mark.parametrize("chunk", [1, 5, 6, 12, 40])
def test_chunks_are_weighted_by_their_rows(chunk):
    whole, parts = (GradientOracle(mlp(), cross_entropy, dtype=torch.float64, chunk=c) for c in (None, chunk))
    expected, found = (oracle.evaluate(oracle.point(), data()) for oracle in (whole, parts))
    close([found.loss, *found.gradient], [expected.loss, *expected.gradient], 1e-14)


def raises_for(rows, error):
    """A loss for which memory suffices up to so many rows."""

    def loss(model, batch):
        if count_rows(batch) > rows:
            raise error
        return cross_entropy(model, batch)

    return loss


ERRORS = {
    "cuda": torch.cuda.OutOfMemoryError("CUDA out of memory"),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_batch_that_does_not_fit_is_halved(error):
    oracle = GradientOracle(mlp(), raises_for(4, ERRORS[error]), dtype=torch.float64)
    found = oracle.evaluate(oracle.point(), data())
    assert oracle.chunk == 3
    expected = GradientOracle(mlp(), cross_entropy, dtype=torch.float64).evaluate(oracle.point(), data())
    close([found.loss, *found.gradient], [expected.loss, *expected.gradient], 1e-14)
    assert oracle.evaluate(oracle.point(), data()).loss == found.loss
    assert oracle.chunk == 3


def test_after_halving_the_masks_are_those_of_the_seed():
    model = nn.Sequential(mlp(), nn.Dropout(0.5))
    late = GradientOracle(model, raises_for(6, ERRORS["cuda"]))
    early = GradientOracle(model, cross_entropy, chunk=6)
    assert late.evaluate(late.point(), data()).loss == early.evaluate(early.point(), data()).loss


def test_a_row_that_does_not_fit_and_other_errors():
    oracle = GradientOracle(mlp(), raises_for(0, ERRORS["cuda"]))
    with pytest.raises(MemoryError, match="a single row do not fit in memory: CUDA out of memory"):
        oracle.evaluate(oracle.point(), data())
    assert oracle.chunk == 1
    oracle = GradientOracle(mlp(), raises_for(0, RuntimeError("something else")))
    with pytest.raises(RuntimeError, match="something else"):
        oracle.evaluate(oracle.point(), data())
    assert oracle.chunk is None


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16], ids=str)
def test_the_loss_may_return_another_type(kind):
    oracle = GradientOracle(mlp(), lambda m, b: cross_entropy(m, b).to(kind)[None])
    loss, gradient = oracle.evaluate(oracle.point(), data())
    expected, grads = reference(mlp(), cross_entropy, data())
    assert loss.shape == ()
    assert gradient[0].dtype == torch.float32
    close([loss, *gradient], [expected, *grads], 1e-2 if kind == torch.bfloat16 else 1e-5)


def test_nan_is_returned():
    oracle = GradientOracle(mlp(), lambda m, b: cross_entropy(m, b) * torch.nan)
    loss, gradient = oracle.evaluate(oracle.point(), data())
    assert loss.isnan()
    assert gradient[0].isnan().all()


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((torch.bfloat16, torch.float16), torch.float32),
        ((torch.bfloat16, torch.float32), torch.float32),
        ((torch.float32, torch.float64), torch.float64),
    ],
    ids=["halves", "single", "double"],
)
def test_the_type_is_that_of_the_parameters_float32_at_least(kinds, expected):
    model = nn.Sequential(
        nn.Linear(5, 7).to(kinds[0]), nn.BatchNorm1d(7).to(kinds[0]), nn.Linear(7, 3).to(kinds[1])
    )
    model[0].bias.requires_grad_(False)
    oracle = GradientOracle(model, cross_entropy)
    point = oracle.point()
    assert oracle.dtype == expected
    assert [p.dtype for p in point] == [kinds[0]] * 3 + [kinds[1]] * 2
    assert {g.dtype for g in oracle.evaluate(point, data()).gradient} == {expected}


def test_a_loss_with_kinks_or_straight_lines():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    oracle = GradientOracle(model, cross_entropy, dtype=torch.float64)
    assert max(p.abs().max() for p in oracle.hvp(oracle.point(), oracle.point(), data())) > 0.01
    straight = GradientOracle(mlp(), lambda m, b: m[0].weight.sum())
    assert not any(p.any() for p in straight.hvp(straight.point(), straight.point(), data()))


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *grads):
        return 2 * ctx.saved_tensors[0] * grads[0]


def test_no_second_derivative():
    oracle = GradientOracle(mlp(), lambda m, b: Once.apply(m(b[0])).mean())
    assert oracle.evaluate(oracle.point(), data()).loss > 0
    with pytest.raises(NotTwiceDifferentiableError, match=r"could not be differentiated twice.*once_diff"):
        oracle.hvp(oracle.point(), oracle.point(), data())


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize(
    "norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm], ids=["old", "new"]
)
def test_false_second_derivatives(norm):
    """Those of torch's weight normalisation are refused; first ones are right."""
    torch.manual_seed(7)
    model, plain = nn.Sequential(norm(nn.Linear(5, 3))), nn.Sequential(nn.Linear(5, 3))
    plain[0].weight.data = model[0].weight.detach().clone()
    plain[0].bias.data = model[0].bias.detach().clone()
    oracle, expected = GradientOracle(model, cross_entropy), GradientOracle(plain, cross_entropy)
    found = oracle.evaluate(oracle.point(), data())
    torch.testing.assert_close(found.loss, expected.evaluate(expected.point(), data()).loss)
    with pytest.raises(NotTwiceDifferentiableError, match=r"'0.*' has weight normalisation"):
        oracle.hvp(oracle.point(), oracle.point(), data())
