"""What a method is: hyperparameters, a state, a pure step, its randomness and its costs."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from assumptions.guards import Number, as_float
from assumptions.specification import Specified
from problems.base import Problem
from workbench.draws import Space
from workbench.quantity import Quantity


class Point(NamedTuple):
    """The state of a method that remembers nothing but its iterate. x: (*batch, d)."""

    x: Tensor


class Method(Specified, ABC):
    """A subclass is a frozen dataclass whose float fields are the hyperparameters.

    A hyperparameter is a float or ``(*batch, 1)``; for names ending in ``_i`` / ``_j``
    ``(*batch, layers)`` / ``(*batch, clients)``. Methods know no schedules: where a parameter rule
    contains k, the engine passes the value of that step.

    needs       oracles that the problem must offer (value and grad need not be listed)
    free        names of state fields that any state may hold; "x" where no other number in the state, but for
                free ones, hangs on x
    anywhere    True if runs may start and move where f is infinite: methods that split f into parts
    options     names of hyperparameters that are objects or words, not numbers: a sampling, a flag
    facts       names of what ``known`` says of the method on a problem
    quantities  what theorems may say of the state, beside the shared quantities
    source      where the method is defined; a reconstruction says so
    """

    needs: ClassVar[tuple[str, ...]] = ()
    free: ClassVar[tuple[str, ...]] = ()
    anywhere: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ()
    facts: ClassVar[tuple[str, ...]] = ()
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {}
    source: ClassVar[str] = ""

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """Names of the hyperparameters: all fields but ``norm``, the geometry of the method if it has one."""
        return tuple(f.name for f in dataclasses.fields(cls) if f.name != "norm")  # pyright: ignore[reportArgumentType]

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Why the method cannot be run on a problem that offers all it needs; "" if it can."""
        del problem
        return ""

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """Values of ``facts``, floats or tensors with the axes of their names, such as (n_clients,) for _j.

        They follow from the problem and the ``options`` alone, so that parameter rules may use them.
        """
        del problem, options
        return {}

    @classmethod
    def has_norm(cls) -> bool:
        """True if the method moves in a geometry of its own, its field ``norm``."""
        return any(f.name == "norm" for f in dataclasses.fields(cls))  # pyright: ignore[reportArgumentType]

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The randomness of one step; empty for a deterministic method."""
        del problem
        return {}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Any:
        """First state; x0: (*batch, d)."""
        del problem, draw
        return Point(x0)

    @abstractmethod
    def step(self, problem: Problem, state: Any, draw: SimpleNamespace) -> Any:
        """Next state; pure, batched."""

    def random_state(self, problem: Problem, state: Any, generator: torch.Generator) -> Any:
        """A state that a step claim must survive, made from one with which a run may start; (*batch, ...).

        By default the fields named in ``free`` are moved by normal vectors, their size log-uniform over six
        decades around that of the field; the others stay. A method whose fields hang together overrides it.
        """
        del problem
        return moved(self.free, state, generator)

    def cost(self, problem: Problem, state: Any, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """What ``step`` spends: unit -> (*batch,); the units are ``COSTS`` of ``workbench.quantities``."""
        del problem, state, draw
        return {}

    def x_error(self, problem: Problem, state: Any, new: Any) -> Tensor | float:
        """Bound on how far inexact oracles moved ``new.x``, the result of ``step`` at ``state``; (*batch,).

        By default the sum of the problem's stated bounds, which hold for any call; a method whose ``x``
        is what an oracle returned may ask ``problem.oracle_error`` about that call.
        """
        del state, new
        return sum(problem.oracle_errors.get(name, 0.0) for name in self.needs)

    def with_values(self, values: Mapping[str, float | Tensor]) -> Self:
        """The same method with other hyperparameters."""
        return dataclasses.replace(self, **values) if values else self  # pyright: ignore[reportArgumentType]

    def check_shapes(self) -> None:
        """ValueError unless every tensor hyperparameter ends in an axis of its kind.

        A plain (*batch,) would broadcast against (*batch, d) wrongly, silently so when batch = d.
        """
        for name in self.fields():
            value = getattr(self, name)
            if (
                isinstance(value, Tensor)
                and not name.endswith(("_i", "_j"))
                and (value.dim() == 0 or value.shape[-1] != 1)
            ):
                raise ValueError(
                    f"{type(self).__name__}.{name} must be a float or have shape (*batch, 1), "
                    f"got {tuple(value.shape)}"
                )


def require_probability(**values: Number) -> None:
    """ValueError unless every value, a float or a tensor, is in (0, 1]; TypeError unless it is a number."""
    for name, value in values.items():
        number = (
            value if isinstance(value, Tensor) else torch.tensor(as_float(name, value), dtype=torch.float64)
        )
        if number.is_complex() or not bool(((number > 0) & (number <= 1)).all()):
            raise ValueError(f"{name} must be in (0, 1], got {value!r}")


def moved(free: tuple[str, ...], state: Any, generator: torch.Generator) -> Any:
    """The state with its fields ``free``, (*batch, ...), moved at random; x of the state gives the rows."""
    rows = state.x.shape[:-1]
    changed = {}
    for name in free:
        field = getattr(state, name)
        axes = (*rows, *([1] * (field.dim() - len(rows))))
        size = field.reshape(*rows, -1).norm(dim=-1).reshape(axes)
        unit = torch.where(size > 0, size, torch.ones_like(size))
        decades = 6 * torch.rand(axes, generator=generator, dtype=field.dtype) - 4
        normal = torch.randn(field.shape, generator=generator, dtype=field.dtype)
        changed[name] = field + unit * 10**decades * normal
    return state._replace(**changed)


def ones(x: Tensor) -> Tensor:
    """One unit of cost per row. x: (*batch, d). Returns (*batch,)."""
    return torch.ones(x.shape[:-1], dtype=x.dtype, device=x.device)
