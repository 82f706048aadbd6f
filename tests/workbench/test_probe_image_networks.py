"""Networks for images: what they compute and how many parameters they have."""

import pytest
import torch
import torch.nn.functional as F

from workbench.probes.networks import CNN, CNN_SIZES, MLP, MLP_SIZES, count_parameters, seeded, whitening


@pytest.mark.parametrize(("channels", "filters"), [(1, 8), (3, 24)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", sorted(CNN_SIZES))
def test_sizes_of_convolutional_networks(name: str, channels: int, filters: int):
    with torch.device("meta"):
        model = CNN(channels, 10, CNN_SIZES[name], torch.zeros(filters, channels, 2, 2))
    pairs = zip((filters, *CNN_SIZES[name]), CNN_SIZES[name], strict=False)
    groups = sum(9 * o * (i + o) + 2 * o for i, o in pairs)
    count = count_parameters(model)
    assert count == filters + groups + 10 * CNN_SIZES[name][-1]
    nominal = float(name[:-1]) * {"k": 1e3, "M": 1e6}[name[-1]]
    assert nominal == pytest.approx(count, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 2, 2), (1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 3, 9)], ids=str)
@pytest.mark.parametrize("white", [False, True])
def test_images_of_any_size_go_through(shape: tuple[int, ...], white: bool):
    images = torch.randn(5, *shape, generator=torch.Generator().manual_seed(0))
    model = seeded(0, lambda: CNN(shape[0], 4, (3, 5), whitening(images) if white else None))
    logits = model(images)
    assert logits.shape == (5, 4)
    logits.square().sum().backward()
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {name for name, p in model.named_parameters() if p.grad is not None}
    assert ("whiten.weight" in trained, "whiten.bias" in trained) == (False, white)
    assert not any("norm" in name and name.endswith("weight") for name in trained)


def test_whitened_patches_are_white():
    mix = torch.tensor([[2.0, 0.5], [0.0, 0.3]])
    noise = torch.randn(64, 2, 9, 9, generator=torch.Generator().manual_seed(0))
    images = torch.einsum("ij,njhw->nihw", mix, noise)
    filters = whitening(images, eps=0.0)
    assert filters.shape == (16, 2, 2, 2)
    assert torch.equal(filters[:8], -filters[8:])
    seen = F.conv2d(images, filters[:8]).transpose(0, 1).flatten(1)
    torch.testing.assert_close(seen @ seen.T / seen.shape[1], torch.eye(8), rtol=0, atol=1e-4)


def test_convolutions_start_near_the_identity():
    model = seeded(0, lambda: CNN(3, 4, (6,)))
    kernel = model.groups[0].conv1.weight.detach()
    centre = torch.zeros(6, 3, 3, 3)
    for i in range(3):
        centre[i, i, 1, 1] = 1
    assert 0.01 < (kernel - centre).abs().max() < 27**-0.5
    assert (kernel != centre).all()


def test_batch_norms_learn_their_statistics_in_training_only():
    model = seeded(0, lambda: CNN(1, 4, (3,)))
    images = torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    mean = model.get_buffer("groups.0.norm1.running_mean").clone()
    model.eval()(images)
    assert torch.equal(model.get_buffer("groups.0.norm1.running_mean"), mean)
    model.train()(images)
    assert not torch.equal(model.get_buffer("groups.0.norm1.running_mean"), mean)


def test_sizes_of_perceptrons():
    for name, widths in MLP_SIZES.items():
        with torch.device("meta"):
            count = count_parameters(MLP(64, 10, widths))
        assert float(name.removesuffix("k")) == pytest.approx(count / 1e3, rel=0.14), name
    assert count_parameters(MLP(4, 3, ())) == 15


def test_a_perceptron_computes_its_formula():
    model = seeded(0, lambda: MLP(6, 3, (5, 4)))
    rows = torch.randn(7, 2, 3, generator=torch.Generator().manual_seed(0))
    x = rows.reshape(7, 6)
    for layer in model.layers:
        x = F.gelu(x @ layer.weight.T + layer.bias)
    torch.testing.assert_close(model(rows), x @ model.head.weight.T + model.head.bias)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CNN(1, 10, ()), "widths must hold the channels of one group or more"),
        (lambda: CNN(1, 10, (8, 0)), r"widths\[1\] must be an integer >= 1, got 0"),
        (lambda: CNN(0, 10, (8,)), "channels must be an integer >= 1"),
        (
            lambda: CNN(3, 10, (8,), torch.zeros(8, 1, 2, 2)),
            r"whitening must have shape \(filters, 3, 2, 2\)",
        ),
        (lambda: MLP(0, 10, (8,)), "inputs must be an integer >= 1"),
        (lambda: MLP(64, 10, "9k"), "widths must hold integers >= 1, got '9k'"),
        (lambda: MLP(64, 10, (8, -1)), r"widths\[1\] must be an integer >= 1, got -1"),
    ],
    ids=["none", "width", "channels", "white", "inputs", "text", "negative"],
)
def test_networks_that_do_not_fit_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_channel_that_is_largest_on_the_background_does_not_blow_up_gradients():
    """One stroke on an empty background: the maximum of a dark channel is the same in every image."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(64, 1, 16, 16)
    for image, column in zip(images, torch.randint(2, 12, (64,), generator=generator), strict=True):
        image[0, 3:13, column : column + 2] = torch.rand(10, 2, generator=generator)
    images = (images - images.mean()) / images.std()
    model = seeded(0, lambda: CNN(1, 10, (8, 16, 32), whitening(images)))
    labels = torch.randint(10, (64,), generator=generator)
    F.cross_entropy(model(images), labels).backward()
    norms = [float(p.grad.norm()) for p in model.parameters() if p.grad is not None and p.dim() == 4]
    assert len(norms) == 6
    assert max(norms) < 10 * min(norms)
