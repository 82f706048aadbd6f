"""EF21-Muon in several processes: against the method in one process, bytes, resuming, mistakes, deaths."""

import copy
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from torch import nn

from problems.matrix_sum import MatrixSum
from tests.workbench import ef21_processes as work
from tests.workbench.forked import forked_context, group_of, printed
from workbench.compressors import Identity, L1Sign, Natural, RandK, RandomSkip, RankK, TopK
from workbench.methods.ef21_muon import EF21Muon as Method
from workbench.optim import EF21Muon, Gluon, groups_for
from workbench.optim.feedback_layers import FeedbackLayer
from workbench.optim.members import Member
from workbench.optim.messages import code_of, pack, packed_length, unpack
from workbench.optim.presets import layout

ROOT = Path(__file__).parents[2]
D = 42
HEADER = 8


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return group_of(work.two, 2, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    return group_of(work.four, 4, tmp_path_factory.mktemp("four"))


def layers_with(server, worker):
    """The parameters as the optimizer reads them."""
    found = []
    for i, (p, norm) in enumerate(zip(work.parameters(), work.NORMS, strict=True)):
        group = {"server_compressor": server, "worker_compressor": worker}
        found.append(FeedbackLayer(group, Member(p, p, ""), i, layout(norm, tuple(p.shape))))
    return found


def reference(name, n):
    """The iterates W of the method in one process with the same draws, (steps, d), and bits of each step."""
    hessians, linear = work.terms(n)
    rows = tuple(tuple(tuple(map(tuple, q.tolist())) for q in layer) for layer in hessians)
    columns = tuple(k for _, k in work.SHAPES)
    problem = MatrixSum(rows, columns, work.NORMS, tuple(map(tuple, linear.tolist())))
    radii = torch.tensor([work.RADII], dtype=torch.float64)
    method = Method(radii, work.BETA, *work.CASES[name], "frobenius")
    state, points, bits = method.init(problem, work.start().unsqueeze(0), SimpleNamespace()), [], []
    for k in range(work.STEPS):
        draw = SimpleNamespace()
        for i, layer in enumerate(layers_with(*work.CASES[name])):
            setattr(draw, f"server_{i}", layer.draw(0, work.SEED, k).unsqueeze(0))
            each = [layer.draw(j + 1, work.SEED, k) for j in range(n)]
            setattr(draw, f"worker_{i}", torch.stack(each).unsqueeze(0))
        bits.append({key: v.item() for key, v in method.cost(problem, state, draw).items()}["bits"])
        state = method.step(problem, state, draw)
        points.append(state.w[0])
    return torch.stack(points), bits


def require_reference(ranks, name):
    expected, _ = reference(name, len(ranks))
    assert (expected[-1] - work.start()).norm() > 0.1
    for found in ranks:
        torch.testing.assert_close(found["cases"][name]["x"], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in work.CASES if name != "rank down"])
def test_two_processes_are_the_method(two, name):
    """In a spectral norm the first step has equal singular values; rounding chooses which RankK sends."""
    require_reference(two, name)


@pytest.mark.parametrize("name", work.FOUR)
def test_four_processes_are_the_method(four, name):
    require_reference(four, name)


@pytest.mark.parametrize("name", work.CASES)
def test_all_ranks_have_the_same_parameters(two, name):
    assert torch.equal(two[0]["cases"][name]["x"], two[1]["cases"][name]["x"])


UP = {
    "none": 8 * D,
    "top both ways": 2 * 24 + 2 + 2,  # 3 of 30 and of 12 numbers, places of 5 and 4 bits
    "top down": 8 * D,
    "rank": 8 * (11 + 7),
    "rank down": 8 * D,
    "natural": 45 + 18,  # 12 bits for each of 30 and 12 numbers
    "random entries": 2 * 40 + 4 + 3,
    "signs": 2 * 8 + 8 + 3,
}
DOWN = {
    "none": 8 * D,
    "top both ways": 2 * 32 + 3 + 2,
    "top down": 2 * 16 + 2 + 1,
    "rank": 2 * 32 + 3 + 2,
    "rank down": 8 * (22 + 12),  # two factors of 4 x 3 would have 14 numbers
    "natural": 8 * D,
    "random entries": 2 * 72 + 6 + 5,
    "signs": 45 + 18,
}


