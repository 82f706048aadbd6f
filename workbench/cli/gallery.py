"""A Markdown page of figures: what each shows, and the command that draws it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = """# Gallery

Every figure with its command, its source and what to see. *reproduced*: a figure of the paper, with the
paper's numbers; *re-derived*: the same quantities on a problem of ours; *own*: of this library.
[How figures are made](figures.md).
"""


def gallery(entries: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """The page, for a file in ``folder``; pictures are linked from there.

    entries: of ``workbench figure --json``, each with a PNG among its files.
    """
    return "\n".join([HEAD, *(_section(entry, folder) for entry in entries)])


def _section(entry: Mapping[str, Any], folder: Path) -> str:
    picture = next(path for path in entry["files"] if path.endswith(".png"))
    source = f", {entry['paper']}" if entry["paper"] else ""
    full = " --full" if entry["full"] else ""
    seed = f" --seed {entry['seed']}" if entry["seed"] else ""
    return f"""## {entry["name"]}

{entry["summary"]}

![{entry["summary"]}]({Path(os.path.relpath(picture, folder)).as_posix()})

*{entry["status"]}{source}.* {entry["see"]} `workbench figure {entry["name"]}{full}{seed}`
"""
