"""What ``workbench check`` prints."""

import math
from collections.abc import Iterator
from typing import Any

from workbench.cli.output import console, print_table

ROWS = 21
"""Rows of a table along a run, at most, and one for the last step."""
SHOWN = 12
"""Pairs of a front, at most; the JSON has all."""
ENTRIES = 6
"""Entries of a point, at most; the JSON has all, with all digits."""
NAMES = ("x", "y", "z", "w")
RULES = {
    "mean": "the pair with the least mean of L0 + L1 |grad f| over the points",
    "L1=0": "the least L0 with L1 = 0",
    "L0=0": "the least L1 with L0 = 0",
}


def print_report(document: dict[str, Any]) -> None:
    """Head, then one part for each result."""
    out = console()
    out.print(f"assumption  {document['assumption']}\nproblem     {document['problem']}", soft_wrap=True)
    for known in document["certified"]:
        where = "" if known["region"] == "Everywhere()" else f" on {known['region']}"
        out.print(
            f"{known['status']:11} {known['assumption']}{where}\n{'':12}{known['proof']}", soft_wrap=True
        )
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
        if "note" in result:
            yield f"note        {result['note']}"
        if result["left_out"]:
            left = _count(result["left_out"], "step")
            yield f"left out    {left} that are not finite, or outside the region or the domain"
    if "seen" in result:
        yield from _seen(result)
        return
    yield f"verdict     {result['said']}"
    if result["verdict"] == "undefined":
        yield "            a side is nan or infinite at the witness, and nothing is refuted elsewhere"
    if result["verdict"] in ("refuted", "undefined"):
        for name, point in zip(NAMES, result.get("witness", ()), strict=False):
            yield f"  {name} = {_point(point)}"
    if "worst" in result:
        where = result["worst"]
        yield f"  largest ratio at step {where['k']} of replicate {where['replicate']}"


def _seen(result: dict[str, Any]) -> Iterator[str]:
    seen = result["seen"]
    yield f"seen        on {_count(result['points'], 'tuple')} of points"
    for name, value in seen.items():
        constant = name.removesuffix("_seen")
        sense = result["senses"].get(constant)
        if name == "front" or (name == "rule" and value not in RULES):
            continue
        if name == "rule":
            yield f"  by the rule {value!r}: {RULES[value]}"
        elif name == "outside":
            missed = _number(value)
            yield f"  outside = {missed}: the share of points that a pair fitted on others misses"
        elif len(result["senses"]) == 1 and sense is not None and isinstance(value, float):
            side = "at least" if sense < 0 else "at most"
            yield f"  {name} = {_number(value)}: {constant} is {side} that"
        else:
            yield f"  {name} = {_number(value)}"


def _point(point: list[float]) -> str:
    shown = ", ".join(f"{v:.10g}" for v in point[:ENTRIES])
    return f"({shown})" if len(point) <= ENTRIES else f"({shown}, ...), {len(point)} entries"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


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
        if any(not math.isfinite(entry) for pair in pairs for entry in pair):
            console().print(
                f"\nfront{of}: no pair serves: somewhere a gradient is not finite, or changes between points "
                "at distance 0",
                soft_wrap=True,
            )
            continue
        stride = max(1, math.ceil(len(pairs) / SHOWN))
        rows = [*pairs[::stride], *([pairs[-1]] if (len(pairs) - 1) % stride else [])]
        console().print(
            f"\nfront{of}: {_count(len(pairs), 'pair')}; the points allow these and all above them\n"
        )
        print_table(names, [tuple(_number(v) for v in pair) for pair in rows], right=names)


def _print_along(result: dict[str, Any]) -> None:
    """The worst ratio over the replicates at steps spread over the run; "-" where nothing is said."""
    table, k = result["along"], result["k"]
    entries = len(table[0][0])
    ratios = ["ratio"] if entries == 1 else [f"ratio[{i}]" for i in range(entries)]
    needed = result.get("needed")
    columns = ("k", *ratios, *([] if needed is None else [f"{r}".replace("ratio", "needs") for r in ratios]))
    stride = max(1, math.ceil(len(k) / ROWS))
    rows = []
    for i in sorted({*range(0, len(k), stride), len(k) - 1}):
        worst = [_worst(table, i, entry) for entry in range(entries)]
        cells = [_number(table[r][i][e]) if r >= 0 else "-" for e, r in enumerate(worst)]
        if needed is not None:
            cells += [_number(needed[r][i][e]) if r >= 0 else "-" for e, r in enumerate(worst)]
        rows.append((str(k[i]), *cells))
    console().print()
    print_table(columns, rows, right=columns)


def _worst(table: list[list[list[float]]], i: int, entry: int) -> int:
    """The replicate with the largest ratio at step i; -1 if none says anything."""
    said = [
        (replicate[i][entry], r) for r, replicate in enumerate(table) if not math.isnan(replicate[i][entry])
    ]
    return max(said)[1] if said else -1
