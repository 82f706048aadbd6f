"""Checks of arguments: each error names the argument, the value and what is accepted.

Comparisons are written so that nan fails. A value is a number or a tensor, of which every element
must pass.
"""

import math
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real

import torch
from torch import Tensor

Number = float | int | Tensor


def _every(condition: bool | Tensor) -> bool:
    return bool(condition.all()) if isinstance(condition, Tensor) else bool(condition)


def _shown(value: Number) -> str:
    if isinstance(value, Tensor):
        return f"a tensor with values in [{value.min().item():g}, {value.max().item():g}]"
    if isinstance(value, int) and value.bit_length() > 1024:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)


def _is_number(value: object) -> bool:
    """A number that floats multiply: Python's and NumPy's own; no bool, no fraction."""
    return isinstance(value, Real) and not isinstance(value, bool | Fraction)


def _require_number(name: str, value: Number) -> None:
    if not (_is_number(value) or isinstance(value, Tensor)):
        raise TypeError(f"{name} must be a number or a tensor, got {value!r}")
    if isinstance(value, Tensor) and value.is_complex():
        raise ValueError(f"{name} must be real, got a tensor of {value.dtype}")


def _finite(value: Number) -> bool:
    """Whether every element is a finite float; an integer may be too large for one."""
    if isinstance(value, Tensor):
        return bool(torch.isfinite(value).all())
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def require_positive(**values: Number) -> None:
    """ValueError unless every value is finite and > 0; TypeError unless it is a number."""
    for name, value in values.items():
        _require_number(name, value)
        if not (_every(value > 0) and _finite(value)):
            raise ValueError(f"{name} must be finite and > 0, got {_shown(value)}")


def require_nonnegative(**values: Number) -> None:
    """ValueError unless every value is finite and >= 0; TypeError unless it is a number."""
    for name, value in values.items():
        _require_number(name, value)
        if not (_every(value >= 0) and _finite(value)):
            raise ValueError(f"{name} must be finite and >= 0, got {_shown(value)}")


def require_finite(**values: float) -> None:
    """ValueError unless every value is finite; TypeError unless it is a number."""
    for name, value in values.items():
        if not _is_number(value):
            raise TypeError(f"{name} must be a number, got {value!r}")
        if not _finite(value):
            raise ValueError(f"{name} must be finite, got {_shown(value)}")


def as_float(name: str, value: float) -> float:
    """``value`` as a float, perhaps inf or nan. TypeError unless a number, ValueError if it does not fit."""
    if not _is_number(value):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must fit a float, got {_shown(value)}") from None


def as_floats(name: str, values: Iterable[float]) -> tuple[float, ...]:
    """The entries of ``values`` as floats. ValueError unless it holds numbers; text and bool are none."""
    try:
        entries = tuple(values)
        if isinstance(values, str) or any(isinstance(entry, str | bool) for entry in entries):
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


def require_seed(seed: int) -> None:
    """ValueError unless ``seed`` is an integer in [-2^63, 2^63)."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed must be an integer in [-2^63, 2^63), got {seed!r}")
