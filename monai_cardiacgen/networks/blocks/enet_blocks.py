"""ENet's bottlenecks: a cheap side branch that corrects what the main branch carries on."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv, Dropout, Norm, Pool
from torch import nn
from torch.nn import functional as F


def normalised(spatial_dims: int, conv: nn.Module, channels: int, activation: type[nn.Module]) -> nn.Sequential:
    """Return the convolution followed by batch norm and `PReLU` (one slope a channel) or `ReLU`."""
    slopes = (channels,) if activation is nn.PReLU else ()
    norm = Norm[Norm.BATCH, spatial_dims](channels, eps=1e-3)
    return nn.Sequential(conv, norm, activation(*slopes))


def dilated_conv(spatial_dims: int, channels: int, dilation: int = 1) -> nn.Module:
    """Return a convolution of kernel 3 that keeps the size; its reach is `1 + 2 * dilation` pixels."""
    conv: nn.Module = Conv[Conv.CONV, spatial_dims](
        channels, channels, kernel_size=3, padding=dilation, dilation=dilation, bias=False
    )
    return conv


def asymmetric_conv(spatial_dims: int, channels: int, kernel_size: int = 5) -> nn.Sequential:
    """Return one convolution an axis, `kernel_size` long on it and 1 across: 5 x 1 then 1 x 5 in 2D."""
    convs = []
    for axis in range(spatial_dims):
        kernel = [kernel_size if other == axis else 1 for other in range(spatial_dims)]
        convs.append(
            Conv[Conv.CONV, spatial_dims](
                channels, channels, kernel_size=kernel, padding=[side // 2 for side in kernel], bias=False
            )
        )
    return nn.Sequential(*convs)


def max_unpool(pooled: torch.Tensor, indices: torch.Tensor, factor: int = 2) -> torch.Tensor:
    """Put every value back to where max-pooling took its own from; zero elsewhere.

    Equal to torch's `max_unpool2d` and `max_unpool3d`, but a scatter, which ONNX and every device know.

    Args:
        pooled: `(B, C, *spatial)`.
        indices: `(B, C, *spatial)` int64, as max-pooling returns them: flat positions in the unpooled map.
        factor: the pooling's window and stride.

    Returns:
        `(B, C, *(factor * spatial))`.
    """
    empty = pooled.new_zeros((*pooled.shape[:2], *(factor * side for side in pooled.shape[2:])))
    filled = empty.flatten(start_dim=2).scatter(2, indices.flatten(start_dim=2), pooled.flatten(start_dim=2))
    return filled.view_as(empty)


class ENetInitialBlock(nn.Module):
    """Halves the image: a stride-2 convolution beside a max-pooling of the image itself, joined.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image, fewer than `out_channels`.
        out_channels: channels of the joined features.
    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = Conv[Conv.CONV, spatial_dims](
            in_channels, out_channels - in_channels, kernel_size=3, stride=2, padding=1, bias=False
        )
        self.pool = Pool[Pool.MAX, spatial_dims](2)
        self.norm = normalised(spatial_dims, nn.Identity(), out_channels, nn.PReLU)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return `(B, out_channels, *(spatial / 2))`."""
        out: torch.Tensor = self.norm(torch.cat((self.conv(x), self.pool(x)), dim=1))
        return out


class ENetBranch(nn.Module):
    """The side branch: reduce the channels, look around, expand again, drop whole channels in training.

    Args:
        spatial_dims: 2 or 3.
        entry: the reducing convolution, to `middle_channels`.
        middle: the convolution that looks around.
        middle_channels: a quarter of the bottleneck's channels.
        out_channels: the bottleneck's channels.
        dropout: probability that a channel is dropped (spatial dropout).
        activation: `nn.PReLU` in the encoder, `nn.ReLU` in the decoder.
    """

    def __init__(
        self,
        spatial_dims: int,
        entry: nn.Module,
        middle: nn.Module,
        middle_channels: int,
        out_channels: int,
        dropout: float,
        activation: type[nn.Module],
    ) -> None:
        super().__init__()
        self.entry = normalised(spatial_dims, entry, middle_channels, activation)
        self.middle = normalised(spatial_dims, middle, middle_channels, activation)
        self.expand = Conv[Conv.CONV, spatial_dims](middle_channels, out_channels, kernel_size=1, bias=False)
        self.norm = Norm[Norm.BATCH, spatial_dims](out_channels, eps=1e-3)
        self.dropout = Dropout[Dropout.DROPOUT, spatial_dims](dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the correction to the main branch, `(B, out_channels, *spatial)`."""
        out: torch.Tensor = self.dropout(self.norm(self.expand(self.middle(self.entry(x)))))
        return out


