"""The closed list of verdicts, and which of them count as expected."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a verification can say. Three words are never mixed: certified, not refuted, refuted."""

    NOT_REFUTED = "not refuted"
    REFUTED = "refuted"
    CERTIFIED = "certified"
    CONSISTENT = "consistent"
    INCONSISTENT = "inconsistent"
    INCONCLUSIVE = "inconclusive"
    ROUNDING = "inconclusive (rounding)"
    STOPPED = "inconclusive (solver)"
    OUT_OF_DOMAIN = "out of domain"
    NOT_APPLICABLE = "not applicable"
    UNDEFINED = "undefined"
    BAD_CERTIFICATE = "bad certificate"
    UNTESTED = "untested"


WORST_FIRST = (
    Verdict.REFUTED,
    Verdict.BAD_CERTIFICATE,
    Verdict.UNDEFINED,
    Verdict.ROUNDING,
    Verdict.STOPPED,
    Verdict.INCONSISTENT,
    Verdict.UNTESTED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_REFUTED,
    Verdict.CONSISTENT,
    Verdict.CERTIFIED,
    Verdict.OUT_OF_DOMAIN,
    Verdict.NOT_APPLICABLE,
)
"""A pair of theorem and problem shows the first of these among its records."""

_GOOD = frozenset({Verdict.NOT_REFUTED, Verdict.CERTIFIED, Verdict.CONSISTENT, Verdict.INCONCLUSIVE})
_NOT_COUNTED = frozenset({Verdict.OUT_OF_DOMAIN, Verdict.NOT_APPLICABLE})


def is_expected(verdict: Verdict, status: str, mutant: bool, kind: str = "path") -> bool | None:
    """True, False, or None where the verdict counts neither for nor against.

    status: SOURCED and DERIVED must not be refuted; RECALLED is never counted. A mutant must be
    refuted and nothing else will do; that of a slope claim inconsistent, for no finite slope refutes.
    """
    if mutant:
        return verdict is (Verdict.INCONSISTENT if kind == "slope" else Verdict.REFUTED)
    if status == "RECALLED" or verdict in _NOT_COUNTED:
        return None
    return verdict in _GOOD
