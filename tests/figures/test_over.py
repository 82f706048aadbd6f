"""Any run against any theorem: the verifier's numbers, what is left out, and what is refused."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from assumptions import Convex, Lp, Smooth
from figures.drawing import BOUND
from figures.evaluate import sides
from figures.over import over
from figures.style import STYLES, styled
from problems import AbsAffine, Huber, MaxAffine, Quadratic, from_function
from tests.figures.look import faults
from workbench import Trace, run
from workbench.match import match
from workbench.methods import BPM, SGD, GradientDescent, Nesterov, Subgradient
from workbench.registry import Registry
from workbench.verify.path import measure_block

ROOM = Registry()
BOWL = Quadratic((1.0, 10.0))
KINK = MaxAffine(d=4, pieces=8, seed=1)


def theorem(name):
    return ROOM.theorem(name)


@pytest.fixture(scope="module")
def descent():
    return run(GradientDescent(stepsize=0.1), BOWL, steps=30)


@pytest.fixture(scope="module")
def broximal():
    return run(BPM(radius=0.3), KINK, steps=12)


def lines(ax):
    """(measured, bound): the curves that were drawn."""
    drawn = [line for line in ax.get_lines() if len(line.get_xdata())]
    dashed = [line for line in drawn if line.get_zorder() == BOUND["zorder"]]
    return [line for line in drawn if line not in dashed], dashed


# -- numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["gd/convex", "gd/strongly-convex", "bpm/distance", "bpm/product", "ppm/convex"]
)
def test_the_numbers_are_those_of_the_verifier(name):
    stated = theorem(name)
    case = next(c for p in ROOM.instances() for c in (match(stated, p) or []) if not isinstance(c, str))
    comparison, _, setting = measure_block(case, 10, 0, 0)
    method, tables = setting.methods()[0]
    assert not tables
    trace = run(method, case.problem, setting.x0, steps=10, norm=case.norm, keep_state=True)
    found = sides(trace, stated, certificate=[c.assumption for c in case.certificates])
    asked = comparison.asked & setting.rows[:, None]
    for mine, theirs in ((found.measured, comparison.measured), (found.bound, comparison.bound)):
        assert torch.allclose(mine[asked], theirs[asked], rtol=1e-12, atol=1e-14)
    assert bool(asked.any())


def test_a_bound_in_closed_form(descent):
    found = sides(descent, theorem("gd/convex"))
    k, dist0 = np.arange(31), float(descent["dist"][0, 0])
    assert np.allclose(found.bound[0], 10 * dist0**2 / (4 * k + 2), rtol=1e-12)
    assert torch.equal(found.measured, descent["gap"])
    assert bool((found.measured <= found.bound).all())


def test_steps_outside_the_domain_are_left_out(broximal):
    found = sides(broximal, theorem("bpm/distance"))
    inside = broximal["dist"][0, :-1] >= 0.3
    assert 0 < int(inside.sum()) < 12
    assert torch.equal(~found.bound[0, :-1].isnan(), inside)
    (measured,), (promised,) = lines(over(broximal, theorem("bpm/distance")))
    assert list(measured.get_xdata()) == list(promised.get_xdata()) == list(range(int(inside.sum())))


def test_a_thinned_run_gives_the_same_numbers_where_it_was_recorded(descent):
    thin = run(GradientDescent(stepsize=0.1), BOWL, steps=30, every=7)
    found, whole = sides(thin, theorem("gd/convex")), sides(descent, theorem("gd/convex"))
    assert found.k.tolist() == [0, 7, 14, 21, 28, 30]
    assert torch.allclose(found.bound, whole.bound[:, thin.k])
    assert torch.allclose(found.measured, whole.measured[:, thin.k])


def test_a_schedule_reaches_the_bound_and_the_rule():
    betas = {"beta": lambda k: k / (k + 3)}
    trace = run(Nesterov(stepsize=0.1, beta=0.0), BOWL, steps=20, schedule=betas)
    found = sides(trace, theorem("nesterov/convex"), schedule=betas)
    assert bool((found.measured <= found.bound).all())
    steps = {"stepsize": lambda k: 0.1 / (k + 1).sqrt()}
    trace = run(Subgradient(stepsize=0.1), AbsAffine(a=(1.0,), start=(5.3,)), steps=9, schedule=steps)
    found = sides(trace, theorem("subgradient/any-stepsizes"), schedule=steps)
    t = 0.1 / np.sqrt(np.arange(1, 10))
    assert np.allclose(found.bound[0, 1:], (t**2).cumsum() / (2 * t.cumsum()) + 5.3**2 / (2 * t.cumsum()))


def test_without_its_schedule_a_saved_run_is_refused_or_takes_it(tmp_path):
    betas = {"beta": lambda k: k / (k + 3)}
    trace = run(Nesterov(stepsize=0.1, beta=0.0), BOWL, steps=20, schedule=betas)
    again = Trace.load(trace.save(tmp_path / "run"))
    with pytest.raises(ValueError, match="schedule must give beta, as run was given it"):
        sides(again, theorem("nesterov/convex"))
    assert bool(sides(again, theorem("nesterov/convex"), schedule=betas).bound.isfinite().any())


def test_a_typed_stepsize_counts_as_rounded():
    problem = Quadratic((1.0, 3.0))
    trace = run(GradientDescent(stepsize=1 / 3 * (1 + 4e-16)), problem, steps=3)
    assert sides(trace, theorem("gd/convex")).bound.isfinite().all()


def test_the_smallest_bound_is_drawn_or_that_of_the_certificate():
    problem = Huber(L=2.0)
    trace = run(GradientDescent(stepsize=0.1), problem, steps=5)
    chosen = sides(trace, theorem("gd/convex"), certificate=Smooth(2.0))
    assert torch.equal(chosen.bound, sides(trace, theorem("gd/convex")).bound)
    assert any(c.assumption == Smooth(2.0) for c in chosen.case.certificates)


def test_a_saved_run_is_drawn_like_the_run(descent, tmp_path):
    again = Trace.load(descent.save(tmp_path / "run"))
    assert torch.equal(sides(again, theorem("gd/convex")).bound, sides(descent, theorem("gd/convex")).bound)


def test_a_saved_run_of_an_unknown_problem_takes_it(tmp_path):
    mine = from_function(lambda x: (x**4).sum(-1), d=2, f_star=0.0, x_star=(0.0, 0.0), x0=(1.0, 1.0),
                         assume=(Convex(), Smooth(12.0)), name="mine",
                         unique_star=True)  # fmt: skip
    trace = run(GradientDescent(stepsize=0.05), mine, steps=4)
    again = Trace.load(trace.save(tmp_path / "run"))
    with pytest.raises(ValueError, match=r"cannot be made again .*; give it as problem="):
        sides(again, theorem("gd/convex"))
    found = sides(again, theorem("gd/convex"), problem=mine)
    assert torch.equal(found.bound, sides(trace, theorem("gd/convex")).bound)


# -- means -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stochastic():
    stated = theorem("sgd/strongly-convex")
    problem = next(p for p in ROOM.instances() if p.n_terms > 3 and not isinstance(match(stated, p), str))
    L_max = match(stated, problem)[0].constants["L_max"]
    return run(SGD(stepsize=0.25 / L_max, minibatch=1), problem, steps=40, replicates=32, seed=1)


def test_a_mean_is_drawn_with_its_band_under_its_bound(stochastic):
    ax = over(stochastic, theorem("sgd/strongly-convex"), cost="passes")
    (measured,), (promised,) = lines(ax)
    assert len(ax.collections) == 1
    assert np.allclose(measured.get_ydata(), (stochastic["dist"][:, 1:] ** 2).mean(0))
    assert (measured.get_ydata() <= promised.get_ydata()).all()
    passes = stochastic["grad_calls"][0, 1:] / stochastic.problem.n_terms
    assert np.allclose(measured.get_xdata(), passes)
    assert ax.get_xlabel() == "passes over the data"


# -- drawing -----------------------------------------------------------------------------------------


def test_the_drawing_is_right_and_its_legend_is_the_theorem(descent):
    ax = over(descent, theorem("gd/convex"))
    assert faults(ax.figure) == []
    entries = [t.get_text() for t in ax.get_legend().get_texts()]
    assert entries[0] == r"$f(x_k) - f^\star$"
    assert r"\mathrm{dist}(x_{0}, X^\star)" in entries[1]
    assert ax.get_yscale() == "log"


def test_an_existing_panel_is_used_and_keeps_its_scales(descent):
    with styled("neurips"):
        ax = Figure().subplots()
        assert over(descent, theorem("gd/convex"), ax=ax, label="mine") is ax
        over(run(GradientDescent(stepsize=0.05), BOWL, steps=30), theorem("gd/convex"), ax=ax)
    measured, promised = lines(ax)
    assert (len(measured), len(promised)) == (2, 2)
    assert measured[0].get_marker() != measured[1].get_marker()
    assert ax.get_yscale() == "linear"
    assert ax.get_legend().get_texts()[0].get_text().startswith("mine: $")


def test_a_claim_about_the_end_is_a_point(broximal):
    trace = run(BPM(radius=0.6), KINK, steps=12)
    measured, promised = lines(over(trace, theorem("bpm/termination-count")))
    assert list(promised[0].get_xdata()) == [12]
    assert measured[0].get_ydata()[0] <= promised[0].get_ydata()[0]


def test_a_style_is_that_of_the_new_figure(descent):
    ax = over(descent, theorem("gd/convex"), style="siam")
    assert ax.figure.get_figwidth() == STYLES["siam"].two
    assert faults(ax.figure) == []
    with pytest.raises(ValueError, match="style 'icml' is for a new figure"):
        over(descent, theorem("gd/convex"), ax=ax, style="icml")
    with pytest.raises(ValueError, match=r"style must be one of neurips, .*, got 'iclr'"):
        over(descent, theorem("gd/convex"), style="iclr")


def test_a_second_bound_has_the_look_of_its_curve(descent):
    ax = over(descent, theorem("gd/convex"))
    over(descent, theorem("gd/nonconvex"), ax=ax)
    measured, (first, second) = lines(ax)
    assert first.get_color() == BOUND["color"]
    assert (second.get_color(), second.get_marker()) == (measured[1].get_color(), measured[1].get_marker())
    assert first.get_linestyle() == second.get_linestyle() == "--"


@pytest.mark.parametrize(("rows", "said"), [(1, "one run"), (3, "3 runs")])
def test_a_mean_says_of_how_many_runs_it_is(stochastic, rows, said):
    few = run(stochastic.method, stochastic.problem, steps=5, replicates=rows, seed=1)
    text = over(few, theorem("sgd/strongly-convex")).get_legend().get_texts()[0].get_text()
    assert text.startswith(r"$\mathbb{E}")
    assert text.endswith(f", {said}")


def test_runs_that_diverge_count_and_are_said(stochastic):
    lost = replace(
        stochastic,
        diverged_at=torch.where(torch.arange(32) < 5, 20, -1),
        quantities={name: lose(table) for name, table in stochastic.quantities.items()},
    )
    found = sides(lost, theorem("sgd/strongly-convex"))
    assert bool(found.measured[:5, 20:].isinf().all())
    assert bool(found.measured[5:, 1:].isfinite().all())
    ax = over(lost, theorem("sgd/strongly-convex"))
    (measured,), (promised,) = lines(ax)
    top = 1e3 * promised.get_ydata().max()
    late = measured.get_xdata() >= 20
    assert ax.get_ylim()[1] == pytest.approx(top)
    assert (measured.get_ydata()[late] > top).all()
    assert (measured.get_ydata()[~late] <= promised.get_ydata()[~late]).all()
    assert ax.get_legend().get_texts()[0].get_text().endswith("32 runs, 5 of 32 diverged")
    assert faults(ax.figure) == []


def lose(table):
    """Of the first five replicates what comes from step 20 on."""
    table = table.clone()
    table[:5, 20:] = torch.nan
    return table


# -- refusals ----------------------------------------------------------------------------------------

FLAT = AbsAffine(a=(1.0,), start=(5.3,))


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("bpm/distance", lambda: run(GradientDescent(0.1), BOWL, steps=3),
         "bpm/distance speaks of BPM, the run is one of GradientDescent"),
        ("gd/convex", lambda: run(GradientDescent(0.1), FLAT, steps=3),
         r"gd/convex does not speak of AbsAffine\(.*Smooth is not certified"),
        ("gd/convex", lambda: run(GradientDescent(0.3), BOWL, steps=3),
         "gd/convex requires stepsize <= 1/L, and here L = 10, stepsize = 0.3"),
        ("gd/convex", lambda: run(GradientDescent(0.1), BOWL, steps=3, record=("gap",)),
         r"speaks of dist, which the run did not record; run\(..., record=\('dist', 'gap'\)\) does"),
        ("gd/strongly-convex", lambda: run(GradientDescent(0.1), BOWL, steps=4, every=2),
         "needs every step of the run, recorded with every=1"),
        ("gd/nonconvex", lambda: run(GradientDescent(0.1), BOWL, steps=4, every=2), "needs every step"),
        ("nesterov/convex", lambda: run(Nesterov(0.1, 0.5), BOWL, steps=4),
         r"takes beta = k/\(k \+ 3\), .* the run had 0.5; give the schedule of the run"),
        ("bpm/distance", lambda: run(BPM(0.1, Lp(inf)), KINK, steps=3, norm=Lp(inf)),
         "bpm/distance is stated in the norm .*, the run was measured in .*inf"),
        ("multi-proximal/strongly-convex-slope", lambda: run(BPM(0.1), BOWL, steps=3),
         "it compares horizons, one run has one"),
        ("bpm/equals-trust-region", lambda: run(BPM(0.1), BOWL, steps=3), "compares two methods"),
        ("bpm/termination", lambda: run(BPM(0.1), BOWL, steps=3), "says nothing at any recorded step"),
    ],
    ids=["method", "constant", "requires", "recorded", "next", "best", "rule", "norm", "slope", "equal",
         "silent"],
)  # fmt: skip
def test_what_a_theorem_does_not_speak_of_is_said(name, made, said):
    with pytest.raises(ValueError, match=said):
        over(made(), theorem(name))


def test_other_arguments_are_checked(descent):
    stated = theorem("gd/convex")
    for more, said in (
        ({"cost": "hours"}, "cost must be one of k, passes, grad_calls, .*got 'hours'"),
        (
            {"certificate": Smooth(99.0)},
            r"Smooth\(L=99.0\) is not certified .*; there are .*Smooth\(L=10.0\)",
        ),
        ({"problem": FLAT}, "problem must be that of the run, Quadratic"),
        ({"schedule": {"beta": lambda k: k}}, "schedule names 'beta', numbers of GradientDescent: stepsize"),
        (
            {"schedule": {"stepsize": torch.ones(3)}},
            r"schedule of stepsize must have shape \(31,\), got \(3,\)",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            over(descent, stated, **more)
    with pytest.raises(TypeError, match=r"theorem must be a Theorem, .*got 'gd/convex'"):
        over(descent, "gd/convex")
    with pytest.raises(TypeError, match="trace must be what run"):
        over("a run", stated)
    with pytest.raises(ValueError, match=r"no method 'Wrong'.*; use the run itself"):
        over(replace(descent, method="Wrong(stepsize=1.0)"), stated)
