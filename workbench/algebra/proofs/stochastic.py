"""Random steps: Lyapunov steps of SAGA and loopless SVRG, and one-step inequalities repeated k times."""

import sympy as sp

from workbench.algebra.identities import Derivation, Given, Identity, Wrong

stepsize, L, mu, n, p, k, sigma_sq = sp.symbols("stepsize L mu n p k sigma_sq", positive=True)
dist_sq, dist_next_sq, gap, error_sq, error_next_sq, v_sq = sp.symbols(
    "dist_sq dist_next_sq gap error_sq error_next_sq v_sq", positive=True
)

STEP = (1 - stepsize * mu) * dist_sq - 2 * stepsize * gap + stepsize**2 * v_sq - dist_next_sq
VARIANCE = 4 * L * gap + 2 * error_sq - v_sq


def _claim(weight: sp.Expr, forget: sp.Expr) -> sp.Expr:
    """dist^2 + weight e^2 at the next step, the error kept to the factor ``forget``."""
    kept = (1 - stepsize * mu) * dist_sq + forget * weight * error_sq
    return kept - dist_next_sq - weight * error_next_sq - 2 * stepsize * (1 - 6 * stepsize * L) * gap


def _given(weight: sp.Expr, share: sp.Expr) -> tuple[Given, ...]:
    """What is known of a step that replaces this share of the rows."""
    replaced = (1 - share) * error_sq + 2 * L * share * gap - error_next_sq
    return (
        Given(1, STEP, "expansion of the step, strong convexity"),
        Given(stepsize**2, VARIANCE, "E |v|^2 <= 4 L_max gap + 2 e^2"),
        Given(weight, replaced, "rows that are replaced"),
    )


SAGA_WEIGHT, SVRG_WEIGHT = 4 * stepsize**2 * n, 4 * stepsize**2 / p
SAGA = Derivation(
    name="Lyapunov step of SAGA",
    says="dist^2 + 4 stepsize^2 n e^2 contracts: the step, its variance and the table, with weights 1, "
    "stepsize^2 and 4 stepsize^2 n",
    theorems=("saga/step", "saga/strongly-convex"),
    claim=_claim(SAGA_WEIGHT, 1 - 1 / (2 * n)),
    given=_given(SAGA_WEIGHT, 1 / n),
    wrong=(Wrong("the table forgotten at the rate 1 / n", {"claim": _claim(SAGA_WEIGHT, 1 - 1 / n)}),),
)

LSVRG = Derivation(
    name="Lyapunov step of loopless SVRG",
    says="dist^2 + 4 stepsize^2 / p e^2 contracts, with weights 1, stepsize^2 and 4 stepsize^2 / p",
    theorems=("lsvrg/step", "lsvrg/strongly-convex"),
    claim=_claim(SVRG_WEIGHT, 1 - p / 2),
    given=_given(SVRG_WEIGHT, p),
    wrong=(Wrong("the snapshot forgotten at the rate p", {"claim": _claim(SVRG_WEIGHT, 1 - p)}),),
)

q, power, start, noise = sp.symbols("q q_k start noise", positive=True)


def _repeated(power_k: sp.Expr) -> sp.Expr:
    return power_k * start + noise * (1 - power_k) / (1 - q)


REPEATED = Identity(
    name="a contraction with noise, repeated",
    says="B_k = q^k B_0 + noise (1 - q^k) / (1 - q) obeys B_(k+1) = q B_k + noise, as q^(k+1) = q q^k",
    theorems=(
        "sgd/strongly-convex",
        "sgd/noise-strongly-convex",
        "sppm/strongly-convex",
        "sppm/similarity",
    ),
    left=_repeated(q * power),
    right=q * _repeated(power) + noise,
    wrong=(Wrong("the noise counted twice", {"right": q * _repeated(power) + 2 * noise}),),
)

s = sp.Symbol("s", positive=True)


def _decreasing(j: sp.Expr) -> sp.Expr:
    """The bound of sgd/noise-decreasing at step j; s = (L + mu) / (2 mu)."""
    return (dist_sq * (s - 1) ** 2 + j * sigma_sq / mu**2) / (j + s - 1) ** 2


DECREASING = Identity(
    name="stepsizes 1 / (mu (k + s)), repeated",
    says="the bound B_k = ((s - 1)^2 B_0 + k sigma^2 / mu^2) / (k + s - 1)^2 obeys B_(k+1) = (1 - mu "
    "stepsize)^2 B_k + stepsize^2 sigma^2 at stepsize = 1 / (mu (k + s))",
    theorems=("sgd/noise-decreasing", "sgd/noise-order"),
    left=_decreasing(k + 1),
    right=(1 - 1 / (k + s)) ** 2 * _decreasing(k) + sigma_sq / (mu * (k + s)) ** 2,
    wrong=(
        Wrong(
            "a factor 1 - mu stepsize",
            {"right": (1 - 1 / (k + s)) * _decreasing(k) + sigma_sq / (mu * (k + s)) ** 2},
        ),
    ),
)

before, after = sp.symbols("V_k V_next", positive=True)
TELESCOPE = Derivation(
    name="telescope",
    says="(V_0 - V_k) - sum_(j<k) gain_j grows by V_k - V_(k+1) - gain_k >= 0 at each step",
    theorems=(
        "gd/nonconvex",
        "page/nonconvex",
        "sgd/nonconvex",
        "gluon/sum",
        "sppm/smooth",
        "sppm/lipschitz",
    ),
    claim=(start - after - v_sq - gap) - (start - before - v_sq),
    given=(Given(1, before - after - gap, "the inequality of one step"),),
    wrong=(Wrong("each gain twice", {"claim": (start - after - v_sq - 2 * gap) - (start - before - v_sq)}),),
)

PROOFS = (SAGA, LSVRG, REPEATED, DECREASING, TELESCOPE)
