"""The image half of paper 1 as losses of one batch: a SPADE generator that is fed a scan's style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from ..losses import FeatureMatchingLoss, HingeDiscriminatorLoss, HingeGeneratorLoss, kullback_leibler
from ..networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from ..seeding import randn_rows, row_generators


@dataclass(frozen=True)
class PaintDraw:
    """All that is random in painting one batch, drawn on the CPU.

    Attributes:
        style_noise: `(B, style_size)`, standard normal.
        noise: one `(B, 1, *size)` tensor a level of the generator.
        donor: `(B,)`, the row whose style each row gets; a row that is its own donor is reconstructed.
    """

    style_noise: torch.Tensor
    noise: list[torch.Tensor]
    donor: torch.Tensor

    def to(self, device: torch.device) -> PaintDraw:
        """Return the same draw on another device."""
        return PaintDraw(self.style_noise.to(device), [level.to(device) for level in self.noise], self.donor.to(device))


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
        generator: label map and style to image.
        style_encoder: image to style.
        discriminator: image joined with the label map to patch logits.
        reconstruction: weight of the mean absolute error on rows painted in their own style.
        feature_matching: weight of the discriminator's feature distance on the same rows.
        divergence: weight of the style's divergence from the standard normal, a style dimension.
        style_return: weight of the distance between a foreign style and its re-encoding.
        swapped: share of the batch that gets a foreign style, in [0, 1].

    Source:
        Skandarani et al., MIDL 2020; Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244.
    """

    def __init__(
        self,
        generator: SPADEGenerator,
        style_encoder: StyleEncoder,
        discriminator: MultiscaleDiscriminator,
        reconstruction: float = 10.0,
        feature_matching: float = 10.0,
        divergence: float = 0.05,
        style_return: float = 1.0,
        swapped: float = 0.25,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.style_encoder = style_encoder
        self.discriminator = discriminator
        self.reconstruction = reconstruction
        self.feature_matching = feature_matching
        self.divergence = divergence
        self.style_return = style_return
        self.swapped = swapped
        self.hinge_discriminator = HingeDiscriminatorLoss()
        self.hinge_generator = HingeGeneratorLoss()
        self.match_features = FeatureMatchingLoss()

    def painter_parameters(self) -> list[nn.Parameter]:
        """Return what the generator's optimizer trains: generator and style encoder."""
        return [*self.generator.parameters(), *self.style_encoder.parameters()]

    def draw(self, one_hot: torch.Tensor, generator: torch.Generator) -> PaintDraw:
        """Draw what is random in painting the label maps `(B, C, *spatial)`."""
        batch = len(one_hot)
        rows = row_generators(generator, batch)
        style_noise = randn_rows(rows, (self.generator.style_size,))
        noise = self.generator.draw_noise(one_hot.shape[2:], rows)
        donor = torch.arange(batch)
        swapped = int(self.swapped * batch) if batch > 1 else 0
        if swapped:
            donor[:swapped] += torch.randint(1, batch, (swapped,), generator=generator)
        return PaintDraw(style_noise, noise, donor % batch).to(one_hot.device)

    def paint(self, image: torch.Tensor, one_hot: torch.Tensor, draw: PaintDraw) -> Painting:
        """Encode the real images' styles and paint the label maps in them (some in another row's)."""
        mean, log_variance = self.style_encoder.encode(image)
        style = (mean + (log_variance / 2).exp() * draw.style_noise)[draw.donor]
        own = draw.donor == torch.arange(len(image), device=image.device)
        return Painting(self.generator(one_hot, style, draw.noise), style, mean, log_variance, own)

    def discriminator_loss(self, image: torch.Tensor, one_hot: torch.Tensor, painting: Painting) -> torch.Tensor:
        """Hinge loss of real against painted images; no gradient reaches the generator."""
        both = torch.cat([image, painting.image.detach()])
        features = self.discriminator.features(torch.cat([both, one_hot.repeat(2, *[1] * (one_hot.ndim - 1))], dim=1))
        logits = [scale[-1].chunk(2) for scale in features]
        loss: torch.Tensor = self.hinge_discriminator([real for real, _ in logits], [fake for _, fake in logits])
        return loss

    def generator_losses(
        self, image: torch.Tensor, one_hot: torch.Tensor, painting: Painting
    ) -> dict[str, torch.Tensor]:
        """Return the weighted terms that generator and encoder minimise together."""
        with torch.no_grad():
            real_features = self.discriminator.features(torch.cat([image, one_hot], dim=1))
        fake_features = self.discriminator.features(torch.cat([painting.image, one_hot], dim=1))
        own, foreign = painting.own, ~painting.own
        losses = {
            "adversarial": self.hinge_generator([scale[-1] for scale in fake_features]),
            "divergence": self.divergence
            * kullback_leibler(painting.mean, painting.log_variance)
            / painting.mean.shape[1],
        }
        if own.any():
            losses["reconstruction"] = self.reconstruction * F.l1_loss(painting.image[own], image[own])
            losses["feature_matching"] = self.feature_matching * self.match_features(
                [[layer[own] for layer in scale[:-1]] for scale in real_features],
                [[layer[own] for layer in scale[:-1]] for scale in fake_features],
            )
        if foreign.any():
            returned = self.style_encoder(painting.image[foreign])
            losses["style_return"] = self.style_return * F.l1_loss(returned, painting.style[foreign].detach())
        return losses
