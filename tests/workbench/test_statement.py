"""Claims as LaTeX: valid for every theorem of the library, in LaTeX's own rules and for two readers of it."""

import re

import pytest
import sympy as sp
from latex2mathml.converter import convert
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from tests.workbench.toys import gd
from workbench import (
    Quantity,
    Recurrence,
    Theorem,
    avg,
    best,
    client_max,
    client_mean,
    first,
    layer_max,
    layer_sum,
    product,
    symbols,
    total,
)
from workbench.statement import claim_latex, latex
from workbench.theorems import THEOREMS

k, gap, own, own_i, L, p_j, bregman_j = symbols("k gap own own_i L p_j bregman_j")
own_next, own0, own_i_next = symbols("own_next own0 own_i_next")
BY_ID = {theorem.id: theorem for theorem in THEOREMS}
_SCRIPTS = re.compile(r"(?:(?<!\\)[_^](?:\\[A-Za-z]+|[^\\\s]))+")
_BEYOND_MATHTEXT = r"\begin{cases}"
"""What matplotlib cannot set."""


def flaws(text: str) -> list[str]:
    """Braces and brackets that do not match, scripts upon scripts."""
    found = [side for side in ("left", "right") if text.count(r"\left") != text.count(r"\right")]
    text = re.sub(r"\\[{}]", "", text)
    while groups := re.findall(r"\{([^{}]*)\}", text):
        found += [group for group in groups if _doubled(group)]
        text = re.sub(r"\{[^{}]*\}", "@", text)
    return found + [text] * (_doubled(text) or "{" in text or "}" in text)


def _doubled(text: str) -> bool:
    marks = [re.findall(r"[_^]", run) for run in _SCRIPTS.findall(text)]
    return any(len(set(each)) < len(each) for each in marks)


def require_valid(text: str) -> None:
    assert not flaws(text), text
    assert "operatorname" not in text
    assert convert(text).startswith("<math")


def set_by_matplotlib(text: str) -> None:
    """ValueError where it cannot."""
    MathTextParser("path").parse(f"${text}$", dpi=72, prop=FontProperties(size=10))


@pytest.mark.parametrize(
    "text", ["a_{i,k}_k", r"\|x\|_i_{k+1}", "V_{k,i}^{1/2}_k", "{a", r"\left(a", "x^{2}^{k}"]
)
def test_flaws_are_found(text):
    assert flaws(text)


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.id)
def test_every_claim_is_valid(theorem):
    claim = claim_latex(theorem)
    require_valid(claim)
    if _BEYOND_MATHTEXT not in claim:
        set_by_matplotlib(claim)
    assert r"\sum_{j<k}" not in claim or r"\sum_j" not in claim


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.id)
def test_every_rule_and_condition_is_valid(theorem):
    for side in (*theorem.rules, theorem.requires, theorem.when):
        if side not in (sp.true, sp.false):
            require_valid(latex(side, theorem))


def stated(shown: str = "w_k", name: str = "own") -> Theorem:
    return gd(quantities={name: Quantity("of a user", shown, lambda r: r.x[..., 0], nonnegative=True)})


@pytest.mark.parametrize(
    ("shown", "now", "then", "start"),
    [
        ("w_k", "w_k", "w_{k+1}", "w_{0}"),
        ("w_{k-1}", "w_{k-1}", "w_{k}", "w_{-1}"),
        ("X_i^k", "X_i^k", "X_i^{k+1}", "X_i^{0}"),
        ("v_{k,i}", "v_{k,i}", "v_{k+1,i}", "v_{0,i}"),
        (r"\max_{j \leq k} w_j", r"\max_{j \leq k} w_j", r"\max_{j \leq k+1} w_j", r"\max_{j \leq 0} w_j"),
        ("B", "B_k", "B_{k+1}", "B_{0}"),
        ("B_j", "B_{j,k}", "B_{j,k+1}", "B_{j,0}"),
        (r"B_{\mathrm{top}}^\star", *(rf"B_{{\mathrm{{top}},{at}}}^\star" for at in ("k", "k+1", "0"))),
        (r"\mathrm{top\_k}", r"\mathrm{top\_k}_k", r"\mathrm{top\_k}_{k+1}", r"\mathrm{top\_k}_{0}"),
        (r"\|u\|_i", r"\left(\|u\|_i\right)_k", r"\left(\|u\|_i\right)_{k+1}", r"\left(\|u\|_i\right)_{0}"),
        ("V^{1/2}", "V_k^{1/2}", "V_{k+1}^{1/2}", "V_{0}^{1/2}"),
        (
            r"\left(a\right) \left(b_k\right)",
            *(rf"\left(a\right) \left(b_{at}\right)" for at in ("k", "{k+1}", "{0}")),
        ),
    ],
)
def test_a_quantity_at_a_step(shown, now, then, start):
    theorem = stated(shown)
    assert [latex(at, theorem) for at in (own, own_next, own0)] == [now, then, start]
    for at in (own, own_next, own0):
        require_valid(latex(at**2 / (1 + at), theorem))


