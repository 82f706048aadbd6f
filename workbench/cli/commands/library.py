"""What there is: lists, objects in full, a file to start from, versions."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.catalogue import CATALOGUE
from workbench.cli.commands.options import Json, UserFile


def list_(
    kind: Annotated[str, typer.Argument(help="; ".join(CATALOGUE))],
    json: Json = False,
) -> None:
    """List papers, theorems, methods, their options, problems, assumptions, counterexamples or figures."""


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A theorem, method, problem, assumption, counterexample, figure or paper."
        ),
    ],
    file: UserFile = None,
    json: Json = False,
) -> None:
    """Show a theorem in full (statement, LaTeX, instances, mutants, proof), or another object."""


def new(
    kind: Annotated[str, typer.Argument(help="theorem, problem or method")],
    name: Annotated[Path | None, typer.Argument(metavar="NAME.PY", help="Default: my_KIND.py")] = None,
) -> None:
    """Write a commented file of your own that runs as it is."""


def info(json: Json = False) -> None:
    """Show versions, extras, data found and the device."""
