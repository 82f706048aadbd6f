"""Smoothness of networks along their training: probes, fits, networks to try them on."""

from workbench.probes.fits.fit import LayerFit, fit_smoothness, fit_table
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import NetworkLayers, layers_for
from workbench.probes.probe import NotFiniteError, ProbeStoppedWarning, SmoothnessProbe
from workbench.probes.problem.network_problem import NetworkProblem
from workbench.probes.result import load

__all__ = [
    "GradientOracle",
    "LayerFit",
    "NetworkLayers",
    "NetworkProblem",
    "NotFiniteError",
    "ProbeStoppedWarning",
    "SmoothnessProbe",
    "fit_smoothness",
    "fit_table",
    "layers_for",
    "load",
]
