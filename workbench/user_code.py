"""A user's Python file as a module, and the line of it where something went wrong."""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


@contextmanager
def as_module(place: Path, prefix: str) -> Iterator[ModuleType]:
    """An empty module to run the file in, known to sys.modules: dataclasses and pickle look theirs up.

    place: absolute; one name per file, prefix_STEM_HASH. Inside, its folder can be imported from. The module
    is forgotten if an exception passes.
    """
    name = f"{prefix}_{place.stem}_{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
    module = ModuleType(name)
    module.__file__ = str(place)
    module.__spec__ = importlib.util.spec_from_file_location(name, place)
    sys.modules[name] = module
    # at the end of the path, so that nothing beside the file can take the place of a library
    sys.path.append(str(place.parent))
    try:
        yield module
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(place.parent))


def line_in(error: BaseException, path: Path) -> int | None:
    """Last line of ``path`` in the traceback of ``error``, None if it does not pass through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return lines[-1] if lines else None


def told(error: BaseException, path: Path | None) -> str | None:
    """An error in the user's file with its line, ``PATH, line N: Type: message``.

    None where it does not pass through ``path``, or there is none: such an error is a defect, not the user's.
    """
    line = line_in(error, path) if path else None
    return f"{path}, line {line}: {type(error).__name__}: {error}" if line else None
