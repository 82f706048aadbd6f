"""A probe from the outside: arguments, attaching, results, files, going on."""

import json
import re

import numpy as np
import pytest
import scipy.io
import torch
import xarray
from torch import nn

from workbench.probes.probe import NotFiniteError, SmoothnessProbe
from workbench.probes.result import QUANTITIES, ProbeFileError, load, load_manifest

X = torch.randn(24, 5, generator=torch.Generator().manual_seed(1))
Y = torch.randint(3, (24,), generator=torch.Generator().manual_seed(2))


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def probe_of(model, optimizer, **options):
    given = {"loss": loss, "batch": (X, Y), "norms": "scion", "output": "2", "every": 2, "announce": None}
    return SmoothnessProbe(model, optimizer, **{**given, **options})


def train(model, optimizer, probe, steps, first=0):
    for k in range(first, first + steps):
        optimizer.zero_grad()
        rows = torch.arange(3 * k, 3 * k + 8) % len(X)
        probe.saw((X[rows], Y[rows]))
        loss(model, (X[rows], Y[rows])).backward()
        optimizer.step()


def probed(steps=5, **options):
    model = network()
    optimizer = sgd(model)
    with probe_of(model, optimizer, **options) as probe:
        train(model, optimizer, probe, steps)
    assert not probe.stopped
    return probe


# -- arguments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"every": 0}, ValueError, "every must be an integer >= 1, got 0"),
        ({"every": 2.5}, ValueError, "every must be an integer >= 1, got 2.5"),
        ({"level": "all"}, ValueError, "level must be among pair, radii,.*got 'all'"),
        ({"level": ("pair", 3)}, TypeError, "level must be a name or names"),
        ({"scales": (0.5, 0.0)}, ValueError, "scales must be finite and > 0, got 0.0"),
        ({"scales": (0.5, -1.0)}, ValueError, "scales must be finite and > 0, got -1.0"),
        ({"scales": (0.5, float("nan"))}, ValueError, "scales must be finite and > 0, got nan"),
        ({"scales": ()}, ValueError, "scales must hold a number"),
        ({"nodes": 0}, ValueError, "nodes must be an integer >= 1, got 0"),
        ({"rounds": 0}, ValueError, "rounds must be an integer >= 1, got 0"),
        ({"mode": "training"}, ValueError, "mode must be"),
        ({"chunk": 0}, ValueError, "chunk must be"),
        ({"seed": 0.5}, ValueError, "seed must be"),
        ({"dtype": torch.bfloat16}, ValueError, "dtype must be"),
        ({"loss": None}, TypeError, "loss must be"),
        ({"batch": "next"}, ValueError, 'batch must be a fixed set of tensors, "training" or "different"'),
        ({"batch": 3.0}, TypeError, "batch must be a tensor, or a tuple"),
        ({"batch": (X, Y[:3])}, ValueError, "batch must hold tensors that share their first axis"),
        ({"batch": "different", "level": "radii"}, ValueError, "two losses, and level 'radii' needs one"),
        ({"norms": "optimizer"}, ValueError, "workbench.optim"),
        ({"norms": {"nowhere.*": "hidden"}}, ValueError, "no pattern for parameter '0.weight'"),
        ({"norms": {"*": "max", "nowhere.*": "hidden"}}, ValueError, "'nowhere.*', which matches no"),
        ({"output": "7"}, ValueError, "output must name a module"),
        ({"groups": {"first": "0.*"}}, ValueError, "groups must hold every layer once"),
        ({"groups": {"first": "nowhere.*"}}, ValueError, "'nowhere.\\*', which matches no"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_bad_options_are_named_before_anything_is_attached(options, error, words):
    model = network()
    optimizer = sgd(model)
    with pytest.raises(error, match=words):
        probe_of(model, optimizer, **options)
    probe_of(model, optimizer).attach().detach()


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        (lambda model: None, TypeError, "optimizer must be a torch optimizer, or a list"),
        (lambda model: [], TypeError, "optimizer must be a torch optimizer, or a list"),
        (lambda model: [sgd(model)] * 2, ValueError, "different optimizers, got one twice"),
        (lambda model: sgd(network()), ValueError, "optimizer holds no parameter of model"),
    ],
    ids=["none", "empty", "twice", "of another model"],
)
def test_bad_optimizers(made, error, words):
    model = network()
    with pytest.raises(error, match=words):
        probe_of(model, made(model))


def test_bad_batches_of_a_step_are_refused_at_once():
    probe = probe_of(*(lambda m: (m, sgd(m)))(network()), batch="training")
    with probe, pytest.raises(ValueError, match="share their first axis"):
        probe.saw((X, Y[:2]))


