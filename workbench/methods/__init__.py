"""Methods: the room's list and one import place."""

from workbench.methods.adaptive_proximal_point import AdaptiveProximalPoint
from workbench.methods.base import Method, Point
from workbench.methods.bpm import BPM
from workbench.methods.conditional_gradient import ConditionalGradient
from workbench.methods.envelope_descent import EnvelopeDescent
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.loopless_svrg import LooplessSVRG
from workbench.methods.multi_proximal import MultiProximal
from workbench.methods.nesterov import Nesterov
from workbench.methods.normalised_gradient_descent import NormalisedGradientDescent
from workbench.methods.page import PAGE
from workbench.methods.point_saga import PointSAGA
from workbench.methods.proximal_gradient import AcceleratedProximalGradient, ProximalGradient
from workbench.methods.proximal_point import ProximalPoint
from workbench.methods.proxskip import ProxSkip
from workbench.methods.randprox_minibatch import RandProxMinibatch
from workbench.methods.saga import SAGA
from workbench.methods.sgd import SGD
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.methods.subgradient import Subgradient
from workbench.methods.svrg import SVRG
from workbench.methods.svrp import SVRP
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
    Nesterov,
    ProximalGradient,
    AcceleratedProximalGradient,
    ConditionalGradient,
    SGD,
    SVRG,
    LooplessSVRG,
    SAGA,
    PAGE,
    SPPM,
    SVRP,
    MultiProximal,
    PointSAGA,
    ProxSkip,
    RandProxMinibatch,
)
"""Every method of the library."""

__all__ = [
    "BPM",
    "METHODS",
    "PAGE",
    "SAGA",
    "SGD",
    "SPPM",
    "SVRG",
    "SVRP",
    "AcceleratedProximalGradient",
    "AdaptiveProximalPoint",
    "ConditionalGradient",
    "EnvelopeDescent",
    "GradientDescent",
    "LooplessSVRG",
    "Method",
    "MultiProximal",
    "Nesterov",
    "NormalisedGradientDescent",
    "Point",
    "PointSAGA",
    "ProxSkip",
    "ProximalGradient",
    "ProximalPoint",
    "RandProxMinibatch",
    "Subgradient",
    "TrustRegion",
]
