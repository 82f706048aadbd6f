"""The fits of ``workbench probe``: a row for each layer, and once for each kind what the fits lack."""

from collections.abc import Sequence
from string import ascii_lowercase

from rich.console import Console

from workbench.cli.output import print_table
from workbench.probes.fits.findings import KINDS, summary
from workbench.probes.fits.fit import LayerFit, with_interval
from workbench.probes.fits.judgement import POORLY, VERDICTS

SHORT = {POORLY: "poorly"}
"""Where there is little room; the counts below the table have the whole word."""

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Heads and cells."""


def print_fits(out: Console, fits: Sequence[LayerFit], reasons: bool) -> None:
    """The table, with intervals where the terminal is wide enough; then what its letters mean.

    reasons: also the reason of each layer in whole sentences.
    """
    numbers = {fit.n for fit in fits}
    steps = f" at {numbers.pop()} probed steps" if len(numbers) == 1 else ""
    out.print(f"\nsmoothness seen along the path, L0_seen + L1_seen |G'|,{steps or ' at n probed steps'}\n")
    letters = dict(zip(_kinds(fits), ascii_lowercase, strict=False))
    heads, rows = wide = _wide(fits, bool(steps))
    if _width(wide) > out.width:
        heads, rows = _narrow(fits, bool(steps), letters)
    print_table(heads, rows, right=heads[1:-2], whole=heads[1:], out=out)
    counts = {verdict: sum(fit.verdict == verdict for fit in fits) for verdict in VERDICTS}
    out.print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    if letters:
        out.print()
        said = [(letters[kind], _said(kind, fits), f"{len(_values(kind, fits))}") for kind in letters]
        print_table(("", "why", "layers"), said, right=("layers",), whole=("", "layers"), out=out)
    if reasons:
        for text in _reasons(fits):
            out.print(f"\n{text}")
    else:
        out.print("\nlayer by layer in whole sentences: --reasons; all numbers: --json")


def _kinds(fits: Sequence[LayerFit]) -> list[str]:
    """Those that occur, in the order of ``KINDS``."""
    found = {finding.kind for fit in fits for finding in fit.findings}
    return [kind for kind in KINDS if kind in found]


def _values(kind: str, fits: Sequence[LayerFit]) -> list[float]:
    return [finding.value for fit in fits for finding in fit.findings if finding.kind == kind]


def _said(kind: str, fits: Sequence[LayerFit]) -> str:
    return f"{kind}: {summary(kind, _values(kind, fits))}"


def _narrow(fits: Sequence[LayerFit], alike: bool, letters: dict[str, str]) -> Rows:
    """Numbers and letters: 80 columns for names of 22 characters."""
    heads = ("layer", *(() if alike else ("n",)), "L0_seen", "L1_seen", "radius", "used", "verdict", "why")
    rows = []
    for fit in fits:
        numbers = (fit.L0_seen, fit.L1_seen, fit.radius_suggested, fit.radius_used)
        why = "".join(letters[finding.kind] for finding in fit.findings)
        count = () if alike else (str(fit.n),)
        verdict = SHORT.get(fit.verdict, fit.verdict)
        rows.append((fit.layer, *count, *(f"{value:.3g}" for value in numbers), verdict, why))
    return heads, rows


def _wide(fits: Sequence[LayerFit], alike: bool) -> Rows:
    """With intervals, and kinds instead of letters."""
    heads, rows = _narrow(fits, alike, {kind: kind for kind in KINDS})
    full = []
    for fit, row in zip(fits, rows, strict=True):
        numbers = (
            with_interval(fit.L0_seen, fit.L0_interval),
            with_interval(fit.L1_seen, fit.L1_interval),
            with_interval(fit.radius_suggested, fit.radius_interval),
        )
        why = ", ".join(finding.kind for finding in fit.findings)
        full.append((*row[:-6], *numbers, row[-3], fit.verdict, why))
    return heads, full


def _width(table: Rows) -> int:
    """Of the table in characters, with two between its columns."""
    heads, rows = table
    return sum(max(map(len, column)) + 2 for column in zip(heads, *rows, strict=True))


def _reasons(fits: Sequence[LayerFit]) -> list[str]:
    """Each reason once, with the layers that it is said of."""
    layers: dict[tuple[str, str], list[str]] = {}
    for fit in fits:
        layers.setdefault((fit.verdict, fit.reason), []).append(fit.layer)
    return [f"{', '.join(names)}: {verdict}: {reason}" for (verdict, reason), names in layers.items()]
