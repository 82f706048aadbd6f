"""The optimizers: the iterates of the methods of the workbench and of plain loops; states saved."""

import copy
import io
import math
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from assumptions.column_norms import MaxColumn, MaxRow
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import Lp
from problems import GaussianNoise, LayerSum, LinkMatrix, Noisy, SpectralQuadratic
from workbench.layer_laws import RPT, AnyLaw
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.constrained_scion import ConstrainedScion
from workbench.methods.drop_muon import DropMuon as DropMuonMethod
from workbench.methods.gluon import Gluon as GluonMethod
from workbench.methods.muon import Muon as MuonMethod
from workbench.methods.scion import Scion as ScionMethod
from workbench.methods.stochastic_gradient import stochastic_grad
from workbench.optim import PRESETS, DropMuon, Gluon, Muon, Scion, groups_for
from workbench.orthogonal import Exact, NewtonSchulz, Rescaled

ROOT = Path(__file__).parents[2]
QUADRATIC = ((2.0, 0.5), (0.5, 1.0))
SPECTRAL = LayerSum(
    (
        SpectralQuadratic(QUADRATIC, 5),
        SpectralQuadratic(((1.0, 0.0, 0.2), (0.0, 3.0, 0.0), (0.2, 0.0, 0.5)), 2),
        LinkMatrix("logistic", 4, 4, (1.0, 2.0)),
        SpectralQuadratic(((0.7,),), 1),
    )
)
MIXED = LayerSum(
    (
        SpectralQuadratic(QUADRATIC, 5, norm=Spectral(2, 5, 0.7)),
        SpectralQuadratic(QUADRATIC, 3, norm=MaxColumn(2, 3, 2.0)),
        LinkMatrix("log-cosh", 3, 2, (1.0,), norm=Nuclear(3, 2)),
        LinkMatrix("logistic", 3, 3, (1.0, 2.0), norm=MaxRow(3, 3), seed=None),
        LinkMatrix("cosh", 2, 2, (1.0,), norm=Lp(math.inf), seed=None),
        SpectralQuadratic(QUADRATIC, 2, norm=Lp(2)),
    )
)
"""Every norm on its own layer; layers 1 and 2 of one shape would not show a mixed-up batch."""


def layered_run(optimizer_class, problem, noise, steps, **options):
    """The iterates of an optimizer whose gradients are those of the problem; one group for each layer."""
    layers = problem.layers
    params = [nn.Parameter(part.clone()) for part in layers.split(problem.x0)]
    values = {key: value for key, value in options.items() if not key.endswith("_i")}
    own = {key[:-2]: value for key, value in options.items() if key.endswith("_i")}
    groups = [
        {"params": [p], "norm": norm, **{key: value[i] for key, value in own.items()}}
        for i, (p, norm) in enumerate(zip(params, layers.norms, strict=True))
    ]
    optimizer = optimizer_class(groups, **values)
    path = [problem.x0]
    for k in range(steps):
        g = stochastic_grad(problem, path[-1], noise[k])
        for p, part in zip(params, layers.split(g), strict=True):
            p.grad = part.clone()
        optimizer.step()
        path.append(layers.join(tuple(p.detach() for p in params)).clone())
    return torch.stack(path)


def method_run(method, problem, draws):
    state = method.init(problem, problem.x0, SimpleNamespace())
    path = [state.x]
    for draw in draws:
        state = method.step(problem, state, draw)
        path.append(state.x)
    return torch.stack(path)


def noisy(problem, steps, seed=0):
    """The problem with noise, and its draws."""
    problem = Noisy(problem, GaussianNoise(0.3))
    generator = torch.Generator().manual_seed(seed)
    width = problem.noise.width(problem.d)
    draws = torch.rand(steps, 1, width, dtype=torch.float64, generator=generator)
    return problem, [SimpleNamespace(noise=u) for u in draws]


RADII = torch.tensor([0.3, 0.1, 0.2, 0.05, 0.4, 0.15], dtype=torch.float64)
STEPS = 25
NS = NewtonSchulz(5)


def close(orthogonaliser):
    """How near two runs are that round differently: five quintic steps multiply roundings by up to 485."""
    return 1e-9 if isinstance(orthogonaliser, NewtonSchulz) else 1e-12


def same(found, expected, rtol=1e-12):
    assert found.isfinite().all()
    assert (found[1:] - found[:-1]).abs().amax(dim=-1).min() > 1e-3  # it moves
    assert torch.allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("orthogonaliser", [Exact(), NS, Rescaled(0.5, 1.5)], ids=repr)
