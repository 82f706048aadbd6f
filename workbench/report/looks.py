"""How verdicts look on the page: a symbol and a tone each, so that none rests on colour alone."""

from typing import NamedTuple

from workbench.verify import WORST_FIRST, Verdict


class Look(NamedTuple):
    """``tone``: good, bad, unsure or none."""

    symbol: str
    tone: str
    meaning: str


_LOOKS = {
    Verdict.NOT_REFUTED: Look(
        "✓", "good", "nothing was found against it: no comparison failed beyond rounding or chance; no proof"
    ),
    Verdict.REFUTED: Look("✗", "bad", "a comparison failed beyond rounding; a witness reruns it"),
    Verdict.CERTIFIED: Look("◆", "good", "a proof covers the whole class"),
    Verdict.CONSISTENT: Look(
        "≈", "good", "a measured rate exponent agrees with the claim over the horizons tried; no proof"
    ),
    Verdict.INCONSISTENT: Look("≠", "bad", "a measured rate exponent does not agree with the claim"),
    Verdict.INCONCLUSIVE: Look("?", "unsure", "something kept the workbench from telling"),
    Verdict.ROUNDING: Look("~", "unsure", "an excess that rounding may explain"),
    Verdict.STOPPED: Look("⊘", "unsure", "an iterative oracle missed its tolerance"),
    Verdict.OUT_OF_DOMAIN: Look("∉", "none", "no run entered the domain of the claim"),
    Verdict.NOT_APPLICABLE: Look("·", "none", "the problem lacks an assumption, an oracle or a fact"),
    Verdict.UNDEFINED: Look("∅", "bad", "the bound is nan inside its domain"),
    Verdict.BAD_CERTIFICATE: Look("!", "bad", "a constant of the problem is wrong at the points of the run"),
    Verdict.UNTESTED: Look("○", "unsure", "nothing was compared: no problem that was tried is in its scope"),
}
LOOKS: dict[Verdict, Look] = {verdict: _LOOKS[verdict] for verdict in WORST_FIRST}
"""Worst first."""

ORDER = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
SILENT = frozenset({Verdict.OUT_OF_DOMAIN, Verdict.NOT_APPLICABLE})
"""Where nothing was compared."""
