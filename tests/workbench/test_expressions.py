"""The evaluator of claims: axes, functions, sizes, recurrences; and a layered method end to end."""

import math
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import pytest
import sympy as sp
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from assumptions import Certificate, Inequality, Layers, Lp, Sides
from assumptions.base import EPS
from problems import Problem
from tests.workbench.toys import OURS, SHORT, verdict
from workbench import (
    Recurrence,
    Theorem,
    avg,
    best,
    client_max,
    client_mean,
    first,
    layer_max,
    layer_sum,
    product,
    symbols,
    total,
)
from workbench.claims import axes_of, support
from workbench.expressions import Evaluator, require_evaluable
from workbench.methods import Method, Point
from workbench.verify import Verdict

a, b, c, k, s_i, t_i, u_j, v_ji = symbols("a b c k s_i t_i u_j v_ji")

B, STEPS, LAYERS, CLIENTS = 2, 3, 5, 4
G = torch.Generator().manual_seed(0)


def table(*axes):
    return torch.rand(B, STEPS + 1, *axes, dtype=torch.float64, generator=G) + 0.5


ENV = {
    "a": table(),
    "b": table(),
    "c": torch.full((1, 1), 3.0, dtype=torch.float64),
    "k": torch.arange(STEPS + 1, dtype=torch.float64)[None],
    "s_i": table(LAYERS),
    "t_i": torch.rand(1, 1, LAYERS, dtype=torch.float64, generator=G),
    "u_j": table(CLIENTS),
    "v_ji": table(CLIENTS, LAYERS),
}
A, BB, S, T, U, V = (ENV[n] for n in ("a", "b", "s_i", "t_i", "u_j", "v_ji"))


def value(e, axes=""):
    return Evaluator(ENV, STEPS)(e, axes)


def size(e):
    return Evaluator(ENV, STEPS, {n: x.abs() for n, x in ENV.items()})(e)


def agree(e, expected):
    torch.testing.assert_close(value(e).expand(expected.shape), expected, rtol=1e-13, atol=0, equal_nan=True)


# -- axes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("g_i", "i"),
        ("g_i_next", "i"),
        ("g_i0", "i"),
        ("L0_i", "i"),
        ("x_j", "j"),
        ("x_ji0", "ji"),
        ("gap", ""),
        ("L0", ""),
        ("mu_pl", ""),
        ("i", ""),
        ("phi", ""),
    ],
)
def test_axes_are_named_by_the_ending(name, axes):
    assert axes_of(name) == axes


def test_layers_are_summed_and_maximised():
    agree(layer_sum(s_i), S.sum(-1))
    agree(layer_max(s_i), S.amax(-1))
    agree(layer_sum(s_i**2 / (2 * t_i)), (S**2 / (2 * T)).sum(-1))


def test_clients_are_averaged_and_maximised():
    agree(client_mean(u_j), U.mean(-1))
    agree(client_max(u_j), U.amax(-1))


def test_scalars_inside_a_reduction_get_its_axis():
    agree(layer_sum(a * s_i + c), (A[..., None] * S + 3).sum(-1))
    agree(client_mean(k * u_j - b), (ENV["k"][..., None] * U - BB[..., None]).mean(-1))
    agree(layer_sum(sp.Max(s_i, a)), torch.maximum(S, A[..., None]).sum(-1))
    agree(layer_sum(sp.Piecewise((s_i, s_i > a), (2, True))), torch.where(A[..., None] < S, S, 2.0).sum(-1))


def test_both_axes_together_in_either_order():
    weighted = V * U[..., None] * S[:, :, None] * T
    agree(client_mean(layer_sum(v_ji * u_j * s_i * t_i)), weighted.sum(-1).mean(-1))
    agree(layer_sum(client_mean(v_ji * u_j * s_i * t_i)), weighted.mean(2).sum(-1))
    agree(layer_max(s_i * client_max(v_ji)), (S * V.amax(2)).amax(-1))
    agree(client_mean(u_j * layer_max(v_ji)), (U * V.amax(-1)).mean(-1))
    agree(layer_sum(s_i) * client_max(u_j) + a, S.sum(-1) * U.amax(-1) + A)


