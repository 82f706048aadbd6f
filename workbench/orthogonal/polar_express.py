"""Polar Express: another odd quintic at each step, the best one for what the step before leaves."""

from dataclasses import dataclass

import torch

from assumptions.guards import require_dimension, require_nonnegative, require_positive
from workbench.orthogonal.base import precision_name
from workbench.orthogonal.interval import Quintic
from workbench.orthogonal.polynomial import PolynomialOrthogonaliser

FIVE: tuple[Quintic, ...] = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)
"""For five steps; the safety factor 1.02 is folded in."""
LISTED: tuple[Quintic, ...] = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
    (1.875, -1.25, 0.375),
)
"""Without a safety factor. The last entry is the limit: it takes none and is repeated."""


@dataclass(frozen=True)
class PolarExpress(PolynomialOrthogonaliser):
    """X = M / (divisor |M|_F + eps), then X <- a_t X + (b_t A + c_t A^2) X, A = X X', t = 1..steps.

    steps: integer >= 1. safety: 1.01, any number of steps, (a, b, c) over (1.01, 1.01^3, 1.01^5) but for the
    eighth and later, which are (1.875, -1.25, 0.375); or 1.02, the list of five, of which the first ``steps``
    are taken. divisor: >= 1, None for the published one, which is safety. dtype, eps: as ``NewtonSchulz``.
    ValueError otherwise. Source: N. Amsel, D. Persson, C. Musco, R. M. Gower, arXiv:2505.16932, for the
    first; github.com/microsoft/dion for the second.
    """

    steps: int = 5
    safety: float = 1.01
    divisor: float | None = None
    dtype: str | torch.dtype | None = None
    eps: float = 1e-7

    def __post_init__(self) -> None:
        """A precision by its name, so that it prints."""
        require_dimension(steps=self.steps)
        if self.safety not in (1.01, 1.02):
            raise ValueError(f"safety must be 1.01 or 1.02, got {self.safety!r}")
        if self.safety == 1.02 and self.steps > len(FIVE):
            raise ValueError(f"steps must be <= {len(FIVE)} for the safety 1.02, got {self.steps!r}")
        if self.divisor is not None:
            require_positive(divisor=self.divisor)
            if self.divisor < 1:
                raise ValueError(f"divisor must be >= 1: the steps are made for [0, 1], got {self.divisor!r}")
            object.__setattr__(self, "divisor", float(self.divisor))
        require_nonnegative(eps=self.eps)
        object.__setattr__(self, "dtype", precision_name(self.dtype))
        object.__setattr__(self, "eps", float(self.eps))

    @property
    def quintics(self) -> tuple[Quintic, ...]:
        """(a, b, c) of each step, the safety factor included."""
        if self.safety == 1.02:
            return FIVE[: self.steps]
        s, last = self.safety, len(LISTED) - 1
        safe = tuple((a / s, b / s**3, c / s**5) for a, b, c in LISTED[:last])
        return (safe + (LISTED[last],) * max(0, self.steps - last))[: self.steps]

    def _input(self) -> tuple[float, float, str | None]:
        return (self.safety if self.divisor is None else self.divisor), self.eps, precision_name(self.dtype)