@pytest.mark.parametrize(
    ("n", "name"), [*((2, name) for name in UP), *((4, name) for name in work.FOUR if name in UP)]
)
def test_bytes_of_a_step(two, four, name, n):
    ranks = {2: two, 4: four}[n]
    for k in range(work.STEPS):
        up, down = HEADER + (UP[name] if k else 8 * D), HEADER + DOWN[name]
        server, *workers = [found["cases"][name] for found in ranks]
        assert (server["sent"][k].up, server["sent"][k].down) == (0, (n - 1) * down)
        assert (server["received"][k].up, server["received"][k].down) == ((n - 1) * up, 0)
        for worker in workers:
            assert (worker["sent"][k].up, worker["sent"][k].down) == (up, 0)
            assert (worker["received"][k].up, worker["received"][k].down) == (0, down)
    last = ranks[1]["cases"][name]["sent"][-1]
    assert last.total_up == HEADER * work.STEPS + 8 * D + (work.STEPS - 1) * UP[name]


@pytest.mark.parametrize("name", work.CASES)
def test_bytes_are_the_bits_of_the_compressors(two, name):
    """Each message rounded up to bytes, layer by layer; the method counts the server's own message, too."""
    _, bits = reference(name, 2)
    for k in range(1, work.STEPS):
        draws = layers_with(*work.CASES[name])
        worker = work.CASES[name][1]
        own = sum(float(worker.spent(z.draw(1, work.SEED, k), z.shape)) for z in draws)
        sent = two[1]["cases"][name]["sent"][k].up + two[0]["cases"][name]["sent"][k].down - 2 * HEADER
        assert 0 <= 8 * sent - (bits[k] - own) < 8 * 4


def test_skipped_messages_are_not_sent(two):
    """Four messages a step, of 30 and 12 numbers."""
    ups = {found.up - HEADER for found in two[1]["cases"]["skip"]["sent"]}
    assert ups == {0, 240, 96, 336}


def test_compression_saves(two):
    whole = two[1]["cases"]["none"]["sent"][-1].total_up
    assert whole / two[1]["cases"]["top both ways"]["sent"][-1].total_up > 4


def test_a_resumed_run_goes_on(two, four):
    x0, saved = two[0]["resumed"]
    x1, other = two[1]["resumed"]
    assert torch.equal(x0, x1)
    work.CASES["resumed"] = (TopK(4), RandomSkip(0.4))
    expected, _ = reference("resumed", 2)
    del work.CASES["resumed"]
    torch.testing.assert_close(x0, expected, rtol=1e-12, atol=1e-12)
    assert saved["worker"] == {"rank": 0, "workers": 2, "steps": 6, "seed": work.SEED}
    assert set(saved["state"][0]) == {"momentum_buffer", "estimate", "server_estimate", "server_model"}
    assert set(other["state"][0]) == {"momentum_buffer", "estimate"}
    assert saved["param_groups"][0]["worker_compressor"] == "RandomSkip(p=0.4)"


MISTAKES = {
    "nan": (
        "ValueError",
        "rank {}: the gradient of parameter 'layer 1', of shape (4, 3), is not finite (1 nan, 0 inf); "
        "nothing was changed",
    ),
    "inf": ("ValueError", "rank {}: the gradient of parameter 'layer 1', of shape (4, 3), is not finite"),
    "no gradient": ("ValueError", "rank {}: parameter 'layer 0' has no gradient; nothing was changed"),
    "radius": ("ValueError", "rank {}: radius must be finite and > 0"),
    "closure": ("RuntimeError", "rank {}: ZeroDivisionError: division by zero"),
    "state": ("ValueError", "rank {}: the saved state is that of rank "),
    "late": ("ValueError", "different (steps, seed), rank by rank: [(2, 3), "),
    "start": (
        "ValueError",
        "parameter 'layer 1' differs between rank 0 and rank {}: call torch.distributed.broadcast",
    ),
    "options": (
        "ValueError",
        "worker_compressor of group 0 differs between rank 0 and rank {}: TopK(K=3) and TopK(K=4)",
    ),
    "one workers": ("ValueError", "rank {}: workers must be "),
}


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.parametrize(("n", "bad"), [(2, 1), (4, 2)])
def test_a_mistake_of_one_rank_is_told_to_all(two, four, n, bad, name):
    ranks = {2: two, 4: four}[n]
    kind, text = MISTAKES[name]
    errors = [found["bad"][name] for found in ranks]
    assert len(set(errors)) == 1
    assert errors[0] is not None
    assert errors[0][0] == kind
    assert text.format(bad) in errors[0][1]