def test_a_reduction_inside_one_of_the_same_axis_is_a_constant_there():
    agree(layer_sum(s_i * layer_max(t_i)), S.sum(-1) * T.amax(-1))
    agree(layer_sum(s_i / layer_sum(s_i)), torch.ones(B, STEPS + 1, dtype=torch.float64))
    agree(client_max(u_j - client_mean(u_j)), U.amax(-1) - U.mean(-1))
    agree(client_mean(layer_sum(v_ji * layer_max(s_i)) * u_j), (V.sum(-1) * U).mean(-1) * S.amax(-1))
    agree(client_mean(u_j * layer_sum(client_max(v_ji))), U.mean(-1) * V.amax(2).sum(-1))


def past(x, fold):
    rows = [torch.full_like(x[:, 0], math.nan), *(fold(x[:, :n]) for n in range(1, STEPS + 1))]
    return torch.stack(rows, 1)


def test_steps_and_axes_nest():
    agree(total(layer_sum(s_i)), past(S.sum(-1), lambda x: x.sum(1)))
    agree(layer_sum(best(s_i)), past(S, lambda x: x.amin(1)).sum(-1))
    agree(layer_max(avg(s_i * a)), past(S * A[..., None], lambda x: x.mean(1)).amax(-1))
    agree(client_mean(product(layer_sum(v_ji))), past(V.sum(-1), lambda x: x.prod(1)).mean(-1))
    agree(best(client_max(u_j)) + a, past(U.amax(-1), lambda x: x.amin(1)) + A)


def test_first_works_layer_by_layer():
    env = {"s_i": torch.tensor([[[4.0, 1.0], [3.0, 1.0], [2.0, 1.0], [1.0, 1.0]]], dtype=torch.float64)}
    assert Evaluator(env, 3)(layer_sum(first(s_i <= 2))).tolist() == [[2.0]]
    assert Evaluator(env, 3)(layer_max(first(s_i < 1))).tolist() == [[math.inf]]


@pytest.mark.parametrize(
    ("e", "message"),
    [
        (s_i + a, "s_i has a layer axis: reduce over it first"),
        (client_mean(v_ji), "v_ji has a layer axis: reduce over it first"),
        (layer_sum(v_ji), "v_ji has a client axis: reduce over it first"),
        (v_ji, "v_ji has a client and a layer axis"),
        (layer_sum(s_i * u_j), "u_j has a client axis"),
        (total(s_i), "s_i has a layer axis"),
        (layer_sum(a), "nothing in layer_sum.a. has a layer axis"),
        (layer_sum(u_j), "nothing in layer_sum.u_j. has a layer axis"),
        (client_max(c), "nothing in client_max.c. has a client axis"),
        (layer_sum(sp.Integer(1)), "nothing in layer_sum.1. has a layer axis"),
    ],
)
def test_what_is_not_reduced_or_not_there_is_rejected_before_any_run(e, message):
    for reject in (value, size, require_evaluable):
        with pytest.raises(ValueError, match=message):
            reject(e)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("s_i", (B, STEPS + 1)), ("a", (B, STEPS + 1, 1)), ("v_ji", (B, STEPS + 1, 3)), ("a", (B,))],
)
def test_a_table_without_the_axes_of_its_name_is_rejected(name, shape):
    """layer_sum over (batch, K + 1) would add up steps."""
    e = {"s_i": layer_sum(s_i), "a": a, "v_ji": layer_sum(client_mean(v_ji))}[name]
    with pytest.raises(ValueError, match=f"{name} must have shape .batch, K . 1.*got"):
        Evaluator({name: torch.ones(shape, dtype=torch.float64)}, STEPS)(e)


def test_a_rule_of_a_layered_hyperparameter_keeps_the_axis():
    torch.testing.assert_close(value(a / s_i, "i"), A[..., None] / S)
    assert value(1 / t_i, "i").shape == (1, 1, LAYERS)
    assert value(sp.Integer(2), "i").shape == (1, 1, 1)
    require_evaluable(1 / t_i, "i")
    with pytest.raises(ValueError, match="u_j has a client axis"):
        require_evaluable(1 / u_j, "i")


