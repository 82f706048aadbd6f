"""``workbench show``: one object in full."""

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from problems import Problem
from workbench.algebra.summary import summary
from workbench.catalogue import CATALOGUE
from workbench.cli.output import WrongUseError, console, write_json, wrong_use
from workbench.match import match
from workbench.registry import OPTIONS, Registry
from workbench.statement import as_text, claim_latex, claim_text, condition_text, rules_text
from workbench.theorem import Theorem
from workbench.unknown_name import close_to
from workbench.user_file import load_user_file
from workbench.well_stated import swept


def main(name: str, file: Path | None, json: bool) -> int:
    """Print what has this name."""
    with wrong_use():
        registry = Registry(load_user_file(file) if file else None)
        shown = described(name, registry, json)
    if json:
        write_json(shown, "-")
    else:
        console().print(_text(shown), soft_wrap=True)
    return 0


def described(name: str, registry: Registry, json: bool) -> dict[str, Any]:
    """What is known of the object of this name, field by field; json: as plain JSON values.

    WrongUseError, with the nearest names, if nothing is called so.
    """
    for theorem in registry.theorems:
        if theorem.id == name:
            return _theorem(theorem, registry, json)
    classes = {c.__name__: c for c in (*registry.methods, *registry.families, *registry.assumptions)}
    papers = {entry["paper"]: entry for entry in CATALOGUE["papers"]}
    counterexamples = {entry["name"]: entry for entry in CATALOGUE["counterexamples"]}
    if name in counterexamples:
        return counterexamples[name]
    figures = {entry["name"]: entry for entry in CATALOGUE["figures"]}
    if name in figures:
        return {**figures[name], "command": f"workbench figure {name}"}
    classes = {**registry.exported, **registry.options, **classes}
    if name in classes:
        return _class(classes[name], registry)
    if name in papers:
        return papers[name]
    if "(" in name:
        return _instance(registry.problem(name))
    known = [*(t.id for t in registry.theorems), *classes, *papers, *counterexamples, *figures]
    raise WrongUseError(
        f"nothing is called {name!r}{close_to(name, known)}; `workbench list` shows what there is"
    )


def _instance(problem: Problem) -> dict[str, Any]:
    facts = ("f_star", "f_lower", "x_star", "nearest_star", "prox", "brox", "hvp")
    return {
        "problem": repr(problem),
        "summary": (inspect.getdoc(type(problem)) or "").partition("\n")[0],
        "dimension": str(problem.d),
        "offers": ", ".join(name for name in facts if problem.offers(name)),
        "certified": [f"{c.assumption!r}: {c.proof}" for c in problem.certified],
    }


def _theorem(t: Theorem, registry: Registry, json: bool) -> dict[str, Any]:
    """All of a theorem; what algebra says of it as texts, or under ``algebra`` as plain data."""
    algebra = summary(t)
    matched = {repr(p): match(t, p, registry.implications) for p in registry.instances()}
    return {
        "theorem": t.id,
        "title": t.title,
        "source": " ".join(filter(None, (t.source.paper, t.source.title))),
        "status": f"{t.source.status}: {t.source.where}" if t.source.where else t.source.status,
        "method": " and ".join(m.__name__ for m in t.methods),
        "assumes": [a.__name__ for a in t.assumes],
        "kind": t.kind,
        "norm": repr(t.norm),
        "parameters": rules_text(t),
        "requires": condition_text(t.requires),
        "when": condition_text(t.when),
        "claim": claim_text(t),
        "latex": claim_latex(t),
        **({"algebra": algebra.to_json()} if json else algebra.shown()),
        "proof": t.proof,
        "mutants": [
            f"{m.why}: {', '.join(f'{k} = {_plain(v)}' for k, v in m.change.items())}; on {m.on!r}"
            for m in t.mutants
        ],
        "tight": [f"{x.tightness:g} on {x.on!r}" for x in t.tight],
        "instances": [p for p, cases in matched.items() if not isinstance(cases, str)],
        "not applicable": {p: reason for p, reason in matched.items() if isinstance(reason, str)},
    }


def _plain(value: Any) -> str:
    """A changed field as it is written in a theorem: classes and functions by name, quantities in words."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(entry)}" for name, entry in value.items())
    return getattr(value, "__name__", None) or getattr(value, "meaning", None) or as_text(value)


def _class(kind: type, registry: Registry) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": kind.__name__,
        "about": inspect.getdoc(kind) or "",
        "fields": {
            f.name: "" if f.default is dataclasses.MISSING else f"default {f.default!r}"
            for f in dataclasses.fields(kind)
        },
    }
    if kind in registry.methods:
        shown["needs"] = list(getattr(kind, "needs", ()))
        shown["theorems"] = [t.id for t in registry.theorems if kind in t.methods]
    elif kind in registry.assumptions:
        shown |= _relations(kind, registry)
    elif kind in OPTIONS:
        shown["theorems"] = [t.id for t in registry.theorems if _sweeps(t, kind)]
    else:
        own = [p for p in registry.instances(full=True) if type(p) is kind]
        shown["instances"] = [repr(p) for p in own]
        shown["certified"] = _certified(own[0]) if own else {}
    return shown


def _sweeps(t: Theorem, kind: type) -> bool:
    rules = [swept(v) for v in t.parameters.values()]
    return any(isinstance(value, kind) for values in rules for value in values)


def _relations(kind: type, registry: Registry) -> dict[str, Any]:
    """Of an assumption: who certifies it, what follows from it, what does not."""
    rows = [row for row in registry.implications if kind in (*row.premises, row.gives)]
    known = {
        repr(p): next((repr(c.assumption) for c in p.certified if type(c.assumption) is kind), "")
        for p in registry.instances()
    }
    return {
        "needs": list(getattr(kind, "needs", ())),
        "theorems": [t.id for t in registry.theorems if kind in t.assumes],
        "implications": [str(row) for row in rows],
        "counterexamples": [
            f"{c['name']}: {c['claim']}"
            for c in CATALOGUE["counterexamples"]
            if any(a.startswith(f"{kind.__name__}(") for a in (c["fails"], *c["holds"]))
        ],
        "certified": {problem: statement for problem, statement in known.items() if statement},
    }


def _certified(problem: Problem) -> dict[str, str]:
    return {repr(c.assumption): c.proof for c in problem.certified}


def _text(shown: Mapping[str, Any]) -> str:
    lines = []
    for name, value in shown.items():
        if not value:
            continue
        if isinstance(value, str) and "\n" not in value:
            lines.append(f"{name:12}  {value}")
            continue
        lines.append(name)
        items = value.splitlines() if isinstance(value, str) else value
        if isinstance(value, dict):
            items = [f"{key}: {text}" if text else str(key) for key, text in value.items()]
        lines += [f"  {item}".rstrip() for item in items]
    return "\n".join(lines)
