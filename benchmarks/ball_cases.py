"""Minimisation over balls where it is hard: accuracy of the workbench and of SciPy's exact subproblem."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.ball_solvers import SCIPY_DEFAULTS, SCIPY_TIGHT, Array, scipy_step, workbench_step


class Case(NamedTuple):
    """Models of one kind: ``make(rng)`` gives (H, g)."""

    name: str
    make: Callable[[np.random.Generator], tuple[Array, Array]]
    radius: float
    options: Mapping[str, float]


def _rotation(rng: np.random.Generator, d: int) -> Array:
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _definite(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    half = rng.standard_normal((d, d))
    return half @ half.T + 0.1 * np.eye(d), rng.standard_normal(d)


def _indefinite(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    half = rng.standard_normal((d, d))
    return (half + half.T) / 2, rng.standard_normal(d)


def _hard(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """The gradient is orthogonal to the lowest eigenvector."""
    basis, b = _rotation(rng, d), rng.standard_normal(d)
    b[0] = 0
    return (basis * np.sort(rng.standard_normal(d))) @ basis.T, basis @ b


def _far(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """Condition number 1000, the minimiser some 10 away: the multiplier is hundreds of times H."""
    basis = _rotation(rng, d)
    hessian = (basis * np.logspace(-3, 0, d)) @ basis.T
    return hessian, hessian @ rng.standard_normal(d)


def hard_cases(d: int) -> tuple[Case, ...]:
    """At d = 100, what is known to go wrong elsewhere."""
    return (
        Case(f"definite, d={d}, t=0.1", lambda r: _definite(r, d), 0.1, SCIPY_DEFAULTS),
        Case(f"indefinite, d={d}, t=0.1", lambda r: _indefinite(r, d), 0.1, SCIPY_DEFAULTS),
        Case("indefinite, d=10, t=0.1, k=1e-12", lambda r: _indefinite(r, 10), 0.1, SCIPY_TIGHT),
        Case(f"hard case, d={d}, t=100", lambda r: _hard(r, d), 100.0, SCIPY_DEFAULTS),
        Case(f"hard case, d={d}, t=100, k=1e-12", lambda r: _hard(r, d), 100.0, SCIPY_TIGHT),
        Case(f"far start, d={d}, t=0.05, k=1e-12", lambda r: _far(r, d), 0.05, SCIPY_TIGHT),
    )


def quality(hessian: Array, g: Array, radius: float, s: Array) -> dict[str, float]:
    """Relative radius error, KKT residual over |g| + |H| |s|, and the value of the model."""
    length, grad = float(np.linalg.norm(s)), hessian @ s + g
    lam = max(0.0, -float(grad @ s) / length**2) if length > 0 else 0.0
    size = float(np.linalg.norm(g)) + float(np.linalg.norm(hessian, 2)) * length
    return {
        "radius": length / radius - 1,
        "kkt": float(np.linalg.norm(grad + lam * s)) / size,
        "value": float(s @ hessian @ s / 2 + g @ s),
    }


def measure_case(case: Case, instances: int) -> dict[str, dict[str, float]]:
    """Both solvers on seeds 0, 1, ...: of each measure the largest in absolute value.

    value: of the model on which SciPy's loss is largest.

    All solutions of these models lie on the sphere. loss: (value - value of the workbench) / its size;
    below 0 only for points outside the ball.
    """
    found: list[tuple[dict[str, float], dict[str, float]]] = []
    for seed in range(instances):
        hessian, g = case.make(np.random.default_rng(seed))
        ours = quality(hessian, g, case.radius, workbench_step(hessian, g, case.radius))
        theirs = quality(hessian, g, case.radius, scipy_step(hessian, g, case.radius, case.options))
        for q in (ours, theirs):
            q["loss"] = (q["value"] - ours["value"]) / abs(ours["value"])
        found.append((ours, theirs))
    shown = max(found, key=lambda pair: abs(pair[1]["loss"]))
    return {
        name: {
            **{key: max((pair[i][key] for pair in found), key=abs) for key in ("radius", "kkt", "loss")},
            "value": shown[i]["value"],
        }
        for i, name in enumerate(("workbench", "SciPy"))
    }
