"""A user's own function: what is derived from it and which mistakes are caught at once."""

import pytest
import torch
from torch import Tensor

from assumptions import PL, Convex, Lp, QuadraticGrowth, Smooth, StronglyConvex
from problems import from_function


def bowl(x: Tensor) -> Tensor:
    """|x|^2."""
    return x.square().sum(-1)


def test_wraps_a_function():
    problem = from_function(bowl, 2, assume=(Convex(), Smooth(2.0)), f_star=0.0, x_star=(0.0, 0.0))
    assert repr(problem) == "from_function(bowl, d=2)"
    assert repr(from_function(bowl, 2, name="mine")) == "from_function(mine, d=2)"
    x = torch.randn(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(problem.grad(x), 2 * x)
    assert problem.gap(x).shape == (2, 3)
    assert [c.status for c in problem.certified] == ["declared", "declared"]
    assert problem.x0.tolist() == [1.0, 1.0]
    assert problem.offers("x_star")
    assert problem.offers("f_star")
    assert not any(problem.offers(name) for name in ("nearest_star", "hvp", "f_lower"))
    assert not any(from_function(bowl, 2, assume=(Convex(),)).offers(name) for name in ("prox", "brox"))


def test_gradients_can_be_differentiated_and_need_no_graph():
    problem = from_function(lambda x: x.pow(4).sum(-1), 2)
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    with torch.no_grad():
        assert problem.grad(x).tolist() == [4.0, 32.0]
    assert not problem.grad(x).requires_grad
    x.requires_grad_(True)
    (second,) = torch.autograd.grad(problem.grad(x).sum(), x)
    assert second.tolist() == [12.0, 48.0]


def test_a_constant_function_has_gradient_zero():
    problem = from_function(lambda x: torch.zeros_like(x[..., 0]) + 0 * x.sum(-1), 2)
    assert problem.grad(problem.x0).tolist() == [0.0, 0.0]


def test_a_unique_minimiser_gives_the_distance():
    for extra in ({"unique_star": True}, {"assume": (StronglyConvex(2.0),)}):
        problem = from_function(bowl, 2, x_star=torch.zeros(2), **extra)
        assert problem.offers_dist()
        assert problem.offers_dist(Lp(1))
        assert problem.nearest_star(torch.ones(3, 2, dtype=torch.float64)).tolist() == [[0.0, 0.0]] * 3


def test_given_oracles_are_used():
    def brox(x: Tensor, radius: float | Tensor) -> Tensor:
        return x * (1 - radius / x.norm(dim=-1, keepdim=True)).clamp(min=0)

    problem = from_function(bowl, 2, grad=lambda x: 2 * x, brox=brox)
    assert problem.offers("brox")
    x = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert torch.allclose(problem.brox(x, 1.0), 0.8 * x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"f": lambda x: x.square()}, r"f of a tensor of shape \(3, 2\) must be \(3,\), got \(3, 2\)"),
        ({"f": lambda x: x.square().sum()}, r"must be \(3,\), got \(\)"),
        ({"f": lambda x: 1.0}, r"must be \(3,\), got 1.0"),
        ({"f": lambda x: (x - x.mean(0)).square().sum(-1) if x.dim() > 1 else bowl(x)}, "rows must not mix"),
        ({"f": lambda x: bowl(x).sqrt().neg().sqrt()}, "finite at x0"),
        ({"grad": lambda x: 2 * x.sum(-1)}, r"grad of a tensor of shape \(3, 2\) must be \(3, 2\)"),
        ({"f_star": 1.0, "x_star": (0.0, 0.0)}, "f_star must be f"),
        ({"x_star": (5.0, 0.0)}, "x_star must minimise"),
        ({"x_star": (0.0,)}, "x_star must have 2 entries"),
        ({"x_star": (0.0, float("nan"))}, "x_star must have finite"),
        ({"x0": torch.zeros(2, 1)}, "x0 must be"),
        ({"x0": (1.0,)}, "x0 must have 2"),
        ({"f_star": 3.0}, "f_star must be at most"),
        ({"f_star": float("nan")}, "f_star must be at most"),
        ({"f_lower": 3.0}, "f_lower must be at most"),
        ({"f_star": 0.0, "f_lower": 1.0}, "f_lower must be at most"),
        ({"assume": (Convex,)}, "assume must hold"),
        ({"d": 0}, "d must be an integer"),
    ],
)
def test_mistakes_are_named(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        from_function(**{"f": bowl, "d": 2, **arguments})


@pytest.mark.parametrize("lower", [PL(2.1), StronglyConvex(2.1), QuadraticGrowth(2.1)], ids=repr)
def test_lower_constants_above_the_upper_one_are_contradictions(lower):
    with pytest.raises(ValueError, match=r"=2\.1\) contradicts Smooth\(L=2\.0\): 2\.1 must be <= L"):
        from_function(bowl, 2, assume=(lower, Smooth(2.0)))
    from_function(bowl, 2, assume=(lower, Smooth(2.0, Lp(1.0))))  # other norms say nothing of each other
    from_function(bowl, 2, assume=(lower, Smooth(2.1 * (1 - 1e-12))))  # rounding of the user's
