"""Every network that a bundle ships becomes TorchScript as the model zoo makes it: scripted, not traced."""

from __future__ import annotations

import io

import pytest
import torch
from monai.networks import convert_to_torchscript

from monai_cardiacgen.networks.nets import ConditionalUNetGenerator, ENet, SPADEGenerator, WGANGenerator
from monai_cardiacgen.seeding import seeded


def _spade(dims: int, **changed):
    return SPADEGenerator(dims, 4, channels=(12, 8), hidden_channels=8, start_size=(4,) * dims, **changed)


#: Makes a network, and the sizes of inputs: batch, channels, side.
NETWORKS = {
    "ENet": (lambda dims: ENet(dims, 1, 4), [(2, 1, 32), (1, 1, 16), (1, 1, 40)]),
    "cGAN": (lambda dims: ConditionalUNetGenerator(dims, 4, channels=(4, 8, 8)), [(2, 4, 16), (1, 4, 32)]),
    "SPADE": (_spade, [(1, 4, 8), (3, 4, 8), (1, 4, 6), (1, 4, 16)]),
    "SPADE without style": (lambda dims: _spade(dims, style_size=0, layer_noise=False), [(2, 4, 8), (1, 4, 16)]),
    "WGAN": (lambda dims: WGANGenerator(dims, 16, features=2, latent_size=5), [(2, 5), (1, 5)]),
}


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_scripted_network_gives_what_the_network_gives(name, dims):
    build, shapes = NETWORKS[name]
    torch.manual_seed(0)
    network = build(dims)
    scripted = io.BytesIO()
    torch.jit.save(convert_to_torchscript(network), scripted)
    scripted.seek(0)
    loaded = torch.jit.load(scripted)
    network.eval()
    for shape in shapes:
        size = shape if len(shape) == 2 else (*shape, *[shape[2]] * (dims - 1))
        x = torch.rand(size, generator=seeded(1))
        torch.testing.assert_close(loaded(x), network(x), rtol=0, atol=1e-5)


def test_scripting_leaves_the_network_as_it_was():
    network = ENet(2, 1, 4).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.rand(1, 1, 16, 16, generator=seeded(2))
    expected = network(x)
    torch.jit.script(network)
    assert torch.equal(network(x), expected)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
