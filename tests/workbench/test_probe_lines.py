"""Lines through and above points: against other solvers, in other units, with known answers."""

import math

import cvxpy
import numpy as np
import pytest
from scipy.optimize import minimize, nnls

from tests.workbench.probe_results import straight
from workbench.probes.fits.asymmetric import fit_asymmetric, minimum_along
from workbench.probes.fits.envelope import exceeded, fit_envelope


def data(case, n=60):
    """Gradient norms and ratios whose best line is inside, on either edge, or far from the origin."""
    rng = np.random.default_rng(7)
    g = rng.random(n)
    wild = rng.exponential(size=n)
    return {
        "inside": (g, 1 + 2 * g + 0.3 * wild),
        "no slope": (g, 3 - 2 * g + 0.3 * wild),
        "no constant": (g, 5 * g**3 + 0.01 * wild),
        "heavy tails": (np.exp(2 * rng.standard_normal(n)), wild**4),
        "far away": (50 + g, 1e-3 * (40 + g + 0.1 * wild)),
        "two points": (np.array([1.0, 2.0]), np.array([3.0, 5.0])),
        "cycle": (np.array([5.0, 13, 7, 26, 10, 17]), np.array([1.0, 12, 5, 7, 4, 24])),
    }[case]


CASES = ("inside", "no slope", "no constant", "heavy tails", "far away", "two points", "cycle")


def loss(line, g, L, penalty):
    """Of the definition, with its slope."""
    r = line[0] + line[1] * g - L
    pull = np.where(r < 0, 1 + penalty, 1.0) * r
    return float(pull @ r), 2 * np.array([pull.sum(), pull @ g])


def in_units(line, g, L):
    return np.array([line[0] / L.max(), line[1] * g.max() / L.max()])


def by_quadratic_program(h, y, penalty):
    z, under = cvxpy.Variable(2, nonneg=True), cvxpy.Variable(len(h), nonneg=True)
    r = z[0] + z[1] * h - y
    cost = (cvxpy.sum_squares(r) + penalty * cvxpy.sum_squares(under)) / (1 + penalty)
    tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-11)
    cvxpy.Problem(cvxpy.Minimize(cost), [under >= -r]).solve(solver="CLARABEL", **tight)
    assert z.value is not None
    return z.value.clip(0)


def by_descent(h, y, penalty):
    options = {"ftol": 0.0, "gtol": 1e-13, "maxiter": 1000}
    bounds = [(0, None)] * 2
    return minimize(loss, [1.0, 1.0], (h, y, penalty), "L-BFGS-B", jac=True, bounds=bounds, options=options).x


@pytest.mark.parametrize("penalty", [0.0, 5.0, 100.0])
@pytest.mark.parametrize("solver", [by_quadratic_program, by_descent])
@pytest.mark.parametrize("case", [case for case in CASES if case != "two points"])
def test_the_fit_is_that_of_other_solvers(case, solver, penalty):
    """Theirs is a minimum up to the flatness of the loss; least squares with its weights give all digits."""
    g, L = data(case)
    h, y = g / g.max(), L / L.max()
    line = in_units(fit_asymmetric(g, L, penalty), g, L)
    theirs = solver(h, y, penalty)
    least, other = loss(line, h, y, penalty)[0], loss(theirs, h, y, penalty)[0]
    assert other * (1 - 1e-8) <= least <= other * (1 + 1e-13)
    np.testing.assert_allclose(line, theirs, rtol=0, atol=1e-4 if case == "far away" else 1e-6)
    for _ in range(4):
        root = np.sqrt(np.where(theirs[0] + theirs[1] * h < y, 1 + penalty, 1.0))
        theirs = nnls(np.stack([root, root * h], -1), root * y)[0]
    np.testing.assert_allclose(line, theirs, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("penalty", [0.0, 5.0, 1e4, 1e6])
@pytest.mark.parametrize("case", CASES)
def test_the_fit_meets_the_optimality_conditions(case, penalty):
    """In "cycle", at 1e4, Newton steps without a line search go round for ever."""
    g, L = data(case)
    line = np.array(fit_asymmetric(g, L, penalty))
    slopes = loss(line, g, L, penalty)[1] * [1 / L.max(), 1 / (L.max() * g.max())] / len(g) / (1 + penalty)
    assert (line >= 0).all()
    assert (slopes >= -1e-12).all()
    assert (np.abs(slopes[line > 0]) <= 1e-12).all()


@pytest.mark.parametrize("case", CASES)
def test_units_do_not_matter(case):
    """By powers of two every digit is kept."""
    g, L = data(case)
    L0, L1 = fit_asymmetric(g, L)
    assert fit_asymmetric(2.0**40 * g, 2.0**-30 * L) == (2.0**-30 * L0, 2.0**-70 * L1)
    other = fit_asymmetric(1e50 * g, 3e-20 * L)
    near = 1e-8 if case == "far away" else 1e-11
    assert other == (pytest.approx(3e-20 * L0, rel=near), pytest.approx(3e-70 * L1, rel=near))
    envelope, again = fit_envelope(g, L), fit_envelope(2.0**40 * g, 2.0**-30 * L)
    assert again == (2.0**-30 * envelope[0], 2.0**-70 * envelope[1])


def test_many_fits_at_once_are_those_one_by_one():
    g, L = (np.stack(parts) for parts in zip(*(data(case) for case in CASES[:5]), strict=True))
    together = np.array(fit_asymmetric(g, L))
    alone = np.array([fit_asymmetric(*rows) for rows in zip(g, L, strict=True)]).T
    np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-14)


