"""Rows of a probe, as steps open and close; nothing that goes wrong reaches the training."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from workbench.probes.ends import Ends
from workbench.probes.layers import Point
from workbench.probes.measure import MEASURES, Bench
from workbench.probes.pair import pair_quantities
from workbench.probes.result import QUANTITIES
from workbench.probes.saved import packed_end, restored_end
from workbench.probes.sources import BatchSource, End


class ProbeStoppedWarning(UserWarning):
    """A probe stopped measuring; the training goes on, and what was measured stays."""


class NotFiniteError(ArithmeticError):
    """A loss or a gradient at the end of a step is nan or inf."""


Rows = list[dict[str, Any]]


class Recorder:
    """Counts steps, measures those with k % every == 0 at both ends, and keeps the rows."""

    def __init__(self, bench: Bench, source: BatchSource, announce: Callable[[str], Any]) -> None:
        self._bench, self._source, self._announce = bench, source, announce
        self._open: tuple[int, End] | None = None
        self.rows: Rows = []
        self.step = 0
        self.stopped = ""

    @property
    def wants_batch(self) -> bool:
        """Whether the step to come needs its batch."""
        due = self.step % self._bench.options.every == 0
        return not self.stopped and (due or (self._source.closes_later and self._open is not None))

    def opened(self, closure: bool) -> None:
        """A step begins."""
        if not self._source.closes_later:
            self._open = None  # of a step that never ended
        wanted, k = self.wants_batch, self.step
        self.step += 1
        if wanted:
            self._guarded(k, lambda: self._begin(k, closure))

    def closed(self) -> None:
        """It ends."""
        if self._open is None or self._source.closes_later:
            return
        (k, here), self._open = self._open, None
        oracle = self._bench.oracle
        live = oracle.taken(tuple(p.detach() for p in oracle.parameters))  # measured now: no copies
        self._guarded(k, lambda: self._finish(self.rows, k, here, self._source.other_end(here, live)))

    def lose(self) -> None:
        """The open step is not measured."""
        self._open = None
        self._source.forget()

    def between(self, x: Point, x_next: Point, k: int) -> Rows:
        """One row from x to x_next. Errors are raised."""
        rows: Rows = []

        def measure() -> None:
            first, last = (self._bench.oracle.taken(end) for end in (x, x_next))
            here = self._source.end(first, time.perf_counter(), closure=False)
            self._finish(rows, k, here, self._source.other_end(here, last))

        self._bench.oracle.together(measure)
        return rows

    def state_dict(self) -> dict[str, Any]:
        """In tensors, numbers and text."""
        return {
            "step": self.step,
            "stopped": self.stopped,
            "rows": [dict(row) for row in self.rows],
            "source": self._source.state_dict(),
            "open": None if self._open is None else {"step": self._open[0], **packed_end(self._open[1])},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What ``state_dict`` gave."""
        self.step, self.stopped = state["step"], state["stopped"]
        self.rows = [dict(row) for row in state["rows"]]
        self._source.load_state_dict(state["source"])
        opened, oracle = state["open"], self._bench.oracle
        self._open = None if opened is None else (opened["step"], restored_end(opened, oracle.parameters[0]))

    def _begin(self, k: int, closure: bool) -> None:
        oracle = self._bench.oracle
        oracle.require_layers()
        end = self._source.end(oracle.taken(oracle.oracle.point()), time.perf_counter(), closure)
        if self._open is not None:  # the batch of this step is that of the other end of the one before
            (before, here), self._open = self._open, None
            self._finish(self.rows, before, here, end)
        if k % self._bench.options.every == 0:
            self._open = k, end

    def _finish(self, rows: Rows, k: int, here: End, there: End) -> None:
        """Measure all levels; what comes before a level that fails stays."""
        a, b = here.measured, there.measured
        ends = Ends(here.x, there.x, a.mean, b.mean, a.spread, b.spread)
        row = {"step": k, **_plain(pair_quantities(self._bench.layers, ends, here.missed))}
        self._require_finite(row, [end.missed is None for end in (here, there)])
        rows.append(row)
        if said := self._source.settle(here, ends):
            self._announce(
                f"probe at step {k}: the first gradient is computed from now on, one more each time, since "
                f"{said}"
            )
        if self._source.doubtful:
            _doubt(rows)
        for level in self._bench.options.levels:
            row |= _plain(MEASURES[level](self._bench, here.parts, ends))
        row["seconds"] = here.seconds + time.perf_counter() - there.started

    def _require_finite(self, row: Mapping[str, Any], computed: list[bool]) -> None:
        for name, known in zip(("loss", "loss_next"), computed, strict=True):
            if known and not bool(torch.isfinite(row[name])):
                raise NotFiniteError(f"the {QUANTITIES[name].long_name} is {float(row[name])}")
        for name in ("gradnorm", "step_length", "gradnorm_next"):
            for layer, value in zip(self._bench.layers.names, row[name], strict=True):
                if not bool(value.isfinite()):
                    said = QUANTITIES[name].long_name
                    raise NotFiniteError(f"the {said} is {float(value)} for {layer}")

    def _guarded(self, k: int, work: Callable[[], None]) -> None:
        """No exception reaches the training; all processes go on, or none."""
        try:
            self._bench.oracle.together(work)
        except Exception as error:
            kind = "" if isinstance(error, NotFiniteError) else f"{type(error).__name__}: "
            self.stopped = f"step {k}: {kind}{error}"
            self.lose()
            said = f"the probe stopped, and the training goes on ({self.stopped})"
            warnings.warn(said, ProbeStoppedWarning, stacklevel=2)


def _doubt(rows: Rows) -> None:
    """Where p.grad was read, and so the loss is not known, nothing is known of the error either."""
    for row in rows:
        if not bool((row["loss"] + row["loss_next"]).isfinite()):
            row["ratio_resolution"] = torch.full_like(row["ratio_resolution"], torch.inf)


def _plain(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, in float64."""
    return {name: value.detach().to("cpu", torch.float64) for name, value in values.items()}
