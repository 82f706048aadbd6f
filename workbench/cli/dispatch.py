"""From a command to its module, imported when the command is used: help and lists stay quick."""

import contextlib
import errno
import importlib
import os
import sys
from typing import Any

import typer

from workbench.cli.output import WrongUseError
from workbench.heap import keep_freed_memory

COMMANDS = {
    "list": "workbench.cli.listing",
    "show": "workbench.cli.show",
    "run": "workbench.cli.run",
    "check": "workbench.cli.check",
    "table": "workbench.cli.table",
    "verify": "workbench.cli.verify",
    "probe": "workbench.cli.probe",
    "calibrate": "workbench.cli.calibrate",
    "replay": "workbench.cli.replay",
    "falsify": "workbench.cli.falsify",
    "evidence": "workbench.cli.evidence",
    "figure": "workbench.cli.figure",
    "report": "workbench.cli.report",
    "new": "workbench.cli.new",
    "info": "workbench.cli.info",
}
"""The only place of late imports. Each module has ``main(**arguments)``, which returns the exit status."""

FULL = (errno.ENOSPC, errno.EDQUOT)
NO_MEMORY = ("can't allocate memory", "out of memory")


def dispatch(command: str, **arguments: Any) -> None:
    """Run a command; typer.Exit: 0 as expected, 1 not as expected, 2 wrong use, 130 interrupted."""
    keep_freed_memory()
    if sys.stdout is None:  # closed by the caller, as with `>&-`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        status = importlib.import_module(COMMANDS[command]).main(**arguments)
        sys.stdout.flush()
    except WrongUseError as error:
        typer.echo(f"workbench {command}: {error}", err=True)
        status = 2
    except KeyboardInterrupt:
        typer.echo(f"workbench {command}: interrupted", err=True)
        status = 130
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        _discard_output()
        status = 0
    except (OSError, MemoryError, RuntimeError) as error:
        lacking = _lacking(error)
        if lacking is None:
            raise
        if isinstance(error, OSError):
            _discard_output()
        typer.echo(f"workbench {command}: {lacking}", err=True)
        status = 2
    raise typer.Exit(status)


def _discard_output() -> None:
    """What is still to be written to stdout goes nowhere, also at the end of the process."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lacking(error: OSError | MemoryError | RuntimeError) -> str | None:
    """What the machine lacks: room on a disk, or memory (torch says so by its words alone); None else."""
    if isinstance(error, OSError):
        return f"the output cannot be written: {error.strerror}" if error.errno in FULL else None
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        return "there is not enough memory for what is asked; ask for fewer points, variables or replicates"
    return None
