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

SCHEDULED = frozenset(
    {"initial_lr", "max_lr", "min_lr", "base_lr", "swa_lr", "base_momentum", "max_momentum"}
)
"""What schedulers of torch write into groups."""

BESIDES = frozenset({"params", "param_names", "name"}) | SCHEDULED
"""What a group may hold besides options."""

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


def require_state(state_dict: Any) -> None:
    """ValueError unless it holds state and groups, as every ``state_dict`` does."""
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
        keys = sorted(map(str, state_dict)) if isinstance(state_dict, dict) else type(state_dict).__name__
        raise ValueError(f"state_dict must hold state and param_groups, as saved by state_dict(); got {keys}")
    groups, state = state_dict["param_groups"], state_dict["state"]
    if not isinstance(groups, list) or not all(isinstance(g, dict) and "params" in g for g in groups):
        raise ValueError(f"param_groups of state_dict must be a list of groups with params, got {groups!r}")
    if not isinstance(state, dict) or not all(isinstance(entry, dict) for entry in state.values()):
        raise ValueError(f"state of state_dict must be a dict of dicts, got {type(state).__name__}")


def restored(own: list[dict[str, Any]], saved: list[dict[str, Any]], title: str) -> list[dict[str, Any]]:
    """The saved groups with their objects. ValueError where they are no groups of this optimizer.

    What a scheduler has written into one's own groups stays where the saved ones lack it.
    """
    sizes = [[len(group["params"]) for group in groups] for groups in (own, saved)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"{title} has groups of {sizes[0]} parameters, the saved state of {sizes[1]}")
    groups = []
    for mine, group in zip(own, saved, strict=True):
        missing = sorted(set(mine) - set(group) - BESIDES)
        unknown = sorted(set(group) - set(mine) - BESIDES)
        if missing or unknown:
            said = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown)}"
            raise ValueError(f"the saved state is not one of {title}: it {said}")
        kept = {key: mine[key] for key in SCHEDULED if key in mine}
        made = {key: _object(key, mine[key], group[key]) for key in OBJECTS}
        groups.append({**kept, **group, **made})
    return groups


def _object(key: str, mine: Any, text: Any) -> Any:
    """What ``text`` makes, if it is a call; an object of one's own that prints so is kept."""
    if not isinstance(text, str):
        raise ValueError(f"the saved {key} must be a name or the call that makes it, got {text!r}")
    if "(" not in text:
        return text
    return mine if repr(mine) == text else parse_specification(text, _NAMES)
