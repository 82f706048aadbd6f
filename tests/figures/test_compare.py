"""Several runs on one axis of cost."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from assumptions import Convex, Lp, Smooth
from figures.compare import compare
from figures.costs import spent
from figures.style import STYLES
from problems import Quadratic, from_function
from tests.figures.look import faults
from workbench import Trace, run
from workbench.match import match
from workbench.methods import PAGE, SGD, GradientDescent
from workbench.registry import Registry

ROOM = Registry()
BOWL = Quadratic((1.0, 10.0))


@pytest.fixture(scope="module")
def descent():
    return run(GradientDescent(stepsize=0.1), BOWL, steps=30)


@pytest.fixture(scope="module")
def stochastic():
    stated = ROOM.theorem("sgd/strongly-convex")
    problem = next(p for p in ROOM.instances() if p.n_terms > 3 and not isinstance(match(stated, p), str))
    L_max = match(stated, problem)[0].constants["L_max"]
    return run(SGD(stepsize=0.25 / L_max, minibatch=1), problem, steps=40, replicates=32, seed=1)


def test_runs_are_compared_on_one_axis(descent, stochastic):
    slow = run(GradientDescent(stepsize=0.02), BOWL, steps=30)
    ax = compare([descent, slow], cost="grad_calls", first=1e-2)
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) == 31]
    assert np.allclose(curves[0].get_ydata(), descent["gap"][0])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [str(descent.method), str(slow.method)]
    stars = [line for line in ax.get_lines() if line.get_marker() == "*"]
    assert [line.get_xdata()[0] for line in stars] == [float(descent.first("gap", 1e-2)[0])]
    assert float(slow.first("gap", 1e-2)[0]) == float("inf")
    assert ax.get_ylabel() == r"$f(x_k) - f^\star$"
    assert faults(ax.figure) == []


def test_replicates_are_compared_by_median_and_band(stochastic):
    ax = compare({"sgd": stochastic}, quantity="dist", cost="passes", log=False)
    assert np.allclose(ax.get_lines()[0].get_ydata(), np.median(stochastic["dist"], axis=0))
    assert len(ax.collections) == 1
    assert ax.get_yscale() == "linear"


def test_what_cannot_be_compared_is_said(descent):
    for arguments, said in (
        (([],), "at least one run"),
        (([descent, descent],), r"two runs have the same method: give traces as \{label: trace\}"),
        (
            ([descent], "moved"),
            r"'moved' was not recorded .*recorded: dist, gap, gradnorm.*record=\('moved',\)",
        ),
        (([descent], "gap", "prox_calls"), "cost must be one of k, passes, grad_calls"),
    ):
        with pytest.raises(ValueError, match=said):
            compare(*arguments)
    with pytest.raises(ValueError, match="first must be"):
        compare([descent], first=0.0)


def test_runs_that_diverge_leave_the_panel_and_are_said(descent):
    wild = run(GradientDescent(stepsize=3.0), BOWL, steps=400)
    assert int(wild.diverged_at[0]) > 0
    for log in (True, False):
        ax = compare({"wild": wild, "calm": descent}, log=log)
        first, second = ax.get_lines()
        top = (1e3 if log else 2.0) * float(descent["gap"][0, 0])
        assert ax.get_ylim()[1] == pytest.approx(top)
        assert (first.get_ydata()[200:] > top).all()
        assert np.allclose(second.get_ydata(), descent["gap"][0])
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["wild, diverged", "calm"]
        assert faults(ax.figure) == []


def test_replicates_that_diverge_are_the_largest(stochastic):
    values = stochastic["gap"].clone()
    values[:20, 10:] = torch.nan
    lost = replace(
        stochastic, quantities={"gap": values}, diverged_at=torch.where(torch.arange(32) < 20, 10, -1)
    )
    ax = compare({"sgd": lost}, first=1e-12)
    assert (ax.get_lines()[0].get_ydata()[10:] > ax.get_ylim()[1]).all()
    assert ax.get_legend().get_texts()[0].get_text() == "sgd, 20 of 32 diverged"


def test_a_new_figure_has_the_style_that_is_asked_for(descent):
    ax = compare({"slow": descent}, style="slides")
    assert ax.figure.get_figwidth() == STYLES["slides"].two
    with pytest.raises(ValueError, match="style 'icml' is for a new figure"):
        compare([descent], ax=ax, style="icml")


def test_several_norms_are_not_compared(descent):
    other = run(GradientDescent(stepsize=0.05), BOWL, steps=30, norm=Lp(1))
    with pytest.raises(ValueError, match=r"'gradnorm' was measured in several norms, .*a: .*, b: "):
        compare({"a": descent, "b": other}, "gradnorm")
    assert len(compare({"a": descent, "b": other}, "gap").get_lines()) == 2


def test_passes_of_a_saved_run_take_its_problem(tmp_path):
    mine = from_function(lambda x: (x**4).sum(-1), d=2, f_star=0.0, x_star=(0.0, 0.0), x0=(1.0, 1.0),
                         assume=(Convex(), Smooth(12.0)), name="mine", unique_star=True)  # fmt: skip
    again = Trace.load(run(GradientDescent(stepsize=0.05), mine, steps=4).save(tmp_path / "run"))
    with pytest.raises(ValueError, match=r"cannot be made again .*; give it as problem="):
        compare([again], cost="passes")
    ax = compare([again], cost="passes", problem=mine)
    assert ax.get_lines()[0].get_xdata().tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="problem must be that of the run, from_function"):
        compare([again], cost="passes", problem=BOWL)


def test_what_are_no_runs_is_said(descent):
    for wrong in (descent, ["a run"], {"a": 1}, 3):
        with pytest.raises(TypeError, match="traces must be"):
            compare(wrong)


def test_costs_of_a_run(stochastic):
    assert torch.equal(spent(stochastic, "k")[0], torch.arange(41.0, dtype=torch.float64))
    page = run(PAGE(stepsize=0.1, p=0.5, minibatch=1), stochastic.problem, steps=10, replicates=8)
    whole = spent(page, "grad_calls") / stochastic.problem.n_terms
    assert torch.equal(spent(page, "passes"), whole)
