"""Any text as a user's file: its objects, or a clean error that names the file; never a traceback of ours."""

import re
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.robustness.world import CLAIM, SHRINKS
from workbench.registry import Registry
from workbench.user_file import UserFile, UserFileError, load_user_file
from workbench.verify import Budget, Verdict, verify

SHORT = Budget("short", steps=3, starts=2, replicates=8, states=4, ascent=1, pairs=16)
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
NAMES = (
    "gap",
    "gap_next",
    "gap0",
    "dist",
    "dist0",
    "dist_next",
    "k",
    "K",
    "d",
    "value",
    "gradnorm",
    "L",
    "nonsense",
)

numbers = st.sampled_from(
    ["0", "1", "-1", "0.5", "1e308", "10**400", "float('nan')", "float('inf')", "None", "'gap'"]
)
leaves = st.one_of(st.sampled_from(NAMES).map(lambda name: f"symbols({name!r})"), numbers)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**", "<", "<=", ">"]), inner).map(
            lambda t: f"({' '.join(t)})"
        ),
        st.tuples(st.sampled_from(["avg", "best", "total", "first", "after", "abs", "-"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
    ),
    max_leaves=5,
)
fields = st.fixed_dictionaries(
    {
        "measured": expressions,
        "bound": expressions,
        "when": st.one_of(st.just("True"), expressions),
        "requires": st.one_of(st.just("True"), expressions),
        "kind": st.sampled_from(["'path'", "'step'", "'mean'", "'exact'", "'slope'", "'hp'", "'other'", "3"]),
    }
)


def loaded(content: bytes) -> tuple[UserFile | None, str]:
    """What the file holds, or what is said instead, without the name of the folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.py"
        path.write_bytes(content)
        try:
            return load_user_file(path), ""
        except UserFileError as error:
            return None, str(error).replace(folder, "")


@FEW
@given(
    st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: t.encode("utf-8", "surrogatepass")))
)
def test_any_bytes_are_refused_by_name(content):
    # what is run is a user's own file: text that could do something is not tried
    if re.search(rb"[A-Za-z_]{3}", content):
        content = b"'" + content
    user, said = loaded(content)
    assert user is None
    assert said.startswith("/mine.py")


@FEW
@given(
    st.integers(0, len(SHRINKS + CLAIM)), st.text("()[]{}:,.=\\'\"#\n\t \0@é", max_size=3), st.integers(0, 3)
)
def test_a_file_with_a_slip_is_read_or_refused_with_its_line(place, slip, cut):
    text = SHRINKS + CLAIM
    user, said = loaded((text[:place] + slip + text[place + cut :]).encode())
    if user is None:
        assert re.match(r"/mine.py(, line \d+: |: | holds no | is not a Python file: )", said), said


@FEW
@given(fields)
def test_any_claim_gets_a_verdict_or_is_refused_with_its_line(chosen):
    listed = ", ".join(f"{name}={text}" for name, text in chosen.items())
    claim = f"""
from workbench import after, avg, best, first, total
CLAIM = Theorem(id="mine/claim", title="t", source=Source("mine", "DERIVED"), method=Halve, parameters={{}},
                assumes=(Convex,), {listed})
"""
    user, said = loaded((SHRINKS + claim).encode())
    if user is None:
        assert re.match(r"/mine.py, line \d+: \w+: .", said), said
        return
    huber = Registry().problem("Huber()")
    (record,) = verify(list(user.theorems), [huber], budget=SHORT, report_untested=False)
    assert record.verdict in set(Verdict)
