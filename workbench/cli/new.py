"""``workbench new``: a user's file that runs as it is."""

from importlib.resources import files
from pathlib import Path

from workbench.cli.output import WrongUseError, console

KINDS = ("theorem", "problem", "method")


def main(kind: str, name: Path | None) -> int:
    """Write the template; never over something that is there.

    WrongUseError for an unknown kind, and a file that exists or cannot be written.
    """
    if kind not in KINDS:
        raise WrongUseError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    path = name or Path(f"my_{kind}.py")
    if not path.name:
        raise WrongUseError(f"a name is needed, such as my_{kind}.py, got {str(path)!r}")
    path = path if path.suffix == ".py" else path.with_name(f"{path.name}.py")
    text = (files("workbench") / "templates" / f"{kind}.py.txt").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise WrongUseError(f"{path} exists already; choose another name") from None
    except OSError as error:
        raise WrongUseError(f"{path} cannot be written: {error.strerror}") from None
    console().print(f"wrote {path}; next: workbench verify --file {path}", soft_wrap=True)
    return 0
