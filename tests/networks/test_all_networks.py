"""What every network keeps, written once: add a line to `NETWORKS` for a new one."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.networks.nets.conditional_patch_critic import ConditionalPatchCritic
from monai_cardiacgen.networks.nets.conditional_unet import ConditionalUNetGenerator
from monai_cardiacgen.networks.nets.enet import ENet
from monai_cardiacgen.networks.nets.inpainting_generator import InpaintingGenerator
from monai_cardiacgen.networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from monai_cardiacgen.networks.nets.spade_generator import SPADEGenerator
from monai_cardiacgen.networks.nets.style_encoder import StyleEncoder
from monai_cardiacgen.seeding import seeded


@dataclass(frozen=True)
class Network:
    """A small network with the inputs of its `forward`.

    Attributes:
        build: makes it for 2 or 3 dimensions.
        inputs: makes its inputs for a batch size and a spatial size; the image or label map comes first.
        out_shape: the output's shape without the batch axis, for `SIZES`; "spatial" stands for the size.
        factor: what every side must be a multiple of; 1 for any size.
    """

    build: Callable[[int], nn.Module]
    inputs: Callable[[int, tuple[int, ...]], tuple[torch.Tensor, ...]]
    out_shape: tuple[int | str, ...]
    factor: int


SIZES = {2: (32, 16), 3: (16, 16, 32)}


def image(batch: int, size: tuple[int, ...], channels: int = 1) -> torch.Tensor:
    return torch.rand(batch, channels, *size, generator=seeded(1))


def one_hot(batch: int, size: tuple[int, ...]) -> torch.Tensor:
    classes = torch.randint(4, (batch, *size), generator=seeded(2))
    return nn.functional.one_hot(classes, 4).movedim(-1, 1).float()


def normal(batch: int, length: int) -> torch.Tensor:
    return torch.randn(batch, length, generator=seeded(3))


class _MeanAndVariance(StyleEncoder):
    """The style encoder with both heads in one tensor, so that every parameter takes part."""

    def forward(self, image):
        return torch.cat(self.encode(image), dim=1)


class NoisyGenerator(SPADEGenerator):
    """The generator with its noise as plain arguments, one a level."""

    def forward(self, one_hot, style, *noise):
        return super().forward(one_hot, style, noise)


def noise(batch: int, size: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(batch, 1, *size, generator=seeded(4))


NETWORKS = {
    "ENet": Network(
        lambda dims: ENet(dims, in_channels=1, out_channels=4),
        lambda batch, size: (image(batch, size),),
        (4, "spatial"),
        8,
    ),
    "AnatomicalVAE": Network(
        lambda dims: AnatomicalVAE(dims, 4, SIZES[dims], latent_size=3, channels=(8, 12, 16), condition_size=2),
        lambda batch, size: (one_hot(batch, size), normal(batch, 2), normal(batch, 3)),
        (4, "spatial"),
        8,
    ),
    "SPADEGenerator": Network(
        lambda dims: NoisyGenerator(dims, 4, channels=(12, 8), hidden_channels=8, style_size=5, start_size=(4,) * dims),
        lambda batch, size: (
            one_hot(batch, size),
            normal(batch, 5),
            noise(batch, tuple(side // 2 for side in size)),
            noise(batch, size),
        ),
        (1, "spatial"),
        2,
    ),
    "StyleEncoder": Network(
        lambda dims: _MeanAndVariance(dims, channels=(8, 8, 8), style_size=5, end_size=(2,) * dims),
        lambda batch, size: (image(batch, size),),
        (10,),
        8,
    ),
    "MultiscaleDiscriminator": Network(
        lambda dims: MultiscaleDiscriminator(dims, in_channels=5, channels=(8, 8), scales=2),
        lambda batch, size: (image(batch, size, channels=5),),
        ("logits",),
        1,
    ),
    "ConditionalUNetGenerator": Network(
        lambda dims: ConditionalUNetGenerator(dims, in_channels=4, channels=(8, 8, 8)),
        lambda batch, size: (one_hot(batch, size),),
        (1, "spatial"),
        8,
    ),
    "InpaintingGenerator": Network(
        lambda dims: InpaintingGenerator(dims, channels=(8, 8, 8)),
        lambda batch, size: (torch.cat([image(batch, size), *[image(batch, size).round()] * 2], dim=1),),
        (3, "spatial"),
        8,
    ),
    "ConditionalPatchCritic": Network(
        lambda dims: ConditionalPatchCritic(dims, in_channels=5, channels=(8, 8, 8, 8)),
        lambda batch, size: (image(batch, size, channels=5),),
        (1, "patches"),
        8,
    ),
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.parametrize("dims", [2, 3]),
    pytest.mark.parametrize("name", NETWORKS),
]


@pytest.fixture
def network(name, dims) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name].build(dims)


@pytest.fixture
def inputs(name, dims) -> tuple[torch.Tensor, ...]:
    return NETWORKS[name].inputs(2, SIZES[dims])


def test_forward_gives_one_tensor_of_the_promised_shape(name, dims, network, inputs):
    expected = [2]
    for side in NETWORKS[name].out_shape:
        if side == "logits":  # two 4x4 convolutions of stride 1 take one off each side, at full and at half size
            halves = [[(edge // scale) // 2 for edge in SIZES[dims]] for scale in (1, 2)]
            expected.append(sum(math.prod(edge - 2 for edge in half) for half in halves))
            continue
        if side == "patches":
            expected += [edge // 8 for edge in SIZES[dims]]
            continue
        expected += SIZES[dims] if side == "spatial" else [side]
    out = network.eval()(*inputs)
    assert isinstance(out, torch.Tensor)
    assert list(out.shape) == expected
    assert torch.isfinite(out).all()


def test_gradient_reaches_every_parameter(network, inputs):
    network.train()(*inputs).square().sum().backward()
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    dead = [name for name, parameter in network.named_parameters() if name not in without and not parameter.grad.any()]
    assert not without
    assert not dead


def test_inputs_are_left_as_they_were(network, inputs):
    before = copy.deepcopy(inputs)
    network.train()(*inputs)
    for one, other in zip(inputs, before, strict=True):
        assert torch.equal(one, other)


def test_evaluation_repeats_and_a_row_does_not_depend_on_its_batch(network, inputs):
    network.eval()
    with torch.no_grad():
        whole = network(*inputs)
        assert torch.equal(whole, network(*inputs))
        alone = network(*(one[1:] for one in inputs))
    torch.testing.assert_close(alone, whole[1:], rtol=1e-4, atol=1e-5)


def test_state_makes_an_equal_network(name, dims, network, inputs):
    twin = NETWORKS[name].build(dims)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(twin.eval()(*inputs), network.eval()(*inputs))


def test_export_round_trip(network, inputs):
    network.eval()
    with torch.no_grad():
        program = torch.export.export(network, inputs)
        torch.testing.assert_close(program.module()(*inputs), network(*inputs))


def test_torchscript_trace_serves_other_batch_sizes(name, dims, network, inputs):
    network.eval()
    more = NETWORKS[name].inputs(3, SIZES[dims])
    with torch.no_grad():
        traced = torch.jit.trace(network, inputs, check_trace=False)  # the next line checks more
        torch.testing.assert_close(traced(*more), network(*more))


def test_a_size_that_the_depth_does_not_divide_is_refused_with_the_factor(name, dims, network):
    odd = (*SIZES[dims][:-1], SIZES[dims][-1] + 1)
    if NETWORKS[name].factor == 1:
        assert torch.isfinite(network.eval()(*NETWORKS[name].inputs(1, odd))).all()
        return
    with pytest.raises(ShapeError, match=f"multiple of {NETWORKS[name].factor}"):
        network.eval()(*NETWORKS[name].inputs(1, odd))


def test_another_number_of_dimensions_is_refused(network, inputs):
    with pytest.raises(ShapeError, match="Expected"):
        network.eval()(inputs[0][0], *inputs[1:])


def test_another_number_of_channels_is_refused(network, inputs):
    with pytest.raises(ShapeError, match="channels"):
        network.eval()(torch.cat((inputs[0], inputs[0]), dim=1), *inputs[1:])
