"""One search of ``workbench falsify``: run it, make the witness."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems.well_formed import IllFormedError
from workbench.cli.falsify_asked import Asked
from workbench.cli.output import WrongUseError, note, plain, write_json
from workbench.cli.progress import progress
from workbench.falsifier.candidate import Tried
from workbench.falsifier.confirm import confirmed, replayable
from workbench.falsifier.encode import NotSearchableError
from workbench.falsifier.search import Falsified, NothingToTryError, falsify
from workbench.falsifier.witness import witness
from workbench.records import file_hash, source_hash
from workbench.theorem import Theorem
from workbench.user_code import told


@dataclass(frozen=True)
class Search:
    """What one search gave.

    found    best and simplest candidate; shown: the one to look at, judged alone; witness: what reruns it
    mutant   why the claim is false, of a mutant
    """

    found: Falsified
    shown: Tried | None
    witness: dict[str, Any] | None
    mutant: str | None = None

    @property
    def stopped(self) -> bool:
        """True if it was interrupted, so that less was done than asked for."""
        return self.found.stopped

    @property
    def refuted(self) -> bool:
        """True if what is shown breaks the claim."""
        return self.shown is not None and self.shown.refutes

    def document(self) -> dict[str, Any]:
        """As JSON: what the search says of itself, the verdict in the house's words, the witness."""
        verdict = "refuted" if self.refuted else "not refuted"
        more = {"mutant": self.mutant, "witness": self.witness}
        return plain({**self.found.to_json(), "verdict": verdict, **more})


def searched(asked: Asked, theorem: Theorem, mutant: str | None = None) -> Search:
    """Search; an interruption ends it with what it has. WrongUseError where nothing can be tried."""
    user = asked.user
    path = str(user.path) if user else None
    # what the search runs on, read before it: an interruption while it is read loses nothing
    hashes = {"code": source_hash(user.sources if user else ()), "file_hash": file_hash(path)}
    found = _falsified(asked, theorem)
    if found.stopped:
        note("interrupted; the best so far is kept")
    shown = _shown(found, asked.seed)
    if shown is None:
        return Search(found, None, None, mutant)
    data = witness(shown, mutant=mutant, dropped=found.dropped, values=found.values, file=path)
    return Search(found, shown, plain({**data, **hashes}), mutant)


def _falsified(asked: Asked, theorem: Theorem) -> Falsified:
    try:
        with progress() as show:
            return falsify(
                theorem,
                asked.problems,
                budget=asked.budget,
                seed=asked.seed,
                drop=asked.drop,
                steps=asked.steps,
                implications=asked.registry.implications,
                progress=show,
            )
    except (NothingToTryError, NotSearchableError, IllFormedError) as error:
        raise WrongUseError(str(error)) from error
    except Exception as error:
        raise _explained(error, asked) from error


def _explained(error: Exception, asked: Asked) -> Exception:
    """An error in the user's code is said with its line; any other is a defect and stays as it is."""
    message = told(error, asked.user.path if asked.user else None)
    return WrongUseError(message) if message else error


def _shown(found: Falsified, seed: int) -> Tried | None:
    """The simplest candidate, which is confirmed; of an interrupted search the best one, confirmed now."""
    if found.shrunk is not None or found.best is None:
        return found.shrunk
    try:
        return confirmed(found.best, seed)
    except KeyboardInterrupt:
        note("interrupted; what is shown was not judged once more")
        return dataclasses.replace(found.best, candidate=replayable(found.best.candidate))


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
