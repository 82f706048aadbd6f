"""Files that are there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, moved there at the end of the block.

    Whatever ends the block early, a full disk or an interruption, leaves at ``path`` what was there, and
    nothing beside it; a process that is killed leaves ``NAME.part``.

    OSError where it cannot be moved, as in a folder that cannot be written to.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
