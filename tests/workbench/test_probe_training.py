"""A probe beside a training: the training is the same, bit by bit, and what it does is followed."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from workbench.optim import Scion, groups_for
from workbench.probes.fits.layer_path import layer_paths
from workbench.probes.probe import ProbeStoppedWarning, SmoothnessProbe

X = torch.randn(48, 6, generator=torch.Generator().manual_seed(1))
Y = torch.randint(3, (48,), generator=torch.Generator().manual_seed(2))
FIXED = (X[:32], Y[:32])
LEVELS = "pair, radii, coupling, hvp, adversarial, lmo"


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def batch_of(k, rows=16):
    j = torch.arange(k * 5, k * 5 + rows) % len(X)
    return X[j], Y[j]


def network(dropout=0.3, norm=True):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(8)] if norm else []
    last = nn.Linear(8, 3)
    return nn.Sequential(nn.Linear(6, 8), *middle, nn.Tanh(), nn.Dropout(dropout), last)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)


def adamw(model):
    return torch.optim.AdamW(model.parameters(), lr=1e-2)


def scion(model):
    return Scion(groups_for(model, str(len(model) - 1)), lr=0.05)


def probe_of(model, optimizer, batch=FIXED, **options):
    options = {"norms": "scion", "output": str(len(model) - 1), "announce": None, "every": 1, **options}
    return SmoothnessProbe(model, optimizer, loss=loss, batch=batch, **options)


# -- nothing changes ----------------------------------------------------------------------------------


def states(model, optimizer):
    """Everything a probe could have touched, as bytes."""
    tensors = [*model.state_dict().values(), *(p.grad for p in model.parameters())]
    tensors += [v for s in optimizer.state.values() for v in s.values() if isinstance(v, torch.Tensor)]
    numbers = [t.detach().cpu().numpy().tobytes() for t in tensors]
    drawn = [torch.get_rng_state().numpy().tobytes(), str(np.random.get_state()), random.getstate()]
    if torch.cuda.is_available():
        drawn.append(torch.cuda.get_rng_state().numpy().tobytes())
    return numbers, drawn, [part.training for part in model.modules()]


def trained(make, batch=None, device="cpu", **options):
    """States after every step, and the probe."""
    model = network().to(device)
    optimizer = make(model)
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(7)
    probe = None if batch is None else probe_of(model, optimizer, batch, **options).attach()
    found = []
    for k in range(4):
        optimizer.zero_grad()
        micro = tuple(t.to(device) for t in batch_of(k))
        loss(model, micro).backward()
        if probe:
            probe.saw(micro)
        optimizer.step()
        found.append((*states(model, optimizer), random.random(), np.random.rand()))
    if probe:
        probe.detach()
    return found, probe


@pytest.fixture
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("make", [sgd, adamw, scion])
@pytest.mark.parametrize(
    ("batch", "options"),
    [
        (FIXED, {"level": LEVELS, "every": 2}),
        (FIXED, {"mode": "eval", "dtype": torch.float64, "chunk": 5}),
        ("training", {"level": LEVELS, "every": 3}),
        ("training", {}),
        ("different", {}),
    ],
    ids=["fixed", "fixed eval", "training every 3", "training", "different"],
)
def test_a_probed_training_is_bit_identical(make, batch, options):
    plain, _ = trained(make)
    probed, probe = trained(make, batch, **options)
    assert not probe.stopped
    assert probe.result().sizes["probe"] > 0
    assert probed == plain


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("batch", [FIXED, "training", "different"], ids=["fixed", "training", "different"])
def test_a_probed_training_on_a_gpu_is_bit_identical(batch):
    """The fixed set may lie on the CPU."""
    options = {} if batch == "different" else {"level": LEVELS}
    plain, _ = trained(scion, device="cuda")
    probed, probe = trained(scion, batch, device="cuda", **options)
    assert not probe.stopped
    assert probe.result().attrs["device"].startswith("cuda")
    assert probed == plain


def test_the_states_compared_do_see_a_change():
    """The comparison above can fail: a draw, a step, a mode."""
    model = network()
    optimizer = sgd(model)
    loss(model, FIXED).backward()
    before = states(model, optimizer)
    torch.rand(1)
    after_draw = states(model, optimizer)
    model[0].eval()
    after_mode = states(model, optimizer)
    model.zero_grad(set_to_none=False)
    assert len({str(each) for each in (before, after_draw, after_mode, states(model, optimizer))}) == 4


# -- p.grad in the place of the first gradient ----------------------------------------------------------


class Counting:
    """The loss, and how often it was called beside the training."""

    def __init__(self):
        self.calls = 0

    def __call__(self, model, batch):
        self.calls += 1
        return loss(model, batch)


def run(model, optimizer, probe, steps=6, micro=1, scale=1.0, context=None, clip=None):
    """Steps on ``micro`` batches each, the gradient times ``scale``; autocast around the forward pass."""
    with probe:
        for k in range(steps):
            optimizer.zero_grad(set_to_none=True)
            for j in range(micro):
                batch = batch_of(k * micro + j)
                probe.saw(batch)
                with torch.autocast("cpu", torch.bfloat16, enabled=context is not None):
                    value = loss(model, batch)
                (scale * value).backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
    return probe.result()


@pytest.mark.parametrize(
    ("batch", "calls"),
    [(FIXED, 6 * 4), ("training", 6 + 3), ("different", 3)],
    ids=["fixed", "training", "different"],
)
def test_no_gradient_is_taken_twice(batch, calls):
    """Two ends in two halves; one for each step, and the 1st, 2nd and 4th to compare p.grad."""
    model = network(dropout=0.0)
    optimizer, counting = sgd(model), Counting()
    probe = SmoothnessProbe(
        model, optimizer, loss=counting, batch=batch, norms="scion", output="4", every=1, announce=None
    )
    run(model, optimizer, probe)
    assert counting.calls == calls


def recomputed(batch, micro, **options):
    """A training on one batch per step, from the same weights, with every gradient computed in float64."""
    model = network(dropout=0.0)
    optimizer = sgd(model)
    probe = probe_of(model, optimizer, batch, dtype=torch.float64)
    return run(model, optimizer, probe, micro=micro, **options)


@pytest.mark.parametrize("micro", [1, 3])
def test_p_grad_is_read_where_it_is_the_gradient(micro):
    said = []
    model = network(dropout=0.0)
    optimizer = sgd(model)
    read = run(
        model,
        optimizer,
        probe_of(model, optimizer, "training", announce=said.append),
        micro=micro,
        scale=1 / micro,
    )
    exact = recomputed("training", micro, scale=1 / micro)
    assert read.attrs["gradient_before"] == f"p.grad, compared for {micro} micro-batches"
    assert len(said) == 1
    assert read["loss"].isnull().values.tolist() == [False, False, True, False, True, True]
    moved = [name for name in read["layer"].values if name != "0.bias"]  # before batch norm: rounding alone
    for name in ("gradnorm", "gradnorm_next", "step_length"):
        torch.testing.assert_close(
            torch.tensor(read[name].sel(layer=moved).values),
            torch.tensor(exact[name].sel(layer=moved).values),
            rtol=1e-4,
            atol=1e-7,
        )
    assert bool((abs(read["ratio"] - exact["ratio"]) <= read["ratio_resolution"]).all())


@pytest.mark.parametrize(
    ("dropout", "options", "words"),
    [
        (0.0, {"micro": 3}, "3 times as long, at cosine 1"),
        (0.0, {"scale": 8.0}, "8 times as long, at cosine 1"),
        (0.3, {}, "dropout"),
        (0.0, {"clip": 1e-3}, "clipping"),
        (0.0, {"context": True}, "autocast"),
    ],
    ids=["sum of micro-batches", "scaled", "dropout", "clipped", "autocast"],
)
def test_p_grad_is_refused_where_it_is_not(dropout, options, words):
    """Said once, kept in the attributes; the rows are those of gradients that are computed."""
    said = []
    model = network(dropout=dropout)
    optimizer = sgd(model)
    probe = probe_of(model, optimizer, "training", announce=said.append)
    result = run(model, optimizer, probe, **options)
    assert not probe.stopped
    assert len(said) == 2
    assert words in said[1]
    assert "step 0" in said[1]
    assert result.attrs["gradient_before"].startswith("computed, since p.grad of")
    assert bool(result["loss"].notnull().all())


def test_clipping_that_begins_late_is_noticed():
    """Compared the 1st, 2nd, 4th, 8th time: the rows 4 to 6 have p.grad, those from 7 on do not."""
    said = []
    model = network(dropout=0.0)
    optimizer = sgd(model)
    probe = probe_of(model, optimizer, "training", announce=said.append)
    with probe:
        for k in range(10):
            optimizer.zero_grad()
            probe.saw(batch_of(k))
            loss(model, batch_of(k)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1e-2 if k >= 5 else 1e6)
            optimizer.step()
    read = [k in (2, 4, 5, 6) for k in range(10)]
    result = probe.result()
    assert result["loss"].isnull().values.tolist() == read
    assert "step 7" in said[1]
    assert said[1].endswith("where it was read it may be off: there ratio_resolution is inf now")
    moved = result.isel(layer=-1)
    assert np.isinf(moved["ratio_resolution"].values).tolist() == read
    assert layer_paths(result)[-1].n == 6  # a fit takes no row that is in doubt


def test_p_grad_that_is_off_by_more_than_what_is_measured_is_refused():
    """A part in 10^4 of the gradient, within its tolerance, where a step changes it by a part in 10^5."""
    said = []
    model = network(dropout=0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    probe = probe_of(model, optimizer, "training", announce=said.append)
    run(model, optimizer, probe, scale=1.0001, steps=2)
    assert "over the step" in said[1]


def test_a_first_step_of_length_zero_decides_nothing():
    model = network(dropout=0.0)
    optimizer = sgd(model)
    warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(k, 1))
    probe = probe_of(model, optimizer, "training")
    with probe:
        for k in range(3):
            optimizer.zero_grad()
            probe.saw(batch_of(k))
            loss(model, batch_of(k)).backward()
            optimizer.step()
            warm.step()
    result = probe.result()
    assert result.attrs["gradient_before"].startswith("p.grad")
    assert bool(result["ratio"].isel(probe=0).isnull().all())
    assert float(result["step_length"].isel(probe=1).min()) > 0


def test_the_resolution_is_above_what_float32_loses_and_below_what_is_measured():
    """Also for the bias before batch normalisation, whose gradient is rounding alone."""
    model = network(dropout=0.0)
    optimizer = adamw(model)
    short, exact = (probe_of(model, optimizer, dtype=dtype) for dtype in (torch.float32, torch.float64))
    for k in range(3):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        optimizer.zero_grad()
        loss(model, batch_of(k)).backward()
        optimizer.step()
        rows = [probe.pair(before, model.state_dict()) for probe in (short, exact)]
        lost = abs(rows[0]["ratio"] - rows[1]["ratio"])
        assert bool((lost <= rows[0]["ratio_resolution"]).all())
        assert float(lost.max()) > 0
        known = rows[0].sel(layer=[name for name in rows[0]["layer"].values if name != "0.bias"])
        assert bool((known["ratio_resolution"] < 1e-2 * known["ratio"]).all())
        bias = rows[0].sel(layer="0.bias")
        assert bool((bias["ratio"] < 10 * bias["ratio_resolution"]).all())


# -- what trainings do ----------------------------------------------------------------------------------


def test_a_gradient_scaler_that_skips_a_step():
    """It is no step; its batch may be forgotten, or stays and is compared again."""
    for forget in (True, False):
        model = network(dropout=0.0)
        optimizer, scaler = sgd(model), torch.amp.GradScaler("cpu", init_scale=4.0)
        probe = probe_of(model, optimizer, "training")
        with probe:
            for k in range(6):
                optimizer.zero_grad()
                probe.saw(batch_of(k))
                factor = torch.inf if k == 2 else 1.0  # before the third step
                scaler.scale(factor * loss(model, batch_of(k))).backward()
                scale = scaler.get_scale()
                scaler.step(optimizer)
                scaler.update()
                if forget and scaler.get_scale() < scale:
                    probe.forget()
        result = probe.result()
        assert not probe.stopped
        assert result["step"].values.tolist() == [0, 1, 2, 3, 4]
        assert result.attrs["gradient_before"] == "p.grad, compared for 1 micro-batches"
        # the third row has the batches of two steps where none was forgotten, and p.grad is that of one
        assert result["loss"].isnull().values.tolist() == [False, False, forget, False, True]


def lbfgs(batch):
    model = network(dropout=0.0, norm=False)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    probe = probe_of(model, optimizer, batch)
    points = []
    with probe:
        for k in range(2):

            def closure(k=k):
                optimizer.zero_grad()
                value = loss(model, batch_of(k))
                value.backward()
                return value

            probe.saw(batch_of(k))
            points.append({name: value.clone() for name, value in model.state_dict().items()})
            optimizer.step(closure)
            points.append({name: value.clone() for name, value in model.state_dict().items()})
    return probe, points


def test_a_closure_is_followed_from_before_the_step_to_after():
    probe, points = lbfgs(FIXED)
    again = [probe.pair(a, b) for a, b in zip(points[::2], points[1::2], strict=True)]
    for k, pair in enumerate(again):
        assert pair["ratio"].values[0].tolist() == probe.result()["ratio"].values[k].tolist()
    assert lbfgs("training")[0].result().attrs["gradient_before"].endswith("by a closure")


def test_frozen_and_tied_parameters_and_those_that_do_not_move():
    model = network(dropout=0.0)
    model[0].bias.requires_grad_(False)
    model.append(nn.Linear(3, 3)).append(nn.Linear(3, 3))
    model[6].weight = model[5].weight
    moving = [p for name, p in model.named_parameters() if not name.startswith("5.b")]
    optimizer = torch.optim.SGD([p for p in moving if p.requires_grad], lr=0.1)
    result = run(model, optimizer, probe_of(model, optimizer))
    names = result["layer"].values.tolist()
    assert "0.bias" not in names
    assert "5.weight" in names
    assert "6.weight" not in names
    still = result.sel(layer="5.bias")
    assert still["step_length"].values.tolist() == [0.0] * 6
    assert bool(still["ratio"].isnull().all())
    assert bool(still["gradnorm"].notnull().all())
    assert bool(result["ratio"].sel(layer="5.weight").notnull().all())


def test_steps_of_two_optimizers_are_one():
    """From before the first to after the last; what one of them does alone is not measured."""
    model = network(dropout=0.0)
    first = torch.optim.SGD(model[0].parameters(), lr=0.1)
    last = torch.optim.SGD([*model[1].parameters(), *model[4].parameters()], lr=0.1)
    probe = probe_of(model, [first, last])
    with probe:
        for k in range(5):
            model.zero_grad()
            loss(model, batch_of(k)).backward()
            if k != 1:
                first.step()
            if k != 3:
                last.step()
    moved = (probe.result()["step_length"] > 0).sel(layer=["0.weight", "4.weight"]).values.tolist()
    assert probe.result()["step"].values.tolist() == [0, 1, 2, 4]
    assert moved == [[True, True], [False, True], [True, True], [True, True]]


# -- nothing stops a training ---------------------------------------------------------------------------


def broken_run(batch=FIXED, loss_of=loss, harm=None, see=True, **options):
    model = network(dropout=0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    options = {"norms": "scion", "output": "4", "announce": None, "every": 1, **options}
    probe = SmoothnessProbe(model, optimizer, loss=loss_of, batch=batch, **options)
    taken = 0
    with probe:
        for k in range(4):
            optimizer.zero_grad()
            if see:
                probe.saw(batch_of(k))
            loss(model, batch_of(k)).backward()
            if harm and k == 2:
                harm(model)
            optimizer.step()
            taken += 1
    return probe, taken


def put_nan(model):
    model[4].weight.data[0, 0] = torch.nan


def grad_inf(model):
    model[4].weight.grad[0, 0] = torch.inf


def too_many(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


class Failing:
    calls = 0

    def __call__(self, model, batch):
        self.calls += 1
        if self.calls > 8:
            raise ValueError("a loss of the user")
        return loss(model, batch)


@pytest.mark.parametrize(
    ("arguments", "words", "rows"),
    [
        ({"harm": put_nan}, "step 2: the loss before the step is nan", 2),
        ({"harm": grad_inf}, "step 2: the loss after the step is nan", 2),
        ({"batch": "training", "harm": grad_inf}, "step 2: the loss after the step is nan", 2),
        ({"batch": "training", "see": False}, "step 0: MissingBatchError: the step came without", 0),
        ({"loss_of": too_many}, "one number", 0),
        ({"loss_of": Failing()}, "step 2: ValueError: a loss of the user", 2),
    ],
    ids=["nan loss", "inf gradient", "inf p.grad", "no batch", "several numbers", "error of the loss"],
)
def test_the_probe_stops_and_the_training_does_not(arguments, words, rows):
    with pytest.warns(ProbeStoppedWarning, match="training goes on"):
        probe, taken = broken_run(**arguments)
    assert taken == 4
    assert words in probe.stopped
    result = probe.result()
    assert result.sizes["probe"] == rows
    assert words in result.attrs["stopped"]


def test_a_level_that_fails_leaves_what_came_before_it(monkeypatch):
    def fail(*_):
        raise RuntimeError("no second derivative")

    monkeypatch.setattr("workbench.probes.measure.hvp_along", fail)
    with pytest.warns(ProbeStoppedWarning, match="no second derivative"):
        probe, taken = broken_run(level="radii, hvp")
    result = probe.result().sel(layer="0.weight")
    assert (taken, result.sizes["probe"]) == (4, 1)
    assert bool(result["ratio_scaled"].notnull().all())
    assert bool(result["hvp_curvature"].isnull().all())


def test_ctrl_c_goes_through():
    def interrupted(model, batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_run(loss_of=interrupted)


def test_a_step_that_fails_is_lost_and_the_next_is_measured():
    model = network(dropout=0.0)
    optimizer = scion(model)
    probe = probe_of(model, optimizer)
    with probe:
        for k in range(3):
            optimizer.zero_grad()
            loss(model, batch_of(k)).backward()
            if k == 1:
                model[0].weight.grad[0, 0] = torch.nan
                with pytest.raises(ValueError, match="nan"):
                    optimizer.step()
            else:
                optimizer.step()
    assert not probe.stopped
    assert probe.result()["step"].values.tolist() == [0, 2]
