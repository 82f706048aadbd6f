"""Presets are the norms of the table, by formulas written out here; groups follow the type of the layer."""

import math
import re

import pytest
import torch
from torch import nn

from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import Lp
from workbench.optim import PRESETS, Muon, groups_for
from workbench.optim.presets import layout


def gaussian(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def polar(x):
    u, _, vh = torch.linalg.svd(x.flatten(1), full_matrices=False)
    return (u @ vh).reshape(x.shape)


def scion_col(g, transpose, normalized=False):
    g = g.T if transpose else g
    rms = torch.sqrt((g**2).mean(dim=0, keepdim=True)) * (g.shape[1] if normalized else 1)
    return (g / rms).T if transpose else g / rms


FORMULAS = {
    "hidden": lambda g: math.sqrt(g.shape[0] / g[0].numel()) * polar(g),
    "input": lambda g: max(1, math.sqrt(g.shape[0] / g[0].numel())) * polar(g),
    "muon": lambda g: math.sqrt(max(1, g.shape[0] / g[0].numel())) * polar(g),
    "operator": polar,
    "unnormalised": lambda g: math.sqrt(g.shape[0]) * polar(g),
    "adamw_rms": lambda g: 0.2 * math.sqrt(max(g.shape[0], g[0].numel())) * polar(g),
    "output": lambda g: g.sign() / g[0].numel(),
    "embedding": lambda g: scion_col(g, transpose=True),
    "col": lambda g: scion_col(g, transpose=False),
    "col_normalised": lambda g: scion_col(g, transpose=False, normalized=True),
    "row": lambda g: g / (math.sqrt(g.shape[1]) * g.norm(dim=1, keepdim=True)),
    "bias": lambda g: g / g.square().mean().sqrt(),
    "euclidean": lambda g: g / g.norm(),
    "max": lambda g: g.sign(),
}
SAME = {"spectral": "hidden", "sign": "output", "rms": "bias"}


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (1, 6), (6, 1), (1, 1)], ids=str)
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_a_preset_steps_along_its_formula(name, shape):
    g = gaussian(3, *shape)
    read = layout(name, shape)
    found = read.shaped(read.norm.lmo_direction(read.flat(g)))
    expected = torch.stack([FORMULAS[name](one) for one in g])
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert torch.allclose(read.norm.norm(read.flat(found)), torch.ones(3, dtype=torch.float64))
    assert torch.allclose((found * g).sum((1, 2)), read.norm.dual(read.flat(g)))


def test_every_preset_is_covered():
    assert {*FORMULAS, *SAME, "conv"} == set(PRESETS)
    for alias, name in SAME.items():
        assert PRESETS[alias] is PRESETS[name]


@pytest.mark.parametrize("shape", [(8, 3, 5), (8, 3, 3, 3), (3, 8, 2, 2), (4, 2, 2, 2, 2)], ids=str)
def test_a_convolution_is_read_as_outputs_by_all_else(shape):
    g, kernel = gaussian(*shape), math.prod(shape[2:])
    read = layout("conv", shape)
    found = read.shaped(read.norm.lmo_direction(read.flat(g[None])))[0]
    assert torch.allclose(found, math.sqrt(shape[0] / shape[1]) / kernel * polar(g), rtol=1e-12)


def test_a_transposed_convolution_has_its_outputs_second():
    g = gaussian(3, 8, 2, 2)
    read = layout("conv", (3, 8, 2, 2), transpose=True)
    found = read.shaped(read.norm.lmo_direction(read.flat(g[None])))[0]
    expected = math.sqrt(8 / 3) / 4 * polar(g.transpose(0, 1)).transpose(0, 1)
    assert torch.allclose(found, expected, rtol=1e-12)


def test_a_norm_of_ones_own_is_taken_where_it_fits():
    assert layout(Nuclear(4, 3), (4, 3)).norm == Nuclear(4, 3)
    assert layout(Spectral(4, 6), (4, 3, 2)).norm == Spectral(4, 6)
    assert layout(Spectral(3, 4), (4, 3), transpose=True).transposed
    assert layout(Lp(1), (5,)).norm == Lp(1)


