"""Models that torch has compiled or scripted, and losses that are modules, in the oracle of gradients."""

import pytest
import torch
from torch import nn

from tests.workbench.probe_cases import cross_entropy, data, equal, mlp
from workbench.probes.gradients.oracle import GradientOracle, point_of
from workbench.probes.gradients.support import unwrapped


class Mine(nn.Sequential):
    def forward(self, x):
        return super().forward(x)


def counted(calls):
    """A compiler that does nothing and says so."""

    def compiler(graph, _):
        calls.append(graph)
        return graph.forward

    return compiler


@pytest.mark.slow
@pytest.mark.parametrize("how", ["outside", "inside", "in place"])
def test_compiled_models(how):
    """Run as written: nothing is compiled for an evaluation, nor again after it."""
    torch._dynamo.reset()
    model, calls = Mine(*mlp()), []
    if how == "outside":
        compiled = torch.compile(model, backend=counted(calls))
    elif how == "inside":
        compiled = nn.Sequential(torch.compile(model, backend=counted(calls)))
    else:
        model.compile(backend=counted(calls))
        compiled = model
    compiled(data()[0]).sum().backward()
    assert len(calls) == 1
    oracle, plain = (GradientOracle(m, cross_entropy, dtype=torch.float64) for m in (compiled, mlp()))
    x, v = plain.point(), plain.evaluate(plain.point(), data()).gradient
    assert oracle.evaluate(x, data()).loss == plain.evaluate(x, data()).loss
    assert equal(oracle.hvp(x, v, data()), plain.hvp(x, v, data()))
    prefix = "0._orig_mod." if how == "inside" else ""
    assert oracle.names == tuple(prefix + name for name in plain.names)
    compiled(data()[0]).sum().backward()
    assert len(calls) == 1
    assert unwrapped(compiled)[0] is (compiled if how == "inside" else model)
    assert equal(point_of(oracle.names, compiled.state_dict()), x)


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("nested", [False, True])
def test_scripted_models(nested):
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3))
    scripted = torch.jit.script(model)
    scripted = nn.Sequential(scripted) if nested else scripted
    before = {name: (value.data_ptr(), value.tolist()) for name, value in scripted.state_dict().items()}
    oracle, plain = (
        GradientOracle(m, cross_entropy, dtype=torch.float64, mode="train") for m in (scripted.eval(), model)
    )
    x = tuple(part + 1 for part in plain.point())
    assert oracle.evaluate(x, data()).loss == plain.evaluate(x, data()).loss
    assert equal(oracle.hvp(x, x, data()), plain.hvp(x, x, data()))
    assert {n: (value.data_ptr(), value.tolist()) for n, value in scripted.state_dict().items()} == before
    assert not any(part.training for part in scripted.modules())


def test_a_loss_with_buffers_of_its_own():
    class Loss(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)

        def forward(self, model, batch):
            return nn.functional.cross_entropy(self.norm(model(batch[0])), batch[1])

    loss = Loss()
    oracle = GradientOracle(mlp(), loss, dtype=torch.float64)
    gradient = oracle.evaluate(oracle.point(), data()).gradient
    assert len(gradient) == 4
    assert loss.norm.running_mean.tolist() == [0, 0, 0]


def test_point_of_a_state():
    state, names = mlp().state_dict(), ("0.weight", "2.bias")
    for prefix in ("", "module.", "_orig_mod.module.", "module._orig_mod."):
        x = point_of(names, {prefix + name: value for name, value in state.items()})
        assert equal(x, [state[name] for name in names])
    with pytest.raises(ValueError, match=r"state has no parameter '1.weight'; it has 0.weight, 0.bias"):
        point_of(("1.weight",), state)
