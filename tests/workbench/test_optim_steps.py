"""Steps are kept together or not at all; batches are bounded; groups and states are one's own."""

import copy
import math
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from assumptions.norms import Lp
from workbench.layer_laws import RPT, AnyLaw
from workbench.optim import DropMuon, Gluon, Muon, Scion, members
from workbench.orthogonal import Exact, NewtonSchulz


def with_law(params, **options):
    return DropMuon(params, RPT((1.0, 0.0)), **options)


every_class = pytest.mark.parametrize("make", [Muon, Scion, Gluon, with_law], ids=lambda make: make.__name__)


def matrices(n, shape=(3, 2), dtype=torch.float32, seed=0):
    """Parameters with gradients."""
    generator = torch.Generator().manual_seed(seed)
    params = [nn.Parameter(torch.randn(shape, dtype=dtype, generator=generator)) for _ in range(n)]
    for p in params:
        p.grad = torch.randn(shape, dtype=dtype, generator=generator)
    return params


# -- steps that are not finite ------------------------------------------------------------------------


@every_class
@pytest.mark.parametrize("warm", [False, True], ids=["first step", "second step"])
def test_a_step_that_is_too_long_changes_nothing(make, warm):
    """The first parameter could move; the second may not, and is named."""
    p, q = matrices(2)
    optimizer = make([{"params": [("fine", p)]}, {"params": [("broken", q)]}], lr=0.1)
    if warm:
        optimizer.step()
    optimizer.param_groups[1]["lr"] = 1e200
    before = copy.deepcopy((p.detach(), q.detach(), optimizer.state_dict()["state"]))
    words = r"step of parameter 'broken', of shape \(3, 2\), would leave it not finite in torch.float32 .*"
    with pytest.raises(ValueError, match=words + "nothing was changed"):
        optimizer.step()
    after = p.detach(), q.detach(), optimizer.state_dict()["state"]
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert str(before[2]) == str(after[2])
    assert bool(after[2]) == warm
    optimizer.param_groups[1]["lr"] = 0.1
    optimizer.step()
    assert p.isfinite().all()
    assert not torch.equal(p.detach(), before[0])


def test_the_error_counts_the_parameters():
    params = matrices(3)
    with pytest.raises(ValueError, match=r"parameter 0 of group 0.*\(0 nan, 6 inf\), and 2 more parameters"):
        Scion(params, lr=1e200, norm="max").step()


def test_a_length_from_constants_that_is_too_large():
    p = nn.Parameter(torch.ones(2, 2))
    optimizer = Gluon([p], lr=1.0, L0=1e-3)
    p.grad = torch.full((2, 2), 3e37)
    with pytest.raises(ValueError, match="step of parameter 0 of group 0"):
        optimizer.step()
    assert torch.equal(p, torch.ones(2, 2))
    assert not optimizer.state
    optimizer = Gluon([p], lr=1.0, L0=1e-3, norm=Lp(1))
    with pytest.raises(ValueError, match="step of parameter 0 of group 0"):
        optimizer.step()
    assert torch.equal(p, torch.ones(2, 2))


def test_a_weight_that_leaves_its_type():
    p = nn.Parameter(torch.full((2, 2), 6e4, dtype=torch.float16))
    p.grad = -torch.ones(2, 2, dtype=torch.float16)
    with pytest.raises(ValueError, match=r"not finite in torch\.float16 \(0 nan, 4 inf\)"):
        Scion([p], lr=1e4, norm="max").step()
    assert torch.equal(p, torch.full((2, 2), 6e4, dtype=torch.float16))


def test_a_draw_is_kept_for_the_step_after_a_refused_one():
    params = matrices(2)
    optimizer = DropMuon(params, AnyLaw(((0,), (1,)), (0.5, 0.5)), lr=0.1)
    for _ in range(8):
        optimizer.param_groups[0]["lr"] = 1e200
        with pytest.raises(ValueError, match="would leave it not finite"):
            optimizer.step()
        (drawn,) = optimizer.next_layers()
        optimizer.param_groups[0]["lr"] = 0.1
        before = [p.detach().clone() for p in params]
        optimizer.step()
        assert [not torch.equal(p, old) for p, old in zip(params, before, strict=True)] == [
            drawn == 0,
            drawn == 1,
        ]


