"""Checking assumptions: four verbs, fronts, implications, proofs."""

from assumptions import HessianL0L1, LiteralL0L1, Smooth, closure, sample_points
from problems import CoupledQuadratic, Power, Quadratic, SymbolicProblem

f = Quadratic(eigenvalues=(1.0, 10.0))
pairs = sample_points(f, 1000, arity=2, seed=0)

print(Smooth(L=10.0).check(f, *pairs))  # not refuted, with the worst ratio
print(Smooth.estimate(f, *pairs))  # L_seen: from below, never called L
print(Smooth(L=9.0).refute(f))  # refuted: an adversarial search finds a violating pair

for certificate in closure(f.certified)[:4]:  # what is proved, and what that implies
    print(certificate.assumption, "because", certificate.proof)

quartic = Power(p=4.0)  # x^4 / 4: no constant L, but (L0, L1) = (4 / L1^2, L1) for every L1
front = HessianL0L1.front(quartic, *HessianL0L1.sample(quartic, 4000))
print([round(front.L0_at(L1) * L1**2, 2) for L1 in (0.5, 1.0, 2.0)])
print(LiteralL0L1(4.0, 1.0).refute(quartic).verdict)  # without the exponential it is false

coupled = CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), sizes=(1, 1))  # (x + y)^2 / 2, two layers
print([c.assumption for c in coupled.certified if hasattr(c.assumption, "h")])

wavy = SymbolicProblem("x**2 + 3*sin(x)**2", box=((-4.0, 4.0),))
print(wavy.certify(Smooth(L=8.0)))  # a proof by interval arithmetic
print(wavy.certify(Smooth(L=7.9)).proved)