@pytest.mark.parametrize(
    ("norm", "shape", "words"),
    [
        ("hidden", (5,), ['"bias"', "'fc.bias'", "(5,)"]),
        ("output", (), ['"bias"']),
        ("conv", (4, 3), ['"hidden"', "3 axes or more"]),
        ("embedding", (4, 3, 2), ['"conv"', "2 axes,"]),
        ("spektral", (4, 3), ["hidden", "'spektral'"]),
        (Spectral(3, 4), (4, 3), ["does not fit", "(4, 3)"]),
        (Spectral(1, 5), (5,), ["needs a matrix", '"bias"']),
        ("hidden", (4, 0), ["no entries"]),
    ],
    ids=str,
)
def test_a_norm_that_does_not_fit_is_refused(norm, shape, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as error:
        layout(norm, shape, who="parameter 'fc.bias'")
    assert all(word in str(error.value) for word in words), error.value


def test_what_is_no_norm_is_refused():
    with pytest.raises(TypeError, match="norm must be a Norm"):
        layout(3.0, (4, 3))
    with pytest.raises(ValueError, match="transpose needs 2 axes"):
        layout("bias", (4,), transpose=True)


class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(11, 6)
        self.attention = nn.MultiheadAttention(6, 2)
        self.recurrent = nn.LSTM(6, 5)
        self.conv = nn.Conv2d(3, 4, 3)
        self.up = nn.ConvTranspose1d(3, 4, 2)
        self.layer_norm = nn.LayerNorm((3, 4))
        self.batch_norm = nn.BatchNorm2d(4)
        self.first = nn.Linear(7, 6)
        self.head = nn.Linear(6, 10)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(requires_grad=False)


def named(groups):
    return {name: (g["norm"], g["radius"]) for g in groups for name, _ in g["params"]}


def test_groups_follow_the_type_of_the_layer():
    found = named(
        groups_for(Everything(), "head", presets={"first": "input"}, radii={"output": 60.0, "hidden": 2.0})
    )
    assert found["tokens.weight"] == ("embedding", 1.0)
    assert found["attention.in_proj_weight"] == ("hidden", 2.0)
    assert found["attention.out_proj.weight"] == ("hidden", 2.0)
    assert found["recurrent.weight_ih_l0"] == ("hidden", 2.0)
    assert found["conv.weight"] == ("conv", 1.0)
    assert found["up.weight"] == ("conv", 1.0)
    assert found["layer_norm.weight"] == found["batch_norm.weight"] == found["conv.bias"] == ("bias", 1.0)
    assert found["first.weight"] == ("input", 1.0)
    assert found["first.bias"] == ("bias", 1.0)
    assert found["head.weight"] == ("output", 60.0)
    assert found["head.bias"] == ("bias", 1.0)
    assert not any(name.startswith("frozen") for name in found)
    assert len(found) == sum(p.requires_grad for p in Everything().parameters())
    transposed = [g for g in groups_for(Everything()) if g["transpose"]]
    assert [name for g in transposed for name, _ in g["params"]] == ["up.weight"]
    Muon(groups_for(Everything(), "head"))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.tokens.weight


def test_a_weight_that_an_embedding_and_a_linear_layer_share_is_an_output():
    assert named(groups_for(Tied())) == {"tokens.weight": ("output", 1.0)}
    assert named(groups_for(Tied(), presets={"tokens": "row"})) == {"tokens.weight": ("row", 1.0)}


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(1, 4, 6))
        self.gain = nn.Parameter(torch.zeros(6))