@pytest.mark.parametrize(
    ("nesterov", "decay", "scale", "factor"),
    [
        (True, 0.0, "jordan", lambda m, n: max(1, m / n) ** 0.5),
        (False, 0.5, "none", lambda m, n: 1),
        (True, 0.5, "rms", lambda m, n: 0.2 * max(m, n) ** 0.5),
    ],
    ids=["jordan", "none", "rms"],
)
def test_muon_is_the_method(orthogonaliser, nesterov, decay, scale, factor):
    problem, draws = noisy(SPECTRAL, STEPS)
    method = MuonMethod(0.1, 0.8, decay, nesterov, scale, orthogonaliser=orthogonaliser)
    found = layered_run(
        Muon,
        problem,
        draws,
        STEPS,
        lr=0.1,
        beta=0.8,
        nesterov=nesterov,
        weight_decay=decay,
        orthogonaliser=orthogonaliser,
        radius_i=[factor(norm.m, norm.n) for norm in problem.layers.norms],
    )
    same(found, method_run(method, problem, draws), close(orthogonaliser))


@pytest.mark.parametrize("orthogonaliser", [Exact(), NS], ids=repr)
def test_scion_is_the_method(orthogonaliser):
    problem, draws = noisy(MIXED, STEPS)
    method = ScionMethod(0.5 * RADII, 0.9, orthogonaliser=orthogonaliser)
    found = layered_run(
        Scion, problem, draws, STEPS, lr=0.5, beta=0.9, orthogonaliser=orthogonaliser, radius_i=RADII.tolist()
    )
    same(found, method_run(method, problem, draws), close(orthogonaliser))


def test_constrained_scion_is_the_method_and_stays_in_the_ball():
    problem, draws = noisy(MIXED, STEPS)
    method = ConstrainedScion(4 * RADII, 0.1, 0.9)
    found = layered_run(
        Scion,
        problem,
        draws,
        STEPS,
        lr=0.1,
        beta=0.9,
        constrained=True,
        orthogonaliser=Exact(),
        radius_i=(4 * RADII).tolist(),
    )
    same(found, method_run(method, problem, draws))


def test_the_constrained_form_stays_in_its_ball():
    p = nn.Parameter(torch.zeros(4, 3, dtype=torch.float64))
    optimizer = Scion([p], lr=0.4, radius=2.0, norm="operator", constrained=True, orthogonaliser=Exact())
    lengths = []
    for k in range(30):
        p.grad = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(k)) - 1
        optimizer.step()
        lengths.append(Spectral(4, 3).norm(p.detach().flatten()).item())
    assert 1.9 < max(lengths) <= 2 * (1 + 1e-12)


@pytest.mark.parametrize("orthogonaliser", [Exact(), NS], ids=repr)
def test_gluon_is_the_method(orthogonaliser):
    problem, draws = noisy(MIXED, STEPS)
    method = GluonMethod(RADII, 0.7, orthogonaliser=orthogonaliser)
    found = layered_run(
        Gluon, problem, draws, STEPS, lr=1.0, beta=0.7, orthogonaliser=orthogonaliser, radius_i=RADII.tolist()
    )
    same(found, method_run(method, problem, draws), close(orthogonaliser))


OFFSET = torch.tensor([5.0, 3.0, 0.0, 1.0, 4.0, 3.0], dtype=torch.float64)
SLOPE = torch.tensor([0.0, 1.0, 3.0, 2.0, 1.0, 0.0], dtype=torch.float64)


def test_adaptive_gluon_is_the_method():
    draws = [SimpleNamespace()] * 8
    found = layered_run(
        Gluon,
        MIXED,
        draws,
        8,
        lr=1.0,
        beta=0.0,
        orthogonaliser=Exact(),
        L0_i=OFFSET.tolist(),
        L1_i=SLOPE.tolist(),
    )
    same(found, method_run(AdaptiveGluon(OFFSET, SLOPE), MIXED, draws))


def test_adaptive_radii_of_float32_use_the_gram_matrix():
    g = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    p = nn.Parameter(torch.zeros(6, 4))
    p.grad = g
    Gluon([p], lr=1.0, beta=0.0, L0=2.0, L1=0.5, norm=Spectral(6, 4), orthogonaliser=Exact()).step()
    nuclear = torch.linalg.matrix_norm(g.double(), "nuc").item()
    moved = torch.linalg.matrix_norm(p.detach().double(), 2).item()
    assert moved == pytest.approx(nuclear / (2 + 0.5 * nuclear), rel=1e-6)


