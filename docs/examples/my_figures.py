"""Runs of mine against theorems, and against each other."""

from pathlib import Path

import torch

from assumptions import Smooth
from figures import write
from figures.compare import compare
from figures.over import over
from problems import Quadratic, QuadraticSum
from workbench import run
from workbench.methods import SGD, GradientDescent, Nesterov
from workbench.theorems import THEOREMS

theorem = {t.id: t for t in THEOREMS}
out = Path("figures-out")
out.mkdir(exist_ok=True)

# one run, two theorems: measured in colour, what is promised dashed
bowl = Quadratic(eigenvalues=(1.0, 10.0))
descent = run(GradientDescent(stepsize=0.1), bowl, steps=60)
ax = over(descent, theorem["gd/convex"], certificate=Smooth(10.0))
over(descent, theorem["gd/nonconvex"], ax=ax)
write(ax.figure, out / "descent", ("pdf", "png"), "neurips")

# a schedule is given again: a trace does not keep it
betas = {"beta": lambda k: k / (k + 3)}
nesterov = run(Nesterov(stepsize=0.1, beta=0.0), bowl, steps=60, schedule=betas)
ax = over(nesterov, theorem["nesterov/convex"], schedule=betas)
write(ax.figure, out / "nesterov", ("pdf", "png"), "neurips")

# a claim about a mean: the mean of the replicates, with a band, against passes over the data
sum_of_four = QuadraticSum(hessians=tuple(torch.diag(row).tolist() for row in torch.eye(4)))
sgd = run(SGD(stepsize=0.25, minibatch=1), sum_of_four, steps=60, replicates=32)
ax = over(sgd, theorem["sgd/strongly-convex"], cost="passes")
write(ax.figure, out / "sgd", ("pdf", "png"), "neurips")

# methods and stepsizes on one axis of cost; a star where the gap is first at most 1e-4
runs = {f"step {s:g}": run(GradientDescent(stepsize=s), bowl, steps=60) for s in (0.05, 0.1, 0.15)}
ax = compare({**runs, "Nesterov": nesterov}, cost="grad_calls", first=1e-4)
write(ax.figure, out / "methods", ("pdf", "png"), "neurips")
print(*sorted(path.name for path in out.iterdir()))
