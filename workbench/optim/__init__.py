"""Muon, Scion, Gluon, Drop-Muon and EF21-Muon as optimizers of torch, with a norm for each group."""

from workbench.optim.drop_muon import DropMuon
from workbench.optim.ef21_muon import EF21Muon
from workbench.optim.gluon import Gluon
from workbench.optim.groups import groups_for
from workbench.optim.muon import Muon
from workbench.optim.presets import PRESETS
from workbench.optim.scion import Scion
from workbench.optim.star import Traffic, WorkerLost

__all__ = ["PRESETS", "DropMuon", "EF21Muon", "Gluon", "Muon", "Scion", "Traffic", "WorkerLost", "groups_for"]
