"""The quick tour of the README."""

from problems import AbsAffine, Quadratic
from workbench import QUICK, run, verify
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import LINE

trace = run(BPM(radius=0.5), Quadratic(eigenvalues=(1.0, 10.0)), steps=20)
print(trace["gap"][0, :4])  # (replicates, steps + 1); also dist, gradnorm, prox_calls

records = verify([LINE], [AbsAffine(a=(1.0,), start=(5.3,))], budget=QUICK)
print(records[0].verdict, f"{records[0].tightness:.6f}")  # not refuted 1.000000
