"""The SPADE generator: a label map and a style in, an image out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import nn
from torch.nn import functional as F

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError, ShapeError
from ...seeding import randn_rows
from ..blocks.label_patches import channels_of, distinct_patches, is_hard, subsampled
from ..blocks.scripted_by_trace import ScriptedByTrace
from ..blocks.spade import SPADEResidualBlock


class SPADEGenerator(nn.Module):
    """Paints an image on a one-hot label map.

    A style vector, joined with a condition where there is one, makes the coarsest feature map and modulates every SPADE
    norm; at each level the image doubles in size. With a style of a real image it renders the label map as that
    patient's scan would look.

    Args:
        spatial_dims: 2 or 3.
        label_channels: channels of the one-hot label map, background included.
        out_channels: channels of the image.
        channels: features of each level, coarsest first; a side of the image must be a multiple of
            `2 ** (len(channels) - 1)`.
        hidden_channels: hidden channels of the SPADE norms (128 in the paper).
        style_size: length of the style vector; 0 for none: where no condition is told either, the label map itself
            makes the coarsest feature map.
        start_size: size of the coarsest feature map that the style makes; another size is interpolated.
        condition_size: length of a vector that is told beside the style, such as view and phase; 0 for none.
        layer_noise: whether each level learns how strong a noise to add; the SPADE paper's generator adds none.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.

    Example:
        >>> generator = SPADEGenerator(2, label_channels=4, channels=(16, 8), style_size=6, start_size=(4, 4))
        >>> generator(torch.rand(1, 4, 16, 16), torch.randn(1, 6)).shape
        torch.Size([1, 1, 16, 16])

    Source:
        Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244; Skandarani et al., MIDL 2020.
    """

    def __init__(
        self,
        spatial_dims: int,
        label_channels: int,
        out_channels: int = 1,
        channels: Sequence[int] = (128, 128, 64, 32, 16),
        hidden_channels: int = 64,
        style_size: int = 64,
        start_size: Sequence[int] = (6, 6),
        condition_size: int = 0,
        layer_noise: bool = True,
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if len(channels) < 2 or len(start_size) != spatial_dims:
            raise InputError(
                f"Expected at least 2 levels in channels and {spatial_dims} sides in start_size, "
                f"got {tuple(channels)} and {tuple(start_size)}."
            )
        self.arguments = {
            "spatial_dims": spatial_dims,
            "label_channels": label_channels,
            "out_channels": out_channels,
            "channels": list(channels),
            "hidden_channels": hidden_channels,
            "style_size": style_size,
            "start_size": list(start_size),
            "condition_size": condition_size,
            "layer_noise": layer_noise,
        }
        self.spatial_dims = spatial_dims
        self.label_channels = label_channels
        self.style_size = style_size
        self.condition_size = condition_size
        self.start_size = tuple(start_size)
        self.factor = 2 ** (len(channels) - 1)
        told_size = style_size + condition_size
        self.start: nn.Module = (
            nn.Linear(told_size, channels[0] * torch.Size(start_size).numel())
            if told_size
            else Conv[Conv.CONV, spatial_dims](label_channels, channels[0], kernel_size=3, padding=1)
        )
        self.blocks = nn.ModuleList(
            SPADEResidualBlock(spatial_dims, before, after, label_channels, hidden_channels, told_size, layer_noise)
            for before, after in itertools.pairwise((channels[0], *channels))
        )
        self.to_image = Conv[Conv.CONV, spatial_dims](channels[-1], out_channels, kernel_size=3, padding=1)

    def forward(
        self,
        one_hot: torch.Tensor,
        style: torch.Tensor | None = None,
        noise: Sequence[torch.Tensor] | None = None,
        condition: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the image `(B, out_channels, *spatial)` in [0, 1].

        Args:
            one_hot: label map `(B, label_channels, *spatial)`.
            style: `(B, style_size)`, standard normal or from the style encoder; none for the mean style, 0.
            noise: one standard normal tensor a level, see `draw_noise`; none for the noise-free image.
            condition: `(B, condition_size)`, given exactly when the network was built with one.

        Raises:
            ShapeError: for wrong channels, dimensions, style or condition, or a side that the depth does not divide.
        """
        check_batch(one_hot, self.label_channels, self.spatial_dims, "the label map")
        check_divisible(one_hot.shape[2:], self.factor, "the label map")
        if style is None:
            style = one_hot.new_zeros(one_hot.shape[0], self.style_size)
        style = self.style_and_condition(style, condition, one_hot.shape[0])
        sizes = self.level_sizes(one_hot.shape[2:])
        if torch.Size(sizes[0]).numel() < 2:
            raise ShapeError(
                f"Expected a label map larger than {tuple(one_hot.shape[2:])}: its coarsest level is a single pixel, "
                f"which no norm can be taken of; double a side at least."
            )
        # An exported graph holds the convolutions: which patches are distinct depends on the data.
        exporting = torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None
        label = None if exporting or not is_hard(one_hot) else channels_of(one_hot)
        x = self.coarsest(style, subsampled(one_hot, self.factor, self.spatial_dims))
        for level, block in enumerate(self.blocks):
            if level:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            step = 2 ** (len(sizes) - 1 - level)
            patches = None
            if label is not None:
                patches = distinct_patches(subsampled(label, step, self.spatial_dims), self.label_channels)
            here = subsampled(one_hot, step, self.spatial_dims)
            x = block(x, here, style, None if noise is None else noise[level], patches)
        return torch.sigmoid(self.to_image(F.leaky_relu(x, 0.2)))

    def __prepare_scriptable__(self) -> ScriptedByTrace:
        """Return what TorchScript holds: the trace in the mean style.

        It is taken where the coarsest level is not `start_size`, so that it interpolates and fits any size.
        """
        size = (2 * side * self.factor for side in self.start_size)
        return ScriptedByTrace(self, self.to_image.weight.new_zeros(1, self.label_channels, *size))

    def style_and_condition(self, style: torch.Tensor, condition: torch.Tensor | None, rows: int) -> torch.Tensor:
        """Return what start and norms are told of each row, `(rows, style_size + condition_size)`.

        Raises:
            ShapeError: for a style or a condition of another shape.
        """
        if style.shape != (rows, self.style_size):
            raise ShapeError(
                f"Expected a style of shape {(rows, self.style_size)}, got {tuple(style.shape)}; one row for each "
                f"label map."
            )
        if condition is None and not self.condition_size:
            return style
        if condition is None or condition.shape != (rows, self.condition_size):
            raise ShapeError(
                f"Expected a condition of shape {(rows, self.condition_size)} (none for 0), got "
                f"{None if condition is None else tuple(condition.shape)}; condition_size tells its length."
            )
        return torch.cat([style, condition.to(style)], dim=1)

    def coarsest(self, told: torch.Tensor, one_hot: torch.Tensor) -> torch.Tensor:
        """Return the first feature map `(B, channels[0], *size)`.

        Args:
            told: of `style_and_condition`.
            one_hot: label map of that size.
        """
        if not told.shape[1]:
            x: torch.Tensor = self.start(one_hot)
            return x
        x = self.start(told).unflatten(1, (-1, *self.start_size))
        if one_hot.shape[2:] != self.start_size:
            mode = "bilinear" if self.spatial_dims == 2 else "trilinear"
            x = F.interpolate(x, tuple(one_hot.shape[2:]), mode=mode)
        return x

    def level_sizes(self, spatial_size: Sequence[int]) -> list[tuple[int, ...]]:
        """Return the spatial size of every level, coarsest first, for an image of `spatial_size`."""
        levels = len(self.blocks)
        return [tuple(side >> (levels - 1 - level) for side in spatial_size) for level in range(levels)]

    def draw_noise(self, spatial_size: Sequence[int], generators: list[torch.Generator]) -> list[torch.Tensor]:
        """Return standard normal noise `(B, 1, *size)` for every level, each row from its own generator."""
        return [randn_rows(generators, (1, *size)) for size in self.level_sizes(spatial_size)]
