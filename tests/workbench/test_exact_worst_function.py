"""From the Gram matrix back to a problem: the ordinary run on it attains the worst case."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from assumptions import Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.specification import parse_specification
from problems.interpolant import Interpolant
from workbench.engine import run
from workbench.theorems import THEOREMS
from workbench.worst_case import WorstCase, worst_case
from workbench.worst_case.programme import Programme
from workbench.worst_case.translate import question
from workbench.worst_case.worst_function import NoWorstFunctionError, coordinates, worst_function

BY_ID = {theorem.id: theorem for theorem in THEOREMS}
REACHED = {
    "gap": lambda gap, dist: gap[-1],
    "best(gap)": lambda gap, dist: gap[:-1].min(),
    "dist_next**2": lambda gap, dist: dist[-1] ** 2,
}
CASES = (
    ("gd/convex", 1, 0),
    ("gd/convex", 6, 0),
    ("gd/convex", 6, 1),
    ("gd/strongly-convex", 1, 0),
    ("gd/strongly-convex", 1, 1),
    ("ppm/convex", 1, 0),
    ("ppm/convex", 4, 0),
    ("ppm/convex-varying", 3, 0),
    ("nesterov/convex", 4, 0),
    ("subgradient/any-stepsizes", 4, 0),
)


def solved(name: str, steps: int, parameter: int = 0) -> WorstCase:
    return worst_case(BY_ID[name], steps=steps, parameter=parameter)


@pytest.mark.parametrize(("name", "steps", "parameter"), CASES)
def test_a_run_attains_the_worst_case(name: str, steps: int, parameter: int):
    theorem, case = BY_ID[name], solved(name, steps, parameter)
    problem = worst_function(case, case.functions[0])
    assert float(problem.x0.norm()) == pytest.approx(1, rel=1e-6)  # as the bound is normalised
    rules = question(theorem, steps, parameter=parameter).setting.rules
    fixed = {field: float(rules[0][field]) for field in theorem.fields}
    schedule = {
        field: torch.tensor([float(rule[field]) for rule in (*rules, rules[-1])]) for field in theorem.fields
    }
    made = theorem.methods[0](**fixed)
    trace = run(made, problem, steps=case.steps, record=("gap",), schedule=schedule, keep_state=True)
    gap, x = trace["gap"][0], trace.x
    assert x is not None
    reached = REACHED[str(theorem.measured)](gap, x[0].norm(dim=-1))
    assert float(reached) == pytest.approx(case.upper, rel=1e-6)


def test_the_dimension_is_the_rank():
    case = solved("gd/convex", 3)
    assert coordinates(case).rows.shape[1] == 1  # a Huber function on the line
    case = solved("subgradient/any-stepsizes", 3)
    problem = worst_function(case, case.functions[0])
    assert problem.d == coordinates(case).rows.shape[1] == 3
    assert problem.slack > 0


def test_coordinates_have_the_gram_matrix():
    case = solved("subgradient/any-stepsizes", 3)
    rows = coordinates(case).rows
    assert np.abs(rows @ rows.T - case.gram).max() < 1e-6 * np.abs(case.gram).max()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("gd/convex", {Convex, Smooth, Lipschitz}),
        ("gd/strongly-convex", {Convex, StronglyConvex, Smooth}),
        ("nesterov/strongly-convex-step", {Convex, StronglyConvex, Smooth}),
        ("ppm/convex", {Convex, Lipschitz}),
    ],
)
def test_the_class_is_kept_and_it_prints_as_its_call(name: str, kinds: set[type]):
    case = solved(name, 2)
    problem = worst_function(case, case.functions[0])
    assert {type(c.assumption) for c in problem.certified} == kinds
    assert parse_specification(repr(problem), {"Interpolant": Interpolant}) == problem
    assert problem.f_star == 0
    assert torch.equal(torch.as_tensor(problem.x_star), torch.zeros(problem.d, dtype=torch.float64))


# -- bad input -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rough:
    """A case with the numbers of a solver that went wrong."""

    programme: Programme
    gram: np.ndarray
    function_values: np.ndarray


def test_rough_data_are_refused():
    case = solved("gd/convex", 2)
    wrong = Rough(case.programme, case.gram, case.function_values * -1)
    with pytest.raises(NoWorstFunctionError, match="cannot be interpolated: points"):
        worst_function(wrong, case.functions[0])


def test_vectors_of_any_length_are_refused():
    case = solved("gd/convex", 2)
    without = Programme(case.programme.basis, case.programme.objective, {})
    with pytest.raises(NoWorstFunctionError, match=r"the vectors .* of the basis may have any length"):
        worst_function(Rough(without, case.gram, case.function_values), case.functions[0])


def test_nonconvex_classes_are_refused():
    case = solved("gd/nonconvex", 2)
    with pytest.raises(NoWorstFunctionError, match="SmoothFunctions are not rebuilt, convex functions are"):
        worst_function(case, case.functions[0])
    assert replace(case).theorem == "gd/nonconvex"
