"""``workbench probe``: train a network, and measure its smoothness on the way."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import xarray

from workbench.cli.output import WrongUseError, note, write_json, wrong_use
from workbench.cli.probe_report import document, print_begin, print_end
from workbench.cli.progress import progress
from workbench.cli.targets import require_targets
from workbench.probes.fits.fit import fit_smoothness
from workbench.probes.layers import FAMILIES
from workbench.probes.probe import ProbeStoppedWarning
from workbench.probes.result import DATA, MANIFEST, load, load_manifest
from workbench.probes.tasks import TASKS, Task, load_task
from workbench.probes.training.checkpoint import LOSSES
from workbench.probes.training.checkpoint import NAME as CHECKPOINT
from workbench.probes.training.interrupts import InterruptedTrainingError
from workbench.probes.training.optimizers import OPTIMIZERS, make_optimizer
from workbench.probes.training.train import BATCHES, Trained, Training
from workbench.user_code import told

LENGTHS = {"mlp": (400, 10), "cnn": (1500, 20), "gpt": (500, 10)}
"""Steps, and steps from probe to probe, 40 to 75 of them: seconds for mlp, some minutes for the others."""

OTHERWISE = (400, 10)
WITHOUT_NORMS = ("adamw", "sgd")
"""Optimizers whose groups have no norms."""

DEVICES = ("auto", "cpu", "cuda")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
OF_TASK = ("rows", "fixed_rows", "size", "data", "tokens")
"""Options that a task of the library takes."""


def main(network: str, json: str | None, reasons: bool = False, **options: Any) -> int:
    """Train, show, write; 0 also where the training diverged, which is a result."""
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    if network not in TASKS and Path(network).is_dir():
        return _show(Path(network), json, reasons, given)
    with contextlib.redirect_stdout(sys.stderr):  # what a user's file prints is not part of the result
        training = _prepared(network, json, given)
    if json != "-":
        empty = training.probe.result()
        print_begin({**empty.attrs, **training.manifest()}, empty, training.probe.cost(), training.began)
    trained = _trained(training, _file(network))
    assert training.out is not None
    return _told(trained.result, load_manifest(training.out), training.out, json, reasons)


def _show(folder: Path, json: str | None, reasons: bool, given: dict[str, Any]) -> int:
    """A saved result again."""
    if given:
        said = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise WrongUseError(
            f"{folder} is a folder: its result is shown, and {said} cannot change it; to go on with a run, "
            f"repeat its command"
        )
    _require_beside(json, folder)
    with wrong_use():
        result, manifest = load(folder), load_manifest(folder)
    if json != "-":
        print_begin(manifest, result)
    return _told(result, manifest, folder, json, reasons)


def _require_beside(json: str | None, folder: Path) -> None:
    """WrongUseError where the JSON would be written over a file of the result."""
    files = (DATA, MANIFEST, CHECKPOINT, LOSSES)
    require_targets({"--json": json}, {folder / name: "is of the result" for name in files})


def _prepared(network: str, json: str | None, given: dict[str, Any]) -> Training:
    """Everything checked, nothing trained."""
    device = _device(given.get("device", "auto"))
    name = _one_of("optimizer", given.get("optimizer", "scion"), tuple(OPTIMIZERS))
    batch = _one_of("batch", given.get("batch", "fixed"), BATCHES)
    norms = _one_of("norms", given.get("norms", _norms(name)), FAMILIES)
    dtype = _one_of("dtype", given.get("dtype", "float32"), tuple(DTYPES))
    level = given.get("level", "pair" if batch == "different" else "radii,lmo")
    seed = given.get("seed", 0)
    with wrong_use():
        task = _task(network, seed, {key: given[key] for key in OF_TASK if key in given})
        task.model.to(device)
        optimizer = make_optimizer(name, task, given.get("lr"), seed)
        steps, every = LENGTHS.get(network, OTHERWISE)
        steps = given.get("steps", steps)
        out = given.get("out", Path("results") / f"probe-{task.name}-{name}")
        _require_beside(json, out)
        return Training(
            task,
            optimizer,
            steps=steps,
            every=given.get("every", min(every, steps)),
            level=level,
            batch=batch,
            norms=norms,
            dtype=DTYPES[dtype],
            seed=seed,
            out=out,
            fresh="fresh" in given,
            save_every=given.get("save_every", 60.0),
            announce=_later(note),
        )


def _task(network: str, seed: int, options: dict[str, Any]) -> Task:
    """ValueError for what is no network, and for options that it does not take."""
    if network in TASKS:
        if "tokens" in options and network != "gpt":
            raise ValueError(f"--tokens is for gpt, which reads text, and not for {network}")
        return TASKS[network](seed, **options)
    if not _file(network):
        raise ValueError(
            f"network must be one of {', '.join(TASKS)}, a task of yours as 'path.py:make', or a folder that "
            f"holds a result; got {network!r}"
        )
    if options:
        said = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise ValueError(f"{said}: a task of yours says itself what it is; only those of the library take it")
    return load_task(network, seed)


def _file(network: str) -> Path | None:
    """The file of a task of the user's own."""
    place = network.rpartition(":")[0]
    return Path(place or network) if place or network.endswith(".py") else None


def _norms(optimizer: str) -> str:
    return "scion" if optimizer in WITHOUT_NORMS else "optimizer"


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise WrongUseError(f"--{name} must be one of {', '.join(known)}; got {value!r}")
    return value


def _device(name: str) -> str:
    _one_of("device", name, DEVICES)
    if name == "cuda" and not torch.cuda.is_available():
        raise WrongUseError("--device cuda: torch finds no CUDA device here; use --device cpu, or auto")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _trained(training: Training, file: Path | None) -> Trained:
    """An interrupt says what is saved; an error in the user's file comes with its line."""
    try:
        with progress() as tell, contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore", ProbeStoppedWarning)  # the report says it
            return training.run(tell)
    except InterruptedTrainingError as error:
        note(f"{error}; the same command goes on from there")
        raise
    except Exception as error:
        if message := told(error, file):
            raise WrongUseError(" ".join(message.split())) from error
        if isinstance(error, ValueError):
            raise WrongUseError(str(error)) from error
        raise


def _told(
    result: xarray.Dataset, manifest: Mapping[str, Any], folder: Path, json: str | None, reasons: bool
) -> int:
    with wrong_use():
        fits = fit_smoothness(result) if result.sizes["probe"] else ()
    if json != "-":
        print_end(manifest, fits, folder, reasons)
    if json is not None:
        write_json(document(manifest, fits, folder), json)
    return 0


def _later(say: Callable[[str], Any]) -> Callable[[str], Any]:
    """Says all but the first text: norms and costs, which are shown as a table of their own."""
    texts: list[str] = []

    def said(text: str) -> None:
        if texts:
            say(text)
        texts.append(text)

    return said
