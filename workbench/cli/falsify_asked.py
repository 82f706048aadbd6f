"""What ``workbench falsify`` was asked for: everything wrong is said before anything is computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from problems import Problem
from workbench.cli.output import WrongUseError, wrong_use
from workbench.registry import Registry
from workbench.theorem import Theorem
from workbench.unknown_name import close_to
from workbench.user_file import UserFile, load_user_file
from workbench.verify.weaken import assumed, dropped_values


@dataclass(frozen=True)
class Asked:
    """A search, checked.

    problems  on which, and in whose families
    budget    evaluations; drop: name of the assumption to leave out; steps: length of runs, None: several
    """

    theorem: Theorem
    registry: Registry
    problems: Sequence[Problem]
    budget: int
    drop: str | None
    steps: int | None
    seed: int
    out: Path | None

    @property
    def user(self) -> UserFile | None:
        """The user's file."""
        return self.registry.user


def asked(
    name: str,
    file: Path | None,
    budget: int,
    drop: str | None,
    steps: int | None,
    seed: int,
    out: Path | None,
) -> Asked:
    """What is asked. WrongUseError for everything that cannot be done."""
    if budget < 1:
        raise WrongUseError(f"--budget must be at least 1 evaluation, got {budget}")
    if steps is not None and steps < 1:
        raise WrongUseError(f"--steps must be at least 1, got {steps}")
    with wrong_use():
        registry = Registry(load_user_file(file) if file else None)
        theorem = registry.theorem(name)
    if drop is not None:
        _require_assumed(theorem, drop)
    if out is not None:
        _require_folder(out)
    return Asked(theorem, registry, _problems(registry, theorem), budget, drop, steps, seed, out)


def require_alone(exact: bool, drop: str | None, mutants: bool) -> None:
    """WrongUseError for options that exclude each other."""
    if exact and drop is not None:
        raise WrongUseError(
            "--exact and --drop exclude each other: the exact worst case needs the whole class; search with "
            "--drop alone"
        )
    if exact and mutants:
        raise WrongUseError("--exact and --mutants exclude each other: mutants are searched")
    if mutants and drop is not None:
        raise WrongUseError("--mutants and --drop exclude each other: a mutant is false with all assumptions")


def _require_assumed(theorem: Theorem, drop: str) -> None:
    names = [a.__name__ for a in theorem.assumes]
    if drop in names:
        with wrong_use():  # the claim must make sense without it
            dropped_values(theorem, assumed(theorem, drop))
        return
    listed = ", ".join(names) or "nothing"
    close = close_to(drop, names)
    raise WrongUseError(f"--drop {drop!r}: {theorem.id} does not assume it{close}; it assumes {listed}")


def _require_folder(out: Path) -> None:
    """A folder in which files can be written; made if it is not there."""
    if out.exists() and not out.is_dir():
        raise WrongUseError(f"--out {out} is a file; a folder is needed")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise WrongUseError(f"--out {out} cannot be written: {error.strerror}") from None


def _problems(registry: Registry, theorem: Theorem) -> Sequence[Problem]:
    """Of a theorem of the library with a file: the user's problems, if there are any; else all."""
    user = registry.user
    if user is None or theorem in user.theorems or not user.problems:
        return registry.instances()
    return user.problems
