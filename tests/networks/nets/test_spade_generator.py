"""The SPADE generator's own promises; the common ones are in `test_all_networks.py`."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.networks.nets import spade_generator
from monai_cardiacgen.networks.nets.spade_generator import SPADEGenerator
from monai_cardiacgen.seeding import row_generators, seeded


@pytest.fixture
def generator() -> SPADEGenerator:
    torch.manual_seed(0)
    return SPADEGenerator(2, 4, channels=(16, 12, 8), hidden_channels=8, style_size=5, start_size=(4, 4)).eval()


@pytest.fixture
def rings() -> torch.Tensor:
    axis = torch.arange(64) - 31.5
    radius = (axis[:, None].square() + axis.square()).sqrt()
    label = torch.stack([(radius / step).floor().clamp(max=3).long() for step in (6, 9)])
    return torch.nn.functional.one_hot(label, 4).movedim(-1, 1).float()


def test_image_is_in_range_at_any_divisible_size(generator, rings):
    for size in ((64, 64), (32, 48)):
        image = generator(rings[:, :, : size[0], : size[1]], torch.randn(2, 5))
        assert image.shape == (2, 1, *size)
        assert 0 <= image.min().item() <= image.max().item() <= 1


def test_lookup_and_convolution_paint_the_same_image(generator, rings, monkeypatch):
    style = torch.randn(2, 5, generator=seeded(1))
    by_lookup = generator(rings, style)
    monkeypatch.setattr(spade_generator, "distinct_patches", lambda label, classes: None)
    torch.testing.assert_close(generator(rings, style), by_lookup, rtol=0, atol=1e-5)


def test_style_reaches_every_level(generator, rings):
    """A style that entered only at the start would keep its pattern at most: the norms take its level."""
    torch.nn.init.zeros_(generator.start.weight)
    first, second = torch.randn(2, 1, 5, generator=seeded(2)).expand(2, 2, 5)
    assert (generator(rings, first) - generator(rings, second)).abs().mean() > 1e-3


def test_missing_style_is_the_mean_style(generator, rings):
    assert torch.equal(generator(rings), generator(rings, torch.zeros(2, 5)))


def test_noise_is_drawn_a_row_from_its_own_generator(generator):
    both = generator.draw_noise((64, 64), row_generators(seeded(3), 2))
    alone = generator.draw_noise((64, 64), row_generators(seeded(3), 2)[1:])
    assert [tuple(level.shape) for level in both] == [(2, 1, 16, 16), (2, 1, 32, 32), (2, 1, 64, 64)]
    for with_first, without in zip(both, alone, strict=True):
        assert torch.equal(with_first[1:], without)


def test_same_network_is_built_again_from_its_arguments(generator, rings):
    twin = SPADEGenerator(**generator.arguments).eval()
    twin.load_state_dict(generator.state_dict())
    assert torch.equal(twin(rings), generator(rings))


def test_a_style_of_another_length_is_refused(generator, rings):
    with pytest.raises(ShapeError, match=r"style of shape \(2, 5\), got \(2, 4\)"):
        generator(rings, torch.randn(2, 4))


def test_a_single_coarsest_pixel_is_refused(generator):
    with pytest.raises(ShapeError, match="single pixel"):
        generator(torch.rand(1, 4, 4, 4))
    assert generator(torch.rand(1, 4, 4, 8)).shape == (1, 1, 4, 8)


def test_wrong_construction_is_refused():
    with pytest.raises(InputError, match="2 levels"):
        SPADEGenerator(2, 4, channels=(8,))
    with pytest.raises(InputError, match="start_size"):
        SPADEGenerator(3, 4, start_size=(4, 4))


@pytest.fixture
def conditional():
    torch.manual_seed(0)
    return SPADEGenerator(
        2, 4, channels=(16, 8, 8), hidden_channels=8, style_size=6, start_size=(4, 4), condition_size=3
    ).eval()


def test_a_condition_is_joined_to_the_style_in_the_start_and_in_every_norm(conditional, rings):
    style, condition = torch.randn(2, 6), torch.eye(3)[:2]
    longer = SPADEGenerator(2, 4, channels=(16, 8, 8), hidden_channels=8, style_size=9, start_size=(4, 4)).eval()
    longer.load_state_dict(conditional.state_dict())  # the same weights, of a style of nine
    with torch.no_grad():
        expected = longer(rings, torch.cat([style, condition], dim=1))
        assert torch.equal(conditional(rings, style, None, condition), expected)
        assert not torch.allclose(conditional(rings, style, None, condition.roll(1, dims=1)), expected)


def test_without_a_condition_nothing_of_the_network_changes():
    def names(**more: int) -> dict[str, torch.Size]:
        network = SPADEGenerator(2, 4, channels=(8, 8), hidden_channels=8, style_size=6, **more)
        return {name: value.shape for name, value in network.state_dict().items()}

    assert names() == names(condition_size=0)
    assert names().keys() == names(condition_size=2).keys()
    assert names() != names(condition_size=2)


@pytest.mark.parametrize("condition", [None, torch.zeros(2, 2), torch.zeros(1, 3)])
def test_an_unfit_condition_is_refused(conditional, rings, condition):
    with pytest.raises(ShapeError, match="condition"):
        conditional(rings, torch.zeros(2, 6), None, condition)


def test_a_condition_that_nobody_asked_for_is_refused(generator, rings):
    with pytest.raises(ShapeError, match="none for 0"):
        generator(rings, None, None, torch.zeros(len(rings), 2))


def test_without_a_style_the_label_map_makes_the_coarsest_feature_map(rings):
    torch.manual_seed(0)
    network = SPADEGenerator(2, 4, channels=(16, 8), hidden_channels=8, style_size=0).eval()
    image = network(rings)
    assert image.shape == (len(rings), 1, *rings.shape[2:])
    made = network.coarsest(torch.zeros(len(rings), 0), rings[..., ::2, ::2])
    expected = torch.nn.functional.conv2d(rings[..., ::2, ::2], network.start.weight, network.start.bias, padding=1)
    assert torch.equal(made, expected)
    assert SPADEGenerator(**network.arguments).state_dict().keys() == network.state_dict().keys()


def test_noise_is_without_effect_and_not_learned_where_no_level_has_it(rings):
    torch.manual_seed(0)
    quiet = SPADEGenerator(2, 4, channels=(16, 8), hidden_channels=8, style_size=6, layer_noise=False).eval()
    noise = quiet.draw_noise(rings.shape[2:], [seeded(0), seeded(1)][: len(rings)])
    assert torch.equal(quiet(rings, None, noise), quiet(rings))
    learned = {name for name, _ in SPADEGenerator(2, 4, channels=(16, 8), style_size=6).named_parameters()}
    assert learned - {name for name, _ in quiet.named_parameters()} == {
        "blocks.0.noise_strength",
        "blocks.1.noise_strength",
    }
    # The names of the weights are the same.
    assert {*quiet.state_dict()} == {*SPADEGenerator(2, 4, channels=(16, 8), style_size=6).state_dict()}
