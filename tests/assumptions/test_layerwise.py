"""Assumptions about layers: functions that have them, functions that lack them, exact constants."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from assumptions import Assumption, Layers, Lp, Smooth
from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.inequality import replace_layer, within
from assumptions.layerwise.literal_l0l1 import LiteralLayerL0L1
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.path_l0l1 import PathLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.sampling import sample_points
from assumptions.specification import parse_specification
from tests.assumptions.toys import Toy

LN2 = math.log(2)
SLACK = 1.001  # ratios of pairs that rounding moves
EACH = (LayerSmooth, LiteralLayerL0L1, LocalLayerL0L1, PathLayerL0L1, CoupledSmooth, BlockDescent)
LINE = Layers(((1,), (1,)), (Lp(2), Lp(2)))


@dataclass(frozen=True)
class LayeredToy:
    """A function of several layers, given by two maps."""

    value: Callable[[Tensor], Tensor]
    grad: Callable[[Tensor], Tensor]
    layers: Layers

    @property
    def d(self) -> int:
        return self.layers.d

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), 0.7, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None


def separable(weights: tuple[float, ...], layers: Layers, shift: float = 0.0) -> LayeredToy:
    """sum_i w_i |X_i - shift|_F^2 / 2, with a gradient that cancels."""
    w = torch.tensor(weights, dtype=torch.float64).repeat_interleave(torch.tensor(layers.sizes))
    return LayeredToy(lambda x: (w * (x - shift).square()).sum(-1) / 2, lambda x: w * x - w * shift, layers)


def of_lines(
    h: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor], scale: float = 1.0
) -> LayeredToy:
    """scale (h(x) + h(y)) for two numbers."""
    return LayeredToy(lambda x: scale * h(x).sum(-1), lambda x: scale * slope(x), LINE)


TWO = Layers(((2,), (3,)), (Lp(2), Lp(2)))
MATRICES = Layers(((3, 3), (2, 3)), (Spectral(3, 3), Nuclear(2, 3)))
PRODUCT = LayeredToy(lambda x: x.prod(-1), lambda x: x.flip(-1), LINE)
SQUARE_OF_SUM = LayeredToy(
    lambda x: x.sum(-1).square() / 2, lambda x: x.sum(-1, keepdim=True).expand_as(x), LINE
)
COSH = of_lines(lambda s: 2 * torch.sinh(s / 2).square(), torch.sinh)
EXP = of_lines(torch.exp, torch.exp)
LOGISTIC = of_lines(lambda s: torch.logaddexp(-s, torch.zeros_like(s)), lambda s: -torch.sigmoid(-s))


def refuted(assumption: Assumption, problem: LayeredToy, budget: int = 2_560) -> float:
    """The ratio of a refutation, which must be found."""
    check = assumption.refute(problem, budget=budget)
    assert check.verdict == "refuted", check
    return check.ratio


def stands(assumption: Assumption, problem: LayeredToy, budget: int = 2_560) -> float:
    """The ratio found where nothing may be refuted."""
    check = assumption.refute(problem, budget=budget)
    assert check.verdict == "not refuted", check
    return check.ratio


def scaled(assumption: Assumption, factor: float, entry: int | None = None) -> Assumption:
    """All constants, or one entry of each, times a factor."""

    def times(value, k=None):
        if isinstance(value, tuple):
            return tuple(
                times(v, i) if entry is None or i == entry or isinstance(v, tuple) else v
                for i, v in enumerate(value)
            )
        return value * factor

    return type(assumption)(*(times(getattr(assumption, name)) for name in assumption.constants()))


# what has it, what lacks it, and tight constants


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    ("layers", "constants"), [(TWO, (1.0, 1.0)), (MATRICES, (3.0, 1.0))], ids=["vectors", "matrices"]
)
def test_the_smoothness_of_layers_is_exact(layers: Layers, constants: tuple[float, float], factor: float):
    """|X|_F^2 / 2 has L = 3 in the spectral norm of 3 x 3 matrices, 1 in the nuclear norm."""
    weights = (2.0 * factor, 5.0 * factor)
    toy = separable(weights, layers)
    L_i = tuple(w * c for w, c in zip(weights, constants, strict=True))
    assert 0.985 < stands(LayerSmooth(L_i), toy) <= SLACK
    for entry in (0, 1):
        assert 1.01 < refuted(scaled(LayerSmooth(L_i), 0.97, entry), toy) <= SLACK / 0.97


def test_the_largest_eigenvalue_is_no_constant_in_the_spectral_norm():
    toy = separable((1.0,), Layers(((3, 3),), (Spectral(3, 3),)))
    assert refuted(LayerSmooth((1.0,)), toy) > 2.9
    assert refuted(BlockDescent((1.0,), (0.0,)), toy) > 2.9
    assert Smooth(3.0, Spectral(3, 3)).refute(toy, budget=2_560).verdict == "not refuted"


@pytest.mark.parametrize("shift", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_cancellation_refutes_nothing(shift: float, factor: float):
    toy = separable((factor, 3 * factor), MATRICES, shift)
    L_i = (3 * factor, 3 * factor)
    coupling = CoupledSmooth(((L_i[0], 0.0), (0.0, L_i[1])))
    near = torch.full((300, toy.d), shift, dtype=torch.float64)
    moves = torch.randn(2, 300, toy.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sizes = torch.logspace(-14, 3, 300, dtype=torch.float64).unsqueeze(-1)
    for assumption in (
        LayerSmooth(L_i),
        coupling,
        BlockDescent(L_i, (0.0, 0.0)),
        LiteralLayerL0L1(L_i, (0.0, 0.0)),
        LocalLayerL0L1(L_i, (1e-3, 0.0)),
    ):
        stands(assumption, toy, budget=640)
        check = assumption.check(toy, near + sizes * moves[0], near + sizes.flip(0) * moves[1])
        assert check.verdict == "not refuted", check


@pytest.mark.parametrize("kind", [LiteralLayerL0L1, LocalLayerL0L1], ids=lambda k: k.__name__)
def test_a_product_has_no_layerwise_constants(kind: type):
    """grad_x = y: it changes where x does not."""
    assert refuted(kind((1.0, 1.0), (1.0, 1.0)), PRODUCT) == math.inf
    assert refuted(kind((1e6, 1e6), (1e3, 1e3)), PRODUCT) == math.inf
    assert refuted(LayerSmooth((1e6, 1e6)), PRODUCT) == math.inf
    assert refuted(LayerSmooth((1.0, 1.0)), SQUARE_OF_SUM) == math.inf


def test_coupling_is_what_a_product_has():
    assert stands(CoupledSmooth(((0.0, 1.0), (1.0, 0.0))), PRODUCT) == pytest.approx(1.0, abs=SLACK - 1)
    assert refuted(CoupledSmooth(((0.0, 0.97), (0.97, 0.0))), PRODUCT) == pytest.approx(1 / 0.97)
    assert refuted(CoupledSmooth(((5.0, 0.97), (0.97, 5.0))), PRODUCT) == pytest.approx(1 / 0.97)
    assert stands(CoupledSmooth(((1.0, 1.0), (1.0, 1.0))), SQUARE_OF_SUM) == pytest.approx(1.0, abs=SLACK - 1)
    assert refuted(CoupledSmooth(((1.0, 0.0), (0.0, 1.0))), SQUARE_OF_SUM) == math.inf


def test_the_diagonal_of_the_coupling_is_no_descent_constant():
    """(x + y)^2 / 2: D = (t, t) gives 2 t^2, so 2 is the constant, not h_ii = 1."""
    assert stands(BlockDescent((2.0, 2.0), (0.0, 0.0)), SQUARE_OF_SUM) == pytest.approx(1.0, rel=1e-6)
    assert refuted(BlockDescent((1.0, 1.0), (0.0, 0.0)), SQUARE_OF_SUM) == pytest.approx(2.0, rel=1e-2)
    assert refuted(BlockDescent((1.94, 1.94), (0.0, 0.0)), SQUARE_OF_SUM) > 1.02
    assert stands(BlockDescent((1.0, 1.0), (0.0, 0.0)), PRODUCT) == pytest.approx(1.0, rel=1e-6)
    assert refuted(BlockDescent((0.97, 0.97), (0.0, 0.0)), PRODUCT) > 1.02
    # at (1, 1) the steps g / h_ii land at (-1, -1), where f is 2 again and not -2
    x, y = torch.ones(2).double(), -torch.ones(2).double()
    check = BlockDescent((1.0, 1.0), (0.0, 0.0)).check(SQUARE_OF_SUM, x, y)
    assert (check.verdict, check.ratio) == ("refuted", pytest.approx(2.0))


def test_row_sums_are_the_descent_constants_of_a_coupling():
    coupling = CoupledSmooth(((1.0, 2.0, 0.5), (2.0, 0.0, 0.0), (0.5, 0.0, 3.0)))
    assert coupling.row_sums() == (3.5, 2.0, 3.5)
    assert coupling.row_sums((0, 2)) == (1.5, 3.5)
    assert coupling.row_sums((1,)) == (0.0,)
    tenth = CoupledSmooth(((0.1, 0.2), (0.2, 0.1))).row_sums()[
        0
    ]  # 0.1 + 0.2 in floats is above the exact sum
    assert tenth == 0.30000000000000004
    for wrong in ((3,), (0, 0), (), (-1,)):
        with pytest.raises(ValueError, match="layers must be different numbers from 0 to 2"):
            coupling.row_sums(wrong)


@pytest.mark.parametrize(
    ("toy", "pair"),
    [(COSH, (1.0, 1.0)), (EXP, (0.0, 1.0)), (LOGISTIC, (0.0, 1.0))],
    ids=["cosh", "exp", "logistic"],
)
def test_local_constants_are_those_of_the_hessian_over_log_2(toy: LayeredToy, pair: tuple[float, float]):
    """|h''| <= l0 + l1 |h'|: at distance 1 / l1 the gradient of an exponential changes e - 1 times more."""
    L0_i, L1_i = ((constant / LN2,) * 2 for constant in pair)
    assert stands(LocalLayerL0L1(L0_i, L1_i), toy) > 0.98
    assert 1.6 < refuted(LocalLayerL0L1((pair[0],) * 2, (pair[1],) * 2), toy) <= math.e - 1 + 1e-9
    stands(BlockDescent(L0_i, L1_i), toy)
    assert refuted(LiteralLayerL0L1(L0_i, L1_i), toy) > 3


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_local_constants_at_other_scales(factor: float):
    toy = of_lines(lambda s: 2 * torch.sinh(s / 2).square(), torch.sinh, factor)
    stands(LocalLayerL0L1((factor / LN2,) * 2, (1 / LN2,) * 2), toy)
    refuted(LocalLayerL0L1((factor,) * 2, (1.0,) * 2), toy)
    stands(BlockDescent((factor / LN2,) * 2, (1 / LN2,) * 2), toy)


