"""One record of a verdict, for tests to change."""

from workbench.verify import Record

RECORD = Record(
    theorem="bpm/line",
    kind="path",
    problem="Huber()",
    method="BPM",
    parameters={"radius": "dist0/7"},
    certificate=("Convex()",),
    norm="Lp(p=2.0)",
    verdict="not refuted",
    expected=True,
    reason="",
    tightness=0.5,
    measured=1.0,
    bound=2.0,
    checked=3,
    replicates=1,
    steps=3,
    seed=0,
    source_status="DERIVED",
    code="c" * 64,
    unit="u",
    part=(0, 1),
)
