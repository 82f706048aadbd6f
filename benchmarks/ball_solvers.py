"""One step of the ball-proximal method on a quadratic model: by the workbench, by SciPy, by cvxpy."""

from collections.abc import Callable, Mapping

import cvxpy
import numpy as np
import torch
from scipy.optimize._trustregion_exact import IterativeSubproblem

from problems.secular import solve_ball_quadratic

Array = np.ndarray
Step = Callable[[Array], Array]
"""Gradient at the centre -> step to the minimiser over the ball."""

SCIPY_DEFAULTS: Mapping[str, float] = {}
SCIPY_TIGHT: Mapping[str, float] = {"k_easy": 1e-12, "k_hard": 1e-12}


# -- the solvers, on models g's + s'Hs/2 ----------------------------------------------------------


def workbench_step(hessian: Array, g: Array, radius: float) -> Array:
    """Eigendecomposition and secular equation."""
    eigenvalues, basis = np.linalg.eigh(hessian)
    solved = solve_ball_quadratic(torch.from_numpy(eigenvalues), torch.from_numpy(g @ basis), radius)
    s = basis @ solved.step.numpy()
    return s * (radius / np.linalg.norm(s)) if float(solved.multiplier) > 0 else s


def scipy_step(hessian: Array, g: Array, radius: float, options: Mapping[str, float]) -> Array:
    """SciPy's exact solver with its limit of 25 iterations; it says nothing when that is reached."""
    model = IterativeSubproblem(np.zeros_like(g), lambda _: 0.0, lambda _: g, lambda _: hessian, **options)
    return model.solve(radius)[0]


def conic_step(hessian: Array, radius: float) -> Step:
    """cvxpy and Clarabel; the gradient is a parameter of a problem that is compiled once."""
    eigenvalues, basis = np.linalg.eigh(hessian)
    root = np.sqrt(eigenvalues)[:, None] * basis.T
    s, g = cvxpy.Variable(len(eigenvalues)), cvxpy.Parameter(len(eigenvalues))
    problem = cvxpy.Problem(
        cvxpy.Minimize(cvxpy.sum_squares(root @ s) / 2 + g @ s), [cvxpy.norm(s) <= radius]
    )

    def step(gradient: Array) -> Array:
        g.value = gradient
        problem.solve(solver="CLARABEL")
        return np.asarray(s.value)

    return step
