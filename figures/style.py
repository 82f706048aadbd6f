"""Sizes, fonts and colours for venues, as plain matplotlib settings; no LaTeX installation is needed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, NamedTuple

import matplotlib as mpl

WIDTHS = ("one", "two")


@dataclass(frozen=True)
class Venue:
    """Widths in inches: of a column (half the text where a page has one column), and of the text."""

    one: float
    two: float
    font: str
    size: float
    line: float = 1.0

    def width(self, which: str) -> float:
        """By name. ValueError for another name."""
        if which not in WIDTHS:
            raise ValueError(f"width must be one of {', '.join(WIDTHS)}, got {which!r}")
        return self.one if which == "one" else self.two


STYLES: dict[str, Venue] = {
    "neurips": Venue(2.7, 5.5, "STIXGeneral", 8),
    "icml": Venue(3.25, 6.75, "STIXGeneral", 8),
    "jmlr": Venue(2.95, 6.0, "STIXGeneral", 8),
    "siam": Venue(2.5, 5.125, "STIXGeneral", 8),
    "slides": Venue(6.0, 12.0, "DejaVu Sans", 16, 2.0),
}
"""By name: the text widths of the style files of the venues."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito: told apart with every common colour blindness."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


class Look(NamedTuple):
    """Of one curve: colour, dashes and marker differ from its neighbours, so that grey is enough."""

    color: str
    linestyle: Any
    marker: str


def looks(n: int) -> list[Look]:
    """n looks, the first ones as different as can be."""
    return [
        Look(*look) for look in islice(zip(cycle(COLOURS), cycle(DASHES), cycle(MARKERS), strict=False), n)
    ]


def settings(style: str) -> Mapping[str, Any]:
    """Settings of matplotlib for a venue. ValueError for a name that there is not."""
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    venue = STYLES[style]
    small = venue.size - 1
    return {
        "font.family": venue.font,
        "mathtext.fontset": "stix" if venue.font.startswith("STIX") else "dejavusans",
        "font.size": venue.size,
        "axes.titlesize": venue.size,
        "axes.labelsize": venue.size,
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "legend.frameon": False,
        "legend.handlelength": 2.4,
        "lines.linewidth": 1.2 * venue.line,
        "lines.markersize": 3.0 * venue.line,
        "axes.linewidth": 0.6 * venue.line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.linewidth": 0.4 * venue.line,
        "grid.color": "0.9",
        "xtick.major.width": 0.6 * venue.line,
        "ytick.major.width": 0.6 * venue.line,
        "figure.constrained_layout.use": True,
        "figure.dpi": 200,
        "savefig.dpi": 200,
        "pdf.fonttype": 42,  # fonts go in whole, as TrueType, which every venue accepts
        "svg.fonttype": "path",
        "svg.hashsalt": "workbench",
        "text.usetex": False,
    }


@contextmanager
def styled(style: str) -> Iterator[Venue]:
    """Inside, matplotlib draws for a venue; nothing of the user's own settings counts."""
    chosen: Any = settings(style)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(chosen)
        yield STYLES[style]
