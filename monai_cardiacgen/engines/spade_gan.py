"""The image half of paper 1 as losses of one batch: a SPADE generator that is fed a scan's style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import InputError
from ..losses import DiffAugment, FeatureMatchingLoss, HingeDiscriminatorLoss, HingeGeneratorLoss, kullback_leibler
from ..networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from ..ranks import rank, world_size
from ..seeding import randn_rows, row_generators
from .paint_batch import PaintBatch, PaintDraw


@dataclass(frozen=True)
class Painting:
    """What the generator made of a batch: the images, their styles, and what encodes the styles."""

    image: torch.Tensor
    style: torch.Tensor
    mean: torch.Tensor
    log_variance: torch.Tensor
    own: torch.Tensor  # (B,) bool: painted in its own style, so that the real image is the target


class SPADEGAN(nn.Module):
    """Generator, style encoder and discriminator with the losses that train them.

    A share of each batch is painted in the style of **another** row: no target exists for these, only the
    discriminator and the style itself (encoded again, it must come back) judge them. Without this, a style would
    only ever be seen on its own label map, and the generator could hide the anatomy in it.

    Args:
        generator: label map and style to image; with a condition where it has a `condition_size`.
        style_encoder: image to style; None for a generator without a style, which paints a label map in one way.
        discriminator: image joined with the label map, and with the condition as constant channels, to patch logits.
        reconstruction: weight of the mean absolute error on rows painted in their own style.
        feature_matching: weight of the discriminator's feature distance on the same rows.
        divergence: weight of the style's divergence from the standard normal, a style dimension.
        style_return: weight of the distance between a foreign style and its re-encoding.
        swapped: share of the batch that gets a foreign style, in [0, 1].
        augment: how the discriminator sees real and painted images alike, for few training images; None as they are.

    Raises:
        InputError: when style encoder and generator do not fit each other.

    Source:
        Skandarani et al., MIDL 2020; Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244.
    """

    def __init__(
        self,
        generator: SPADEGenerator,
        style_encoder: StyleEncoder | None,
        discriminator: MultiscaleDiscriminator,
        reconstruction: float = 10.0,
        feature_matching: float = 10.0,
        divergence: float = 0.05,
        style_return: float = 1.0,
        swapped: float = 0.25,
        augment: DiffAugment | None = None,
    ) -> None:
        super().__init__()
        if (style_encoder is None) != (generator.style_size == 0) or (style_encoder is None and swapped):
            raise InputError(
                f"Expected a style encoder exactly for a generator with a style, and none swapped without, got "
                f"style_size {generator.style_size} and swapped {swapped} with "
                f"{'no' if style_encoder is None else 'a'} style encoder."
            )
        self.generator = generator
        self.style_encoder = style_encoder
        self.discriminator = discriminator
        self.reconstruction = reconstruction
        self.feature_matching = feature_matching
        self.divergence = divergence
        self.style_return = style_return
        self.swapped = swapped
        self.augment = augment
        self.hinge_discriminator = HingeDiscriminatorLoss()
        self.hinge_generator = HingeGeneratorLoss()
        self.match_features = FeatureMatchingLoss()

    def painter_parameters(self) -> list[nn.Parameter]:
        """Return what the generator's optimizer trains: generator and style encoder."""
        encoder = [] if self.style_encoder is None else self.style_encoder.parameters()
        return [*self.generator.parameters(), *encoder]

    def draw(self, one_hot: torch.Tensor, generator: torch.Generator) -> PaintDraw:
        """Draw what is random in painting the label maps `(B, C, *spatial)` of this rank and those of all others.

        Every rank draws for all rows, from generators in the same state, so that a row's draws do not depend on which
        rank has it.
        """
        batch = len(one_hot) * world_size()
        rows = row_generators(generator, batch)
        style_noise = randn_rows(rows, (self.generator.style_size,))
        own = rows[rank() :: world_size()]
        noise = self.generator.draw_noise(one_hot.shape[2:], own)
        views = None
        if self.augment is not None:
            views = torch.stack([self.augment.draw(own), self.augment.draw(own)], dim=1)
        donor = torch.arange(batch)
        swapped = int(self.swapped * batch) if batch > 1 else 0
        if swapped:
            donor[:swapped] += torch.randint(1, batch, (swapped,), generator=generator)
        return PaintDraw(style_noise, noise, donor % batch, views)

    def paint(self, batch: PaintBatch) -> Painting:
        """Encode the real images' styles and paint the label maps in them (some in another row's)."""
        own = batch.donor == torch.arange(len(batch.image), device=batch.donor.device)
        if self.style_encoder is None:
            none = batch.style_noise
            image = self.generator(batch.one_hot, none, batch.noise, batch.condition)
            return Painting(image, none, none, none, own)
        mean, log_variance = self.style_encoder.encode(batch.image)
        style = mean + (log_variance / 2).exp() * batch.style_noise
        if batch.guests is not None:
            guest_mean, guest_log_variance = self.style_encoder.encode(batch.guests.image)
            lent = guest_mean + (guest_log_variance / 2).exp() * batch.guests.style_noise
            style = torch.cat([style, lent])
        style = style[batch.donor]
        image = self.generator(batch.one_hot, style, batch.noise, batch.condition)
        return Painting(image, style, mean, log_variance, own)

    def discriminator_loss(self, batch: PaintBatch, painting: Painting) -> torch.Tensor:
        """Hinge loss of real against painted images; no gradient reaches the generator."""
        real = self._seen(batch, batch.image, 0)
        fake = self._seen(batch, painting.image.detach(), 0)
        logits = [scale[-1].chunk(2) for scale in self.discriminator.features(torch.cat([real, fake]))]
        loss: torch.Tensor = self.hinge_discriminator([real for real, _ in logits], [fake for _, fake in logits])
        return batch.shares.rows * loss

    def generator_losses(self, batch: PaintBatch, painting: Painting) -> dict[str, torch.Tensor]:
        """Return the weighted terms that generator and encoder minimise together.

        A term is there when some row of the whole batch has a part in it; it is 0 where none of these rows has.
        """
        with torch.no_grad():
            real_features = self.discriminator.features(self._seen(batch, batch.image, 1))
        fake_features = self.discriminator.features(self._seen(batch, painting.image, 1))
        own, foreign, shares = painting.own, ~painting.own, batch.shares
        none = painting.image.new_zeros(())
        losses = {"adversarial": shares.rows * self.hinge_generator([scale[-1] for scale in fake_features])}
        if self.style_encoder is not None:
            divergence = kullback_leibler(painting.mean, painting.log_variance)
            losses["divergence"] = shares.rows * self.divergence * divergence / painting.mean.shape[1]
        if shares.own is not None:
            losses |= {"reconstruction": none, "feature_matching": none}
        if shares.own:
            losses["reconstruction"] = (
                shares.own * self.reconstruction * F.l1_loss(painting.image[own], batch.image[own])
            )
            losses["feature_matching"] = (
                shares.own
                * self.feature_matching
                * self.match_features(
                    [[layer[own] for layer in scale[:-1]] for scale in real_features],
                    [[layer[own] for layer in scale[:-1]] for scale in fake_features],
                )
            )
        if shares.foreign is not None:
            losses["style_return"] = none
        if shares.foreign and self.style_encoder is not None:
            returned = self.style_encoder(painting.image[foreign])
            distance = F.l1_loss(returned, painting.style[foreign].detach())
            losses["style_return"] = shares.foreign * self.style_return * distance
        return losses

    def _seen(self, batch: PaintBatch, image: torch.Tensor, view: int) -> torch.Tensor:
        """Return images of the batch's label maps joined with these and the condition, as the discriminator sees them.

        A row's real and painted image are seen alike: the distance of their features is one of the losses.
        """
        one_hot = batch.one_hot
        if self.augment is not None and batch.views is not None:
            image, one_hot = self.augment(image, one_hot, batch.views[:, view])
        seen = [image, one_hot]
        if batch.condition is not None:  # the same at each pixel
            told = batch.condition.to(one_hot)[(..., *[None] * (one_hot.ndim - 2))]
            seen.append(told.expand(-1, -1, *one_hot.shape[2:]))
        return torch.cat(seen, dim=1)
