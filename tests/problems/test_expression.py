"""Formulas: what is read, exactly, and what is refused, by name."""

import pytest
import sympy as sp

from problems.symbolic.expression import expression_text, parse_expression
from problems.symbolic.shorter_form import shorter
from problems.symbolic.tape import Tape
from problems.symbolic.tensor_arithmetic import TENSORS

X, Y = sp.Symbol("x", real=True), sp.Symbol("y", real=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**4/4 + sin(y)**2", X**4 / 4 + sp.sin(Y) ** 2),
        ("-x + +y - 2", Y - X - 2),
        ("0.1*x", X / 10),
        ("1.5e-3*x", 3 * X / 2000),
        ("1_000*x", 1000 * X),
        ("2**-1 * x", X / 2),
        ("x**(1/2) + sqrt(y)", sp.sqrt(X) + sp.sqrt(Y)),
        ("pi*x + E", sp.pi * X + sp.E),
        ("exp(x)*log(y)*tan(x)*tanh(y)", sp.exp(X) * sp.log(Y) * sp.tan(X) * sp.tanh(Y)),
        ("cosh(x) - sinh(y) + atan(x) + cos(y)", sp.cosh(X) - sp.sinh(Y) + sp.atan(X) + sp.cos(Y)),
        ("tan(x + pi/2)", -sp.cot(X)),
        ("x**2/x", X),
    ],
)
def test_formulas_are_read_exactly(text: str, expected: sp.Expr):
    tree, symbols = parse_expression(text, 2)
    assert tree == expected
    assert symbols == (X, Y)


def test_names_of_variables():
    assert [s.name for s in parse_expression("x1 + x2", 2)[1]] == ["x1", "x2"]
    assert [s.name for s in parse_expression("x2", 2)[1]] == ["x1", "x2"]
    assert [s.name for s in parse_expression("3", 2)[1]] == ["x", "y"]
    assert [s.name for s in parse_expression("x1**2", 1)[1]] == ["x1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x + z", "unknown symbols z; accepted with a box of 2 sides: x, y or x1, x2"),
        ("x1 + y", "unknown symbols x1, y"),
        ("foo(x)", "unknown function foo; accepted: exp, log"),
        ("__import__('os')", "unknown function __import__"),
        ("abs(x)", "abs, which is not twice differentiable"),
        ("Max(x, y)", "Max, which is not twice differentiable"),
        ("sqrt(x**2)", r"holds Abs\(x\)"),
        ("(x**2)**(3/2)", "holds Abs"),
        ("x**y", r"write exp\(y\*log\(x\)\)"),
        ("x**65", "exponent 65; accepted"),
        ("x**(1/65)", "exponent 1/65"),
        ("9**9**9", "exponent 387420489"),
        ("((9**64)**64)**64", "more than 4096 bits"),
        ("1/0", "holds zoo"),
        ("log(-1)", "holds I"),
        ("1e999*x", "1e999, beyond the range"),
        ("1e-999*x", "1e-999, beyond the range"),
        ("exp(x, y)", "give exp one argument, got 2"),
        ("x.real", "'x.real', which is not accepted"),
        ("x if x else y", "not accepted"),
        ("lambda: x", "not accepted"),
        ("True*x", "'True', which is not accepted"),
        ("'a'", "not accepted"),
        ("exp(**x)", "not accepted"),
        ("x +", "must be a formula"),
        ("", "1 to 2000 characters"),
        ("x" + "+x" * 1000, "1 to 2000 characters"),
        (3, "must be a text"),
    ],
)
def test_what_is_not_accepted_is_named(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_expression(text, 2)


def test_one_variable_refuses_the_second():
    with pytest.raises(ValueError, match="unknown symbols y; accepted with a box of 1 sides: x or x1"):
        parse_expression("x + y", 1)


@pytest.mark.parametrize(
    "tree",
    [X**2 / 3 + sp.sqrt(2) * sp.exp(-X), sp.log(1 + sp.exp(-X)) - sp.pi, (1 + X**2) ** sp.Rational(-3, 2)],
    ids=str,
)
def test_sympy_expressions_become_text_that_reads_as_them(tree: sp.Expr):
    assert parse_expression(expression_text(tree), 1)[0] == tree
    assert expression_text(f" {expression_text(tree)} ") == expression_text(tree)


def test_sympy_floats_are_the_fractions_that_they_are():
    text = expression_text(0.1 * sp.Symbol("x"))
    assert text == "3602879701896397*x/36028797018963968"
    assert parse_expression(text, 1)[0] == X * sp.Rational(*(0.1).as_integer_ratio())


def test_sympy_symbols_are_taken_as_real():
    z = sp.Symbol("x")
    with pytest.raises(ValueError, match="Abs"):
        parse_expression(expression_text(sp.sqrt(z**2)), 1)
    with pytest.raises(ValueError, match="text or a sympy expression"):
        expression_text(3)  # pyright: ignore[reportArgumentType]


def test_tapes_compute_common_parts_once():
    inner = sp.exp(X) + 1
    tape = Tape.of([inner**2, sp.log(inner), inner], (X,))
    assert len(tape.steps) == 4
    assert Tape.of([sp.Integer(3), X], (X,)).run(TENSORS, [2.0], [1.0, 3.0])[1] == 2.0


@pytest.mark.parametrize(
    "text",
    [
        "exp(-x)/(1 + exp(-x)) - exp(-2*x)/(1 + exp(-x))**2",
        "3*x*y**2*(x**2 + y**2)**(1/2) + x**3*(x**2 + y**2)**(1/2)",
        "exp(x/3) + exp(-x/2) + exp(x/6)*sin(y)**2 - exp(x/6)",
    ],
)
def test_shorter_forms_are_the_same_function(text: str):
    tree, symbols = parse_expression(text, 2)
    short = shorter(tree)
    assert sp.count_ops(short) <= sp.count_ops(tree)
    for point in ((0.3, 0.7), (1.9, -0.4), (-2.2, 1.5)):
        at = dict(zip(symbols, point, strict=True))
        assert float(short.subs(at)) == pytest.approx(float(tree.subs(at)), rel=1e-12)


def test_long_ratios_of_exponents_are_no_high_powers():
    """A polynomial of degree 10^6 would never be factored."""
    tree, _ = parse_expression("exp(x) + exp(1000001*x/1000000) + exp(y)", 2)
    assert shorter(tree) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x + 1/(1/0)", "holds zoo"),
        ("x/(1/(x - x))", "holds zoo"),
        ("x + log(-1)**2", "holds I"),
        ("x*sqrt(-2)**2", "holds I"),
        ("x*(-8)**(1/3)", "power of -8 that is not real"),
        ("*".join(["10**64"] * 5) + "*x", r"1.0000E\+320, beyond the range"),
        ("(" + "*".join(["10**64"] * 6) + ")**-1*x", "1.0000E-384, beyond the range"),
    ],
)
def test_no_part_is_infinite_or_not_real_or_beyond_floats(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_expression(text, 1)


@pytest.mark.parametrize("name", ["pi", "E", "x+1", "z", "x3"])
def test_sympy_symbols_have_the_names_of_variables(name: str):
    with pytest.raises(ValueError, match="unknown symbols"):
        expression_text(sp.Symbol(name) ** 2)


def test_long_sympy_floats_keep_their_digits():
    text = expression_text(sp.Float("0.1", 30) * X)
    factor = parse_expression(text, 1)[0] / X
    assert 0 < abs(factor - sp.Rational(1, 10)) < sp.Rational(1, 10**30)
    with pytest.raises(ValueError, match="beyond the range"):
        expression_text(sp.Float("1e400") * X)
