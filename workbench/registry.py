"""Where objects are found by their text: the lists of the rooms and a user's file."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import assumptions
import problems
from assumptions import ASSUMPTIONS, IMPLICATIONS, Assumption, Implies, Specified, parse_specification
from problems import FULL_INSTANCES, INSTANCES, PROBLEMS, Problem
from workbench.methods import METHODS
from workbench.methods.base import Method
from workbench.theorem import Theorem
from workbench.theorems import THEOREMS
from workbench.user_file import UserFile, UserFileError, load_user_file

__all__ = ["Registry", "UnknownNameError", "UserFile", "UserFileError", "load_user_file"]


class UnknownNameError(ValueError):
    """A name that nothing has; says which ones come close."""


class Registry:
    """Everything known: the library, then the user's file.

    ValueError if a theorem of the user's file has an id of the library.
    """

    def __init__(self, user: UserFile | None = None) -> None:
        self.user = user
        own = user.theorems if user else ()
        taken = {t.id for t in THEOREMS} & {t.id for t in own}
        if user and taken:
            raise UserFileError(
                f"{user.path}: the theorem id {sorted(taken)[0]!r} is taken by the library; choose another"
            )
        self.theorems: tuple[Theorem, ...] = (*THEOREMS, *own)
        self.methods: tuple[type[Method], ...] = (*METHODS, *(user.methods if user else ()))
        self.families: tuple[type[Problem], ...] = (*PROBLEMS, *(user.families if user else ()))
        self.assumptions: tuple[type[Assumption], ...] = (*ASSUMPTIONS, *(user.assumptions if user else ()))
        self.implications: tuple[Implies, ...] = (*IMPLICATIONS, *(user.implications if user else ()))

    def instances(self, full: bool = False) -> tuple[Problem, ...]:
        """The user's problems, then the library's; ``full`` for its longer list."""
        own = self.user.problems if self.user else ()
        return (*own, *(p for p in (FULL_INSTANCES if full else INSTANCES) if p not in own))

    def theorem(self, theorem_id: str) -> Theorem:
        """The theorem with this id. UnknownNameError names the ids that come close."""
        for theorem in self.theorems:
            if theorem.id == theorem_id:
                return theorem
        known = [t.id for t in self.theorems]
        raise UnknownNameError(
            f"no theorem {theorem_id!r}{close_to(theorem_id, known)}; `workbench list theorems` shows all"
        )

    def select_theorems(self, patterns: Sequence[str]) -> list[Theorem]:
        """Theorems that fit one of the ids or globs, in the order of the library; all if none is given.

        UnknownNameError for a pattern that fits nothing.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            fitting = {t.id for t in self.theorems if fnmatchcase(t.id, pattern)}
            if not fitting and any(c in pattern for c in "*?["):
                raise UnknownNameError(f"no theorem fits {pattern!r}; `workbench list theorems` shows all")
            chosen |= fitting or {self.theorem(pattern).id}
        return [t for t in self.theorems if t.id in chosen or not patterns]

    def problem(self, specification: str) -> Problem:
        """The problem that prints like this: a known instance, else made from the text.

        The text is parsed, never evaluated. ValueError where it is not accepted.
        """
        text = specification.strip()
        if text in self._by_text:
            return self._by_text[text]
        if text.startswith("from_function("):
            raise UnknownNameError(f"{text} exists only in the file that made it; name that with --file")
        if text.isidentifier() and text in {f.__name__ for f in self.families}:
            raise UnknownNameError(f"problem {text!r} lacks its arguments; for example {self._example(text)}")
        try:
            made = parse_specification(text, self._names)
        except TypeError as error:
            raise UnknownNameError(f"problem {text!r}: {error}") from None
        if not isinstance(made, Problem):
            raise UnknownNameError(f"{text!r} is not a problem{close_to(text, self._by_text)}")
        return made

    def _example(self, family: str) -> str:
        texts = [text for text in self._by_text if text.startswith(f"{family}(")]
        return texts[0] if texts else f"{family}(...)"

    @cached_property
    def _by_text(self) -> dict[str, Problem]:
        named = [x.on for t in self.theorems for x in (*t.mutants, *t.tight)]
        return {repr(p): p for p in (*named, *FULL_INSTANCES, *self.instances())}

    @cached_property
    def _names(self) -> dict[str, Any]:
        """Classes that a specification may call: what the rooms export and the user defines."""
        exported = [getattr(room, name) for room in (assumptions, problems) for name in room.__all__]
        classes = [c for c in exported if isinstance(c, type) and issubclass(c, Specified)]
        return {c.__name__: c for c in (*classes, *self.families, *self.assumptions)}


def close_to(name: str, known: Any) -> str:
    """What to add to an error: the known names that come close, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; close: {', '.join(close)}" if close else ""
