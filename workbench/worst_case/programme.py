"""A performance estimation problem: maximise a form over Gram matrices and function values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flint import fmpq

from workbench.worst_case.gram import Basis, Form


class ProgrammeError(ValueError):
    """A programme without a finite optimum; says whether infeasible or unbounded, and what is missing."""


@dataclass(frozen=True)
class Programme:
    """maximise min_l objective[l](G, f) over G psd and f, constraints[name](G, f) <= 0, equalities[name] = 0.

    basis       the vectors whose Gram matrix is G, (N, N), and the function values f, (M,)
    objective   one form, or several of which the smallest counts
    A basis vector whose square appears in no form is unbounded: its products are free numbers, and its row of
    G is left out (``rows`` are those that stay). This is exact: a long vector makes any product possible.

    ValueError for an empty objective.
    """

    basis: Basis
    objective: tuple[Form, ...]
    constraints: Mapping[str, Form]
    equalities: Mapping[str, Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """There is something to maximise."""
        if not self.objective:
            raise ValueError("objective must hold at least one form, got none")

    def forms(self) -> list[Form]:
        """All forms: objective, constraints, equalities."""
        return [*self.objective, *self.constraints.values(), *self.equalities.values()]

    def rows(self) -> list[int]:
        """Basis vectors whose square appears in some form, in order."""
        return sorted({i for form in self.forms() for (i, j) in form.quad if i == j})

    def free_products(self) -> list[tuple[int, int]]:
        """Products with a vector that has no row, in order. ValueError if one is of two such vectors."""
        rows = set(self.rows())
        free = {pair for form in self.forms() for pair in form.quad if not rows.issuperset(pair)}
        both = sorted(pair for pair in free if not rows.intersection(pair))
        if both:
            names = " and ".join(self.basis.vectors[i] for i in both[0])
            raise ValueError(f"the product of {names} appears but the square of neither does")
        return sorted(free)

    def without_idle(self) -> "Programme":
        """The programme without constraints whose multiplier is 0 in every dual, with the same upper bounds.

        Such are the constraints that alone use a function value or a free product, all with the same sign:
        that number can be moved until they hold.
        """
        free = set(self.free_products())
        named = {**self.constraints, **self.equalities}
        balances = {name: unbounded_part(form, free) for name, form in named.items()}
        asked = {key for form in self.objective for key in unbounded_part(form, free)}
        kept = set(self.constraints)
        while True:
            signs: dict[object, set[bool]] = {}
            for name in [*kept, *self.equalities]:
                for key, c in balances[name].items():
                    signs.setdefault(key, set()).update({True, False} if name in self.equalities else {c > 0})
            loose = {key for key, found in signs.items() if len(found) == 1 and key not in asked}
            idle = {name for name in kept if loose.intersection(balances[name])}
            if not idle:
                break
            kept -= idle
        return replace(self, constraints={n: form for n, form in self.constraints.items() if n in kept})


def unbounded_part(form: Form, free: set[tuple[int, int]]) -> dict[object, fmpq]:
    """Coefficients of the numbers of any sign: function values by index, free products by their pair."""
    return {**form.lin, **{pair: c for pair, c in form.quad.items() if pair in free}}
