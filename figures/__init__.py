"""Room 3: recipes for figures. Each computes its numbers, draws them, and saves both."""

from figures.numbers import Numbers, NumbersError
from figures.recipe import FORMATS, STATUSES, Recipe, render, write
from figures.recipes.bpm_gap import BPMGap
from figures.style import STYLES, WIDTHS

FIGURES: tuple[type[Recipe], ...] = (BPMGap,)
"""Every recipe of the room, in the order in which `workbench list figures` shows them."""

__all__ = [
    "FIGURES",
    "FORMATS",
    "STATUSES",
    "STYLES",
    "WIDTHS",
    "BPMGap",
    "Numbers",
    "NumbersError",
    "Recipe",
    "render",
    "write",
]
