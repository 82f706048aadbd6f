"""Methods: the room's list and one import place."""

from workbench.methods.base import Method, Point
from workbench.methods.bpm import BPM
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.proximal_point import ProximalPoint
from workbench.methods.subgradient import Subgradient

METHODS: tuple[type[Method], ...] = (BPM, GradientDescent, ProximalPoint, Subgradient)
"""Every method of the library."""

__all__ = ["BPM", "METHODS", "GradientDescent", "Method", "Point", "ProximalPoint", "Subgradient"]
