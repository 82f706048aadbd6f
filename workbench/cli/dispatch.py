"""From a command to its module, imported when the command is used: help and lists stay quick."""

import importlib
import os
import sys
from typing import Any

import typer

from workbench.cli.output import WrongUseError

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


def dispatch(command: str, **arguments: Any) -> None:
    """Run a command and exit: 0 as expected, 1 not as expected, 2 wrong use, 130 interrupted."""
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    raise typer.Exit(status)
