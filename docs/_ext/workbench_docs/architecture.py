"""The picture of the architecture, from the import contract in pyproject.toml."""

import ast
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, ROW, GAP, PAD, TITLE = 760, 30, 6, 12, 26
"""Of the picture, in pixels: its width, the height of a box, distances, the line of a room's name."""


@dataclass(frozen=True)
class Contract:
    """Rows of modules from top to bottom; what stands above may import what stands below, and not back."""

    above: tuple[str, ...]
    inside: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]


def contract(pyproject: Path) -> Contract:
    """Read from the contracts: what sees the workbench, its layers, what it sees. KeyError if one is gone."""
    contracts = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = {tuple(c["containers"]): c["layers"] for c in contracts if "containers" in c}[("workbench",)]
    seen = {c["protected_modules"][0]: c["allowed_importers"] for c in contracts if c["type"] == "protected"}
    above = [room for room in seen["workbench"] if room != "workbench"]
    below = [room for room in ("problems",) if "workbench" in seen[room]]
    rows = [tuple(name.strip(" ()") for name in row.split("|")) for row in layers]
    return Contract(tuple(above), tuple(rows), (*below, "assumptions"))


def says(root: Path, module: str) -> str:
    """The first line of a module's docstring."""
    path = root / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def svg(found: Contract, root: Path) -> str:
    """One box a module, one row a layer; the line under the pointer says what a module is."""
    top = [row for row in found.inside if set(row) <= {"__main__", "cli"}]
    inner = [row for row in found.inside if row not in top]
    bands = [
        ("workbench.cli", "parses, calls, writes; no mathematics", top, "workbench."),
        *((room, "", [(room,)], "") for room in found.above),
        (
            "workbench",
            "each row may import the rows below it; what shares a row does not",
            inner,
            "workbench.",
        ),
        *((room, "", [(room,)], "") for room in found.below),
    ]
    body, y = [], 0
    for name, about, rows, prefix in bands:
        drawn, height = _band(name, about, rows, prefix, y, root)
        body += drawn
        y += height + 2 * GAP
    return (
        f'<svg class="architecture" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="Rooms and layers, from top to bottom" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(body)}</svg>\n"
    )


def table(found: Contract, root: Path) -> str:
    """The same as rows of a Markdown table: modules of the layers with the first line of each docstring."""
    lines = ["| layer | module | what it is |", "|---|---|---|"]
    for number, row in enumerate(found.inside):
        for module in row:
            about = says(root, f"workbench.{module}").replace("|", "\\|")
            lines.append(f"| {len(found.inside) - number} | `{module}` | {about} |")
    return "\n".join([*lines, ""])


def _band(
    name: str, about: str, rows: list[tuple[str, ...]], prefix: str, y: int, root: Path
) -> tuple[list[str], int]:
    """A room with its rows, and its height."""
    single = len(rows) == 1 and rows[0] == (name,)
    height = ROW + 2 * PAD if single else TITLE + len(rows) * (ROW + GAP) + PAD
    drawn = [f'<rect class="room" x="1" y="{y + 1}" width="{WIDTH - 2}" height="{height - 2}" rx="8"/>']
    if not single:
        drawn.append(f'<text class="name" x="{PAD}" y="{y + 18}">{escape(name)}</text>')
        drawn.append(f'<text class="about" x="{WIDTH - PAD}" y="{y + 18}">{escape(about)}</text>')
    start = y + (PAD if single else TITLE)
    for number, row in enumerate(rows):
        drawn += _row(row, prefix, start + number * (ROW + GAP), root)
    return drawn, height


def _row(modules: tuple[str, ...], prefix: str, y: int, root: Path) -> list[str]:
    width = (WIDTH - 2 * PAD - (len(modules) - 1) * GAP) / len(modules)
    drawn = []
    for i, module in enumerate(modules):
        x, about = PAD + i * (width + GAP), says(root, f"{prefix}{module}").replace("``", "")
        drawn.append(
            f"<g><title>{escape(f'{module}: {about}')}</title>"
            f'<rect class="module" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW}" rx="4"/>'
            f'<text class="module-name" x="{x + width / 2:.1f}" y="{y + 20}">{escape(module)}</text></g>'
        )
    return drawn
