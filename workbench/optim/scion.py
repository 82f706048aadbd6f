"""Scion, unconstrained and constrained."""

from typing import Any

from assumptions.norms import Norm
from workbench.optim.base import LMOOptimizer
from workbench.orthogonal import NewtonSchulz, Orthogonaliser


class Scion(LMOOptimizer):
    """M <- beta M + (1 - beta) G from M = 0; X <- X - lr radius dir(M).

    constrained: X <- (1 - lr) X - lr radius dir(M), lr <= 1: a step of the conditional gradient method in the
    ball |X| <= radius of the group's norm. A start in the ball is not checked, and needed to stay in it.
    orthogonaliser: Newton-Schulz, quintic, 5 steps, by default; it may return matrices of norm above
    1, and the ball grows by that factor. Other options and errors: ``LMOOptimizer``; ``groups_for`` picks a
    norm for each layer.

    Source: LIONS-EPFL/scion, scion.py. Its momentum is 1 - beta, its scale is the radius, and it adds 1e-8 to
    the lengths of columns and rows.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        beta: float = 0.9,
        *,
        constrained: bool = False,
        radius: float = 1.0,
        norm: str | Norm = "hidden",
        transpose: bool | None = None,
        orthogonaliser: Orthogonaliser | None = None,
    ) -> None:
        options = {"lr": lr, "beta": beta, "constrained": constrained}
        read = {"radius": radius, "norm": norm, "transpose": transpose}
        super().__init__(params, {**options, **read, "orthogonaliser": orthogonaliser or NewtonSchulz(5)})

    def first_weight(self, group: dict[str, Any]) -> float:
        """From 0."""
        return 1 - group["beta"]

    def shrink(self, group: dict[str, Any]) -> float:
        """1 - lr in the ball, 1 without."""
        return 1 - float(group["lr"]) if group["constrained"] else 1.0

    def check(self, group: dict[str, Any]) -> None:
        """Besides: constrained is a bool, else TypeError; lr at most 1 with it, else ValueError."""
        super().check(group)
        if not isinstance(group["constrained"], bool):
            raise TypeError(f"constrained must be True or False, got {group['constrained']!r}")
        if group["constrained"] and not float(group["lr"]) <= 1:
            raise ValueError(f"lr must be at most 1 in the constrained form, got {group['lr']!r}")
