"""A method of a user on a problem: its steps are pure, batched and of the right form."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from problems.well_formed import IllFormedError
from workbench.draws import STREAM_INIT, DrawStream
from workbench.match import Case
from workbench.methods.base import Method
from workbench.quantities import COSTS
from workbench.verify.setting import NotApplicableError, set_up
from workbench.verify.starts import starts

ROWS = 3
SAME = 1e-6
"""Relative difference that batching may make."""


def require_sound(case: Case) -> None:
    """IllFormedError for a method whose step or cost breaks its contract; those of the library are tested."""
    problem = case.problem
    for index, kind in enumerate(case.methods):
        if kind.__module__.startswith("workbench.methods."):
            continue
        try:
            setting = set_up(case, starts(problem, 0, range(ROWS)), 1)
        except NotApplicableError:
            return
        method, _ = setting.methods()[index]
        with torch.no_grad():
            _require_step(method, problem, setting.x0)


def _require_step(method: Method, problem: Any, x0: Tensor) -> None:
    name = type(method).__name__
    spaces = method.draws(problem)
    if not isinstance(spaces, Mapping) or not all(hasattr(s, "width") for s in spaces.values()):
        raise IllFormedError(
            f"{name}.draws must map names to spaces such as Index(n), Subset(n, b) or Coin(p), got {spaces!r}"
        )
    stream = DrawStream(0, range(ROWS), spaces, "cpu")
    state = method.init(problem, x0, stream.at(0, spaces, STREAM_INIT))
    _require_state(name, "init", state, x0)
    unknown = [field for field in method.free if field not in state._fields]
    if unknown:
        raise IllFormedError(
            f"{name}.free names {unknown[0]!r}; fields of its state: {', '.join(state._fields)}"
        )
    draw = stream.at(0, spaces)
    new = _stepped(method, problem, state, draw, spaces)
    _require_state(name, "step", new, x0)
    again = method.step(problem, state, draw)
    if not all(torch.equal(a, b) for a, b in zip(new, again, strict=True) if bool(a.isfinite().all())):
        raise IllFormedError(
            f"{name}.step differs between two calls with the same draw; randomness is draws alone"
        )
    _require_rows(method, problem, state, draw, new)
    _require_cost(method, problem, state, draw)


def _stepped(
    method: Method, problem: Any, state: Any, draw: SimpleNamespace, spaces: Mapping[str, Any]
) -> Any:
    try:
        return method.step(problem, state, draw)
    except AttributeError as error:
        if getattr(error, "obj", None) is draw:
            said = f"draw has no {error.name!r}; draws() gave: {', '.join(spaces) or 'nothing'}"
            raise IllFormedError(f"{type(method).__name__}.step: {said}") from error
        raise


def _require_state(name: str, made: str, state: Any, x0: Tensor) -> None:
    fields = getattr(state, "_fields", ())
    if not isinstance(state, tuple) or not fields or fields[0] != "x":
        kind = type(state).__name__
        raise IllFormedError(f"{name}.{made} must return a NamedTuple whose first field is x, got {kind}")
    for field, value in zip(fields, state, strict=True):
        if not isinstance(value, Tensor) or value.shape[:1] != x0.shape[:1]:
            shown = tuple(value.shape) if isinstance(value, Tensor) else repr(value)
            raise IllFormedError(
                f"{name}.{made}: {field} must be a tensor (*batch, ...), got {shown} for batch {ROWS}"
            )


def _require_rows(method: Method, problem: Any, state: Any, draw: SimpleNamespace, new: Any) -> None:
    """A row alone gives what it gives among others; not asked where hyperparameters differ by row."""
    if any(isinstance(v, Tensor) and v.dim() > 1 and v.shape[0] > 1 for v in vars(method).values()):
        return
    for row in range(ROWS):
        at = slice(row, row + 1)
        one = SimpleNamespace(**{name: value[at] for name, value in vars(draw).items()})
        alone = method.step(problem, type(state)(*(f[at] for f in state)), one)
        for field, together, single in zip(new._fields, new, alone, strict=True):
            there, here = together[at].double(), single.double()
            far = (there - here).abs().nan_to_num(0.0) > SAME * (1 + there.abs()).nan_to_num(0.0)
            if there.shape != here.shape or bool(far.any()):
                said = f"gives row {row} another {field} alone than among {ROWS} rows"
                raise IllFormedError(
                    f"{type(method).__name__}.step {said}; each row has a draw of its own: use gather and "
                    "where, never draw.index[0]"
                )


def _require_cost(method: Method, problem: Any, state: Any, draw: SimpleNamespace) -> None:
    name = type(method).__name__
    for unit, spent in method.cost(problem, state, draw).items():
        if unit not in COSTS:
            raise IllFormedError(f"{name}.cost names {unit!r}; units are {', '.join(COSTS)}")
        if not isinstance(spent, Tensor) or spent.shape != (ROWS,):
            shown = tuple(spent.shape) if isinstance(spent, Tensor) else repr(spent)
            raise IllFormedError(
                f"{name}.cost: {unit} must be a tensor (*batch,), got {shown} for batch {ROWS}"
            )
