"""Figures of the ball-proximal point method: what theory predicts, in the numbers that are drawn."""

import numpy as np
import pytest
import torch

from assumptions import EUCLIDEAN
from figures import Numbers
from figures.recipes._ends import ended, falling
from figures.recipes._plane import outline
from figures.recipes.bpm_balls import KINKED, BPMBalls
from figures.recipes.bpm_envelopes import KINKED as KINKED_LINE
from figures.recipes.bpm_envelopes import RADII, BPMEnvelopes
from figures.recipes.bpm_methods import BPMMethods
from figures.recipes.bpm_norms import BOX, ELLIPSE, RADIUS, SLOPE_NORMS, BPMNorms
from figures.recipes.bpm_steps import BPMSteps
from tests.figures.computed import computed

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def methods() -> Numbers:
    return computed(BPMMethods)


@pytest.fixture(scope="module")
def steps() -> Numbers:
    return computed(BPMSteps)


@pytest.fixture(scope="module")
def balls() -> Numbers:
    return computed(BPMBalls)


@pytest.fixture(scope="module")
def envelopes() -> Numbers:
    return computed(BPMEnvelopes)


@pytest.fixture(scope="module")
def norms() -> Numbers:
    return computed(BPMNorms)


@pytest.mark.parametrize("i", [0, 1])
def test_the_gap_of_bpm_stays_below_its_bound_and_ends_by_step_K(methods: Numbers, i: int) -> None:
    gap, bound = methods[f"bpm{i}"], methods[f"bound{i}"]
    assert np.isfinite(bound[1:]).all()
    assert (gap[1:] <= bound[1:] * (1 + ROUNDING)).all()
    assert (methods[f"ngd{i}"][1:] > bound[1:]).any()  # which the bound of BPM does not cover
    ends = int((gap == 0).argmax())
    assert 10 <= ends <= methods.facts["K"][i] == 100


@pytest.mark.parametrize("i", [0, 1])
def test_the_three_methods_begin_alike_and_part(methods: Numbers, i: int) -> None:
    bpm, ppm, ngd = (methods[f"{name}{i}"] for name in ("bpm", "ppm", "ngd"))
    assert bpm[0] == ppm[0] == ngd[0]
    assert abs(bpm[1] - ppm[1]) <= 1e-6 * bpm[1]
    ends = int((bpm == 0).argmax())
    assert ppm[ends] > 0.05 * ppm[0]
    assert ngd[-20:].min() > 1e-3 * ngd[0]  # it steps over the minimiser, on and on
    assert (np.diff(ngd[-20:]) > 0).any()


def test_the_proximal_point_method_does_not_end_on_a_smooth_function(methods: Numbers) -> None:
    ppm = methods["ppm0"]
    assert ppm[-1] > 1e-5 * ppm[0]
    assert (np.diff(ppm) < 0).all()


@pytest.mark.parametrize("i", [0, 1, 2])
def test_squared_distances_stay_below_the_staircase(steps: Numbers, i: int) -> None:
    square, stairs = steps[f"square{i}"], steps[f"stairs{i}"]
    t = steps.facts["radii over dist0"][i]
    assert stairs[1:] == pytest.approx(np.maximum(1 - np.arange(1, len(stairs)) * t**2, 0), abs=1e-12)
    assert (square[1:] <= stairs[1:] + ROUNDING).all()
    gap, bound = steps[f"gap{i}"], steps[f"bound{i}"]
    assert (gap[1:] <= bound[1:] * (1 + ROUNDING)).all()


def test_one_function_takes_every_step_that_theory_allows(steps: Numbers) -> None:
    K = [int(k) for k in steps.facts["K"]]
    ends = [int((steps[f"gap{i}"] == 0).argmax()) for i in range(3)]
    assert K == [7, 7, 7]
    assert ends[0] == 7
    assert max(ends[1:]) < 7
    assert (steps["square0"][1:6] > 0.9 * steps["stairs0"][1:6]).all()


@pytest.mark.parametrize("i", range(4))
def test_steps_have_the_length_of_the_radius_until_the_last(balls: Numbers, i: int) -> None:
    walk, radius = balls[f"walk{i}"], balls.facts["radii"][min(i, 1)]
    length = np.linalg.norm(np.diff(walk, axis=0), axis=1)
    assert length[:-1] == pytest.approx(radius, rel=1e-9)
    assert length[-1] <= radius * (1 + ROUNDING)
    end = np.linalg.norm(walk[-1] - balls["star0"][0]) if i == 0 else np.linalg.norm(walk[-1]) - 1
    assert abs(end) <= 1e-12


def test_the_third_run_leaves_the_hill_in_one_step(balls: Numbers) -> None:
    assert np.linalg.norm(balls["walk3"][0]) < 1
    assert [len(balls[f"walk{i}"]) for i in range(4)] == [7, 4, 3, 2]


