"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer


def folder(name: str | Path) -> Path:
    """The folder of this name. typer.BadParameter for none: a path without a name is the current folder."""
    if not str(name):
        raise typer.BadParameter("the name of a folder is needed, such as '.', got ''")
    return Path(name)


Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
JsonFile = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Also write it as JSON; '-': only this.")
]
UserFile = Annotated[
    Path | None, typer.Option("--file", help="A file with objects of yours.", metavar="MINE.PY")
]
Selectors = Annotated[
    list[str],
    typer.Argument(
        metavar="SELECTOR",
        help="Ids or globs, as 'bpm/*'; default: all.",
        default_factory=list,
        show_default=False,
    ),
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", metavar="N", help="Processes that share the work; -1: all cores.")
]
DrawsSeed = Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the draws.")]
SearchSeed = Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the search.")]
SamplesSeed = Annotated[int, typer.Option("--seed", min=0, max=2**32, help="Seed of samples and searches.")]
