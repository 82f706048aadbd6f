"""What the nodes of an expression do to tensors."""

from typing import Any

import sympy as sp
import torch
from torch import Tensor


def apply(e: sp.Basic, args: list[Tensor]) -> Tensor:
    """The value of a node of ``SUPPORTED`` from the values of its arguments."""
    result = args[0]
    if isinstance(e, sp.Add):
        for a in args[1:]:
            result = result + a
        return result
    if isinstance(e, sp.Mul):
        for a in args[1:]:
            result = result * a
        return result
    if isinstance(e, sp.Pow):
        return _power(e, args)
    if isinstance(e, sp.Max | sp.Min):
        for a in args[1:]:
            result = torch.maximum(result, a) if isinstance(e, sp.Max) else torch.minimum(result, a)
        return result
    if isinstance(e, sp.And | sp.Or):
        for a in args[1:]:
            result = result & a if isinstance(e, sp.And) else result | a
        return result
    return next(function for kind, function in _FUNCTIONS.items() if isinstance(e, kind))(*args)


def _power(e: sp.Pow, args: list[Tensor]) -> Tensor:
    base, exponent = args
    if e.args[1] == sp.Rational(1, 2):
        return base.sqrt()
    if e.args[1] == -1:
        return 1 / base
    if e.args[1].is_Integer:
        return base ** int(e.args[1])  # pyright: ignore[reportArgumentType]
    return base**exponent


_FUNCTIONS: dict[type, Any] = {
    sp.Abs: torch.abs,
    sp.exp: torch.exp,
    sp.log: torch.log,
    sp.ceiling: torch.ceil,
    sp.floor: torch.floor,
    sp.sign: torch.sign,
    sp.Not: torch.logical_not,
    sp.StrictLessThan: torch.lt,
    sp.LessThan: torch.le,
    sp.StrictGreaterThan: torch.gt,
    sp.GreaterThan: torch.ge,
    sp.Equality: torch.eq,
    sp.Unequality: torch.ne,
}

SUPPORTED = (sp.Add, sp.Mul, sp.Pow, sp.Max, sp.Min, sp.And, sp.Or, *_FUNCTIONS)
