"""Figures of stochastic methods: slopes, orders and bounds that theory predicts, and that they draw."""

import numpy as np
import pytest

from figures.recipes._stochastic import against, first_below, over_cost, slope, until
from figures.recipes.calibration import Calibration
from figures.recipes.page_gradients import PAGEGradients
from figures.recipes.page_weak_convexity import PAGEWeakConvexity
from figures.recipes.proxskip_communications import ProxSkipCommunications, consensus
from figures.recipes.smpm_prox_calls import SMPMProxCalls, split, splits
from figures.recipes.smpm_slope import SMPMSlope
from figures.recipes.sppm_similarity import SPPMSimilarity, similar
from figures.recipes.sppm_stepsizes import SPPMStepsizes
from figures.recipes.stochastic_costs import StochasticCosts
from problems import LinkSum
from tests.figures.computed import computed
from workbench.theorems.page_convex import CONVEX_PL
from workbench.theorems.proxskip import MEAN
from workbench.verify.setting import NotApplicableError


def within(measured: np.ndarray, bound: np.ndarray) -> bool:
    """Whether means of (replicates, n) lie below the bound but for four standard errors."""
    error = measured.std(0, ddof=1) / len(measured) ** 0.5
    return bool((measured.mean(0) <= bound * (1 + 1e-9) + 4 * error).all())


@pytest.mark.parametrize("link", ["quartic", "cosh"])
def test_sgd_diverges_and_sppm_gains_from_every_longer_step(link: str):
    numbers = computed(SPPMStepsizes)
    sppm, sgd = numbers[f"{link} sppm"], numbers[f"{link} sgd"]
    assert np.median(sgd[0]) < 1
    assert np.isinf(sgd[-1]).all()
    assert (sppm <= 1).all()
    average = numbers[f"{link} average"]
    assert (np.diff(average) < 0).all()
    assert (average <= numbers[f"{link} bound"]).all()
    assert (np.diff(numbers[f"{link} bound"]) < 0).all()


def test_sppm_ends_at_a_distance_like_its_stepsize():
    numbers = computed(SPPMSimilarity)
    for i in range(3):
        assert within(numbers[f"sppm{i}"], numbers[f"sppm{i} bound"])
        assert 0.85 < slope(numbers[f"gamma{i}"], numbers[f"near_seen{i}"]) < 1.1
        assert (numbers[f"near_seen{i}"] <= numbers[f"near_bound{i}"]).all()
    late = [numbers[f"sppm{i}"][:, -50:].mean() for i in range(3)]
    assert late[0] < late[1] < late[2]
    assert numbers["svrp"][:, -1].max() < 1e-6 * late[0]


def test_bounds_of_less_similar_terms_end_sooner_and_higher():
    numbers = computed(SPPMSimilarity)
    ends = [numbers[f"gamma{i}"][-1] for i in range(3)]
    assert ends[2] == pytest.approx(0.3)
    assert ends[2] < ends[1]
    per_step = [numbers[f"near_bound{i}"][-1] / ends[i] for i in range(3)]
    assert per_step[0] < per_step[1] < per_step[2]


def test_terms_are_as_similar_as_they_say():
    problem = similar(0.5)
    difference = np.asarray(problem.hessians) - np.asarray(problem.hessians).mean(0)
    assert np.linalg.norm(difference, 2, axis=(1, 2)).max() == pytest.approx(0.5)


def test_special_cases_are_the_multi_proximal_method():
    numbers = computed(SMPMProxCalls)
    assert list(numbers.facts["apart"]) == list(splits())
    for name, apart in numbers.facts["apart"].items():
        assert apart < 1e-13, name
        assert np.array_equal(numbers[f"{name} calls"], numbers[f"{name} family calls"]), name
        assert np.median(numbers[name][:, -1]) < 1e-3


def test_the_splits_have_one_minimiser():
    gradients = [problem.grad(problem.x0 * 0 + 1).norm() for problem, *_ in splits().values()]
    assert max(map(float, gradients)) < 1e-14


def test_single_terms_take_the_fewest_proximal_calls():
    numbers = computed(SMPMProxCalls)
    ends = []
    for s in (1, 4, 16):
        assert within(numbers[f"s{s}"], numbers[f"s{s} bound"])
        ends.append(np.median(numbers[f"s{s}"][:, -1]))
        assert numbers[f"s{s} calls"][-1] == 320
    assert ends[0] < ends[1] < ends[2]


def test_rounds_grow_like_the_root_of_kappa_or_like_kappa():
    numbers = computed(ProxSkipCommunications)
    large = numbers["kappa"] > 10
    kappa = numbers["kappa"][large]
    exponents = {name: slope(kappa, numbers[f"{name} seen"].mean(1)[large]) for name in ("seldom", "always")}
    assert exponents["always"] == pytest.approx(1, abs=0.1)
    assert exponents["seldom"] == pytest.approx(0.5, abs=0.1)
    assert slope(kappa, numbers["always bound"][large]) == pytest.approx(1, abs=0.05)
    assert slope(kappa, numbers["seldom bound"][large]) == pytest.approx(0.5, abs=0.05)
    assert (numbers["seldom seen"].mean(1) < numbers["seldom bound"]).all()
    assert (numbers["always seen"].mean(1) < numbers["always bound"]).all()


