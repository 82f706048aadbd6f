"""The page of all comparisons, in Markdown, from the numbers that are stored beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.load import BUSY

INTRODUCTION = """# Benchmarks

Made by `{command}`; do not edit. All numbers are in `{json}` beside this page.

The workbench beside others that do the same piece of work, on the machine below. Each comparison is a process
of its own, kept to one thread (the bytes of EF21-Muon: two processes), and the ways inside it take turns.
Median and range are over the runs; the ratio is the median over the median of the first row of its setting,
which is the workbench unless it says otherwise: above 1 is slower, or more. Times are CPU times, but wall
times for start-up. Ratios hold better than values when the machine changes.
"""
SUMMARY = """## Summary

The ways to compare; everything measured is in the sections below.
"""


def cell(text: str) -> str:
    """Text that a table and the mathematics of a page leave alone."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("$", "\\$").replace("*", "\\*")


def number(value: float | None) -> str:
    """Three digits; plain where that is short."""
    if value is None:
        return "-"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: set[str]) -> str:
    """A table; the columns named in ``numeric`` are set to the right."""
    rule = ["---:" if name in numeric else "---" for name in head]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def machine_table(machine: Mapping[str, str]) -> str:
    """What the numbers depend on."""
    return grid(("machine", ""), [(cell(k), cell(v)) for k, v in machine.items()], set())


def full(rows: Sequence[Mapping[str, Any]]) -> str:
    """Every row of a comparison; the name of a setting stands once."""
    lines = []
    for row in rows:
        between = f"{number(row['low'])} to {number(row['high'])}" if row["runs"] > 1 else ""
        median = f"{number(row['median'])} {row['unit']}".rstrip()
        place = [cell(row["setting"]), cell(row["way"]), median, between, str(row["runs"])]
        lines.append([*place, number(row["ratio"]), cell(row["note"])])
    head = ("setting", "way", "median", "range", "runs", "ratio", "besides")
    return grid(head, named_once(lines, 1), {"median", "range", "runs", "ratio"})


def named_once(lines: Sequence[Sequence[str]], columns: int) -> list[list[str]]:
    """The first columns are left blank where they, and all before them, stand in the line above."""
    found, above = [], [""] * columns
    for line in lines:
        same = 0
        while same < columns and line[same] == above[same]:
            same += 1
        found.append([""] * same + list(line[same:]))
        above = list(line[:columns])
    return found


def one(row: Mapping[str, Any]) -> str:
    """Name and median of a way."""
    return f"{cell(row['way'])}: {number(row['median'])} {row['unit']}".rstrip()


def summary(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Of every comparison the rows that say most, with the first row of their setting."""
    lines = []
    for name, found in results.items():
        first: dict[str, Mapping[str, Any]] = {}
        for row in found.get("rows", ()):
            base = first.setdefault(row["setting"], row)
            if row["headline"] and row is not base:
                lines.append(
                    [f"[{name}](#{name})", cell(row["setting"]), one(base), one(row), number(row["ratio"])]
                )
            elif row["headline"] and sum(r["setting"] == row["setting"] for r in found["rows"]) == 1:
                lines.append([f"[{name}](#{name})", cell(row["setting"]), one(row), "-", "-"])
    head = ("comparison", "setting", "first", "other", "ratio")
    return grid(head, named_once(lines, 3), {"ratio"})


def section(name: str, found: Mapping[str, Any]) -> str:
    """Title, command, circumstances, table; or why there is none."""
    others = found.get("others")
    shared = "" if others is None else f", {others:.0%} of the processors taken by others"
    lines = [
        f"## {name}",
        "",
        f"{cell(found['title'])}. `{found['command']}`, {found['date']}, {found['seconds']:.0f} s{shared}"
        + (", at a size that only shows that it works." if found["quick"] else "."),
        "",
    ]
    if found["peers"]:
        lines += ["With " + ", ".join(f"{k} {v}" for k, v in found["peers"].items()) + ".", ""]
    if found["left_out"]:
        missing = ", ".join(found["left_out"])
        lines += [f"Not installed, and so left out: {missing}; `python -m benchmarks --peers DIR`.", ""]
    lines.append(full(found["rows"]) if "rows" in found else f"**Failed:** {cell(found['error'])}")
    return "\n".join(lines)


def page(numbers: Mapping[str, Any], json_name: str) -> str:
    """The whole page."""
    results = numbers["results"]
    disturbed = [name for name, found in results.items() if (found.get("others") or 0) > BUSY]
    parts = [INTRODUCTION.format(command=numbers["command"], json=json_name)]
    if disturbed:
        parts.append(
            "**Measured while other work was running on this machine** "
            f"(more than {BUSY:.0%} of the processors, during: {', '.join(disturbed)}).\n"
        )
    if numbers["not_installed"]:
        said = [f"- {name}: {cell(why)}" for name, why in numbers["not_installed"].items()]
        parts.append("Peers that could not be installed:\n\n" + "\n".join(said) + "\n")
    parts += [machine_table(numbers["hardware"]) + "\n", SUMMARY, summary(results) + "\n"]
    parts += [section(name, found) + "\n" for name, found in results.items()]
    return "\n".join(parts)
