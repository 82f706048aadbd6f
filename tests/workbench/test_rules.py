"""The rules without which verdicts were wrong: each test fails when its rule is broken."""

import math
from dataclasses import replace

import pytest
import sympy as sp
import torch

from assumptions import ASSUMPTIONS, PL, Lp
from problems import Quadratic
from tests.workbench.toys import SHORT, Ball, Parabola, gd, verdict
from workbench import Recurrence, after, avg, best, first, product, run, symbols, total
from workbench.expressions import Evaluator
from workbench.methods import BPM, GradientDescent
from workbench.theorems.gradient_descent import NONCONVEX
from workbench.theorems.gruntkowska2025 import DISTANCE
from workbench.verify import Budget, Verdict

gap, gap0, gap_next, dist, dist0, dist_next = symbols("gap gap0 gap_next dist dist0 dist_next")
gradnorm, stepsize, L, mu_pl, k, K = symbols("gradnorm stepsize L mu_pl k K")


def evaluate(expression, **tables):
    """Entries 0..3 of a claim's side on a run of three steps, one replicate."""
    env = {name: torch.tensor([values], dtype=torch.float64) for name, values in tables.items()}
    return Evaluator(env, 3)(expression).expand(1, 4)[0].tolist()


# -- one index ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (total(gap), [math.nan, 8.0, 12.0, 14.0]),
        (avg(gap), [math.nan, 8.0, 6.0, 14 / 3]),
        (best(gap), [math.nan, 8.0, 4.0, 2.0]),
        (product(gap), [math.nan, 8.0, 32.0, 64.0]),
        (total((k + 1) * gap) / total(k + 1), [math.nan, 8.0, 16 / 3, 22 / 6]),
    ],
)
def test_reductions_run_over_j_below_k_and_are_undefined_at_zero(expression, expected):
    found = evaluate(expression, gap=[8.0, 4.0, 2.0, 1.0], k=[0.0, 1.0, 2.0, 3.0])
    assert found == pytest.approx(expected, nan_ok=True)


def test_first_is_the_first_index_or_inf():
    assert evaluate(first(gap <= 2), gap=[8.0, 4.0, 2.0, 1.0])[0] == 2
    assert evaluate(first(gap <= 0), gap=[8.0, 4.0, 2.0, 1.0])[0] == math.inf


def test_an_off_by_one_average_would_change_the_tightness():
    """The bound on the best gradient is attained after one step: 1, not the 1/4 of a shifted index."""
    assert verdict(single(NONCONVEX, stepsize=1 / L), Parabola()).tightness == pytest.approx(1)


def single(theorem, **rules):
    """The theorem with one parameter rule instead of its sweep."""
    return replace(theorem, parameters=rules, mutants=(), tight=())


def test_a_claim_that_mentions_K_is_checked_at_K_alone():
    record = verdict(gd(measured=gap, bound=gap0 + K), Parabola(), Budget("test", steps=20, starts=1))
    horizons = Budget("test", steps=20, starts=1).horizons
    assert record.checked == len(horizons)


def test_next_is_defined_until_the_last_step_and_after_shifts_every_quantity():
    claim = gd(measured=after(gap + dist**2), bound=gap + dist**2)
    assert claim.measured == gap_next + dist_next**2
    assert verdict(claim, Parabola(), Budget("test", steps=20, starts=1)).checked == 20


def test_a_reduction_inside_a_reduction_is_rejected():
    with pytest.raises(ValueError, match="undefined at its first term"):
        gd(measured=total(total(gap)), bound=gap0)


def test_a_recurrence_equals_its_closed_form():
    ratio = sp.Rational(1, 4)
    recursion = Recurrence(start={"B": gap0}, update={"B": ratio * symbols("B")}, value="B")
    claim = gd(measured=gap, bound=recursion)
    record = verdict(claim, Parabola())
    assert record.verdict == Verdict.NOT_REFUTED
    assert record.tightness == pytest.approx(1)
    wrong = Recurrence(start={"B": gap0}, update={"B": 0.99 * ratio * symbols("B")}, value="B")
    assert verdict(gd(measured=gap, bound=wrong), Parabola()).verdict == Verdict.REFUTED


