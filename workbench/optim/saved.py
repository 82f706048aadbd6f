"""Options of parameter groups as plain data, and back."""

from collections.abc import Callable
from typing import Any

from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import Lp
from assumptions.specification import Specified, parse_specification
from workbench.orthogonal import Exact, GramPolar, NewtonSchulz, PolarExpress, Rescaled

OBJECTS = ("norm", "orthogonaliser")
"""Options that may be objects."""

BESIDES = frozenset({"params", "param_names", "name", "initial_lr", "max_lr", "min_lr"})
"""What a group may hold besides options: torch's own entries, and those of its schedulers."""

_NAMES: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (
        *(Lp, Spectral, Nuclear, MaxColumn, SumColumns, MaxRow, SumRows),
        *(Exact, GramPolar, NewtonSchulz, PolarExpress, Rescaled),
    )
}


def packed(group: dict[str, Any]) -> dict[str, Any]:
    """The group with every object as the call that makes it."""
    return {key: repr(value) if isinstance(value, Specified) else value for key, value in group.items()}


def restored(own: list[dict[str, Any]], saved: list[dict[str, Any]], title: str) -> list[dict[str, Any]]:
    """The saved groups with their objects. ValueError where they are no groups of this optimizer."""
    sizes = [[len(group["params"]) for group in groups] for groups in (own, saved)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"{title} has groups of {sizes[0]} parameters, the saved state of {sizes[1]}")
    groups = []
    for mine, group in zip(own, saved, strict=True):
        missing = sorted(set(mine) - set(group) - BESIDES)
        if missing:
            raise ValueError(f"the saved state is not one of {title}: it lacks {', '.join(missing)}")
        made = {key: _object(mine[key], group[key]) for key in OBJECTS}
        groups.append({**group, **made})
    return groups


def _object(mine: Any, text: str) -> Any:
    """What ``text`` makes, if it is a call; an object of one's own that prints so is kept."""
    if "(" not in text:
        return text
    return mine if repr(mine) == text else parse_specification(text, _NAMES)