def test_mistakes_of_the_server_and_of_all(two, four):
    said = "the gradient of parameter 'layer 1', of shape (4, 3), is not finite"
    for ranks in (two, four):
        for found in ranks:
            kind, text = found["bad"]["server"]
            assert (kind, text.startswith(f"rank 0: {said} (1 nan, 0 inf)")) == ("ValueError", True)
            kind, text = found["bad"]["all"]
            others = "rank 1" if len(ranks) == 2 else "ranks 1, 2, 3"
            nothing = "nothing was changed"
            assert kind == "ValueError"
            assert (
                text
                == f"rank 0: {said} (0 nan, 1 inf); {nothing}; {others}: {said} (1 nan, 0 inf); {nothing}"
            )


def test_mistakes_change_nothing(two, four):
    for ranks in (two, four):
        for found in ranks:
            assert found["bad"]["unchanged"]
            assert torch.equal(found["bad"]["goes on"], ranks[0]["cases"]["top both ways"]["x"][-1])


def test_another_number_of_workers(two, four):
    said = "workers must be 2, the number of processes in the group, got 3"
    assert [found["bad"]["workers"] for found in two] == [("ValueError", f"ranks 0, 1: {said}")] * 2
    assert four[0]["bad"]["workers"][1].startswith("ranks 0, 1, 2, 3: workers must be 4")


def test_compressors_that_do_not_shrink_are_told(two):
    ((kind, text, where),) = two[0]["bad"]["warned"]
    assert kind == "RuntimeWarning"
    assert text.startswith("server_compressor RankK(K=1) is not known to shrink parameter 'layer 0' in Spect")
    assert where == "ef21_processes.py"
    assert two[1]["bad"]["warned"] == []


@pytest.mark.parametrize(("n", "victim", "how"), [(3, 2, "dies"), (2, 1, "is silent"), (2, 0, "dies")])
def test_a_worker_that_is_gone(tmp_path, n, victim, how):
    """The others are told within the timeout of the group, 3 s, and keep what they had."""
    context = forked_context()
    arguments = [(rank, n, str(tmp_path), victim, how) for rank in range(n)]
    processes = [context.Process(target=work.dying, args=each) for each in arguments]
    for process in processes:
        process.start()
    others = [rank for rank in range(n) if rank != victim]
    for rank in others:
        processes[rank].join(60)
        assert processes[rank].exitcode == 0
    processes[victim].kill()
    processes[victim].join()
    for rank in others:
        (kind, text), took, unchanged = torch.load(tmp_path / f"{rank}.pt")
        assert kind == "WorkerLost"
        met = victim if rank == 0 else 0
        assert f"rank {rank} of {n} lost rank {met} after 2 steps" in text
        assert "start all processes again, each from its last saved state" in text
        assert took < 10
        assert unchanged
        if rank and victim:
            assert "the server lost rank 2" in text


# -- one process ----------------------------------------------------------------------------------------


def test_without_a_process_group():
    with pytest.raises(RuntimeError, match="no process group: call torch"):
        EF21Muon([nn.Parameter(torch.ones(2, 2))])


