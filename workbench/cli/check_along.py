"""An assumption at the steps of a saved run."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assumptions import Assumption, Inequality, Region
from assumptions.inequality import steps_of
from assumptions.sampling import in_domain
from problems import Problem
from workbench.trace import Trace


class Steps:
    """The iterates of a run, and the steps at which something can be said.

    ValueError for a run that holds no iterates, or in another dimension than the problem.
    """

    def __init__(self, file: Path, problem: Problem) -> None:
        trace = Trace.load(file)
        if trace.x is None:
            raise ValueError(
                f"{file} holds no iterates; make it with `workbench run ... --iterates --out {file}`"
            )
        if trace.x.shape[-1] != problem.d:
            raise ValueError(f"{file} is a run in dimension {trace.x.shape[-1]}, {problem!r} has {problem.d}")
        self.trace, self.x, self.problem = trace, trace.x, problem

    def points(self, kind: type[Assumption], region: Region) -> tuple[tuple[Tensor, ...], Tensor]:
        """Consecutive iterates as points of the statement, and where all are inside and finite.

        Each (replicates, n, d); bool (replicates, n).
        """
        points = steps_of(self.x, getattr(kind, "arity", 1))
        said = [p.isfinite().all(dim=-1) & self._inside(p, region) for p in points]
        return points, torch.stack(said).all(dim=0)

    def _inside(self, x: Tensor, region: Region) -> Tensor:
        finite = x.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        gradient = self.problem.grad(finite).isfinite().all(dim=-1)
        return in_domain(self.problem, finite, region) & gradient

    def said(self) -> dict[str, Any]:
        """What was run, for people and programs."""
        k = self.trace.k
        every = int(k[1] - k[0]) if len(k) > 1 else 1
        found: dict[str, Any] = {"run": f"{self.trace.method} on {self.trace.problem}", "every": every}
        if str(self.trace.problem) != repr(self.problem):
            found["note"] = f"the run was made on another problem, {self.trace.problem}"
        return found

    def steps(self, statement: Inequality, kept: Tensor) -> dict[str, Any]:
        """The ratio at each step, nan where nothing is said; with one constant, what the step needs of it.

        kept: bool (replicates, n), from ``points``.
        """
        ratio = statement.along(self.problem, self.x)
        ratio = ratio if ratio.dim() > 2 else ratio.unsqueeze(-1)
        ratio = torch.where(kept.unsqueeze(-1), ratio, math.nan)
        found = {
            "k": self.trace.k[: ratio.shape[1]].tolist(),
            "along": ratio.tolist(),
            "steps": int(kept.sum()),
            "left_out": int((~kept).sum()),
        }
        seen = needed(statement, ratio)
        if seen is not None:
            found["needed"] = seen.tolist()
        if bool(kept.any()) and not bool(ratio.isnan().all()):
            worst = int(ratio.nan_to_num(nan=-1.0).amax(dim=-1).argmax())
            found["worst"] = {"replicate": worst // ratio.shape[1], "k": found["k"][worst % ratio.shape[1]]}
        return found


def needed(statement: Inequality, ratio: Tensor) -> Tensor | None:
    """The constant that each ratio needs, where the statement has one number that it is proportional to."""
    names = statement.constants()
    value = getattr(statement, names[0]) if len(names) == 1 else None
    if not isinstance(value, float) or value == 0:
        return None
    return ratio * value if statement.sense[names[0]] < 0 else value / ratio
