"""The words in which claims are written: symbols, reductions over steps, layers and clients.

One index: entry k of everything is its value at step k. ``q_next`` is at k + 1, ``q0`` at the start;
reductions over steps run over j < k (inside them ``k`` means j) and are undefined at k = 0.
"""

from typing import Any

import sympy as sp


def symbols(names: str) -> Any:
    """Make the symbols of a claim, one or a tuple of them, from their names.

    ``gap, gap_next, L = symbols("gap gap_next L")``. The only maker of symbols: sympy treats
    same-named symbols with other assumptions as different, so a claim with a symbol made elsewhere is
    rejected. ValueError unless every name is an identifier.
    """
    words = names.replace(",", " ").split()
    bad = [word for word in words if not word.isidentifier()]
    if bad or not words:
        raise ValueError(f"symbols takes identifiers separated by spaces, got {names!r}")
    made = [sp.Symbol(word, real=True) for word in words]
    return tuple(made) if len(made) > 1 else made[0]


def is_ours(symbol: sp.Symbol) -> bool:
    """True if ``symbols`` made it."""
    return symbol == sp.Symbol(symbol.name, real=True)


class Word(sp.Function):
    """A word of one argument that sympy leaves as it stands.

    Never a number: sympy would take ``total(2)`` for one, although it depends on k.
    """

    nargs = 1
    is_number = False  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def _eval_is_extended_real(self) -> bool:
        return True

    def __new__(cls, e: Any) -> Any:
        """The word applied to an expression."""
        return super().__new__(cls, e)


class total(Word):
    """total(e): sum of e over j < k."""


class avg(Word):
    """avg(e): mean of e over j < k."""


class best(Word):
    """best(e): minimum of e over j < k."""


class product(Word):
    """product(e): product of e over j < k."""


class first(Word):
    """first(condition): the first index in 0..K at which it holds, inf if none; defined at k = K."""


class layer_sum(Word):
    """layer_sum(e): sum over the layer axis of names ending in _i."""


class layer_max(Word):
    """layer_max(e): maximum over the layer axis of names ending in _i."""


class client_mean(Word):
    """client_mean(e): mean over the client axis of names ending in _j."""


class client_max(Word):
    """client_max(e): maximum over the client axis of names ending in _j."""


class after(Word):
    """after(e): e with every quantity at the next step, for Lyapunov functions."""


OVER_STEPS = (total, avg, best, product, first)
OVER_LAYERS = (layer_sum, layer_max)
OVER_CLIENTS = (client_mean, client_max)