def test_a_matrix_of_an_unknown_module_needs_a_preset():
    with pytest.raises(ValueError, match=r"'position'.*Own, of which no preset is known.*presets="):
        groups_for(Own())
    assert named(groups_for(Own(), presets={"position": "rms"})) == {
        "position": ("rms", 1.0),
        "gain": ("bias", 1.0),
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"output": "haed"}, "output must name a module such as .*head"),
        ({"presets": {"tokns": "row"}}, "must name parameters or modules of the model, got 'tokns'"),
        ({"presets": {"first": "spektral"}}, "presets must be among hidden.*'spektral' for 'first'"),
        ({"radii": {"head": 2.0}}, "radii must be given by preset"),
        ({"presets": {"first": "conv"}}, "'first.weight'"),
        ({"presets": {"first": ["hidden"]}}, r"presets must be among hidden.*\['hidden'\] for 'first'"),
        ({"presets": {"layer_norm": "max"}}, "presets names 'layer_norm', which reaches no parameter"),
        ({"presets": {"frozen": "muon"}}, "presets names 'frozen', which reaches no parameter"),
        ({"presets": {"first": "muon", "first.weight": "row"}}, "presets names 'first', which reaches no"),
        ({"output": "layer_norm"}, "output names 'layer_norm', which reaches no parameter"),
        ({"output": "head", "presets": {"head.weight": "row"}}, "output names 'head', which reaches no"),
        ({"radii": {"output": 2.0}}, "radii has 'output', and no group has that preset: .* hidden"),
        ({"radii": {"spectral": 2.0}}, "radii has 'spectral', and no group has that preset"),
        ({"radii": {"hidden": -2.0}}, r"radii\['hidden'\] must be finite and > 0, got -2.0"),
        ({"radii": {"hidden": 0.0}}, r"radii\['hidden'\] must be finite and > 0"),
        ({"radii": {"hidden": math.nan}}, r"radii\['hidden'\] must be finite and > 0"),
    ],
    ids=str,
)
def test_wrong_names_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        groups_for(Everything(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"presets": ["muon"]}, r"presets must be a dict such as .* got \['muon'\]"),
        ({"radii": 2.0}, "radii must be a dict such as .* got 2.0"),
        ({"radii": {"hidden": "2"}}, r"radii\['hidden'\] must be a number"),
        ({"output": 3}, "output must be the name of a module, got 3"),
    ],
    ids=str,
)
def test_arguments_of_another_type_are_refused(arguments, words):
    with pytest.raises(TypeError, match=words):
        groups_for(Everything(), **arguments)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"model must be a torch.nn.Module, got \[1\]"):
        groups_for([1])


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Sequential(nn.Linear(5, 5)))
        self.body2 = nn.Linear(5, 5)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(5, 3))


def test_the_name_of_a_container_stands_for_the_matrices_in_it():
    found = named(groups_for(Nested(), "head", presets={"body": "muon"}, radii={"output": 60.0, "muon": 2.0}))
    assert found["body.0.weight"] == found["body.2.0.weight"] == ("muon", 2.0)
    assert found["body2.weight"] == ("hidden", 1.0)  # no more than its name begins so
    assert found["head.1.weight"] == ("output", 60.0)
    vectors = [name for name, (preset, _) in found.items() if preset == "bias"]
    assert vectors == [
        "body.0.bias",
        "body.1.weight",
        "body.1.bias",
        "body.2.0.bias",
        "body2.bias",
        "head.1.bias",
    ]


def test_the_longest_name_comes_first():
    presets = {"": "operator", "body": "muon", "body.2": "input", "body.2.0.bias": "max", "head": "row"}
    found = {name: preset for name, (preset, _) in named(groups_for(Nested(), presets=presets)).items()}
    assert found["body.0.weight"] == "muon"
    assert found["body.2.0.weight"] == "input"
    assert found["body.2.0.bias"] == "max"
    assert found["head.1.weight"] == "row"
    assert found["body2.weight"] == "operator"
    assert named(groups_for(nn.Linear(3, 2), output=""))["weight"] == ("output", 1.0)


def test_the_biases_of_attention_are_biases():
    model = nn.MultiheadAttention(6, 2, add_bias_kv=True)
    found = named(groups_for(model))
    assert model.bias_k.shape == (1, 1, 6)
    assert found["bias_k"] == found["bias_v"] == found["in_proj_bias"] == ("bias", 1.0)
    assert found["in_proj_weight"] == ("hidden", 1.0)
    assert named(groups_for(model, presets={"bias_k": "max"}))["bias_k"] == ("max", 1.0)
    before = model.bias_k.detach().clone()
    optimizer = Muon(groups_for(model), lr=0.1)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert torch.allclose(before - model.bias_k, torch.full((1, 1, 6), 0.1))
