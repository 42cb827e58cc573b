"""The fast painter against the generator whose images it paints."""

from __future__ import annotations

import pickle

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import pixel_sources
from monai_cardiacgen.inferers.fast_painter import FastPainter
from monai_cardiacgen.networks.blocks.spade import fold_spectral_norm
from monai_cardiacgen.networks.nets import SPADEGenerator
from monai_cardiacgen.seeding import row_generators, seeded

CLASSES = 9


def generator(dims: int = 2, style_size: int = 6, condition_size: int = 0) -> SPADEGenerator:
    """A generator with weights of a fixed seed, a noise that counts, and a level whose block has no shortcut."""
    torch.manual_seed(0)
    made = SPADEGenerator(
        dims,
        CLASSES,
        channels=(12, 12, 8, 6),
        hidden_channels=8,
        style_size=style_size,
        start_size=(4,) * dims,
        condition_size=condition_size,
    )
    for block in made.blocks:
        torch.nn.init.normal_(block.noise_strength, std=0.3)
    return fold_spectral_norm(made).eval()


def boxes(batch: int, side: int, dims: int = 2) -> torch.Tensor:
    """Nested boxes, different in each row, `(batch, *spatial)`."""
    label = torch.zeros(batch, *[side] * dims, dtype=torch.int64)
    for row in range(batch):
        for number in range(1, CLASSES):
            begin, end = side // 8 + number + row, side - side // 8 - number
            if begin < end:
                label[(row, *[slice(begin, end)] * dims)] = number
    return label


def painted_plainly(
    network: SPADEGenerator, label: torch.Tensor, style: torch.Tensor, noise, condition: torch.Tensor | None = None
) -> torch.Tensor:
    one_hot = torch.nn.functional.one_hot(label, CLASSES).movedim(-1, 1).float()
    with torch.no_grad():
        return network(one_hot, style, noise, condition)


@pytest.mark.parametrize(("dims", "side"), [(2, 64), (2, 40), (3, 32)])
@pytest.mark.parametrize("fewest", [0, 10**9])  # pixels from which enlarged images are convolved by their parents
def test_paints_what_the_generator_paints(monkeypatch, dims, side, fewest):
    monkeypatch.setattr(pixel_sources, "_FEWEST", fewest)
    network, label = generator(dims), boxes(2, side, dims)
    painter = FastPainter(network)
    style = torch.randn(2, 6, generator=seeded(1))
    noise = network.draw_noise(label.shape[1:], row_generators(seeded(2), 2))
    for given in (noise, None):
        expected = painted_plainly(network, label, style, given)
        assert float(expected.std()) > 0.01
        torch.testing.assert_close(painter(label, style, given), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dims", "side"), [(2, 96), (3, 48)])
@pytest.mark.parametrize("place", ["corner", "middle"])
def test_paints_the_same_where_it_is_needed(monkeypatch, dims, side, place):
    monkeypatch.setattr(pixel_sources, "_FEWEST", 0)
    network, label = generator(dims), boxes(2, side, dims)
    style = torch.randn(2, 6, generator=seeded(1))
    noise = network.draw_noise(label.shape[1:], row_generators(seeded(2), 2))
    needed = torch.zeros(2, 1, *[side] * dims, dtype=torch.bool)
    begin = 0 if place == "corner" else side // 2 - 5
    needed[(1, 0, *[slice(begin, begin + 11)] * dims)] = True
    image = FastPainter(network)(label, style, noise, needed=needed)
    expected = painted_plainly(network, label, style, noise)
    torch.testing.assert_close(image[needed], expected[needed], rtol=0, atol=1e-5)
    assert image.shape == expected.shape
    assert float((image == 0).float().mean()) > 0.1  # the rest was left out


def test_noise_in_the_labels_is_painted_where_it_is_needed():
    network = generator()
    label = torch.randint(CLASSES, (1, 128, 128), generator=seeded(3))
    style = torch.randn(1, 6, generator=seeded(1))
    needed = torch.zeros(1, 1, 128, 128, dtype=torch.bool)
    needed[..., 40:50, 100:] = True
    image = FastPainter(network)(label, style, needed=needed)
    torch.testing.assert_close(image[needed], painted_plainly(network, label, style, None)[needed], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dims", "style_size", "condition_size"), [(2, 6, 3), (3, 6, 3), (2, 0, 3), (2, 0, 0)])
def test_paints_under_a_condition_with_and_without_a_style(dims, style_size, condition_size):
    network, label = generator(dims, style_size, condition_size), boxes(2, 32, dims)
    painter = FastPainter(network)
    style = torch.randn(2, style_size, generator=seeded(1))
    images = []
    for condition in (torch.eye(3)[:2, :condition_size], torch.eye(3)[1:, :condition_size]):
        images.append(painter(label, style, None, condition))
        expected = painted_plainly(network, label, style, None, condition)
        torch.testing.assert_close(images[-1], expected, rtol=0, atol=1e-5)
    assert torch.equal(*images) == (condition_size == 0)


def test_one_map_after_another_fills_the_tables_and_changes_nothing():
    network = generator()
    painter = FastPainter(network)
    style = torch.randn(1, 6, generator=seeded(1))
    for shift in (0, 3, 0, 7):
        label = boxes(1, 64).roll(shift, dims=2)
        torch.testing.assert_close(
            painter(label, style), painted_plainly(network, label, style, None), rtol=0, atol=1e-5
        )


def test_noise_in_the_labels_takes_the_convolutions():
    network = generator()
    label = torch.randint(CLASSES, (1, 128, 128), generator=seeded(3))
    style = torch.randn(1, 6, generator=seeded(1))
    torch.testing.assert_close(
        FastPainter(network)(label, style), painted_plainly(network, label, style, None), rtol=0, atol=1e-5
    )


def test_half_precision_is_near():
    network, label = generator(), boxes(2, 64)
    style = torch.randn(2, 6, generator=seeded(1))
    image = FastPainter(network, torch.bfloat16)(label, style)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, painted_plainly(network, label, style, None), rtol=0, atol=3e-2)


def test_pickled_or_with_other_weights_it_paints_by_what_it_has():
    network, label = generator(), boxes(1, 64)
    painter = FastPainter(network)
    style = torch.randn(1, 6, generator=seeded(1))
    image = painter(label, style)
    assert torch.equal(pickle.loads(pickle.dumps(painter))(label, style), image)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.5)
    painter.float()  # as any move, it derives tables and packed weights anew
    torch.testing.assert_close(painter(label, style), painted_plainly(network, label, style, None), rtol=0, atol=1e-5)


def test_refuses_weights_that_still_move_and_unknown_formats():
    with pytest.raises(InputError, match="fold_spectral_norm"):
        FastPainter(SPADEGenerator(2, CLASSES, channels=(8, 8), hidden_channels=8))
    with pytest.raises(InputError, match="float16"):
        FastPainter(generator(), torch.float16)
