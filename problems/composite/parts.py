"""A function seen as f + g + sum_j h_j: f through its gradient, g and the h_j through proximal steps."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from assumptions import Certificate


class Parts(ABC):
    """F = f + g + sum_j h_j, j = 0, ..., n - 1; a sum, not a mean.

    ``has_smooth`` and ``has_prox`` are False where f = 0 and g = 0 by construction. Methods that use g alone
    through linear minimisation ask ``has_lmo``.
    """

    has_smooth: bool = False
    has_prox: bool = False
    has_lmo: bool = False
    dual_star_error: float = 0.0
    """|u_j - u_j*| at most, for each row u_j of ``dual_star``; inf if no bound is known."""

    @property
    @abstractmethod
    def n(self) -> int:
        """Number of terms h_j, >= 0."""

    @property
    @abstractmethod
    def dual_star(self) -> Tensor | None:
        """u_j* in dh_j(x_star) with 0 in grad f(x_star) + dg(x_star) + sum_j u_j*, (n, d), or None."""

    @property
    @abstractmethod
    def certified(self) -> tuple[Certificate, ...]:
        """What is proved about the parts."""

    @abstractmethod
    def term_prox(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """Row j is the proximal point of h_j at y_j. y: (*batch, n, d).

        stepsize: a float, or a tensor that broadcasts to (*batch, n, 1). Returns (*batch, n, d).
        """

    @abstractmethod
    def term_values(self, y: Tensor) -> Tensor:
        """h_j(y_j). y: (*batch, n, d). Returns (*batch, n)."""

    def term_prox_error(self, y: Tensor, stepsize: float | Tensor, result: Tensor) -> Tensor:
        """Bound on |row - exact row| of what ``term_prox`` returned, (*batch, n); 0 means rounding."""
        del stepsize, result
        return y.new_zeros(y.shape[:-1])

    def picked_prox(self, y: Tensor, stepsize: float | Tensor, picked: Tensor) -> Tensor:
        """``term_prox`` in the rows that are picked, y in the others. picked: bool (*batch, n)."""
        return torch.where(picked.unsqueeze(-1), self.term_prox(y, stepsize), y)

    def picked_prox_error(
        self, y: Tensor, stepsize: float | Tensor, result: Tensor, picked: Tensor
    ) -> Tensor:
        """``term_prox_error`` of ``picked_prox``, (*batch, n); 0 in the rows that are not picked."""
        return torch.where(picked, self.term_prox_error(y, stepsize, result), 0.0)

    def smooth_value(self, x: Tensor) -> Tensor:
        """f(x). x: (*batch, d). Returns (*batch,)."""
        return x.new_zeros(x.shape[:-1])

    def smooth_grad(self, x: Tensor) -> Tensor:
        """Gradient of f. Shapes (*batch, d)."""
        return torch.zeros_like(x)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Proximal point of g. stepsize: float or (*batch, 1). Shapes (*batch, d)."""
        del stepsize
        return x

    def lmo(self, direction: Tensor) -> Tensor:
        """argmin <direction, z> over the domain of g. Shapes (*batch, d). TypeError unless ``has_lmo``."""
        del direction
        raise TypeError(f"{type(self).__name__} has no bounded set to minimise a linear function over")


def rows_of(stepsize: float | Tensor, y: Tensor) -> list[Any]:
    """The stepsize of each row of y, (*batch, n, d): n floats or (*batch, 1). ValueError otherwise."""
    n = y.shape[-2]
    if not isinstance(stepsize, Tensor) or stepsize.dim() == 0:
        return [stepsize] * n
    if stepsize.dim() < 2 or stepsize.shape[-1] != 1 or stepsize.shape[-2] not in (1, n):
        raise ValueError(
            f"stepsize must be a float or broadcast to (*batch, {n}, 1), got shape {tuple(stepsize.shape)}"
        )
    return [stepsize[..., min(j, stepsize.shape[-2] - 1), :] for j in range(n)]


def require_rows(y: Tensor, n: int, d: int) -> None:
    """ValueError unless y is a floating point tensor (*batch, n, d)."""
    if not isinstance(y, Tensor) or not y.is_floating_point() or y.dim() < 2 or y.shape[-2:] != (n, d):
        got = tuple(y.shape) if isinstance(y, Tensor) else y
        raise ValueError(f"y must be a floating point tensor of shape (*batch, {n}, {d}), got {got!r}")