def test_points_on_a_line_give_the_line():
    g = np.linspace(0.0, 4.0, 9)
    for L0, L1 in ((2.0, 3.0), (0.0, 3.0), (2.0, 0.0)):
        assert fit_asymmetric(g, L0 + L1 * g) == (pytest.approx(L0, abs=1e-12), pytest.approx(L1, abs=1e-12))


def test_equal_gradient_norms_show_no_slope():
    """The best level of 0 and 1 with weights 1 below and 6 above it: 6/7."""
    assert fit_asymmetric(np.full(2, 3.0), np.array([0.0, 1.0])) == (pytest.approx(6 / 7), 0.0)
    assert fit_asymmetric(np.zeros(2), np.array([0.0, 1.0])) == (pytest.approx(6 / 7), 0.0)
    assert fit_asymmetric(np.array([1.0, 1 + 1e-9]), np.array([0.0, 1.0])) == (pytest.approx(6 / 7), 0.0)
    assert fit_asymmetric(np.array([1.0, 1 + 1e-7]), np.array([0.0, 1.0]))[0] == 0.0
    assert fit_asymmetric(np.ones(3), np.zeros(3)) == (0.0, 0.0)


def test_the_published_lower_limit_can_be_asked_for():
    g = np.linspace(1.0, 2.0, 20)
    L0, L1 = fit_asymmetric(g, 3 * g, penalty=0.0, lower=1e-6)
    assert L0 == 1e-6
    assert pytest.approx(3 - 1e-6 * (g.sum() / (g @ g)), rel=1e-12) == L1
    assert fit_asymmetric(g, 0 * g, lower=1e-6) == (1e-6, 1e-6)


def test_the_penalty_lifts_the_line_towards_the_envelope():
    g, L = straight(scatter=0.3)
    above = [float((L0 + L1 * g < L).mean()) for L0, L1 in (fit_asymmetric(g, L, p) for p in (0, 5, 1e4))]
    assert above[0] > above[1] > above[2]
    stiff, envelope = fit_asymmetric(g, L, 1e9), fit_envelope(g, L)
    assert loss(stiff, g, L, 0.0)[0] <= loss(envelope, g, L, 0.0)[0]
    assert (L - stiff[0] - stiff[1] * g).max() < 1e-6


def test_the_exact_line_search_is_the_best_of_a_fine_grid():
    rng = np.random.default_rng(3)
    r, d = rng.standard_normal((2, 5, 12))
    found = minimum_along(r, d, 5.0)

    def value(z):
        moved = r + z[:, None] * d
        return (np.where(moved < 0, 6.0, 1.0) * moved**2).sum(-1)

    best = value(found)
    for step in (*np.geomspace(1e-6, 10, 50), *-np.geomspace(1e-6, 10, 50)):
        assert (best <= value(found + step)).all()
    assert (minimum_along(r, 0 * d, 5.0) == 0).all()


@pytest.mark.parametrize("case", CASES)
def test_the_envelope_is_the_lowest_line_above_the_points(case):
    """The naive version: every line through two points, and those with one coefficient 0."""
    g, L = data(case)
    L0, L1 = fit_envelope(g, L)
    assert (L0 + L1 * g >= L * (1 - 1e-15)).all()
    lines = [(L.max(), 0.0), (0.0, (L / g).max())]
    lines += [
        (L[i] - slope * g[i], slope)
        for i in range(len(g))
        for j in range(i)
        for slope in ((L[i] - L[j]) / (g[i] - g[j]),)
    ]
    allowed = [a + b * g.mean() for a, b in lines if min(a, b) >= 0 and (a + b * g >= L - 1e-12).all()]
    assert L0 + L1 * g.mean() == pytest.approx(min(allowed), rel=1e-9)


def test_held_out_steps_exceed_the_envelope_of_smaller_ones():
    """The ratio jumps in the last block: all of it, and only it, is above the lines of the others."""
    g = np.ones(20)
    L = np.where(np.arange(20) < 15, 1.0, 2.0)
    assert exceeded(g, L) == 5 / 20
    assert exceeded(g, np.ones(20)) == 0
    assert math.isnan(exceeded(g[:1], L[:1]))


def test_folds_of_scattered_steps_would_hide_what_blocks_show():
    g, L = np.ones(20), np.linspace(1, 2, 20)
    assert exceeded(g, L) == 5 / 20
    assert exceeded(g, L[np.random.default_rng(0).permutation(20)]) < 4 / 20


@pytest.mark.parametrize("fit", [fit_asymmetric, fit_envelope])
@pytest.mark.parametrize(
    ("g", "L"),
    [([1.0], [1.0, 2.0]), ([], []), (1.0, 1.0), ([-1.0], [1.0]), ([1.0], [math.nan]), ([math.inf], [1.0])],
    ids=["shapes", "empty", "numbers", "negative", "nan", "inf"],
)
def test_bad_points_are_refused(fit, g, L):
    with pytest.raises(ValueError, match=r"g|L"):
        fit(np.asarray(g), np.asarray(L))
