"""Files that are there whole or not at all."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, moved there at the end of the block.

    Whatever ends the block early, a full disk or an interruption, leaves at ``path`` what was there, and
    nothing beside it; a process that is killed leaves ``NAME.NUMBER.part``, its number. Of several that write
    at once, the last to end is kept. What was there hands on its permissions; a link stays, and what it
    points at is replaced.

    OSError where it cannot be moved, as in a folder that cannot be written to.
    """
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    part = path.with_name(f"{path.name}.{threading.get_native_id()}.part")
    try:
        yield part
        with suppress(OSError):
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
