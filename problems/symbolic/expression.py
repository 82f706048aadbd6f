"""Formulas as text: parsed into a sympy tree, never evaluated as a programme."""

import ast
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

LONGEST = 2000
"""Characters of a formula."""
LARGEST_POWER = 64
"""Of numerators and denominators of exponents: the size of a tree stays in proportion to its text."""
BITS = 4096
"""Of a number that appears while a formula is read."""
LARGEST = sp.Integer(int(sys.float_info.max))
SMALLEST = 1 / sp.Integer(2) ** 1074
"""Floats, as fractions."""
BEYOND = "beyond the range of floating point"

FUNCTIONS: Mapping[str, Any] = {
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "sin": sp.sin,
    "cos": sp.cos,
    "tan": sp.tan,
    "cot": sp.cot,
    "sinh": sp.sinh,
    "cosh": sp.cosh,
    "tanh": sp.tanh,
    "atan": sp.atan,
}
"""Each is analytic in the interior of where it is real."""
CONSTANTS: Mapping[str, Any] = {"pi": sp.pi, "E": sp.E}
UNREAL = (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I)
"""What no part of a formula may come to."""
KINKED = ("abs", "Abs", "max", "Max", "min", "Min", "sign", "Piecewise", "Heaviside", "floor", "ceiling")
NAMES = {1: (("x",), ("x1",)), 2: (("x", "y"), ("x1", "x2"))}
"""Accepted names of one and of two variables."""
NODES = (sp.Add, sp.Mul, sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.cot, sp.sinh, sp.cosh, sp.tanh, sp.atan)

_OPERATIONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def parse_expression(text: str, d: int) -> tuple[sp.Expr, tuple[sp.Symbol, ...]]:
    """The tree of a formula in d variables, 1 or 2, and the variables, real symbols.

    text: + - * / ** and brackets; numbers (decimals are exact: 0.1 is 1/10); pi, E; the functions of
    ``FUNCTIONS``; variables x, y or x1, x2 (of one variable: x or x1). Exponents are constants; rational
    ones have numerator and denominator up to 64. The tree is what sympy makes of the formula for real
    variables, and the function is that of the tree: it may be defined where the text is not. Gaps are closed
    (x**2/x is x), and half-lines too (sqrt(x)**2, exp(log(x)) and log(x) - log(x) + x are x for x < 0). No
    part of a formula may be infinite or not real by itself (1/(1/0), log(-1)**2). ValueError names what is
    not accepted.
    """
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise ValueError(f"expr must be a text of 1 to {LONGEST} characters, got {text!r}")
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise ValueError(f"expr must be a formula such as 'x**2/2 + sin(x)', got {text!r}") from None
    reader = _Reader(text.strip(), _variables(body, d))
    try:
        tree = reader.read(body)
    except RecursionError:
        raise ValueError(f"expr is nested too deeply: {text!r}") from None
    except OverflowError:
        raise ValueError(f"expr holds a number that is too large to be told: {text!r}") from None
    _require_supported(tree, text)
    return tree, tuple(reader.symbols.values())


def expression_text(expr: "str | sp.Expr") -> str:
    """A formula as text: text as it is, a sympy expression as sympy prints it, decimals made fractions.

    Variables are known by their names, those of ``NAMES``; floats stand for the fractions that they are.
    ValueError for anything else.
    """
    if isinstance(expr, str):
        return expr.strip()
    if not isinstance(expr, sp.Expr):
        raise ValueError(f"expr must be a text or a sympy expression, got {expr!r}")
    names = {str(symbol) for symbol in expr.free_symbols}
    strange = sorted(names - {name for accepted in NAMES.values() for some in accepted for name in some})
    if strange:
        raise ValueError(f"expr has unknown symbols {', '.join(strange)}; accepted: x, y or x1, x2")
    exact = {number: _fraction(number) for number in expr.atoms(sp.Float)}
    return sp.sstr(expr.xreplace(exact))


def _fraction(number: Any) -> sp.Rational:
    """What a sympy float stands for, all its digits; ValueError beyond the range of floating point."""
    if number != 0 and not SMALLEST <= abs(number) <= LARGEST:
        raise ValueError(f"expr holds the number {number}, {BEYOND}")
    return sp.Rational(number)  # pyright: ignore[reportReturnType]


