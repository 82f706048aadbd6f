"""Precision of the evaluations of ``workbench.probes.gradients.oracle``, whatever is set outside."""

import pytest
import torch
from torch import nn

from tests.workbench.probe_cases import cross_entropy, data, equal, mlp
from workbench.probes.gradients.oracle import GradientOracle

OWNERS = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.mkldnn.matmul)


@pytest.fixture
def precision():
    """Puts the settings of float32 back."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    exact = [owner.fp32_precision for owner in OWNERS]
    yield
    torch.backends.fp32_precision = "none"
    for owner in OWNERS:
        owner.fp32_precision = "none"
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]
    for owner, value in zip(OWNERS, exact, strict=True):
        owner.fp32_precision = value


@pytest.mark.parametrize("given", ["highest", "high", "medium", "new"])
@pytest.mark.usefixtures("precision")
def test_no_tf32_inside(given):
    if given == "new":
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    else:
        torch.set_float32_matmul_precision(given)
    before, seen = [owner.fp32_precision for owner in OWNERS], []

    def loss(model, batch):
        seen.extend(owner.fp32_precision for owner in OWNERS)
        if given != "new":
            seen.extend([torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32])
        return cross_entropy(model, batch)

    oracle = GradientOracle(mlp(), loss)
    oracle.evaluate(oracle.point(), data())
    assert set(seen) == ({"ieee"} if given == "new" else {"ieee", False})
    assert [owner.fp32_precision for owner in OWNERS] == before
    if given != "new":
        assert torch.get_float32_matmul_precision() == given


@pytest.mark.usefixtures("precision")
def test_settings_that_followed_others_follow_them_still():
    torch.backends.fp32_precision = "tf32"
    oracle = GradientOracle(mlp(), cross_entropy)
    oracle.evaluate(oracle.point(), data())
    assert [owner.fp32_precision for owner in OWNERS] == ["tf32"] * 3
    torch.backends.fp32_precision = "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"


@pytest.mark.parametrize("outside", ["autocast", "no_grad", "inference_mode"])
def test_contexts_outside_do_not_count(outside):
    contexts = {
        "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
        "no_grad": torch.no_grad,
        "inference_mode": torch.inference_mode,
    }
    oracle = GradientOracle(mlp(), cross_entropy)
    expected = oracle.evaluate(oracle.point(), data())
    with contexts[outside]():
        found = oracle.evaluate(oracle.point(), data())
        product = oracle.hvp(oracle.point(), oracle.point(), data())
        assert torch.is_autocast_enabled("cpu") == (outside == "autocast")
    assert found.loss == expected.loss
    assert equal(found.gradient, expected.gradient)
    assert equal(product, oracle.hvp(oracle.point(), oracle.point(), data()))


class Half(nn.Sequential):
    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(x)


def half_loss(model, batch):
    with torch.autocast("cpu", torch.bfloat16):
        return cross_entropy(model, batch)


@pytest.mark.parametrize(
    ("model", "loss", "first"),
    [(mlp, half_loss, "Sequential"), (lambda: Half(*mlp()), cross_entropy, "Linear")],
)
def test_autocast_inside_is_refused(model, loss, first):
    """In float32; float64 numbers it leaves alone."""
    model = model()
    oracle = GradientOracle(model, loss)
    hooks = len(nn.modules.module._global_forward_pre_hooks)
    told = rf"autocast \(torch.bfloat16 on cpu\) before {first} .* put autocast around the loss"
    with pytest.raises(RuntimeError, match=told):
        oracle.evaluate(oracle.point(), data())
    assert len(nn.modules.module._global_forward_pre_hooks) == hooks
    double = GradientOracle(model, loss, dtype=torch.float64)
    plain = GradientOracle(mlp(), cross_entropy, dtype=torch.float64)
    assert double.evaluate(plain.point(), data()).loss == plain.evaluate(plain.point(), data()).loss


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_generator_and_the_precision_of_the_device():
    """Masks are drawn on the device from the seed; TF32 outside changes nothing."""
    torch.manual_seed(9)
    model = nn.Sequential(nn.Linear(5, 64), nn.Dropout(0.5), nn.Linear(64, 3)).cuda()
    oracle = GradientOracle(model, cross_entropy)
    before = torch.cuda.get_rng_state()
    expected = oracle.evaluate(oracle.point(), data())
    assert torch.equal(before, torch.cuda.get_rng_state())
    torch.rand(3, device="cuda")
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        found = oracle.evaluate(oracle.point(), data())
    finally:
        torch.set_float32_matmul_precision(precision)
    assert found.loss == expected.loss
    assert equal(found.gradient, expected.gradient)
    assert oracle.hvp(oracle.point(), oracle.point(), data())[0].device.type == "cuda"
