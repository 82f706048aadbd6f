"""Laws of random sets of layers: outcomes, marginals, refusals; the cheapest law."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import linprog

from assumptions.specification import parse_specification
from workbench.layer_costs import cost_per_step, layer_cost, optimal_rpt, reach, total_cost
from workbench.layer_laws import (
    LAYER_LAWS,
    RPT,
    AnyLaw,
    Full,
    LayerLaw,
    epoch_shift,
    from_marginals,
    uniform_rpt,
)
from workbench.samplings import Independent, Nice

N = 3
LAWS = [
    Full(),
    RPT(),
    RPT((0.5, 0.0, 0.5)),
    RPT((1.0, 0.0, 0.0)),
    RPT((0.0, 0.0, 1.0)),
    uniform_rpt(3),
    epoch_shift(3, 0.25),
    from_marginals((0.1, 0.7, 1.0)),
    AnyLaw(((0,), (2, 1), ()), (0.2, 0.3, 0.5)),
    AnyLaw(((0, 1, 2),), (1.0,)),
]
each = pytest.mark.parametrize("law", LAWS, ids=repr)
SAMPLES = 20_000
INSTANCES = 200


def outcomes(law: LayerLaw, n: int = N) -> dict[tuple[bool, ...], float]:
    masks, weights = law.space(n).outcomes()
    assert masks.dtype == torch.bool
    assert masks.shape == (len(weights), n) == (law.space(n).size, n)
    return {tuple(mask): float(weight) for mask, weight in zip(masks.tolist(), weights, strict=True)}


@each
def test_outcomes_are_different_and_sum_to_one(law):
    table = outcomes(law)
    assert len(table) == law.space(N).size
    assert sum(table.values()) == pytest.approx(1, abs=1e-15)
    assert min(table.values()) > 0


@each
def test_probabilities_are_those_of_the_outcomes(law):
    expected = [sum(w for mask, w in outcomes(law).items() if mask[i]) for i in range(N)]
    assert law.probabilities(N) == pytest.approx(expected, rel=1e-14)


@each
def test_samples_have_the_frequencies_of_the_outcomes(law):
    space, table = law.space(N), outcomes(law)
    u = torch.from_numpy(np.random.default_rng(0).random((SAMPLES, space.width)))
    drawn = [tuple(mask) for mask in space.value(u).tolist()]
    assert set(drawn) <= set(table)
    if len(table) > 1:
        counts = [drawn.count(mask) for mask in table]
        assert stats.chisquare(counts, SAMPLES * np.array(list(table.values()))).pvalue > 1e-6


@each
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batch_axes_lead(law, batch):
    space = law.space(N)
    u = torch.from_numpy(np.random.default_rng(1).random((*batch, space.width)))
    masks = space.value(u)
    assert masks.shape == (*batch, N)
    if batch:
        assert torch.equal(masks[-1], space.value(u[-1]))


@each
def test_a_law_prints_as_the_call_that_makes_it(law):
    assert parse_specification(repr(law), {kind.__name__: kind for kind in LAYER_LAWS}) == law


@each
def test_the_law_changes_with_its_uniform_at_the_right_places(law):
    """Just below and at the places where the probabilities add up."""
    space = law.space(N)
    if space.width:
        masks, weights = space.outcomes()
        ends = weights.cumsum(0)[:-1]
        below, above = space.value((ends - 1e-9)[:, None]), space.value((ends + 1e-9)[:, None])
        assert torch.equal(below, masks[:-1])
        assert torch.equal(above, masks[1:])
        assert torch.equal(space.value(torch.tensor([[1 - 2.0**-53]], dtype=torch.float64)), masks[-1:])


def test_progressive_training_updates_from_a_layer_to_the_last():
    expected = {(True, True, True): 0.2, (False, True, True): 0.5, (False, False, True): 0.3}
    assert outcomes(RPT((0.2, 0.5, 0.3))) == pytest.approx(expected, rel=1e-15)
    assert RPT((0.2, 0.5, 0.3)).probabilities(3) == pytest.approx((0.2, 0.7, 1.0), rel=1e-15)
    assert RPT().probabilities(4) == (0.25, 0.5, 0.75, 1.0)


def test_the_last_layer_is_always_updated():
    for q in [(0.1,) * 10, uniform_rpt(7).law, epoch_shift(9, 0.3).law]:
        assert RPT(q).probabilities(len(q))[-1] == 1.0


def test_epoch_shift_by_hand():
    """exp(a ((1 - u)(b - s) + u s)) for b = 3: at u = 0 exp(1), exp(1/2), 1."""
    sizes = [math.exp(1.0), math.exp(0.5), 1.0]
    assert epoch_shift(3, 0.0).law == pytest.approx([s / sum(sizes) for s in sizes], rel=1e-14)
    assert epoch_shift(3, 1.0).law == pytest.approx([s / sum(sizes) for s in reversed(sizes)], rel=1e-14)
    assert epoch_shift(3, 0.5).law == pytest.approx([1 / 3] * 3, rel=1e-14)
    assert epoch_shift(3, 0.1, a=0.0).law == pytest.approx([1 / 3] * 3, rel=1e-14)
    assert epoch_shift(50, 0.0, a=2.0).probabilities(50)[-1] == 1.0


@pytest.mark.parametrize("p", [(1.0,), (0.1, 0.1, 1.0), (0.0, 0.3, 1.0), (1.0, 1.0), (2.0**-53, 1.0)])
def test_marginals_come_back(p):
    assert from_marginals(p).probabilities(len(p)) == pytest.approx(p, rel=1e-14)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ((1.0, 0.25, 0.5), r"non-decreasing.*got 0\.25 after 1\.0"),
        ((0.5, 0.25, 1.0), r"non-decreasing.*got 0\.25 after 0\.5"),
        ((0.2, 0.5), r"end with 1.*got \(0\.2, 0\.5\)"),
        ((-0.1, 1.0), r"in \[0, 1\].*-0\.1"),
        ((0.5, 1.5), r"in \[0, 1\].*1\.5"),
        ((math.nan, 1.0), r"in \[0, 1\].*nan"),
        ((), r"at least one"),
    ],
)
def test_marginals_of_no_progressive_law_are_refused(p, said):
    with pytest.raises(ValueError, match=rf"^p must .*{said}"):
        from_marginals(p)


@pytest.mark.parametrize(
    "q", [(0.5, 0.6), (0.5, 0.4), (1.5, -0.5), (math.nan, 1.0), (math.inf, 0.0), (0.0, 0.0), (0.3333,) * 3]
)
def test_what_is_no_distribution_is_refused(q):
    with pytest.raises(ValueError, match=r"^law must be a distribution"):
        RPT(q)
    with pytest.raises(ValueError, match=r"^weights must be a distribution"):
        AnyLaw(tuple((i,) for i in range(len(q))), q)


@pytest.mark.parametrize("q", ["ab", (True, False), 1.0, (None,)])
def test_laws_hold_numbers(q):
    with pytest.raises(ValueError, match=r"^law must be a tuple of numbers"):
        RPT(q)


@pytest.mark.parametrize(
    ("sets", "weights", "said"),
    [
        ((), (), "at least one"),
        (((0,), (0,)), (0.5, 0.5), "different sets"),
        (((0, 1), (1, 0)), (0.5, 0.5), "different sets"),
        (((0, 0),), (1.0,), "different layers"),
        (((-1,),), (1.0,), "integers >= 0"),
        (((0.5,),), (1.0,), "integers >= 0"),
        ((0, 1), (0.5, 0.5), "tuples"),
        (((0,), (1,)), (1.0,), "one entry for each of 2 sets"),
        (((0,), (1,)), (1.0, 0.0), r"at least 2\*\*-53"),
    ],
)
def test_sets_that_are_none_are_refused(sets, weights, said):
    with pytest.raises(ValueError, match=rf"^(sets|weights) must .*{said}"):
        AnyLaw(sets, weights)


def test_a_law_that_does_not_fit_the_layers_is_refused():
    with pytest.raises(ValueError, match=r"^law must have one entry for each of 2 layers"):
        RPT((0.2, 0.3, 0.5)).space(2)
    with pytest.raises(ValueError, match=r"^sets must hold layers from 0 to 1, got layer 2"):
        AnyLaw(((2,),), (1.0,)).probabilities(2)
    for law in (Full(), RPT()):
        with pytest.raises(ValueError, match=r"^n must be an integer >= 1"):
            law.space(0)


@pytest.mark.parametrize(("u", "a"), [(-0.1, 0.5), (1.1, 0.5), (math.nan, 0.5), (0.5, -1.0), (0.5, math.inf)])
def test_epoch_shift_refuses(u, a):
    with pytest.raises(ValueError, match=r"^(u|a) must be"):
        epoch_shift(3, u, a)


def test_a_first_layer_that_is_hardly_ever_drawn_is_refused():
    assert RPT((2.0**-53, 1 - 2.0**-53)).probabilities(2)[0] == 2.0**-53
    with pytest.raises(ValueError, match=r"first positive entry at least 2\*\*-53"):
        RPT((2.0**-54, 1.0))


# -- costs -------------------------------------------------------------------------------------------


def test_backpropagation_passes_all_from_the_first_layer_on():
    assert reach(RPT((0.2, 0.5, 0.3)), 3) == pytest.approx((0.2, 0.7, 1.0), rel=1e-14)
    assert reach(Nice(1), 3) == pytest.approx((1 / 3, 2 / 3, 1.0), rel=1e-14)
    assert reach(Independent(0.5), 2) == pytest.approx((0.5, 0.75), rel=1e-14)
    assert reach(AnyLaw(((), (1,)), (0.25, 0.75)), 2) == pytest.approx((0.0, 0.75), rel=1e-14)
    assert cost_per_step(RPT((0.2, 0.5, 0.3)), (1.0, 10.0, 100.0), 1000.0) == pytest.approx(1107.2)


def test_the_full_update_is_not_optimal_where_a_later_layer_is_harder():
    L, c = (1.0, 2.0, 4.0), (1.0, 1.0, 1.0)
    optimal = optimal_rpt(L, c)
    assert optimal.probabilities(3) == (0.25, 0.5, 1.0)
    assert total_cost(optimal, L, c) == pytest.approx(7.0, rel=1e-14)
    assert total_cost(Full(), L, c) == 12.0
    assert total_cost(RPT(), L, c) == pytest.approx(8.0, rel=1e-14)
    assert total_cost(RPT((0.0, 0.5, 0.5)), L, c) == math.inf


@pytest.mark.parametrize(
    ("L", "p"),
    [
        ((4.0, 1.0, 2.0), (1.0, 1.0, 1.0)),
        ((2.0, 1.0, 4.0), (0.5, 0.5, 1.0)),
        ((1.0, 4.0, 2.0), (0.25, 1.0, 1.0)),
        ((3.0,), (1.0,)),
    ],
)
def test_the_optimal_marginals(L, p):
    assert optimal_rpt(L, (1.0,) * len(L)).probabilities(len(L)) == p


def test_an_optimal_law_that_hardly_ever_draws_the_first_layer_is_refused():
    with pytest.raises(ValueError, match=r"first positive entry at least 2\*\*-53"):
        optimal_rpt((1e-9, 1e9), (1.0, 1.0))


def instances():
    """L_i over two decades, costs some of which are 0."""
    rng = np.random.default_rng(0)
    for _ in range(INSTANCES):
        b = int(rng.integers(2, 6))
        L = tuple(10 ** rng.uniform(-1, 1, b))
        c = tuple(rng.exponential(size=b) * (rng.random(b) > 0.1))
        yield L, c, float(rng.exponential() * (rng.random() > 0.5)), rng


def test_no_progressive_law_is_cheaper_by_linear_programming():
    """With r_i = t p_i: min c_0 r_b + sum_i c_i r_i over L_i <= r_i <= r_(i+1)."""
    for L, c, c_0, _ in instances():
        b = len(L)
        rises = np.zeros((b - 1, b))
        for i in range(b - 1):
            rises[i, i], rises[i, i + 1] = 1.0, -1.0
        prices = np.array(c) + np.array([0.0] * (b - 1) + [c_0])
        found = linprog(prices, A_ub=rises, b_ub=np.zeros(b - 1), bounds=[(low, None) for low in L])
        assert found.success
        assert total_cost(optimal_rpt(L, c, c_0), L, c, c_0) == pytest.approx(found.fun, rel=1e-7, abs=1e-12)


def test_no_random_law_is_cheaper_progressive_or_not():
    for L, c, c_0, rng in instances():
        b = len(L)
        least = total_cost(optimal_rpt(L, c, c_0), L, c, c_0) * (1 - 1e-12)
        sharp = rng.choice([0.1, 1.0])
        weights = np.maximum(rng.dirichlet(np.full(b, sharp), size=20), 1e-9)
        for q in weights / weights.sum(axis=1, keepdims=True):
            assert total_cost(RPT(tuple(q)), L, c, c_0) >= least
        sets = [tuple(i for i in range(b) if bits[i]) for bits in product((False, True), repeat=b)]
        for w in np.maximum(rng.dirichlet(np.full(len(sets), sharp), size=2), 1e-9):
            assert total_cost(AnyLaw(tuple(sets), tuple(w / w.sum())), L, c, c_0) >= least


def test_small_changes_of_the_optimal_law_cost_more():
    """Unique where every c_i > 0: a p_i that is not 1 already cannot be moved either way."""
    for L, c, c_0, _ in instances():
        c = tuple(cost + 0.1 for cost in c)
        p = optimal_rpt(L, c, c_0).probabilities(len(L))
        least = total_cost(optimal_rpt(L, c, c_0), L, c, c_0)
        for i, step in product(range(len(L) - 1), (0.99, 1.01)):
            moved = (*p[:i], p[i] * step, *p[i + 1 :])
            if all(a <= b for a, b in pairwise(moved)):
                assert total_cost(from_marginals(moved), L, c, c_0) > least * (1 + 1e-9)


def test_the_full_update_is_optimal_if_and_only_if_the_first_layer_is_the_hardest():
    seen = set()
    for L, c, c_0, _ in instances():
        c = (c[0] + 0.1, *c[1:])
        full, least = total_cost(Full(), L, c, c_0), total_cost(optimal_rpt(L, c, c_0), L, c, c_0)
        first = max(L) == L[0]
        assert (full <= least * (1 + 1e-12)) == first
        seen.add(first)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("L", "c", "c_0", "said"),
    [
        ((1.0, 0.0), (1.0, 1.0), 0.0, "L_i must"),
        ((1.0, math.inf), (1.0, 1.0), 0.0, "L_i must"),
        ((math.nan, 1.0), (1.0, 1.0), 0.0, "L_i must"),
        ((), (), 0.0, "L_i must"),
        ((1.0, 2.0), (1.0,), 0.0, "c_i must have one entry for each of 2 layers"),
        ((1.0, 2.0), (1.0, -1.0), 0.0, "c_i must hold finite numbers >= 0"),
        ((1.0, 2.0), (1.0, 1.0), -1.0, "c_0 must be finite and >= 0"),
        ((1.0, 2.0), (1.0, 1.0), math.nan, "c_0 must be finite and >= 0"),
    ],
)
def test_wrong_constants_and_costs_are_refused(L, c, c_0, said):
    with pytest.raises(ValueError, match=rf"^{said}"):
        optimal_rpt(L, c, c_0)
    with pytest.raises(ValueError, match=rf"^{said}"):
        total_cost(Full(), L, c, c_0)
    if said.startswith("c_") and len(c) == len(L):
        with pytest.raises(ValueError, match=rf"^{said}"):
            layer_cost(c, c_0)
