"""Bad input of the optimizers is refused before anything changes, and the error names the parameter."""

import copy
import math

import pytest
import torch
from torch import nn

from assumptions.matrix_norms import Spectral
from workbench.layer_laws import RPT, AnyLaw, uniform_rpt
from workbench.optim import DropMuon, Gluon, Muon, Scion
from workbench.samplings import Nice


def with_law(params, **options):
    return DropMuon(params, RPT(), **options)


every_class = pytest.mark.parametrize("make", [Muon, Scion, Gluon, with_law], ids=lambda make: make.__name__)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


def groups(net):
    named = list(net.named_parameters())
    return [
        {"params": [(name, p) for name, p in named if p.dim() == 2]},
        {"params": [(name, p) for name, p in named if p.dim() == 1], "norm": "bias"},
    ]


def gradients(net, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        p.grad = torch.randn(p.shape, generator=generator)


@every_class
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("name", ["0.weight", "2.bias"])
def test_gradients_that_are_not_finite_change_nothing(make, value, name):
    net = model()
    optimizer = make(groups(net))
    gradients(net)
    optimizer.step()
    before = copy.deepcopy((net.state_dict(), optimizer.state_dict()))
    gradients(net, seed=1)
    dict(net.named_parameters())[name].grad.view(-1)[1] = value
    with pytest.raises(
        ValueError, match=rf"gradient of parameter '{name}'.* is not finite .*nothing was changed"
    ):
        optimizer.step()
    after = net.state_dict(), optimizer.state_dict()
    assert all(torch.equal(after[0][key], old) for key, old in before[0].items())
    assert before[1].keys() == after[1].keys()
    assert str(before[1]) == str(after[1])


def test_the_error_counts_what_is_wrong():
    p, q = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3, 2))
    optimizer = Muon([p, q])
    p.grad, q.grad = torch.full((3, 2), math.nan), torch.full((3, 2), math.inf)
    p.grad[0, 0] = -math.inf
    words = r"parameter 0 of group 0, of shape \(3, 2\), is not finite \(5 nan, 1 inf\), and 1 more"
    with pytest.raises(ValueError, match=words):
        optimizer.step()


@every_class
def test_a_vector_under_a_spectral_norm_is_told_where_to_go(make):
    words = r"parameter '0.bias' has shape \(3,\): put it in a group of its own with norm=\"bias\""
    with pytest.raises(ValueError, match=words):
        make(model().named_parameters())
    with pytest.raises(ValueError, match=r"parameter 1 of group 0 has shape \(3,\)"):
        make(model().parameters())


@every_class
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": 0.0}, "lr must be finite and > 0, got 0.0"),
        ({"lr": -0.1}, "lr must be finite and > 0"),
        ({"lr": math.nan}, "lr must be finite and > 0"),
        ({"radius": 0.0}, "radius must be finite and > 0, got 0.0"),
        ({"radius": math.inf}, "radius must be finite and > 0"),
        ({"beta": 1.0}, r"beta must be in \[0, 1\), the weight of the old momentum, got 1.0"),
        ({"beta": -0.1}, r"beta must be in \[0, 1\)"),
        ({"beta": math.nan}, r"beta must be in \[0, 1\)"),
        ({"norm": "spektral"}, "norm must be a Norm or one of hidden"),
        ({"norm": Spectral(2, 3)}, r"does not fit parameter 0 of group 0, read with shape \(3, 2\)"),
    ],
    ids=str,
)
def test_options_out_of_their_domain(make, options, words):
    with pytest.raises(ValueError, match=words):
        make([nn.Parameter(torch.ones(3, 2))], **options)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (Muon, {"weight_decay": -0.1}, "weight_decay must be >= 0"),
        (Muon, {"weight_decay": math.nan}, "weight_decay must be >= 0"),
        (Muon, {"lr": 2.0, "weight_decay": 0.6}, "lr weight_decay at most 1, got 0.6"),
        (Scion, {"lr": 1.5, "constrained": True}, "lr must be at most 1 in the constrained form"),
        (Gluon, {"L0": 0.0}, "L0 and L1 must not both be 0"),
        (Gluon, {"L1": -1.0}, "L1 must be finite and >= 0"),
        (Gluon, {"L0": math.nan}, "L0 must be finite and >= 0"),
    ],
    ids=str,
)
def test_options_of_one_class(make, options, words):
    with pytest.raises(ValueError, match=words):
        make([nn.Parameter(torch.ones(3, 2))], **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": "0.1"}, "lr must be a number"),
        ({"lr": torch.ones(2)}, "lr must be a number, got a tensor"),
        ({"beta": None}, "beta must be a number"),
        ({"nesterov": 1}, "nesterov must be True or False"),
        ({"norm": 2.0}, "norm must be a Norm"),
        ({"orthogonaliser": "svd"}, "orthogonaliser must be an Orthogonaliser"),
        ({"transpose": "yes"}, "transpose must be None, True or False"),
    ],
    ids=str,
)
def test_options_of_another_type(options, words):
    with pytest.raises(TypeError, match=words):
        Muon([nn.Parameter(torch.ones(3, 2))], **options)


