"""Where the batch of a probe comes from, and the gradient at either end of a step."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.probes.batches import Batch, count_rows, halves
from workbench.probes.ends import Ends
from workbench.probes.gradients.oracle import Evaluation
from workbench.probes.gradients.parts import Measured, Parts, PartsOracle
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.reading import GradientReader, read_gradients


class MissingBatchError(RuntimeError):
    """A step that is probed on its own batch came without it."""


@dataclass(frozen=True)
class End:
    """One end of a step, measured.

    read: p.grad, where it is to be compared with what was computed; missed: what p.grad is off by, where it
    was taken for the gradient (see ``GradientReader``). started, seconds: when the work began, how long it
    took.
    """

    x: Point
    parts: Parts
    measured: Measured
    started: float
    seconds: float
    read: Point | None = None
    missed: Tensor | None = None


class BatchSource(ABC):
    """Gives the ends of steps."""

    closes_later = False
    """Whether the other end of a step is measured when the next step begins."""

    gradients = 2
    """How many level "pair" takes."""

    doubtful = False
    """Whether gradients that were not computed, but read, may be off."""

    def __init__(self, oracle: PartsOracle) -> None:
        self._oracle = oracle

    @abstractmethod
    def end(self, x: Point, started: float, closure: bool) -> End:
        """At x, the parameters before a step. closure: the optimizer computes gradients itself."""

    def other_end(self, here: End, x: Point) -> End:
        """At x, on the batch of ``here``."""
        started = time.perf_counter()
        measured = self._oracle.measure(x, here.parts, halves=here.measured.spread is not None)
        return End(x, here.parts, measured, started, time.perf_counter() - started)

    def settle(self, here: End, ends: Ends) -> str:
        """Called with what was measured; returns what changes from now on, "" if nothing does."""
        del here, ends
        return ""

    def saw(self, batch: Batch) -> None:
        """A micro-batch of the next step; NotImplementedError where the source takes none."""
        raise NotImplementedError

    def forget(self) -> None:
        """The batches seen are of no step."""
        return

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Attributes of a result: where gradients come from."""

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What ``state_dict`` gave."""
        del state


class FixedSource(BatchSource):
    """One set for all ends, in two halves; whole if it has a single row, and then without noise."""

    def __init__(self, oracle: PartsOracle, batch: Batch) -> None:
        super().__init__(oracle)
        self.rows = count_rows(batch)
        self.batch = batch
        self._batches = halves(batch) if self.rows > 1 else (batch,)
        self._parts: Parts | None = None

    def end(self, x: Point, started: float, closure: bool) -> End:
        """Two halves, each evaluated once."""
        del closure
        if self._parts is None:
            self._parts = self._oracle.parts(self._batches)
        measured = self._oracle.measure(x, self._parts, halves=len(self._batches) == 2)
        return End(x, self._parts, measured, started, time.perf_counter() - started)

    def describe(self) -> dict[str, Any]:
        """The number of rows; half of them make the noise."""
        return {"rows": self.rows, "gradient_before": "computed"}


class StepSource(BatchSource):
    """The micro-batches of the step itself, "training"; or, "different", of this step and of the next."""

    def __init__(self, oracle: PartsOracle, layers: NetworkLayers, kind: str) -> None:
        super().__init__(oracle)
        self.closes_later = kind == "different"
        self._reader = GradientReader(layers)
        self._seen: list[Batch] = []
        self._news = ""

    @property
    def gradients(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """One less for each end where p.grad is read."""
        return 2 if self._reader.refused else 0 if self.closes_later else 1

    @property
    def doubtful(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Once p.grad is refused."""
        return bool(self._reader.refused)

    def saw(self, batch: Batch) -> None:
        """Kept, not copied, until the step begins."""
        self._seen.append(batch)

    def forget(self) -> None:
        """Nothing was seen."""
        self._seen.clear()

    def end(self, x: Point, started: float, closure: bool) -> End:
        """p.grad where it may be read; else computed, with p.grad to compare if that may still help.

        MissingBatchError where no batch was given.
        """
        batches, self._seen = self._seen, []
        if not batches:
            raise MissingBatchError(
                "the step came without its batch: call probe.saw(batch) for each micro-batch before "
                "optimizer.step()"
            )
        parts = self._oracle.parts(batches)
        if closure and not self._reader.refused:
            self._reader.refused = self._news = "the optimizer computes gradients itself, by a closure"
        alive = all(
            p.requires_grad for p in self._oracle.parameters
        )  # one frozen since has no p.grad, or an old one
        if alive and self._reader.may_read(parts.rows):
            unknown = torch.tensor(torch.nan, dtype=torch.float64)
            gradient = tuple(g.to(self._oracle.dtype) for g in read_gradients(self._oracle.parameters))
            measured, read, missed = Measured(Evaluation(unknown, gradient), None), None, self._reader.missed
        else:
            compared = alive and not self._reader.refused
            read = read_gradients(self._oracle.parameters) if compared else None
            measured, missed = self._oracle.measure(x, parts, halves=False), None
        return End(x, parts, measured, started, time.perf_counter() - started, read, missed)

    def settle(self, here: End, ends: Ends) -> str:
        """Decide about p.grad, all processes alike."""
        news, self._news = self._news, ""
        if here.read is None or self._reader.refused:
            return news
        rows, computed = here.parts.rows, here.measured.mean.gradient
        return self._reader.compare(rows, here.read, computed, ends.change, self._oracle.somewhere)

    def describe(self) -> dict[str, Any]:
        """Whether p.grad is read."""
        if self._reader.refused:
            return {"gradient_before": f"computed, since {self._reader.refused}"}
        if not self._reader.trusted:
            return {"gradient_before": "computed, until p.grad is compared"}
        return {"gradient_before": f"p.grad, compared for {len(self._reader.trusted)} micro-batches"}

    def state_dict(self) -> dict[str, Any]:
        """What is known of p.grad."""
        return self._reader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What ``state_dict`` gave."""
        self._reader.load_state_dict(state)
