"""Replicates of a run from the problem's own start, and the claim on them."""

from typing import NamedTuple

import torch

from workbench.trace import Trace
from workbench.verify.claim import Comparison, compare
from workbench.verify.environment import Numbers, numbers, run_case
from workbench.verify.setting import Setting


class Replicates(NamedTuple):
    """Runs side by side: the claim on them, what it was read from, and the runs."""

    comparison: Comparison
    numbers: Numbers
    trace: Trace


def replicated(setting: Setting, first: int, rows: int, seed: int) -> Replicates:
    """So many replicates, from replicate ``first`` on. setting: of one start."""
    method, tables = setting.methods()[0]
    starts = setting.x0.expand(rows, -1)
    trace = run_case(setting.case, method, tables, starts, setting.horizon, seed, first=first)
    found = numbers(setting.case, trace, setting.solved)
    return Replicates(compare(setting.case, found, torch.ones(rows, dtype=torch.bool)), found, trace)