# -- attaching ------------------------------------------------------------------------------------------


def test_attaching_twice():
    model = network()
    optimizer, other = sgd(model), sgd(model)
    first, second = probe_of(model, optimizer), probe_of(model, [other, optimizer])
    with first:
        for probe in (first, second):
            with pytest.raises(RuntimeError, match="attached to this SGD already; detach it first"):
                probe.attach()
        probe_of(model, other).attach().detach()  # nothing of the second stayed behind
    with second:
        train(model, optimizer, second, 1)
    assert second.result()["step"].values.tolist() == [0]


def test_detaching_keeps_the_rows_and_loses_the_open_step():
    model = network()
    optimizer = sgd(model)
    probe = probe_of(model, optimizer).attach()
    train(model, optimizer, probe, 3)
    inside = optimizer.register_step_pre_hook(lambda *_: probe.detach())  # after the hook of the probe
    train(model, optimizer, probe, 2, first=3)
    inside.remove()
    train(model, optimizer, probe, 2, first=5)
    assert probe.result()["step"].values.tolist() == [0, 2]
    probe.detach()
    with probe:  # counts on
        train(model, optimizer, probe, 3, first=7)
    assert probe.result()["step"].values.tolist() == [0, 2, 4, 6]
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


def test_an_error_in_the_training_detaches():
    model = network()
    optimizer = sgd(model)
    probe = probe_of(model, optimizer)

    def broken():
        with probe:
            train(model, optimizer, probe, 3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert probe.result()["step"].values.tolist() == [0, 2]
    probe_of(model, optimizer).attach().detach()


def test_norms_and_costs_are_told_before_the_first_step(capsys):
    said = []
    model = network()
    optimizer = sgd(model)
    probe = probe_of(model, optimizer, level="radii, coupling", every=50, announce=said.append)
    assert not said
    with probe:
        pass
    (text,) = said
    assert re.search(r"^0\.weight +6x5 +hidden$", text, re.MULTILINE)
    assert re.search(r"^2\.weight +3x6 +output$", text, re.MULTILINE)
    assert text.endswith(probe.cost())
    assert "8 gradients of 24 rows (pair 2, radii 4, coupling 2)" in probe.cost()
    assert "every 50 steps that is 16 % of a training" in probe.cost()
    training = probe_of(model, optimizer, batch="training", every=20)
    assert "1 gradients of the batch of the step (pair 1)" in training.cost()
    assert "that is 5 %" in training.cost()
    assert capsys.readouterr() == ("", "")
    with SmoothnessProbe(model, optimizer, loss=loss, batch=(X, Y), norms="euclidean"):
        pass
    out, err = capsys.readouterr()
    assert not out
    assert "euclidean" in err


# -- results --------------------------------------------------------------------------------------------


def test_a_result_says_what_it_is():
    result = probed(level="radii, coupling", scales=(0.5, 1.0), groups={"low": "0.*", "high": "2.*"}).result()
    assert dict(result.sizes) == {"probe": 3, "layer": 4, "scale": 2, "moved": 2}
    assert result["step"].values.tolist() == [0, 2, 4]
    assert result["layer"].values.tolist() == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert result["shape"].values.tolist() == ["6x5", "6", "3x6", "3"]
    assert result["norm"].values.tolist() == ["hidden", "bias", "output", "bias"]
    assert result["size"].values.tolist() == [30, 6, 18, 3]
    assert result["moved"].values.tolist() == ["low", "high"]
    expected = {name for name, q in QUANTITIES.items() if q.level in ("pair", "radii", "coupling")}
    assert set(result.data_vars) == expected
    for name, variable in result.data_vars.items():
        assert variable.dims == QUANTITIES[name].dims
        assert variable.dtype == np.float64
        assert variable.attrs.keys() == {"long_name", "units", "formula"}
        assert bool(variable.notnull().all()), name
    said = {
        "format": "workbench-probe-1",
        "batch": "fixed",
        "every": 2,
        "dtype": "float32",
        "seed": 0,
        "rows": 24,
    }
    assert said.items() <= result.attrs.items()
    assert "fact about the loss" in result.attrs["estimator"]


def test_no_rows_is_a_result_too(tmp_path):
    probe = probed(steps=0)
    probe.save(tmp_path)
    assert load(tmp_path).sizes["probe"] == 0
    xarray.testing.assert_identical(load(tmp_path), probe.result())


def test_one_row_has_no_noise_and_two_have():
    one = probed(batch=(X[:1], Y[:1])).result()
    two = probed(batch=(X[:2], Y[:2])).result()
    for name in ("noise", "ratio_noise"):
        assert bool(one[name].isnull().all())
        assert bool(two[name].notnull().all())
    assert bool(one["ratio"].notnull().all())


def test_halves_of_unequal_size_make_the_whole():
    """Weights by rows: 23 rows in 11 and 12 are the set that one chunk sees."""
    probe = probed(batch=(X[:23], Y[:23]), dtype=torch.float64)
    model = network().double()
    result = probe.result()
    value = loss(model, (X[:23].double(), Y[:23]))
    value.backward()
    assert float(result["loss"][0]) == pytest.approx(float(value.detach()), rel=1e-12)
    lengths = [float(p.grad.norm()) for p in model.parameters()]
    assert result["gradnorm_2"][0].values == pytest.approx(lengths, rel=1e-12)


def test_files_need_nothing_of_ours(tmp_path):
    probe = probed(level="radii, coupling")
    folder = probe.save(tmp_path / "new" / "folder")
    result = probe.result()
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "probe.nc"]
    with scipy.io.netcdf_file(folder / "probe.nc", mmap=False) as file:
        assert file.variables["ratio"][:].tolist() == result["ratio"].values.tolist()
        assert file.variables["ratio"].formula == QUANTITIES["ratio"].formula.encode()
        assert file.batch == b"fixed"
    with xarray.open_dataset(folder / "probe.nc", engine="scipy") as stored:
        assert stored["step"].values.tolist() == [0, 2, 4]
    xarray.testing.assert_identical(load(folder), result)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == load_manifest(folder)
    assert manifest["model"] == "Sequential"
    assert manifest["parameters"] == 57
    assert manifest["layers"][2] == {"name": "2.weight", "shape": "3x6", "norm": "output"}
    assert re.fullmatch("[0-9a-f]{64}", manifest["sha256"])
    assert "torch " in manifest["versions"]
    probe.save(folder)
    xarray.testing.assert_identical(load(folder), result)


