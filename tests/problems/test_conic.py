"""The conic solver as a ball oracle, against exact ones and against what it must refuse."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from assumptions import Certificate, Convex, Lp, Norm
from assumptions.weighted import Weighted
from problems import SolverError
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.conic import conic_step
from problems.weighted_l1 import WeightedL1

NORMS = (
    *(Lp(p) for p in (1, 1.5, 2, 3, math.inf)),
    Lp(2, scale=3.0),
    *(Weighted((1.0, 2.0, 0.3), p) for p in (1, 2, math.inf)),
)
L1 = WeightedL1((1.0, 0.4, 0.1), center=(0.5, -1.0, 2.0))


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@dataclass(frozen=True)
class Bowl(BallOracle):
    """f(x) = factor |x - 1|^2 / 2 + offset, its minimiser kept secret."""

    factor: float = 1.0
    offset: float = 0.0
    d: int = 3  # pyright: ignore[reportIncompatibleMethodOverride]
    said: float = 1.0
    convex: bool = True
    written: str = "yes"

    @property
    def x0(self) -> Tensor:
        return torch.zeros(self.d, dtype=torch.float64)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        return (Certificate(Convex(), proof="a sum of squares"),) if self.convex else ()

    def value(self, x: Tensor) -> Tensor:
        return self.factor / 2 * (x - 1).square().sum(dim=-1) + self.offset

    def grad(self, x: Tensor) -> Tensor:
        return self.factor * (x - 1)

    def offers_brox(self, norm: Norm = Lp(2)) -> bool:  # noqa: B008
        return False

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        raise AssertionError("not for this test")

    def conic(self, z: Any, cp: Any) -> Any:
        if self.written == "no":
            return super().conic(z, cp)
        if self.written == "concave":
            return -cp.sum_squares(z)
        return self.said * self.factor * cp.sum_squares(z - 1) / 2 + self.offset


@pytest.mark.parametrize("norm", NORMS, ids=repr)
def test_it_agrees_with_an_exact_oracle(norm: Norm):
    generator = torch.Generator().manual_seed(0)
    x = L1.x_star + 2 * torch.randn(2, 4, 3, dtype=torch.float64, generator=generator)
    t = tensor(0.05, 0.7, 1.5, 40.0).unsqueeze(-1)
    found, exact = conic_step(L1, x, t, norm), L1.brox_step(x, t, norm)
    assert found.point.shape == (2, 4, 3)
    assert found.residual.shape == (2, 4)
    gap, best = L1.value(found.point), L1.value(exact.point)
    assert (gap >= best - 1e-12 * (1 + best)).all()
    assert (gap - best <= found.residual + 1e-12 * (1 + best)).all()
    assert (found.residual <= 1e-6 * t.squeeze(-1) * 1.5 / norm.norm(tensor(0.0, 0.0, 1.0))).all()
    assert (norm.norm(found.step) <= t.squeeze(-1) * (1 + 1e-15)).all()
    assert torch.equal(found.point[:, 3], exact.point[:, 3])


@pytest.mark.parametrize("p", [1.0, 2.0, 4.0, math.inf])
def test_the_multiplier_is_the_gradient(p: float):
    x = tensor(-2.0, 3.0, 0.5)
    step = Bowl(factor=3.0).brox_step(x, 0.5, Lp(p))
    assert torch.allclose(step.subgradient, Bowl(factor=3.0).grad(step.point), rtol=0, atol=1e-4)
    assert float(Lp(p).norm(step.step)) == pytest.approx(0.5, rel=1e-15)


def test_a_minimiser_inside_that_nobody_knows():
    step = Bowl().brox_step(tensor(0.9, 1.2, 0.5), 2.0)
    assert torch.allclose(step.point, tensor(1.0, 1.0, 1.0), rtol=0, atol=1e-4)
    assert float(step.subgradient.norm()) <= 1e-4
    assert 0 <= float(step.residual) <= 1e-6 * 8
    at_star = Bowl().brox_step(tensor(1.0, 1.0, 1.0), 2.0)
    assert at_star.point.tolist() == [1.0, 1.0, 1.0]
    assert float(at_star.residual) == 0


@pytest.mark.parametrize(
    ("factor", "radius"),
    [(1.0, 1e-4), (1e4, 1e-4), (1e-4, 1.0), (1.0, 1.0), (1e4, 1.0), (1e-4, 1e3), (1.0, 1e3)],
)
def test_scales(factor: float, radius: float):
    problem, x = Bowl(factor=factor), tensor(-2.0, 3.0, 0.5)
    exact = x + (1 - x) * min(1.0, radius / float((1 - x).norm()))
    step = problem.brox_step(x, radius)
    lost = float(problem.value(step.point) - problem.value(exact))
    variation = factor * radius * (radius + float((x - 1).norm()))
    assert -1e-9 * variation <= lost <= float(step.residual) + 1e-15 * factor
    assert float(step.residual) <= 2e-6 * variation


def test_below_the_resolution_of_the_solver_there_is_no_answer():
    with pytest.raises(SolverError, match="residual"):
        Bowl(factor=1e-5).brox_step(tensor(-2.0, 3.0, 0.5), 1e-5)


def test_a_dishonest_value_is_found():
    with pytest.raises(SolverError, match="residual"):
        Bowl(said=1.01).brox_step(tensor(-2.0, 3.0, 0.5), 1.0)
    with pytest.raises(SolverError, match="residual"):
        Bowl(said=0.99).brox_step(tensor(-2.0, 3.0, 0.5), 1.0)


def test_what_is_refused():
    x = tensor(-2.0, 3.0, 0.5)
    with pytest.raises(TypeError, match="not certified convex"):
        Bowl(convex=False).brox(x, 1.0)
    with pytest.raises(TypeError, match=r"Bowl.*not known in Lp"):
        Bowl(written="no").brox(x, 1.0)
    with pytest.raises(TypeError, match="must be convex"):
        Bowl(written="concave").brox(x, 1.0)
    with pytest.raises(ValueError, match=r"norm must be one on R\^3"):
        Bowl().brox(x, 1.0, Weighted((1.0, 2.0)))
    for p in (1.0000001, 1.0004, 2000.0, 1e6):
        for norm in (Lp(p), Weighted((1.0, 2.0, 0.3), p)):
            with pytest.raises(
                TypeError, match=rf"Bowl.* of {type(norm).__name__}.*\[1.001, 1024\], got {p}"
            ):
                Bowl().brox(x, 1.0, norm)


@pytest.mark.parametrize("p", [1.001, 1024.0])
def test_the_ends_of_the_powers(p: float):
    norm, x = Lp(p), tensor(-2.0, 3.0, 0.5)
    step = Bowl().brox_step(x, 1.0, norm)
    assert float(norm.norm(step.step)) == pytest.approx(1.0, rel=1e-15)
    other = Bowl().brox(x, 1.0, Lp(1 if p < 2 else math.inf))
    # |.|_p differs from its limit by a factor of at most 3^0.001, and |grad f| <= 4
    assert float(Bowl().value(step.point)) == pytest.approx(float(Bowl().value(other)), abs=4 * 1.2e-3)


def test_a_centre_that_requires_a_gradient():
    x = tensor(-2.0, 3.0, 0.5)
    found = Bowl().brox(x.clone().requires_grad_(), 0.5)
    assert torch.equal(found, Bowl().brox(x, 0.5))
    assert not found.requires_grad


def test_a_solver_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch):
    from problems import conic

    monkeypatch.setattr(conic, "SOLVER_TOLERANCES", (1e-30,))
    with pytest.raises(SolverError, match=r"Bowl.*radius 1: the conic solver ended with status"):
        Bowl().brox(tensor(-2.0, 3.0, 0.5), 1.0)


def test_rows_do_not_mix():
    x = tensor(-2.0, 3.0, 0.5).repeat(3, 1)
    x[1, 0] = torch.nan
    step = Bowl().brox_step(x, 1.0)
    assert step.point[1].isnan().all()
    assert torch.equal(step.point[0], Bowl().brox(x[2], 1.0))
    assert Bowl().brox(x[:0], 1.0).shape == (0, 3)
