"""Claims about gradient descent for the tests of the search, and cases of them."""

from assumptions import Convex, Smooth
from workbench import Source, Theorem, symbols
from workbench.match import match
from workbench.methods import GradientDescent

L, dist, dist_next = symbols("L dist dist_next")


def case_of(theorem, problem, place=0):
    """A case of a theorem on a problem, the first by default."""
    cases = match(theorem, problem)
    assert not isinstance(cases, str), cases
    return cases[place]


def claim(**changes):
    """The distance to a minimiser does not grow along gradient descent; changed."""
    stated = {
        "id": "mine/distance",
        "title": "The distance does not grow",
        "source": Source("mine", "DERIVED"),
        "method": GradientDescent,
        "parameters": {"stepsize": 1 / L},
        "assumes": (Convex, Smooth),
        "measured": dist_next**2,
        "bound": dist**2,
    }
    return Theorem(**{**stated, **changes})
