"""``workbench figure``: compute numbers, or read saved ones, and draw them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch

from workbench.cli.gallery import gallery
from workbench.cli.output import WrongUseError, console, require_writable, write_json, write_whole, wrong_use
from workbench.cli.progress import progress
from workbench.cli.targets import require_targets
from workbench.probes.result import DATA, MANIFEST
from workbench.unknown_name import close_to

try:
    from figures import FIGURES, FORMATS, STYLES, WIDTHS, Numbers, Recipe, render, write
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "matplotlib":
        raise
    raise WrongUseError("figures need matplotlib: pip install 'workbench[figures]'") from None

ALL = "all"
DEFAULT_FORMATS = ("pdf", "png")


@dataclass(frozen=True)
class Look:
    """How figures are drawn and where they go."""

    style: str
    width: str
    formats: tuple[str, ...]
    out: Path


def main(
    names: Sequence[str],
    style: str,
    width: str,
    data: Path | None,
    formats: Sequence[str],
    full: bool,
    seed: int,
    out: Path,
    gallery_file: Path | None,
    json: str | None,
) -> int:
    """Draw; 0. What is done stays if it is interrupted. WrongUseError for a gallery without PNG files."""
    with wrong_use():
        recipes = chosen(names)
        look = _look(style, width, formats, out)
        saved = _saved(recipes, data, full)
        drawn = {
            out / f"{r.name}.{end}": "is of a figure" for r in recipes for end in ("json", *look.formats)
        }
        require_targets({"--gallery": gallery_file, "--json": json}, drawn)
        if gallery_file is not None and "png" not in look.formats:
            raise WrongUseError("--gallery shows PNG files: leave --format out, or add --format png")
        _require_folder(out)
    torch.set_num_threads(1)
    entries: list[dict[str, Any]] = []
    for i, recipe in enumerate(recipes):
        with progress() as tell:
            tell(i, len(recipes), recipe.name)
            entries.append(_drawn(recipe, saved.get(recipe.name), look, full, seed))
        if json != "-":
            console().print(_line(entries[-1]), soft_wrap=True)
    if gallery_file is not None:
        write_whole(gallery_file, gallery(entries, gallery_file.parent))
        if json != "-":
            console().print(f"wrote {gallery_file}", soft_wrap=True)
    if json is not None:
        write_json(entries, json)
    return 0


def chosen(names: Sequence[str]) -> list[type[Recipe]]:
    """Figures that fit one of the names or globs, in the order of the room; "all" is every one.

    WrongUseError for one that fits nothing, with the names that come close.
    """
    known = [kind.name for kind in FIGURES]
    found: set[str] = set()
    for pattern in names:
        fitting = {name for name in known if pattern == ALL or fnmatchcase(name, pattern)}
        if not fitting:
            hint = close_to(pattern, [*known, ALL])
            raise WrongUseError(f"no figure {pattern!r}{hint}; `workbench list figures` shows all")
        found |= fitting
    return [kind for kind in FIGURES if kind.name in found]


def _look(style: str, width: str, formats: Sequence[str], out: Path) -> Look:
    wanted = tuple(dict.fromkeys(formats)) or DEFAULT_FORMATS
    for option, value, known in (
        ("--style", style, STYLES),
        ("--width", width, WIDTHS),
        *(("--format", each, FORMATS) for each in wanted),
    ):
        if value not in known:
            hint = close_to(value, known)
            raise WrongUseError(f"{option} must be one of {', '.join(known)}, got {value!r}{hint}")
    return Look(style, width, wanted, out)


def _saved(recipes: Sequence[type[Recipe]], data: Path | None, full: bool) -> dict[str, Numbers]:
    """The saved numbers, all read before anything is drawn: of one in a file, of several in a folder."""
    if data is None:
        return {}
    if full:
        raise WrongUseError("--full computes and --data does not: leave one of them out")
    if len(recipes) > 1 and data.is_file() and data.name not in (DATA, MANIFEST):
        raise WrongUseError(
            f"--data {data} holds one figure, {len(recipes)} are asked for; name one, or a folder"
        )
    return {kind.name: kind.from_saved(data) for kind in recipes}


def _require_folder(out: Path) -> None:
    """Made where it is missing. WrongUseError where it is a file, or nothing can be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise WrongUseError(f"--out {out} is a file; a folder is needed") from None
    except OSError as error:
        raise WrongUseError(f"--out {out} cannot be made: {error.strerror}") from None
    require_writable(str(out / ".writable"))


def _drawn(kind: type[Recipe], saved: Numbers | None, look: Look, full: bool, seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    recipe = kind()
    numbers = recipe.compute(full, seed) if saved is None else saved
    try:
        figure = render(recipe, numbers, look.style, look.width)
    except (KeyError, IndexError, ValueError) as error:
        if saved is None:
            raise
        said = error.args[0] if error.args else error
        raise WrongUseError(
            f"the saved numbers of {kind.name} are not those of this version ({said}); compute them again"
        ) from None
    try:
        files = [numbers.save(look.out / f"{kind.name}.json")]
        files += write(figure, look.out / kind.name, look.formats, look.style)
    except OSError as error:
        raise WrongUseError(f"{look.out} cannot be written: {error.strerror}") from None
    return {
        "name": kind.name,
        "summary": (kind.__doc__ or "").partition("\n")[0],
        "status": kind.status,
        "paper": kind.paper,
        "see": kind.see,
        "full": numbers.full,
        "seed": numbers.seed,
        "computed": saved is None,
        "seconds": round(time.perf_counter() - start, 2),
        "files": [str(path) for path in (*files[1:], files[0])],
    }


def _line(entry: dict[str, Any]) -> str:
    first, *others = entry["files"]
    endings = " ".join(Path(path).suffix for path in others)
    paper = f" {entry['paper']}" if entry["paper"] else ""
    return f"{entry['name']}  {entry['status']}{paper}  {entry['seconds']:.1f} s  {first} {endings}"
