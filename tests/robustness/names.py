"""What the Python rows of the table may name."""

from typing import Any

import torch

import assumptions
import problems
import workbench
import workbench.methods as methods

OURS = workbench.Source("mine", "DERIVED")
gap, gap_next, L = workbench.symbols("gap gap_next L")


def claim(**fields: Any) -> workbench.Theorem:
    """A true claim about gradient descent, one part of it replaced."""
    true = {
        "id": "mine/claim",
        "title": "the gap does not grow",
        "source": OURS,
        "method": methods.GradientDescent,
        "parameters": {"stepsize": 1 / L},
        "assumes": (assumptions.Convex, assumptions.Smooth),
        "measured": gap_next,
        "bound": gap,
    }
    return workbench.Theorem(**{**true, **fields})


def points(*shape: int) -> torch.Tensor:
    """Zeros, float64."""
    return torch.zeros(*shape, dtype=torch.float64)


NAMES: dict[str, Any] = {
    **{name: getattr(assumptions, name) for name in assumptions.__all__},
    **{name: getattr(problems, name) for name in problems.__all__},
    **{m.__name__: m for m in methods.METHODS},
    **{name: getattr(workbench, name) for name in workbench.__all__},
    **globals(),
}
