"""The command line: what ``workbench`` accepts; the work is done in the modules that ``dispatch`` lists."""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from workbench import __version__
from workbench.catalogue import CATALOGUE
from workbench.cli.commands import assumptions, library, pages, runs, theorems
from workbench.cli.dispatch import dispatch

DECLARED: dict[str, Callable[..., None]] = {
    "list": library.list_,
    "show": library.show,
    "verify": theorems.verify,
    "run": runs.run,
    "check": assumptions.check,
    "table": assumptions.table,
    "probe": runs.probe,
    "calibrate": theorems.calibrate,
    "replay": theorems.replay,
    "falsify": theorems.falsify,
    "evidence": theorems.evidence,
    "figure": pages.figure,
    "report": pages.report,
    "new": library.new,
    "info": library.info,
}
"""Commands in the order of the help, each with its arguments and its help."""

_SIZE = ", ".join(
    f"{len(CATALOGUE[kind])} {kind}" for kind in ("theorems", "methods", "problems", "assumptions")
)

app = typer.Typer(
    name="workbench",
    help=f"Verify convergence theorems on problems with certified constants: {_SIZE}.",
    epilog="Exit status: 0 as expected, 1 not as expected, 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of ``workbench``."""
    app(prog_name="workbench")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def _dispatching(command: str, declared: Callable[..., None]) -> Callable[..., None]:
    """A function with the signature and the help of ``declared`` that runs the command."""

    @functools.wraps(declared)
    def run(**arguments: Any) -> None:
        dispatch(command, **arguments)

    return run


for _command, _declared in DECLARED.items():
    app.command(_command)(_dispatching(_command, _declared))
