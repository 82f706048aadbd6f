"""A function whose numbers are taken as they are: what rounding does to them counts as nothing."""

from typing import Any, cast

from assumptions.base import Function


class _Exact:
    """Everything of a function, its class as ``isinstance`` sees it included."""

    def __init__(self, problem: Function) -> None:
        self._problem = problem

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._problem)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def __reduce__(self) -> Any:
        return _Exact, (self._problem,)

    def __repr__(self) -> str:
        return repr(self._problem)


def taken_exactly(problem: Function) -> Function:
    """The same function, of which ``assumptions.rounding`` sees no noise.

    To estimate the noise takes several times the oracle calls of the inequality itself. Sides taken from this
    function show cheaply where that noise could matter at all: where an inequality fails without it.
    """
    return cast(Function, _Exact(problem))


def is_exact(problem: Function) -> bool:
    """Whether it, or the function that it shows in another way, its ``problem``, is ``taken_exactly``."""
    return isinstance(problem, _Exact) or isinstance(getattr(problem, "problem", None), _Exact)