# -- rounding -------------------------------------------------------------------------------------


def linear_rate(factor):
    rate = factor * (1 - mu_pl * stepsize * (2 - L * stepsize)) * gap
    return gd(assumes=(*gd().assumes[1:], PL), measured=gap_next, bound=rate)


@pytest.mark.parametrize("problem", [Quadratic((2.0, 2.0), f_star=7.0), Quadratic((1.0, 3.0), f_star=7.0)])
def test_a_true_linear_rate_survives_rounding_near_convergence(problem):
    record = verdict(linear_rate(1), problem, Budget("test", steps=200, starts=64))
    assert record.verdict == Verdict.NOT_REFUTED, record.reason


def test_the_same_with_a_gap_that_cancels():
    """Parabola computes its gap as f - 7: near convergence only rounding is left."""
    claim = gd(measured=gap_next, bound=(1 - L * stepsize * (2 - L * stepsize)) * gap)
    assert verdict(claim, Parabola(shift=7.0), Budget("test", 200, 64)).verdict == Verdict.NOT_REFUTED


def test_a_bound_too_small_by_one_millionth_is_refuted():
    problem = Quadratic((2.0, 2.0), f_star=7.0)
    assert verdict(linear_rate(1 - 1e-6), problem).verdict == Verdict.REFUTED
    claim = gd(measured=gap_next, bound=(1 - 1e-6) * (1 - L * stepsize * (2 - L * stepsize)) * gap)
    assert verdict(claim, Parabola(shift=7.0)).verdict == Verdict.REFUTED


def test_an_excess_at_rounding_level_is_inconclusive_and_never_expected():
    record = verdict(gd(measured=gap_next, bound=gap_next * (1 - 3e-13)), Parabola())
    assert record.verdict == Verdict.ROUNDING
    assert record.expected is False


# -- nan ------------------------------------------------------------------------------------------


def test_nan_in_measured_is_a_violation():
    far = Parabola(nan_beyond=0.6)
    lost = verdict(gd(measured=gap_next, bound=gap0 + 1), far, Budget("t", 3, 1))
    assert (lost.verdict, lost.expected) == (Verdict.BAD_CERTIFICATE, False), lost.reason
    assert verdict(gd(measured=gap, bound=dist0 + 100), far, Budget("t", 3, 1)).verdict == Verdict.REFUTED


def test_nan_in_the_bound_inside_the_domain_is_undefined():
    record = verdict(gd(measured=gap, bound=gap0 + sp.sqrt(-1 - dist)), Parabola())
    assert record.verdict == Verdict.UNDEFINED
    assert record.expected is False


def test_nan_in_the_domain_does_not_hide_the_claim():
    record = verdict(gd(measured=gap, bound=dist0, when=gap >= 0), Parabola(nan_beyond=0.0))
    assert record.verdict == Verdict.REFUTED


def test_a_run_that_overflows_is_refuted_not_dropped():
    claim = gd(measured=gap_next, bound=gap, parameters={"stepsize": 1e200}, when=dist > 0)
    assert verdict(claim, Parabola()).verdict == Verdict.REFUTED


# -- symbols, names, shapes -----------------------------------------------------------------------


def test_foreign_symbols_are_rejected():
    with pytest.raises(ValueError, match=r"'gap' in bound was not made by workbench.symbols"):
        gd(measured=gap_next, bound=sp.Symbol("gap"))
    with pytest.raises(ValueError, match="rule of stepsize"):
        gd(parameters={"stepsize": 1 / sp.Symbol("L", positive=True)})


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown symbol 'gapp'; known: .*stepsize.*L.*gap") as error:
        gd(measured=symbols("gapp"), bound=gap)
    assert "dist" in str(error.value)


def test_full_names_win_over_suffixes():
    assert NONCONVEX.meaning("gap0").when == "start"
    claim = gd(
        quantities={"L0": lambda problem, method, state: state.x.norm(dim=-1)}, measured=gap, bound=gap0
    )
    assert claim.meaning("L0").when == "now"
    assert claim.meaning("L0").base == "L0"