class ENetBottleneck(nn.Module):
    """A bottleneck that keeps channels and size.

    Args:
        spatial_dims: 2 or 3.
        channels: channels in and out, a multiple of 4.
        middle: a convolution on `channels / 4`, from `dilated_conv` or `asymmetric_conv`.
        dropout: probability that a channel of the side branch is dropped.
        activation: `nn.PReLU` or `nn.ReLU`.
    """

    def __init__(
        self,
        spatial_dims: int,
        channels: int,
        middle: nn.Module,
        dropout: float = 0.0,
        activation: type[nn.Module] = nn.PReLU,
    ) -> None:
        super().__init__()
        entry = Conv[Conv.CONV, spatial_dims](channels, channels // 4, kernel_size=1, bias=False)
        self.branch = ENetBranch(spatial_dims, entry, middle, channels // 4, channels, dropout, activation)
        self.activation = nn.PReLU(channels) if activation is nn.PReLU else activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return `(B, channels, *spatial)`."""
        out: torch.Tensor = self.activation(x + self.branch(x))
        return out


class ENetDownsampling(nn.Module):
    """A bottleneck that halves the size: its main branch is max-pooling, filled up with empty channels.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels in.
        out_channels: channels out, more than `in_channels`.
        dropout: probability that a channel of the side branch is dropped.
    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        reduced = out_channels // 4
        self.more_channels = out_channels - in_channels
        entry = Conv[Conv.CONV, spatial_dims](in_channels, reduced, kernel_size=2, stride=2, bias=False)
        middle = dilated_conv(spatial_dims, reduced)
        self.branch = ENetBranch(spatial_dims, entry, middle, reduced, out_channels, dropout, nn.PReLU)
        self.pool = Pool[Pool.MAX, spatial_dims](2, return_indices=True)
        self.activation = nn.PReLU(out_channels)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return `(B, out_channels, *(spatial / 2))` and max-pooling's indices `(B, in_channels, ...)`."""
        pooled, indices = self.pool(x)
        filling = (0, 0) * (x.ndim - 2) + (0, self.more_channels)
        return self.activation(F.pad(pooled, filling) + self.branch(x)), indices


class ENetUpsampling(nn.Module):
    """A bottleneck that doubles the size: its main branch is unpooled with a downsampling's indices.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels in.
        out_channels: channels out, as many as the indices have.
    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        reduced = out_channels // 4
        entry = Conv[Conv.CONV, spatial_dims](in_channels, reduced, kernel_size=1, bias=False)
        middle = Conv[Conv.CONVTRANS, spatial_dims](
            reduced, reduced, kernel_size=3, stride=2, padding=1, output_padding=1, bias=False
        )
        self.branch = ENetBranch(spatial_dims, entry, middle, reduced, out_channels, 0.0, nn.ReLU)
        self.main = nn.Sequential(
            Conv[Conv.CONV, spatial_dims](in_channels, out_channels, kernel_size=1, bias=False),
            Norm[Norm.BATCH, spatial_dims](out_channels, eps=1e-3),
        )

    def forward(self, x: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Return `(B, out_channels, *(2 * spatial))`."""
        return F.relu(max_unpool(self.main(x), indices) + self.branch(x))
