"""A parameter rule from the text that it prints: parsed, never evaluated."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import sympy as sp

from workbench.symbols import (
    after,
    avg,
    best,
    client_max,
    client_mean,
    first,
    layer_max,
    layer_sum,
    symbols,
    total,
)
from workbench.symbols import product as over_steps

WORDS: dict[str, Callable[..., Any]] = {
    **{w.__name__: w for w in (after, avg, best, client_max, client_mean, first, layer_max, layer_sum)},
    "product": over_steps,
    "total": total,
    **{w.__name__: w for w in (sp.Max, sp.Min, sp.Abs, sp.exp, sp.log, sp.ceiling, sp.floor, sp.sqrt)},
    "Piecewise": sp.Piecewise,
}
CONSTANTS = {"pi": sp.pi, "E": sp.E, "oo": sp.oo}
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def read_rule(text: str) -> sp.Basic:
    """The expression that prints like this, in the symbols of claims: ``9/(5*L)``, ``dist0/7``, ``0.25``.

    Whole numbers are exact. ValueError names the part that is not accepted.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"rule {text!r} is not an expression: {error.msg}") from None
    try:
        return sp.sympify(_read(tree.body, text))
    except (TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"rule {text!r} is not an expression: {error}") from None


def _read(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=bool() as value):
            return sp.true if value else sp.false
        case ast.Constant(value=int() as value):
            return sp.Integer(value)
        case ast.Constant(value=float() as value):
            return sp.Float(value)
        case ast.Name(id=name):
            return CONSTANTS[name] if name in CONSTANTS else symbols(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_read(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return BINARY[type(op)](_read(left, text), _read(right, text))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in BINARY:
            return BINARY[type(op)](_read(left, text), _read(right, text))
        case ast.Tuple(elts=items):
            return tuple(_read(item, text) for item in items)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in WORDS:
            return WORDS[name](*(_read(a, text) for a in args))
        case _:
            raise ValueError(f"rule {text!r}: {ast.unparse(node)!r} is not accepted")
