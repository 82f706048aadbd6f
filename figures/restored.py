"""The objects of a run: those of a saved one are made again from their texts."""

from dataclasses import dataclass

from assumptions import Norm
from problems import Problem
from workbench import Method, Trace
from workbench.registry import Registry


@dataclass(frozen=True)
class Restored:
    """A run with its method, problem and norm as objects."""

    trace: Trace
    method: Method
    problem: Problem
    norm: Norm


def restored(trace: Trace, problem: Problem | None = None) -> Restored:
    """``problem`` stands for that of a saved run, of which the text alone is known.

    TypeError for what is no run. ValueError for a text from which no object can be made, and for a problem
    that prints otherwise than that of the run.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"trace must be what run() returns or Trace.load() reads, got {trace!r}")
    registry = Registry()
    found = problem_of(trace, problem)
    try:
        method = trace.method if isinstance(trace.method, Method) else registry.method(trace.method)
        norm = trace.norm if isinstance(trace.norm, Norm) else registry.norm(trace.norm)
    except ValueError as error:
        raise ValueError(
            f"the saved run names its method and norm only, which cannot be made again: {error}; "
            "use the run itself"
        ) from None
    return Restored(trace, method, found, norm)


def problem_of(trace: Trace, given: Problem | None = None) -> Problem:
    """The problem of a run, ``given`` for that of a saved one, if it prints like it.

    ValueError where it does not, and where none is given and none can be made from the text.
    """
    if given is not None and repr(given) != str(trace.problem):
        raise ValueError(f"problem must be that of the run, {trace.problem}, got {given!r}")
    if given is not None:
        return given
    if isinstance(trace.problem, Problem):
        return trace.problem
    try:
        return Registry().problem(trace.problem)
    except ValueError as error:
        raise ValueError(
            f"the saved run names its problem only, {trace.problem}, and it cannot be made again ({error}); "
            "give it as problem="
        ) from None
