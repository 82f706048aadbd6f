"""Steps of other lengths, groups of layers, Hessian products, and what each level costs."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from assumptions.matrix_norms import Spectral
from tests.workbench.level_cases import SCALES, cubic, ends_of, numbers, on_function, on_network, quadratic
from workbench.orthogonal import NewtonSchulz
from workbench.probes.levels import (
    LEVELS,
    adversarial,
    cost,
    coupling,
    default_groups,
    groups_by_pattern,
    hvp_along,
    lmo_quality,
    radii,
    require_levels,
)
from workbench.probes.levels.cost import PRODUCT

# -- radii ------------------------------------------------------------------------------------------


def test_radii_are_the_difference_quotients():
    oracle, layers, batch, ends = on_function(cubic, numbers(1.0), numbers(1.0))
    found = radii(oracle, layers, batch, ends, (0.5, 1, 2.0))
    # ((1 + s)^3 - 1) / s = 3 + 3 s + s^2
    assert found.dtype == torch.float64
    assert found.tolist() == [[4.75, 7.0, 13.0]]
    assert len(oracle.gradients) == 2


def test_radii_of_a_quadratic_do_not_depend_on_the_scale():
    start, step = torch.ones(3, 2, dtype=torch.float64), torch.eye(3, 2, dtype=torch.float64)
    norms = {"x0": Spectral(3, 2), "x1": "euclidean"}
    given = on_function(
        lambda x: x[0].square().sum() / 2 + 3 * x[1].sum() ** 2,
        [start, start.clone()],
        [step, 0 * step],
        norms,
    )
    found = radii(*given, SCALES)
    assert found.shape == (2, 5)
    assert found[0].tolist() == pytest.approx([2.0] * 5, rel=1e-12)
    assert found[1].isnan().all()  # it did not move


@pytest.mark.parametrize(
    "scales", [(), (0.5, 0.0), (-1.0,), (math.nan,), (math.inf,), (1.0, 1), "1.0", 2.0, (True,)], ids=repr
)
def test_scales_out_of_their_domain(scales):
    with pytest.raises(ValueError, match="scales must"):
        radii(*on_function(cubic, numbers(1.0), numbers(1.0)), scales)


# -- coupling ---------------------------------------------------------------------------------------

H = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 3.0, 0.5], [0.0, 0.5, 1.0]], dtype=torch.float64)
ALONE = {"a": (0,), "b": (1,), "c": (2,)}


def test_coupling_finds_the_blocks_of_a_quadratic():
    oracle, layers, batch, ends = on_function(quadratic(H), numbers(1, 1, 1), numbers(0.5, 1.0, -2.0))
    h, total = coupling(oracle, layers, batch, ends, ALONE)
    assert h.numpy() == pytest.approx(H.abs().numpy(), rel=1e-12)
    # changes of layer 0: 1, -1, 0, which cancel; of layer 1: -0.5, 3, -1; of layer 2: 0, 0.5, -2
    assert total.tolist() == [math.inf, 3.0, pytest.approx(5 / 3)]
    assert len(oracle.gradients) == 3


def test_coupling_of_groups_is_over_their_longest_step():
    given = on_function(quadratic(H), numbers(1, 1, 1), numbers(0.5, 1.0, -2.0))
    h, _ = coupling(*given, {"ab": (0, 1), "c": (2,)})
    # layer 1: |-0.5 + 3| / 1 and |-1| / 2
    assert h[1].tolist() == pytest.approx([2.5, 0.5])


@pytest.mark.parametrize(
    ("h", "expected"),
    [(torch.diag(torch.tensor([1.0, 2.0, 3.0])), 1.0), (torch.ones(3, 3), 1.0), (H.abs(), 1.0)],
    ids=["apart", "rank one", "aligned"],
)
def test_the_sum_of_groups_is_one_where_nothing_cancels(h, expected):
    given = on_function(quadratic(h.double()), numbers(0, 0, 0), numbers(1.0, 2.0, 3.0))
    assert coupling(*given, ALONE)[1].tolist() == pytest.approx([expected] * 3, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_of_groups_is_at_least_one_on_quadratics(seed):
    draw = torch.Generator().manual_seed(seed)
    h = torch.randn(3, 3, dtype=torch.float64, generator=draw)
    step = list(torch.randn(3, 1, dtype=torch.float64, generator=draw))
    total = coupling(*on_function(quadratic(h + h.T), numbers(1, -1, 2), step), ALONE)[1]
    assert (total >= 1 - 1e-12).all()


def test_the_sum_of_groups_is_below_one_where_layers_act_together():
    given = on_function(lambda x: x[0].sum() * x[1].sum() * x[2].sum(), numbers(0, 0, 0), numbers(1, 1, 1))
    h, total = coupling(*given, ALONE)
    assert h.tolist() == [[0.0] * 3] * 3
    assert total.tolist() == [0.0] * 3


def test_a_group_that_did_not_move_has_no_coupling():
    oracle, layers, batch, ends = on_function(quadratic(H), numbers(1, 1, 1), numbers(0.5, 0.0, -2.0))
    h, total = coupling(oracle, layers, batch, ends, ALONE)
    assert h[:, 1].isnan().all()
    assert h[1, [0, 2]].tolist() == pytest.approx([1.0, 0.5])  # its gradient changes all the same
    assert total.tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert len(oracle.gradients) == 2


def test_one_group_takes_the_gradients_at_hand():
    oracle, layers, batch, ends = on_function(quadratic(H), numbers(1, 1, 1), numbers(0.5, 0.0, -2.0))
    h, total = coupling(oracle, layers, batch, ends, {"all": (0, 1, 2)})
    # changes (1, -1.5, -2) over the longest step, 2
    assert h.T.tolist() == [pytest.approx([0.5, 0.75, 1.0])]
    assert total.tolist() == [1.0] * 3
    assert oracle.gradients == []


def test_default_groups_are_blocks():
    names = ["wte.weight", "blocks.0.attn.weight", "blocks.10.mlp.2.bias", "blocks.0.mlp.2.bias", "0.weight"]
    names += ["layer1.0.conv.weight", "layer1.1.conv.weight", "gain"]
    assert default_groups(names) == {
        "wte": (0,),
        "blocks.0": (1, 3),
        "blocks.10": (2,),
        "0": (4,),
        "layer1.0": (5,),
        "layer1.1": (6,),
        "gain": (7,),
    }


def test_groups_by_pattern():
    names = ["a.weight", "a.bias", "b.weight"]
    found = groups_by_pattern(names, {"vectors": "*.bias", "matrices": ["a.w*", "b.*"]})
    assert found == {"vectors": (1,), "matrices": (0, 2)}


@pytest.mark.parametrize(
    ("patterns", "error", "says"),
    [
        ({"a": "a.*"}, ValueError, "'b.weight' is in none"),
        ({"all": "*", "b": "b.*"}, ValueError, "'b.weight' is in 'all' and 'b'"),
        ({"all": "*", "c": "c.*"}, ValueError, r"'c.\*', which matches no layer"),
        ({"all": "*", "c": ()}, ValueError, r"groups\['c'\] must hold a layer or more"),
        ({}, ValueError, "'a.weight' is in none"),
        ({"all": 3}, TypeError, r"groups\['all'\] must be a pattern"),
        (["*"], TypeError, "groups must be a dict"),
    ],
    ids=["left out", "twice", "matches nothing", "empty", "no group", "no pattern", "no dict"],
)
def test_groups_that_do_not_fit(patterns, error, says):
    with pytest.raises(error, match=says):
        groups_by_pattern(["a.weight", "b.weight"], patterns)


@pytest.mark.parametrize(
    "groups",
    [{"a": (0, 1)}, {"a": (0, 1), "b": (1, 2)}, {"a": (0, 1, 2, 3)}],
    ids=["missing", "twice", "unknown"],
)
def test_coupling_takes_every_layer_once(groups):
    given = on_function(quadratic(H), numbers(1, 1, 1), numbers(1, 1, 1))
    with pytest.raises(ValueError, match="groups"):
        coupling(*given, groups)
    assert given[0].gradients == []


# -- Hessian products -------------------------------------------------------------------------------


def test_nodes_are_exact_for_polynomials():
    oracle, layers, batch, ends = on_function(cubic, numbers(1.0), numbers(1.0))
    # H(1.5) = 6.75, and the mean of H over the segment is 7
    one = hvp_along(oracle, layers, batch, ends, nodes=1)
    assert [part.item() for part in one] == pytest.approx([6.75, 0.25 / 7])
    two = hvp_along(oracle, layers, batch, ends, nodes=2)
    assert [part.item() for part in two] == pytest.approx([7.0, 0.0], abs=1e-14)
    assert len(oracle.products) == 3
    assert oracle.gradients == []


def test_the_curvature_has_a_sign():
    given = on_function(quadratic(-H), numbers(1, 1, 1), numbers(0.5, 0.0, -2.0))
    curvature, residual = hvp_along(*given, nodes=1)
    assert curvature[[0, 2]].tolist() == pytest.approx([-2.0, -1.0])
    assert residual[[0, 2]].tolist() == pytest.approx([0.0, 0.0], abs=1e-14)
    assert curvature[1].isnan()
    assert residual[1].isnan()


@pytest.mark.parametrize("kind", [nn.Tanh, nn.Softplus, nn.GELU])
def test_the_change_of_the_gradient_is_the_integral_of_hessian_products(kind):
    oracle, layers, batch, ends = on_network(kind)
    curvature, residual = hvp_along(oracle, layers, batch, ends, nodes=6)
    assert residual.max() < 1e-8
    expected = layers.inner_i(ends.change, ends.step) / layers.norm_i(ends.step).square()
    assert curvature.tolist() == pytest.approx(expected.tolist(), rel=1e-7)


def test_the_residual_falls_with_the_nodes():
    given = on_network(nn.Tanh, length=0.3)
    residuals = [hvp_along(*given, nodes=nodes)[1].max().item() for nodes in (2, 4, 8)]
    assert residuals[0] > 0.01
    assert all(later < 0.1 * earlier for earlier, later in pairwise(residuals))


def test_hessian_products_do_not_see_kinks():
    given = on_function(lambda x: x[0].relu().sum(), numbers(-1.0), numbers(2.0))
    assert [part.item() for part in hvp_along(*given, nodes=8)] == [0.0, 1.0]
    residual = hvp_along(*on_network(nn.ReLU, length=0.3), nodes=8)[1]
    assert 1e-4 < residual.max() < 1


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "4"], ids=repr)
def test_counts_out_of_their_domain(count):
    given = on_function(cubic, numbers(1.0), numbers(1.0))
    with pytest.raises(ValueError, match="nodes must be an integer >= 1"):
        hvp_along(*given, nodes=count)
    with pytest.raises(ValueError, match="rounds must be an integer >= 1"):
        adversarial(*given, rounds=count)
    assert given[0].products == []


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_levels_of_a_run_that_diverged_are_nan(broken):
    """nan, not an exception, and no search."""
    oracle, layers, batch, ends = on_function(lambda x: x[0].square().sum(), numbers(1.0), numbers(broken))
    assert radii(oracle, layers, batch, ends, (0.5, 1.0)).isnan().all()
    assert coupling(oracle, layers, batch, ends, {"x": (0,)})[0].isnan().all()
    assert hvp_along(oracle, layers, batch, ends)[0].isnan().all()
    oracle.gradients.clear()
    assert adversarial(oracle, layers, batch, ends).isnan().all()
    assert oracle.gradients == []


def test_levels_in_float32_are_those_in_float64():
    values = []
    for dtype in (torch.float32, torch.float64):
        oracle, layers, batch, ends = on_network(nn.Tanh, dtype=dtype)
        found = [radii(oracle, layers, batch, ends, SCALES)]
        found += coupling(oracle, layers, batch, ends, default_groups(layers.names))
        found += [hvp_along(oracle, layers, batch, ends)[0], adversarial(oracle, layers, batch, ends)]
        assert ends.here.gradient[0].dtype == dtype
        assert all(part.dtype == torch.float64 for part in found)
        values.append(torch.cat([part.flatten() for part in found]))
    assert values[0].tolist() == pytest.approx(values[1].tolist(), rel=1e-3)


# -- levels and their cost --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("pair", ("pair",)),
        ("lmo, radii", ("pair", "radii", "lmo")),
        (("coupling", "pair", "coupling"), ("pair", "coupling")),
        ([], ("pair",)),
        (tuple(LEVELS), tuple(LEVELS)),
    ],
    ids=["pair", "text", "twice", "empty", "all"],
)
def test_levels_always_hold_the_pair(level, expected):
    assert require_levels(level) == expected


@pytest.mark.parametrize(
    ("level", "error"),
    [
        ("pairs", ValueError),
        ("", ValueError),
        (["radii", "all"], ValueError),
        (None, TypeError),
        ((1,), TypeError),
    ],
    ids=repr,
)
def test_levels_that_are_none(level, error):
    with pytest.raises(error, match=r"level must be .*pair, radii, coupling, hvp, adversarial, lmo"):
        require_levels(level)


def test_the_cost_is_what_is_evaluated():
    oracle, layers, batch, ends = on_network(nn.Tanh)
    groups = default_groups(layers.names)
    assert len(groups) == 3
    price = cost(tuple(LEVELS), scales=SCALES, n_groups=len(groups), nodes=3, rounds=2)
    work: dict[str, Callable[[], object]] = {
        "pair": lambda: ends_of(oracle, ends.x, list(ends.step), batch),
        "radii": lambda: radii(oracle, layers, batch, ends, SCALES),
        "coupling": lambda: coupling(oracle, layers, batch, ends, groups),
        "hvp": lambda: hvp_along(oracle, layers, batch, ends, nodes=3),
        "adversarial": lambda: adversarial(oracle, layers, batch, ends, rounds=2),
        "lmo": lambda: lmo_quality(layers, ends.here.gradient, [NewtonSchulz(5)] * 5),
    }
    assert price == {"pair": 2, "radii": 4, "coupling": 3, "hvp": 9, "adversarial": 8, "lmo": 0}
    for name, call in work.items():
        oracle.gradients.clear()
        oracle.products.clear()
        call()
        assert len(oracle.gradients) + PRODUCT * len(oracle.products) == price[name], name


def test_the_training_batch_spares_a_gradient():
    counts = {"scales": (1.0,), "n_groups": 4, "nodes": 5, "rounds": 4}
    assert cost("radii", pair=1, **counts) == {"pair": 1, "radii": 0}
