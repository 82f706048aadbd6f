"""Training loops as people write them, and what a probe says where they change on the way."""

import contextlib
import copy
import functools
import random

import numpy as np
import pytest
import torch
from torch import nn

from workbench.probes import ProbeStoppedWarning, SmoothnessProbe, fit_smoothness
from workbench.probes.batches import take

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
Y = torch.randint(3, (40,), generator=torch.Generator().manual_seed(2))


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0].to(model[0].weight)), batch[1])


def rows(first, last):
    return take((X, Y), first, last)


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)


def probe_of(model, optimizer, batch=(X, Y), loss=loss, **options):
    options = {"norms": "euclidean", "every": 1, "announce": None, **options}
    return SmoothnessProbe(model, optimizer, loss=loss, batch=batch, **options)


def gradients(model, *batches):
    """Of the mean over the rows of all batches, by layers, on a copy."""
    model = copy.deepcopy(model).requires_grad_(True)
    total = sum(len(batch[1]) for batch in batches)
    mean = torch.stack([loss(model, batch) * (len(batch[1]) / total) for batch in batches]).sum()
    return torch.stack([g.norm() for g in torch.autograd.grad(mean, list(model.parameters()))])


class Sum(nn.Module):
    """Both parameters have the same gradient, in torch even the same tensor; the third one's is expanded."""

    def __init__(self):
        super().__init__()
        values = torch.linspace(-1, 1, 6, dtype=torch.float64)
        self.a, self.b, self.c = (nn.Parameter(values * k) for k in (1, 2, 3))

    def forward(self, x):
        return ((self.a + self.b) * x).square().sum(-1).mean() + self.c.sum()


def test_parameters_may_share_one_gradient_tensor():
    """The halves of the set are put together without writing into either."""
    model = Sum()
    probe = probe_of(model, torch.optim.SGD(model.parameters(), 1e-3), X[:7], loss=lambda model, x: model(x))
    with probe:
        model(X[:7]).backward()
        expected = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None])
        probe._hooks.optimizers[0].step()
    assert not probe.stopped
    found = torch.from_numpy(probe.result()["gradnorm"].values[0])
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


def train_on(sizes, probe, model, optimizer, at=lambda k: None):
    """A step for each list of sizes: micro-batches that weigh alike, whatever their rows. Gradients at X."""
    expected = []
    for k, step in enumerate(sizes):
        at(k)
        optimizer.zero_grad()
        ends = np.cumsum(step).tolist()
        micro = [rows(last - size, last) for last, size in zip(ends, step, strict=True)]
        for batch in micro:
            probe.saw(batch)
            (loss(model, batch) / len(micro)).backward()
        expected.append(gradients(model, *micro))
        optimizer.step()
    return torch.stack(expected)


@pytest.mark.parametrize(("last", "read"), [([8, 8], True), ([8, 3], False)])
def test_p_grad_of_micro_batches_of_other_rows_is_not_read(last, read):
    """The last micro-batch of an epoch is short, and the sum of micro-batches weighs it as a whole one."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with probe_of(model, optimizer, "training") as probe:
        expected = train_on([[8, 8], [8, 8], last], probe, model, optimizer)
    result = probe.result()
    assert bool(result["loss"].isnull()[2]) == read
    torch.testing.assert_close(torch.from_numpy(result["gradnorm"].values), expected, rtol=1e-12, atol=0)
    assert probe._source.gradients == 1  # even ones are read again


@pytest.mark.parametrize("batch", ["training", "different"])
def test_p_grad_is_not_read_where_a_layer_is_frozen_since(batch):
    """Its p.grad is None, and its gradient is not 0."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def freeze(k):
        model[2].requires_grad_(k < 4)

    with probe_of(model, optimizer, batch) as probe:
        expected = train_on([[16]] * 7, probe, model, optimizer, freeze)
    result = probe.result()
    expected = expected[: result.sizes["probe"]]
    assert bool(result["loss"].isnull()[2])
    torch.testing.assert_close(torch.from_numpy(result["gradnorm"].values), expected, rtol=1e-12, atol=0)
    assert bool(result["ratio"].isel(layer=2)[4:].isnull().all())
    assert "p.grad" in result.attrs["gradient_before"]


