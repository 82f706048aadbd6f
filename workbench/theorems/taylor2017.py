"""The proximal point method, the exact constant: Taylor, Hendrickx and Glineur (2017)."""

from assumptions import Convex
from problems import AbsAffine
from workbench.methods import ProximalPoint
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols, total
from workbench.theorem import Theorem

stepsize, gap, gap0, dist0, k, K = symbols("stepsize gap gap0 dist0 k K")

TITLE = "Exact worst-case performance of first-order methods for composite convex optimization"
ABS = AbsAffine(a=(1.0,), start=(5.3,))

CONSTANT = Theorem(
    id="ppm/convex",
    title="The gap falls like 1/k, with the exact constant",
    source=Source(
        "Taylor, Hendrickx and Glineur (2017)",
        "SOURCED",
        "Theorem 4.1 as stated in the PEPit 0.5 example proximal_point",
        TITLE,
    ),
    method=ProximalPoint,
    parameters={"stepsize": (dist0**2 / (2 * K * gap0), dist0**2 / (10 * gap0), dist0**2 / gap0)},
    assumes=(Convex,),
    requires=stepsize > 0,
    measured=gap,
    bound=dist0**2 / (4 * stepsize * k),
    mutants=(Mutant("half the constant", ABS, {"bound": dist0**2 / (8 * stepsize * k)}, steps=10),),
    tight=(Tight(ABS, 1.0, steps=10),),
)

VARYING = Theorem(
    id="ppm/convex-varying",
    title="The same with the sum of varying stepsizes",
    source=Source("Taylor, Hendrickx and Glineur (2017)", "RECALLED", title=TITLE),
    method=ProximalPoint,
    parameters={"stepsize": ((k + 1) * dist0**2 / (K * (K + 1) * gap0), dist0**2 / (5 * gap0 * (k + 1)))},
    assumes=(Convex,),
    requires=stepsize > 0,
    measured=gap,
    bound=dist0**2 / (4 * total(stepsize)),
    mutants=(Mutant("half the constant", ABS, {"bound": dist0**2 / (8 * total(stepsize))}, steps=10),),
    tight=(Tight(ABS, 1.0, steps=10),),
)

THEOREMS = (CONSTANT, VARYING)
