"""The page of evidence: one table, then where ours is better, then every bound in full."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

HEAD = """# Evidence

Made by `workbench evidence --budget {budget} --seed {seed} --out docs/evidence.md`; do not edit it. {rows}
theorems, {budget} evaluations of the search for each.

- **tight**: the largest measured / bound that the theorem itself asserts, on an instance that is checked.
- **search**: the largest measured / bound that the search found. It proves nothing from above. Of claims
  about a mean it is an estimate where the draws are too many for a tree.
- **exact**: the worst case over the whole class divided by the bound, proved from above in exact arithmetic,
  for the rule of the sweep and the length of 1, 2 or 5 steps that come closest; `-` where there is none. It
  speaks of these lengths and numbers alone: L = G = diameter = 1, mu = 1/10, and two terms of a finite sum;
  the search also varies these and the length, and may come closer. At 1 (to the accuracy of the proof, 1e-6)
  a smaller constant would be false. With `<=` the programme knows of f only conditions that are necessary:
  the worst case may be smaller than the number.
- **published**: `as is` where the statement was read in the paper.
"""


ROOM = """The exact worst case as a share of the bound, by the number of steps, for the rule of the sweep that
comes closest, at the numbers of the column. A bound may be tight for one step and loose for several, or tight
for other constants: compare the search."""

BELOW = 1 - 1e-4
"""A worst case below this share of the bound is room."""


def table(rows: Sequence[Row]) -> list[list[str]]:
    """Cells of the summary: theorem, rate, tight, search, exact, published."""
    return [
        [
            row["theorem"],
            "; ".join(_short(text) for text in row["rate"]),
            _number(row["tight"]),
            _number(row["search"].get("ratio")),
            _share(row["exact"]),
            published(row),
        ]
        for row in rows
    ]


COLUMNS = ("theorem", "rate", "tight", "search", "exact", "published")


def published(row: Row) -> str:
    """The published constant, ``as is`` where the statement itself is it, ``-`` where none is known."""
    if row["published"] is not None:
        return row["published"]["form"]
    return "as is" if row["status"] == "SOURCED" else "-"


def page(rows: Sequence[Row], budget: int, seed: int) -> str:
    """The page in Markdown."""
    lines = [
        HEAD.format(rows=len(rows), budget=budget, seed=seed),
        "",
        _line(COLUMNS),
        _line(["---"] * len(COLUMNS)),
    ]
    lines += [_line([_cell(c, code=i in (1, 5)) for i, c in enumerate(cells)]) for cells in table(rows)]
    lines += ["", *_better(rows), "", "## Every bound", ""]
    for row in rows:
        lines += [*_details(row), ""]
    return "\n".join(lines).rstrip() + "\n"


def _better(rows: Sequence[Row]) -> list[str]:
    """Where ours says more than what is published, then where a proof says more than the bound."""
    lines = ["## Better than published", ""]
    for row in rows:
        if row["published"] is not None and row["published"]["better"]:
            known = row["published"]
            lines += [f"**{row['theorem']}** Published: `{known['form']}` ({known['where']}).", ""]
            lines += [f"Ours: {known['better']}.", "", f"Proof: {known['proof'].rstrip('.')}.", ""]
    lines += ["## Bounds with room", "", ROOM, ""]
    for row in rows:
        exact = row["exact"]
        by_steps = exact.get("by_steps", {})
        if exact.get("verdict") == "certified" and min(by_steps.values()) < BELOW:
            shares = ", ".join(f"{share:.4g} after {n}" for n, share in by_steps.items())
            lines.append(f"- **{row['theorem']}**: {shares}")
    return lines


def _details(row: Row) -> list[str]:
    lines = [
        f"### {row['theorem']}",
        "",
        f"{row['title']}. {row['source']} ({row['status']}), {row['kind']}.",
        "",
    ]
    lines.append(f"- claim: `{row['claim']}`")
    lines += [f"- rate: `{text}`" for text in row["rate"]]
    lines += [f"- steps: `{text}`" for text in row["steps"]]
    lines.append(f"- units: {row['units']}")
    lines.append(f"- search: {_searched(row['search'])}")
    lines.append(f"- exact: {_exactly(row['exact'])}")
    if row["identities"]:
        lines.append(f"- checked exactly: {', '.join(row['identities'])}")
    if row["proof"]:
        lines += ["- proof from multipliers:", "", "```", *row["proof"], "```"]
    return lines


def _searched(search: Row) -> str:
    if search.get("ratio") is None:
        return f"{search['verdict']}{': ' * bool(search['reason'])}{search['reason']}"
    ratio = f"{search['ratio']:.6g} of the bound on `{search['problem']}`"
    return f"{search['verdict']} in {search['evaluations']} evaluations; {ratio}"


def _exactly(exact: Row) -> str:
    if "outside" in exact:
        return f"none: {exact['outside']}"
    value = f"{exact['upper']:.8g} against {exact['bound']:.8g}{' (squares)' * exact['squared']}"
    above = ", from above: the conditions on f are necessary only" * exact["relaxed"]
    failed = f"; without worst case: {'; '.join(exact['failed'])}" if exact["failed"] else ""
    where = f"{exact['steps']} step(s), {_values(exact['values'])}"
    return f"{exact['verdict']}, {value}{above}; {where}{failed}"


def _share(exact: Row) -> str:
    """``<=`` where the number bounds the worst case from above only."""
    return "<= " * exact.get("relaxed", False) + _number(exact.get("share"))


def _values(values: Row) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in values.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:87]}..."


def _cell(text: str, code: bool) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if code and text not in ("-", "as is") else escaped


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
