"""When a step begins and ends, heard from the optimizers that take it."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer

_PROBED: "weakref.WeakSet[Optimizer]" = weakref.WeakSet()
"""Optimizers that a probe listens to."""


class StepHooks:
    """Calls ``opened(closure)`` before the parameters move, and ``closed()`` after.

    A step is one round of the optimizers, in the order of the sequence: it opens when the first of them
    begins, whichever that is, and closes when the LAST OF THE SEQUENCE is done. An optimizer that begins a
    second time before that opens a new step, and the open one is lost; so the last one must move in every
    step, and what moves only now and then goes before it. An optimizer that a ``GradScaler`` does not call
    takes no part. closure: whether the optimizer computes gradients itself, as LBFGS.
    """

    def __init__(
        self,
        optimizers: Sequence[Optimizer],
        opened: Callable[[bool], None],
        closed: Callable[[], None],
    ) -> None:
        self.optimizers = tuple(optimizers)
        self._opened, self._closed = opened, closed
        self._handles: list[Any] = []
        self._begun: set[int] = set()

    @property
    def attached(self) -> bool:
        """Whether it listens."""
        return bool(self._handles)

    def attach(self) -> None:
        """Listen. RuntimeError if a probe, this one or another, listens to one of the optimizers."""
        for optimizer in self.optimizers:
            if optimizer in _PROBED:
                raise RuntimeError(
                    f"a probe is attached to this {type(optimizer).__name__} already; detach it first, or "
                    f"take one probe with several levels"
                )
        for optimizer in self.optimizers:
            _PROBED.add(optimizer)
            self._handles.append(optimizer.register_step_pre_hook(self._before))
            self._handles.append(optimizer.register_step_post_hook(self._after))

    def detach(self) -> None:
        """Listen no longer; an open step is lost."""
        for handle in self._handles:
            handle.remove()
        if self._handles:
            for optimizer in self.optimizers:
                _PROBED.discard(optimizer)
        self._handles.clear()
        self._begun.clear()

    def _before(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._begun or id(optimizer) in self._begun:
            self._begun.clear()
            given = (*args[1:], kwargs.get("closure"))  # args begins with the optimizer
            self._opened(any(each is not None for each in given))
        self._begun.add(id(optimizer))

    def _after(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        del args, kwargs
        if self._begun and optimizer is self.optimizers[-1]:
            self._begun.clear()
            self._closed()


def optimizers_of(optimizers: Any) -> tuple[Optimizer, ...]:
    """One optimizer, or several different ones, as a tuple. TypeError, ValueError otherwise."""
    found = tuple(optimizers) if isinstance(optimizers, list | tuple) else (optimizers,)
    if not found or not all(isinstance(each, Optimizer) for each in found):
        raise TypeError(f"optimizer must be a torch optimizer, or a list of them, got {optimizers!r}")
    if len({id(each) for each in found}) < len(found):
        raise ValueError("optimizer must hold different optimizers, got one twice")
    return found
