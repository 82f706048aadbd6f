"""Bound, worst case and runs: in that order everywhere, and met where theory says so."""

import numpy as np
import pytest

from figures.recipes.worst_case import WorstCaseFigure
from tests.figures.computed import computed


def table(name: str) -> np.ndarray:
    return computed(WorstCaseFigure)[name]


@pytest.mark.parametrize("i", [0, 1])
def test_runs_stay_below_the_worst_case_and_that_below_the_bound(i):
    assert (table(f"worst_{i}") <= table(f"bound_{i}") * (1 + 1e-9)).all()
    for name in ("run", "usual"):
        assert (table(f"{name}_{i}") <= table(f"worst_{i}") * (1 + 1e-9)).all()


@pytest.mark.parametrize("i", [0, 1])
def test_the_rebuilt_function_meets_the_worst_case_at_the_last_step_alone(i):
    run, worst = table(f"run_{i}"), table(f"worst_{i}")
    assert run[-1] == pytest.approx(worst[-1], rel=1e-6)
    assert (run[:-1] < worst[:-1] * 0.99).all()


def test_the_bound_of_gradient_descent_is_its_worst_case_and_that_of_the_other_is_not():
    k = np.arange(1, len(table("bound_0")) + 1)
    assert table("worst_0") == pytest.approx(1 / (4 * k + 2), rel=1e-9)
    assert table("worst_1")[-1] / table("bound_1")[-1] == pytest.approx(0.736364, rel=1e-5)
