"""What the Python rows of the table may name."""

import math
from pathlib import Path
from typing import Any

import torch

import assumptions
import problems
import workbench
from figures import Numbers
from workbench import compressors, methods, optim, orthogonal, probes, samplings
from workbench.falsifier.search import falsify
from workbench.probes import SmoothnessProbe
from workbench.records import Store
from workbench.report import read_results
from workbench.testing import assert_holds
from workbench.user_file import load_user_file

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


MODULES = (math, torch, compressors, optim, orthogonal, probes, samplings)
OTHERS = (
    Path,
    Numbers,
    falsify,
    SmoothnessProbe,
    Store,
    load_user_file,
    read_results,
    assert_holds,
    claim,
    points,
)
NAMES: dict[str, Any] = {
    **{name: getattr(assumptions, name) for name in assumptions.__all__},
    **{name: getattr(problems, name) for name in problems.__all__},
    **{m.__name__: m for m in methods.METHODS},
    **{name: getattr(workbench, name) for name in workbench.__all__},
    **{module.__name__.rpartition(".")[2]: module for module in MODULES},
    **{thing.__name__: thing for thing in OTHERS},
    **{"gap": gap, "gap_next": gap_next, "L": L},
}