@pytest.mark.parametrize("L1", [0.5, 1.0, 4.0])
def test_descent_constants_of_an_exponential(L1: float):
    """e^t - 1 - t against c t^2 / 2 on |t| <= 1 / c: the ratio is 2 c (e^(1/c) - 1 - 1/c) at the end."""

    def excess(c: float) -> float:
        return 2 * c * (math.expm1(1 / c) - 1 / c)

    check = BlockDescent((0.0, 0.0), (L1, L1)).refute(EXP, budget=2_560)
    assert (check.verdict == "refuted") == (excess(L1) > 1)
    assert check.ratio == pytest.approx(excess(L1), rel=0.02)


def test_pairs_too_far_apart_are_not_spoken_of():
    x, near, far = (
        torch.zeros(2).double(),
        torch.tensor([0.9, 0.0]).double(),
        torch.tensor([1.1, 0.0]).double(),
    )
    for kind in (LocalLayerL0L1, BlockDescent):
        wrong = kind((0.1, 0.1), (1.0, 1.0))
        assert wrong.check(COSH, x, near).verdict == "refuted"
        assert wrong.check(COSH, x, far).verdict == "not refuted"
        assert wrong.check(COSH, x, near + torch.tensor([0.0, 1.1])).verdict == "not refuted"
        moved = wrong.admissible(COSH, x, far + torch.tensor([0.0, 0.5]))
        assert torch.allclose(moved[1], torch.tensor([1.0, 0.5]).double())
        assert float(moved[1][0]) <= 1
        assert wrong.check(COSH, *moved).verdict == "refuted"
        assert torch.equal(wrong.admissible(COSH, x, near)[1], near)