@pytest.fixture
def alone(tmp_path):
    """A process group of this process."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def network():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(7, 6), nn.Conv1d(4, 5, 3), nn.Flatten(), nn.Linear(20, 3))
    net.register_parameter("gain", nn.Parameter(torch.ones(())))
    return net


def gradients(net, k):
    generator = torch.Generator().manual_seed(k)
    for p in net.parameters():
        p.grad = torch.randn(p.shape, generator=generator)


def groups(net):
    return groups_for(net, output="3", radii={"output": 3.0})


@pytest.mark.parametrize("beta", [0.0, 0.8])
def test_alone_and_whole_it_is_gluon(alone, beta):
    """Embeddings, convolutions, biases, a number, in float32; nothing is sent."""
    nets = network(), network()
    ours, theirs = EF21Muon(groups(nets[0]), 0.1, beta, workers=1), Gluon(groups(nets[1]), 0.1, beta)
    for k in range(5):
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            gradients(net, k)
            optimizer.step()
    for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-5)
    assert ours.sent.total_up == ours.sent.total_down == ours.received.total_up == 0
    assert ours.whole_bytes == 4 * (42 + 65 + 63 + 1)


def test_groups_have_their_own_compressors(alone):
    """Messages to oneself are compressed all the same; a scheduler moves lr; a closure gives the loss."""
    p, q = nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(4))
    options = {"norm": "bias", "server_compressor": Identity(), "worker_compressor": Identity()}
    pair = {"server_compressor": TopK(2), "contracts_in": "frobenius"}
    optimizer = EF21Muon([{"params": [p], "norm": "max"}, {"params": [q], **options}], lr=1.0, **pair)
    halved = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    p.grad, q.grad = torch.ones(3, 4), torch.ones(4)
    assert optimizer.step(lambda: 7.0) == 7.0
    halved.step()
    assert p.count_nonzero() == 2
    assert torch.equal(q, torch.full((4,), -1.0))
    optimizer.step()
    assert torch.equal(q, torch.full((4,), -1.5))


def test_a_copy_goes_on_by_itself(alone):
    p = nn.Parameter(torch.zeros(3, 4))
    optimizer = EF21Muon([p], worker_compressor=TopK(2), contracts_in="frobenius", beta=0.5)
    for k in range(3):
        p.grad = torch.ones(3, 4) + k
        optimizer.step()
    other = copy.deepcopy(optimizer)
    (q,) = other.param_groups[0]["params"]
    q.grad, p.grad = torch.eye(3, 4), torch.eye(3, 4)
    other.step()
    assert not torch.equal(p, q)
    optimizer.step()
    assert torch.equal(p, q)


def test_bad_arguments(alone):
    p = nn.Parameter(torch.ones(3, 2))

    def refused(kind, match, params=None, **options):
        with pytest.raises(kind, match=match):
            EF21Muon([p] if params is None else params, **options)

    refused(TypeError, "worker_compressor must be a Compressor such as TopK", worker_compressor="top")
    refused(ValueError, r"contracts_in must be one of \('layers', 'frobenius'\), got 'l2'", contracts_in="l2")
    refused(ValueError, "seed must be an integer", seed=0.5)
    refused(ValueError, "workers must be 1, the number of processes in the group, got 2", workers=2)
    refused(ValueError, "float32 or float64, got torch.bfloat16", [nn.Parameter(torch.ones(2, 2).bfloat16())])
    refused(ValueError, "does not require a gradient: leave it out", [torch.ones(2, 2)])
    refused(ValueError, 'norm="bias"', [nn.Parameter(torch.ones(2))])
    optimizer = EF21Muon([p])
    with pytest.raises(ValueError, match="takes all groups when it is made"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2, 2))]})
    with pytest.raises(ValueError, match="not one of EF21Muon: it lacks worker"):
        optimizer.load_state_dict(Gluon([p]).state_dict())


def test_gradients_that_leave_the_floats_together(alone):
    """Natural may double 3e38."""
    p = nn.Parameter(torch.zeros(2, 2))
    optimizer = EF21Muon([p], worker_compressor=Natural(), contracts_in="frobenius", beta=0.0)
    p.grad = torch.ones(2, 2)
    optimizer.step()
    before = p.detach().clone()
    p.grad = torch.full((2, 2), 3.4e38)
    with pytest.raises(ValueError, match="server's step of parameter 0 of group 0 is not finite; nothing"):
        optimizer.step()
    assert torch.equal(p, before)


def test_a_message_of_the_server_that_leaves_the_floats(alone):
    """The step is finite, and Natural doubles it."""
    p = nn.Parameter(torch.zeros(4, 4))
    optimizer = EF21Muon(
        [p], lr=3e38, norm="max", server_compressor=Natural(), contracts_in="frobenius", beta=0.0
    )
    p.grad = torch.ones(4, 4)
    with pytest.raises(ValueError, match="server's step of parameter 0 of group 0 is not finite; nothing"):
        optimizer.step()
    assert torch.equal(p, torch.zeros(4, 4))
    assert not optimizer.state


def test_what_is_no_state_is_refused(alone):
    optimizer = EF21Muon([nn.Parameter(torch.ones(3, 2))], lr=0.3)
    for state in ({}, [], {"state": {}}):
        with pytest.raises(ValueError, match="state_dict must hold state and param_groups"):
            optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.3


# -- messages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 5, 9, 12, 20])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 300_000])
def test_packing(width, count):
    numbers = torch.randint(0, 2**width, (count,), generator=torch.Generator().manual_seed(0))
    packed = pack(numbers, width)
    assert len(packed) == packed_length(count, width) == math.ceil(count * width / 8)
    assert torch.equal(unpack(packed, width, count), numbers)


CODED = (Identity(), TopK(3), TopK(1), RandK(2), RandK(2, True), RankK(1), RankK(2), Natural(), L1Sign())


@pytest.mark.parametrize("compressor", [*CODED, RandomSkip(0.5), RandomSkip(1.0)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("shape", [(5, 7), (1,), (40, 3, 2), (1, 9)], ids=str)
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_messages_say_what_is_left(compressor, dtype, shape, scale):
    d, rng = math.prod(shape), torch.Generator().manual_seed(1)
    x = scale * torch.randn(d, dtype=dtype, generator=rng)
    x[0] = 0.0 if d > 1 else x[0]
    space = compressor.space(shape)
    u = space.value(torch.rand(space.width, dtype=torch.float64, generator=rng))
    code = code_of(compressor, shape, dtype, lambda: u)
    message = code.encode(x, u)
    assert message.dtype == torch.uint8
    assert message.numel() == code.length
    spent = float(compressor.spent(u, shape, 8 * dtype.itemsize))
    assert 0 <= 8 * code.length - spent < 8
    error = (code.decode(message) - compressor(x, u, shape)).abs().max()
    assert error <= (
        4 * torch.finfo(dtype).eps * x.abs().max() * d**0.5 if isinstance(compressor, RankK) else 0
    )


def test_powers_below_the_normal_numbers_become_zero():
    x = torch.tensor([2.0**-1030, -(2.0**-1022), 2.0**1023], dtype=torch.float64)
    code = code_of(Natural(), (3,), torch.float64, lambda: x)
    kept = code.decode(code.encode(x, torch.zeros(3, dtype=torch.float64)))
    assert kept.tolist() == [0.0, -(2.0**-1022), 2.0**1023]


# -- the page -------------------------------------------------------------------------------------------


def test_the_example_stands_in_the_page():
    text = (ROOT / "docs/examples/train_ef21_muon.py").read_text()
    assert text.split('"""\n\n', 1)[1].rstrip() in (ROOT / "docs/optim.md").read_text()


@pytest.mark.slow
def test_the_example_runs(tmp_path):
    out = printed(ROOT / "docs/examples/train_ef21_muon.py", folder=tmp_path).splitlines()
    assert out[0].split(", ", 1)[1] == "bytes up 10448, down 14472"
    assert float(out[0].split()[1].rstrip(",")) > 0.95
    assert out[1] == "without compression 104488 each way"


@pytest.mark.slow
def test_the_table_is_that_of_the_benchmark(tmp_path):
    """Bytes of a few steps; the skipped ones are random."""
    arguments = ("--steps", "3", "--json", str(tmp_path / "found.json"))
    printed(ROOT / "benchmarks/bytes.py", *arguments, folder=tmp_path)
    page = (ROOT / "docs/optim.md").read_text()
    for name, found in json.loads((tmp_path / "found.json").read_text())["results"].items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {name} "))
        if "Skip" not in name:
            assert [float(cell) for cell in row.split("|")[2:4]] == [found["up"], found["down"]]
