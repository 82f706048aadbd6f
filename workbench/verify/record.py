"""One result: a theorem on a problem with one choice of parameters and certificates."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Record:
    """All fields are plain JSON values; None where a field does not apply.

    theorem      its id; kind: of its claim; source_status: SOURCED, DERIVED or RECALLED
    problem, method, norm   specifications, as ``repr`` writes them
    parameters   field of the method -> its rule
    certificate  what is certified of the problem and was used
    mutant       why the variant is false; None for the theorem itself
    reason       of the verdict, in words
    seed, seconds, version   of the draws; spent; of this format
    expected     True, False, or None where the verdict is not counted
    tightness    largest measured / bound among the points checked
    measured, bound  at the tightest point, or at the witness if refuted
    checked      entries (replicate, k) at which the claim was compared; violations among them
    witness      what reruns the refuting case: ``workbench replay``
    e_value      of a mean or hp claim: 10^6 refutes
    lower        anytime-valid lower limit (95 %) of mean / bound
    detectable   the factor above the bound that so many replicates would have refuted
    statistics   mean, hp: estimate of mean / bound, its standard error, steps judged exactly; slope: slopes
    unit, part   identity of the piece of work, and (index, count) of the record in it
    code         hash of the sources that made the record
    """

    theorem: str
    kind: str
    problem: str
    method: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    certificate: tuple[str, ...] = ()
    norm: str
    verdict: str
    expected: bool | None
    reason: str
    tightness: float | None = None
    measured: float | None = None
    bound: float | None = None
    checked: int = 0
    violations: int = 0
    replicates: int = 0
    steps: int = 0
    seed: int
    e_value: float | None = None
    lower: float | None = None
    detectable: float | None = None
    statistics: Mapping[str, float] | None = None
    seconds: float = 0.0
    witness: Mapping[str, Any] | None = None
    mutant: str | None = None
    source_status: str
    code: str
    unit: str
    part: tuple[int, int]
    version: int = SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain dict; non-finite numbers become the strings "inf", "-inf", "nan" (JSON has none)."""
        return _plain(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, data: Any) -> "Record":
        """The record that ``to_json`` wrote. ValueError naming the field that is missing or foreign."""
        if not isinstance(data, dict):
            raise ValueError(f"a record is a JSON object, got {type(data).__name__}")
        names = {f.name for f in dataclasses.fields(cls)}
        missing, foreign = sorted(names - set(data)), sorted(set(data) - names)
        if missing or foreign:
            raise ValueError(f"not a record of this version: missing {missing}, foreign {foreign}")
        if data["version"] != SCHEMA_VERSION:
            raise ValueError(f"record version {data['version']!r}, this program reads {SCHEMA_VERSION}")
        values = dict(data)
        for name in ("tightness", "measured", "bound", "e_value", "lower", "detectable"):
            values[name] = _number(name, data[name])
        for name in ("certificate", "part"):
            if not isinstance(data[name], list):
                raise ValueError(f"{name} must be a list, got {data[name]!r}")
            values[name] = tuple(data[name])
        return cls(**values)


def _number(name: str, value: Any) -> float | None:
    """What ``_plain`` wrote; ValueError for anything else that ``float`` would take."""
    if value is None:
        return None
    if isinstance(value, bool) or (isinstance(value, str) and value not in ("inf", "-inf", "nan")):
        raise ValueError(f"{name} must be a number, got {value!r}")
    return float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
