"""What a recipe is: it computes numbers, and draws them."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from matplotlib.figure import Figure

from figures.numbers import Numbers, NumbersError
from figures.stacked import StackedFigure
from figures.style import styled
from workbench.whole_file import whole_file

STATUSES = ("reproduced", "re-derived", "own")
FORMATS = ("pdf", "png", "svg")
LAYOUTS = 2
"""A layout changes the ticks, whose labels change the layout."""
_UNDATED = {"pdf": {"CreationDate": None}, "png": {"Software": None}, "svg": {"Date": None}}


class Recipe(ABC):
    """A figure. The first line of the docstring of a subclass is its summary.

    name    on the command line, "bpm-gap"
    paper   whose figure it is, "" for our own        status  "reproduced", "re-derived" or "own"
    see     one sentence: what to see                 panels  (rows, columns), as ``draw`` makes them with
                                                              figure.subplots; stacked where too narrow
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    status: ClassVar[str]
    see: ClassVar[str]
    panels: ClassVar[tuple[int, int]] = (1, 1)
    ratio: ClassVar[float] = 0.75
    """Height of a panel over its width."""

    @abstractmethod
    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """The numbers, at quick size or of paper quality; the same for the same seed."""

    @classmethod
    def from_saved(cls, path: Path) -> Numbers:
        """What ``--data`` names, as numbers: a file that ``Numbers.save`` wrote, or a folder with it.

        A recipe that is drawn from other saved results reads these too. NumbersError for what it cannot read.
        """
        if path.is_dir() and not (path / f"{cls.name}.json").exists():
            raise NumbersError(f"{path} holds no {cls.name}.json, the numbers of the figure {cls.name}")
        return Numbers.load(path / f"{cls.name}.json" if path.is_dir() else path, cls.name)

    @abstractmethod
    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Draw into an empty figure; settings and size are those of the venue."""


def render(recipe: Recipe, numbers: Numbers, style: str = "neurips", width: str = "two") -> Figure:
    """The figure, drawn for a venue. ValueError for a style or a width that there is not."""
    with styled(style) as venue:
        figure = StackedFigure(recipe.panels, recipe.ratio, venue.width(width), venue.size, style)
        recipe.draw(numbers, figure)
        for _ in range(LAYOUTS):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the layout stays as it is, whatever is written from it
        return figure


def write(figure: Figure, stem: Path, formats: tuple[str, ...], style: str) -> list[Path]:
    """One file for each format, named by adding its ending; the same bytes for the same numbers.

    A file is there whole or not at all. ValueError for another format.
    """
    for ending in formats:
        if ending not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {ending!r}")
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in formats]
    with styled(style):
        for path, ending in zip(paths, formats, strict=True):
            with whole_file(path) as part:
                figure.savefig(part, format=ending, metadata=_UNDATED[ending])
    return paths
