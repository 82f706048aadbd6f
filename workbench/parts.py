"""What a theorem is made of: source, mutants, tightest instances, kinds, facts, meanings of names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from problems.base import Problem

Kind = Literal["path", "exact", "equal", "step", "mean", "hp", "slope"]
KINDS: tuple[str, ...] = ("path", "exact", "equal", "step", "mean", "hp", "slope")
"""Kinds that the verifier decides."""

FACTS: Mapping[str, str] = {
    "d": "dimension",
    "n_terms": "terms of the finite sum",
    "n_clients": "clients",
    "n_layers": "layers",
    "rho_i": "largest dual norm of a layer over its Euclidean length",
    "size_i": "entries of each layer",
    "k": "step index",
    "K": "horizon, known in advance; a claim that mentions it is checked at k = K alone",
}

Status = Literal["SOURCED", "DERIVED", "RECALLED"]


@dataclass(frozen=True)
class Source:
    """Where a statement comes from. ``paper`` is a citation key or an identifier such as an arXiv number.

    SOURCED  the statement was read at the place that ``where`` names
    DERIVED  proved here (the theorem carries the proof); never to be called the paper's theorem
    RECALLED from memory: shown, never counted for or against

    title: of the paper, if it is shown. ValueError for another status, for what is no text, and for an empty
    paper, which only a RECALLED statement may have.
    """

    paper: str
    status: Status
    where: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        """The three states are a closed list; what is not from memory alone names its paper."""
        if self.status not in ("SOURCED", "DERIVED", "RECALLED"):
            raise ValueError(f"status must be SOURCED, DERIVED or RECALLED, got {self.status!r}")
        for name in ("paper", "where", "title"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} of a source must be a text, got {getattr(self, name)!r}")
        if self.status != "RECALLED" and not self.paper.strip():
            raise ValueError(f"paper of a source must name it, as a citation key does, got {self.paper!r}")


@dataclass(frozen=True)
class Mutant:
    """A false variant that must be refuted: why it is false, on which instance, what changes.

    ``change`` maps fields of the theorem to new values; ``steps`` is the length of the run on which
    it fails, ``on`` the instance and its size. ``state``: of a step claim, fields of the state at which it
    fails, as nested tuples; by default the state is searched for.
    """

    why: str
    on: Problem
    change: Mapping[str, Any]
    steps: int = 50
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Tight:
    """The tightest instance known, ``on``, and the tightness measured / bound that it reaches in ``steps``.

    ``state``: of a step claim, fields of the state that reaches it, as nested tuples; others as at the start.
    Of a slope claim ``tightness`` is the slope measured there.
    """

    on: Problem
    tightness: float
    steps: int = 50
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Meaning:
    """What a name in a claim is: field, constant, fact or quantity, and at which step."""

    kind: Literal["field", "constant", "fact", "quantity"]
    base: str
    when: Literal["now", "next", "start"] = "now"
