"""Methods: the room's list and one import place."""

from workbench.methods.adaptive_proximal_point import AdaptiveProximalPoint
from workbench.methods.base import Method, Point
from workbench.methods.bpm import BPM
from workbench.methods.envelope_descent import EnvelopeDescent
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.normalised_gradient_descent import NormalisedGradientDescent
from workbench.methods.proximal_point import ProximalPoint
from workbench.methods.subgradient import Subgradient
from workbench.methods.trust_region import TrustRegion

METHODS: tuple[type[Method], ...] = (
    BPM,
    GradientDescent,
    Subgradient,
    ProximalPoint,
    NormalisedGradientDescent,
    TrustRegion,
    AdaptiveProximalPoint,
    EnvelopeDescent,
)
"""Every method of the library."""

__all__ = [
    "BPM",
    "METHODS",
    "AdaptiveProximalPoint",
    "EnvelopeDescent",
    "GradientDescent",
    "Method",
    "NormalisedGradientDescent",
    "Point",
    "ProximalPoint",
    "Subgradient",
    "TrustRegion",
]
