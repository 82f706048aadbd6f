"""A theorem written out: the claim as text and as LaTeX."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter, tex_greek_dictionary

from workbench.claims import Recurrence, axes_of
from workbench.quantity import upright
from workbench.theorem import Theorem
from workbench.well_stated import swept

RELATION = {"path": "<=", "exact": "="}
RELATION_LATEX = {"exact": "="}
EXPECTATIONS = {"step": r" \mid \text{state}", "mean": "", "slope": ""}
GREEK = {"alpha", "beta", "gamma", "delta", "eta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau"}
_REDUCTIONS = {
    "total": r"\sum_{%s<k} ",
    "avg": r"\frac{1}{k} \sum_{%s<k} ",
    "best": r"\min_{%s<k} ",
    "product": r"\prod_{%s<k} ",
}
_OVER_AXES = {
    "layer_sum": r"\sum_i ",
    "layer_max": r"\max_i ",
    "client_mean": r"\frac{1}{n} \sum_j ",
    "client_max": r"\max_j ",
}
_BRACED = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_SCRIPT = re.compile(rf"(?<!\\)([_^])(?:{_BRACED}|([A-Za-z0-9]))")
_STEP = re.compile(r"(?<![A-Za-z\\])k([+-]\d+)?(?![A-Za-z])")
_ATOM = re.compile(
    rf"(\\mathrm\{{[^{{}}]*\}}|\\?[A-Za-z]+)(?:_(?:{_BRACED}|(\w)))?(\^(?:\w|\\[a-z]+|\{{[^{{}}]*\}}))?"
)
"""A letter or word with a subscript, in braces or not, and a superscript."""
_GROUP = re.compile(r"\{[^{}]*\}|\([^()]*\)|\\langle.*?\\rangle|\\\|.*?\\\|")
_LOOSE = re.compile(r"[-+/]|\\,|\\(?:sum|max|min)_")
_INDICES = {"star": r"\star"}
_OPEN, _CLOSE = r"\left(", r"\right)"


def claim_text(theorem: Theorem) -> str:
    """The claim in one line: ``dist_next**2 <= dist**2 - radius**2``."""
    if theorem.kind == "equal":
        return f"{' and '.join(m.__name__ for m in theorem.methods)} make the same iterates"
    measured, bound = _side(theorem.measured), _side(theorem.bound)
    if theorem.kind == "step":
        return f"E[{measured} | state] <= {bound}"
    if theorem.kind == "mean":
        return f"E[{measured}] <= {bound}"
    if theorem.kind == "hp":
        return f"{measured} <= {bound} at every k, with probability at least {1 - _failure(theorem):g}"
    if theorem.kind == "slope":
        return f"E[{measured}] = O(K^{theorem.exponent:g}), by {bound}"
    return f"{measured} {RELATION[theorem.kind]} {bound}"


def _failure(theorem: Theorem) -> float:
    return float(theorem.failure or 0)


def claim_latex(theorem: Theorem) -> str:
    """The claim as LaTeX, without dollar signs; quantities as they are written in papers."""
    if theorem.kind == "equal":
        first, second = (m.__name__ for m in theorem.methods)
        return rf"x_k^{{\mathrm{{{first}}}}} = x_k^{{\mathrm{{{second}}}}}"
    measured, bound = (latex(side, theorem) for side in (theorem.measured, theorem.bound))
    if theorem.kind in EXPECTATIONS:
        measured = rf"\mathbb{{E}}\left[{measured}{EXPECTATIONS[theorem.kind]}\right]"
    relation = RELATION_LATEX.get(theorem.kind, r"\leq")
    claim = rf"{measured} {relation} {bound}"
    if theorem.kind == "slope":
        claim = rf"{measured} = O(K^{{{theorem.exponent:g}}})"
    if theorem.kind == "hp":
        claim = rf"\mathbb{{P}}\left(\forall k:\ {claim}\right) \geq {1 - _failure(theorem):g}"
    if theorem.when == sp.true:
        return claim
    return claim + r" \quad \text{if } " + latex(theorem.when, theorem)


def latex(side: Any, theorem: Theorem) -> str:
    """One expression of the theorem as LaTeX."""
    if isinstance(side, Recurrence):
        return _recurrence(side, theorem)
    text = _Printer(theorem).doprint(sp.sympify(side))
    return _bare(text) if isinstance(side, sp.Symbol) else text


def rules_text(theorem: Theorem) -> dict[str, str]:
    """Field -> its rule; a sweep as "a | b | c"."""
    return {name: " | ".join(map(as_text, swept(rule))) for name, rule in theorem.parameters.items()}


def as_text(value: Any) -> str:
    """An expression with its decimals as short as they were written, 0.3; all else as it prints itself."""
    return sp.sstr(value, full_prec=False) if isinstance(value, sp.Basic) else str(value)


def condition_text(condition: Any) -> str:
    """``when`` or ``requires`` as text, empty if there is none."""
    return "" if condition == sp.true else as_text(condition)


def _side(side: Any) -> str:
    if not isinstance(side, Recurrence):
        return as_text(side)
    start = ", ".join(f"{name} = {as_text(e)}" for name, e in side.start.items())
    update = ", ".join(f"{name} -> {as_text(e)}" for name, e in side.update.items())
    return f"{side.value}  where at the start {start}; then {update}"


def _recurrence(side: Recurrence, theorem: Theorem) -> str:
    words = {name: _word(name) for name in side.start}
    own = {name: _shifted(word, "k") for name, word in words.items()}
    printer = _Printer(theorem, own)
    start = [f"{_shifted(words[n], '0')} = {printer.doprint(sp.sympify(e))}" for n, e in side.start.items()]
    update = [
        f"{_shifted(words[n], 'k', 1)} = {printer.doprint(sp.sympify(e))}" for n, e in side.update.items()
    ]
    return rf"{own[side.value]}, \quad " + r",\ ".join(start + update)


class _Printer(LatexPrinter):
    """Symbols by their meaning; inside a reduction over steps the index is j, or l where j is a client."""

    def __init__(self, theorem: Theorem, own: Mapping[str, str] | None = None) -> None:
        super().__init__({"parenthesize_super": False, "mul_symbol": None})
        self._theorem, self._own, self._at = theorem, own or {}, "k"
        self._past = "l" if _has_clients(theorem) else "j"

    def _print_Symbol(self, expr: sp.Symbol, *_: Any, **__: Any) -> str:
        name = expr.name
        if name in self._own:
            return self._own[name]
        meaning = self._theorem.meaning(name)
        if meaning.kind == "quantity":
            shown = self._theorem.all_quantities[meaning.base].latex
            index, by = ("0", 0) if meaning.when == "start" else (self._at, int(meaning.when == "next"))
            text = _shifted(shown, index, by)
            return _bracketed(text) if _is_loose(text) else text
        if name == "k":
            return self._at
        return _word(name)

    def _print_Function(self, expr: sp.Function, exp: str | None = None) -> str:
        kind = type(expr).__name__
        if kind in _OVER_AXES:
            text = _OVER_AXES[kind] + _bracketed(self.doprint(expr.args[0]))
        elif kind == "first":
            text = rf"\min\left\{{{self._past} : {self._at_past(expr.args[0])}\right\}}"
        elif kind in _REDUCTIONS:
            text = _REDUCTIONS[kind] % self._past + _bracketed(self._at_past(expr.args[0]))
        else:
            return super()._print_Function(expr, exp)
        return text if exp is None else f"{_bracketed(text)}^{{{exp}}}"

    def _at_past(self, e: sp.Basic) -> str:
        outer, self._at = self._at, self._past
        text = self.doprint(e)
        self._at = outer
        return text

    def _print_Integer(self, expr: sp.Integer) -> str:
        """A long power of ten by its exponent."""
        digits = str(expr)
        power = len(digits) > 6 and digits == f"1{'0' * (len(digits) - 1)}"
        return rf"{{10^{{{len(digits) - 1}}}}}" if power else digits


def _has_clients(theorem: Theorem) -> bool:
    """True if the claim speaks of client j, by a name or inside the LaTeX of a quantity."""
    for name, meaning in theorem.uses.items():
        shown = theorem.all_quantities[meaning.base].latex if meaning.kind == "quantity" else ""
        if "j" in axes_of(name) or any("j" in (m[2] or m[3] or "") for m in _SCRIPT.finditer(shown)):
            return True
    return False


def _shifted(shown: str, index: str, by: int = 0) -> str:
    """The LaTeX of a quantity at ``index + by``: k in its indices replaced; one is added if there is none."""

    def put(step: re.Match[str]) -> str:
        offset = by + int(step[1] or 0)
        return str(offset) if index == "0" else f"{index}{offset:+d}" if offset else index

    def script(match: re.Match[str]) -> str:
        new, found = _STEP.subn(put, match[2] or match[3] or "")
        if not found:
            return match[0]
        return match[1] + (new if match[3] and new == index != "0" else f"{{{new}}}")

    has_step = any(_STEP.search(m[2] or m[3] or "") for m in _SCRIPT.finditer(shown))
    return _SCRIPT.sub(script, shown if has_step else _indexed(shown))


def _indexed(shown: str) -> str:
    """With index k: ``B_j`` becomes ``B_{j,k}``; what is no atom is put in brackets first."""
    atom = _ATOM.fullmatch(shown)
    if not atom:
        return f"{_bracketed(shown)}_k"
    base, braced, letter, power = atom.groups(default="")
    index = braced or letter
    return f"{base}_{{{index},k}}{power}" if index else f"{base}_k{power}"


def _is_loose(text: str) -> bool:
    """True if a sum, a quotient or an operator stands outside all brackets, braces and norms."""
    while (inner := _GROUP.sub("", text)) != text:
        text = inner
    return bool(_LOOSE.search(text))


def _bracketed(text: str) -> str:
    return text if _is_bracketed(text) else f"{_OPEN}{text}{_CLOSE}"


def _bare(text: str) -> str:
    return text[len(_OPEN) : -len(_CLOSE)] if _is_bracketed(text) else text


def _is_bracketed(text: str) -> bool:
    """True if one pair of brackets holds the whole."""
    if not (text.startswith(_OPEN) and text.endswith(_CLOSE)):
        return False
    sides = [1 if m[0] == r"\left" else -1 for m in re.finditer(r"\\(?:left|right)(?![A-Za-z])", text)]
    return all(depth > 0 for depth in itertools.accumulate(sides[:-1]))


def _word(name: str) -> str:
    r"""A field, constant or fact: ``L0_max`` is L with two indices, stepsize stands upright."""
    axes = axes_of(name)
    stem = name.removesuffix(f"_{axes}") if axes else name
    base, *rest = [word for word in stem.split("_") if word] or [stem]
    digits = re.fullmatch(r"([A-Za-z]+)(\d+)", base)
    if digits:
        base, rest = digits[1], [digits[2], *rest]
    shown = tex_greek_dictionary.get(base) or (rf"\{base}" if base in GREEK else base)
    if len(shown) > 1 and not shown.startswith("\\"):
        shown, rest = upright(stem), []
    indices = [_INDICES.get(w) or (w if len(w) == 1 or w.isdigit() else upright(w)) for w in rest]
    indices += [axes] if axes else []
    return f"{shown}_{{{','.join(indices)}}}" if indices else shown