def test_the_sha256_is_that_of_the_set(tmp_path):
    found = []
    for batch in ((X, Y), (X, Y), (X + 1e-6, Y), [X, Y]):
        probed(steps=0, batch=batch).save(tmp_path)
        found.append(load_manifest(tmp_path)["sha256"])
    assert found[0] == found[1]
    assert len(set(found)) == 3
    probed(steps=0, batch=(X.bfloat16(), Y)).save(tmp_path)
    assert load_manifest(tmp_path)["sha256"] not in found


def test_folders_that_hold_no_result(tmp_path):
    with pytest.raises(ProbeFileError, match=r"manifest\.json is not there"):
        load(tmp_path / "nowhere")
    probe = probed()
    probe.save(tmp_path)
    path = tmp_path / "probe.nc"
    whole, said = path.read_bytes(), (tmp_path / "manifest.json").read_text()
    for n in (0, 3, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(ProbeFileError, match=r"probe\.nc cannot be read, it is damaged"):
            load(tmp_path)
    path.unlink()
    with pytest.raises(ProbeFileError, match=r"probe\.nc is not there"):
        load(tmp_path)
    probe.result().assign_attrs(format="other").to_netcdf(path, engine="scipy")
    with pytest.raises(ProbeFileError, match="has the format 'other', and 'workbench-probe-1' can be read"):
        load(tmp_path)
    path.write_bytes(whole)
    (tmp_path / "manifest.json").write_text(said[:40])
    with pytest.raises(ProbeFileError, match=r"manifest\.json cannot be read, it is damaged"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ProbeFileError, match="has the format None"):
        load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ProbeFileError, match="cannot be written to"):
        probe.save(tmp_path / "file")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    probe = probed()
    probe.save(tmp_path)
    before = (tmp_path / "probe.nc").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xarray.Dataset, "to_netcdf", full)
    with pytest.raises(ProbeFileError, match="No space left"):
        probed(steps=2).save(tmp_path)
    assert (tmp_path / "probe.nc").read_bytes() == before


# -- two points -----------------------------------------------------------------------------------------


