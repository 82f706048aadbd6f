r"""Results as a plain LaTeX table, to be read with ``\input``."""

import re
from collections.abc import Sequence

from workbench.report.digits import digits
from workbench.report.rows import TheoremRow
from workbench.verify import Verdict

_ESCAPED = {
    **{c: rf"\{c}" for c in "&%$#_"},
    "{": r"\textbraceleft{}",  # BibTeX counts the braces of a field, escaped or not
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    **{c: f"{{{c}}}" for c in "[]*`"},  # after a line of a table [ and * would be its options; `` a quote
}
COLUMNS = ("theorem", "status", "problems", "verdict", "tightness")


def latex_table(rows: Sequence[TheoremRow]) -> str:
    """Theorem, status, problems tried, worst verdict, largest tightness: one ``tabular``, no packages."""
    lines = [_line(row) for row in rows]
    return "\n".join(
        (
            "% Largest tightness (measured / bound) and worst verdict over all problems tried.",
            r"\begin{tabular}{llrlr}",
            r"\hline",
            " & ".join(COLUMNS) + r" \\",
            r"\hline",
            *lines,
            r"\hline",
            r"\end{tabular}",
            "",
        )
    )


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is; a line break, and what cannot be printed, becomes a space."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return re.sub("-(?=-)", "-{}", "".join(_ESCAPED.get(c, c) for c in plain))


def _line(row: TheoremRow) -> str:
    tightness = "--" if row.tightness is None else f"${_number(row.tightness)}$"
    verdict = (
        str(row.verdict)
        if row.status != "RECALLED" or row.verdict is Verdict.UNTESTED
        else f"({row.verdict})"
    )
    cells = (escaped(row.theorem), escaped(row.status.lower()), str(row.tried), escaped(verdict), tightness)
    return " & ".join(cells) + r" \\"


def _number(value: float) -> str:
    r"""Four digits in math mode: 0.75, 1.2 \cdot 10^{-7}, \infty; 1 only where a bound is attained."""
    if not abs(value) < float("inf"):
        return r"\mathrm{nan}" if value != value else r"\infty" if value > 0 else r"-\infty"
    mantissa, _, power = digits(value).partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if power else mantissa