def test_the_best_probability_of_a_round_is_near_the_root():
    numbers = computed(ProxSkipCommunications)
    best = numbers["p"][numbers["p seen"].mean(1).argmin()]
    root = numbers.facts["kappa"] ** -0.5
    assert root / 2 < best < 3 * root
    assert numbers["p seen"].mean(1)[[0, -1]].min() > 2 * numbers["p seen"].mean(1).min()


@pytest.mark.parametrize("name", ["smpm", "saga"])
def test_strong_convexity_alone_gives_slope_minus_two(name: str):
    numbers = computed(SMPMSlope)
    late = numbers["k"] >= 30
    k = numbers["k"][late]
    assert slope(k, numbers[f"{name} bound"][late]) == pytest.approx(-2, abs=0.08)
    assert slope(k, numbers[name].mean(0)[late]) < -1.8
    assert within(numbers[name], numbers[f"{name} bound"])


def test_gradients_of_page_over_n():
    numbers = computed(PAGEGradients)
    n, kappa = numbers["n"], numbers.facts["kappa"]
    seen = {name: numbers[f"{name} seen"].mean(1) for name in ("gd", "pl", "convex-pl")}
    assert slope(n, seen["gd"]) == pytest.approx(1)
    few = n <= 2 * kappa
    assert slope(n[few], seen["convex-pl"][few]) < 0.25
    assert 0.35 < slope(n, seen["pl"]) < 0.65
    assert seen["convex-pl"][-1] < seen["pl"][-1] < seen["gd"][-1]
    assert all((seen[name] < numbers[f"{name} bound"]).all() for name in ("pl", "convex-pl"))


def test_squared_gradients_stay_below_the_bounds():
    numbers = computed(PAGEGradients)
    assert numbers["any share"].max() < 1
    assert numbers["convex share"].max() < 1
    order = [np.median(numbers[name][:, -1]) for name in ("convex", "any", "gd")]
    assert order == sorted(order)


def test_the_step_for_weakly_convex_terms_pays_while_it_is_longer():
    numbers = computed(PAGEWeakConvexity)
    weak, other = numbers["weak stepsize"], numbers["any stepsize"]
    assert np.ptp(other) < 1e-9
    assert weak[0] == pytest.approx(2 / 9, rel=0.01)
    assert weak[0] > 3 * other[0]
    assert weak[-1] < other[-1] / 2
    longer = np.interp(numbers["tau"], numbers["fine"], weak) > 1.2 * other[0]
    shorter = np.interp(numbers["tau"], numbers["fine"], weak) < other[0] / 1.2
    passes = {name: numbers[name].mean(1) for name in ("weak", "any")}
    assert (passes["weak"] < passes["any"])[longer].all()
    assert (passes["weak"] > passes["any"])[shorter].all()
    assert longer.any()
    assert shorter.any()
    assert all((passes[name] < numbers[f"{name} bound"]).all() for name in passes)


def test_no_true_claim_is_refuted_and_false_ones_are():
    numbers = computed(Calibration)
    for i in range(3):
        assert numbers.facts[f"false{i}"] == 0
        assert numbers[f"largest{i}"][0] < 6
        assert (np.diff(numbers[f"detected{i}"]) >= 0).all()
        assert numbers[f"detected{i}"][2, -1] == 1
        assert (np.diff(numbers[f"soon{i}"][np.isfinite(numbers[f"soon{i}"])]) < 0).all()
    ratio = numbers["soon0"] / numbers["formula0"]
    assert (ratio < 1.3).all()
    assert ratio[0] > 0.5
    assert "formula2" not in numbers.tables


def test_variance_reduction_goes_on_where_sgd_and_sppm_stop():
    numbers = computed(StochasticCosts)
    ends = {name: np.median(numbers[name][:, -1]) for name in numbers.tables if name != "passes"}
    early = {name: np.median(numbers[name][:, 6]) for name in ends}
    for name in ("SVRG", "L-SVRG", "SAGA", "PAGE"):
        assert ends[name] < 1e-6
        assert early[name] > max(early["SGD"], early["SPPM"])
    assert min(ends["SGD"], ends["SPPM"]) > 1e-4


def test_a_theorem_that_does_not_apply_says_so():
    with pytest.raises(
        ValueError, match=r"page/convex-pl does not apply .* ComponentSmooth is not certified"
    ):
        against(CONVEX_PL, LinkSum("cosh", ((1.0,),)), 3, 2, 0)
    with pytest.raises(NotApplicableError, match="requires"):
        against(MEAN, consensus(4.0), 3, 2, 0, stepsize=3.0, p=1.0)


def test_runs_that_do_not_arrive_are_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figures.recipes._stochastic.first_below", lambda *_: np.array([np.inf]))
    rules = {"p": 0.5, "minibatch": 1, "replacement": False}
    with pytest.raises(RuntimeError, match="steps were too few for page/convex-pl"):
        until(CONVEX_PL, split(mean=False, ridge=True), 0.5, 1, 0, **rules)


def test_first_below_and_over_cost():
    assert first_below([[3.0, 1.0, 2.0], [3.0, 3.0, 3.0]], 2.0).tolist() == [1, np.inf]
    cost, values = np.array([[0.0, 2.0, 5.0]]), np.array([[10.0, 20.0, 30.0]])
    assert over_cost(cost, values, [0, 1.9, 2, 4, 5, 9]).tolist() == [[10, 10, 20, 20, 30, 30]]
