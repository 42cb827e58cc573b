"""The generator of a conditional GAN that makes hidden pixels of what is round them: first where, then what."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from monai.networks.nets import UNet
from torch import nn

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError, ShapeError
from ..blocks.scripted_by_trace import ScriptedByTrace

_SLOPE = 0.2
#: The logarithm of an expected difference, in standard deviations of the known pixels, is kept within ± this.
_LOG_LIMIT = 5.0


class InpaintingGenerator(nn.Module):
    r"""Makes hidden pixels of the known ones and of where a structure lies among them, or tells where it may lie.

    One network does both: asked without a label it says with which probability each hidden pixel belongs to the
    structure, and how far off its image is likely to be; asked with one, it paints the image on it. A structure whose
    place is not quite known would be painted as a blur, and too small: a pixel shows it where it is more likely than
    not, and at a round structure's edge that is less than half of the possible places.

    Known pixels are first brought to mean 0 and variance 1 over each image, hidden ones are 0; the result is brought
    back. So gain and offset of a scanner do not matter: with $a > 0$, $G(a y + b) = a\, G(y) + b$, up to what keeps a
    constant image's deviation from being 0. A residual U-Net (MONAI's, instance norm) lies between.

    Args:
        spatial_dims: 2 or 3.
        image_channels: of the image.
        channels: features at half size, a quarter, ...; full size has half of the first.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.
        factor: what every side must be a multiple of.

    Raises:
        InputError: for other `spatial_dims`, fewer than two levels, or a number of features below 2.

    Example:
        >>> generator = InpaintingGenerator(2, channels=(4, 8))
        >>> image, hidden, label = torch.rand(3, 1, 16, 16), torch.zeros(3, 1, 16, 16), torch.zeros(3, 1, 16, 16)
        >>> made, expected, logits = generator(torch.cat([image, hidden, label], dim=1)).split((1, 1, 1), dim=1)
        >>> made.shape, bool((expected > 0).all())
        (torch.Size([3, 1, 16, 16]), True)

    Source:
        Pathak et al., "Context encoders", CVPR 2016, DOI 10.1109/CVPR.2016.278; structure before texture: Nazeri et
        al., "EdgeConnect", ICCV Workshops 2019, DOI 10.1109/ICCVW.2019.00408; the U-Net: Kerfoot et al., STACOM 2018,
        DOI 10.1007/978-3-030-12029-0_40; expected differences: Kendall and Gal, NeurIPS 2017, arXiv:1703.04977.
    """

    def __init__(self, spatial_dims: int, image_channels: int = 1, channels: Sequence[int] = (24, 48, 96, 96)) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if image_channels < 1 or len(channels) < 2 or min(channels) < 2:
            raise InputError(
                f"Expected image channels, and at least 2 levels of at least 2 channels, got {image_channels} and "
                f"{tuple(channels)}."
            )
        self.arguments = {
            "spatial_dims": spatial_dims,
            "image_channels": image_channels,
            "channels": list(channels),
        }
        self.spatial_dims = spatial_dims
        self.image_channels = image_channels
        self.factor = 2 ** len(channels)
        self.features = UNet(
            spatial_dims=spatial_dims,
            in_channels=image_channels + 2,
            out_channels=channels[0] // 2,
            channels=(*channels, channels[-1]),
            strides=(2,) * len(channels),
            num_res_units=2,
            act=("LEAKYRELU", {"negative_slope": _SLOPE}),
            norm=("INSTANCE", {"affine": True}),
        )
        self.output = nn.Sequential(
            nn.LeakyReLU(_SLOPE),
            Conv[Conv.CONV, spatial_dims](channels[0] // 2, 2 * image_channels + 1, kernel_size=3, padding=1),
        )

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        """Return `(B, 2 * image_channels + 1, *spatial)`: image, expected differences, and logits of the structure.

        The image, not clipped to any range, and the absolute difference to expect of each pixel are in the image's
        units; the logits are of the probability that a pixel belongs to the structure.

        Args:
            masked: `(B, image_channels + 2, *spatial)`: the image, whose hidden pixels are not looked at; 1 where
                pixels are hidden, 0 where they are known; and in hidden pixels 1 for the structure, -1 for anything
                else, or 0 in all of them where it is not known. Known pixels' labels are not looked at.

        Raises:
            ShapeError: for wrong channels or dimensions, a side that the depth does not divide, or an image whose
                coarsest level is a single pixel: instance norm has nothing to take a spread of.
        """
        check_batch(masked, self.image_channels + 2, self.spatial_dims, "the masked image")
        check_divisible(masked.shape[2:], self.factor, "the masked image")
        if masked[0, 0].numel() == self.factor**self.spatial_dims:
            raise ShapeError(
                f"Expected a masked image larger than {self.factor} pixels a side, got {tuple(masked.shape[2:])}: its "
                f"coarsest level would be a single pixel; use larger images or fewer levels."
            )
        image, hidden, label = masked.split((self.image_channels, 1, 1), dim=1)
        mean, deviation = _known_moments(image, 1 - hidden)
        standard = (1 - hidden) * (image - mean) / deviation
        features = self.features(torch.cat([standard, hidden, hidden * label], dim=1))
        made, expected, logits = self.output(features).split((self.image_channels, self.image_channels, 1), dim=1)
        limited = _LOG_LIMIT * torch.tanh(expected / _LOG_LIMIT)
        return torch.cat([made * deviation + mean, limited.exp() * deviation, logits], dim=1)

    def __prepare_scriptable__(self) -> ScriptedByTrace:
        """Return what TorchScript holds: the trace on one small row."""
        size = (2 * self.factor,) * self.spatial_dims
        weight = next(self.parameters())
        return ScriptedByTrace(self, weight.new_zeros(1, self.image_channels + 2, *size))


def _known_moments(image: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation over the known pixels of each image's channels, `(B, C, 1, ...)`."""
    axes = tuple(range(2, image.ndim))
    # With nothing known, what is returned does not matter, but must be finite.
    count = known.sum(dim=axes, keepdim=True).clamp_min(1)
    mean = (image * known).sum(dim=axes, keepdim=True) / count
    variance = ((image - mean).square() * known).sum(dim=axes, keepdim=True) / count
    return mean, variance.sqrt() + 1e-3


__all__ = ["InpaintingGenerator"]