def test_adaptive_radii_are_0_where_there_is_no_gradient():
    p = nn.Parameter(torch.ones(3, 2))
    p.grad = torch.zeros(3, 2)
    Gluon([p], lr=1.0, beta=0.0, L0=0.0, L1=2.0).step()
    assert torch.equal(p, torch.ones(3, 2))


LAW = AnyLaw(((0, 1, 2, 3, 4, 5), (2, 4), (5,), ()), (0.3, 0.3, 0.3, 0.1))


def active_layers(law, n, steps, seed):
    """Draws of a law from the uniforms of a seed."""
    generator = torch.Generator().manual_seed(seed)
    space = law.space(n)
    return [
        space.value(torch.rand(space.width, dtype=torch.float64, generator=generator)) for _ in range(steps)
    ]


def test_drop_muon_is_the_method():
    problem, noise = noisy(MIXED, STEPS)
    masks = active_layers(LAW, 6, STEPS, seed=3)
    assert len({tuple(mask.tolist()) for mask in masks}) == 4
    draws = [SimpleNamespace(noise=one.noise, active=mask) for one, mask in zip(noise, masks, strict=True)]
    options = {"lr": 1.0, "beta": 0.7, "orthogonaliser": Exact(), "radius_i": RADII.tolist()}
    found = layered_run(DropMuon, problem, draws, STEPS, law=LAW, seed=3, **options)
    expected = method_run(DropMuonMethod(RADII, 0.7, LAW), problem, draws)
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert (found[-1] - found[0]).abs().max() > 0.5


def test_adaptive_drop_muon_is_the_method():
    law = RPT((0.2, 0.1, 0.1, 0.2, 0.1, 0.3))
    draws = [SimpleNamespace(active=mask) for mask in active_layers(law, 6, 10, seed=5)]
    options = {
        "lr": 1.0,
        "beta": 0.0,
        "orthogonaliser": Exact(),
        "L0_i": OFFSET.tolist(),
        "L1_i": SLOPE.tolist(),
    }
    found = layered_run(DropMuon, MIXED, draws, 10, law=law, seed=5, **options)
    same(found, method_run(AdaptiveDropMuon(OFFSET, SLOPE, law), MIXED, draws))


# -- a network ---------------------------------------------------------------------------------------


def digits():
    data = load_digits()
    return torch.tensor(data.data[:200] / 16), torch.tensor(data.target[:200])


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 10)).to(
        dtype
    )


def losses(model, optimizer, steps, dtype=torch.float64):
    x, y = digits()
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x.to(dtype)), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def newton_schulz(x):
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


def plain_direction(name, p, m):
    if p.dim() < 2:
        return m / m.square().mean().sqrt()
    if name == "4.weight":
        return m.sign() / p.shape[1]
    return math.sqrt(max(1, p.shape[0] / p.shape[1])) * newton_schulz(m)


def test_a_network_takes_the_steps_of_a_plain_loop():
    x, y = digits()
    model, plain = network(), network()
    groups = groups_for(model, "4", presets={"0": "muon", "2": "muon"}, radii={"output": 5.0})
    found = losses(model, Muon(groups, lr=0.1, beta=0.9, weight_decay=0.1), 8)
    momenta = {name: torch.zeros_like(p) for name, p in plain.named_parameters()}
    expected = []
    for _ in range(8):
        plain.zero_grad()
        loss = nn.functional.cross_entropy(plain(x), y)
        loss.backward()
        expected.append(loss.item())
        with torch.no_grad():
            for name, p in plain.named_parameters():
                momenta[name] = 0.9 * momenta[name] + 0.1 * p.grad
                u = 0.9 * momenta[name] + 0.1 * p.grad
                length = 0.1 * (5.0 if name == "4.weight" else 1.0)
                p.copy_((1 - 0.1 * 0.1) * p - length * plain_direction(name, p, u))
    assert found == pytest.approx(expected, rel=1e-11)
    assert found[-1] < 0.8 * found[0]
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(p, q, rtol=1e-11, atol=1e-13)


CLASSES = {
    "Muon": lambda groups, **k: Muon(groups, lr=0.02, **k),
    "Scion": lambda groups, **k: Scion(groups, lr=0.02, **k),
    "constrained Scion": lambda groups, **k: Scion(groups, lr=0.02, constrained=True, **k),
    "Gluon": lambda groups, **k: Gluon(groups, lr=0.02, **k),
    "adaptive Gluon": lambda groups, **k: Gluon(groups, lr=0.02, L0=0.1, L1=1.0, **k),
    "DropMuon": lambda groups, **k: DropMuon(groups, RPT(), lr=0.02, **k),
}
every_class = pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)


