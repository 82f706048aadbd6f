"""What judging found: merged over blocks and horizons, then decided."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.verify.verdicts import Verdict


@dataclass(frozen=True)
class Outcome:
    """Counts, the worst excess (in tolerances) with its place, the tightest place, obstacles.

    ``worst`` and ``tight`` are places: {"block", "row", "k", "horizon", "measured", "bound", ...}.
    ``found``: a verdict that excesses do not decide, with its reason. e_value, lower, detectable and
    statistics: as in ``Record``.
    """

    checked: int = 0
    violations: int = 0
    undefined: int = 0
    undecided: int = 0
    replicates: int = 0
    steps: int = 0
    excess: float = float("-inf")
    worst: Mapping[str, Any] | None = None
    tightness: float = float("-inf")
    tight: Mapping[str, Any] | None = None
    bad_certificate: str = ""
    obstacle: str = ""
    not_applicable: str = ""
    found: tuple[Verdict, str] | None = None
    e_value: float | None = None
    lower: float | None = None
    detectable: float | None = None
    statistics: Mapping[str, float] | None = None

    def merged(self, other: "Outcome", added: bool = False) -> "Outcome":
        """Both findings as one; ``added``: of other replicates, else of the same."""
        worst = other if other.excess > self.excess else self
        tight = other if other.tightness > self.tightness else self
        return replace(
            self,
            checked=self.checked + other.checked,
            violations=self.violations + other.violations,
            undefined=self.undefined + other.undefined,
            undecided=self.undecided + other.undecided,
            replicates=(self.replicates + other.replicates)
            if added
            else max(self.replicates, other.replicates),
            steps=max(self.steps, other.steps),
            excess=worst.excess,
            worst=worst.worst,
            tightness=tight.tightness,
            tight=tight.tight,
            bad_certificate=self.bad_certificate or other.bad_certificate,
            obstacle=self.obstacle or other.obstacle,
            not_applicable=self.not_applicable
            if other.checked
            else self.not_applicable or other.not_applicable,
        )

    def with_statistics(self, told: "Outcome") -> "Outcome":
        """This finding, of the exact part, with what replicates told; their counts, verdict and evidence."""
        worst = told if told.worst is not None else self
        return replace(
            told,
            checked=self.checked + told.checked,
            violations=self.violations + told.violations,
            undefined=self.undefined,
            undecided=self.undecided + told.undecided,
            excess=worst.excess,
            worst=worst.worst,
            tightness=told.tightness if self.tight is None else self.tightness,
            tight=told.tight if self.tight is None else self.tight,
            bad_certificate=self.bad_certificate,
        )


def decide(outcome: Outcome, suspect: float, declared: bool) -> tuple[Verdict, str]:
    """The verdict and its reason.

    A wrong constant comes first, for it must not look like a wrong theorem; then a violation beyond
    rounding; then what kept the workbench from telling.
    """
    if outcome.bad_certificate:
        return Verdict.BAD_CERTIFICATE, outcome.bad_certificate
    if outcome.found is not None and outcome.found[0] is Verdict.REFUTED:
        return outcome.found
    if outcome.excess > suspect:
        place = outcome.worst or {}
        return Verdict.REFUTED, (
            f"at k = {place.get('k')}: measured {place.get('measured'):.9g}, bound {place.get('bound'):.9g}"
        )
    if outcome.obstacle:
        return Verdict.STOPPED, outcome.obstacle
    if outcome.undefined:
        return Verdict.UNDEFINED, f"the bound is nan at {outcome.undefined} points inside the domain"
    if outcome.excess > 1:
        return Verdict.ROUNDING, f"measured exceeds the bound by {outcome.excess:.2g} rounding tolerances"
    if outcome.undecided and not outcome.checked:
        return (
            Verdict.ROUNDING,
            f"rounding can move the claim by more than its sides at all {outcome.undecided} points",
        )
    if outcome.not_applicable and not outcome.checked:
        return Verdict.NOT_APPLICABLE, outcome.not_applicable
    if not outcome.checked:
        return Verdict.OUT_OF_DOMAIN, "no run entered the domain of the claim"
    if outcome.found is not None:
        return outcome.found
    return Verdict.NOT_REFUTED, "if the declared constants hold" if declared else ""
