"""Estimates of one constant: the same in all units of f, and what their own points allow."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

import assumptions
from assumptions import ConstantPhi, OneConstant, PowerPhi
from assumptions.base import Sides
from assumptions.settling import largest_lower, least_upper

Map = Callable[[Tensor], Tensor]
UNITS = (1e-12, 1e-8, 1.0, 1e8, 1e12)
CLASSES = sorted(
    {
        c
        for c in vars(assumptions).values()
        if inspect.isclass(c)
        and issubclass(c, OneConstant)
        and not inspect.isabstract(c)
        and not {"parts", "layers"} & set(c.needs)
    },
    key=lambda c: c.__name__,
)


@dataclass(frozen=True)
class Scaled:
    """unit * sum f(x_i) as the mean of two terms, unit (f +- cos / 2), with all oracles; minimum f(0) = 0."""

    unit: float
    f: Map
    df: Map
    ddf: Map
    d: int = 2
    n_terms: int = 2
    f_star: float = 0.0
    f_star_error: float = 0.0
    x_star_error: float = 0.0

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), 2.0, dtype=torch.float64)

    @property
    def x_star(self) -> Tensor:
        return torch.zeros(self.d, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None

    def nearest_star(self, x: Tensor, norm: Any = None) -> Tensor:
        return torch.zeros_like(x)

    def value(self, x: Tensor) -> Tensor:
        return self.unit * self.f(x).sum(-1)

    def grad(self, x: Tensor) -> Tensor:
        return self.unit * self.df(x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        return self.unit * self.ddf(x) * v

    def gap(self, x: Tensor) -> Tensor:
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        return gap.abs()

    def part_values(self, x: Tensor) -> Tensor:
        return self.unit * torch.stack([(self.f(x) + s * x.cos() / 2).sum(-1) for s in (-1, 1)], dim=-1)

    def part_grads(self, x: Tensor) -> Tensor:
        return self.unit * torch.stack([self.df(x) - s * x.sin() / 2 for s in (-1, 1)], dim=-2)


FUNCTIONS: dict[str, tuple[Map, Map, Map]] = {
    "quadratic": (lambda x: x.square() / 2, lambda x: x, torch.ones_like),
    "quartic": (lambda x: x**4 / 4, lambda x: x**3, lambda x: 3 * x**2),
    "waves": (
        lambda x: x.square() / 2 + 2 * (x / 2).sin().square(),
        lambda x: x + x.sin(),
        lambda x: 1 + x.cos(),
    ),
    "hills": (lambda x: 2 * (x / 2).sin().square(), torch.sin, torch.cos),
}


def estimate(cls: type[OneConstant], name: str, unit: float, n: int = 300) -> tuple[Any, ...]:
    """The constant, the assumption with 1 % of room (None where it is none), the problem, its points."""
    problem = Scaled(unit, *FUNCTIONS[name])
    options = {"phi": ConstantPhi()} if cls.__name__ == "PhiSmooth" else {}
    points = cls.sample(problem, n)
    (seen,) = cls.estimate(problem, *points, **options).values()
    (constant,) = cls.constants()
    relaxed = seen * (1 - 0.01 * cls.sense[constant])
    fits = 0 < relaxed < math.inf and relaxed <= cls.most
    return seen, cls(**{constant: relaxed}, **options) if fits else None, problem, points


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_an_estimate_is_not_refuted_by_its_points_in_any_unit(cls: type[OneConstant], name: str):
    (constant,) = cls.constants()
    power = {"eb": -1, "quasar": 0}.get(constant, 1)
    one = estimate(cls, name, 1.0)[0]
    for unit in UNITS:
        seen, assumption, problem, points = estimate(cls, name, unit)
        if one > 1e-9:  # less is rounding
            assert seen == pytest.approx(one * unit**power, rel=0.01)
        if assumption is not None:
            assert assumption.check(problem, *points).verdict == "not refuted"


def test_every_class_is_tried():
    assert len(CLASSES) >= 13


@pytest.mark.parametrize("unit", UNITS)
def test_tight_constants(unit: float):
    def seen(name: str, function: str) -> float:
        cls = getattr(assumptions, name)
        return estimate(cls, function, unit, 2000)[0] / unit

    assert seen("QuadraticGrowth", "quadratic") == pytest.approx(1, rel=1e-9)
    assert seen("WeaklyConvex", "hills") == pytest.approx(1, rel=0.01)
    assert seen("HessianLipschitz", "hills") == pytest.approx(1, rel=0.01)
    assert seen("PhiSmooth", "quadratic") == pytest.approx(1, rel=1e-9)
    # the terms differ from their mean by cos / 2
    assert seen("UniformSimilarity", "quadratic") == pytest.approx(0.5, rel=0.01)


def test_a_steep_phi_settles():
    # rounding of q^(1/3) at small q is no multiple of the constant
    for unit in UNITS:
        problem = Scaled(unit, *FUNCTIONS["quartic"])
        phi = PowerPhi(((1.0, 2.0, 0.0), (3.0, 0.0, 2 / 3)))
        points = assumptions.PhiSmooth.sample(problem, 500)
        seen = assumptions.PhiSmooth.estimate(problem, *points, phi=phi)["phi_scale_seen"]
        assert assumptions.PhiSmooth(phi, 1.01 * seen).check(problem, *points).verdict == "not refuted"


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def reader(lhs: Tensor, rhs: Tensor, fixed: Tensor, growing: Tensor, upper: bool) -> Callable[[float], Sides]:
    """Sides at c with the resolution fixed + c growing."""
    return lambda c: Sides(lhs if upper else c * lhs, c * rhs if upper else rhs, fixed + c * growing)


@pytest.mark.parametrize("c", [1e-20, 1e-3, 1.0, 1e5, 1e20])
def test_where_rounding_grows_with_the_constant(c: float):
    one = column(1.0, 1.0)
    # both are visible; then both are rounding: 4 c = x + c + x / 2, and x = c / 2 + x / 2
    upper = reader(column(c, c / 2), one, column(0, 0), 1e-6 * one, True)
    assert least_upper(upper) == pytest.approx(c, rel=1e-9)
    hidden = reader(column(4 * c, 0.0), one, column(c, c), 0.5 * one, True)
    assert least_upper(hidden) == pytest.approx(2 * c, rel=1e-2)
    lower = reader(one, column(c, 2 * c), column(0, 0), 1e-6 * one, False)
    assert largest_lower(lower) == pytest.approx(c, rel=1e-5)
    cut = reader(one, column(0.0, 2 * c), column(c / 2, 0.0), 0.05 * one, False)
    assert largest_lower(cut) == pytest.approx(c / 2 / 0.95, rel=1e-5)


def test_where_nothing_is_seen():
    zero, one = column(0.0), column(1.0)
    assert least_upper(reader(zero, one, zero, zero, True)) == 0
    assert least_upper(reader(column(1e-16), one, 2e-16 * one, one, True)) == 0
    assert largest_lower(reader(zero, one, zero, zero, False)) == math.inf
    assert largest_lower(reader(one, zero, zero, 1e-14 * one, False)) == 0
    assert largest_lower(reader(one, zero, zero, 2 * one, False)) == math.inf  # x is the minimiser
    nan = column(math.nan)
    assert math.isnan(least_upper(reader(nan, one, zero, zero, True)))
    assert math.isnan(largest_lower(reader(one, nan, zero, zero, False)))
    assert least_upper(reader(one, zero, zero, zero, True)) == math.inf


def test_options_are_checked():
    problem = Scaled(1.0, *FUNCTIONS["quadratic"])
    x, y = assumptions.WeaklyConvex.sample(problem, 10)
    with pytest.raises(TypeError, match=r"WeaklyConvex\.estimate: there are no options, got norm"):
        assumptions.WeaklyConvex.estimate(problem, x, y, norm=3)
    with pytest.raises(TypeError, match=r"ErrorBound\.estimate: the only options are order, norm, got nrom"):
        assumptions.ErrorBound.estimate(problem, x, nrom=3)
    with pytest.raises(TypeError, match=r"PhiSmooth\.estimate: .*phi"):
        assumptions.PhiSmooth.estimate(problem, x, y)
