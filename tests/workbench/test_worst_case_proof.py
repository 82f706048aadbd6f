"""Forms, classes, programmes, and certificates that must be rejected when anything in them is wrong."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq

from workbench.theorems import THEOREMS
from workbench.worst_case import Certificate, CertificateError, Programme, ProgrammeError, bounded, verify
from workbench.worst_case.certificate import semidefinite
from workbench.worst_case.chain import gradient_descent
from workbench.worst_case.classes import (
    BoundedIndicators,
    ConvexFunctions,
    LipschitzConvexFunctions,
    Sample,
    SmoothFunctions,
)
from workbench.worst_case.conic import solve
from workbench.worst_case.gram import NOTHING, ORIGIN, Basis, Form, exact, inner, square
from workbench.worst_case.model import Unknown
from workbench.worst_case.primal import inner_point, repaired
from workbench.worst_case.result import rounded_down, rounded_up
from workbench.worst_case.rounding import certify
from workbench.worst_case.translate import question

GD = next(t for t in THEOREMS if t.id == "gd/convex")


def descent(steps, normalised=True, kind=None):
    basis = Basis()
    f = Unknown(basis, "f", kind or ConvexFunctions(0, 1))
    f.know(ORIGIN, ORIGIN, NOTHING, "*")
    x0 = basis.vector("x0")
    states = gradient_descent(f, None, x0, [{"stepsize": 1}] * steps)
    objective = f.at(states[-1]["x"]).f
    start = {"start": square(x0) - 1} if normalised else {}
    return Programme(basis, (objective,), {**f.conditions(), **start})


# -- forms -------------------------------------------------------------------------------------------


def test_forms_follow_the_numbers_they_stand_for():
    rng = np.random.default_rng(0)
    basis = Basis()
    u, v = basis.vector("u"), basis.vector("v")
    f = basis.value("f")
    points = rng.normal(size=(2, 3))
    form = square(2 * u - v / 3) - 5 * inner(u, v + u) + f / 2 - 1
    a, b = points
    number = np.sum((2 * a - b / 3) ** 2) - 5 * a @ (a + b) + 0.75 - 1
    assert form.at(points @ points.T, np.array([1.5])) == pytest.approx(number, rel=1e-13)


def test_what_cancels_leaves_no_trace():
    basis = Basis()
    u, v = basis.vector("u"), basis.vector("v")
    assert square(u + v) - square(u) - square(v) - 2 * inner(u, v) == Form({}, {}, fmpq(0))


@pytest.mark.parametrize(
    ("number", "error"), [(float("nan"), ValueError), ("1", TypeError), (True, TypeError)]
)
def test_coefficients_are_numbers(number, error):
    with pytest.raises(error, match="coefficient must be"):
        exact(number)


def test_names_are_taken_once():
    basis = Basis()
    basis.vector("x")
    with pytest.raises(ValueError, match="'x' is taken"):
        basis.vector("x")


# -- classes -----------------------------------------------------------------------------------------


def samples_of(gradient, value, points):
    """Samples of a function, with basis vectors e_1, ... and values as constants."""
    basis = Basis()
    axes = [basis.vector(f"e{i}") for i in range(points.shape[1])]

    def vector(numbers):
        return sum((axis * float(c) for axis, c in zip(axes, numbers, strict=True)), start=ORIGIN)

    return [
        Sample(str(n), vector(x), vector(gradient(x)), Form({}, {}, exact(float(value(x)))))
        for n, x in enumerate(points)
    ]


H = np.diag([1.0, 3.0, -2.0])


@pytest.mark.parametrize(
    ("kind", "gradient", "value"),
    [
        (
            ConvexFunctions(1, 4),
            lambda x: np.diag([1.0, 3, 4]) @ x,
            lambda x: x @ np.diag([1.0, 3, 4]) @ x / 2,
        ),
        (ConvexFunctions(), np.sign, lambda x: np.abs(x).sum()),
        (SmoothFunctions(3), lambda x: H @ x, lambda x: x @ H @ x / 2),
        (LipschitzConvexFunctions(2), np.sign, lambda x: np.abs(x).sum()),
    ],
    ids=["strongly convex smooth", "convex", "smooth", "lipschitz"],
)
def test_functions_of_the_class_satisfy_its_conditions(kind, gradient, value):
    points = np.random.default_rng(1).normal(size=(5, 3))
    samples = samples_of(gradient, value, points)
    conditions = dict(kind.conditions(samples))
    assert len(conditions) >= 20
    assert max(form.at(np.eye(3), np.zeros(0)) for form in conditions.values()) <= 1e-12


@pytest.mark.parametrize(
    ("kind", "scale"), [(ConvexFunctions(1, 4), 1.3), (SmoothFunctions(3), 1.8)], ids=["convex", "smooth"]
)
def test_functions_outside_the_class_do_not(kind, scale):
    matrix = np.diag([1.0, 3.0, 4.0]) * scale
    points = np.random.default_rng(1).normal(size=(5, 3))
    samples = samples_of(lambda x: matrix @ x, lambda x: x @ matrix @ x / 2, points)
    assert max(form.at(np.eye(3), np.zeros(0)) for _, form in kind.conditions(samples)) > 1e-3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConvexFunctions(2, 1), "L must be > mu and > 0, got mu = 2 and L = 1"),
        (lambda: ConvexFunctions(-1), "mu must be >= 0, got -1"),
        (lambda: ConvexFunctions(0, float("inf")), "L must be a finite number, got inf"),
        (lambda: SmoothFunctions(0), "L must be > 0, got 0"),
        (lambda: LipschitzConvexFunctions(-1), "G must be > 0, got -1"),
        (lambda: BoundedIndicators(0), "D must be > 0, got 0"),
    ],
    ids=["mu > L", "mu < 0", "infinite L", "smooth", "lipschitz", "indicator"],
)
def test_constants_of_classes_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# -- programmes --------------------------------------------------------------------------------------


def test_a_missing_normalisation_is_named():
    with pytest.raises(ProgrammeError, match="unbounded: a normalisation of the start"):
        bounded(descent(1, normalised=False))


def test_contradicting_constraints_are_named():
    programme = descent(1)
    x0 = square(exact_vector(programme, "x0"))
    with pytest.raises(ProgrammeError, match="infeasible"):
        bounded(dataclasses.replace(programme, equalities={"far": x0 - 4}))


def exact_vector(programme, name):
    from workbench.worst_case.gram import ONE, Vector

    return Vector({programme.basis.vectors.index(name): ONE})


def test_an_empty_objective_is_named():
    with pytest.raises(ValueError, match="objective must hold at least one form"):
        Programme(Basis(), (), {})


def test_the_smallest_of_several_objectives_counts():
    programme = descent(2)
    both = dataclasses.replace(programme, objective=(programme.objective[0], programme.objective[0] / 2))
    found = bounded(both, Fraction(1, 20))
    assert found.proof.value == Fraction(1, 20)
    assert found.proof.weights == (0, 1)


def test_a_constraint_that_no_dual_uses_is_left_out():
    """The gradient at a point that only a free gradient touches can always be chosen."""
    asked = question(next(t for t in THEOREMS if t.id == "ppm/convex"), 2)
    kept = asked.programme.without_idle()
    assert 0 < len(kept.constraints) < len(asked.programme.constraints)
    assert kept.free_products() == []


# -- certificates ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proved():
    programme = descent(2)
    return programme, bounded(programme, Fraction(1, 10)).proof


def test_a_true_certificate_is_accepted(proved):
    programme, proof = proved
    verify(programme, proof)
    assert proof.value == Fraction(1, 10)


def test_the_value_cannot_be_smaller(proved):
    programme, proof = proved
    with pytest.raises(CertificateError, match="the multipliers prove"):
        verify(programme, dataclasses.replace(proof, value=proof.value - Fraction(1, 10**12)))


@pytest.mark.parametrize("sign", [1, -1])
def test_every_multiplier_matters(proved, sign):
    programme, proof = proved
    for name, number in proof.multipliers.items():
        changed = {**proof.multipliers, name: number * (1 + sign * Fraction(1, 10**9))}
        with pytest.raises(CertificateError):
            verify(programme, dataclasses.replace(proof, multipliers=changed))


def test_negative_multipliers_are_rejected(proved):
    programme, proof = proved
    with pytest.raises(CertificateError, match="negative multipliers of inequalities: start"):
        verify(
            programme, dataclasses.replace(proof, multipliers={**proof.multipliers, "start": Fraction(-1)})
        )


def test_unknown_names_are_rejected(proved):
    programme, proof = proved
    with pytest.raises(CertificateError, match="do not fit the programme"):
        verify(programme, dataclasses.replace(proof, multipliers={"nonsense": Fraction(1)}))


def test_weights_sum_to_one(proved):
    programme, proof = proved
    with pytest.raises(CertificateError, match="sum 1"):
        verify(programme, Certificate(proof.value, (Fraction(2),), proof.multipliers))


def test_noise_proves_nothing_too_small(proved):
    programme, proof = proved
    solution = solve(programme, above=1e-9)
    rng = np.random.default_rng(0)
    for size in (1e-8, 1e-4, 1e-2, 1.0):
        noise = 1 + size * rng.uniform(-1, 1, len(solution.multipliers))
        try:
            found = certify(
                programme, dataclasses.replace(solution, multipliers=solution.multipliers * noise)
            )
        except CertificateError:
            continue
        verify(programme, found)
        assert found.value >= proof.value


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 1], [1, 1]], True),
        ([[0, 0], [0, 2]], True),
        ([[0, 1], [1, 5]], False),
        ([[1, 2], [2, 3]], False),
        ([[2, 1, 1], [1, 2, 1], [1, 1, 2]], True),
        ([[1, 1, 0], [1, 1, 1], [0, 1, 1]], False),
        ([[-1]], False),
        ([], True),
    ],
)
def test_semidefinite_is_exact(matrix, expected):
    assert semidefinite([[fmpq(entry) / 7 for entry in row] for row in matrix]) is expected


def test_semidefinite_sees_what_floats_do_not():
    tiny = fmpq(1, 10**40)
    assert semidefinite([[fmpq(1), fmpq(1)], [fmpq(1), 1 + tiny]])
    assert not semidefinite([[fmpq(1), fmpq(1)], [fmpq(1), 1 - tiny]])


def test_a_repaired_point_satisfies_every_condition():
    programme = descent(4)
    solution = solve(programme, above=1e-9)
    point = repaired(programme, solution, lambda: inner_point(programme))
    assert point is not None
    assert np.linalg.eigvalsh(point.gram).min() >= -1e-14
    assert max(form.at(point.gram, point.values) for form in programme.constraints.values()) <= 0
    assert point.value == pytest.approx(1 / 18, rel=1e-6)


def test_floats_are_rounded_outward():
    third = Fraction(1, 3)
    assert Fraction(rounded_down(third)) < third < Fraction(rounded_up(third))
    assert rounded_up(Fraction(1, 2)) == rounded_down(Fraction(1, 2)) == 0.5


def test_the_bound_of_the_question_is_the_theorem_s():
    assert question(GD, 3).bound == Fraction(1, 14)
    assert question(GD, 3, {"L": 3}, 1).bound == Fraction(3, 8)
