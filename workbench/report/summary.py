"""A document in one or two sentences."""

from collections.abc import Mapping
from typing import Any

from workbench.verify import Verdict

_KINDS = {
    "verdict": "with another verdict",
    "tightness": "with another tightness",
    "new": "new",
    "gone": "gone",
}


def summary(document: Mapping[str, Any]) -> str:
    """How many theorems and records, and how many of these are as expected; and untested theorems."""
    now = document["folders"][0]
    counted = f"{now['expected']:,} as expected, {now['unexpected']:,} not as expected"
    text = f"{_some(len(document['theorems']), 'theorem')}, {_some(now['records'], 'record')}: "
    text += counted if now["expected"] or now["unexpected"] else "none of them counts"
    untested = sum(t["verdict"] == Verdict.UNTESTED for t in document["theorems"])
    return f"{text}; {_some(untested, 'theorem')} untested" if untested else text


def compared(document: Mapping[str, Any]) -> str:
    """How much is different from the earlier folder; empty without one."""
    found = document["changes"]
    if not found:
        return ""
    told = ", ".join(f"{len(found[kind]):,} {words}" for kind, words in _KINDS.items())
    text = f"since {document['folders'][1]['name']}: {told}, {found['same']:,} the same"
    if found["other_settings"]:
        some = f"{found['other_settings']:,} of {_some(found['both'], 'claim')} in both"
        text += f"\n{some} ran with other seeds, steps or numbers of runs, and may differ for that alone"
    return text


def _some(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
