"""The result of ``workbench verify`` as a person reads it."""

from collections.abc import Sequence

from assumptions import EUCLIDEAN
from workbench.cli.output import console, print_table
from workbench.records import Store
from workbench.verify import WORST_FIRST, Record, Verdict

NAMES = 44
"""Characters that theorems and problems get at least, where no terminal limits the width."""

LEGEND = (
    "e: evidence against the claim, 10^6 refutes; sees x F: a mean F times the bound, averaged over "
    "the steps, would have been refuted"
)

Row = tuple[str, str, str, str, str]
COLUMNS = ("theorem / problem", "verdict", "tightness", "checked", "evidence")


def report(records: Sequence[Record], store: Store, not_applicable: bool) -> None:
    """The table, what is not as expected, and the count."""
    rows: list[Row] = []
    for theorem in dict.fromkeys(r.theorem for r in records):
        rows += _theorem_rows([r for r in records if r.theorem == theorem])
    columns = COLUMNS if any(row[-1] for row in rows) else COLUMNS[:-1]
    shown = [row[: len(columns)] for row in rows]
    out = console(NAMES + sum(_widths(columns, shown)) if len(columns) == len(COLUMNS) else 0)
    print_table(columns, _one_line(columns, shown, out.width), right=columns[2:], out=out)
    if any(r.e_value is not None for r in records):
        out.print(f"\n{LEGEND}", soft_wrap=True)
    if any(_conditional(r) for r in records):
        out.print("\ndeclared: if the declared constants hold", soft_wrap=True)
    if not_applicable:
        _print_not_applicable(records)
    unexpected = [r for r in records if r.expected is False]
    if unexpected:
        out.print("\nNot as expected:", style="bold")
    for record in unexpected:
        out.print(_explanation(record, store), soft_wrap=True)
    out.print(f"\n{_count(records)}", soft_wrap=True)


def _theorem_rows(records: Sequence[Record]) -> list[Row]:
    """The theorem's own line, then one for each problem to which it applies."""
    mutants = [r for r in records if r.mutant is not None]
    own = [r for r in records if r.mutant is None]
    caught = sum(r.expected is True for r in mutants)
    said = f"mutants caught {caught}/{len(mutants)}" if mutants else "no mutants"
    rows: list[Row] = [(records[0].theorem, said, "", "", "")]
    for problem in dict.fromkeys(r.problem for r in own):
        pair = [r for r in own if r.problem == problem]
        worst = min(pair, key=lambda r: WORST_FIRST.index(Verdict(r.verdict)))
        if worst.verdict != Verdict.NOT_APPLICABLE:
            checked = sum(r.checked for r in pair)
            shown = str(checked) if checked else ""
            rows.append((f"  {problem}", _verdict(worst), _tightness(pair), shown, _evidence(worst)))
    return rows


def _evidence(record: Record) -> str:
    """Of a statistical claim: the e-value and the factor that would have been refuted, or the slope."""
    if record.e_value is not None and record.detectable is not None:
        seen = f"x {record.detectable:.2f}" if record.detectable < float("inf") else "nothing"
        return f"e {record.e_value:.2g}, sees {seen}"
    if record.statistics and "whole" in record.statistics:
        return f"slope {record.statistics['whole']:.2f}"
    return ""


def _one_line(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[tuple[str, ...]]:
    """Problems cut to one line; the records hold the whole specification."""
    room = width - sum(_widths(columns, rows)) - 2
    return [(row[0] if len(row[0]) <= room else f"{row[0][: room - 3]}...", *row[1:]) for row in rows]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Of the columns after the first, with what stands between them."""
    return [max([len(c), *(len(row[i]) for row in rows)]) + 2 for i, c in enumerate(columns[1:], 1)]


def _verdict(record: Record) -> str:
    said = f"{record.verdict}, declared" if _conditional(record) else record.verdict
    return f"{said} (recalled)" if record.source_status == "RECALLED" else said


def _conditional(record: Record) -> bool:
    """Not refuted, on constants that rest on the user's word."""
    return record.verdict == Verdict.NOT_REFUTED and bool(record.reason)


def _tightness(records: Sequence[Record]) -> str:
    values = [r.tightness for r in records if r.tightness is not None]
    return f"{max(values):.4g}" if values else ""


def _explanation(record: Record, store: Store) -> str:
    rules = ", ".join(f"{name} = {rule}" for name, rule in record.parameters.items())
    about = f"{record.theorem} on {record.problem}" + (f" with {rules}" if rules else "")
    about += "" if record.norm == repr(EUCLIDEAN) else f" in {record.norm}"
    if record.mutant is not None:
        about = f"the mutant {record.mutant!r} of {about} must be refuted"
    lines = [about, f"  {record.verdict}" + (f": {record.reason}" if record.reason else "")]
    if record.witness is not None:
        lines.append(f"  workbench replay {store.witness(record)}")
    return "\n".join(lines)


def _print_not_applicable(records: Sequence[Record]) -> None:
    """Also the claims that no run reached: both are outside what is counted."""
    rows = {
        (r.theorem, r.problem, r.reason): None
        for r in records
        if r.verdict in (Verdict.NOT_APPLICABLE, Verdict.OUT_OF_DOMAIN)
    }
    if rows:
        console().print()
        print_table(("not applicable", "problem", "reason"), list(rows))


def _count(records: Sequence[Record]) -> str:
    theorems = {r.theorem for r in records}
    good = sum(r.expected is True for r in records)
    bad = sum(r.expected is False for r in records)
    counted = f"{len(theorems)} theorem{'s' * (len(theorems) > 1)}, {len(records)} records"
    parts = [f"{counted}: {good} as expected, {bad} not as expected"]
    for verdict in (Verdict.NOT_APPLICABLE, Verdict.OUT_OF_DOMAIN):
        n = sum(r.verdict == verdict and r.expected is None for r in records)
        if n:
            parts.append(f"{n} {verdict}")
    counted_nowhere = (Verdict.NOT_APPLICABLE, Verdict.OUT_OF_DOMAIN)
    recalled = sum(r.expected is None and r.verdict not in counted_nowhere for r in records)
    if recalled:
        parts.append(f"{recalled} recalled, never counted")
    return "; ".join(parts)