@every_class
def test_layers_of_one_shape_are_a_batch_that_does_not_mix(make):
    """Ten equal matrices in one group move as each of them alone; DropMuon draws nothing here."""
    grads = torch.randn(10, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = [nn.Parameter(torch.zeros(6, 4, dtype=torch.float64)) for _ in range(10)]
    groups = [{"params": together, **({"layer": 0} if make is CLASSES["DropMuon"] else {})}]
    optimizer = make(groups)
    for p, g in zip(together, grads, strict=True):
        p.grad = g.clone()
    optimizer.step()
    for p, g in zip(together, grads, strict=True):
        alone = nn.Parameter(torch.zeros(6, 4, dtype=torch.float64))
        alone.grad = g.clone()
        make([alone]).step()
        assert torch.allclose(p, alone, rtol=1e-12, atol=1e-15)


# -- states -----------------------------------------------------------------------------------------


@every_class
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_a_saved_run_goes_on_as_if_never_interrupted(make, dtype):
    model = network(dtype)
    optimizer = make(groups_for(model, "4", radii={"output": 3.0}), orthogonaliser=NewtonSchulz(4, "cubic"))
    losses(model, optimizer, 3, dtype)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    other = network(dtype)
    other.load_state_dict(saved["model"])
    resumed = make(groups_for(other, "4"))
    resumed.load_state_dict(saved["optimizer"])
    assert resumed.param_groups[0]["orthogonaliser"] == NewtonSchulz(4, "cubic")
    assert losses(model, optimizer, 3, dtype) == losses(other, resumed, 3, dtype)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
        assert optimizer.state[p].keys() == resumed.state[q].keys()
        for key, value in optimizer.state[p].items():
            assert value.dtype == torch.promote_types(dtype, torch.float32)
            assert torch.equal(value, resumed.state[q][key])


@every_class
def test_a_copy_goes_its_own_way(make):
    model = network()
    optimizer = make(groups_for(model, "4"))
    losses(model, optimizer, 2)
    pair = copy.deepcopy((model, optimizer))
    before = [p.clone() for p in model.parameters()]
    copied = losses(*pair, 3)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert losses(model, optimizer, 3) == copied


def test_an_own_norm_is_saved_as_text_and_made_again():
    p = nn.Parameter(torch.zeros(3, 2))
    saved = Gluon([p], norm=Nuclear(3, 2, 0.5)).state_dict()
    assert saved["param_groups"][0]["norm"] == "Nuclear(m=3, n=2, scale=0.5)"
    fresh = Gluon([p])
    fresh.load_state_dict(saved)
    assert fresh.param_groups[0]["norm"] == Nuclear(3, 2, 0.5)


def test_states_that_do_not_fit_change_nothing():
    p, q = nn.Parameter(torch.zeros(3, 2)), nn.Parameter(torch.zeros(2, 3))
    optimizer = Muon([p], lr=0.3)
    for other, words in [
        (torch.optim.SGD([p], lr=0.1), "not one of Muon: it lacks beta"),
        (Muon([p, q]), r"groups of \[1\] parameters, the saved state of \[2\]"),
        (Muon([q], norm=Spectral(2, 3)), "does not fit parameter 0 of group 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            optimizer.load_state_dict(other.state_dict())
    q.grad = torch.ones(2, 3)
    other = Muon([q])
    other.step()
    with pytest.raises(ValueError, match=r"momentum of parameter 0 of group 0 has shape \(2, 3\)"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.3
    assert not optimizer.state
    with pytest.raises(ValueError, match="not one of DropMuon: it lacks draws"):
        DropMuon([p], RPT()).load_state_dict(optimizer.state_dict())


# -- types, devices, the rest of torch ----------------------------------------------------------------


def test_bfloat16_parameters_are_rounded_once_a_step():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(8, 6, generator=generator).bfloat16()
    p, wide = nn.Parameter(start.clone()), nn.Parameter(start.float())
    for k in range(5):
        p.grad = torch.randn(8, 6, generator=generator).bfloat16()
        wide.grad = p.grad.float()
        if k == 0:
            narrow_optimizer, wide_optimizer = Muon([p]), Muon([wide])
        wide.data.copy_(p.float())
        narrow_optimizer.step()
        wide_optimizer.step()
        assert torch.equal(p, wide.bfloat16())
    assert narrow_optimizer.state[p]["momentum_buffer"].dtype == torch.float32


def test_a_step_does_not_see_autocast():
    found = []
    for enabled in (False, True):
        model = network(torch.float32)
        optimizer = Muon(groups_for(model, "4"), orthogonaliser=Exact())
        x, y = digits()
        with torch.autocast("cpu", enabled=enabled):
            for _ in range(2):
                optimizer.zero_grad()
                with torch.autocast("cpu", enabled=False):
                    nn.functional.cross_entropy(model(x.float()), y).backward()
                optimizer.step()
        found.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*found)


def test_training_under_autocast():
    model = network(torch.float32)
    optimizer = Scion(groups_for(model, "4", radii={"output": 50.0}), lr=0.1)
    x, y = digits()
    found = []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(x.float()), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found[-1] < found[0] / 2
    assert all(p.dtype == torch.float32 for p in model.parameters())


@pytest.mark.gpu
@every_class
def test_on_a_gpu_it_is_the_same(make):
    found = []
    for device in ("cpu", "cuda"):
        model = network().to(device)
        optimizer = make(groups_for(model, "4"))
        x, y = (t.to(device) for t in digits())
        for _ in range(4):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        found.append(torch.cat([p.detach().flatten().cpu() for p in model.parameters()]))
    assert torch.allclose(*found, rtol=1e-9, atol=1e-11)


def test_a_closure_is_called_with_gradients_on():
    p = nn.Parameter(torch.ones(3, 2))
    optimizer = Gluon([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6.0
    assert p.sum() < 6


def test_a_scheduler_moves_the_radii_and_may_end_at_0():
    p = nn.Parameter(torch.zeros(3, 3, dtype=torch.float64))
    optimizer = Gluon([p], lr=0.4, radius=2.0, norm="operator", orthogonaliser=Exact(), beta=0.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=4)
    lengths = []
    for _ in range(6):
        before = p.detach().clone()
        p.grad = torch.eye(3, dtype=torch.float64)
        optimizer.step()
        scheduler.step()
        lengths.append((p.detach() - before).abs().max().item())
    assert lengths == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0, 0.0], abs=1e-12)


def test_parameters_without_a_gradient_stay_with_their_momentum():
    p, q = (nn.Parameter(torch.ones(3, 2)) for _ in range(2))
    optimizer = Muon([p, q], weight_decay=0.1)
    p.grad, q.grad = torch.ones(3, 2), torch.ones(3, 2)
    optimizer.step()
    place, momentum = q.detach().clone(), optimizer.state[q]["momentum_buffer"].clone()
    q.grad = None
    optimizer.step()
    assert torch.equal(q, place)
    assert torch.equal(optimizer.state[q]["momentum_buffer"], momentum)
    assert not torch.equal(p, q)


def test_gradients_are_left_as_they_are():
    """Also the first one, with which the momentum of Gluon starts."""
    p = nn.Parameter(torch.zeros(3, 2))
    p.grad = torch.ones(3, 2)
    optimizer = Gluon([p])
    optimizer.step()
    assert torch.equal(p.grad, torch.ones(3, 2))
    p.grad.zero_()
    assert torch.equal(optimizer.state[p]["momentum_buffer"], torch.ones(3, 2))


def test_a_step_of_beta_0_keeps_no_buffer():
    p = nn.Parameter(torch.zeros(3, 2))
    p.grad = torch.ones(3, 2)
    optimizer = Scion([p], beta=0.0)
    optimizer.step()
    assert not optimizer.state


def test_the_package_needs_neither_problems_nor_sympy():
    code = (
        "import sys, workbench.optim, workbench.optim.conformance\n"
        "print([m for m in ('sympy', 'problems', 'workbench.verify') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- the page -----------------------------------------------------------------------------------------


def test_the_page_lists_every_preset_with_its_step():
    page = (ROOT / "docs/optim.md").read_text().replace("\\|", "|")
    for name, preset in PRESETS.items():
        (row,) = (line for line in page.splitlines() if line.startswith("| `") and f"`{name}`" in line)
        assert f" {preset.direction} " in row


def test_the_example_stands_in_the_page():
    text = (ROOT / "docs/examples/train_muon.py").read_text()
    assert text.split('"""\n\n', 1)[1].rstrip() in (ROOT / "docs/optim.md").read_text()


@pytest.mark.slow
def test_the_example_runs(capsys):
    runpy.run_path(str(ROOT / "docs/examples/train_muon.py"), run_name="__main__")
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()] == ["Muon"] * 3 + ["AdamW"] * 3
