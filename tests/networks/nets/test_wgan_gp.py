"""Generator and critic: the paper's layers, values in [0, 1], no checkerboard to begin with, rows apart."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.networks.nets import WGANCritic, WGANGenerator
from monai_cardiacgen.networks.nets.wgan_gp import _UpsamplingConvolution
from monai_cardiacgen.seeding import seeded

DIMS = pytest.mark.parametrize("dims", [2, 3])
WEIGHTED = (nn.Linear, nn.Conv2d, nn.Conv3d, _UpsamplingConvolution)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(1))


def pair(dims: int, patch_size: int = 16, features: int = 4) -> tuple[WGANGenerator, WGANCritic]:
    torch.manual_seed(0)
    return (
        WGANGenerator(dims, patch_size, latent_size=7, features=features),
        WGANCritic(dims, patch_size, features=features),
    )


@pytest.mark.parametrize(("patch_size", "hidden"), [(64, 5), (128, 6), (256, 7)])
def test_one_input_layer_the_hidden_ones_and_one_output_layer(patch_size, hidden):
    for network in (WGANGenerator(2, patch_size, features=1), WGANCritic(2, patch_size, features=1)):
        assert sum(isinstance(module, WEIGHTED) for module in network.modules()) == 1 + hidden + 1


@pytest.mark.parametrize("patch_size", [64, 128, 256])
def test_shapes_and_range_in_two_dimensions(patch_size):
    patches = WGANGenerator(2, patch_size, out_channels=2, features=2)(normal(3, 100))
    assert patches.shape == (3, 2, patch_size, patch_size)
    assert 0 <= float(patches.min().detach()) < float(patches.max().detach()) <= 1
    assert WGANCritic(2, patch_size, in_channels=2, features=2)(patches).shape == (3,)


def test_shapes_in_three_dimensions():
    generator, critic = pair(3, patch_size=32)
    patches = generator(normal(2, 7))
    assert patches.shape == (2, 1, 32, 32, 32)
    assert critic(patches).shape == (2,)


@DIMS
def test_doubling_is_nearest_upsampling_and_a_convolution(dims):
    layer = _UpsamplingConvolution(dims, 3, 2).double()
    x = normal(2, 3, *(4, 5, 3)[:dims]).double()
    kernel = layer.weight.transpose(0, 1).flip(*range(2, dims + 2))  # a transposed convolution turns its kernel round
    convolution = F.conv2d if dims == 2 else F.conv3d
    expected = convolution(F.interpolate(x, scale_factor=2.0, mode="nearest"), kernel, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected)


@DIMS
def test_a_flat_area_has_no_checkerboard_where_a_free_transposed_convolution_has_one(dims):
    def unevenness(layer: nn.Module) -> float:
        with torch.no_grad():
            inner = layer(torch.ones(1, 8, *(8,) * dims))[(..., *(slice(4, -4),) * dims)]
        return float(inner.flatten(2).std(dim=2).max())

    torch.manual_seed(0)
    free = (nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d)(8, 2, kernel_size=4, stride=2, padding=1)
    assert unevenness(_UpsamplingConvolution(dims, 8, 2)) < 1e-6
    assert unevenness(free) > 1e-2


@DIMS
def test_a_row_does_not_depend_on_its_batch_in_training_either(dims):
    generator, critic = pair(dims)
    latent = normal(3, 7)
    patches = generator.train()(latent)
    torch.testing.assert_close(generator(latent[1:]), patches[1:], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(critic.train()(patches[1:]), critic(patches)[1:], rtol=1e-4, atol=1e-6)
    for network in (generator, critic):
        assert not list(network.buffers()) or all(name.endswith("box") for name, _ in network.named_buffers())


@DIMS
def test_gradient_reaches_every_parameter_and_the_latent(dims):
    generator, critic = pair(dims)
    latent = normal(2, 7).requires_grad_()
    critic(generator(latent)).square().sum().backward()
    assert latent.grad is not None
    assert latent.grad.any()
    for network in (generator, critic):
        assert [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()] == []


def test_features_keep_their_size_through_all_layers_at_the_start():
    """He's variance: a score varies, and its gradient is neither lost nor exploded, for the largest patch too."""
    for patch_size in (64, 256):
        torch.manual_seed(1)
        critic = WGANCritic(2, patch_size, features=4)
        patches = torch.rand(4, 1, patch_size, patch_size, generator=seeded(2)).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(patches).sum(), patches)
        norm = gradient.flatten(1).norm(dim=1)
        assert (norm > 0.1).all()
        assert (norm < 10).all()


@DIMS
def test_arguments_build_the_same_network_again(dims):
    for network, inputs in zip(pair(dims), (normal(2, 7), torch.rand(2, 1, *(16,) * dims)), strict=True):
        twin = type(network)(**network.arguments)
        twin.load_state_dict(network.state_dict())
        assert torch.equal(twin(inputs), network(inputs))


@DIMS
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_export_and_trace_serve(dims):
    inputs = (normal(2, 7), torch.rand(2, 1, *(16,) * dims, generator=seeded(3)))
    for network, one in zip(pair(dims), inputs, strict=True):
        with torch.no_grad():
            expected = network.eval()(one)
            torch.testing.assert_close(torch.export.export(network, (one,)).module()(one), expected)
            traced = torch.jit.trace(network, (one,), check_trace=False)
            more = torch.cat((one, one))
            torch.testing.assert_close(traced(more), network(more))


@pytest.mark.parametrize("patch_size", [4, 96, 0, -8, 65])
def test_a_size_that_cannot_be_doubled_to_is_refused(patch_size):
    for network in (WGANGenerator, WGANCritic):
        with pytest.raises(InputError, match="power of two"):
            network(2, patch_size)


@pytest.mark.parametrize("name", ["out_channels", "latent_size", "features"])
def test_numbers_that_are_not_positive_are_refused(name):
    with pytest.raises(InputError, match=name):
        WGANGenerator(2, 16, **{name: 0})


def test_inputs_of_another_shape_are_refused():
    generator, critic = pair(2)
    with pytest.raises(ShapeError, match=r"latents \(B, 7\)"):
        generator(normal(2, 8))
    with pytest.raises(ShapeError, match=r"latents \(B, 7\)"):
        generator(normal(7))
    with pytest.raises(ShapeError, match="channels"):
        critic(torch.rand(2, 2, 16, 16))
    with pytest.raises(ShapeError, match="Expected"):
        critic(torch.rand(2, 1, 16, 16, 16))
    with pytest.raises(ShapeError, match="sides of 16"):
        critic(torch.rand(2, 1, 16, 32))
