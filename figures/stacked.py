"""Figures whose panels are stacked where a row of them would be too narrow to read."""

from typing import Any

from matplotlib.figure import Figure

NARROWEST = 15.2
"""Width of a panel in units of the font size: three fit beside each other in a text width."""
FLATTER = 0.8
"""Height of a stacked panel, over that of one in a row of the same width."""
POINTS = 72


class StackedFigure(Figure):
    """A figure of (rows, columns) panels with fewer columns, and more rows, where they are too narrow.

    ``subplots`` is asked for the panels as they are meant and returns them so, wherever they stand.
    style: the venue that it is drawn for.
    """

    def __init__(
        self, panels: tuple[int, int], ratio: float, inches: float, size: float, style: str = "neurips"
    ) -> None:
        self.style = style
        rows, columns = self.asked = panels
        least = NARROWEST * size / POINTS
        fitting = [c for c in range(columns, 0, -1) if rows * columns % c == 0 and inches / c >= least]
        across = fitting[0] if fitting else 1
        self.made = (rows * columns // across, across)
        height = inches / across * self.made[0] * ratio
        super().__init__(figsize=(inches, height * (1.0 if across == columns else FLATTER)))

    def subplots(self, nrows: int = 1, ncols: int = 1, **more: Any) -> Any:
        """As in matplotlib."""
        if (
            (nrows, ncols) != self.asked
            or self.made == self.asked
            or {"width_ratios", "height_ratios"} & {*more}
        ):
            return super().subplots(nrows, ncols, **more)
        squeeze = more.pop("squeeze", True)
        axes = super().subplots(*self.made, squeeze=False, **more).reshape(self.asked)
        return axes.squeeze() if squeeze else axes
