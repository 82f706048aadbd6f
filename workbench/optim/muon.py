"""Muon: momentum, orthogonalised."""

from typing import Any

from assumptions.norms import Norm
from workbench.optim.base import LMOOptimizer
from workbench.orthogonal import NewtonSchulz, Orthogonaliser


class Muon(LMOOptimizer):
    """M <- beta M + (1 - beta) G from M = 0; X <- (1 - lr weight_decay) X - lr radius dir(U).

    U = beta M + (1 - beta) G with ``nesterov``, else M. In the norm "muon" the step is
    lr max(1, m/n)^(1/2) times the polar factor of U, read as an m x n matrix, a convolution as
    C_out x (C_in k^2); other scale factors are other norms: "operator" (1), "hidden" (sqrt(m/n)), "adamw_rms"
    (0.2 sqrt(max(m, n))). orthogonaliser: Newton-Schulz, quintic, 5 steps, by default. Vectors need a group
    with norm="bias". Other options and errors: ``LMOOptimizer``; beta is called momentum elsewhere.

    Source: KellerJordan/Muon, muon.py, whose orthogonaliser works in bfloat16; there the factor of a
    convolution is taken from the two sides of its kernel, and is 1.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        beta: float = 0.95,
        *,
        nesterov: bool = True,
        weight_decay: float = 0.0,
        radius: float = 1.0,
        norm: str | Norm = "muon",
        transpose: bool | None = None,
        orthogonaliser: Orthogonaliser | None = None,
    ) -> None:
        options = {"lr": lr, "beta": beta, "nesterov": nesterov, "weight_decay": weight_decay}
        read = {"radius": radius, "norm": norm, "transpose": transpose}
        super().__init__(params, {**options, **read, "orthogonaliser": orthogonaliser or NewtonSchulz(5)})

    def first_weight(self, group: dict[str, Any]) -> float:
        """From 0."""
        return 1 - group["beta"]

    def looks_ahead(self, group: dict[str, Any]) -> bool:
        """Nesterov: the momentum of the next step, were its gradient the same."""
        return group["nesterov"]

    def check(self, group: dict[str, Any]) -> None:
        """Besides: nesterov is a bool, else TypeError."""
        super().check(group)
        if not isinstance(group["nesterov"], bool):
            raise TypeError(f"nesterov must be True or False, got {group['nesterov']!r}")