def test_each_constant_name_has_one_meaning():
    names = [name for a in ASSUMPTIONS for name in a.constants()]
    assert len(names) == len(set(names))


def test_hyperparameters_are_floats_or_columns():
    GradientDescent(torch.tensor([[0.1], [0.2]], dtype=torch.float64))
    with pytest.raises(
        ValueError, match=r"stepsize must be a float or have shape \(\*batch, 1\), got \(2,\)"
    ):
        GradientDescent(torch.tensor([0.1, 0.2], dtype=torch.float64))
    with pytest.raises(ValueError, match=r"radius must be a float or have shape"):
        BPM(torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64))


def test_columns_act_row_by_row_even_when_batch_equals_dimension():
    steps = torch.tensor([[0.1], [0.5]], dtype=torch.float64)
    problem = Parabola(d=2)
    both = run(GradientDescent(steps), problem, steps=3, replicates=2, keep_state=True)
    for row in range(2):
        alone = run(GradientDescent(float(steps[row])), problem, steps=3, keep_state=True)
        assert torch.equal(both.x[row], alone.x[0])


def test_the_variable_is_flat():
    with pytest.raises(ValueError, match=r"x0 must have shape \(\*batch, 2\), got \(3,\)"):
        run(GradientDescent(0.1), Parabola(d=2), torch.zeros(3, dtype=torch.float64), steps=1)


# -- distance to the set, blocks, certificates ----------------------------------------------------


def test_dist_is_the_distance_to_the_solution_set():
    """f = x1^2 / 2 from (0.5, 10): the set is {x1 = 0}, at distance 0.5, not 10.01."""
    singular = Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0))
    trace = run(BPM(0.2), singular, steps=3)
    assert trace["dist"][0].tolist() == pytest.approx([0.5, 0.3, 0.1, 0.0], abs=1e-12)
    record = verdict(single(DISTANCE, radius=dist0 / 7), singular)
    assert record.verdict == Verdict.NOT_REFUTED
    assert record.checked > 0


def test_dist_in_another_norm_needs_a_unique_minimiser():
    singular = Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0))
    claim = gd(
        assumes=gd().assumes[:1], parameters={"stepsize": 0.1}, norm=Lp(1.0), measured=dist, bound=dist0
    )
    assert "solution set in the norm" in verdict(claim, singular).reason


def test_replicates_run_in_fixed_blocks():
    """100 replicates and 64: the first 64 are the same bits, in a dimension where products differ."""
    problem = Quadratic(tuple(float(i + 1) for i in range(40)), seed=3)
    x0 = torch.randn(100, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wide = run(GradientDescent(0.02), problem, x0, steps=30, keep_state=True)
    block = run(GradientDescent(0.02), problem, x0[:64], steps=30, keep_state=True)
    rest = run(GradientDescent(0.02), problem, x0[64:], steps=30, keep_state=True)
    assert torch.equal(wide.x, torch.cat([block.x, rest.x]))


def test_a_wrong_certified_constant_does_not_look_like_a_wrong_theorem():
    honest, wrong = Parabola(L_true=3.0, L=3.0), Parabola(L_true=3.0, L=1.0)
    claim = gd(parameters={"stepsize": 1 / L}, measured=gap_next, bound=gap)
    assert verdict(claim, honest).verdict == Verdict.NOT_REFUTED
    record = verdict(claim, wrong)
    assert record.verdict == Verdict.BAD_CERTIFICATE
    assert record.expected is False
    assert "Smooth(L=1.0) is certified but refuted" in record.reason


def test_a_certificate_on_a_ball_ends_where_the_run_leaves_it():
    inside = Parabola(region=Ball((0.0,), 2.0))
    grows = gd(parameters={"stepsize": 4 / L}, measured=gap_next, bound=9 * gap)
    everywhere = verdict(grows, Parabola(), SHORT)
    confined = verdict(grows, inside, SHORT)
    assert confined.checked < everywhere.checked
    assert verdict(gd(measured=gap_next, bound=gap), Parabola(region=Ball((50.0,), 1.0))).verdict in (
        Verdict.OUT_OF_DOMAIN,
    )