def test_a_pair_of_states_is_the_row_of_the_step_between_them():
    model = network()
    optimizer = sgd(model)
    states = [{name: value.clone() for name, value in model.state_dict().items()}]
    with probe_of(model, optimizer, level="radii") as probe:
        train(model, optimizer, probe, 1)
    states.append(model.state_dict())
    pair, result = probe.pair(*states, step=7), probe.result()
    assert pair.attrs["batch"] == "pair"
    assert pair["step"].values.tolist() == [7]
    for name in set(result.data_vars) - {"seconds"}:
        assert pair[name].values.tolist() == result[name].values.tolist(), name
    assert probe.result().sizes["probe"] == 1
    inside = [{f"module.{name}": value for name, value in state.items()} for state in states]
    assert probe.pair(*inside)["ratio"].values.tolist() == pair["ratio"].values.tolist()


def test_states_that_do_not_fit():
    model = network()
    probe = probe_of(model, sgd(model))
    good = dict(model.state_dict())
    lacking = {name: value for name, value in good.items() if name != "2.bias"}
    with pytest.raises(ValueError, match=r"state has no parameter '2\.bias'; it has 0\.weight, .*, head$"):
        probe.pair(good, {**lacking, "head": X})
    with pytest.raises(ValueError, match="state has head, which the model has not"):
        probe.pair(good, {**good, "head": X})
    with pytest.raises(TypeError, match="state must be a state_dict of the model, got list"):
        probe.pair([X], good)
    with pytest.raises(ValueError, match=r"shape \(6, 5\) for '0\.weight', got \(24, 5\)"):
        probe.pair({**good, "0.weight": X}, good)
    with pytest.raises(NotFiniteError, match="loss after the step is nan"):
        probe.pair(good, {**good, "0.weight": good["0.weight"] * torch.nan})
    with pytest.raises(TypeError, match="state_dict of the model, got list"):
        probe.pair([good], good)
    with pytest.raises(ValueError, match="pair needs a fixed set as batch, and this probe has 'training'"):
        probe_of(model, sgd(model), batch="training").pair(good, good)


# -- going on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(X, Y), "training", "different"], ids=["fixed", "training", "different"])
def test_a_probe_that_goes_on_is_one_that_never_stopped(batch, tmp_path):
    whole = probed(steps=7, batch=batch).result()
    model = network()
    optimizer = sgd(model)
    with probe_of(model, optimizer, batch=batch) as probe:
        train(model, optimizer, probe, 3)
        states = [each.state_dict() for each in (model, optimizer, probe)]
        torch.save(states, tmp_path / "states")
        train(model, optimizer, probe, 1, first=3)  # what is saved does not follow
    states = torch.load(tmp_path / "states", weights_only=True)
    model = network()
    optimizer = sgd(model)
    with probe_of(model, optimizer, batch=batch) as probe:
        for each, state in zip((model, optimizer, probe), states, strict=True):
            each.load_state_dict(state)
        train(model, optimizer, probe, 4, first=3)
    xarray.testing.assert_identical(probe.result().drop_vars("seconds"), whole.drop_vars("seconds"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 3}, "every is 2 there and 3 here"),
        ({"level": "radii"}, "level is 'pair' there and 'pair, radii' here"),
        ({"batch": (X + 1, Y)}, "sha256 of the fixed set is"),
        ({"batch": "training"}, "batch is 'fixed' there and 'training' here"),
        ({"norms": "euclidean"}, "layer 0.weight is '6x5 hidden' there and '6x5 euclidean' here"),
        ({"dtype": torch.float64}, "dtype is 'float32' there and 'float64' here"),
        ({"seed": 4}, "seed is 0 there and 4 here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_setting_is_refused(options, words):
    state = probed().state_dict()
    model = network()
    probe = probe_of(model, sgd(model), **options)
    with pytest.raises(ValueError, match=f"state is that of another probe: .*{re.escape(words)}"):
        probe.load_state_dict(state)
    assert probe.result().sizes["probe"] == 0


def test_another_network_is_refused():
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
    probe = probe_of(model, sgd(model))
    with pytest.raises(ValueError, match=r"layer 0\.weight is '6x5 hidden' there and '4x5 hidden' here"):
        probe.load_state_dict(probed().state_dict())
    with pytest.raises(ValueError, match="of format 'workbench-probe-1', got None"):
        probe.load_state_dict({"step": 3})
    with pytest.raises(ValueError, match="got 'list'"):
        probe.load_state_dict([])


def test_an_announcement_that_fails_leaves_nothing_attached():
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def fails(_):
        raise OSError("no room")

    options = {"loss": lambda m, x: m(x).mean(), "batch": torch.ones(2, 2), "norms": "euclidean"}
    with pytest.raises(OSError, match="no room"):
        SmoothnessProbe(model, optimizer, announce=fails, **options).attach()
    with SmoothnessProbe(model, optimizer, announce=None, **options):
        pass
