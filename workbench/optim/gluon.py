"""Gluon: steps of constant, scheduled or adaptive radii, layer by layer."""

from typing import Any

from assumptions.norms import Norm
from workbench.optim.radii import RadiusOptimizer
from workbench.orthogonal import NewtonSchulz, Orthogonaliser


class Gluon(RadiusOptimizer):
    """M <- beta M + (1 - beta) G from M = the first G; X <- (1 - lr weight_decay) X - length dir(M).

    length: ``RadiusOptimizer``, constant, scheduled or adaptive. orthogonaliser: Newton-Schulz, quintic,
    5 steps, by default. weight_decay: >= 0, of the weights before the step. Other options and errors:
    ``LMOOptimizer``. Source: arXiv:2505.13416.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        beta: float = 0.9,
        *,
        L0: float | None = None,
        L1: float | None = None,
        weight_decay: float = 0.0,
        radius: float = 1.0,
        norm: str | Norm = "hidden",
        transpose: bool | None = None,
        orthogonaliser: Orthogonaliser | None = None,
    ) -> None:
        options = {"lr": lr, "beta": beta, "L0": L0, "L1": L1, "weight_decay": weight_decay}
        read = {"radius": radius, "norm": norm, "transpose": transpose}
        super().__init__(params, {**options, **read, "orthogonaliser": orthogonaliser or NewtonSchulz(5)})
