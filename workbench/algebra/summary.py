"""Everything that algebra says of one theorem, as texts and plain data."""

from dataclasses import dataclass
from typing import Any

from workbench.algebra.complexity import Complexity, complexity
from workbench.algebra.identities import Checked, of_theorem
from workbench.algebra.multipliers import MultiplierProof, multiplier_proofs
from workbench.algebra.proofs import PROOFS
from workbench.algebra.rate import Rate, rates
from workbench.algebra.rounding import RationalProof, rational_proof
from workbench.algebra.units import Units, check_units
from workbench.theorem import Theorem
from workbench.worst_case import exact_class


@dataclass(frozen=True)
class Summary:
    """rates, each with its K(epsilon); units; identities checked; proofs from multipliers.

    outside: why there is no exact worst case, empty where there is one.
    """

    rates: list[tuple[Rate, Complexity]]
    units: Units
    identities: list[Checked]
    multipliers: list[MultiplierProof]
    rational: RationalProof | None
    outside: str

    def shown(self) -> dict[str, Any]:
        """Texts for people, by heading."""
        several = len(self.rates) > 1
        labelled = [(_label(r) if several else "", r, c) for r, c in self.rates]
        return {
            "rate": _one([f"{label}{r}" for label, r, _ in labelled]),
            "steps": _one([f"{label}{c}" for label, r, c in labelled if r.kind not in ("none", "constant")]),
            "units": str(self.units),
            "identities": [f"{i.name} ({_checked(i)}): {i.says}" for i in self.identities],
            "multipliers": [line for proof in self.multipliers for line in proof.lines()],
            "worst case": f"none: {self.outside}" if self.outside else "exact: workbench falsify --exact",
            "proof found": [] if self.rational is None or self.multipliers else self.rational.lines(),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "rates": [{**r.to_json(), "complexity": c.to_json()} for r, c in self.rates],
            "units": {"agree": self.units.agree, "text": str(self.units), "fixed": [*self.units.fixed]},
            "identities": [{"name": i.name, "says": i.says, "holds": i.holds} for i in self.identities],
            "multipliers": [{"says": p.says, "holds": p.holds, "lines": p.lines()} for p in self.multipliers],
            "rational_proof": None if self.rational is None else self.rational.lines(),
            "outside_exact_class": self.outside or None,
        }


def summary(theorem: Theorem) -> Summary:
    """The summary of one theorem."""
    outside = _reason(exact_class(theorem) or "")
    return Summary(
        rates=[(rate, complexity(rate)) for rate in rates(theorem)],
        units=check_units(theorem),
        identities=of_theorem(PROOFS, theorem.id),
        multipliers=[p for p in multiplier_proofs() if p.theorem == theorem.id],
        rational=None if outside else _rational(theorem),
        outside=outside,
    )


def _reason(outside: str) -> str:
    """The reason alone, without the id before it and the offer after it."""
    return outside.partition("worst case: ")[2].partition("; search")[0] or outside


def _rational(theorem: Theorem) -> RationalProof | None:
    """A proof of one step by the first rule of the sweep; none where it has no finite optimum."""
    try:
        return rational_proof(theorem)
    except ValueError:
        return None


def _label(rate: Rate) -> str:
    rules = ", ".join(f"{name} = {rule}" for name, rule in rate.rules.items())
    return f"{rules or 'rules that stay the same'}: "


def _checked(entry: Checked) -> str:
    return "checked exactly" if entry.holds else "DOES NOT HOLD"


def _one(texts: list[str]) -> Any:
    """A single text by itself, several as a list."""
    return texts[0] if len(texts) == 1 else texts