# -- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (sp.Max(a, b, c / 3), torch.maximum(torch.maximum(A, BB), torch.ones_like(A))),
        (sp.Min(a, b), torch.minimum(A, BB)),
        (sp.Abs(a - b), (A - BB).abs()),
        (sp.exp(-a) * sp.log(b), (-A).exp() * BB.log()),
        (sp.sqrt(a) + a ** sp.Rational(1, 3), A.sqrt() + A ** (1 / 3)),
        (a**3 / b**2 - 1 / a, A**3 / BB**2 - 1 / A),
        (a**b, A**BB),
        (a**k, torch.stack([A[:, n] ** n for n in range(4)], 1)),
        (sp.ceiling(3 * a) + sp.floor(5 * b), (3 * A).ceil() + (5 * BB).floor()),
        (sp.sign(a - b), (A - BB).sign()),
        (sp.pi * sp.E * sp.sqrt(2) * a, math.pi * math.e * math.sqrt(2) * A),
        (a + sp.oo, torch.full_like(A, math.inf)),
        (
            sp.Piecewise((a, k < 1), (b, k < 2)),
            torch.where(ENV["k"] < 1, A, torch.where(ENV["k"] < 2, BB, math.nan)),
        ),
        (sp.Piecewise((1, a > b), (2 * b, True)), torch.where(A > BB, 1.0, 2 * BB)),
        (total(sp.Integer(1)), torch.tensor([[math.nan, 1, 2, 3]] * B, dtype=torch.float64)),
        (total(sp.Integer(1)) + 1, torch.tensor([[math.nan, 2, 3, 4]] * B, dtype=torch.float64)),
        (sp.Max(total(sp.Integer(1)), 2, a), torch.tensor([[math.nan, 2, 2, 3]] * B, dtype=torch.float64)),
        (total(sp.Float(0.5)), torch.tensor([[math.nan, 0.5, 1, 1.5]] * B, dtype=torch.float64)),
        (product(sp.Integer(2)), torch.tensor([[math.nan, 2, 4, 8]] * B, dtype=torch.float64)),
    ],
    ids=str,
)
def test_functions(e, expected):
    agree(e, expected)


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        ((a < b) & (k >= 2), (A < BB) & (ENV["k"] >= 2)),
        ((a < b) | sp.Not(k >= 2), (A < BB) | (ENV["k"] < 2)),
        (sp.Eq(k, 2), ENV["k"] == 2),
        (sp.Ne(k, 2) & (c > 1) & (a >= 0), ENV["k"] != 2),
        (sp.true, torch.tensor(True)),
        (sp.false, torch.tensor(False)),
    ],
    ids=str,
)
def test_conditions(e, expected):
    found = value(e)
    assert found.dtype == torch.bool
    assert torch.equal(found.expand(B, STEPS + 1), expected.expand(B, STEPS + 1))


@pytest.mark.parametrize(
    ("e", "name"),
    [
        (sp.sin(a), "sin"),
        (total(sp.gamma(a)), "gamma"),
        (sp.Function("mine")(a), "mine"),
        (sp.Mod(a, b), "Mod"),
        (sp.Derivative(a**2, a), "Derivative"),
        (sp.Xor(a < b, b < c), "Xor"),
    ],
)
def test_unsupported_functions_are_named_before_any_run(e, name):
    for reject in (value, require_evaluable):
        with pytest.raises(
            ValueError,
            match=rf"^{name} in .* is not supported in a claim; .*Add.*exp.*reductions of workbench are$",
        ):
            reject(e)


# -- sizes ----------------------------------------------------------------------------------------

LEAVES = st.sampled_from([a, b, c, sp.Integer(2), sp.Rational(-1, 3), sp.Rational(7, 2)])


def grown(inner):
    positive = inner.map(lambda e: e**2 + sp.Rational(1, 2))
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] - p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, positive).map(lambda p: p[0] / p[1]),
        inner.map(lambda e: e**2),
        positive.map(sp.sqrt),
        positive.map(lambda e: sp.exp(-e)),
        positive.map(sp.log),
        st.tuples(inner, inner).map(lambda p: sp.Max(*p)),
        st.tuples(inner, inner).map(lambda p: sp.Min(*p)),
        inner.map(sp.Abs),
        inner.map(total),
        inner.map(best),
        inner.map(avg),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6)
