"""Saved runs: nothing lost, nothing executed, and clear words for what is not one."""

import io
import json
import pickle
import zipfile
from typing import ClassVar

import numpy as np
import pytest
import torch

from assumptions import Lp
from problems import Quadratic, WeightedL1
from tests.workbench.toys import Overflow, Parabola
from workbench import Trace, run
from workbench.methods import GradientDescent, ProximalPoint

GROUPS = ("quantities", "resolutions", "cancelled", "costs")
QUADRATIC = Quadratic((1.0, 2.0, 5.0), f_star=7.0, seed=1)


class Layered(GradientDescent):
    quantities: ClassVar = {
        "g_i": lambda problem, method, state: problem.grad(state.x),
        "h_j": lambda problem, method, state: state.x[..., :2],
    }


def made(**extra) -> Trace:
    arguments = {
        "steps": 7,
        "replicates": 3,
        "seed": 11,
        "every": 3,
        "record": ("gap", "moved", "g_i", "h_j"),
    }
    return run(Layered(0.1), QUADRATIC, **{**arguments, **extra})


@pytest.mark.parametrize("keep_state", [True, False])
def test_what_is_saved_comes_back(tmp_path, keep_state):
    trace = made(keep_state=keep_state, norm=Lp(2.0))
    found = Trace.load(trace.save(tmp_path / "run"))
    for group in GROUPS:
        mine, theirs = getattr(trace, group), getattr(found, group)
        assert list(mine) == list(theirs)
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
        assert all(mine[name].dtype == theirs[name].dtype for name in mine)
    assert torch.equal(found.k, trace.k)
    assert torch.equal(found.diverged_at, trace.diverged_at)
    assert (found.x is None) == (not keep_state)
    assert not keep_state or torch.equal(found.x, trace.x)
    assert (found.method, found.problem, found.norm) == (repr(trace.method), repr(QUADRATIC), "Lp(p=2.0)")
    assert (found.steps, found.seed) == (7, 11)


def test_what_was_loaded_can_be_saved_again(tmp_path):
    one = Trace.load(made().save(tmp_path / "one"))
    two = Trace.load(one.save(tmp_path / "two"))
    assert (two.method, two.problem, two.norm) == (one.method, one.problem, one.norm)
    assert torch.equal(two["gap"], one["gap"])


def test_nan_of_a_diverged_run_survives(tmp_path):
    trace = run(Overflow(2.0), QUADRATIC, steps=4, keep_state=True)
    found = Trace.load(trace.save(tmp_path / "run.npz"))
    assert found["gap"][0].isnan().tolist() == [False, False, True, True, True]
    assert found.diverged_at.tolist() == [2]


def test_names_with_a_dot_are_kept_apart(tmp_path):
    """A suffix that is not .npz belongs to the name."""
    paths = [made(seed=seed).save(tmp_path / f"stepsize-0.{seed}") for seed in (1, 2)]
    assert [path.name for path in paths] == ["stepsize-0.1.npz", "stepsize-0.2.npz"]
    assert [Trace.load(path).seed for path in paths] == [1, 2]
    assert made().save(tmp_path / "plain.npz") == tmp_path / "plain.npz"
    assert made().save(str(tmp_path / "text")).exists()


def test_a_file_holds_no_pickle(tmp_path):
    path = made(keep_state=True).save(tmp_path / "run")
    with np.load(path, allow_pickle=False) as stored:
        kinds = {stored[name].dtype.kind for name in stored.files}
        header = json.loads(str(stored["header"]))
    assert kinds <= set("biufU")
    assert header["problem"] == repr(QUADRATIC)
    said = {"format", "method", "problem", "norm", "steps", "seed", "scheduled", "torch", "numpy"}
    assert set(header) == said


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was executed",)


def archive(path, **arrays):
    np.savez(path, **arrays)


def rewritten(path, source, drop=(), **change):
    with np.load(source) as stored:
        arrays = {name: stored[name] for name in stored.files if name not in drop}
    archive(path, **{**arrays, **change})


def header(**change):
    known = {"format": "workbench-trace-1", "method": "", "problem": "", "norm": "", "steps": 1, "seed": 0}
    return np.array(json.dumps({**known, **change}))