def test_an_option_that_turns_bad_later_is_refused_by_step():
    p = nn.Parameter(torch.ones(3, 2))
    optimizer = Muon([{"params": [p], "lr": torch.tensor(0.1)}])
    p.grad = torch.ones(3, 2)
    for key, value in [("lr", -1.0), ("beta", 1.0), ("radius", 0.0), ("norm", "conv")]:
        old = optimizer.param_groups[0][key]
        optimizer.param_groups[0][key] = value
        with pytest.raises(ValueError, match=key):
            optimizer.step()
        optimizer.param_groups[0][key] = old
    assert torch.equal(p, torch.ones(3, 2))
    assert not optimizer.state
    optimizer.step()
    assert not torch.equal(p, torch.ones(3, 2))


def test_a_group_that_does_not_fit_is_not_added():
    p, q = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3))
    optimizer = Muon([p])
    with pytest.raises(ValueError, match="parameter 0 of group 1"):
        optimizer.add_param_group({"params": [q]})
    with pytest.raises(ValueError, match=r"unknown option momentum of a group; Muon has beta, lr"):
        optimizer.add_param_group({"params": [q], "norm": "bias", "momentum": 0.9})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": [q], "norm": "bias", "beta": 0.5})
    p.grad, q.grad = torch.ones(3, 2), torch.ones(3)
    optimizer.step()
    assert q[0].item() == pytest.approx(1 - 0.02)


def test_what_has_no_norm_is_refused():
    with pytest.raises(ValueError, match=r"must be real and floating point, got torch\.complex64"):
        Muon([nn.Parameter(torch.ones(3, 2, dtype=torch.complex64))])
    table = nn.Embedding(5, 3, sparse=True)
    optimizer = Scion(table.named_parameters(), norm="embedding")
    table(torch.tensor([1, 2])).sum().backward()
    before = table.weight.detach().clone()
    with pytest.raises(
        ValueError, match="Scion takes dense gradients, and that of parameter 'weight' is sparse"
    ):
        optimizer.step()
    assert torch.equal(table.weight, before)


# -- laws of layers ---------------------------------------------------------------------------------


def layers(n=3):
    return [nn.Parameter(torch.ones(2, 2)) for _ in range(n)]


