"""Newton-Schulz iterations: the same odd polynomial at every step."""

from dataclasses import dataclass

import torch

from assumptions.guards import require_dimension, require_nonnegative
from workbench.orthogonal.base import precision_name
from workbench.orthogonal.interval import Quintic
from workbench.orthogonal.polynomial import PolynomialOrthogonaliser

KINDS: dict[str, Quintic] = {
    "quintic": (3.4445, -4.7750, 2.0315),
    "cubic": (1.5, -0.5, 0.0),
    "order5": (2.0, -1.5, 0.5),
}
"""(a, b, c) of s <- a s + b s^3 + c s^5."""


@dataclass(frozen=True)
class NewtonSchulz(PolynomialOrthogonaliser):
    """X = M / (|M|_F + eps), then ``steps`` times X <- a X + (b A + c A^2) X, A = X X'.

    steps: integer >= 1. kind: "quintic", whose slope at 0 is steepest and which does not converge to 1: after
    5 steps values from above 0.01 |M|_F lie in [0.68, 1.14], smaller ones in [0, 1.21]; "cubic" and "order5",
    which converge. dtype: working precision, "float64", "float32", "bfloat16", "float16" or that type of
    torch; None: that of the input. eps: >= 0, units of M; the published 1e-7 makes matrices near it or
    smaller shrink, so that a = 0 is all that holds for every matrix, while with eps = 0.0 the result does not
    depend on the scale of M. ValueError otherwise.
    Source: K. Jordan, github.com/KellerJordan/Muon, for the quintic; the others are textbook iterations.
    """

    steps: int = 5
    kind: str = "quintic"
    dtype: str | torch.dtype | None = None
    eps: float = 1e-7

    def __post_init__(self) -> None:
        """A precision by its name, so that it prints."""
        require_dimension(steps=self.steps)
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        require_nonnegative(eps=self.eps)
        object.__setattr__(self, "dtype", precision_name(self.dtype))
        object.__setattr__(self, "eps", float(self.eps))

    @property
    def quintics(self) -> tuple[Quintic, ...]:
        """The same (a, b, c) at every step."""
        return (KINDS[self.kind],) * self.steps

    def _input(self) -> tuple[float, float, str | None]:
        return 1.0, self.eps, precision_name(self.dtype)
