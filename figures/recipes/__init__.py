"""Recipes, one file each, and the list of them."""

from figures.recipe import Recipe
from figures.recipes.ball_convexity import BallConvexity
from figures.recipes.bpm_balls import BPMBalls
from figures.recipes.bpm_envelopes import BPMEnvelopes
from figures.recipes.bpm_gap import BPMGap
from figures.recipes.bpm_methods import BPMMethods
from figures.recipes.bpm_norms import BPMNorms
from figures.recipes.bpm_steps import BPMSteps
from figures.recipes.calibration import Calibration
from figures.recipes.drop_muon_accuracy import DropMuonAccuracy
from figures.recipes.drop_muon_cost import DropMuonCost
from figures.recipes.ef21_muon_bytes import EF21MuonBytes
from figures.recipes.gluon_radius_sweep import GluonRadiusSweep
from figures.recipes.inexact_lmo_coupling import InexactLMOCoupling
from figures.recipes.inexact_lmo_heatmap import InexactLMOHeatmap
from figures.recipes.l0l1_fronts import L0L1Fronts
from figures.recipes.orthogonalisers import Orthogonalisers
from figures.recipes.page_gradients import PAGEGradients
from figures.recipes.page_weak_convexity import PAGEWeakConvexity
from figures.recipes.predicted_radius import PredictedRadius
from figures.recipes.proxskip_communications import ProxSkipCommunications
from figures.recipes.radii import Radii
from figures.recipes.smpm_prox_calls import SMPMProxCalls
from figures.recipes.smpm_slope import SMPMSlope
from figures.recipes.sppm_similarity import SPPMSimilarity
from figures.recipes.sppm_stepsizes import SPPMStepsizes
from figures.recipes.stochastic_costs import StochasticCosts
from figures.recipes.tightness import Tightness
from figures.recipes.trajectory_smoothness import TrajectorySmoothness
from figures.recipes.worst_case import WorstCaseFigure

FIGURES: tuple[type[Recipe], ...] = (
    *(BPMGap, BPMMethods, BPMSteps, BPMBalls, BPMEnvelopes, BPMNorms, BallConvexity, L0L1Fronts),
    *(SPPMStepsizes, SPPMSimilarity, SMPMProxCalls, ProxSkipCommunications, SMPMSlope),
    *(PAGEGradients, PAGEWeakConvexity, StochasticCosts, Calibration),
    *(GluonRadiusSweep, DropMuonCost, EF21MuonBytes, InexactLMOHeatmap, InexactLMOCoupling, Orthogonalisers),
    *(TrajectorySmoothness, PredictedRadius, Radii, DropMuonAccuracy),
    *(WorstCaseFigure, Tightness),
)
"""Every recipe of the room, in the order in which `workbench list figures` shows them."""