ENTRIES = st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=4, max_size=4)


def nested(e):
    reductions = (total, best, avg)
    return any(inner.has(*reductions) for node in e.atoms(*reductions) for inner in node.args)


@settings(max_examples=400)
@given(EXPRESSIONS, ENTRIES, ENTRIES)
def test_sizes_bound_values_and_their_rounding(e, first_entries, second_entries):
    """eps * size * (number of operations) covers the difference between two ways to evaluate."""
    assume(not nested(e))
    env = {
        n: torch.tensor([x], dtype=torch.float64) for n, x in (("a", first_entries), ("b", second_entries))
    }
    env["c"] = torch.tensor([[1.7]], dtype=torch.float64)
    sizes = Evaluator(env, 3, {n: x.abs() for n, x in env.items()})(e).expand(1, 4)
    values = Evaluator(env, 3)(e).expand(1, 4)
    assert torch.equal(sizes.isnan(), values.isnan())
    seen = ~values.isnan()
    assert (values.abs() <= sizes * (1 + 1e-12))[seen].all()
    exact = exact_values(e, env, seen[0].tolist())
    operations = 8 + 4 * sp.count_ops(e)
    assert ((values - exact).abs() <= operations * EPS * sizes + 1e-300)[seen].all()


def exact_values(e, env, defined):
    """The same by sympy in 60 digits, reductions written out."""
    rows = {n: [sp.Float(v, 60) for v in x.expand(1, 4)[0].tolist()] for n, x in env.items()}

    def at(node, j):
        if isinstance(node, sp.Symbol):
            return rows[node.name][j]
        if isinstance(node, total | best | avg):
            past = [at(node.args[0], i) for i in range(j)]
            return (
                sp.Min(*past) if isinstance(node, best) else sum(past) / (1 if isinstance(node, total) else j)
            )
        return node.func(*(at(x, j) for x in node.args)) if node.args else node

    return torch.tensor(
        [[float(sp.N(at(e, j), 40)) if defined[j] else math.nan for j in range(4)]], dtype=torch.float64
    )


def test_the_size_of_a_difference_is_the_sum_of_its_terms():
    torch.testing.assert_close(size(a - b), A + BB)
    torch.testing.assert_close(size(a * (b - a) - c), A * (A + BB) + 3)
    torch.testing.assert_close(size(total(a - b)), past(A + BB, lambda x: x.sum(1)), equal_nan=True)
    torch.testing.assert_close(size(layer_sum(s_i - t_i)), (S + T).sum(-1))
    torch.testing.assert_close(size(layer_max(s_i - a)), (S + A[..., None]).amax(-1))


def test_the_size_of_a_quotient_grows_where_the_denominator_cancels():
    env = {
        "a": torch.tensor([[1.0]], dtype=torch.float64),
        "b": torch.tensor([[1.0 - 1e-8]], dtype=torch.float64),
    }
    assert float(Evaluator(env, 0, env)(1 / (a - b))) == pytest.approx(2e16, rel=1e-6)
    assert float(Evaluator(env, 0, env)(1 / (a - b) ** 3)) == pytest.approx(3 * 2e32, rel=1e-6)
    assert float(Evaluator(env, 0, env)(sp.log(a - b))) == pytest.approx(2e8, rel=1e-6)


def test_the_size_of_a_root_stays_finite_where_its_argument_cancels():
    """sqrt(x) at x = 0 known up to eps * size is at most sqrt(eps * size), not anything."""
    env = {"a": torch.zeros(1, 1, dtype=torch.float64)}
    found = Evaluator(env, 0, {"a": torch.ones(1, 1, dtype=torch.float64)})(sp.sqrt(a))
    assert EPS * float(found) == pytest.approx(math.sqrt(EPS))


