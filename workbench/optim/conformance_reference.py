"""The published update of Muon, written plainly: the side that an optimizer is compared with."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.specification import Specified
from workbench.orthogonal.base import PRECISIONS
from workbench.orthogonal.newton_schulz import KINDS

SCALES = ("original", "match_rms_adamw", "none")
"""max(1, m/n)^(1/2); 0.2 sqrt(max(m, n)); 1."""

FACTORS = ("newton-schulz", "svd")


@dataclass(frozen=True)
class Settings:
    """The options of Muon that a case varies; beta is the weight of the old momentum."""

    lr: float = 0.02
    beta: float = 0.95
    nesterov: bool = True
    weight_decay: float = 0.0
    scale: str = "original"


@dataclass(frozen=True)
class Reference(Specified):
    """M <- beta M + (1 - beta) G from 0; X <- (1 - lr weight_decay) X - lr scale O(U), in float64.

    U = beta M + (1 - beta) G with Nesterov, else M; a convolution is C_out x (C_in k^2). factor: "svd", the
    polar factor, or "newton-schulz", ``steps`` quintic steps from U / (|U|_F + 1e-7) in ``dtype``, one of
    ``PRECISIONS``. ValueError otherwise. Source: KellerJordan/Muon, muon.py, where dtype is bfloat16.
    """

    factor: str = "newton-schulz"
    steps: int = 5
    dtype: str = "float64"

    def __post_init__(self) -> None:
        """Guard the names."""
        if self.factor not in FACTORS:
            raise ValueError(f"factor must be one of {', '.join(FACTORS)}, got {self.factor!r}")
        if not isinstance(self.dtype, str) or self.dtype not in PRECISIONS:
            raise ValueError(f"dtype must be one of {', '.join(PRECISIONS)}, got {self.dtype!r}")

    def run(self, x0: Tensor, grads: list[Tensor], settings: Settings) -> list[Tensor]:
        """The iterates x0, ..., x_K. x0 and the K gradients: one shape, float64."""
        x, momentum, iterates = x0, torch.zeros_like(x0), [x0]
        beta, lr = settings.beta, settings.lr
        m, n = x0.shape[0], x0[0].numel()
        for g in grads:
            momentum = beta * momentum + (1 - beta) * g
            u = beta * momentum + (1 - beta) * g if settings.nesterov else momentum
            o = self.polar(u.reshape(m, n)).reshape(x.shape)
            x = (1 - lr * settings.weight_decay) * x - lr * _scale(settings.scale, m, n) * o
            iterates.append(x)
        return iterates

    def polar(self, u: Tensor) -> Tensor:
        """O(U) of one matrix."""
        if self.factor == "svd":
            return _svd(u)
        return _newton_schulz(u.to(PRECISIONS[self.dtype]), self.steps).to(u.dtype)


def _scale(name: str, m: int, n: int) -> float:
    if name not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {name!r}")
    return {
        "original": math.sqrt(max(1, m / n)),
        "match_rms_adamw": 0.2 * math.sqrt(max(m, n)),
        "none": 1.0,
    }[name]


def _newton_schulz(x: Tensor, steps: int) -> Tensor:
    """As in muon.py, line by line."""
    a, b, c = KINDS["quintic"]
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def _svd(x: Tensor) -> Tensor:
    """U V' over the singular values above rounding."""
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    kept = s > max(x.shape) * torch.finfo(x.dtype).eps * s[0]
    return (u * kept) @ vh
