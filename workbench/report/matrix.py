"""The matrix as plain HTML: what the page shows where its script does not run."""

from collections.abc import Mapping
from html import escape
from itertools import starmap
from typing import Any

from workbench.report.digits import digits
from workbench.report.looks import ORDER
from workbench.verify import Verdict

_HEADS = ("Theorem", "Status", "Verdict", "Tightness", "Mutants")
Told = tuple[str, float | None]


def static_matrix(document: Mapping[str, Any]) -> str:
    """Theorems in rows, families of problems in columns: the worst verdict and the largest tightness.

    document: of `workbench.report.document`. Every text of it is escaped.
    """
    cells = _cells(document)
    families = list(dict.fromkeys(family for _, family in cells))
    looks = {look["name"]: look for look in document["verdicts"]}
    heads = [f'<th scope="col">{name}</th>' for name in _HEADS]
    heads += [f'<th scope="col" class="problem"><span>{escape(name)}</span></th>' for name in families]
    rows = [_row(t, [cells.get((t["id"], name)) for name in families], looks) for t in document["theorems"]]
    head = f"<thead><tr>{''.join(heads)}</tr></thead>"
    return f'<table class="matrix plain">{head}<tbody>{"".join(rows)}</tbody></table>'


def static_legend(document: Mapping[str, Any]) -> str:
    """What the symbols of the verdicts found mean."""
    found = {*document["folders"][0]["verdicts"], *(t["verdict"] for t in document["theorems"])}
    told = [v for v in document["verdicts"] if v["name"] in found]
    return "; ".join(f"{v['symbol']} {escape(v['name'])}: {escape(v['meaning'])}" for v in told)


def _cells(document: Mapping[str, Any]) -> dict[tuple[str, str], Told]:
    """(theorem, family) -> its worst verdict and largest tightness, mutants left out."""
    columns, texts = document["records"], document["texts"]
    found: dict[tuple[str, str], Told] = {}
    told = (columns[name] for name in ("theorem", "problem", "verdict", "tightness", "mutant"))
    for theorem, problem, verdict, tightness, mutant in zip(*told, strict=True):
        if mutant is None:
            key = (texts[theorem], texts[problem].partition("(")[0])
            before = found.get(key, (texts[verdict], None))
            found[key] = (
                min(before[0], texts[verdict], key=lambda v: ORDER[Verdict(v)]),
                _larger(before[1], None if tightness is None else float(tightness)),
            )
    return found


def _larger(a: float | None, b: float | None) -> float | None:
    """A nan counts only where there is nothing else."""
    known = [v for v in (a, b) if v is not None and v == v]
    return max(known) if known else b if a is None else a


def _row(theorem: Mapping[str, Any], cells: list[Told | None], looks: Mapping[str, Any]) -> str:
    symbol, tone = (looks[theorem["verdict"]][name] for name in ("symbol", "tone"))
    tightness = theorem["tightness"]
    caught = f"{theorem['caught']}/{theorem['mutants']}" if theorem["mutants"] else ""
    told = (
        (escape(theorem["status"].lower()), ""),
        (f"{symbol} {escape(theorem['verdict'])}", tone),
        ("" if tightness is None else digits(float(tightness)), "num"),
        (caught, "num"),
        *(_cell(cell, looks) for cell in cells),
    )
    title = escape((theorem["statement"] or {}).get("title", ""))
    name = f'<th scope="row" class="id" title="{title}">{escape(theorem["id"])}</th>'
    return f"<tr>{name}{''.join(starmap(_data, told))}</tr>"


def _cell(cell: Told | None, looks: Mapping[str, Any]) -> tuple[str, str]:
    if cell is None:
        return "", ""
    verdict, tightness = cell
    look = looks[verdict]
    return (
        f"{look['symbol']} {'' if tightness is None else digits(tightness)}".strip(),
        f"cell {look['tone']}",
    )


def _data(content: str, kind: str) -> str:
    return f'<td class="{kind}">{content}</td>' if kind else f"<td>{content}</td>"