def test_nan_is_no_pass():
    broken = LayeredToy(COSH.value, lambda x: torch.where(x > 0, torch.nan, x), LINE)
    nowhere = torch.full((2,), torch.nan).double()
    x, y = -torch.ones(2).double(), torch.tensor([-0.9, 0.1]).double()
    for kind in EACH:
        rows = ((1.0, 0.0), (0.0, 1.0)) if kind is CoupledSmooth else None
        assumption = kind(rows) if rows else kind(*[(0.5, 0.5)] * len(kind.sense))
        assert assumption.check(broken, y, x).verdict != "not refuted"
        assert assumption.check(COSH, x, nowhere).verdict != "not refuted"


# paths


def descent(toy: LayeredToy, x: Tensor, stepsize: float, steps: int) -> Tensor:
    path = [x]
    for _ in range(steps):
        path.append(path[-1] - stepsize * toy.grad(path[-1]))
    return torch.stack(path)


def test_a_coupled_function_can_have_constants_on_a_path():
    """f = (x + y)^2 / 2 from (1, 0): x and y move alike, grad_i changes by twice the step."""
    path = descent(SQUARE_OF_SUM, torch.tensor([1.0, 0.0]).double(), 0.1, 20)
    good = PathLayerL0L1((2.0, 2.0), (0.0, 0.0))
    ratios = good.along(SQUARE_OF_SUM, path)
    assert ratios.shape == (20, 2)
    assert torch.allclose(ratios, torch.ones(20, 2).double())
    assert good.check(SQUARE_OF_SUM, path[:-1], path[1:]).verdict == "not refuted"
    assert scaled(good, 0.97).check(SQUARE_OF_SUM, path[:-1], path[1:]).verdict == "refuted"
    seen = PathLayerL0L1.estimate(SQUARE_OF_SUM, path[:-1], path[1:])
    assert seen["L0_path_i_seen"] == pytest.approx((2.0, 2.0))
    assert seen["L1_path_i_seen"] == pytest.approx((0.0, 0.0), abs=1e-9)
    for search in (lambda: good.refute(SQUARE_OF_SUM), lambda: PathLayerL0L1.sample(SQUARE_OF_SUM, 10)):
        with pytest.raises(TypeError, match="iterates of a trajectory"):
            search()


