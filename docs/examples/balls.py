"""Minimisation over balls: steps with their proof, other norms, the envelope, what a run shows."""

import math

import torch

from assumptions import BallConvex, Lp, Weighted
from problems import BallEnvelope, DoubleWell, MaxAffine, Quadratic
from workbench import run
from workbench.methods import BPM

f = MaxAffine(d=3, pieces=9, seed=2)
x = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)

solved = f.brox_step(x, radius=0.5)  # a BallStep
print(f"length {float(solved.step.norm()):.15f}, residual {float(solved.residual):.1e}")
support = f.value(solved.point) + solved.subgradient @ (f.x_star - solved.point)
print("supports f from below:", bool(support <= f.value(f.x_star)))

box, ellipsoid = Lp(math.inf), Weighted((1.0, 2.0, 4.0))
q = Quadratic((1.0, 4.0, 0.1), seed=3)
print("exact:", q.offers_brox(box), q.offers_brox(ellipsoid), q.offers_brox(Lp(3.0)))
by_cone = q.brox_step(x, 0.5, Lp(3.0))  # no closed form: a conic solver, or SolverError
print(f"conic residual {float(by_cone.residual):.0e} of {float(q.gap(x)):.2f}")

N = BallEnvelope(q, radius=0.7)  # again a problem: value, grad, conjugate, brox, certificates
print("semigroup:", bool((N.value(N.brox(x, 0.3)) - q.value(q.brox(x, 1.0))).abs() < 1e-14))

trace = run(BPM(radius=0.5, norm=box), q, x, steps=6, record=("dist", "slope", "residual"))
print([round(v, 3) for v in trace["slope"][0].tolist()])  # dual norms never grow

well = DoubleWell(d=1)  # (x^2 - 1)^2, ball-convex for radii >= 1 and no others
print(BallConvex(1.0).refute(well).verdict, BallConvex(0.9).refute(well).verdict, sep=", ")
