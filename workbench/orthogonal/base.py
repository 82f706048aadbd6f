"""What an orthogonaliser is, and the shapes and types that it takes."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from assumptions.specification import Specified

PRECISIONS = {name: getattr(torch, name) for name in ("float64", "float32", "bfloat16", "float16")}
"""Working precisions by name."""


class Orthogonaliser(Specified, ABC):
    """M = U diag(s) V' -> O = U diag(w) V', an approximation of the polar factor U V'.

    In the model of an inexact oracle, <M, O> >= a |M|_nuc and |O|_op <= b; U V' has a = b = 1.
    """

    def __call__(self, x: Tensor) -> Tensor:
        """O of each matrix, in the type and on the device of x. x: (*batch, m, n). Returns the same shape.

        0 goes to 0; a matrix with nan or inf goes to nan, the others of the batch do not see it.
        ValueError unless x holds floating point matrices with m, n >= 1.
        """
        require_matrices(x)
        with torch.autocast(x.device.type, enabled=False):  # it would lower the precision of the products
            return self._orthogonalise(x)

    @abstractmethod
    def _orthogonalise(self, x: Tensor) -> Tensor:
        """As ``__call__``, of matrices that passed."""

    @abstractmethod
    def range_on(self, low: float, least: float = 0.0) -> tuple[float, float]:
        """An interval that holds w_i wherever s_i >= low |M|_F and |M|_F >= least, in exact arithmetic.

        0 <= low <= 1, least >= 0: units of M, inf for the limit of large matrices. ValueError otherwise.
        """

    @abstractmethod
    def factors(self, rank: int, least: float = 0.0) -> tuple[float, float]:
        """(a, b) for every matrix with min(m, n) = rank and |M|_F >= least, proved for exact arithmetic.

        <M, O> >= a |M|_nuc and |O|_op <= b. rank: integer >= 1; least as in ``range_on``. ValueError
        otherwise. Rounding comes on top, some 1e-14 in float64: for a shorter precision, ``lmo_factors``
        measures.
        """


def require_matrices(x: Tensor, name: str = "x") -> None:
    """ValueError unless ``x`` is a floating point tensor of shape ``(*batch, m, n)`` with m, n >= 1."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"{name} must be a floating point tensor of shape (*batch, m, n), got {x!r}")
    if x.dim() < 2 or 0 in x.shape[-2:]:
        raise ValueError(f"{name} must have shape (*batch, m, n) with m, n >= 1, got {tuple(x.shape)}")


def require_low(low: float, least: float) -> None:
    """ValueError unless 0 <= low <= 1 and least >= 0."""
    if not 0 <= low <= 1:
        raise ValueError(f"low must be in [0, 1], a fraction of the Frobenius norm, got {low!r}")
    if not least >= 0:
        raise ValueError(f"least must be >= 0, a lower bound of the Frobenius norm, got {least!r}")


def precision_name(dtype: str | torch.dtype | None) -> str | None:
    """The name of a working precision; None: that of the input. ValueError for anything else."""
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype
    if name is not None and (not isinstance(name, str) or name not in PRECISIONS):
        raise ValueError(f"dtype must be None or one of {', '.join(PRECISIONS)}, got {dtype!r}")
    return name


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in, k, ...) flattened to (out, in k ...); matrices stay. ValueError for fewer than two axes.

    ``weight.reshape`` of the result with the old shape undoes it; so does ``like``.
    """
    if not isinstance(weight, Tensor) or weight.dim() < 2:
        shape = tuple(weight.shape) if isinstance(weight, Tensor) else weight
        raise ValueError(
            f"weight must have two axes or more, got {shape!r}; a vector has no singular values: "
            "measure it by a Euclidean or a largest-entry norm"
        )
    return weight.reshape(weight.shape[0], -1)


def like(matrix: Tensor, weight: Tensor) -> Tensor:
    """Undo ``as_matrix``: ``matrix`` in the shape of ``weight``. ValueError if its entries do not fit."""
    if tuple(matrix.shape) != tuple(as_matrix(weight).shape):
        raise ValueError(
            f"matrix must have shape {tuple(as_matrix(weight).shape)}, got {tuple(matrix.shape)}"
        )
    return matrix.reshape(weight.shape)