@pytest.mark.parametrize(
    ("law", "error", "words"),
    [
        ((((0, 1), 0.5), ((2,), 0.4)), ValueError, "must be a distribution"),
        ((((0, 1), 0.5), ((1,), 0.5)), ValueError, r"never moves \[2\]"),
        ((((0, 1, 2, 3), 1.0),), ValueError, "layers from 0 to 2, got layer 3"),
        (RPT((0.0, 0.5, 0.5)), ValueError, r"never moves \[0\]"),
        (uniform_rpt(4), ValueError, "one entry for each of 3 layers"),
        (0.5, TypeError, "law must be a LayerLaw"),
        (None, TypeError, "law must be a LayerLaw"),
    ],
    ids=str,
)
def test_laws_that_do_not_fit(law, error, words):
    with pytest.raises(error, match=words):
        DropMuon(layers(), law)


@pytest.mark.parametrize("law", [RPT(), Nice(2), ((range(3), 0.5), ((1,), 0.5))], ids=str)
def test_only_the_drawn_layers_move_and_the_draw_is_told_before(law):
    params = layers()
    optimizer = DropMuon(params, law, lr=0.1, norm="operator", seed=1)
    seen = set()
    for _ in range(30):
        chosen = optimizer.next_layers()
        assert optimizer.next_layers() == chosen
        before = [p.detach().clone() for p in params]
        momenta = [
            optimizer.state[p].get("momentum_buffer") if p in optimizer.state else None for p in params
        ]
        for i, p in enumerate(params):
            p.grad = torch.eye(2) if i in chosen else None
        optimizer.step()
        for i, (p, old, momentum) in enumerate(zip(params, before, momenta, strict=True)):
            assert torch.equal(p, old) == (i not in chosen)
            if i not in chosen and momentum is not None:
                assert optimizer.state[p]["momentum_buffer"] is momentum
        seen.add(chosen)
    assert len(seen) == (2 if isinstance(law, tuple) else 3)


def test_groups_can_share_a_layer():
    a, b, c = (nn.Parameter(torch.ones(2, 2)) for _ in range(3))
    vectors = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    options = [
        {"params": [a, b], "layer": 0},
        {"params": [c], "layer": 1},
        {"params": [vectors[0]], "layer": 0, "norm": "bias"},
        {"params": [vectors[1]], "layer": 1, "norm": "bias"},
    ]
    optimizer = DropMuon(options, (((0,), 0.5), ((1,), 0.5)), seed=2)
    for _ in range(10):
        chosen = optimizer.next_layers()
        before = [p.detach().clone() for p in (a, b, c, *vectors)]
        for p in (a, b, c, *vectors):
            p.grad = torch.ones_like(p)
        optimizer.step()
        moved = [not torch.equal(p, old) for p, old in zip((a, b, c, *vectors), before, strict=True)]
        assert moved == (
            [True, True, False, True, False] if chosen == (0,) else [False, False, True, False, True]
        )
    with pytest.raises(ValueError, match="layer must number the layers from 0 in every group or in none"):
        DropMuon([{"params": [a], "layer": 0}, {"params": [b]}], RPT())
    with pytest.raises(ValueError, match="layer must number the layers from 0"):
        DropMuon([{"params": [a], "layer": 1}, {"params": [b], "layer": 2}], RPT())


def test_a_group_that_the_law_does_not_reach_is_not_added():
    optimizer = DropMuon(layers(2), AnyLaw(((0,), (1,)), (0.5, 0.5)))
    with pytest.raises(ValueError, match=r"never moves \[2\]"):
        optimizer.add_param_group({"params": layers(1)})
    assert len(optimizer.param_groups) == 1
    grown = DropMuon(layers(2), RPT())
    grown.next_layers()
    grown.add_param_group({"params": layers(1)})
    assert set(grown.next_layers()) <= {0, 1, 2}


def test_frequencies_are_those_of_the_law():
    optimizer = DropMuon(layers(), RPT((0.5, 0.25, 0.25)), seed=4)
    counts = torch.zeros(3)
    for _ in range(2000):
        counts[list(optimizer.next_layers())] += 1
        optimizer.step()
    # three standard deviations of a frequency are at most 0.034
    assert (counts / 2000).tolist() == pytest.approx([0.5, 0.75, 1.0], abs=0.034)