def test_the_size_of_a_power_k_of_zero_is_one_at_the_start():
    env = {"a": torch.zeros(1, 1, dtype=torch.float64), "k": ENV["k"]}
    found = Evaluator(env, STEPS, env)(a**k)
    assert found[0].tolist() == [1, 0, 0, 0]


def test_the_size_of_the_best_is_that_of_its_entry():
    values = {"a": torch.tensor([[-10.0, 1.0, -20.0, 0.0]], dtype=torch.float64)}
    sizes = {"a": torch.tensor([[1e6, 1.0, 30.0, 0.0]], dtype=torch.float64)}
    assert Evaluator(values, 3, sizes)(best(a))[0, 1:].tolist() == [1e6, 1e6, 30.0]


# -- recurrences ----------------------------------------------------------------------------------


def test_a_recurrence_of_two_variables_is_a_loop():
    P, Q = symbols("P Q")
    r = Recurrence(
        start={"P": a, "Q": sp.Integer(1)}, update={"P": P * b + Q, "Q": sp.Max(Q / 2, P - c)}, value="P"
    )
    assert support(r, set()) == (0, 0)
    for row in range(B):
        p, q, expected = float(A[row, 0]), 1.0, []
        for n in range(STEPS + 1):
            expected.append(p)
            p, q = p * float(BB[row, n]) + q, max(q / 2, p - 3.0)
        assert value(r)[row].tolist() == pytest.approx(expected, rel=1e-13)
    assert (size(r) >= value(r).abs()).all()


def test_a_recurrence_may_reduce_over_layers_and_use_k():
    P = symbols("P")
    found = value(Recurrence(start={"P": 0}, update={"P": P + k * layer_sum(s_i)}, value="P"))
    steps = [n * S[:, n].sum(-1) for n in range(STEPS)]
    assert found[:, 0].tolist() == [0, 0]
    torch.testing.assert_close(found[:, -1], reduce(torch.add, steps))


@pytest.mark.parametrize(
    ("start", "update", "value_name"),
    [({"P": 1}, {"Q": 1}, "P"), ({"P": 1}, {"P": 1}, "Q"), ({"P": 1, "Q": 1}, {"P": 1}, "P")],
)
def test_the_parts_of_a_recurrence_must_fit(start, update, value_name):
    with pytest.raises(ValueError, match="start and update must name the same variables"):
        Recurrence(start=start, update=update, value=value_name)


def test_a_recurrence_cannot_reduce_over_steps():
    with pytest.raises(ValueError, match="cannot contain reductions over steps"):
        support(Recurrence(start={"P": 1}, update={"P": total(a)}, value="P"), set())


# -- where a side is defined ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (a + 1, (0, 0)),
        (symbols("a_next") + a, (0, -1)),
        (total(a) + a, (1, 0)),
        (total(symbols("a_next")), (1, 0)),
        (total(a) + symbols("a_next"), (1, -1)),
        (first(a < b), (-1, 0)),
        (layer_sum(total(s_i)), (1, 0)),
        (sp.true, (0, 0)),
        (3, (0, 0)),
    ],
    ids=str,
)
def test_support(e, expected):
    assert support(e, {"a_next"}) == expected


# -- a layered method, written as a user would ----------------------------------------------------


@dataclass(frozen=True)
class LayerSmooth(Inequality):
    """f(y) <= f(x) + <grad f(x), y - x> + sum_i L0_i |y_i - x_i|_i^2 / 2, norms of the layers."""

    L0_i: tuple[float, ...]
    layers: Layers
    sense: ClassVar = {"L0_i": -1}

    def sides(self, problem: Problem, *points: Tensor) -> Sides:
        x, y = points
        slope = (problem.grad(x) * (y - x)).sum(-1)
        lhs = (problem.value(y) - problem.value(x) - slope).clamp(min=0)
        rhs = (x.new_tensor(self.L0_i) * self.layers.norm_i(y - x) ** 2).sum(-1) / 2
        return Sides(lhs, rhs, 64 * EPS * (problem.value(x) + problem.value(y) + slope.abs()))

    @classmethod
    def estimate(cls, problem, *points, **options):
        return {}