@pytest.mark.parametrize(
    ("L0", "L1", "g", "length"),
    [
        (0.0, 1e-200, 1e-150, 1e200),
        (0.0, 1e-3, 1e-320, 1e3),
        (1.0, 1e10, 1e300, 1e-10),
        (0.0, 1e10, 1e300, 1e-10),
        (1e-3, 0.0, 1e300, 1e303),
        (2.0, 0.5, 4.0, 1.0),
        (2.0, None, 4.0, 2.0),
        (None, 0.5, 4.0, 2.0),
    ],
)
def test_adaptive_lengths_do_not_overflow(L0, L1, g, length):
    """1 x 1: the step is sign times length; L1 g, or 1 / g, would be inf or 0."""
    p = nn.Parameter(torch.zeros(1, 1, dtype=torch.float64))
    p.grad = torch.full((1, 1), g, dtype=torch.float64)
    Gluon([p], lr=1.0, L0=L0, L1=L1, norm="operator", orthogonaliser=Exact()).step()
    assert p.item() == pytest.approx(-length, rel=1e-12)


@every_class
def test_a_number_is_a_parameter_under_bias(make):
    """No axes: it moves by lr against the sign."""
    p, q = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(-3.0))
    optimizer = make([p, q], lr=0.1, norm="bias", beta=0.0)
    p.grad, q.grad = torch.tensor(2.0), torch.tensor(-0.5)
    optimizer.step()
    assert (p.item(), q.item()) == pytest.approx((0.9, -2.9))
    assert p.shape == ()


# -- batches ------------------------------------------------------------------------------------------


@every_class
@pytest.mark.parametrize("most", [1, 13, 24])
def test_batches_are_bounded_and_change_no_step(make, most, monkeypatch):
    def run():
        params = matrices(5, (4, 3), torch.float64)
        groups = [{"params": params[:4]}, {"params": params[4:]}]
        if make is with_law:
            groups = [{**group, "layer": layer} for layer, group in enumerate(groups)]
        optimizer = make(groups, lr=0.1)
        for _ in range(3):
            optimizer.step()
        return torch.stack([p.detach() for p in params])

    whole, sizes, stack = run(), [], NewtonSchulz.__call__
    monkeypatch.setattr(members, "AT_ONCE", most)
    monkeypatch.setattr(NewtonSchulz, "__call__", lambda self, x: sizes.append(x.numel()) or stack(self, x))
    parts = run()
    assert max(sizes) == max(12, most // 12 * 12)
    assert torch.allclose(whole, parts, rtol=1e-12, atol=1e-14)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the memory of this process")
def test_a_step_needs_room_for_some_batches_and_one_copy():
    """32 MB of parameters in 8 batches, here of 4 MB; all at once it would be ten times the parameters."""
    done = threading.Event()

    def rss():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    def watch():
        while not done.wait(0.0005):
            peak[0] = max(peak[0], rss())

    params = matrices(128, (256, 256))
    optimizer = Muon(params, orthogonaliser=NewtonSchulz(1))
    size = sum(p.numel() * 4 for p in params)
    peak = [rss()]
    start, thread = peak[0], threading.Thread(target=watch)
    members_at_once, members.AT_ONCE = members.AT_ONCE, 2**20
    try:
        thread.start()
        for _ in range(2):
            optimizer.step()
    finally:
        members.AT_ONCE = members_at_once
        done.set()
        thread.join()
    assert peak[0] - start < 5 * size


# -- groups -------------------------------------------------------------------------------------------


@every_class
def test_groups_that_were_given_are_left_as_they_are(make):
    params = matrices(3)
    groups = [{"params": params[:1]}, {"params": params[1:2], "lr": 0.3}]
    given = [dict(group) for group in groups]
    first, second = make(groups, lr=0.1, radius=2.0), make(groups, lr=0.5, radius=3.0)
    assert groups == given
    assert [group["lr"] for group in first.param_groups] == [0.1, 0.3]
    assert [group["radius"] for group in second.param_groups] == [3.0, 3.0]
    assert second.param_groups[0]["lr"] == 0.5
    first.param_groups[0]["lr"] = 7.0
    assert second.param_groups[0]["lr"] == 0.5
    if make is not with_law:
        more = {"params": params[2:]}
        first.add_param_group(more)
        assert set(more) == {"params"}


@pytest.mark.parametrize("layer", [[0], "a", True, 1.5], ids=str)
def test_layers_are_numbers(layer):
    params = matrices(3)
    with pytest.raises(TypeError, match="layer must be None or the number of a layer, from 0, got"):
        DropMuon(params, RPT(), layer=layer)
    optimizer = DropMuon(params[:2], RPT())
    with pytest.raises(TypeError, match="layer must be None"):
        optimizer.add_param_group({"params": params[2:], "layer": layer})
    assert len(optimizer.param_groups) == 1
    assert optimizer.next_layers()


@every_class
def test_whatever_is_wrong_with_a_group_it_is_not_added(make):
    params = matrices(2)
    optimizer = make([{"params": params[:1]}, {"params": params[1:]}])
    groups = len(optimizer.param_groups)

    class Odd:
        def __float__(self):
            raise RuntimeError("odd")

    for bad in ({"lr": None}, {"radius": torch.ones(2)}, {"norm": ["max"]}, {"beta": Odd()}):
        with pytest.raises((TypeError, ValueError)):
            optimizer.add_param_group({"params": matrices(1), **bad})
        assert len(optimizer.param_groups) == groups


@pytest.mark.parametrize("value", [0, 1, "no"], ids=str)
def test_transpose_is_none_or_a_bool(value):
    with pytest.raises(TypeError, match=f"transpose must be None, True or False, got {value!r}"):
        Muon(matrices(1), transpose=value)


# -- states -------------------------------------------------------------------------------------------


def grouped(numbers, law):
    """Three matrices in the layers of these numbers."""
    options = [{} if number is None else {"layer": number} for number in numbers]
    params = matrices(3)
    return DropMuon([{"params": [p], **o} for p, o in zip(params, options, strict=True)], law, lr=0.1)


def test_a_state_of_other_layers_is_refused_before_anything_changes():
    saved = grouped((0, 1, 1), RPT((0.5, 0.5))).state_dict()
    optimizer = grouped((None, None, None), RPT((0.2, 0.3, 0.5)))
    optimizer.step()
    before = str(optimizer.state_dict())
    with pytest.raises(ValueError, match="law must have one entry for each of 2 layers"):
        optimizer.load_state_dict(saved)
    saved["param_groups"][0]["layer"] = 5
    with pytest.raises(ValueError, match="layer must number the layers from 0"):
        optimizer.load_state_dict(saved)
    del saved["draws"]["next"]
    with pytest.raises(ValueError, match="not one of DropMuon: it lacks draws"):
        optimizer.load_state_dict(saved)
    assert str(optimizer.state_dict()) == before
    optimizer.step()


def test_a_state_with_more_than_ones_own_options_is_refused():
    params = matrices(2)
    saved = DropMuon(params, RPT()).state_dict()
    optimizer = Gluon(params, lr=0.7)
    with pytest.raises(ValueError, match="not one of Gluon: it has layer"):
        optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.clear(), r"state_dict must hold state and param_groups, .* got \[\]"),
        (lambda s: s.pop("state"), r"state_dict must hold state and param_groups, .* got \['param_groups'\]"),
        (lambda s: s.update(param_groups=3), "param_groups of state_dict must be a list of groups"),
        (lambda s: s.update(param_groups=[{}]), "param_groups of state_dict must be a list of groups"),
        (lambda s: s.update(state=[]), "state of state_dict must be a dict of dicts, got list"),
        (
            lambda s: s["param_groups"][0].update(norm=None),
            "the saved norm must be a name or the call .* None",
        ),
        (lambda s: s["param_groups"][0].update(orthogonaliser=3), "the saved orthogonaliser must be a name"),
        (lambda s: s["state"].update({0: {"momentum_buffer": 2.0}}), "saved momentum of parameter 0 .* 2.0"),
    ],
    ids=range(8),
)
def test_what_is_no_state_is_refused(change, words):
    params = matrices(1)
    optimizer = Muon(params, lr=0.7)
    saved = copy.deepcopy(Muon(params).state_dict())
    change(saved)
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.7
    with pytest.raises(ValueError, match=r"state_dict must hold state and param_groups.* got list"):
        optimizer.load_state_dict([])


