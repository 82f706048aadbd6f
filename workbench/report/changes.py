"""Two folders of results against one another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.report.looks import SILENT
from workbench.report.results import Results
from workbench.report.rows import largest, worst
from workbench.verify import Record

RTOL = 1e-6
"""Tightnesses that differ by less than this fraction are the same: other machines sum in another order."""

Key = tuple[str, str, str | None, str, str, str, str]


def changes(now: Results, before: Results) -> dict[str, Any]:
    """What is different in ``now``: claims with another verdict or tightness, new ones, those gone.

    A claim is a theorem or a mutant of it, on a problem, with a method, a norm, rules and certificates.
    Where nothing was compared there is no claim; the other folder's word for it ("not applicable") is told.
    ``both`` counts the claims of both folders, ``other_settings`` those of them that ran with another seed,
    another number of steps or of runs: these may differ for that alone, and say so.
    """
    new, old = _claims(now), _claims(before)
    told_now, told_before = _silent(now), _silent(before)
    found: dict[str, list[dict[str, Any]]] = {"verdict": [], "tightness": [], "new": [], "gone": []}
    same, both, other_settings = 0, 0, 0
    for key, records in new.items():
        after = _seen(records)
        settings = _settings(old.get(key, ()), records)
        both += key in old
        other_settings += bool(settings)
        earlier = _seen(old[key]) if key in old else (told_before.get(key[:3], ""), None)
        kind = "new" if key not in old else _kind(earlier, after)
        same += not kind
        if kind:
            found[kind].append({**_entry(key, earlier, after), "settings": settings})
    for key in old.keys() - new.keys():
        entry = _entry(key, _seen(old[key]), (told_now.get(key[:3], ""), None))
        found["gone"].append({**entry, "settings": ""})
    found["gone"].sort(key=lambda e: (e["theorem"], e["problem"], e["mutant"] or "", e["variant"]))
    return {"rtol": RTOL, "same": same, "both": both, "other_settings": other_settings, **found}


def _claims(results: Results) -> dict[Key, list[Record]]:
    claims: dict[Key, list[Record]] = {}
    for r in results.records:
        if r.verdict not in SILENT:
            key = (
                r.theorem,
                r.problem,
                r.mutant,
                r.method,
                r.norm,
                rules(r.parameters),
                ", ".join(r.certificate),
            )
            claims.setdefault(key, []).append(r)
    return claims


def _silent(results: Results) -> dict[tuple[str, str, str | None], str]:
    return {(r.theorem, r.problem, r.mutant): r.verdict for r in results.records if r.verdict in SILENT}


def rules(parameters: Mapping[str, str]) -> str:
    """``radius = dist0/7, beta = 1/2``."""
    return ", ".join(f"{name} = {rule}" for name, rule in parameters.items())


def _seen(records: Sequence[Record]) -> tuple[str, float | None]:
    return str(worst(records)), largest(records)


def _settings(before: Sequence[Record], now: Sequence[Record]) -> str:
    """``seed 0, now 1; steps 50, now 200``: what else is different; empty where nothing is or can be."""
    if not before or not now:
        return ""
    told = []
    for name, field in (("seed", "seed"), ("steps", "steps"), ("runs", "replicates")):
        a, b = (", ".join(map(str, sorted({getattr(r, field) for r in side}))) for side in (before, now))
        told += [f"{name} {a}, now {b}"] if a != b else []
    return "; ".join(told)


def _kind(before: tuple[str, float | None], now: tuple[str, float | None]) -> str:
    if before[0] != now[0]:
        return "verdict"
    return "" if _close(before[1], now[1]) else "tightness"


def _close(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=RTOL, abs_tol=1e-12)


def _entry(key: Key, before: tuple[str, float | None], now: tuple[str, float | None]) -> dict[str, Any]:
    theorem, problem, mutant, method, norm, stated, certificate = key
    return {
        "theorem": theorem,
        "problem": problem,
        "mutant": mutant,
        "variant": "; ".join(filter(None, (stated, certificate, method, norm))),
        "before": [before[0], plain(before[1])],
        "now": [now[0], plain(now[1])],
    }


def plain(number: float | None) -> float | str | None:
    """What JSON can hold: inf and nan as text."""
    return number if number is None or math.isfinite(number) else str(number)
