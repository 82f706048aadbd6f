"""Files that a command is about to write: they can be written, are not each other, and hold no results."""

import os
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from workbench.cli.output import WrongUseError, require_writable

RECORDS = "records-*.jsonl"
"""Names of the files of records."""


def require_targets(targets: Mapping[str, Path | str | None], kept: Mapping[Path, str] | None = None) -> None:
    """WrongUseError, before any work, for a file that cannot be written, is named twice, or holds results.

    targets: option -> its file; None and "-", which is stdout, are no file. kept: files that stay, and what
    they are, as "holds records".
    """
    taken = {os.path.realpath(path): what for path, what in (kept or {}).items()}
    for option, target in targets.items():
        if target is None or target == "-":
            continue
        path = os.path.realpath(target)
        what = "holds records" if fnmatch(os.path.basename(path), RECORDS) else taken.get(path)
        if what is not None:
            raise WrongUseError(f"{option} {target}: that file {what}; name another")
        taken[path] = f"is what {option} writes"
        require_writable(str(target))
