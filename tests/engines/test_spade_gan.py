"""The losses of one batch: who is trained by what, and who is judged against which target."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, tiny_gan

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.paint_batch import PaintBatch, paint_batches
from monai_cardiacgen.engines.spade_gan import SPADEGAN
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.seeding import seeded


@pytest.fixture
def one_hot():
    return ACDC.one_hot(hearts(4)[1][:, 0])


def batch_of(gan: SPADEGAN, one_hot: torch.Tensor) -> PaintBatch:
    """The whole batch of the hearts' images with what is random about it."""
    (batch,) = paint_batches(hearts(4)[0], one_hot, gan.draw(one_hot, seeded(0)))
    return batch


def test_discriminator_loss_reaches_the_discriminator_alone(one_hot):
    gan = tiny_gan()
    batch = batch_of(gan, one_hot)
    painting = gan.paint(batch)
    gan.discriminator_loss(batch, painting).backward()
    assert all(parameter.grad is not None for parameter in gan.discriminator.parameters())
    assert all(parameter.grad is None for parameter in gan.generator.parameters())
    assert all(parameter.grad is None for parameter in gan.style_encoder.parameters())


def test_discriminator_loss_is_the_hinge_of_real_against_painted(one_hot):
    gan = tiny_gan().eval()
    batch = batch_of(gan, one_hot)
    painting = gan.paint(batch)
    with torch.no_grad():
        found = gan.discriminator_loss(batch, painting)
        real = gan.discriminator.features(torch.cat([batch.image, one_hot], dim=1))
        fake = gan.discriminator.features(torch.cat([painting.image, one_hot], dim=1))
    by_scale = [
        (1 - r[-1]).clamp(min=0).mean() + (1 + f[-1]).clamp(min=0).mean() for r, f in zip(real, fake, strict=True)
    ]
    torch.testing.assert_close(found, sum(by_scale) / 2)


def test_augmented_discriminator_sees_real_and_painted_alike_and_the_generator_learns_through_it(one_hot):
    gan = tiny_gan(augment=DiffAugment(2)).eval()
    batch = batch_of(gan, one_hot)
    painting = gan.paint(batch)
    seen = []
    features = gan.discriminator.features
    gan.discriminator.features = lambda x: (seen.append(x), features(x))[1]
    gan.discriminator_loss(batch, painting)
    losses = gan.generator_losses(batch, painting)
    (both, real, fake) = seen
    for view, (a, b) in enumerate((both.chunk(2), (real, fake))):
        for found, image in ((a, batch.image), (b, painting.image)):
            torch.testing.assert_close(found, torch.cat(gan.augment(image, one_hot, batch.views[:, view]), dim=1))
    assert not torch.equal(both.chunk(2)[0], real)  # another view for each player's turn
    losses["adversarial"].backward()
    assert all(parameter.grad is not None for parameter in gan.generator.parameters())


def test_both_players_are_told_the_condition_as_it_is(one_hot):
    gan = tiny_gan(condition_size=2, augment=DiffAugment(2)).eval()
    condition = torch.tensor([[1.0, 0], [0, 1], [0, 1], [1, 0]])
    (batch,) = paint_batches(hearts(4)[0], one_hot, gan.draw(one_hot, seeded(0)), condition=condition)
    seen, told = [], []
    features, paint = gan.discriminator.features, gan.generator.forward
    gan.discriminator.features = lambda x: (seen.append(x), features(x))[1]
    gan.generator.forward = lambda *given: (told.append(given[3]), paint(*given))[1]
    painting = gan.paint(batch)
    gan.discriminator_loss(batch, painting)
    gan.generator_losses(batch, painting)
    assert torch.equal(told[0], condition)
    both, real, fake = seen
    constant = condition[:, :, None, None].expand(-1, -1, 32, 32)  # not moved as the image is
    for one in (*both.chunk(2), real, fake):
        assert one.shape[1] == 1 + 4 + 2
        assert torch.equal(one[:, 5:], constant)


def test_without_a_style_there_is_neither_its_divergence_nor_its_return(one_hot):
    gan = tiny_gan(style_size=0, swapped=0.0)
    losses = gan.generator_losses(batch_of(gan, one_hot), gan.paint(batch_of(gan, one_hot)))
    assert set(losses) == {"adversarial", "reconstruction", "feature_matching"}
    torch.stack(list(losses.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in gan.painter_parameters())


@pytest.mark.parametrize(("style_size", "swapped"), [(0, 0.25), (6, 0.25)])
def test_encoder_and_generator_that_do_not_fit_are_refused(style_size, swapped):
    fit = tiny_gan()
    generator = tiny_gan(style_size=style_size, swapped=0.0).generator
    with pytest.raises(InputError, match="style encoder exactly"):
        SPADEGAN(generator, None, fit.discriminator, swapped=swapped)


def test_draws_without_augmentation_are_those_with_it(one_hot):
    plain, augmented = (tiny_gan(augment=one).draw(one_hot, seeded(0)) for one in (None, DiffAugment(2)))
    assert plain.views is None
    assert augmented.views.shape == (4, 2, 6)
    assert torch.equal(plain.donor, augmented.donor)
    assert torch.equal(plain.style_noise, augmented.style_noise)
    for a, b in zip(plain.noise, augmented.noise, strict=True):
        assert torch.equal(a, b)


def test_generator_losses_reach_generator_and_encoder(one_hot):
    gan = tiny_gan()
    batch = batch_of(gan, one_hot)
    painting = gan.paint(batch)
    losses = gan.generator_losses(batch, painting)
    assert set(losses) == {"adversarial", "divergence", "reconstruction", "feature_matching", "style_return"}
    sum(losses.values()).backward()
    for network in (gan.generator, gan.style_encoder):
        assert all(parameter.grad is not None for parameter in network.parameters())


def test_rows_in_a_foreign_style_have_no_target(one_hot):
    gan = tiny_gan(swapped=0.5).eval()
    batch = batch_of(gan, one_hot)
    assert batch.donor[2:].tolist() == [2, 3]
    assert all(int(donor) != row for row, donor in enumerate(batch.donor[:2]))
    painting = gan.paint(batch)
    own = (painting.image[2:] - batch.image[2:]).abs().mean()
    torch.testing.assert_close(gan.generator_losses(batch, painting)["reconstruction"], gan.reconstruction * own)


def test_without_swapping_every_row_is_reconstructed(one_hot):
    gan = tiny_gan(swapped=0.0)
    batch = batch_of(gan, one_hot)
    painting = gan.paint(batch)
    assert bool(painting.own.all())
    assert "style_return" not in gan.generator_losses(batch, painting)


def test_one_row_alone_keeps_its_style(one_hot):
    gan = tiny_gan(swapped=1.0)
    draw = gan.draw(one_hot[:1], seeded(0))
    assert draw.donor.tolist() == [0]


def test_a_draw_follows_from_its_generator(one_hot):
    gan = tiny_gan()
    first, again, other = (gan.draw(one_hot, seeded(seed)) for seed in (5, 5, 6))
    assert torch.equal(first.style_noise, again.style_noise)
    assert all(torch.equal(one, two) for one, two in zip(first.noise, again.noise, strict=True))
    assert not torch.equal(first.style_noise, other.style_noise)
