"""Layers of a network: norms, duals and directions against each norm alone, and which norm goes where."""

import math
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from assumptions import EUCLIDEAN, Lp, Norm
from assumptions.column_norms import MaxColumn, SumRows
from assumptions.matrix_norms import Nuclear, Spectral
from workbench.optim import Gluon, groups_for
from workbench.probes.layers import NetworkLayers, layers_for


class Tied(nn.Module):
    """Tokens in, tokens out, one table for both."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.hidden = nn.Linear(4, 4)
        self.twin = nn.Linear(4, 4)
        self.gain = nn.Parameter(torch.tensor(2.0))
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight


class Images(nn.Module):
    """Convolutions of every kind, and what stands between them."""

    def __init__(self) -> None:
        super().__init__()
        self.grouped = nn.Conv2d(4, 6, 3, groups=2)
        self.norm = nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 4, 2)
        self.fc = nn.Linear(4, 3)


def gaussians(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def points(layers: NetworkLayers, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[Tensor, ...]:
    return tuple(
        gaussians(*layer.layout.shape, seed=seed + i).to(dtype) for i, layer in enumerate(layers.layers)
    )


def alone(layers: NetworkLayers, x: tuple[Tensor, ...], method: str) -> list[Tensor]:
    """The exact norm of each layer, one by one in float64."""
    found = []
    for layer, part in zip(layers.layers, x, strict=True):
        read = layer.layout
        found.append(getattr(read.norm, method)(read.flat(part.double()[None]))[0])
    return found


def names(layers: NetworkLayers) -> dict[str, str]:
    return {layer.name: layer.norm_name for layer in layers.layers}


MIXED = {
    "grouped.weight": Nuclear(6, 18, 2.0),
    "up.weight": "conv",
    "fc.weight": SumRows(3, 4),
    "*.bias": Lp(3.0, 0.5),
    "*": "max",
}
CASES = [
    (Tied, "scion", "head"),
    (Tied, "muon", "head"),
    (Tied, "euclidean", None),
    (Images, "scion", "fc"),
    (Images, "muon", "fc"),
    (Images, MIXED, None),
]
cases = pytest.mark.parametrize(
    ("model", "norms", "output"),
    CASES,
    ids=[f"{m.__name__} {n if isinstance(n, str) else 'dict'}" for m, n, _ in CASES],
)


def made(model: type[nn.Module], norms: Any, output: str | None) -> NetworkLayers:
    torch.manual_seed(0)
    return layers_for(model(), norms, output=output)


# -- measures -------------------------------------------------------------------------------------


@cases
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_norms_and_duals_are_those_of_each_layer_alone(model, norms, output, dtype):
    layers = made(model, norms, output)
    x = points(layers, dtype)
    for found, method in ((layers.norm_i(x), "norm"), (layers.dual_i(x), "dual")):
        assert found.shape == (len(layers.names),)
        torch.testing.assert_close(found, torch.stack(alone(layers, x, method)), rtol=1e-12, atol=0)


@cases
def test_directions_are_those_of_each_layer_alone_and_attain_the_dual(model, norms, output):
    layers = made(model, norms, output)
    g = points(layers)
    d = layers.direction(g)
    for layer, part, exact in zip(layers.layers, d, alone(layers, g, "lmo_direction"), strict=True):
        assert part.shape == layer.layout.shape
        torch.testing.assert_close(layer.layout.flat(part[None])[0], exact, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(layers.inner_i(g, d), layers.dual_i(g), rtol=1e-12, atol=0)
    torch.testing.assert_close(layers.norm_i(d), torch.ones(len(d), dtype=torch.float64), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 0.02)], ids=["float32", "bfloat16"]
)
def test_directions_keep_the_type(dtype, tolerance):
    layers = made(Images, "scion", "fc")
    g = points(layers, dtype)
    d = layers.direction(g)
    assert {part.dtype for part in d} == {dtype}
    torch.testing.assert_close(layers.inner_i(g, d), layers.dual_i(g), rtol=tolerance, atol=0)
    assert layers.length_i(g).dtype == torch.float64


def with_values(values: Tensor, m: int, n: int) -> Tensor:
    u = torch.linalg.qr(gaussians(m, len(values)))[0]
    v = torch.linalg.qr(gaussians(n, len(values), seed=1))[0]
    return (u * values) @ v.mT


SPECTRA = {
    "1 to 1e-3": (torch.logspace(0, -3, 64), 1e-13),
    "1 to 1e-6": (torch.logspace(0, -6, 64), 1e-9),
    "one and 1e-6": (torch.cat([torch.ones(1), torch.full((63,), 1e-6)]), 1e-9),
    "rank 5": (torch.ones(5), 2e-7),
}


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("shape", [(64, 64), (64, 150), (150, 64)], ids=str)
def test_duals_of_bad_matrices_are_as_right_as_stated(spectrum, dtype, shape):
    values, tolerance = SPECTRA[spectrum]
    layers = layers_for(nn.Linear(shape[1], shape[0], bias=False), "muon")
    x = with_values(values.double(), *shape).to(dtype)
    s = torch.linalg.svdvals(x.double())
    scale = layers.layers[0].layout.norm.scale  # pyright: ignore[reportAttributeAccessIssue]
    assert float(layers.dual_i((x,))[0]) == pytest.approx(float(s.sum()) / scale, rel=tolerance)
    assert float(layers.norm_i((x,))[0]) == pytest.approx(float(s[0]) * scale, rel=1e-13)
    d = layers.direction((x.double(),))
    assert float(layers.inner_i((x,), d)[0]) == pytest.approx(float(s.sum()) / scale, rel=1e-12)


def test_nan_stays_in_its_layer_and_zero_is_zero():
    layers = made(Tied, "scion", "head")
    x = points(layers)
    clean = layers.dual_i(x)
    i, k = layers.names.index("hidden.weight"), layers.names.index("twin.weight")
    x[i][0, 0], x[k][:] = math.nan, 0.0
    kept = [n for n in range(len(x)) if n not in (i, k)]
    for found, before in ((layers.dual_i(x), clean), (layers.norm_i(x), layers.norm_i(points(layers)))):
        assert found[i].isnan()
        assert found[k] == 0
        assert torch.equal(found[kept], before[kept])
    d = layers.direction(x)
    assert d[i].isnan().all()
    assert (d[k] == 0).all()
    assert all(d[n].isfinite().all() for n in kept)


def test_layers_that_are_read_alike_go_together(monkeypatch):
    layers = made(Tied, "scion", "head")
    calls: Counter = Counter()
    exact = Spectral.lmo_direction

    def counted(self: Spectral, g: Tensor) -> Tensor:
        calls[g.shape] += 1
        return exact(self, g)

    monkeypatch.setattr(Spectral, "lmo_direction", counted)
    layers.direction(points(layers))
    assert calls == {(2, 16): 1}


def test_euclidean_lengths_and_products():
    layers = made(Images, "scion", "fc")
    x, y = points(layers), points(layers, seed=50)
    expected = torch.tensor([float((a * b).sum()) for a, b in zip(x, y, strict=True)], dtype=torch.float64)
    torch.testing.assert_close(layers.inner_i(x, y), expected, rtol=1e-12, atol=1e-14)
    lengths = torch.tensor([float(a.norm()) for a in x], dtype=torch.float64)
    torch.testing.assert_close(layers.length_i(x), lengths, rtol=1e-14, atol=0)


@cases
def test_flat_points_are_read_by_the_same_norms(model, norms, output):
    layers = made(model, norms, output)
    x = points(layers)
    flat, split = layers.flat(x), layers.as_layers()
    assert flat.shape == (split.d,)
    assert all(torch.equal(a, b) for a, b in zip(layers.point(flat), x, strict=True))
    torch.testing.assert_close(split.norm_i(flat), layers.norm_i(x), rtol=1e-12, atol=0)
    torch.testing.assert_close(split.dual_i(flat), layers.dual_i(x), rtol=1e-12, atol=0)
    moved = layers.flat(layers.direction(x))
    torch.testing.assert_close(split.lmo_direction(flat), moved, rtol=1e-12, atol=1e-14)


# -- which norm -----------------------------------------------------------------------------------


def test_presets_of_scion_and_a_shared_tensor_once():
    found = names(made(Tied, "scion", "head"))
    assert found == {
        "embedding.weight": "output",
        "hidden.weight": "hidden",
        "hidden.bias": "bias",
        "twin.weight": "hidden",
        "twin.bias": "bias",
        "gain": "bias",
    }
    assert names(layers_for(nn.Embedding(7, 4), "scion")) == {"weight": "embedding"}
    (layer,) = layers_for(nn.Embedding(7, 4), "scion").layers
    assert layer.layout.transposed
    assert layer.shape == (4, 7)
    assert layer.layout.norm == MaxColumn(4, 7, 0.5)


def test_muon_for_matrices_and_signs_for_the_rest():
    assert names(made(Tied, "muon", "head")) == {
        "gain": "max",
        "embedding.weight": "max",
        "hidden.weight": "muon",
        "hidden.bias": "max",
        "twin.weight": "muon",
        "twin.bias": "max",
    }
    layers = made(Images, "muon", "fc")
    assert names(layers) == {
        "grouped.weight": "muon",
        "grouped.bias": "max",
        "norm.weight": "max",
        "norm.bias": "max",
        "up.weight": "muon",
        "up.bias": "max",
        "fc.weight": "max",
        "fc.bias": "max",
    }
    by_name = {layer.name: layer for layer in layers.layers}
    assert by_name["grouped.weight"].layout.norm == Spectral(6, 18)
    up = by_name["up.weight"]  # stored inputs first, (6, 4, 2, 2)
    assert up.shape == (4, 6, 2, 2)
    assert up.layout.norm == Spectral(4, 24)
    x = gaussians(6, 4, 2, 2)
    expected = torch.linalg.svdvals(x.transpose(0, 1).reshape(4, 24))[0]
    point = tuple(x if layer is up else torch.zeros(layer.layout.shape) for layer in layers.layers)
    assert float(layers.norm_i(point)[layers.names.index("up.weight")]) == pytest.approx(float(expected))


def test_patterns_in_their_order_with_presets_and_norms():
    layers = made(Images, MIXED, None)
    found = names(layers)
    assert found["grouped.weight"] == "Nuclear(m=6, n=18, scale=2.0)"
    assert found["fc.bias"] == "Lp(p=3.0, scale=0.5)"
    assert found["norm.weight"] == "max"
    by_name = {layer.name: layer for layer in layers.layers}
    assert by_name["up.weight"].layout.transposed  # a preset knows the module
    assert ("up.weight", "6x4x2x2", "conv") in layers.table()
    own = layers_for(Images(), {"up.weight": Spectral(6, 16), "*": "max"})
    assert not own.layers[own.names.index("up.weight")].layout.transposed  # a norm reads what is stored


def test_the_table_prints_a_number_too():
    assert ("gain", "1", "euclidean") in made(Tied, "euclidean", None).table()


def test_norms_of_an_optimizer():
    torch.manual_seed(0)
    model = Images()
    groups = groups_for(model, "fc")
    optimizer = Gluon(groups)
    layers = layers_for(model, "optimizer", groups=optimizer.param_groups)
    assert layers == layers_for(model, "scion", output="fc")
    own = Gluon([{"params": [p for p in model.parameters() if p.dim() < 2], "norm": EUCLIDEAN}])
    with pytest.raises(ValueError, match=r"no group.*parameter 'grouped.weight'"):
        layers_for(model, "optimizer", groups=own.param_groups)


def test_parameters_that_need_no_gradient_are_left_out():
    model = Images()
    model.grouped.requires_grad_(False)
    assert made(Images, "euclidean", None).names[:2] == ("grouped.weight", "grouped.bias")
    assert layers_for(model, "euclidean").names[0] == "norm.weight"


# -- arguments ------------------------------------------------------------------------------------

FROZEN = nn.Linear(2, 2).requires_grad_(False)
WRONG: list[tuple[Any, Any, type[Exception], str]] = [
    (Tied(), 3, TypeError, "norms must be one of scion, muon, euclidean, optimizer, or a dict.* got 3"),
    ("model", "scion", TypeError, "model must be a torch.nn.Module, got 'model'"),
    (Tied(), "adam", ValueError, "norms must be one of scion.* got 'adam'"),
    (nn.ReLU(), "scion", ValueError, "model must have parameters that need a gradient, and has none"),
    (FROZEN, "scion", ValueError, "model must have parameters that need a gradient"),
    (Tied(), {}, ValueError, "no pattern for parameter 'gain'; patterns are none"),
    (Tied(), {"*.bias": "bias"}, ValueError, r"no pattern for parameter 'gain'; patterns are '\*.bias'"),
    (Tied(), {"*": "max", "*.bias": "bias"}, ValueError, r"norms has '\*.bias', which matches no parameter"),
    (Tied(), {"haed*": "max", "*": "max"}, ValueError, r"norms has 'haed\*', .*parameters are gain, embed"),
    (Tied(), {"*": "hidden"}, ValueError, r"parameter 'gain' has shape \(\)"),
    (Tied(), {"*": "hiden"}, ValueError, r"norms\['\*'\] must be a Norm or one of hidden, .* got 'hiden'"),
    (Tied(), {"*": 3}, TypeError, r"norms must map patterns to presets or Norms, got '\*': 3"),
    (Tied(), {3: "max"}, TypeError, "norms must map patterns to presets or Norms, got 3: 'max'"),
    (Tied(), {"*": Spectral(4, 4)}, ValueError, r"needs a matrix, and parameter 'gain' has shape \(\)"),
    (Tied(), {"h*.w*": Spectral(4, 5), "*": "max"}, ValueError, "does not fit parameter 'hidden.weight'"),
    (Tied(), "optimizer", ValueError, 'norms="optimizer" needs groups'),
]


@pytest.mark.parametrize(("model", "norms", "kind", "message"), WRONG, ids=[w[3][:50] for w in WRONG])
def test_wrong_arguments_are_named(model, norms, kind, message):
    with pytest.raises(kind, match=message):
        layers_for(model, norms)


def test_an_optimizer_without_norms_is_named():
    model = Tied()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"optimizer of workbench.optim.* got a group with params, lr"):
        layers_for(model, "optimizer", groups=optimizer.param_groups)


def test_a_module_without_a_preset_asks_for_patterns():
    model = nn.Module()
    model.table = nn.Parameter(torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"'table'.*or give norms as a dict from patterns"):
        layers_for(model, "scion")
    assert names(layers_for(model, {"table": "embedding"})) == {"table": "embedding"}


def test_points_of_another_shape_are_named():
    layers = made(Tied, "euclidean", None)
    x = points(layers)
    for method in (layers.norm_i, layers.dual_i, layers.length_i, layers.direction, layers.flat):
        with pytest.raises(ValueError, match="a point must hold 6 tensors, one per layer, got 5"):
            method(x[1:])
        with pytest.raises(ValueError, match=r"layer 'gain' must have shape \(\), got \(1,\)"):
            method((x[0].reshape(1), *x[1:]))
    with pytest.raises(ValueError, match="a point must hold 6"):
        layers.inner_i(x, x[1:])


def test_every_kind_of_norm_has_its_dual_here():
    """|<g, z>| <= |g|_* |z| for layers of random points: no layer has another one's norm."""
    layers = made(Images, MIXED, None)
    g, z = points(layers), points(layers, seed=9)
    assert (layers.inner_i(g, z).abs() <= layers.dual_i(g) * layers.norm_i(z)).all()
    assert all(isinstance(layer.layout.norm, Norm) for layer in layers.layers)
