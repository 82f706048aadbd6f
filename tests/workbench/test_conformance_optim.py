"""The conformance suite: correct optimizers pass, mistakes are seen, the page shows the tables."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from workbench.optim import Gluon, Muon, Scion
from workbench.optim.conformance import DTYPES, Report, Row, check, main
from workbench.optim.conformance_cases import BAD, CASES
from workbench.optim.conformance_reference import Reference, Settings
from workbench.orthogonal import Exact, PolarExpress

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ours():
    return check(Muon)


@pytest.fixture(scope="module")
def torchs():
    return check(torch.optim.Muon)


def deviations(report, dtype="float64"):
    return {row.case: row.deviation for row in report.rows if row.dtype == dtype}


def test_ours_is_the_published_update(ours):
    assert {row.outcome for row in ours.rows} == {"compared"}
    assert len(ours.rows) == len(CASES) * len(DTYPES)
    assert ours.worst() < 1e-13
    # rounding of the weights themselves counts where the step is short, as in weight decay alone
    assert ours.worst("float32") < 1e-4
    assert deviations(ours)["zero gradients"] == 0


def test_ours_refuses_every_bad_input_and_changes_nothing(ours):
    assert [refusal.case for refusal in ours.refusals] == [bad.name for bad in BAD]
    for refusal in ours.refusals:
        assert re.fullmatch(r"refused (when made|by step, nothing changed): ValueError", refusal.outcome)


def test_exact_orthogonalisation_is_the_polar_factor():
    report = check(Muon, reference=Reference("svd"), orthogonaliser=Exact())
    assert report.worst() < 1e-12
    assert "orthogonaliser=Exact()" in report.optimizer
    inexact = check(Muon, reference=Reference("svd"), orthogonaliser=PolarExpress(5))
    assert 0.01 < deviations(inexact)["wide"] < 0.5


def test_the_update_of_torch_is_that_of_bfloat16_and_takes_no_convolution(torchs):
    found = deviations(torchs)
    assert 1e-3 < found["square"] < 0.1
    assert 1e-3 < found["1 x 1"] < 0.1
    outcomes = {row.case: row.outcome for row in torchs.rows}
    assert outcomes["scale 1"] == "not offered"
    assert outcomes["convolution 8 x 3 x 3 x 3"].startswith("ValueError: Muon only supports 2D")
    assert {r.case: r.outcome for r in torchs.refusals}["nan in a gradient"] == "taken: weights become nan"


def test_scion_and_gluon_are_muon_where_they_offer_its_options():
    """Scion is Muon without Nesterov; Gluon starts with another momentum, which beta 0 hides."""
    scion, gluon = check(Scion), check(Gluon)
    assert scion.worst() < 1e-13
    assert [row.case for row in scion.rows if row.outcome == "compared"] == [
        name for name in ("no Nesterov", "beta 0") for _ in DTYPES
    ]
    assert deviations(gluon)["beta 0"] < 1e-13
    assert deviations(gluon)["no Nesterov"] > 1e-3


# -- mistakes ---------------------------------------------------------------------------------------


class Mistaken(torch.optim.Optimizer):
    """The published update with a hook for one mistake; takes the options of torch.optim.Muon."""

    def __init__(
        self, params, lr=0.02, momentum=0.95, nesterov=True, weight_decay=0.0, adjust_lr_fn="original"
    ):
        options = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
        super().__init__(params, {**options, "weight_decay": weight_decay, "scale": adjust_lr_fn})

    def buffer(self, old, g, beta):
        return beta * old + (1 - beta) * g

    def update(self, g, m, beta, nesterov):
        return beta * m + (1 - beta) * g if nesterov else m

    def matrix(self, u):
        return u.reshape(u.shape[0], -1)

    def polar(self, u):
        return Reference().polar(u.double()).to(u.dtype)

    def scale(self, name, m, n):
        return max(1, m / n) ** 0.5 if name == "original" else 0.2 * max(m, n) ** 0.5

    def decay(self, lr, weight_decay):
        return 1 - lr * weight_decay

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                old = self.state[p].get("m", torch.zeros_like(p))
                m = self.state[p]["m"] = self.buffer(old, p.grad, group["momentum"])
                u = self.matrix(self.update(p.grad, m, group["momentum"], group["nesterov"]))
                length = group["lr"] * self.scale(group["scale"], *u.shape)
                p.mul_(self.decay(group["lr"], group["weight_decay"]))
                p.sub_(length * self.polar(u).reshape(p.shape))


def no_guard(x):
    x = x / x.norm()
    return Reference().polar(x)


MISTAKES = {
    "momentum is the weight of the new": ({"buffer": lambda s, m, g, b: (1 - b) * m + b * g}, "square"),
    "momentum adds up": ({"buffer": lambda s, m, g, b: b * m + g}, "square"),
    "no Nesterov": ({"update": lambda s, g, m, b, n: m}, "square"),
    "Nesterov always": ({"update": lambda s, g, m, b, n: b * m + (1 - b) * g}, "no Nesterov"),
    "no factor of tall matrices": (
        {"scale": lambda s, k, m, n: 1 if k == "original" else 0.2 * max(m, n) ** 0.5},
        "tall",
    ),
    "factor of wide matrices": (
        {"scale": lambda s, k, m, n: max(1, n / m) ** 0.5 if k == "original" else 0.2 * max(m, n) ** 0.5},
        "wide",
    ),
    "AdamW's scale of the short side": (
        {"scale": lambda s, k, m, n: max(1, m / n) ** 0.5 if k == "original" else 0.2 * min(m, n) ** 0.5},
        "scale of AdamW, tall",
    ),
    "a step too few": ({"polar": lambda s, u: Reference(steps=4).polar(u.double()).to(u.dtype)}, "square"),
    "nan of a zero gradient": ({"polar": lambda s, u: no_guard(u)}, "zero gradients"),
    "no 1e-7": ({"polar": lambda s, u: no_guard(u + 1e-300)}, "gradients of 1e-8"),
    "weight decay without lr": ({"decay": lambda s, lr, wd: 1 - wd}, "weight decay 0.1"),
    "no weight decay": ({"decay": lambda s, lr, wd: 1.0}, "weight decay alone"),
    "convolutions the other way": (
        {"matrix": lambda s, u: u if u.dim() == 2 else u.transpose(0, 1).reshape(u.shape[1], -1)},
        "convolution 8 x 3 x 3 x 3",
    ),
    "rank lost": (
        {"polar": lambda s, u: Reference("svd").polar(u) if min(u.shape) > 5 else Reference().polar(u)},
        "rank 2 of 6",
    ),
}


def test_the_class_without_a_mistake_passes():
    report = check(Mistaken)
    assert report.worst() < 1e-13
    assert {row.outcome for row in report.rows if row.case != "scale 1"} == {"compared"}


@pytest.mark.parametrize(("hooks", "case"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_seen(hooks, case):
    found = deviations(check(type("Wrong", (Mistaken,), hooks)))
    assert not found[case] < 0.01
    assert found["beta 0"] == found["beta 0"]  # other cases still run


@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_parameter_of_several_that_is_not_finite_is_the_worst(value, which):
    """Before and after it stand parameters that are right."""

    class Breaks(Mistaken):
        def step(self):
            super().step()
            params = [p for group in self.param_groups for p in group["params"]]
            self.steps = getattr(self, "steps", 0) + 1
            if len(params) > 1 and self.steps == 3:
                params[which].data.fill_(value)

    report = check(Breaks)
    (row,) = (row for row in report.rows if (row.case, row.dtype) == ("three parameters", "float64"))
    assert row.outcome == "compared"
    assert not row.deviation < math.inf
    assert not report.worst() < math.inf
    assert not report.worst("float32") < math.inf
    assert row.k == (2 if math.isnan(value) else 3)
    assert math.isnan(row.deviation)  # inf minus inf, after it


def test_nan_is_above_inf():
    rows = tuple(Row("a", "float64", d, 0, "compared") for d in (1.0, math.inf, math.nan, 2.0))
    for some in (rows, rows[::-1]):
        assert math.isnan(Report("a", "b", some, ()).worst())
    assert Report("a", "b", rows[:2], ()).worst() == math.inf


def test_a_class_without_state_is_shown():
    """It keeps what it has elsewhere."""

    class Wrapped:
        def __init__(self, params, lr, momentum, nesterov, weight_decay, adjust_lr_fn="original"):
            norm = {"original": "muon", "match_rms_adamw": "adamw_rms"}[adjust_lr_fn]
            options = {"nesterov": nesterov, "weight_decay": weight_decay, "norm": norm}
            self.optimizer = Muon(params, lr=lr, beta=momentum, **options)

        def step(self):
            self.optimizer.step()

    report = check(Wrapped)
    assert report.worst() < 1e-13
    outcomes = {refusal.case: refusal.outcome for refusal in report.refusals}
    assert outcomes["nan in a gradient"] == "refused by step, nothing changed: ValueError"


def test_a_buffer_that_all_parameters_share_is_seen():
    class Shared(Mistaken):
        def buffer(self, old, g, beta):
            self.last = super().buffer(getattr(self, "last", old), g, beta)
            return self.last

    class Restarted(Mistaken):
        def buffer(self, old, g, beta):
            self.calls = getattr(self, "calls", 0) + 1
            return super().buffer(old * (self.calls % 50 > 0), g, beta)

    outcomes = {row.case: row for row in check(Shared).rows if row.dtype == "float64"}
    assert outcomes["square"].deviation < 1e-13
    assert outcomes["three parameters"].outcome.startswith("RuntimeError")
    found = {row.case: row for row in check(Restarted).rows if row.dtype == "float64"}
    assert found["square"].deviation < 1e-13
    assert (found["100 steps"].deviation > 0.1, found["100 steps"].k) == (True, 49)


# -- the reference, the report, the command -----------------------------------------------------------


def test_the_reference_by_hand():
    """1 x 1: M = 0.5, then 1.25; the polar factor is the sign."""
    x0, grads = torch.tensor([[2.0]]).double(), [torch.tensor([[g]]).double() for g in (1.0, 2.0)]
    settings = Settings(lr=0.1, beta=0.5, nesterov=False, weight_decay=0.5)
    path = Reference("svd").run(x0, grads, settings)
    assert [x.item() for x in path] == pytest.approx([2.0, 1.8, 1.61])
    ns = Reference(steps=1).run(x0, grads[:1], Settings(lr=0.1, beta=0.0, nesterov=False))[1]
    assert ns.item() == pytest.approx(2 - 0.1 * (3.4445 - 4.7750 + 2.0315), abs=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [{"factor": "qr"}, {"dtype": "float7"}, {"dtype": "nn"}, {"dtype": "int32"}, {"dtype": "complex64"}],
    ids=str,
)
def test_a_reference_that_is_none_is_refused(arguments):
    with pytest.raises(ValueError, match="must"):
        Reference(**arguments)


def test_a_move_where_there_is_none_is_infinite():
    class Restless(Mistaken):
        def polar(self, u):
            return super().polar(u) + (u == 0)

    assert deviations(check(Restless))["zero gradients"] == math.inf


def test_the_command_prints_a_report_for_each_class(capsys, ours, torchs):
    main(["torch.optim.Muon", "workbench.optim.Muon"])
    assert capsys.readouterr().out == f"{torchs}\n\n{ours}\n\n"
    with pytest.raises(SystemExit):
        main(["torch.optim.Mouon"])
    assert "no class torch.optim.Mouon" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["os.path.join"], "os.path.join is not an optimizer: it must be a class with a method step"),
        (["torch.nn.Linear"], "torch.nn.Linear is not an optimizer"),
        (["torch.optim.Muon", "--dtype", "int32"], "--dtype: invalid choice: 'int32' (choose from"),
    ],
    ids=str,
)
def test_the_command_refuses_what_is_no_optimizer(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert words in said.err
    assert not said.out


def test_the_module_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "workbench.optim.conformance", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0
    assert not done.stderr
    assert "torch.optim.Muon" in done.stdout


def cells(text):
    """Rows of the tables in Markdown, as lists of cells."""
    return [[c.strip() for c in line.strip("| ").split("|")] for line in text.splitlines() if "|" in line]


def test_the_page_shows_what_the_command_prints(ours, torchs):
    """Names and outcomes exactly; deviations to their size."""
    page = (ROOT / "docs/conformance.md").read_text()
    assert "python -m workbench.optim.conformance torch.optim.Muon workbench.optim.Muon" in page
    shown, printed = cells(page), cells(f"{torchs}\n{ours}")
    for row in printed:
        first = [other for other in shown if other[0] == row[0] and len(other) == len(row)]
        assert any(all(map(alike, row, other)) for other in first), row


def alike(cell, other):
    try:
        a, b = float(cell), float(other)
    except ValueError:
        return cell == other
    return a == b or (a < 1e-3 and b < 1e-3 and 0.01 < a / b < 100) or b / 3 < a < 3 * b


def test_a_report_of_nothing_compared():
    assert math.isnan(Report("a", "b", (), ()).worst())
