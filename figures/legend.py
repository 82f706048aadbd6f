"""Legend texts from the LaTeX of a theorem, in what matplotlib can set without a LaTeX installation."""

import re
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from workbench import Recurrence, Theorem
from workbench.statement import EXPECTATIONS, latex

WIDEST = 20.0
"""Of a formula in a legend, in units of the font size: about half a text width. Wider ones are named."""
TALLEST = 4.0
_POINTS = 10.0
_BACKWARDS = re.compile(r"\(- ([^()+-]+) \+ (\d+)(\\right)?\)")
"""A difference in the order of sympy: -a x + 1."""
_WORD = r"\\mathrm\{\w{2,}\}"
_RELATION = r"\\(?:leq|geq|wedge|mid|quad|right)"
_FACTORS = re.compile(
    rf"(?<=[\w}}])(?<!\\leq)(?<!\\geq)(?<!\\wedge) (?={_WORD})|(?<=\w{{2}}\}}) (?=[\w\\])(?!{_RELATION})"
)
"""Between factors of which one is a word: mathtext sets no space there."""
_OPEN, _CLOSE = r"\left(", r"\right)"


def measured_text(theorem: Theorem) -> str:
    """What the theorem measures, as mathtext; where it is too long, in words."""
    text = "" if isinstance(theorem.measured, Recurrence) else _outer(latex(theorem.measured, theorem))
    if theorem.kind in EXPECTATIONS:
        text = rf"\mathbb{{E}}\left[{text}{EXPECTATIONS[theorem.kind]}\right]"
    return mathtext(text) or f"left side of {theorem.id}"


def bound_text(theorem: Theorem) -> str:
    """The theorem's bound, as mathtext; where it is too long or a recursion, the theorem's name."""
    if isinstance(theorem.bound, Recurrence):
        return f"bound of {theorem.id}"
    return mathtext(_outer(latex(theorem.bound, theorem))) or f"bound of {theorem.id}"


def mathtext(text: str) -> str | None:
    """LaTeX, without dollar signs, as mathtext between them, fractions in full size where they fit.

    None if it cannot be set, or is too large.
    """
    text = _FACTORS.sub(r"\\, ", text)
    small = f"${_BACKWARDS.sub(_forwards, _single(text))}$"
    for shown in dict.fromkeys((small.replace(r"\frac", r"\dfrac"), small)):
        size = extent(shown)
        if size is not None and size[0] <= WIDEST and size[1] <= TALLEST:
            return shown
    return None


def extent(shown: str) -> tuple[float, float] | None:
    """Width and height of a mathtext in units of the font size; None where matplotlib cannot set it."""
    font = FontProperties(family="STIXGeneral", size=_POINTS)
    try:
        width, height, depth, *_ = _parser().parse(shown, dpi=72, prop=font)
    except ValueError:
        return None
    return width / _POINTS, (height + depth) / _POINTS


def _parser() -> Any:
    return MathTextParser("path")


def _outer(text: str) -> str:
    """Without brackets around the whole: a sum that stands alone needs none."""
    while text.startswith(_OPEN) and _closing(text, 0) == len(text) - len(_CLOSE):
        text = text[len(_OPEN) : -len(_CLOSE)]
    return text


def _forwards(found: re.Match[str]) -> str:
    return f"({found[2]} - {found[1]}{found[3] or ''})"


def _single(text: str) -> str:
    """Double brackets made single ones."""
    start = text.find(_OPEN * 2)
    while start >= 0:
        outer, inner = _closing(text, start), _closing(text, start + len(_OPEN))
        if outer == inner + len(_CLOSE):
            text = text[:start] + text[start + len(_OPEN) : inner] + text[outer:]
        start = text.find(_OPEN * 2, start + 1)
    return text


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at ``start`` closes."""
    depth = 0
    for match in re.finditer(r"\\left\(|\\right\)", text[start:]):
        depth += 1 if match.group() == _OPEN else -1
        if depth == 0:
            return start + match.start()
    return -1
