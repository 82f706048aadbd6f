"""Verify theorems: which claim holds where, how tightly, and what refutes it.

Kinds are decided in ``judge``: path, exact, equal. Kinds that need statistics (step, mean, hp, slope)
have their place beside it: a case, a budget and a seed in, an ``Outcome`` out.
"""

from workbench.verify.budget import DEFAULT, FULL, QUICK, Budget
from workbench.verify.plan import Unit, plan
from workbench.verify.record import Record
from workbench.verify.replay import Replayed, replay
from workbench.verify.run import ResultStore, judge_unit, verify
from workbench.verify.verdicts import WORST_FIRST, Verdict, is_expected

__all__ = [
    "DEFAULT",
    "FULL",
    "QUICK",
    "WORST_FIRST",
    "Budget",
    "Record",
    "Replayed",
    "ResultStore",
    "Unit",
    "Verdict",
    "is_expected",
    "judge_unit",
    "plan",
    "replay",
    "verify",
]
