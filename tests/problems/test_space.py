"""Ranges of parameters: the same draws as ever, and every value from a point of the cube."""

import numpy as np
import pytest

from problems.matrix_space import Matrices, Semidefinite
from problems.space import Choice, Integers, LogUniform, Uniform, Vector

RANGES = {
    "uniform": Uniform(-3.0, 5.0),
    "log-uniform": LogUniform(0.01, 100.0),
    "integers": Integers(2, 7),
    "choice": Choice(("a", "b", "c")),
    "vector": Vector(Uniform(0.0, 1.0), 1, 4),
    "vector of one length": Vector(Integers(0, 3), 3, 3),
    "rows": Vector(Vector(Uniform(-1.0, 1.0), 2, 2), 1, 3),
    "matrices": Matrices(1, 3),
    "semidefinite": Semidefinite(1, 3),
}


@pytest.mark.parametrize(
    ("range_", "value"),
    [
        (Uniform(-3.0, 5.0), 2.0956934985716344),
        (LogUniform(0.01, 100.0), 3.530585630408595),
        (Integers(2, 7), 7),
        (Choice(("a", "b", "c")), "c"),
        (Vector(Uniform(0.0, 1.0), 1, 2), (0.2697867137638703, 0.04097352393619469)),
        (
            Matrices(1, 2),
            ((-0.1321048632913019, 0.6404226504432821), (0.10490011715303971, -0.535669373161111)),
        ),
        (
            Semidefinite(1, 2),
            ((0.2137964330530059, -0.178456307678437), (-0.178456307678437, 0.1489728559607695)),
        ),
    ],
    ids=["uniform", "log-uniform", "integers", "choice", "vector", "matrices", "semidefinite"],
)
def test_draws_are_what_they_were(range_, value):
    assert range_.draw(np.random.default_rng(0)) == value


@pytest.mark.parametrize("name", RANGES)
def test_points_of_the_cube_give_values_as_draws_do(name):
    range_ = RANGES[name]
    points = np.random.default_rng(1).random((400, range_.width))
    reached = [range_.at(point.tolist()) for point in points]
    drawn = [range_.draw(np.random.default_rng(seed)) for seed in range(400)]
    assert {_shape(v) for v in reached} == {_shape(v) for v in drawn}
    one, two = ([_size(v) for v in values] for values in (reached, drawn))
    assert abs(np.mean(one) - np.mean(two)) <= 0.3 * np.std(two)
    assert np.std(one) == pytest.approx(np.std(two), rel=0.3)


@pytest.mark.parametrize(
    ("range_", "low", "high"),
    [
        (Uniform(-3.0, 5.0), -3.0, 5.0),
        (Integers(2, 7), 2, 7),
        (Choice(("a", "b")), "a", "b"),
        (Vector(Integers(0, 1), 1, 2), (0,), (1, 1)),
    ],
    ids=["uniform", "integers", "choice", "vector"],
)
def test_corners_of_the_cube_are_the_ends(range_, low, high):
    assert range_.at([0.0] * range_.width) == low
    assert range_.at([1.0] * range_.width) == high


def test_the_middle_in_the_logarithm():
    assert LogUniform(0.01, 100.0).at([0.5]) == pytest.approx(1.0)


def test_semidefinite_stays_so_at_the_corners():
    range_ = Semidefinite(2, 3)
    for u in ([0.0] * range_.width, [1.0] * range_.width):
        matrix = np.array(range_.at(u))
        assert np.isfinite(matrix).all()
        assert (matrix == matrix.T).all()
        assert np.linalg.eigvalsh(matrix).min() >= -1e-12


@pytest.mark.parametrize("u", [[], [0.5, 0.5], [1.5], [float("nan")]], ids=["none", "two", "beyond", "nan"])
def test_a_point_outside_the_cube_is_refused(u):
    with pytest.raises(ValueError, match=r"u must hold 1 numbers in \[0, 1\]"):
        Uniform(0.0, 1.0).at(u)


def _shape(value):
    if isinstance(value, tuple):
        return (len(value), *(_shape(v) for v in value[:1]))
    return (value,) if isinstance(value, int | str) else ()


def _size(value):
    if isinstance(value, tuple):
        return sum(_size(v) for v in value)
    return ord(value) if isinstance(value, str) else value