FOREIGN = {
    "text": lambda p, _: p.write_text("hello"),
    "empty": lambda p, _: p.write_bytes(b""),
    "a pickle": lambda p, _: p.write_bytes(pickle.dumps({"header": 1})),
    "a bomb": lambda p, _: p.write_bytes(pickle.dumps(Bomb())),
    "a bomb in an archive": lambda p, s: rewritten(p, s, header=np.array(Bomb(), dtype=object)),
    "a plain array": lambda p, _: p.write_bytes(npy(np.zeros(3))),
    "cut short": lambda p, s: p.write_bytes(s.read_bytes()[: len(s.read_bytes()) // 2]),
    "another zip": lambda p, _: zipfile.ZipFile(p, "w").writestr("a.txt", "b"),
    "no header": lambda p, s: rewritten(p, s, drop=("header",)),
    "no steps": lambda p, s: rewritten(p, s, drop=("k",)),
    "a header that is no JSON": lambda p, s: rewritten(p, s, header=np.array("{")),
    "a header that is a list": lambda p, s: rewritten(p, s, header=np.array("[1]")),
    "another format": lambda p, s: rewritten(p, s, header=header(format="workbench-trace-2")),
    "a header without a seed": lambda p, s: rewritten(
        p, s, header=np.array('{"format": "workbench-trace-1"}')
    ),
    "an unknown group": lambda p, s: rewritten(p, s, **{"others.gap": np.zeros(3)}),
}


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_not_a_trace_is_named(tmp_path, kind):
    source, path = made().save(tmp_path / "source"), tmp_path / "foreign.npz"
    FOREIGN[kind](path, source)
    with pytest.raises(ValueError, match=r"foreign.npz is not a saved trace: "):
        Trace.load(path)


def test_the_untouched_copy_of_the_same_helper_loads(tmp_path):
    """The control: rewriting alone does not make a file foreign."""
    source, path = made().save(tmp_path / "source"), tmp_path / "copy.npz"
    rewritten(path, source)
    assert torch.equal(Trace.load(path)["gap"], made()["gap"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.npz is not a saved trace: .*No such file"):
        Trace.load(tmp_path / "nowhere.npz")


def test_entries_are_found_by_name_and_unknown_names_list_the_recorded():
    trace = made(record=("gap", "dist"))
    assert torch.equal(trace["gap"], trace.quantities["gap"])
    assert torch.equal(trace["grad_calls"], trace.costs["grad_calls"])
    with pytest.raises(KeyError, match="'gaps' was not recorded; recorded: dist, gap, grad_calls, seconds"):
        trace["gaps"]


def test_blocks_are_joined_in_order():
    x0 = torch.arange(1.0, 131.0, dtype=torch.float64)[:, None]
    trace = run(ProximalPoint(0.5), WeightedL1((1.0,)), x0, steps=2, keep_state=True)
    assert trace["dist"][:, 2].tolist() == [max(n - 1.0, 0.0) for n in range(1, 131)]
    for group in GROUPS:
        assert all(t.shape == (130, 3) for t in getattr(trace, group).values())
    assert trace.x.shape == (130, 3, 1)
    assert trace.diverged_at.shape == (130,)


def test_to_xarray_keeps_numbers_names_and_steps():
    pytest.importorskip("xarray", reason="xarray is not installed")
    trace = made()
    data = trace.to_xarray()
    assert data["k"].values.tolist() == [0, 3, 6, 7]
    assert data["gap"].dims == ("replicate", "k")
    assert set(data.data_vars) == {"gap", "moved", "g_i", "h_j", "grad_calls", "seconds"}
    for name in data.data_vars:
        assert np.array_equal(data[name].values, trace[name].numpy())
    assert data["g_i"].shape == (3, 4, 3)
    assert data["h_j"].shape == (3, 4, 2)  # an axis of its own: 2 clients beside 3 layers
    assert data.attrs["problem"] == repr(QUADRATIC)
    assert data["gap"].sel(k=6).shape == (3,)


def halving(**extra) -> Trace:
    """x_k = x_0 / 2^k from 1, 8 and 1e6; one step is 5 gradients of terms."""
    x0 = torch.tensor([[1.0], [8.0], [1e6]], dtype=torch.float64)
    return run(Costly(0.5), LeastSquares5(), x0, **{"steps": 10, "record": ("dist",), **extra})


class LeastSquares5(Parabola):
    n_terms = 5


class Costly(GradientDescent):
    quantities: ClassVar = {"pair_i": lambda problem, method, state: state.x.expand(*state.x.shape[:-1], 2)}


def test_the_first_step_at_a_goal_and_what_was_spent_before_it():
    trace = halving()
    first = trace.first("dist", 0.5)
    assert first.tolist() == [1, 4, torch.inf]
    assert trace.spent("grad_calls", first).tolist() == [5, 20, torch.inf]
    assert trace.spent("passes", first).tolist() == [1, 4, torch.inf]
    assert trace.spent("seconds", first)[:2].tolist() == [float(trace["seconds"][0, k]) for k in (1, 4)]
    assert trace.first("dist", 1.0)[0] == 0
    assert trace.spent("grad_calls", trace.first("dist", 1.0))[0] == 0
    assert trace.first("dist")[0] == torch.inf  # below 1e-6 where nothing is said
    assert trace.first("grad_calls", 0.0).tolist() == [0, 0, 0]


def test_the_first_step_is_a_recorded_one():
    trace = halving(every=3)
    first = trace.first("dist", 0.5)
    assert first.tolist() == [3, 6, torch.inf]
    assert trace.spent("grad_calls", first).tolist() == [15, 30, torch.inf]


def test_a_goal_that_is_left_again_was_reached_and_nan_never_reaches():
    trace = halving()
    trace.quantities["dist"][0] = torch.tensor([3.0, torch.nan, 0.1, 9, 9, 9, 9, 9, 9, 9, 9])
    trace.quantities["dist"][1] = torch.nan
    assert trace.first("dist", 0.5).tolist() == [2, torch.inf, torch.inf]


def test_goals_and_units_that_are_not_there_are_named(tmp_path):
    trace = halving(record=("dist", "pair_i"))
    with pytest.raises(KeyError, match="'gap' was not recorded"):
        trace.first("gap")
    with pytest.raises(ValueError, match="'pair_i' has 2 numbers at each step, not one"):
        trace.first("pair_i")
    first = trace.first("dist", 0.5)
    with pytest.raises(ValueError, match="unit must be one of grad_calls, passes, seconds, got 'bits'"):
        trace.spent("bits", first)
    with pytest.raises(ValueError, match="first must hold recorded steps or inf"):
        halving(every=3).spent("grad_calls", first)
    loaded = Trace.load(trace.save(tmp_path / "run"))
    assert loaded.spent("grad_calls", first).tolist() == [5, 20, torch.inf]
    with pytest.raises(ValueError, match="passes need the problem"):
        loaded.spent("passes", first)
