"""Processes of a group, forked from one that has imported once what all of them need."""

import contextlib
import multiprocessing
import runpy
import sys
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp

NEEDED = [
    "pytest",  # the program that starts them imports it
    "torch._dynamo",  # imported by the first optimizer
    "sklearn.datasets",
    "sklearn.model_selection",
    "tests.workbench.ef21_processes",
    "tests.workbench.probe_processes",
    "tests.workbench.probe_ranks",
]


def forked_context() -> ForkServerContext:
    """The server forks before it has threads or a group, so that each process begins as a new one would."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    return context


def group_of(function: Callable[..., None], n: int, folder: Path) -> list[Any]:
    """What each of n processes wrote to ``folder``; an error of one of them is raised here."""
    forked_context()
    mp.start_processes(function, (str(folder),), nprocs=n, start_method="forkserver")  # pyright: ignore[reportPrivateImportUsage]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(n)]


def printed(path: Path, *arguments: str, folder: Path) -> str:
    """What a program prints that is run whole, in a process of its own; those that it spawns are forks."""
    out = folder / "printed"
    process = forked_context().Process(target=_program, args=(str(path), arguments, str(out)))
    process.start()
    process.join()
    assert process.exitcode == 0, f"{path} ended with {process.exitcode}"
    return out.read_text()


def _program(path: str, arguments: Sequence[str], out: str) -> None:
    """Fork, not spawn: the functions of a program's main module are known to its forks alone."""
    mp.spawn = partial(mp.start_processes, start_method="fork")  # pyright: ignore
    sys.argv = [path, *arguments]
    with Path(out).open("a") as file, contextlib.redirect_stdout(file):
        runpy.run_path(path, run_name="__main__")
