"""What goes into a paper or a browser: figures, pages of results."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.commands.options import UserFile, folder


def figure(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME|all", help="Figures or globs, as 'bpm-*'; or all.")
    ],
    *,
    style: Annotated[str, typer.Option("--style", help="neurips, icml, jmlr, siam or slides.")] = "neurips",
    width: Annotated[str, typer.Option("--width", help="One column or two.", metavar="one|two")] = "two",
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="SAVED", help="Draw these numbers, a NAME.json or a folder of them."),
    ] = None,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            help="pdf, png or svg; repeat it. Default: pdf and png.",
            default_factory=list,
            show_default=False,
        ),
    ],
    full: Annotated[bool, typer.Option("--full", help="Paper quality, minutes instead of seconds.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32, help="Seed of starts and draws.")] = 0,
    out: Annotated[
        Path, typer.Option("--out", parser=folder, metavar="DIR", help="Folder of what is written.")
    ] = Path("figures-out"),
    gallery_file: Annotated[
        Path | None, typer.Option("--gallery", metavar="FILE.MD", help="Also write a page of the figures.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also say it as JSON; '-': only this.")
    ] = None,
) -> None:
    """Draw figures for a paper, and save the numbers behind them."""


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `workbench verify` wrote.")],
    before: Annotated[
        Path | None, typer.Argument(metavar="DIR2", help="An earlier one: what has changed since?")
    ] = None,
    file: UserFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.HTML", help="The page; default: DIR/report.html.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option("--latex", metavar="FILE.TEX", help=r"Also write a table for \input.")
    ] = None,
    bibtex_file: Annotated[
        Path | None, typer.Option("--bibtex", metavar="FILE.BIB", help="Also write the papers as BibTeX.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE|-", help="Also write the page's data; '-': only this on stdout."
        ),
    ] = None,
) -> None:
    """Write one HTML page to browse results: statements, verdicts, tightness, witnesses.

    It needs no network and opens from disk.
    """
