"""A conditional generator as the painter of a synthesizer: label maps in, images out, and nothing else told."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..checks import check_batch, check_spatial_dims
from ..errors import InputError
from ..networks.nets.conditional_unet import ConditionalUNetGenerator

#: Slices that the network sees at a time.
_TOGETHER = 16


class StylelessPainter(nn.Module):
    """Paints label maps as a `ConditionalUNetGenerator` does: without style, condition or noise.

    A label map has one image. A 2D generator paints volumes slice by slice along their last axis; slices then know
    nothing of each other.

    Args:
        network: one-hot label maps to images in [0, 1].
        spatial_dims: of the label maps: the network's, or 3 for one of 2D.

    Attributes:
        style_size, condition_size: 0, lengths of what it is told beside the label map.

    Raises:
        InputError: for another number of axes, or a network of more than one image channel.

    Example:
        >>> network = ConditionalUNetGenerator(2, in_channels=8, channels=(4, 8)).eval()
        >>> StylelessPainter(network, spatial_dims=3)(torch.rand(1, 8, 16, 12, 5)).shape
        torch.Size([1, 1, 16, 12, 5])

    Source:
        Habijan et al. 2022, arXiv:2205.09842 (the generator).
    """

    style_size = 0
    condition_size = 0

    def __init__(self, network: ConditionalUNetGenerator, spatial_dims: int) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if network.spatial_dims > spatial_dims or network.arguments["out_channels"] != 1:
            raise InputError(
                f"Expected a network of at most {spatial_dims} axes and one image channel, got one of "
                f"{network.spatial_dims} axes and {network.arguments['out_channels']} channels."
            )
        self.network = network
        self.spatial_dims = spatial_dims
        self.label_channels = network.in_channels

    def draw_noise(self, spatial_size: Sequence[int], generators: Sequence[torch.Generator]) -> list[torch.Tensor]:
        """Return no noise."""
        return []

    def forward(
        self,
        one_hot: torch.Tensor,
        style: torch.Tensor | None = None,
        noise: Sequence[torch.Tensor] | None = None,
        condition: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the images `(B, 1, *spatial)` in [0, 1].

        Args:
            one_hot: label maps `(B, label_channels, *spatial)`.
            style: `(B, 0)` or none, as of any painter of a synthesizer.
            noise: none.
            condition: none.

        Raises:
            ShapeError: for wrong channels or dimensions, or a side that the network's depth does not divide.
        """
        check_batch(one_hot, self.label_channels, self.spatial_dims, "the label map")
        if self.network.spatial_dims == self.spatial_dims:
            painted: torch.Tensor = self.network(one_hot)
            return painted
        slices = one_hot.movedim(-1, 1).flatten(0, 1)  # (B D, C, H, W)
        images = torch.cat([self.network(some) for some in slices.split(_TOGETHER)])
        volumes: torch.Tensor = images.unflatten(0, (one_hot.shape[0], one_hot.shape[-1])).movedim(1, -1)
        return volumes


__all__ = ["StylelessPainter"]
