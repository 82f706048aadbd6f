"""The transformer: what it computes, how many parameters it has; and weights from a seed."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.optim import groups_for
from workbench.probes.networks import CNN, GPT, GPT_SIZES, MLP, GPTSize, count_parameters, seeded

DOUBLE = torch.float64


def built(size: GPTSize, vocabulary: int, **options) -> GPT:
    """Without memory for the weights."""
    with torch.device("meta"):
        return GPT(vocabulary, size.context, size.layers, size.heads, size.width, **options)


def small(**options) -> GPT:
    return seeded(0, lambda: GPT(11, 6, 2, 2, 8, **options)).to(DOUBLE)


@pytest.mark.parametrize("name", sorted(GPT_SIZES))
def test_sizes_of_transformers_keep_what_their_names_say(name: str):
    """12 w^2 for each layer and w for each token; the name within a tenth of that."""
    size, vocabulary = GPT_SIZES[name], 50304 if name == "124M" else 73
    count = count_parameters(built(size, vocabulary))
    assert count == 12 * size.layers * size.width**2 + vocabulary * size.width
    assert float(name.removesuffix("M")) == pytest.approx(count / 1e6, rel=0.1)


def test_the_largest_transformer_has_the_layers_of_published_ones():
    model = built(GPT_SIZES["124M"], 50304)
    assert count_parameters(model) == 123_568_128
    names = [name for name, _ in model.named_parameters()]
    assert len(names) == 73
    parts = ["attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]
    assert set(names) == {"wte.weight"} | {f"h.{i}.{part}.weight" for i in range(12) for part in parts}


@pytest.mark.parametrize(
    ("options", "more"),
    [({"tied": False}, 11 * 8), ({"positions": "learned"}, 6 * 8), ({"gains": True}, 5 * 8)],
    ids=["untied", "learned", "gains"],
)
def test_options_add_parameters(options: dict, more: int):
    assert count_parameters(small(**options)) == count_parameters(small()) + more


@pytest.mark.parametrize(("tied", "expected"), [(True, ["output"]), (False, ["embedding", "output"])])
def test_the_head_is_an_output_whether_it_is_shared_or_not(tied: bool, expected: list[str]):
    groups = groups_for(small(tied=tied), "head")
    assert sorted(g["norm"] for g in groups if g["norm"] != "hidden") == expected


def naive(model: GPT, tokens: Tensor) -> Tensor:
    """The logits of one sequence, position by position; rotations as products of complex numbers."""

    def norm(x: Tensor) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()

    def turned(x: Tensor) -> Tensor:
        d = x.shape[-1]
        angles = [[t * 10000.0 ** (-2 * j / d) for j in range(d // 2)] for t in range(len(x))]
        turn = torch.polar(torch.ones(len(x), d // 2, dtype=DOUBLE), torch.tensor(angles, dtype=DOUBLE))
        z = torch.complex(x[:, : d // 2], x[:, d // 2 :]) * turn
        return torch.cat([z.real, z.imag], dim=-1)

    x = model.wte.weight[tokens]
    x = x if model.wpe is None else x + model.wpe.weight[: len(tokens)]
    for block in model.h:
        a, y, heads = block.attn, norm(x), []
        parts = [(layer.weight @ y.T).T.chunk(a.heads, dim=-1) for layer in (a.c_q, a.c_k, a.c_v)]
        for q, k, v in zip(*parts, strict=True):
            if model.wpe is None:
                q, k = turned(q), turned(k)
            rows = []
            for t in range(len(tokens)):
                weights = (k[: t + 1] @ q[t] / q.shape[-1] ** 0.5).softmax(dim=0)
                rows.append(weights @ v[: t + 1])
            heads.append(torch.stack(rows))
        x = x + torch.cat(heads, dim=-1) @ a.c_proj.weight.T
        x = x + F.gelu(norm(x) @ block.mlp.c_fc.weight.T) @ block.mlp.c_proj.weight.T
    return norm(x) @ model.head.weight.T


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_a_transformer_computes_its_formula(positions: str):
    model = small(positions=positions)
    with torch.no_grad():
        for p in model.parameters():  # larger weights, so that each part counts
            p.mul_(20)
        tokens = torch.tensor([[3, 0, 10, 3, 7, 1], [0, 1, 2, 3, 4, 5]])
        expected = torch.stack([naive(model, row) for row in tokens])
        torch.testing.assert_close(model(tokens), expected, rtol=1e-6, atol=1e-6)
        assert expected.std() > 0.1


def test_rotary_angles_are_computed_in_the_type_of_the_weights():
    """float64 weights see float64 angles: the formula holds far below the resolution of float32."""
    model = small()
    tokens = torch.tensor([3, 0, 10, 3, 7, 1])
    with torch.no_grad():
        torch.testing.assert_close(model(tokens[None])[0], naive(model, tokens), rtol=0, atol=1e-15)


def test_later_tokens_do_not_change_earlier_logits():
    model, tokens = small(), torch.tensor([[1, 2, 3, 4, 5, 6]])
    other = tokens.clone()
    other[0, 3] = 9
    with torch.no_grad():
        before, after = model(tokens)[0], model(other)[0]
    assert torch.equal(before[:3], after[:3])
    assert (before[3:] != after[3:]).any(dim=-1).all()


def test_weights_start_with_the_deviations_of_gpt2():
    model = seeded(0, lambda: GPT(100, 8, 8, 2, 64))
    deviations = {name: float(p.detach().std()) for name, p in model.named_parameters()}
    for name, deviation in deviations.items():
        expected = 0.02 / 4 if name.endswith("c_proj.weight") else 0.02
        assert deviation == pytest.approx(expected, rel=0.06), name  # 4,096 entries or more: 1.1 % each


def test_dropout_is_of_training_only():
    model, tokens = small(dropout=0.5), torch.tensor([[1, 2, 3]])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        assert not torch.equal(model(tokens), model(tokens))
        model.eval()
        assert torch.equal(model(tokens), model(tokens))
        assert torch.equal(model(tokens), small().eval()(tokens))


def test_more_tokens_than_the_context_are_refused():
    with pytest.raises(ValueError, match="at most 6 at once, the context, got 7"):
        small()(torch.zeros(1, 7, dtype=torch.long))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vocabulary": 0}, "vocabulary must be an integer >= 1, got 0"),
        ({"layers": 1.5}, "layers must be an integer >= 1, got 1.5"),
        ({"heads": 3}, "width must split into 3 even parts, for rotary positions"),
        ({"heads": 8}, "width must split into 8 even parts"),
        ({"heads": 3, "positions": "learned"}, "width must split into 3 equal parts"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"dropout": float("nan")}, r"dropout must be in \[0, 1\)"),
        ({"positions": "sine"}, "positions must be one of rotary, learned, got 'sine'"),
    ],
)
def test_transformers_that_do_not_fit_are_refused(changed: dict, message: str):
    arguments = {"vocabulary": 5, "context": 4, "layers": 1, "heads": 1, "width": 8}
    with pytest.raises(ValueError, match=message):
        GPT(**(arguments | changed))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GPTSize(1, 1, 0, 4), "width must be an integer >= 1, got 0"),
        (lambda: seeded(True, lambda: MLP(2, 2, ())), "seed must be an integer"),
    ],
    ids=["size", "seed"],
)
def test_sizes_and_seeds_are_integers(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_weights_come_from_the_seed_and_leave_the_generators():
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    makes = (lambda: GPT(7, 4, 1, 1, 8), lambda: CNN(1, 3, (4,)), lambda: MLP(4, 3, (5,)))
    for make in makes:
        first, again, other = (seeded(seed, make).state_dict() for seed in (3, 3, 4))
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert any(not torch.equal(first[key], other[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()
