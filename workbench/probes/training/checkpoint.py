"""Where a training stands: one file in a folder, replaced whole, read without running code."""

import csv
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.probes.result import DATA
from workbench.whole_file import whole_file

FORMAT = "workbench-checkpoint-1"
NAME, LOSSES = "checkpoint.pt", "training.csv"

KINDS = {
    **dict.fromkeys(("setting", "model", "optimizer", "probe", "random", "evaluation"), dict),
    "step": int,
    "losses": Tensor,
    "ended": str,
    "conditions": list,
}
"""Types of the fields of a checkpoint."""

_AGAIN = "start over with --fresh (fresh=True), or name another folder with --out"


class CheckpointError(ValueError):
    """The folder cannot be gone on with; says why, and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A training after ``step`` steps.

    setting                  what makes the run, name -> text
    losses                   (step,) float64; one more where the loss that ended the training was not finite
    model, optimizer, probe  their ``state_dict()``
    random                   of ``random_state``
    evaluation               of the trained network; empty before the end
    conditions               with what it was computed, one text more where a run went on with something else
    ended                    why there are no more steps, "" where there may be
    """

    setting: dict[str, str]
    step: int
    losses: Tensor
    model: dict[str, Any]
    optimizer: dict[str, Any]
    probe: dict[str, Any]
    random: dict[str, Any]
    evaluation: dict[str, float]
    conditions: list[str]
    ended: str = ""


def prepare(folder: Path) -> None:
    """Make the folder and prove that files can be written to it. CheckpointError otherwise."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError):
        raise CheckpointError(f"{folder} is or lies in a file; results need a folder: name another") from None
    except OSError as error:
        raise CheckpointError(
            f"results cannot be written to {folder}: {error.strerror}; name another folder"
        ) from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Inside, no other process is here; it ends with the process, however that ends. ``.lock`` stays behind.

    CheckpointError where another process holds the folder.
    """
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(
                f"{folder} is being written to by another process; wait until that has ended, or name "
                f"another folder with --out"
            ) from None
        yield


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the file of the folder: a process that is killed leaves the old one or the new one.

    CheckpointError where it cannot be written, as on a full disk.
    """
    content = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    try:
        with whole_file(folder / NAME) as part, part.open("wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise CheckpointError(f"{folder / NAME} cannot be written: {error.strerror}") from error


def write_losses(folder: Path, losses: Sequence[float]) -> None:
    """One line per step; numbers with all their digits. CheckpointError where it cannot be written."""
    try:
        with whole_file(folder / LOSSES) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["step", "loss"])
            writer.writerows([k, repr(loss)] for k, loss in enumerate(losses))
    except OSError as error:
        raise CheckpointError(f"{folder / LOSSES} cannot be written: {error.strerror}") from error


def read(folder: Path) -> Checkpoint | None:
    """The checkpoint of a folder, all tensors on the CPU; None if it has none.

    Nothing in the file is run (``weights_only``). CheckpointError for a file that is not whole.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a flipped byte makes zipfile and pickle raise nearly anything
        said = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read, it is damaged ({said}); {_AGAIN}") from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of the format {FORMAT}; {_AGAIN}")
    wrong = [key for key, kind in KINDS.items() if not isinstance(content.get(key), kind)]
    if wrong or set(content) != set(KINDS):
        odd = ", ".join(wrong or sorted(set(content) - set(KINDS)))
        raise CheckpointError(f"{path} is damaged: {odd} is not as saved; {_AGAIN}")
    return Checkpoint(**content)


def require_same(folder: Path, there: Mapping[str, str], here: Mapping[str, str]) -> None:
    """CheckpointError, saying what differs, unless both settings are the same."""
    names = [name for name in {**here, **there} if there.get(name) != here.get(name)]
    if names:
        said = "; ".join(
            f"{name} is {_short(there.get(name))} there and {_short(here.get(name))} here"
            for name in names[:3]
        )
        more = f"; and {len(names) - 3} more" if len(names) > 3 else ""
        raise CheckpointError(f"{folder} holds a run with another setting: {said}{more}; {_AGAIN}")


def _short(text: str | None) -> str:
    if text is None:
        return "absent"
    return text if len(text) <= 60 else f"{text[:57]}..."


def claimed(folder: Path, setting: Mapping[str, str], steps: int, fresh: bool) -> Checkpoint | None:
    """The folder, ready to be written to, and the checkpoint to go on from, None at the start.

    fresh: what the folder holds does not count. CheckpointError as ``prepare``, ``read``, ``require_same``,
    and for a result without a checkpoint or a checkpoint after more steps than asked for.
    """
    prepare(folder)
    if fresh:
        return None
    found = read(folder)
    if found is None:
        if (folder / DATA).exists():
            raise CheckpointError(f"{folder} holds a result without a checkpoint to go on from; {_AGAIN}")
        return None
    require_same(folder, found.setting, setting)
    if found.step > steps:
        raise CheckpointError(
            f"{folder} holds {found.step} steps, and steps is {steps}; ask for as many or more, {_AGAIN}"
        )
    return found