SCHEDULERS = {
    "SWALR": lambda o: torch.optim.swa_utils.SWALR(o, swa_lr=0.01),
    "OneCycleLR": lambda o: torch.optim.lr_scheduler.OneCycleLR(
        o, max_lr=0.1, total_steps=10, cycle_momentum=False
    ),
    "CyclicLR": lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.01, 0.1, cycle_momentum=False),
    "CosineAnnealingLR": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8),
}


@pytest.mark.parametrize("schedule", SCHEDULERS.values(), ids=SCHEDULERS)
def test_a_state_from_before_or_after_a_scheduler_is_taken(schedule):
    """The scheduler goes on in the one, and its entries do no harm in the other."""
    old = Muon(matrices(1), lr=0.02).state_dict()
    optimizer = Muon(matrices(1), lr=0.05)
    scheduler = schedule(optimizer)
    optimizer.load_state_dict(old)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    assert math.isfinite(optimizer.param_groups[0]["lr"])
    fresh = Muon(matrices(1))
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_schedulers_that_cycle_a_momentum_are_told_not_to():
    """As the page says."""
    with pytest.raises(ValueError, match="cycle_momentum"):
        torch.optim.lr_scheduler.OneCycleLR(Muon(matrices(1)), max_lr=0.1, total_steps=10)
