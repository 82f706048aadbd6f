"""Several runs on one axis of cost."""

import numpy as np
import pytest
import torch

from figures.compare import compare
from figures.costs import spent
from problems import Quadratic
from tests.figures.look import faults
from workbench import run
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


def test_costs_of_a_run(stochastic):
    assert torch.equal(spent(stochastic, "k")[0], torch.arange(41.0, dtype=torch.float64))
    page = run(PAGE(stepsize=0.1, p=0.5, minibatch=1), stochastic.problem, steps=10, replicates=8)
    whole = spent(page, "grad_calls") / stochastic.problem.n_terms
    assert torch.equal(spent(page, "passes"), whole)
