"""What docstrings leave out, found by machine: exceptions that are raised, fields that are filled in.

Names are looked for as words; whether what is said of them is true is for readers.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

BUILDERS = ("__init__", "__post_init__", "__new__")
ERROR = re.compile(r"\b\w*(?:Error|Lost)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(root: Path, rooms: tuple[str, ...]) -> Iterator[Path]:
    """Every module of the rooms that is not private, in order."""
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            inner = path.relative_to(root).with_suffix("").parts
            if not any(part.startswith("_") and part != "__init__" for part in inner):
                yield path


def unsaid_errors(path: Path) -> Iterator[str]:
    """file:line of each ``raise X(...)`` in a public function, method or constructor that does not name X.

    The docstring of the class counts for its methods. Left out is what the same function catches. What
    helpers raise is not seen, nor ``raise failure`` and ``raise helper(...)``, whose class stands elsewhere;
    but a constructor that calls a guard ``require_...`` must name some error.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield from _unsaid(path, node.name, node, "")
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            about = ast.get_docstring(node) or ""
            for member in node.body:
                if isinstance(member, Function) and _seen(member.name):
                    yield from _unsaid(path, f"{node.name}.{member.name}", member, about)


def unsaid_fields(kind: type) -> Iterator[str]:
    """file:line of a class, for each field that neither its docstring nor a line below the field names.

    The docstrings of bases that it names, as ``Base``, count too.
    """
    about = _about(kind)
    names = [n for n in _fields(kind) if not (n.startswith("_") or re.search(rf"\b{n}\b", about))]
    if not names:
        return
    lines, start = inspect.getsourcelines(kind)
    definition = ast.parse(inspect.cleandoc("\n" + "".join(lines))).body[0]
    assert isinstance(definition, ast.ClassDef)
    explained = _explained(definition)
    for name in names:
        if name not in explained:
            yield f"{inspect.getsourcefile(kind)}:{start}: {kind.__name__} does not say what {name} is"


def _seen(name: str) -> bool:
    return not name.startswith("_") or name in BUILDERS


def _unsaid(path: Path, name: str, node: Function, about: str) -> Iterator[str]:
    said = f"{about} {ast.get_docstring(node) or ''}"
    for line, raised in sorted(set(_raised(node))):
        if not re.search(rf"\b{raised}\b", said):
            yield f"{path}:{line}: {name} raises {raised}, which its docstring does not name"
    if node.name in BUILDERS and not ERROR.search(said) and any(map(_guards, ast.walk(node))):
        yield f"{path}:{node.lineno}: {name} checks its arguments, and names no error"


def _raised(node: Function) -> Iterator[tuple[int, str]]:
    """(line, class) of the raise statements of a function, not of those inside it."""
    left: list[tuple[ast.AST, frozenset[str]]] = [(part, frozenset()) for part in node.body]
    while left:
        part, caught = left.pop()
        if isinstance(part, (Function, ast.Lambda, ast.ClassDef)):
            continue
        raised = _name(part.exc) if isinstance(part, ast.Raise) else ""
        if raised[:1].isupper() and raised not in caught:
            yield part.lineno, raised
        inside = caught | _caught(part) if isinstance(part, ast.Try) else caught
        body = set(part.body) if isinstance(part, ast.Try) else set()
        left += [(child, inside if child in body else caught) for child in ast.iter_child_nodes(part)]


def _caught(attempt: ast.Try) -> frozenset[str]:
    """Names of the classes that the handlers name."""
    return frozenset(_name(node) for h in attempt.handlers if h.type for node in ast.walk(h.type)) - {""}


def _guards(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node).startswith("require_")


def _name(node: ast.AST | None) -> str:
    """The last word of ``X``, ``a.X``, ``X(...)``; empty for anything else."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _fields(kind: type) -> list[str]:
    """What its own constructor takes; that of a base is described there."""
    if "__init__" in vars(kind):
        return [n for n in inspect.signature(kind).parameters if n not in ("args", "kwargs", "options")]
    return list(vars(kind).get("_fields", ()))


def _about(kind: type) -> str:
    """Its docstring, with those of the bases that it names and that they name."""
    about = vars(kind).get("__doc__") or ""
    for base in kind.__mro__[1:]:
        if f"``{base.__name__}``" in about:
            about += vars(base).get("__doc__") or ""
    return about


def _explained(definition: ast.ClassDef) -> set[str]:
    """Names of the fields with a docstring of their own, below them."""
    pairs = zip(definition.body, definition.body[1:], strict=False)
    return {
        _name(field.target)
        for field, text in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