def test_trajectories_of_a_batch_keep_their_layers():
    path = torch.randn(4, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    toy = separable((1.0, 3.0), TWO)
    assert torch.allclose(
        LayerSmooth((1.0, 6.0)).along(toy, path), torch.tensor([1.0, 0.5]).double().expand(4, 6, 2)
    )
    assert CoupledSmooth(((1.0, 0.0), (0.0, 3.0))).along(toy, path).shape == (4, 6, 2)
    assert BlockDescent((1.0, 3.0), (0.0, 0.0)).along(toy, path).shape == (4, 6)


# estimates


def spread_pairs(toy: LayeredToy, n: int = 2_000) -> tuple[Tensor, Tensor]:
    x, y = sample_points(toy, n, 2, seed=3)
    return x, y


def test_the_smoothness_seen_is_from_below_and_close():
    toy = separable((2.0, 5.0), MATRICES)
    (seen,) = LayerSmooth.estimate(toy, *spread_pairs(toy)).values()
    assert 0.6 * 6.0 < seen[0] <= 6.0 * (1 + 1e-9)
    assert 0.9 * 5.0 < seen[1] <= 5.0 * (1 + 1e-9)
    assert LayerSmooth.estimate(PRODUCT, *spread_pairs(PRODUCT)) == {"L_i_seen": (math.inf, math.inf)}
    still = torch.zeros(1, 2).double()
    assert LayerSmooth.estimate(PRODUCT, still, still) == {"L_i_seen": (0.0, 0.0)}
    broken = LayeredToy(COSH.value, lambda x: torch.full_like(x, torch.nan), LINE)
    assert all(math.isnan(L) for L in LayerSmooth.estimate(broken, still, still + 1)["L_i_seen"])


def test_the_coupling_seen():
    seen = CoupledSmooth.estimate(PRODUCT, *spread_pairs(PRODUCT))
    h = torch.tensor(seen["h_seen"])
    assert torch.allclose(h, torch.tensor([[0.0, 1.0], [1.0, 0.0]]), atol=1e-3)
    assert seen["joint"] == pytest.approx(1.0, abs=1e-3)
    toy = separable((2.0, 5.0), TWO)
    h = torch.tensor(CoupledSmooth.estimate(toy, *spread_pairs(toy))["h_seen"])
    assert torch.allclose(h, torch.diag(torch.tensor([2.0, 5.0])), rtol=1e-6, atol=1e-9)


def test_the_coupling_seen_suits_the_pairs():
    """x y z: grad_x = y z changes less with one layer moved than with two."""
    three = Layers(((1,),) * 3, (Lp(2),) * 3)
    toy = LayeredToy(
        lambda x: x.prod(-1),
        lambda x: torch.stack([x[..., 1] * x[..., 2], x[..., 0] * x[..., 2], x[..., 0] * x[..., 1]], -1),
        three,
    )
    x, y = torch.tensor([[0.1, 0.1, 0.1]]).double(), torch.tensor([[2.0, 2.0, 2.0]]).double()
    seen = CoupledSmooth.estimate(toy, x, y)
    assert seen["joint"] == pytest.approx((4 - 0.01) / (2 * 0.1 * 1.9), rel=1e-6)
    assert CoupledSmooth(seen["h_seen"]).check(toy, x, y).ratio == pytest.approx(1.0)


def test_local_pairs_seen_lie_on_the_front():
    generator = torch.Generator().manual_seed(0)
    x = 6 * torch.rand(4_000, 2, dtype=torch.float64, generator=generator) - 3
    y = x + (2 * torch.rand(4_000, 2, dtype=torch.float64, generator=generator) - 1)
    seen = LocalLayerL0L1.estimate(COSH, x, y, rule="mean")
    fitted = LocalLayerL0L1(seen["L0_i_seen"], seen["L1_i_seen"])
    assert fitted.check(COSH, x, y).verdict == "not refuted"
    assert scaled(fitted, 0.97).check(COSH, x, y).verdict == "refuted"
    assert all(0 <= share < 0.01 for share in seen["outside"])
    assert len(seen["front"]) == 2
    flat = LocalLayerL0L1.estimate(COSH, x, y, rule="L1=0")
    assert flat["L1_i_seen"] == (0.0, 0.0)
    assert all(8 < L0 < math.cosh(4) for L0 in flat["L0_i_seen"])
    literal = LiteralLayerL0L1.estimate(COSH, x, y)
    assert (
        LiteralLayerL0L1(literal["L0_literal_i_seen"], literal["L1_literal_i_seen"]).check(COSH, x, y).verdict
        == "not refuted"
    )
    assert (
        LiteralLayerL0L1.estimate(PRODUCT, x, y * torch.tensor([1.0, 0.0]) + x * torch.tensor([0.0, 1.0]))[
            "L0_literal_i_seen"
        ][1]
        == math.inf
    )


def test_descent_pairs_seen():
    x, y = spread_pairs(SQUARE_OF_SUM)
    seen = BlockDescent.estimate(SQUARE_OF_SUM, x, y)
    assert seen["L1_descent_i_seen"] == pytest.approx((0.0, 0.0), abs=1e-4)
    # one layer at a time needs 1, equal steps in both need 2
    assert seen["joint"] == pytest.approx(2.0, rel=0.05)
    assert seen["L0_descent_i_seen"] == pytest.approx((seen["joint"],) * 2, rel=0.05)
    fitted = BlockDescent(seen["L0_descent_i_seen"], seen["L1_descent_i_seen"])
    assert fitted.check(SQUARE_OF_SUM, x, y).ratio <= 1 + 1e-9


# arguments


@pytest.mark.parametrize("kind", [k for k in EACH if k is not CoupledSmooth], ids=lambda k: k.__name__)
def test_wrong_constants_are_named(kind: type[Assumption]):
    names = kind.constants()
    good = [(1.0, 2.0)] * len(names)
    for i, name in enumerate(names):
        for wrong in ((), (1.0, -1.0), (math.nan, 1.0), (math.inf, 1.0), ("a", 1.0), 3.0):
            with pytest.raises(ValueError, match=f"{name} must"):
                kind(*good[:i], wrong, *good[i + 1 :])
    if len(names) == 2:
        with pytest.raises(ValueError, match=f"{names[1]} must have 2 entries"):
            kind((1.0, 2.0), (1.0,))
    assumption = kind(*[(1, 2, 3)] * len(names))
    assert parse_specification(repr(assumption), {kind.__name__: kind}) == assumption
    assert repr(assumption).startswith(f"{kind.__name__}({names[0]}=(1.0, 2.0, 3.0)")
    with pytest.raises(ValueError, match=f"{names[0]} must have one entry for each of the 2 layers"):
        assumption.check(COSH, torch.zeros(2).double(), torch.ones(2).double())
    with pytest.raises(TypeError, match=f"{kind.__name__} needs layers"):
        assumption.check(
            Toy(lambda x: x.sum(-1), torch.ones_like), torch.zeros(3).double(), torch.ones(3).double()
        )
    with pytest.raises(TypeError, match="option"):
        kind.estimate(COSH, torch.zeros(2).double(), torch.ones(2).double(), norm=Lp(1))


def test_wrong_couplings_are_named():
    for wrong, message in (
        (((1.0, 2.0), (2.5, 1.0)), "symmetric"),
        (((1.0, 2.0),), "square"),
        ((), "square"),
        (((-1.0,),), "finite entries >= 0"),
        (((math.inf,),), "finite entries >= 0"),
        ((("a",),), "h must be a tuple of numbers"),
        (3.0, "rows of numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            CoupledSmooth(wrong)  # pyright: ignore[reportArgumentType]
    coupling = CoupledSmooth(((1, 2), (2, 1)))
    assert repr(coupling) == "CoupledSmooth(h=((1.0, 2.0), (2.0, 1.0)))"
    assert parse_specification(repr(coupling), {"CoupledSmooth": CoupledSmooth}) == coupling
    with pytest.raises(ValueError, match="h must have one entry for each of the 2 layers"):
        CoupledSmooth(((1.0,),)).check(COSH, torch.zeros(2).double(), torch.ones(2).double())


def test_stronger_constants_imply_weaker_ones():
    assert LayerSmooth((1.0, 3.0)).implied_by(LayerSmooth((1.0, 2.0)))
    assert not LayerSmooth((1.0, 3.0)).implied_by(LayerSmooth((0.5, 4.0)))
    assert CoupledSmooth(((1.0, 1.0), (1.0, 1.0))).implied_by(CoupledSmooth(((1.0, 0.0), (0.0, 1.0))))
    assert not LocalLayerL0L1((1.0,), (1.0,)).implied_by(LocalLayerL0L1((0.5,), (2.0,)))


def test_the_worst_pair_does_not_hide_in_its_batch():
    pairs = torch.zeros(5, 2).double(), torch.full((5, 2), 1e-3).double()
    pairs[1][3, 1] = 2.0
    check = LayerSmooth((1.5, 1.5)).check(COSH, *pairs)
    assert check.verdict == "refuted"
    assert torch.equal(check.witness[1], pairs[1][3])


def test_moving_layers():
    x, y = torch.zeros(3, 5).double(), torch.ones(3, 5).double()
    assert replace_layer(TWO, x, y, 1)[0].tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    moved = within(TWO, x, y, torch.tensor([0.0, 2.0]).double())
    assert moved[0, :2].tolist() == [1.0, 1.0]
    assert float(moved[0, 2:].norm()) == pytest.approx(0.5)
    y.requires_grad_()
    (grad,) = torch.autograd.grad(within(TWO, x, y, torch.ones(2).double()).sum(), y)
    assert grad.isfinite().all()
