"""One search of ``workbench falsify``: run it, keep the best when interrupted, make the witness."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems.well_formed import IllFormedError
from workbench.cli.falsify_asked import Asked
from workbench.cli.output import WrongUseError, note, plain, write_json
from workbench.cli.progress import progress
from workbench.falsifier.candidate import Tried
from workbench.falsifier.encode import NotSearchableError
from workbench.falsifier.search import Falsified, NothingToTryError, falsify
from workbench.falsifier.witness import confirmed, replayable, witness
from workbench.records import file_hash, source_hash
from workbench.theorem import Theorem
from workbench.user_code import line_in
from workbench.verify.weaken import assumed, dropped_values, without

SIDES = ("parameters", "measured", "bound", "when", "requires")
"""What of a theorem speaks of constants."""


@dataclass(frozen=True)
class Search:
    """What one search gave.

    found    best and simplest candidate; shown: the one to look at, judged alone; witness: what reruns it
    mutant   why the claim is false, of a mutant; stopped: interrupted, so less than the budget was spent
    """

    found: Falsified
    shown: Tried | None
    witness: dict[str, Any] | None
    mutant: str | None = None
    stopped: bool = False

    @property
    def refuted(self) -> bool:
        """True if what is shown breaks the claim."""
        return self.shown is not None and self.shown.refutes

    def document(self) -> dict[str, Any]:
        """As JSON: what the search says of itself, the verdict in the house's words, the witness."""
        verdict = "refuted" if self.refuted else "not refuted"
        more = {"mutant": self.mutant, "interrupted": self.stopped, "witness": self.witness}
        return plain({**self.found.to_json(), "verdict": verdict, **more})


class _Best:
    """The best so far, and how much was spent: what is left of an interrupted search."""

    def __init__(self) -> None:
        self.tried: Tried | None = None
        self._spent: list[int] = [0]

    def keep(self, tried: Tried) -> None:
        """Called by the search with each better one; of several searches the best counts."""
        if self.tried is None or tried.rank > self.tried.rank:
            self.tried = tried

    def count(self, done: int) -> None:
        """Evaluations so far; they begin again with each constant of a dropped assumption."""
        if done < self._spent[-1]:
            self._spent.append(done)
        self._spent[-1] = done

    @property
    def spent(self) -> int:
        """Evaluations of all."""
        return sum(self._spent)


def searched(asked: Asked, theorem: Theorem, mutant: str | None = None) -> Search:
    """Search; an interruption ends it with what it has. WrongUseError where nothing can be tried."""
    best = _Best()
    try:
        found, stopped = _falsified(asked, theorem, best), False
    except KeyboardInterrupt:
        note("interrupted; the best so far is kept")
        found, stopped = _left(asked, theorem, best), True
    return _told(asked, found, mutant, stopped)


def _falsified(asked: Asked, theorem: Theorem, best: _Best) -> Falsified:
    with progress() as show:

        def tell(done: int, total: int, label: str) -> None:
            best.count(done)
            show(done, total, label)

        try:
            return falsify(
                theorem,
                asked.problems,
                budget=asked.budget,
                seed=asked.seed,
                drop=asked.drop,
                steps=asked.steps,
                implications=asked.registry.implications,
                keep=best.keep,
                progress=tell,
            )
        except (NothingToTryError, NotSearchableError, IllFormedError) as error:
            raise WrongUseError(str(error)) from error
        except Exception as error:
            raise _explained(error, asked) from error


def _explained(error: Exception, asked: Asked) -> Exception:
    """An error in the user's code is said with its line; any other is a defect and stays as it is."""
    user = asked.user
    line = line_in(error, user.path) if user else None
    if user is None or line is None:
        return error
    return WrongUseError(f"{user.path}, line {line}: {type(error).__name__}: {error}")


def _left(asked: Asked, theorem: Theorem, best: _Best) -> Falsified:
    """What an interrupted search has found."""
    tried = best.tried
    ratio = tried.ratio if tried is not None and tried.ratio > float("-inf") else None
    values = _values(asked, theorem, tried)
    return Falsified(
        theorem=theorem,
        verdict="refuted" if tried is not None and tried.refutes else "none found",
        best=tried,
        smallest_c=ratio,
        evaluations=best.spent,
        seed=asked.seed,
        dropped=asked.drop,
        values={name: str(value) for name, value in values.items()},
    )


def _values(asked: Asked, theorem: Theorem, tried: Tried | None) -> Mapping[str, Any]:
    """The constants of the dropped assumption with which a candidate was tried."""
    if tried is None or asked.drop is None:
        return {}
    kind, stated = assumed(theorem, asked.drop), tried.candidate.case.theorem
    for values in dropped_values(theorem, kind):
        weaker = without(theorem, kind, values)
        if all(getattr(weaker, side) == getattr(stated, side) for side in SIDES):
            return values
    return {}


def _told(asked: Asked, found: Falsified, mutant: str | None, stopped: bool) -> Search:
    """The simplest candidate judged anew; the best, where that breaks the claim and the simplest does not."""
    best = found.best
    shown = best if found.shrunk is None else found.shrunk
    if shown is not None and best is not None:
        try:
            shown = _alone(shown, best, asked.seed)
        except KeyboardInterrupt:
            note("interrupted; what is shown was not judged once more")
            shown, stopped = dataclasses.replace(shown, candidate=replayable(shown.candidate)), True
    if shown is None:
        return Search(found, None, None, mutant, stopped)
    user = asked.user
    path = str(user.path) if user else None
    data = witness(shown, mutant=mutant, dropped=found.dropped, values=found.values, file=path)
    sources = source_hash(user.sources if user else ())
    hashes = {"code": sources, "file_hash": file_hash(path)}
    return Search(found, shown, plain({**data, **hashes}), mutant, stopped)


def _alone(shown: Tried, best: Tried, seed: int) -> Tried:
    found = confirmed(shown, seed)
    return confirmed(best, seed) if best.refutes and not found.refutes else found


def write(folder: Path, name: str, search: Search) -> dict[str, Path]:
    """falsified-NAME.json and, where something was found, witness-NAME.json."""
    paths = {"result": folder / f"falsified-{name}.json"}
    write_json(search.document(), str(paths["result"]))
    if search.witness is not None:
        paths["witness"] = folder / f"witness-{name}.json"
        write_json(search.witness, str(paths["witness"]))
    return paths


def mutated(asked: Asked) -> list[tuple[str, Theorem]]:
    """The false variants of the theorem. WrongUseError where it has none."""
    if not asked.theorem.mutants:
        raise WrongUseError(f"{asked.theorem.id} has no mutant")
    stated = dataclasses.replace(asked.theorem, tight=())
    return [(mutant.why, stated.mutated(mutant)) for mutant in asked.theorem.mutants]