@dataclass(frozen=True)
class TwoBlocks(Problem):
    """f = (h_1 |x_1|_2^2 + h_2 |x_2|_2^2) / 2 with x_1 in R^2 Euclidean, x_2 in R^3 in the largest entry.

    |z|_2^2 <= 3 |z|_inf^2 in R^3, so L0_i = (h_1, 3 h_2), with equality on the diagonal.
    """

    h: tuple[float, float] = (2.0, 0.5)
    f_star: float = 0.0
    d: int = 5  # pyright: ignore[reportIncompatibleMethodOverride]
    x0 = torch.tensor([1.0, -2.0, 3.0, 3.0, -3.0], dtype=torch.float64)  # pyright: ignore[reportAssignmentType]
    x_star = torch.zeros(5, dtype=torch.float64)

    @property
    def layers(self) -> Layers:
        return Layers(((2,), (3,)), (Lp(2.0), Lp(math.inf)))

    @property
    def L0_i(self) -> tuple[float, float]:
        return (self.h[0], 3 * self.h[1])

    @property
    def certified(self) -> tuple[Certificate, ...]:
        return (Certificate(LayerSmooth(self.L0_i, self.layers), "by hand"),)

    def _h(self, x: Tensor) -> Tensor:
        return x.new_tensor((self.h[0],) * 2 + (self.h[1],) * 3)

    def value(self, x: Tensor) -> Tensor:
        return (self._h(x) * x.square()).sum(-1) / 2

    def grad(self, x: Tensor) -> Tensor:
        return self._h(x) * x


@dataclass(frozen=True)
class LayeredSteepest(Method):
    """x_i_next = x_i - scale |g_i|_i* / L0_i lmo_i(g_i): steepest descent in the norm of each layer."""

    scale: float | Tensor = 1.0
    quantities: ClassVar = {
        "g_i": lambda problem, method, state: problem.layers.dual_i(problem.grad(state.x))
    }

    def step(self, problem, state, draw):
        g = problem.grad(state.x)
        lengths_i = self.scale * problem.layers.dual_i(g) / g.new_tensor(problem.L0_i)
        return Point(state.x - problem.layers.lmo_direction(g, lengths_i))


gap, gap_next, g_i, L0_i, scale = symbols("gap gap_next g_i L0_i scale")


def layered(bound):
    return Theorem(
        id="test/layered",
        title="descent layer by layer",
        source=OURS,
        method=LayeredSteepest,
        parameters={"scale": 1},
        assumes=(LayerSmooth,),
        measured=gap_next,
        bound=bound,
        proof="the inequality of LayerSmooth at y = x_next",
    )


def test_a_claim_over_layers_holds():
    record = verdict(layered(gap - layer_sum(g_i**2 / (2 * L0_i))), TwoBlocks())
    assert record.verdict == Verdict.NOT_REFUTED, record.reason
    # late steps, at which rounding exceeds both sides, are not counted
    assert SHORT.steps * SHORT.starts / 2 < record.checked <= SHORT.steps * SHORT.starts
    assert record.certificate[0].startswith("LayerSmooth(L0_i=(2.0, 1.5)")


@pytest.mark.parametrize(
    "bound",
    [
        gap - layer_sum(g_i**2 / L0_i),
        gap - layer_sum(g_i**2) / (2 * layer_max(L0_i)) * 1.9,
        gap / 2 - layer_max(g_i),
    ],
    ids=str,
)
def test_a_false_claim_over_layers_is_refuted(bound):
    assert verdict(layered(bound), TwoBlocks()).verdict == Verdict.REFUTED


def test_a_wrong_constant_of_one_layer_is_a_bad_certificate():
    class Wrong(TwoBlocks):
        L0_i = (2.0, 0.6)  # pyright: ignore[reportAssignmentType]

    record = verdict(layered(gap - layer_sum(g_i**2 / (2 * L0_i))), Wrong())
    assert record.verdict == Verdict.BAD_CERTIFICATE


def test_an_unreduced_layer_is_rejected_when_the_theorem_is_made():
    with pytest.raises(ValueError, match="g_i has a layer axis"):
        layered(gap - g_i**2 / 2)
    with pytest.raises(ValueError, match="sin in"):
        layered(gap - sp.sin(gap))
