"""What implies what: all rows of the room."""

from assumptions.implications.convexity import CONVEXITY, GROWTH
from assumptions.implications.implies import Implies
from assumptions.implications.smoothness import LAYERWISE, SMOOTHNESS
from assumptions.implications.sums import NOISE, SUMS

IMPLICATIONS: tuple[Implies, ...] = (*CONVEXITY, *GROWTH, *SMOOTHNESS, *LAYERWISE, *SUMS, *NOISE)
"""The room's rows, each with its proof."""