def test_a_parameter_that_is_unfrozen_stops_the_probe():
    """It would move unseen, and the ratios of the layers would hold what it does to them."""
    model = network()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def unfreeze(k):
        model[0].requires_grad_(k >= 2)

    with (
        pytest.warns(
            ProbeStoppedWarning, match=r"step 2: ValueError: parameter '0.weight' needs a gradient now"
        ),
        probe_of(model, optimizer) as probe,
    ):
        train_on([[16]] * 4, probe, model, optimizer, unfreeze)
    assert probe.result()["step"].values.tolist() == [0, 1]
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_in_a_shorter_type_the_step_is_between_the_points_that_are_evaluated():
    """Parameters in float64 that move by less than float32 tells do not move for a probe in float32."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-12)
    with probe_of(model, optimizer, dtype=torch.float32) as probe:
        train_on([[16]], probe, model, optimizer)
    assert probe.result()["step_length"].values.tolist() == [[0.0] * 4]
    state = {name: value.float() for name, value in model.state_dict().items()}
    between = probe.pair(
        model.state_dict(), {name: value + 1e-12 for name, value in model.state_dict().items()}
    )
    assert not between["step_length"].values.any()
    assert probe.pair(state, {name: 2 * value for name, value in state.items()})["ratio"].notnull().all()


class Point(nn.Module):
    def __init__(self, start):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([start], dtype=torch.float64))


def judged(function, start, radius, steps=30, scales=(0.125, 0.25, 0.5, 1.0)):
    """The fit of normalised descent on a function of one number."""
    model = Point(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    value = lambda model, batch: function(model.w).sum() + 0 * batch.sum()  # noqa: E731
    probe = probe_of(model, optimizer, torch.zeros(2, 1), loss=value, level="radii", scales=scales)
    with probe:
        for _ in range(steps):
            (g,) = torch.autograd.grad(value(model, torch.zeros(2, 1)), [model.w])
            model.w.grad = radius * g.sign()
            optimizer.step()
    (fit,) = fit_smoothness(probe.result())
    return fit


def test_an_exponential_is_identified_along_short_steps():
    """|f''| = |f'|: the ratio is (e^t - 1) / t of the later gradient."""
    fit = judged(torch.exp, 3.0, 0.02, steps=60)
    assert fit.verdict == "identified"
    assert (fit.L0_seen, fit.L1_seen) == pytest.approx((0.0, np.expm1(0.02) / 0.02), abs=1e-9)


def test_steps_beyond_1_over_L1_do_not_identify_it():
    """Steps of 3 where l1 = 1: the ratio is (e^3 - 1) / 3 = 6.4 times the gradient at any of them."""
    fit = judged(torch.cosh, 100.0, 3.0)
    assert fit.L1_seen == pytest.approx(np.expm1(3) / 3, rel=1e-6)
    assert fit.verdict == "poorly identified"
    assert "2.39 times 1/L1" in fit.reason
    assert judged(torch.cosh, 100.0, 3.0, scales=(0.01, 0.02, 1.0)).verdict == "identified"


def test_a_ratio_that_grows_with_the_step_is_not_identified():
    """Uphill by 2 where l1 = 1: the ratio is (1 - e^-2) / 2 = 0.43 of the later gradient, less than l1."""
    fit = judged(lambda w: -w.exp(), 0.0, 2.0)
    assert fit.L1_seen == pytest.approx(-np.expm1(-2) / 2, rel=1e-6)
    assert fit.verdict == "poorly identified"
    assert "so that it is no constant at these lengths" in fit.reason


def test_a_linear_loss_shows_no_smoothness():
    fit = judged(lambda w: 3 * w, 0.0, 0.1)
    assert fit.verdict == "noise"
    assert fit.reason.startswith("most ratios are 0")


class Noisy:
    """A loss as an object, that adds noise to its inputs by a generator of its own."""

    def __init__(self, draw, generator):
        self.draw, self.generator = draw, generator

    def __call__(self, model, batch):
        return noisy(model, batch, self.draw, self.generator)

    def of(self, model, batch):
        return self(model, batch)


def noisy(model, batch, draw, generator):
    noise = torch.as_tensor(draw(generator), dtype=torch.float64)
    return loss(model, (batch[0] + noise, batch[1]))


DRAWN = {
    "torch": (lambda: torch.Generator().manual_seed(3), lambda g: torch.randn(1, generator=g)),
    "numpy": (lambda: np.random.default_rng(3), lambda g: g.normal()),
    "python": (lambda: random.Random(3), lambda g: g.random()),
}
WAYS = {
    "closure": lambda draw, g: lambda model, batch: noisy(model, batch, draw, g),
    "partial": lambda draw, g: functools.partial(noisy, draw=draw, generator=g),
    "object": Noisy,
    "method": lambda draw, g: Noisy(draw, g).of,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", DRAWN)
def test_generators_that_the_loss_draws_from_are_put_back(kind, way):
    make, draw = DRAWN[kind]

    def trained(probed):
        model, generator = network(), make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        value = WAYS[way](draw, generator)
        probe = probe_of(model, optimizer, loss=value, level="radii")
        with probe if probed else contextlib.nullcontext():
            for _ in range(3):
                optimizer.zero_grad()
                value(model, rows(0, 8)).backward()
                optimizer.step()
        assert not probe.stopped
        return [*(p.detach() for p in model.parameters()), torch.as_tensor(draw(generator))]

    assert all(torch.equal(a, b) for a, b in zip(trained(True), trained(False), strict=True))


def test_many_kinks_met_at_random_are_not_identified():
    """sum |w_j| under noise: crossed entries add in squares, so that the ratio goes like 1 / sqrt(s)."""
    generator = torch.Generator().manual_seed(1)
    model = Point(0.0)
    model.w = nn.Parameter(0.3 * torch.randn(400, dtype=torch.float64, generator=generator))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    value = lambda model, batch: model.w.abs().sum() + 0 * batch.sum()  # noqa: E731
    with probe_of(model, optimizer, torch.zeros(2, 1), loss=value, level="radii", every=3) as probe:
        for _ in range(120):
            model.w.grad = model.w.detach().sign() + torch.randn(
                400, dtype=torch.float64, generator=generator
            )
            optimizer.step()
    (fit,) = fit_smoothness(probe.result())
    assert fit.verdict in ("c over t", "poorly identified")
    assert "over multiples s of a step the ratio goes like s^-0." in fit.reason
