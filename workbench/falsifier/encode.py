"""Problems as points of the unit cube: members of a family's ``space``, and variations of one problem."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from problems.base import Problem
from problems.space import require_cube

DIGITS = 4
"""Significant digits of a parameter: it is printed in the specification."""
MOST = 24
"""A variation with more different numbers moves only the scale of each field."""
DECADES = 2.0
"""A variation changes a number by a factor up to 10^DECADES, either way."""
EDGE = 1 / 16
"""So close to the end of its interval a coordinate stands for the end, where worst cases often lie."""


class NotSearchableError(ValueError):
    """A family whose space cannot be searched."""


class Source(ABC):
    """Problems that a search may try: one for each point of [0, 1]^width."""

    @property
    @abstractmethod
    def label(self) -> str:
        """How it is called in what was tried."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Coordinates."""

    @abstractmethod
    def at(self, u: Sequence[float]) -> Problem:
        """The problem at u. ValueError where the parameters there make none."""


@dataclass(frozen=True)
class Family(Source):
    """The ``space`` of a problem class. NotSearchableError for a class without a searchable one."""

    kind: type[Problem]

    def __post_init__(self) -> None:
        """There is a space, and it can be searched."""
        if not self.kind.space:
            raise NotSearchableError(f"{self.kind.__name__} declares no space: only its members can be tried")
        flat = [name for name, r in self.kind.space.items() if not callable(getattr(r, "at", None))]
        if flat:
            raise NotSearchableError(
                f"{self.kind.__name__}.space: the range of {flat[0]!r} has no at(u), so it can be sampled "
                "but not searched; ranges of problems.space have it"
            )

    @property
    def label(self) -> str:
        """The name of the family."""
        return self.kind.__name__

    @property
    def width(self) -> int:
        """Of all ranges together."""
        return sum(r.width for r in self.kind.space.values())

    def at(self, u: Sequence[float]) -> Problem:
        """Each parameter from its own coordinates, rounded."""
        u, values, low = to_ends(require_cube(u, self.width)), {}, 0
        for name, range_ in self.kind.space.items():
            values[name] = rounded(range_.at(u[low : low + range_.width]))
            low += range_.width
        return self.kind(**values)


@dataclass(frozen=True)
class Around(Source):
    """A problem with other numbers in its fields, signs and zeros kept; equal ones stay equal.

    What a field says in whole numbers or words stays too. 1/2 everywhere is the problem itself.
    """

    problem: Problem

    @property
    def label(self) -> str:
        """Its family."""
        return f"{self.problem.family} (around a member)"

    @cached_property
    def _keys(self) -> dict[Any, int]:
        found = [key for key, _ in _numbers(self.problem, ())]
        each = list(dict.fromkeys(found))
        if len(each) <= MOST:
            return {key: place for place, key in enumerate(each)}
        fields = list(dict.fromkeys(path for path, _ in each))[:MOST]
        return {key: fields.index(key[0]) for key in each if key[0] in fields}

    @property
    def width(self) -> int:
        """Different numbers in it, or fields with numbers."""
        return len(set(self._keys.values()))

    def at(self, u: Sequence[float]) -> Problem:
        """Coordinate 1/2 keeps a number, 0 and 1 divide and multiply it by 10^DECADES."""
        u = require_cube(u, self.width)

        def changed(key: Any, value: float) -> float:
            if key not in self._keys or u[self._keys[key]] == 0.5:
                return value
            shift = 2 * u[self._keys[key]] - 1
            return rounded(value * 10 ** (DECADES * abs(shift) * shift))

        return _with_numbers(self.problem, (), changed)


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """Floats in nested tuples with so many significant digits; all else as it is."""
    if isinstance(value, tuple):
        return tuple(rounded(v, digits) for v in value)
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{digits}g}")
    return value


def to_ends(u: Sequence[float]) -> list[float]:
    """Coordinates close to an end moved there, the others spread over what is left."""
    return [min(1.0, max(0.0, (share - EDGE / 2) / (1 - EDGE))) for share in u]


def _numbers(value: Any, path: tuple[str, ...]) -> list[tuple[Any, float]]:
    """((where, size), number) of every float that is not 0 in the fields of an object."""
    if isinstance(value, tuple):
        return [found for v in value for found in _numbers(v, path)]
    if isinstance(value, float):
        return [((path, abs(value)), value)] if value != 0 and math.isfinite(value) else []
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f.name for f in dataclasses.fields(value) if f.init]
        return [found for name in fields for found in _numbers(getattr(value, name), (*path, name))]
    return []


def _with_numbers(value: Any, path: tuple[str, ...], changed: Callable[[Any, float], float]) -> Any:
    if isinstance(value, tuple):
        return tuple(_with_numbers(v, path, changed) for v in value)
    if isinstance(value, float):
        return changed((path, abs(value)), value) if value != 0 and math.isfinite(value) else value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f.name for f in dataclasses.fields(value) if f.init]
        before = {name: getattr(value, name) for name in fields}
        after = {name: _with_numbers(v, (*path, name), changed) for name, v in before.items()}
        same = all(after[name] == v for name, v in before.items())
        return value if same else dataclasses.replace(value, **after)
    return value
