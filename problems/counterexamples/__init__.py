"""What does not imply what: a function that has the one and, at given points, breaks the other."""

from problems.counterexamples.base import Counterexample
from problems.counterexamples.convexity import CONVEXITY
from problems.counterexamples.layers import LAYERS
from problems.counterexamples.noise import NOISE
from problems.counterexamples.smoothness import SMOOTHNESS
from problems.counterexamples.sums import SUMS

COUNTEREXAMPLES: tuple[Counterexample, ...] = (*SMOOTHNESS, *LAYERS, *SUMS, *CONVEXITY, *NOISE)
"""False implications that the literature or a first guess suggests."""

__all__ = ["COUNTEREXAMPLES", "Counterexample"]
