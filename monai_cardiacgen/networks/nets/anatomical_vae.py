"""The anatomical variational autoencoder: the shapes of hearts in a small latent space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm, Pool
from torch import nn
from torch.nn import functional as F

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError, ShapeError


class AnatomicalVAE(nn.Module):
    """Encodes a label map as a normal distribution of a few numbers, and decodes such numbers to a label map.

    A level is a stride-2 convolution and a convolution, each with batch norm and ELU; the decoder mirrors it
    with transposed convolutions. Between them a narrow layer as wide as the first level.

    Args:
        spatial_dims: 2 or 3.
        num_classes: channels of the one-hot label map, background included.
        spatial_size: size of the label map, each side a multiple of `pooling * 2 ** len(channels)`.
        latent_size: number of latent values.
        channels: features of each level, finest first.
        condition_size: length of a vector that both halves are told, for example the slice's position between
            apex and base and the phase; 0 for none.
        pooling: side of the blocks of pixels that the encoder averages first; the decoder's logits are interpolated
            back linearly, which draws borders finer than the blocks. Volumes cost as much less as they have fewer
            blocks, and weights serve every `spatial_size` of as many blocks.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.

    Raises:
        InputError: for other `spatial_dims`, no level, another number of sides, or a pooling below 1.
        ShapeError: for a side that the depth does not divide.

    Example:
        >>> vae = AnatomicalVAE(2, num_classes=4, spatial_size=(16, 16), latent_size=3, channels=(8, 16))
        >>> vae(torch.rand(2, 4, 16, 16)).shape
        torch.Size([2, 4, 16, 16])

    Source:
        Painchaud et al., "Cardiac segmentation with strong anatomical guarantees", IEEE TMI 2020,
        DOI 10.1109/TMI.2020.3003240; the layers are those of its authors' program.
    """

    def __init__(
        self,
        spatial_dims: int,
        num_classes: int,
        spatial_size: Sequence[int],
        latent_size: int = 16,
        channels: Sequence[int] = (48, 96, 192, 384),
        condition_size: int = 0,
        pooling: int = 1,
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if not channels or len(spatial_size) != spatial_dims or pooling < 1:
            raise InputError(
                f"Expected at least one level in channels, {spatial_dims} sides in spatial_size and a pooling of at "
                f"least 1, got {tuple(channels)}, {tuple(spatial_size)} and {pooling}."
            )
        if min(*channels, latent_size) < 1 or num_classes < 2 or condition_size < 0:
            raise InputError(
                f"Expected channels and a latent of at least 1 number, 2 classes and no negative condition, got "
                f"{tuple(channels)}, {latent_size}, {num_classes} and {condition_size}; the background is a class, too."
            )
        self.arguments = {
            "spatial_dims": spatial_dims,
            "num_classes": num_classes,
            "spatial_size": [int(side) for side in spatial_size],
            "latent_size": latent_size,
            "channels": list(channels),
            "condition_size": condition_size,
            "pooling": pooling,
        }
        self.pooling = pooling
        self.factor = pooling * 2 ** len(channels)
        check_divisible(spatial_size, self.factor, "the label map")
        self.spatial_dims = spatial_dims
        self.num_classes = num_classes
        self.spatial_size = tuple(int(side) for side in spatial_size)
        self.latent_size = latent_size
        self.condition_size = condition_size

        narrow = channels[0]
        coarse_size = [side // self.factor for side in self.spatial_size]
        flat_size = narrow * torch.Size(coarse_size).numel()
        self.encoder = nn.Sequential(
            *(self._down(fine, coarse) for fine, coarse in itertools.pairwise((num_classes, *channels))),
            self._conv(channels[-1], narrow),
            nn.Flatten(),
        )
        self.mean = nn.Linear(flat_size + condition_size, latent_size)
        self.log_variance = nn.Linear(flat_size + condition_size, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size + condition_size, flat_size),
            nn.ELU(inplace=True),
            nn.Unflatten(1, (narrow, *coarse_size)),
            self._conv(narrow, channels[-1]),
            *(self._up(coarse, fine) for coarse, fine in itertools.pairwise((*channels[::-1], channels[0]))),
            Conv[Conv.CONV, spatial_dims](channels[0], num_classes, kernel_size=3, padding=1),
        )

    def _conv(self, before: int, after: int, stride: int = 1) -> nn.Sequential:
        dims = self.spatial_dims
        conv = Conv[Conv.CONV, dims](before, after, kernel_size=3, stride=stride, padding=1, bias=False)
        return nn.Sequential(conv, Norm[Norm.BATCH, dims](after), nn.ELU(inplace=True))

    def _down(self, fine: int, coarse: int) -> nn.Sequential:
        return nn.Sequential(self._conv(fine, coarse, stride=2), self._conv(coarse, coarse))

    def _up(self, coarse: int, fine: int) -> nn.Sequential:
        dims = self.spatial_dims
        transposed = Conv[Conv.CONVTRANS, dims](coarse, fine, kernel_size=2, stride=2, bias=False)
        return nn.Sequential(transposed, Norm[Norm.BATCH, dims](fine), nn.ELU(inplace=True), self._conv(fine, fine))

    def encode(self, one_hot: torch.Tensor, condition: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and log variance `(B, latent_size)` of label maps `(B, num_classes, *spatial_size)`.

        Args:
            one_hot: label maps, float.
            condition: `(B, condition_size)`, given exactly when the network was built with one.

        Raises:
            ShapeError: for wrong channels, dimensions, size or condition.
        """
        check_batch(one_hot, self.num_classes, self.spatial_dims, "the label map")
        if tuple(one_hot.shape[2:]) != self.spatial_size:
            check_divisible(one_hot.shape[2:], self.factor, "the label map")
            raise ShapeError(
                f"Expected label maps of the size {self.spatial_size} that this network was built for, got "
                f"{tuple(one_hot.shape[2:])}; crop or pad them, or build it with that spatial_size."
            )
        if self.pooling > 1:
            one_hot = Pool[Pool.AVG, self.spatial_dims](self.pooling)(one_hot)
        features = self._with_condition(self.encoder(one_hot), condition)
        return self.mean(features), self.log_variance(features)

    def decode(self, latent: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits `(B, num_classes, *spatial_size)` of latents `(B, latent_size)`.

        Raises:
            ShapeError: for a latent or condition of another shape.
        """
        if latent.ndim != 2 or latent.shape[1] != self.latent_size:
            raise ShapeError(f"Expected latents (B, {self.latent_size}), got {tuple(latent.shape)}.")
        logits: torch.Tensor = self.decoder(self._with_condition(latent, condition))
        if self.pooling > 1:
            linear = "bilinear" if self.spatial_dims == 2 else "trilinear"
            logits = F.interpolate(logits, scale_factor=float(self.pooling), mode=linear, align_corners=False)
        return logits

    def forward(
        self,
        one_hot: torch.Tensor,
        condition: torch.Tensor | None = None,
        noise: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the logits of `mean + exp(log_variance / 2) * noise`, or of the mean without noise.

        Args:
            one_hot: `(B, num_classes, *spatial_size)`.
            condition: `(B, condition_size)` or None.
            noise: standard normal `(B, latent_size)`, or None for the reconstruction.
        """
        mean, log_variance = self.encode(one_hot, condition)
        latent = mean if noise is None else mean + torch.exp(log_variance / 2) * noise
        return self.decode(latent, condition)

    def _with_condition(self, features: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        if condition is None and not self.condition_size:
            return features
        expected = (features.shape[0], self.condition_size)
        if condition is None or not self.condition_size or condition.shape != expected:
            raise ShapeError(
                f"Expected a condition of shape (B, {self.condition_size}) (none for 0), got "
                f"{None if condition is None else tuple(condition.shape)}; condition_size tells its length."
            )
        return torch.cat((features, condition.to(features.dtype)), dim=1)
