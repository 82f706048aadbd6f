"""Where objects are found by their text: the lists of the rooms and a user's file."""

import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import assumptions
import problems
from assumptions import (
    ASSUMPTIONS,
    EUCLIDEAN,
    IMPLICATIONS,
    Assumption,
    Implies,
    Norm,
    Region,
    Specified,
    parse_specification,
)
from problems import FULL_INSTANCES, INSTANCES, PROBLEMS, Problem
from workbench.compressors import COMPRESSORS
from workbench.layer_laws import LAYER_LAWS
from workbench.method_calls import example_call, method_of_call
from workbench.methods import METHODS
from workbench.methods.base import Method
from workbench.orthogonal import ORTHOGONALISERS
from workbench.samplings import SAMPLINGS
from workbench.theorem import Theorem
from workbench.theorems import THEOREMS
from workbench.unknown_name import UnknownNameError, close_to
from workbench.user_file import UserFile, UserFileError

OPTIONS: tuple[type[Specified], ...] = (*SAMPLINGS, *LAYER_LAWS, *COMPRESSORS, *ORTHOGONALISERS)
"""What hyperparameters that are objects may be."""


class Registry:
    """Everything known: the library, then the user's file.

    UserFileError if a theorem of the user's file has an id of the library. What is asked by a text that is
    not accepted, or that names nothing known, is an UnknownNameError with the nearest names. Both are
    ValueErrors.
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
        name = text.partition("(")[0].strip()
        families = {f.__name__ for f in self.families}
        if text in families:
            raise UnknownNameError(f"problem {text!r} lacks its arguments; for example {self._example(text)}")
        if name in {m.__name__ for m in self.methods}:
            raise UnknownNameError(
                f"{name} is a method; a problem is needed, such as {self.instances()[0]!r}"
            )
        if name.isidentifier() and name not in self._names and text != name:
            hint = close_to(name, families)
            raise UnknownNameError(
                f"problem {text!r}: unknown name {name!r}{hint}; `workbench list problems` shows all"
            )
        try:
            made = parse_specification(text, self._names)
        except TypeError as error:
            hint = f"; for example {self._example(name)}" if f"{name}.__init__()" in str(error) else ""
            raise UnknownNameError(f"problem {text!r}: {error}{hint}") from None
        if not isinstance(made, Problem):
            raise UnknownNameError(f"{text!r} is not a problem{close_to(text, self._by_text)}")
        return made

    def method(self, specification: str) -> Method:
        """The method that prints like this, made from the text; its fields may be norms and samplings.

        The text is parsed, never evaluated. ValueError where it is not accepted.
        """
        text = specification.strip()
        classes = {m.__name__: m for m in self.methods}
        name = text.partition("(")[0].strip()
        if name in {f.__name__ for f in self.families}:
            raise UnknownNameError(
                f"{name} is a problem; a method is needed, such as {example_call(self.methods[0])}"
            )
        if name not in classes:
            hint = close_to(name, classes)
            raise UnknownNameError(f"no method {name!r}{hint}; `workbench list methods` shows all")
        return method_of_call(text, classes[name], {**self._norms, **self.options})

    def norm(self, specification: str) -> Norm:
        """The norm that prints like this; parsed, never evaluated. ValueError where it is not accepted."""
        text = specification.strip()
        if text in self._norms:
            raise UnknownNameError(f"norm {text!r} lacks its arguments; one is {EUCLIDEAN!r}")
        if text.partition("(")[0].strip() not in self._norms:
            known = ", ".join(sorted(self._norms))
            raise UnknownNameError(f"no norm {text!r}; one is Lp(p=1.0); there are {known}")
        made = self._made("norm", text, self._norms)
        if not isinstance(made, Norm):
            raise UnknownNameError(f"{text!r} is not a norm; one is {EUCLIDEAN!r}")
        return made

    def assumption(self, specification: str) -> Assumption:
        """The assumption that prints like this. ValueError where the text is not accepted."""
        kind, _ = self.assumption_class(specification)
        names = {**self._norms, **self._helpers, kind.__name__: kind}
        return self._made("assumption", specification, names)

    def assumption_class(self, specification: str) -> tuple[type[Assumption], dict[str, Any]]:
        """The class that a text names, and the fields that it gives: ``Smooth``, ``BoundedMoment(p=1.5)``.

        For estimates: constants may be left out, and those that are given are dropped. ValueError for an
        unknown name, or for a field that the class does not have.
        """
        text = specification.strip()
        name = text.partition("(")[0].strip()
        classes = {a.__name__: a for a in self.assumptions}
        if name not in classes:
            close = close_to(name, classes)
            raise UnknownNameError(f"no assumption {name!r}{close}; `workbench list assumptions` shows all")
        kind = classes[name]
        if text == name:
            return kind, {}
        given: dict[str, Any] = self._made(
            "assumption", text, {**self._norms, **self._helpers, name: _Fields}
        )
        plain = [f.name for f in dataclasses.fields(kind) if f.init]  # pyright: ignore[reportArgumentType]
        unknown = [n for n in given if n not in plain]
        if unknown:
            raise UnknownNameError(
                f"assumption {text!r}: {name} has no field {unknown[0]!r}; its fields: {', '.join(plain)}"
            )
        return kind, {n: v for n, v in given.items() if n not in kind.constants()}

    def region(self, specification: str) -> Region:
        """The region that prints like this, such as ``Ball(center=(0.0,), radius=1.0)`` or a ``Box``."""
        made = self._made("region", specification, self._names)
        if not callable(getattr(made, "contains", None)) or isinstance(made, Problem):
            raise UnknownNameError(
                f"{specification!r} is not a region; one is Ball(center=(0.0,), radius=1.0)"
            )
        return made

    def _made(self, what: str, specification: str, names: dict[str, Any]) -> Any:
        try:
            return parse_specification(specification.strip(), names)
        except TypeError as error:
            raise UnknownNameError(f"{what} {specification!r}: {error}") from None

    def _example(self, family: str) -> str:
        texts = [text for text in self._by_text if text.startswith(f"{family}(")]
        return texts[0] if texts else f"{family}(...)"

    @cached_property
    def _by_text(self) -> dict[str, Problem]:
        named = [x.on for t in self.theorems for x in (*t.mutants, *t.tight)]
        return {repr(p): p for p in (*named, *FULL_INSTANCES, *self.instances())}

    @cached_property
    def _norms(self) -> dict[str, Any]:
        return {name: c for name, c in self._names.items() if issubclass(c, Norm) and c is not Norm}

    @property
    def exported(self) -> dict[str, Any]:
        """Every class that a specification may call, by name: norms, noises, sets, problems and more."""
        return self._names

    @property
    def options(self) -> dict[str, Any]:
        """What hyperparameters of methods may be, besides numbers and norms, by name."""
        return {kind.__name__: kind for kind in OPTIONS}

    @cached_property
    def _helpers(self) -> dict[str, Any]:
        """What fields of assumptions may be, besides norms: neither problems nor assumptions."""
        room = (Problem, Assumption, Norm)
        return {name: c for name, c in self._names.items() if not issubclass(c, room)}

    @cached_property
    def _names(self) -> dict[str, Any]:
        """Classes that a specification may call: what the rooms export and the user defines."""
        exported = [getattr(room, name) for room in (assumptions, problems) for name in room.__all__]
        classes = [c for c in exported if isinstance(c, type) and issubclass(c, Specified)]
        return {c.__name__: c for c in (*classes, *self.families, *self.assumptions)}


class _Fields(dict[str, Any]):
    """The keywords of a call, kept instead of made into an object."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        if positional:
            raise TypeError(f"name its fields, as in L=2.0, got {', '.join(map(repr, positional))}")
        super().__init__(**named)
