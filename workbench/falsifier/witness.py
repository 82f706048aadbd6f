"""What a search found as a witness: plain data that ``workbench replay`` reruns digit by digit."""

from collections.abc import Mapping
from typing import Any

from workbench.falsifier.candidate import Tried
from workbench.falsifier.evaluate import MEANS
from workbench.verify.place import described, hyperparameters
from workbench.verify.setting import set_up
from workbench.verify.states import given_state, setting_of


def witness(
    tried: Tried,
    *,
    mutant: str | None = None,
    dropped: str | None = None,
    values: Mapping[str, Any] | None = None,
    file: str | None = None,
) -> dict[str, Any]:
    """A ``confirmed`` candidate in the fields that ``verify.replay`` reads.

    mutant: why the theorem of the case is false, if it is a mutant; dropped, values: the assumption that it
    lacks, and what stands for its constants, as expressions that print; file: the user's, if it is from one.
    """
    candidate = tried.candidate
    case = candidate.case
    return {
        **described(case, candidate.seed, candidate.horizon),
        **_where(tried),
        "k": tried.k,
        "measured": tried.measured,
        "bound": tried.bound,
        "tolerance": tried.tolerance,
        "hyperparameters": _hyperparameters(tried),
        "refutes": tried.refutes,
        "mutant": mutant,
        "dropped": dropped,
        "values": {name: str(value) for name, value in (values or {}).items()},
        "file": file,
    }


def _where(tried: Tried) -> dict[str, Any]:
    """The fields by which a replay knows what to rerun."""
    candidate = tried.candidate
    x0 = candidate.x0.tolist()
    if candidate.state is not None:
        return {"state": {**candidate.state, "k": candidate.k}}
    if candidate.case.theorem.kind not in MEANS:
        return {"start": x0, "replicate": candidate.replicate}
    return {"leaves" if tried.how == "tree" else "replicates": tried.replicates, "x0": x0}


def _hyperparameters(tried: Tried) -> dict[str, float]:
    candidate = tried.candidate
    case = candidate.case
    if candidate.state is None:
        setting = set_up(case, candidate.x0[None], candidate.horizon)
    else:
        setting = setting_of(case, given_state(case, {**candidate.state, "k": candidate.k}))
    return hyperparameters(setting.solved, 0, tried.k)
