"""A task trained with a probe: steps, losses, checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import xarray
from torch.optim import Optimizer

from assumptions.guards import require_dimension, require_nonnegative, require_seed
from assumptions.norms import Norm
from workbench.probes.batches import count_rows, moved
from workbench.probes.gradients.aside import seeded
from workbench.probes.levels import require_levels
from workbench.probes.probe import SmoothnessProbe
from workbench.probes.result import save
from workbench.probes.tasks import Task
from workbench.probes.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    alone,
    claimed,
    write,
    write_losses,
)
from workbench.probes.training.interrupts import InterruptedTrainingError, patient
from workbench.probes.training.random_state import random_state, set_random_state
from workbench.probes.training.setting import conditions, described, evaluated, jsonable, setting_of
from workbench.probes.training.trained import Trained

BATCHES = ("fixed", "training", "different")

Tell = Callable[[int, int, str], Any]
"""Told of the steps done, of all steps, and of the loss."""


class Training:
    """Steps of an optimizer on a task with a probe attached; with ``out``, it can be killed and goes on.

    Step k: the gradient of the loss of ``task.batch(k)``, in the type of the parameters, then
    ``optimizer.step()``. Random numbers, as of dropout, come from ``seed``; the generators of the caller stay
    as they are. The training ends early where a loss is not finite or the optimizer refuses a step: that is a
    result. batch: "fixed" (``task.fixed``), "training" or "different". every, level, norms, dtype, chunk,
    announce: as in ``SmoothnessProbe``; chunk None: the rows of a training batch.

    out: a folder for probe.nc, manifest.json, training.csv (losses) and checkpoint.pt, written every
    ``save_every`` >= 0 seconds and at the end. Where it holds a checkpoint of the same setting, the training
    goes on from there, after ``began`` steps, to the numbers of a training in one go: bit by bit on a CPU
    with the same number of threads and the same torch. fresh: what is there is written over.

    ValueError for arguments out of their domain; CheckpointError, a ValueError, for a folder that cannot be
    written, is of another setting, is damaged, or has more steps. All before anything is trained.
    """

    def __init__(
        self,
        task: Task,
        optimizer: Optimizer,
        *,
        steps: int,
        every: int = 10,
        level: str | Sequence[str] = "pair",
        batch: str = "fixed",
        norms: str | Mapping[str, str | Norm] = "optimizer",
        dtype: torch.dtype | None = None,
        chunk: int | None = None,
        seed: int = 0,
        out: str | Path | None = None,
        fresh: bool = False,
        save_every: float = 60.0,
        announce: Callable[[str], Any] | None = None,
    ) -> None:
        _require(steps, every, batch, seed, save_every)
        self.task, self.optimizer, self.steps = task, optimizer, steps
        self._first = next(p for p in task.model.parameters() if p.requires_grad)
        self._seed, self._save_every, self._announce = seed, save_every, announce
        chunk = count_rows(task.batch(0)) if chunk is None else chunk
        options = {"norms": norms, "every": every, "level": require_levels(level), "dtype": dtype}
        options |= {"chunk": chunk, "seed": seed}
        said = {
            "batch": task.fixed if batch == "fixed" else batch,
            "output": task.output,
            "announce": announce,
        }
        self.probe = SmoothnessProbe(task.model, optimizer, loss=task.loss, **said, **options)
        self.setting = setting_of(task, optimizer, batch=batch, device=self._first.device.type, **options)
        self._taken, self._losses = 0, []
        self._evaluation: dict[str, float] = {}
        self._ended = ""
        self._conditions = [conditions()]
        self.out = None if out is None else Path(out)
        self._found = claimed(self.out, self.setting, steps, fresh) if self.out else None
        self.began = self._found.step if self._found else 0

    def run(self, progress: Tell | None = None) -> Trained:
        """Train, or go on, or only return what was finished before.

        progress: told after each step. Ctrl-C waits for the end of a step, and for everything to be saved:
        InterruptedTrainingError, a KeyboardInterrupt; a second one does not wait.
        """
        self.task.model.train()
        with (
            alone(self.out) if self.out else nullcontext(),
            seeded(self._seed, self._first.device),
            self.probe,
            patient(self.out is not None, self._announce) as interrupted,
        ):
            if self._found:
                self._restore(self._found)
            else:
                self._save()
            self._train(progress or (lambda *_: None), interrupted)
            self._save()
            if not self._evaluation and not self._ended:
                self._evaluation = evaluated(self.task.evaluate(self.task.model))
                self._save()
        return Trained(self._result(), self.manifest(), torch.tensor(self._losses, dtype=torch.float64))

    def manifest(self) -> dict[str, Any]:
        """See ``Trained``; numbers that are not finite as text, which JSON can hold."""
        ends = {"loss_first": self._losses[0], "loss_last": self._losses[-1]} if self._losses else {}
        return {
            "network": self.task.name,
            "about": described(self.task.about),
            "optimizer": self.setting["optimizer"],
            "steps": self.steps,
            "steps_taken": self._taken,
            **jsonable(ends),
            "evaluation": jsonable(self._evaluation),
            "ended": self._ended,
            "stopped": self.probe.stopped,
            "conditions": self._conditions,
            "setting": self.setting,
        }

    def _result(self) -> xarray.Dataset:
        """What the probe saw, with what it saw it on."""
        said = {"network": self.task.name, "optimizer": self.setting["optimizer"], "steps_taken": self._taken}
        return self.probe.result().assign_attrs(said)

    @property
    def _done(self) -> bool:
        return self._taken >= self.steps or bool(self._ended)

    # -- steps ------------------------------------------------------------------------------------------

    def _train(self, tell: Tell, interrupted: Callable[[], bool]) -> None:
        saved = time.monotonic()
        while not self._done:
            self._step(self._taken)
            tell(self._taken, self.steps, f"loss {self._losses[-1]:.4g}")
            if interrupted():
                self._save()
                raise InterruptedTrainingError(f"{self._taken} of {self.steps} steps are saved in {self.out}")
            if time.monotonic() - saved >= self._save_every:
                self._save()
                saved = time.monotonic()

    def _step(self, k: int) -> None:
        batch = moved(self.task.batch(k), self._first.device, self._first.dtype)
        self.optimizer.zero_grad()
        loss = self.task.loss(self.task.model, batch)
        self._losses.append(float(loss.detach()))
        if not torch.isfinite(loss):
            self._ended = f"the loss was {self._losses[-1]} at step {k}"
            return
        loss.backward()
        self.probe.saw(batch)
        try:
            self.optimizer.step()
        except ValueError as error:  # numbers that are not finite: all else was refused when it was made
            self._ended = f"{type(self.optimizer).__name__} refused step {k}: {error}"
            return
        self._taken += 1

    # -- what is kept -----------------------------------------------------------------------------------

    def _restore(self, found: Checkpoint) -> None:
        try:
            self.task.model.load_state_dict(found.model)
            self.optimizer.load_state_dict(found.optimizer)
            self.probe.load_state_dict(found.probe)
            set_random_state(self._first.device, found.random)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"the checkpoint in {self.out} does not fit ({error}); start over with --fresh (fresh=True), "
                f"or name another folder with --out"
            ) from error
        self._taken, self._losses, self._ended = found.step, found.losses.tolist(), found.ended
        self._evaluation = found.evaluation if found.step == self.steps else {}
        now = self._conditions[0]
        self._conditions = found.conditions + [now] * (now != found.conditions[-1] and not self._done)
        if self._announce is not None and self._conditions[-1] != found.conditions[-1]:
            self._announce(f"going on with {now}, after {found.conditions[-1]}: not bit by bit the same run")

    def _save(self) -> None:
        """The checkpoint first: all that is beside it can be made from it."""
        if self.out is None:
            return
        write(
            self.out,
            Checkpoint(
                setting=self.setting,
                step=self._taken,
                losses=torch.tensor(self._losses, dtype=torch.float64),
                model=self.task.model.state_dict(),
                optimizer=self.optimizer.state_dict(),
                probe=self.probe.state_dict(),
                random=random_state(self._first.device),
                evaluation=self._evaluation,
                conditions=self._conditions,
                ended=self._ended,
            ),
        )
        write_losses(self.out, self._losses)
        save(self._result(), self.out, self.manifest())


def train_with_probe(
    task: Task, optimizer: Optimizer, *, steps: int, progress: Tell | None = None, **options: Any
) -> Trained:
    """Train a task and probe it on the way: ``Training(task, optimizer, steps=steps, ...).run(progress)``."""
    return Training(task, optimizer, steps=steps, **options).run(progress)


def _require(steps: int, every: int, batch: str, seed: int, save_every: float) -> None:
    """ValueError for what is out of its domain."""
    require_dimension(steps=steps, every=every)
    require_nonnegative(save_every=save_every)
    require_seed(seed)
    if every > steps:
        raise ValueError(f"every must be at most steps, {steps}, or one step alone is probed; got {every}")
    if batch not in BATCHES:
        raise ValueError(f"batch must be one of {', '.join(BATCHES)}; got {batch!r}")
