"""Methods: the room's list and one import place."""

from workbench.methods.adago import AdaGO
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.adaptive_proximal_point import AdaptiveProximalPoint
from workbench.methods.asgo import ASGO
from workbench.methods.averaged_asgo import AveragedASGO
from workbench.methods.base import Method, Point
from workbench.methods.bpm import BPM
from workbench.methods.conditional_gradient import ConditionalGradient
from workbench.methods.constrained_scion import ConstrainedScion
from workbench.methods.coupled_drop_muon import CoupledDropMuon
from workbench.methods.drop_muon import DropMuon
from workbench.methods.ef21_muon import EF21Muon
from workbench.methods.envelope_descent import EnvelopeDescent
from workbench.methods.gluon import Gluon
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.inexact_gluon import InexactGluon
from workbench.methods.lanton import LANTON
from workbench.methods.loopless_svrg import LooplessSVRG
from workbench.methods.multi_proximal import MultiProximal
from workbench.methods.muon import Muon
from workbench.methods.nesterov import Nesterov
from workbench.methods.normalised_gradient_descent import NormalisedGradientDescent
from workbench.methods.normalised_sgd import NormalisedSGD
from workbench.methods.page import PAGE
from workbench.methods.point_saga import PointSAGA
from workbench.methods.proximal_gradient import AcceleratedProximalGradient, ProximalGradient
from workbench.methods.proximal_point import ProximalPoint
from workbench.methods.proxskip import ProxSkip
from workbench.methods.randprox_minibatch import RandProxMinibatch
from workbench.methods.saga import SAGA
from workbench.methods.scion import Scion
from workbench.methods.sgd import SGD
from workbench.methods.signum import Signum
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.methods.subgradient import Subgradient
from workbench.methods.svrg import SVRG
from workbench.methods.svrp import SVRP
from workbench.methods.trust_region import TrustRegion
from workbench.methods.trust_region_muon import TrustRegionMuon

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
    Gluon,
    AdaptiveGluon,
    NormalisedSGD,
    Signum,
    InexactGluon,
    Muon,
    Scion,
    ConstrainedScion,
    TrustRegionMuon,
    DropMuon,
    AdaptiveDropMuon,
    CoupledDropMuon,
    EF21Muon,
    AdaGO,
    LANTON,
    ASGO,
    AveragedASGO,
)
"""Every method of the library."""

__all__ = [
    "ASGO",
    "BPM",
    "LANTON",
    "METHODS",
    "PAGE",
    "SAGA",
    "SGD",
    "SPPM",
    "SVRG",
    "SVRP",
    "AcceleratedProximalGradient",
    "AdaGO",
    "AdaptiveDropMuon",
    "AdaptiveGluon",
    "AdaptiveProximalPoint",
    "AveragedASGO",
    "ConditionalGradient",
    "ConstrainedScion",
    "CoupledDropMuon",
    "DropMuon",
    "EF21Muon",
    "EnvelopeDescent",
    "Gluon",
    "GradientDescent",
    "InexactGluon",
    "LooplessSVRG",
    "Method",
    "MultiProximal",
    "Muon",
    "Nesterov",
    "NormalisedGradientDescent",
    "NormalisedSGD",
    "Point",
    "PointSAGA",
    "ProxSkip",
    "ProximalGradient",
    "ProximalPoint",
    "RandProxMinibatch",
    "Scion",
    "Signum",
    "Subgradient",
    "TrustRegion",
    "TrustRegionMuon",
]
