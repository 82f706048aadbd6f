"""Room 3: recipes for figures. Each computes its numbers, draws them, and saves both."""

from figures.compare import compare
from figures.evaluate import Sides, sides
from figures.numbers import Numbers, NumbersError
from figures.over import over
from figures.recipe import FORMATS, STATUSES, Recipe, render, write
from figures.recipes import FIGURES
from figures.style import STYLES, WIDTHS

__all__ = [
    "FIGURES",
    "FORMATS",
    "STATUSES",
    "STYLES",
    "WIDTHS",
    "Numbers",
    "NumbersError",
    "Recipe",
    "Sides",
    "compare",
    "over",
    "render",
    "sides",
    "write",
]
