"""Whose rooms are these: three of the four packages have common names, which another file may take."""

import sys
from importlib.util import find_spec
from pathlib import Path

ROOMS = ("assumptions", "problems", "figures")
HOME = Path(__file__).resolve().parent.parent


def is_command() -> bool:
    """True if the command line is being started, which says its errors without a traceback."""
    return Path(sys.argv[0]).name == "workbench" or sys.orig_argv[1:3] == ["-m", "workbench"]


def check_rooms() -> None:
    """ImportError if a room would be imported from elsewhere than beside ``workbench``.

    Looks at where the import system would find each room; imports none of them.
    """
    for name in ROOMS:
        found = _location(name)
        expected = HOME / name
        if found == expected and (expected / "py.typed").is_file():
            continue
        if found is None or found == expected:
            raise ImportError(
                f"workbench is not completely installed: its package {name!r} is missing at {expected}; "
                "install it again"
            )
        raise ImportError(
            f"{found} shadows the package {name!r} of workbench ({expected}). "
            f"Rename it, or run from a folder (and with a PYTHONPATH) that has no {name!r} of its own"
        )


def _location(name: str) -> Path | None:
    """Folder of the package, file of the module, or None where nothing is found."""
    if name in sys.modules and getattr(sys.modules[name], "__spec__", None) is None:
        file = getattr(sys.modules[name], "__file__", None)
        return Path(file).resolve() if file else None
    spec = find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None
