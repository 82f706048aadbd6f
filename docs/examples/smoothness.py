"""What can be said about a function: check, estimate, refute."""

from assumptions import Smooth, closure, sample_points
from problems import Quadratic

f = Quadratic(eigenvalues=(1.0, 10.0))
pairs = sample_points(f, 1000, arity=2, seed=0)

print(Smooth(L=10.0).check(f, *pairs))  # not refuted, with the worst ratio
print(Smooth.estimate(f, *pairs))  # L_seen: from below, never called L
print(Smooth(L=9.0).refute(f))  # refuted: an adversarial search finds a violating pair

for certificate in closure(f.certified):  # what is proved, and what that implies
    print(certificate.assumption, "because", certificate.proof)