@pytest.mark.parametrize(
    ("shown", "squared"),
    [
        (r"\|w_k - z\|", r"\|w_k - z\|^{2}"),
        (r"\|w_k - z^\star\|", r"{\|w_k - z^\star\|}^{2}"),
        ("w_k - z", r"\left(w_k - z\right)^{2}"),
        (r"\max_i w_{i,k}", r"\left(\max_i w_{i,k}\right)^{2}"),
    ],
)
def test_what_is_loose_gets_brackets_in_an_expression(shown, squared):
    assert latex(own**2, stated(shown)) == squared
    assert latex(own, stated(shown)) == shown


@pytest.mark.parametrize(
    ("e", "shown"),
    [
        (layer_sum(L * own_i), r"\sum_i \left(L w_{i,k}\right)"),
        (layer_max(own_i_next), r"\max_i \left(w_{i,k+1}\right)"),
        (layer_max(own_i) ** 2, r"\left(\max_i \left(w_{i,k}\right)\right)^{2}"),
        (total(own_i), r"\sum_{j<k} \left(w_{i,j}\right)"),
        (avg(gap), r"\frac{1}{k} \sum_{j<k} \left(f(x_j) - f^\star\right)"),
        (best(gap) ** 2, r"\left(\min_{j<k} \left(f(x_j) - f^\star\right)\right)^{2}"),
        (product(1 - 1 / (k + 2)), r"\prod_{j<k} \left(1 - \frac{1}{j + 2}\right)"),
        (first(gap <= 0), r"\min\left\{j : \left(f(x_j) - f^\star\right) \leq 0\right\}"),
        (k + 10**9, r"k + {10^{9}}"),
        (k + 1200, "k + 1200"),
    ],
)
def test_words_of_claims(e, shown):
    theorem = stated("w_{i,k}", "own_i")
    assert latex(e, theorem) == shown
    require_valid(latex(e, theorem))


def test_where_j_is_a_client_steps_run_over_l():
    theorem = BY_ID["multi-proximal/convex-mean"]
    mean = r"\frac{1}{n} \sum_j \left(\frac{B_{j,l+1}}{p_{j}}\right)"
    steps = r"\frac{1}{k} \sum_{l<k} \left(n_{\mathrm{parts}} "
    assert claim_latex(theorem).startswith(rf"\mathbb{{E}}\left[{steps}{mean}\right)\right] \leq")
    assert latex(client_max(p_j), theorem) == r"\max_j \left(p_{j}\right)"
    assert latex(total(client_mean(bregman_j)), theorem) == (
        r"\sum_{l<k} \left(\frac{1}{n} \sum_j \left(B_{j,l}\right)\right)"
    )


@pytest.mark.parametrize(
    ("theorem", "name", "shown"),
    [
        ("gd/pl", "mu_pl", r"\mu_{\mathrm{pl}}"),
        ("gd/pl", "stepsize", r"\mathrm{stepsize}"),
        ("gd/pl", "n_terms", r"n_{\mathrm{terms}}"),
        ("gd/pl", "size_i", r"\mathrm{size}_{i}"),
        ("sgd/convex", "sigma_star", r"\sigma_{\star}"),
        ("sppm/l0l1", "L0_max", r"L_{0,\mathrm{max}}"),
        ("drop-muon/squares", "L0_descent_i", r"L_{0,\mathrm{descent},i}"),
        ("multi-proximal/convex", "dual_stepsize_j", r"\mathrm{dual\_stepsize}_{j}"),
    ],
)
def test_names(theorem, name, shown):
    assert latex(symbols(name), BY_ID[theorem]) == shown


def test_variables_of_a_recursion_have_one_index():
    s_1, top = symbols("s_1 top_level")
    bound = Recurrence({"s_1": 1, "top_level": 2}, {"s_1": s_1 + top, "top_level": top}, "s_1")
    shown = latex(bound, stated())
    assert shown.startswith(r"s_{1,k}, \quad s_{1,0} = 1,\ \mathrm{top\_level}_{0} = 2,\ s_{1,k+1} = ")
    require_valid(shown)


def test_a_function_as_a_quantity_has_valid_latex():
    theorem = gd(quantities={"far_off_now": lambda problem, method, state: state.x[..., 0]})
    assert latex(symbols("far_off_now_next"), theorem) == r"\mathrm{far\_off\_now}_{k+1}"
