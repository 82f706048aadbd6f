"""Checks of arguments: each error names the argument, the value and what is accepted.

Comparisons are written so that nan fails. A value is a number or a tensor, of which every element
must pass.
"""

import sys
from collections.abc import Iterable
from numbers import Real

import torch
from torch import Tensor

Number = float | int | Tensor


def _every(condition: bool | Tensor) -> bool:
    return bool(condition.all()) if isinstance(condition, Tensor) else bool(condition)


def _shown(value: Number) -> str:
    if isinstance(value, Tensor):
        return f"a tensor with values in [{value.min().item():g}, {value.max().item():g}]"
    return repr(value)


def _require_number(name: str, value: Number) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | Tensor):
        raise TypeError(f"{name} must be a number or a tensor, got {value!r}")


def require_positive(**values: Number) -> None:
    """ValueError unless every value is finite and > 0; TypeError unless it is a number."""
    for name, value in values.items():
        _require_number(name, value)
        finite = torch.isfinite(value) if isinstance(value, Tensor) else abs(value) != float("inf")
        if not (_every(value > 0) and _every(finite)):
            raise ValueError(f"{name} must be finite and > 0, got {_shown(value)}")


def require_nonnegative(**values: Number) -> None:
    """ValueError unless every value is finite and >= 0; TypeError unless it is a number."""
    for name, value in values.items():
        _require_number(name, value)
        finite = torch.isfinite(value) if isinstance(value, Tensor) else abs(value) != float("inf")
        if not (_every(value >= 0) and _every(finite)):
            raise ValueError(f"{name} must be finite and >= 0, got {_shown(value)}")


def require_finite(**values: float) -> None:
    """ValueError unless every value is finite; TypeError unless it is a number."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} must be a number, got {value!r}")
        if not abs(value) <= sys.float_info.max:
            raise ValueError(f"{name} must be finite, got {value!r}")


def as_floats(name: str, values: Iterable[float]) -> tuple[float, ...]:
    """The entries of ``values`` as floats. ValueError unless it holds numbers; text is no number."""
    try:
        entries = tuple(values)
        if isinstance(values, str) or any(isinstance(entry, str) for entry in entries):
            raise TypeError
        return tuple(float(entry) for entry in entries)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a tuple of numbers, got {values!r}") from None


def require_dimension(**values: int) -> None:
    """ValueError unless every value is an integer >= 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {value!r}")


def require_points(x: Tensor, d: int, name: str = "x") -> None:
    """ValueError unless ``x`` is a floating point tensor of shape ``(*batch, d)``."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"{name} must be a floating point tensor of shape (*batch, {d}), got {x!r}")
    if x.dim() == 0 or x.shape[-1] != d:
        raise ValueError(f"{name} must have shape (*batch, {d}), got {tuple(x.shape)}")
