"""What ``workbench check`` prints."""

import math
from collections.abc import Iterator
from typing import Any

from workbench.cli.output import console, print_table

ROWS = 21
"""Rows of a table along a run, at most, and one for the last step."""
SHOWN = 12
"""Pairs of a front, at most; the JSON has all."""
NAMES = ("x", "y", "z", "w")


def print_report(document: dict[str, Any]) -> None:
    """Head, then one part for each result."""
    out = console()
    out.print(f"assumption  {document['assumption']}\nproblem     {document['problem']}", soft_wrap=True)
    for known in document["certified"]:
        where = "" if known["region"] == "Everywhere()" else f" on {known['region']}"
        out.print(f"{known['status']:11} {known['assumption']}{where}: {known['proof']}", soft_wrap=True)
    for result in document["results"]:
        out.print()
        for line in _lines(result):
            out.print(line, soft_wrap=True)
        if "along" in result:
            _print_along(result)
        if "front" in result.get("seen", {}):
            _print_front(result["seen"])


def _lines(result: dict[str, Any]) -> Iterator[str]:
    if "run" in result:
        every = f", every {result['every']} steps" if result["every"] > 1 else ""
        yield f"run         {result['run']}{every}"
    if "seen" in result:
        yield f"seen        on {result['points']} tuples of points; what they need at least"
        for name, value in result["seen"].items():
            if name != "front":
                yield f"  {name} = {_number(value)}"
        return
    yield f"verdict     {result['said']}"
    if result["verdict"] == "refuted":
        for name, point in zip(NAMES, result.get("witness", ()), strict=False):
            yield f"  {name} = ({', '.join(repr(v) for v in point)})"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_number, value))})"
    return str(value)


def _print_front(seen: dict[str, Any]) -> None:
    """The pairs of constants that the samples allow, of the whole variable or of each layer."""
    names = [name for name in seen if name.endswith("_seen")][:2]
    front = seen["front"]
    layered = isinstance(seen[names[0]], tuple | list)
    for i, pairs in enumerate(front if layered else [front]):
        of = f" of layer {i}" if layered else ""
        stride = max(1, math.ceil(len(pairs) / SHOWN))
        rows = [*pairs[::stride], *([pairs[-1]] if (len(pairs) - 1) % stride else [])]
        console().print(f"\nfront{of}: {len(pairs)} pairs; the points allow these and all above them\n")
        print_table(names, [tuple(_number(v) for v in pair) for pair in rows], right=names)


def _print_along(result: dict[str, Any]) -> None:
    """The worst ratio over the replicates at steps spread over the run, for each entry."""
    table = result["along"]
    entries = len(table[0][0])
    columns = ("k", *(["ratio"] if entries == 1 else [f"ratio[{i}]" for i in range(entries)]))
    stride = max(1, math.ceil(len(result["k"]) / ROWS))
    steps = sorted({*range(0, len(result["k"]), stride), len(result["k"]) - 1})
    rows = []
    for i in steps:
        worst = [_largest([replicate[i][entry] for replicate in table]) for entry in range(entries)]
        rows.append((str(result["k"][i]), *map(_number, worst)))
    console().print()
    print_table(columns, rows, right=columns)


def _largest(values: list[float]) -> float:
    """Of those that say something; nan if none does."""
    said = [v for v in values if not math.isnan(v)]
    return max(said) if said else math.nan