def test_the_grid_holds_the_gap(balls: Numbers) -> None:
    height = balls["height0"]
    assert height.shape == (len(balls["up0"]), len(balls["across0"]))
    row, column = np.unravel_index(height.argmin(), height.shape)
    nearest = np.array([balls["across0"][column], balls["up0"][row]])
    assert np.abs(nearest - KINKED.x_star.numpy()).max() < 0.15


@pytest.mark.parametrize("t", RADII)
def test_envelopes_of_the_double_well_are_those_of_the_formula(envelopes: Numbers, t: float) -> None:
    r = np.abs(envelopes["x"])
    u = r + np.clip(1 - r, -t, t)
    assert envelopes[f"f0 within {t}"] == pytest.approx((u**2 - 1) ** 2, abs=1e-12)
    middle = envelopes[f"f0 within {t}"][len(r) // 2]
    assert middle == pytest.approx((1 - t**2) ** 2, abs=1e-12)


def test_the_hill_is_gone_at_the_radius_of_ball_convexity(envelopes: Numbers) -> None:
    bend = {t: np.diff(envelopes[f"f0 within {t}"], 2).min() for t in RADII}
    assert bend[1.0] >= -ROUNDING
    assert max(bend[0.25], bend[0.5]) < -1e-3


@pytest.mark.parametrize("t", RADII)
def test_envelopes_widen_the_minimum_and_keep_the_slopes(envelopes: Numbers, t: float) -> None:
    x, f, value = envelopes["x"], envelopes["f1"], envelopes[f"f1 within {t}"]
    star = float(KINKED_LINE.x_star)
    assert (value <= f + ROUNDING).all()
    inside = np.abs(x - star) <= t - 1e-9
    assert (value[inside] == 0).all()
    assert (value[np.abs(x - star) > t + 1e-9] > 0).all()
    steep = np.diff(value) / np.diff(x)
    for slope in np.unique(np.round(KINKED_LINE.grad(KINKED_LINE.x_star + _line(x)).numpy(), 6)):
        assert (np.abs(steep - slope) < 1e-5).sum() > 1


def _line(x: np.ndarray):
    return torch.from_numpy(x)[x != 0][:, None]


def test_distances_grow_in_boxes_and_not_in_circles(norms: Numbers) -> None:
    boxes, length, circles = (
        norms[name] for name in ("max of boxes", "length of boxes", "length of circles")
    )
    assert boxes[:4] == pytest.approx([2, 1.5, 1, 1.5 / 1.01], abs=1e-9)
    assert length[3] - length[2] == pytest.approx(np.hypot(1.5 / 1.01, 0.5) - np.sqrt(2), abs=1e-9)
    assert (np.diff(circles[circles > 0]) < 0).all()
    assert boxes[-1] == circles[-1] == 0


@pytest.mark.parametrize("p", SLOPE_NORMS)
def test_dual_norms_fall_and_stay_below_one_bound(norms: Numbers, p: str) -> None:
    slope, gap, bound = norms[f"slope {p}"], norms[f"gap {p}"], norms["bound"]
    assert bound[1:] == pytest.approx(gap[0] / (norms.facts["short"] * np.arange(1, len(bound))))
    assert (slope[1:] <= bound[1:]).all()
    assert (np.diff(slope) <= 1e-6 * slope[0]).all()  # by a conic solver where p = 1
    assert slope[0] > 30
    assert slope[-1] < 0.01


@pytest.mark.parametrize(("i", "norm"), [(0, BOX), (1, ELLIPSE)], ids=["boxes", "ellipses"])
def test_steps_end_on_the_edge_of_boxes_and_ellipses(norms: Numbers, i: int, norm) -> None:
    walk = torch.from_numpy(norms[f"walk{i}"])
    length = norm.norm(walk.diff(dim=0)).numpy()
    assert length[:-1] == pytest.approx(RADIUS, rel=1e-9)
    assert walk[-1].numpy() == pytest.approx(norms[f"star{i}"][0], abs=1e-12)


def test_a_curve_falls_out_of_the_axes_once() -> None:
    y = falling([1.0, 0.5, 0.0, 0.0])
    assert y[:2].tolist() == [1.0, 0.5]
    assert 0 < y[2] < 1e-200
    assert np.isnan(y[3])
    assert falling([2.0, 1.0]).tolist() == [2.0, 1.0]


def test_a_walk_is_cut_where_it_rests() -> None:
    x = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1e-17], [1.0, 0.0]])
    assert ended(x).tolist() == [[0, 0], [1, 0]]
    assert ended(x[:2]).shape == (2, 2)


@pytest.mark.parametrize("norm", [EUCLIDEAN, BOX, ELLIPSE], ids=["circle", "box", "ellipse"])
def test_outlines_lie_on_the_unit_sphere(norm) -> None:
    edge = torch.from_numpy(outline(norm))
    assert norm.norm(edge).numpy() == pytest.approx(1.0)
    assert (edge[0] - edge[-1]).abs().max() < 1e-12
    if norm == BOX:
        assert ((edge.abs() - 1).abs() < 1e-12).all(dim=1).sum() == 4  # the corners are there
