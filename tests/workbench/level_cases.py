"""What levels of a probe are given: functions whose numbers are known, and small networks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.probes.ends import Ends, moved_by
from workbench.probes.gradients.oracle import Evaluation, GradientOracle
from workbench.probes.layers import NetworkLayers, Point, layers_for

Function = Callable[[list[Tensor]], Tensor]
ROWS = torch.zeros(1, 1)
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)


class Counting(GradientOracle):
    """An oracle that keeps the points at which it was asked."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.gradients: list[Point] = []
        self.products: list[Point] = []

    def evaluate(self, x: Point, batch: Any) -> Evaluation:
        self.gradients.append(x)
        return super().evaluate(x, batch)

    def hvp(self, x: Point, v: Point, batch: Any) -> Point:
        self.products.append(x)
        return super().hvp(x, v, batch)


class Variables(nn.Module):
    """Parameters x0, x1, ..."""

    def __init__(self, values: list[Tensor]) -> None:
        super().__init__()
        for i, value in enumerate(values):
            self.register_parameter(f"x{i}", nn.Parameter(value))


def numbers(*values: float) -> list[Tensor]:
    return [torch.tensor([value], dtype=torch.float64) for value in values]


def ends_of(oracle: GradientOracle, x: Point, step: list[Tensor], batch: Any = ROWS) -> Ends:
    x_next = moved_by(x, tuple(step))
    return Ends(x, x_next, oracle.evaluate(x, batch), oracle.evaluate(x_next, batch))


def on_function(
    f: Function, x: list[Tensor], step: list[Tensor], norms: Any = "euclidean"
) -> tuple[Counting, NetworkLayers, Tensor, Ends]:
    """What levels are given, for f on the parameters alone."""
    model = Variables(x)
    oracle = Counting(model, lambda m, _: f(list(m.parameters())))
    ends = ends_of(oracle, oracle.point(), step)
    oracle.gradients.clear()
    return oracle, layers_for(model, norms), ROWS, ends


def on_network(
    kind: Callable[[], nn.Module], length: float = 0.05, dtype: torch.dtype = torch.float64
) -> tuple[Counting, NetworkLayers, tuple[Tensor, Tensor], Ends]:
    """A network of five layers, and a step against the gradient, of one length in every layer."""
    draw = torch.Generator().manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8), kind(), nn.Linear(8, 8), kind(), nn.Linear(8, 3, bias=False))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.5 * torch.randn(p.shape, generator=draw))
    batch = torch.randn(24, 6, generator=draw), torch.randint(3, (24,), generator=draw)
    oracle = Counting(model, lambda m, b: nn.functional.cross_entropy(m(b[0]), b[1]), dtype=dtype)
    layers = layers_for(model, "scion", output="4")
    g = oracle.evaluate(oracle.point(), batch).gradient
    ends = ends_of(oracle, oracle.point(), [-length * d for d in layers.direction(g)], batch)
    oracle.gradients.clear()
    return oracle, layers, batch, ends


def cubic(x: list[Tensor]) -> Tensor:
    """Its gradient is x^3."""
    return x[0].pow(4).sum() / 4


def quadratic(h: Tensor) -> Function:
    """x' H x / 2, each number a layer."""
    return lambda x: torch.cat(x) @ h @ torch.cat(x) / 2
