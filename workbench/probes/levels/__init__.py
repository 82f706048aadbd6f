"""What a probe may measure besides the two ends of a step: one file for each level, with its cost."""

from workbench.probes.levels.adversarial import adversarial
from workbench.probes.levels.cost import LEVELS, cost, require_levels
from workbench.probes.levels.coupling import coupling, default_groups, groups_by_pattern
from workbench.probes.levels.hvp import hvp_along
from workbench.probes.levels.lmo import lmo_quality, orthogonalisers
from workbench.probes.levels.radii import radii, require_scales
from workbench.probes.levels.ratio import per_length

__all__ = [
    "LEVELS",
    "adversarial",
    "cost",
    "coupling",
    "default_groups",
    "groups_by_pattern",
    "hvp_along",
    "lmo_quality",
    "orthogonalisers",
    "per_length",
    "radii",
    "require_levels",
    "require_scales",
]
