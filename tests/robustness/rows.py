"""The table of bad inputs: what is given, how it ends, and words of what is said.

A row is Python, evaluated with ``names.NAMES``, or a command line. It runs in the folder of ``world``.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """ends: the type of an error, or "exit 2". words: parts of what is said, in any order."""

    part: str
    given: str
    ends: str
    words: tuple[str, ...]


USE = "exit 2"


def rows(part: str, *listed: tuple[str, str, str | tuple[str, ...]]) -> tuple[Row, ...]:
    """The rows of one part."""
    return tuple(
        Row(part, given, ends, (said,) if isinstance(said, str) else said) for given, ends, said in listed
    )


ASSUMPTIONS = rows(
    "assumptions",
    ("Smooth(L=-1.0)", "ValueError", ("L must be finite and > 0", "-1.0")),
    ("Smooth(L=math.nan)", "ValueError", "got nan"),
    ("Smooth(L='1')", "TypeError", "L must be a number"),
    ("Lp(p=0.5)", "ValueError", "p must be >= 1"),
    ("Ball(center=(0.0,), radius=-1.0)", "ValueError", "radius must be"),
    ("Convex().check(Huber(), points(0, 1), points(0, 1))", "ValueError", "at least one point"),
    (
        "Smooth(2.0).check(Huber(d=2), points(3, 5), points(3, 5))",
        "ValueError",
        ("points must have shape", "(3, 5)"),
    ),
    ("sample_points(Huber(), -1, 0)", "ValueError", "n must be an integer >= 1"),
    (
        "parse_specification('Smooth(L=__import__(\"os\").getpid())', {'Smooth': Smooth})",
        "ValueError",
        "is not accepted",
    ),
    ("parse_specification('Smooth(L=1.0, L=2.0)', {'Smooth': Smooth})", "ValueError", "'L' is given twice"),
)
PROBLEMS = rows(
    "problems",
    ("Huber(L=0.0)", "ValueError", "L must be finite and > 0"),
    ("Huber(L=10**400)", "ValueError", "an integer of 1329 bits"),
    ("Huber(d=1.5)", "ValueError", "d must be an integer >= 1"),
    ("Quadratic((1.0, math.nan))", "ValueError", "eigenvalues must have finite entries"),
    ("WeightedL1((1.0, -1.0))", "ValueError", "weights must be >= 0"),
    ("Huber(d=2).prox(points(3, 5), 1.0)", "ValueError", ("x must have shape (*batch, 2)", "(3, 5)")),
    ("Huber(d=2).brox(points(3, 2), math.nan)", "ValueError", "radius must be finite and > 0, got nan"),
    ("Huber(d=2).prox(points(3, 2), torch.ones(4))", "ValueError", ("stepsize must be", "(4,)")),
    ("LogisticRegression(data='no_such_set', reg=0.1).x0", "DataError", "no_such_set"),
    ("SymbolicProblem('x**4 + (', box=((-1.0, 1.0),))", "ValueError", "expr must be a formula"),
    (
        "SymbolicProblem('__import__(\"os\")', box=((-1.0, 1.0),))",
        "ValueError",
        "unknown function __import__",
    ),
    ("SymbolicProblem('x**2', box=((1.0, -1.0),))", "ValueError", "box must hold"),
    ("from_function('x', d=2)", "TypeError", "f must be a function of tensors"),
    ("from_function(lambda x: x.sum(), d=2)", "ValueError", "reduce over the last axis only"),
    (
        "from_function(lambda x: x.square().sum(-1), d=2, f_star=math.nan)",
        "ValueError",
        "f_star must be at most f(x0)",
    ),
)
METHODS = rows(
    "methods",
    ("BPM(radius=0.0)", "ValueError", "radius must be finite and > 0"),
    ("GradientDescent(stepsize='1')", "TypeError", "stepsize must be a number"),
    ("PAGE(stepsize=0.1, p=1.5, minibatch=1)", "ValueError", "p must be in (0, 1]"),
    ("samplings.Nice(0)", "ValueError", "s must be an integer >= 1"),
    ("compressors.TopK(0)", "ValueError", "K must be an integer >= 1"),
    ("orthogonal.NewtonSchulz(steps=0)", "ValueError", "steps must be an integer >= 1"),
    ("optim.Muon([])", "ValueError", "empty parameter list"),
    ("optim.Muon(torch.nn.Linear(2, 2).parameters(), lr=-0.1)", "ValueError", "lr must be finite and > 0"),
)
THEOREMS = rows(
    "theorems",
    ("symbols('gap?')", "ValueError", "identifiers"),
    ("claim(bound=gap * symbols('gep'))", "ValueError", ("unknown symbol 'gep'", "known:")),
    ("claim(bound='gap')", "ValueError", "not made by workbench.symbols()"),
    ("claim(bound=math.nan)", "ValueError", "nan is not a real number"),
    ("claim(parameters={})", "ValueError", "missing: stepsize"),
    ("claim(assumes=(Huber,))", "ValueError", "assumes takes assumption classes"),
    ("claim(method=Huber)", "ValueError", "method must be a Method class"),
    ("claim(source='a paper')", "ValueError", ("source must be a Source", "'a paper'")),
    ("claim(kind='certain')", "ValueError", "kind must be one of path"),
    ("claim(kind='hp')", "ValueError", "needs failure, a probability in (0, 1)"),
    ("claim(kind='mean')", "ValueError", "bound of a mean claim must be deterministic"),
    ("claim(id='mine claim')", "ValueError", "a word without spaces"),
    ("Source('a paper', 'TRUE')", "ValueError", "SOURCED, DERIVED or RECALLED"),
    ("claim(mutants=(Mutant('no', on=Huber(), change={'bond': gap}),))", "ValueError", "bond"),
)
VERIFY = rows(
    "verify",
    ("verify('gd/convex', [Huber()])", "TypeError", "theorems must be a list"),
    ("verify([claim()], Huber())", "TypeError", "problems must be a list"),
    ("verify([claim()], ['Huber()'])", "TypeError", ("problems must be a list", "'Huber()'")),
    ("verify([claim()], [Huber()], jobs=0)", "ValueError", "jobs must be a number of processes"),
    ("verify([claim()], [Huber()], seed=-1)", "ValueError", "seed must be"),
    ("Budget('short', steps=0, starts=1)", "ValueError", "steps must be an integer >= 1"),
    ("assert_holds('gd/convex')", "TypeError", "theorems must be a list"),
    ("Store('a_file')", "ResultsError", "is a file"),
    ("Store('foreign')", "ResultsError", "line 1 is not a record"),
    ("Store('damaged')", "ResultsError", "checked must be int, got 'many'"),
    ("workbench verify no/such", USE, "no theorem 'no/such'"),
    ("workbench verify 'no-such/*'", USE, "no theorem fits"),
    ("workbench verify gd/convex --quick --full", USE, "exclude each other"),
    ("workbench verify gd/convex --seed -1", USE, "--seed"),
    ("workbench verify gd/convex --jobs 0", USE, "jobs must be a number of processes"),
    ("workbench verify gd/convex --out a_file", USE, "a_file is a file"),
    ("workbench verify gd/convex --out foreign", USE, ("line 1 is not a record", "--out")),
    ("workbench verify gd/convex --out damaged", USE, "checked must be int"),
    ("workbench verify gd/convex --json no/such/file.json", USE, "No such file or directory"),
    ("workbench verify gd/convex --json results", USE, "Is a directory"),
)
USER_FILES = rows(
    "user files",
    ("load_user_file('raises.py')", "UserFileError", "raises.py, line 3: KeyError"),
    ("workbench verify --file no_such.py", USE, "does not exist"),
    ("workbench verify --file results", USE, "is a folder"),
    ("workbench verify --file empty.py", USE, "holds no Theorem"),
    ("workbench verify --file syntax.py", USE, "syntax.py, line 2: invalid syntax"),
    ("workbench verify --file exits.py", USE, "exits.py, line 2: SystemExit: 3"),
    ("workbench verify --file stops.py", USE, "stops.py, line 4: Stop: mine"),
    ("workbench verify --file deep.py", USE, "deep.py: an expression in it is nested too deeply"),
    ("workbench verify --file null.py", USE, "null.py: source code string cannot contain null bytes"),
    ("workbench verify --file silent.py", USE, ("silent.py, line", "ZeroDivisionError")),
    ("workbench verify --file twice.py", USE, "two theorems with the id mine/halves"),
    ("workbench verify --file taken.py", USE, "taken by the library"),
    ("workbench verify --file unknown.py", USE, ("unknown.py, line 17", "unknown symbol 'ggg'")),
    ("workbench verify --file method.py", USE, "nothing to verify"),
    ("workbench verify --file wrong_shape.py", USE, ("line 4", "reduce over the last axis only")),
    ("workbench verify --file wrong_star.py", USE, ("line 4", "f_star must be at most")),
    ("workbench verify --quick --file raising_step.py", USE, ("line 12: ZeroDivisionError", "0 of")),
    ("workbench verify --quick --file not_pure.py", USE, "differs between two calls with the same draw"),
    ("workbench verify --file binary.py", USE, "binary.py"),
    ("workbench show mine/halves --file raises.py", USE, "raises.py, line 3"),
)
CHECK = rows(
    "check",
    ("workbench check Smoth 'Huber()'", USE, ("no assumption 'Smoth'", "close: Smooth")),
    ("workbench check 'Smooth(M=1.0)' 'Huber()'", USE, "no field 'M'"),
    ("workbench check Smooth 'Hubert()'", USE, "close: Huber"),
    ("workbench check Smooth \"Huber(__import__('os'))\"", USE, "unknown name '__import__'"),
    ("workbench check Smooth 'Huber(L=2.0'", USE, "'(' was never closed"),
    ("workbench check Smooth 'Huber()' --points 0", USE, "--points"),
    ("workbench check Smooth 'Huber()' --estimate --refute", USE, "choose one of"),
    ("workbench check Smooth 'Huber()' --along run.npz", USE, "not a saved trace"),
    ("workbench check Smooth 'Huber()' --certify", USE, "needs a function given as an expression"),
    ("workbench check Smooth 'Huber()' --json a_file/x.json", USE, "Not a directory"),
)
RUN = rows(
    "run",
    ("run(BPM(0.5), Huber(), steps=0)", "ValueError", "steps must be an integer >= 1"),
    ("run(BPM(0.5), 'Huber()', steps=2)", "TypeError", "problem must be an object such as Huber()"),
    ("run(BPM, Huber(), steps=2)", "TypeError", "method must be an object such as"),
    ("run(BPM(0.5), Huber(), steps=2, x0=points(1, 1) * math.nan)", "ValueError", "x0 must be finite"),
    ("Trace.load('run.npz')", "ValueError", "not a saved trace"),
    ("workbench run GradientDescnt 'Huber()'", USE, "close: GradientDescent"),
    ("workbench run 'BPM(radius=0.5, radius=0.7)' 'Huber()'", USE, "'radius' is given twice"),
    ("workbench run 'GradientDescent(nan)' 'Huber()'", USE, "stepsize must be finite and > 0, got nan"),
    ("workbench run 'GradientDescent(1.0)' 'Huber()' --x0 1,a", USE, "numbers separated by commas"),
    ("workbench run 'GradientDescent(1.0)' 'Huber()' --record nonsense", USE, "known quantities: "),
    ("workbench run 'GradientDescent(1.0)' 'Huber()' --out results", USE, "must end in .npz or .csv"),
    ("workbench run 'GradientDescent(1.0)' 'Huber()' --until 'gap<<1'", USE, "until must be"),
)
REPLAY = rows(
    "replay",
    ("workbench replay no.json", USE, "cannot be read"),
    ("workbench replay text.json", USE, "is not JSON"),
    ("workbench replay list.json", USE, "is not a witness"),
    ("workbench replay deep.json", USE, "deep.json is not JSON"),
    ("workbench replay not_refuted.json", USE, "its verdict is not refuted"),
    ("workbench replay witness.json", USE, "damaged witness: its field 'seed'"),
    ("workbench replay unknown.json", USE, "no theorem 'no/such'"),
    ("workbench replay bare.json", USE, "the field 'norm' is missing"),
    ("workbench replay binary.py", USE, "is not JSON"),
)
FIGURE = rows(
    "figure",
    ("Numbers.load(Path('torn.json'))", "NumbersError", "no JSON, or torn"),
    ("workbench figure no-such", USE, "no figure 'no-such'"),
    ("workbench figure bpm-gap --style nurips", USE, "close: neurips"),
    ("workbench figure bpm-gap --format jpg", USE, "--format must be one of pdf, png, svg"),
    ("workbench figure bpm-gap --data no.json", USE, "cannot be read"),
    ("workbench figure bpm-gap --data torn.json", USE, "no JSON, or torn"),
    ("workbench figure bpm-gap --data older.json", USE, "workbench-figure-0"),
    ("workbench figure bpm-gap --data binary.py", USE, "no JSON, or torn"),
    ("workbench figure bpm-gap --out a_file", USE, "a folder is needed"),
    ("workbench figure bpm-gap --gallery no/such/page.md", USE, "cannot be written"),
    ("workbench figure trajectory-smoothness --data not_probe", USE, "manifest.json is not there"),
)
REPORT = rows(
    "report",
    ("read_results('results/records-0.jsonl')", "ResultsError", "is a file"),
    ("workbench report no_such", USE, "there is no folder no_such"),
    ("workbench report foreign", USE, "line 1 is not a record"),
    ("workbench report damaged", USE, "checked must be int, got 'many'"),
    ("workbench report empty_results", USE, "no complete record"),
    ("workbench report results --out results/records-0.jsonl", USE, "that file holds records"),
    ("workbench report results --latex same.tex --bibtex same.tex", USE, "is what --latex writes"),
    ("workbench report results --latex no/such/t.tex", USE, "cannot be written"),
    ("workbench report results --file syntax.py", USE, "line 2: invalid syntax"),
)
PROBE = rows(
    "probe",
    (
        "SmoothnessProbe('model', None, loss=len, batch='fixed')",
        "TypeError",
        "model must be a torch.nn.Module",
    ),
    ("probes.load('not_probe')", "ProbeFileError", "manifest.json is not there"),
    ("workbench probe no_such", USE, "network must be one of gpt, cnn, mlp"),
    ("workbench probe mlp --optimizer adm", USE, "--optimizer must be one of"),
    ("workbench probe mlp --lr -1", USE, "lr must be finite and > 0"),
    ("workbench probe mlp --level radi", USE, "level must be among"),
    ("workbench probe mlp --out a_file", USE, "results need a folder"),
    ("workbench probe mlp --steps 2 --out foreign", USE, ("checkpoint.pt cannot be read", "--fresh")),
    ("workbench probe mlp --tokens chars", USE, "--tokens is for gpt"),
    ("workbench probe results", USE, "manifest.json is not there"),
    ("workbench probe task.py:none", USE, "expected a function 'none'"),
    ("workbench probe task.py:broken", USE, "line 11: KeyError"),
)
NEW = rows(
    "new, list, show",
    ("workbench new lemma", USE, "kind must be one of theorem, problem, method"),
    ("workbench new theorem halves.py", USE, "exists already"),
    ("workbench new theorem no/such/mine.py", USE, "cannot be written"),
    ("workbench list lemmas", USE, "no list 'lemmas'"),
    ("workbench show nonsense", USE, "nothing is called 'nonsense'"),
    ("workbench nonsense", USE, "No such command"),
)
CALIBRATE = rows(
    "calibrate",
    ("workbench calibrate --studies 0", USE, "--studies"),
    ("workbench calibrate --jobs 0", USE, "jobs must be a number of processes"),
    ("workbench calibrate --json results", USE, "Is a directory"),
)
TABLE = rows(
    "table",
    ("workbench table --problem nonsense", USE, "no problem fits 'nonsense'"),
    ("workbench table --assumption nonsense", USE, "no assumption fits 'nonsense'"),
    ("workbench table --file halves.py --jobs 2", USE, "--jobs must be 1 with --file"),
    ("workbench table --jobs 0", USE, "jobs must be a number of processes"),
    ("workbench table --out results", USE, "Is a directory"),
)
FALSIFY = rows(
    "falsify, evidence",
    ("falsify(claim(), [Huber()], budget=0)", "ValueError", "budget must be an integer >= 1"),
    ("falsify(claim(), [], budget=10)", "NothingToTryError", "nothing to try on 0 problems"),
    ("workbench falsify no/such", USE, "no theorem 'no/such'"),
    ("workbench falsify gd/convex --budget 0", USE, "--budget must be at least 1"),
    ("workbench falsify gd/convex --drop PL", USE, "it assumes Convex, Smooth"),
    ("workbench falsify gd/convex --exact --mutants", USE, "exclude each other"),
    ("workbench falsify gd/convex --out a_file", USE, "a folder is needed"),
    ("workbench falsify mine/halves --file halves.py --exact", USE, "has no exact worst case"),
    ("workbench evidence no/such", USE, "no theorem 'no/such'"),
    ("workbench evidence gd/convex --budget 0", USE, "--budget must be at least 1"),
    ("workbench evidence gd/convex --out page.html", USE, "ends in .md"),
    ("workbench evidence gd/convex --out list.md", USE, "is not what this command writes"),
)

ROWS = (
    *(*ASSUMPTIONS, *PROBLEMS, *METHODS, *THEOREMS, *VERIFY, *USER_FILES, *CHECK, *RUN),
    *(*REPLAY, *FIGURE, *REPORT, *PROBE, *NEW, *CALIBRATE, *TABLE, *FALSIFY),
)
