"""Signs that are seen from the form of an expression, where enclosures touch 0."""

import sympy as sp

from problems.symbolic.ball_arithmetic import BALLS, above, ball, below
from problems.symbolic.derivatives import Cell, Derivatives
from problems.symbolic.shorter_form import shorter
from problems.symbolic.tape import Tape


def sign_on(e: sp.Expr, symbols: tuple[sp.Symbol, ...], cell: Cell) -> int:
    """1 if e >= 0 on the box, -1 if e <= 0 there, 0 if neither is seen. e must be finite on the box.

    A ball of one sign decides. Else: squares, roots and exponentials are >= 0; sums and products follow.
    """
    enclosed = _enclosed(e, symbols, cell)
    if enclosed:
        return enclosed
    if isinstance(e, sp.Add):
        signs = {sign_on(term, symbols, cell) for term in e.args}
        return signs.pop() if len(signs) == 1 else 0
    if isinstance(e, sp.Mul):
        product = 1
        for factor in e.args:
            product *= sign_on(factor, symbols, cell)
        return product
    if isinstance(e, sp.Pow):
        exponent = e.exp
        if not exponent.is_Integer or exponent.is_even:
            return 1  # a real power of a base that is not negative, where it is finite; or a square
        return sign_on(e.base, symbols, cell)
    return 1 if isinstance(e, sp.exp | sp.cosh) else 0


def is_positive_semidefinite(f: Derivatives, cell: Cell) -> bool:
    """True if the form of the Hessian shows that it is positive semidefinite on the box.

    f'' >= 0; with two variables, both diagonal entries and the determinant are >= 0.
    """
    hessian = f.expressions(2)
    minors = hessian if f.d == 1 else (hessian[0], hessian[2], _determinant(hessian))
    return all(sign_on(minor, f.symbols, cell) > 0 for minor in minors)


def _determinant(hessian: tuple[sp.Expr, ...]) -> sp.Expr:
    return shorter(hessian[0] * hessian[2] - hessian[1] ** 2)


def _enclosed(e: sp.Expr, symbols: tuple[sp.Symbol, ...], cell: Cell) -> int:
    tape = Tape.of([e], symbols)
    (value,) = tape.run(BALLS, [ball(low, high) for low, high in cell], tape.prepare(BALLS))
    return 1 if below(value) >= 0 else -1 if above(value) <= 0 else 0