def _variables(body: ast.expr, d: int) -> dict[str, sp.Symbol]:
    """The real symbols by name; those of the first accepted set that holds all names of the formula."""
    called = {node.func for node in ast.walk(body) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(body) if isinstance(node, ast.Name)]
    names = {node.id for node in found if node not in called} - set(CONSTANTS)
    for accepted in NAMES[d]:
        if names <= set(accepted):
            return {name: sp.Symbol(name, real=True) for name in accepted}
    known = {name for accepted in NAMES[d] for name in accepted}
    unknown = sorted(names - known) or sorted(names)
    choices = " or ".join(", ".join(accepted) for accepted in NAMES[d])
    raise ValueError(
        f"expr has unknown symbols {', '.join(unknown)}; accepted with a box of {d} sides: {choices}, "
        f"and the constants {', '.join(CONSTANTS)}"
    )


class _Reader:
    """Makes a sympy tree of a syntax tree."""

    def __init__(self, text: str, symbols: dict[str, sp.Symbol]) -> None:
        self.text = text
        self.symbols = symbols

    def read(self, node: ast.expr) -> Any:
        """The expression of a node; ValueError for one that is not accepted."""
        match node:
            case ast.Constant(value=value) if not isinstance(value, bool) and isinstance(value, int | float):
                return self._number(node, value)
            case ast.Name(id=name) if name in self.symbols or name in CONSTANTS:
                return self.symbols.get(name, CONSTANTS.get(name))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._bounded(self._power(self.read(left), self.read(right)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                return self._bounded(_OPERATIONS[type(op)](self.read(left), self.read(right)))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
        raise ValueError(
            f"expr holds {ast.unparse(node)!r}, which is not accepted; numbers, + - * / **, pi, E, variables "
            f"and {', '.join(FUNCTIONS)} are"
        )

    def _number(self, node: ast.expr, value: int | float) -> Any:
        literal = (ast.get_source_segment(self.text, node) or "").replace("_", "")
        if isinstance(value, int):
            return self._bounded(sp.Integer(value))
        digits = literal.lower().partition("e")[0]
        if abs(value) == float("inf") or (value == 0 and any(c in "123456789" for c in digits)):
            raise ValueError(f"expr holds the number {literal}, {BEYOND}")
        exact = Fraction(literal)
        return sp.Rational(exact.numerator, exact.denominator)

    def _power(self, base: Any, exponent: Any) -> Any:
        if exponent.free_symbols:
            raise ValueError(f"expr has the exponent {exponent}; write exp({exponent}*log({base})) for it")
        if isinstance(exponent, sp.Rational) and max(abs(exponent.p), exponent.q) > LARGEST_POWER:
            raise ValueError(
                f"expr has the exponent {exponent}; accepted are p/q with |p|, q <= {LARGEST_POWER}"
            )
        if isinstance(base, sp.Rational) and base < 0 and not exponent.is_Integer:
            raise ValueError(f"expr has a power of {base} that is not real, exponent {exponent}")
        return base**exponent

    def _call(self, name: str, args: list[ast.expr]) -> Any:
        if name in KINKED:
            raise ValueError(f"expr uses {name}, which is not twice differentiable everywhere")
        if name not in FUNCTIONS:
            raise ValueError(f"expr has the unknown function {name}; accepted: {', '.join(FUNCTIONS)}")
        if len(args) != 1:
            raise ValueError(f"expr must give {name} one argument, got {len(args)}")
        return self._bounded(FUNCTIONS[name](self.read(args[0])))

    def _bounded(self, tree: Any) -> Any:
        """The tree; ValueError if it is infinite or not real, or a number in it has outgrown ``BITS``."""
        for node in UNREAL:
            if tree.has(node):
                raise _unsupported(self.text, node)
        for number in tree.atoms(sp.Rational):
            if max(abs(int(number.p)), int(number.q)).bit_length() > BITS:
                raise ValueError(f"expr holds a number of more than {BITS} bits")
        return tree


def _require_supported(tree: sp.Expr, text: str) -> None:
    """ValueError unless every node is real and twice differentiable by nature."""
    for node in sp.preorder_traversal(tree):
        fine = (
            isinstance(node, NODES)
            or node.is_Symbol
            or isinstance(node, sp.Rational)
            or node in (sp.pi, sp.E)
            or (isinstance(node, sp.Pow) and not node.exp.free_symbols)
        )
        if not fine:
            raise _unsupported(text, node)
        if isinstance(node, sp.Rational) and node != 0 and not SMALLEST <= abs(node) <= LARGEST:
            raise ValueError(f"expr comes to hold the number {sp.N(node, 5)}, {BEYOND}: {text!r}")


def _unsupported(text: str, node: Any) -> ValueError:
    return ValueError(f"expr must be real, finite and twice differentiable; {text!r} holds {node} for sympy")
