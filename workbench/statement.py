"""A theorem written out: the claim as text and as LaTeX."""

import re
from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter, tex_greek_dictionary

from workbench.claims import Recurrence
from workbench.theorem import Theorem

RELATION = {"path": "<=", "exact": "="}
RELATION_LATEX = {"exact": "="}
EXPECTATIONS = {"step": r" \mid \text{state}", "mean": "", "slope": ""}
GREEK = {"alpha", "beta", "gamma", "delta", "eta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau"}
_INDEX = re.compile(r"_(?:k(?![a-z])|\{k([+-]\d+)?\})")
_REDUCTIONS = {
    "total": r"\sum_{j<k}",
    "avg": r"\frac{1}{k} \sum_{j<k}",
    "best": r"\min_{j<k}",
    "product": r"\prod_{j<k}",
}


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
    relation = RELATION_LATEX.get(theorem.kind, r"\le")
    claim = rf"{measured} {relation} {bound}"
    if theorem.kind == "slope":
        claim = rf"{measured} = O(K^{{{theorem.exponent:g}}})"
    if theorem.kind == "hp":
        claim = rf"\mathbb{{P}}\left(\forall k:\ {claim}\right) \ge {1 - _failure(theorem):g}"
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
    return {
        name: " | ".join(str(r) for r in rule) if isinstance(rule, tuple) else str(rule)
        for name, rule in theorem.parameters.items()
    }


def condition_text(condition: Any) -> str:
    """``when`` or ``requires`` as text, empty if there is none."""
    return "" if condition == sp.true else str(condition)


def _side(side: Any) -> str:
    if not isinstance(side, Recurrence):
        return str(side)
    start = ", ".join(f"{name} = {e}" for name, e in side.start.items())
    update = ", ".join(f"{name} -> {e}" for name, e in side.update.items())
    return f"{side.value}  where at the start {start}; then {update}"


def _recurrence(side: Recurrence, theorem: Theorem) -> str:
    own = {name: rf"{_word(name)}_k" for name in side.start}
    printer = _Printer(theorem, own)
    start = [f"{_shifted(own[n], '0')} = {printer.doprint(sp.sympify(e))}" for n, e in side.start.items()]
    update = [
        f"{_shifted(own[n], 'k', 1)} = {printer.doprint(sp.sympify(e))}" for n, e in side.update.items()
    ]
    return rf"{own[side.value]}, \quad " + r",\ ".join(start + update)


class _Printer(LatexPrinter):
    """Symbols by their meaning; inside a reduction over steps the index is j."""

    def __init__(self, theorem: Theorem, own: Mapping[str, str] | None = None) -> None:
        super().__init__({"parenthesize_super": False, "mul_symbol": None})
        self._theorem, self._own, self._at = theorem, own or {}, "k"

    def _print_Symbol(self, expr: sp.Symbol, *_: Any, **__: Any) -> str:
        name = expr.name
        if name in self._own:
            return self._own[name]
        meaning = self._theorem.meaning(name)
        if meaning.kind == "quantity":
            shown = self._theorem.all_quantities[meaning.base].latex
            index, by = ("0", 0) if meaning.when == "start" else (self._at, int(meaning.when == "next"))
            return _shifted(shown, index, by)
        if name == "k":
            return self._at
        return _word(name)

    def _print_Function(self, expr: sp.Function, exp: str | None = None) -> str:
        sign = _REDUCTIONS.get(type(expr).__name__)
        if sign is None:
            return super()._print_Function(expr, exp)
        outer, self._at = self._at, "j"
        inner = self.doprint(expr.args[0])
        self._at = outer
        text = rf"{sign} \left({inner}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


def _shifted(shown: str, index: str, by: int = 0) -> str:
    """The LaTeX of a quantity at ``index + by``; it gets an index if it has none."""

    def put(match: re.Match[str]) -> str:
        offset = by + int(match.group(1) or 0)
        if index == "0" or not offset:
            return f"_{{{offset}}}" if index == "0" else f"_{index}"
        return f"_{{{index}{offset:+d}}}"

    text = _INDEX.sub(put, shown if _INDEX.search(shown) else f"{shown}_k")
    return rf"\left({text}\right)" if _is_sum(text) else text


def _is_sum(text: str) -> bool:
    """True if a + or - stands outside all braces and brackets."""
    depth = 0
    for c in text:
        depth += (c in "{(") - (c in "})")
        if c in "+-" and depth == 0:
            return True
    return False


def _bare(text: str) -> str:
    return text.removeprefix(r"\left(").removesuffix(r"\right)") if text.startswith(r"\left(") else text


def _word(name: str) -> str:
    """A field, constant or fact: L0 gets an index, mu its letter, stepsize stands upright."""
    base, _, suffix = name.partition("_")
    digits = re.fullmatch(r"([A-Za-z]+)(\d+)", base)
    if digits:
        base, suffix = digits.group(1), digits.group(2) + ("," + suffix if suffix else "")
    shown = tex_greek_dictionary.get(base) or (rf"\{base}" if base in GREEK else base)
    if len(shown) > 1 and not shown.startswith("\\"):
        shown = rf"\mathrm{{{shown}}}"
    if not suffix:
        return shown
    return rf"{shown}_{{{suffix}}}" if len(suffix) == 1 else rf"{shown}_{{\mathrm{{{suffix}}}}}"
