"""The generator and the critic of a Wasserstein GAN with gradient penalty, for square or cubic patches."""

from __future__ import annotations

import itertools
import math

import torch
from monai.networks.layers.factories import Conv
from torch import nn
from torch.nn import functional as F

from ...checks import check_batch, check_spatial_dims
from ...errors import InputError, ShapeError
from ..blocks.scripted_by_trace import ScriptedByTrace

_COARSEST = 4
_SLOPE = 0.2


class WGANGenerator(nn.Module):
    """Makes patches from latents: one input layer, six hidden ones for 128 x 128, one output layer.

    For 128 x 128 the input layer is linear, to 4 x 4; six hidden convolutions follow, of which the last five double
    the size; then one convolution and a sigmoid. Half or twice the patch size is one layer less or more.

    Doubling is nearest-neighbour upsampling with a 3 x 3 convolution. Unlike a free transposed convolution it gives
    every pixel of a flat area the same value, so that it cannot begin with a checkerboard and need not learn to
    avoid it; it is computed as one transposed convolution, which takes 4 products for a pixel where the two steps
    take 9 (8 and 27 in three dimensions). In untrained networks of 64 x 64 the power at the frequencies of the last
    two doublings is 1.6 times that beside them (median of 4 networks), with bilinear upsampling 9 times, with free
    transposed convolutions 53 times.

    Features are scaled to mean square 1 over the channels of each pixel. No layer mixes the rows of a batch: a patch
    depends on its own latent only, in training and in evaluation, in one process and in several.

    Args:
        spatial_dims: 2 or 3.
        patch_size: side of the patch, a power of two of at least 8.
        out_channels: channels of the patch.
        latent_size: length of a latent.
        features: of the last hidden layer, at full size; each coarser layer has twice as many, up to 8 times.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.

    Raises:
        InputError: for other `spatial_dims`, another `patch_size`, or a number that is not positive.

    Example:
        >>> generator = WGANGenerator(2, patch_size=64, features=4)
        >>> generator(torch.randn(3, 100)).shape
        torch.Size([3, 1, 64, 64])

    Source:
        Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028; upsampling: Odena
        et al., "Deconvolution and checkerboard artifacts", Distill 2016, DOI 10.23915/distill.00003; norm: Karras et
        al., "Progressive growing of GANs", ICLR 2018, arXiv:1710.10196.
    """

    def __init__(
        self,
        spatial_dims: int,
        patch_size: int = 128,
        out_channels: int = 1,
        latent_size: int = 100,
        features: int = 32,
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        _check_positive(out_channels=out_channels, latent_size=latent_size)
        self.arguments = {
            "spatial_dims": spatial_dims,
            "patch_size": patch_size,
            "out_channels": out_channels,
            "latent_size": latent_size,
            "features": features,
        }
        self.latent_size = latent_size
        widths = _widths(patch_size, features)[::-1]
        start = (widths[0], *(_COARSEST,) * spatial_dims)
        self.input = nn.Sequential(
            nn.Linear(latent_size, math.prod(start)), nn.Unflatten(1, start), nn.LeakyReLU(_SLOPE), _PixelNorm()
        )
        convolution = Conv[Conv.CONV, spatial_dims]
        hidden: list[nn.Module] = [convolution(widths[0], widths[0], kernel_size=3, padding=1)]
        hidden += [_UpsamplingConvolution(spatial_dims, coarse, fine) for coarse, fine in itertools.pairwise(widths)]
        self.hidden = nn.ModuleList(nn.Sequential(layer, nn.LeakyReLU(_SLOPE), _PixelNorm()) for layer in hidden)
        self.output = nn.Sequential(convolution(widths[-1], out_channels, kernel_size=3, padding=1), nn.Sigmoid())
        self.apply(_initialise)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Return patches `(B, out_channels, *spatial)` in [0, 1].

        Args:
            latent: standard normal `(B, latent_size)`.

        Raises:
            ShapeError: for latents of another shape.
        """
        if latent.ndim != 2 or latent.shape[1] != self.latent_size:
            raise ShapeError(f"Expected latents (B, {self.latent_size}), got {tuple(latent.shape)}.")
        x = self.input(latent)
        for layer in self.hidden:
            x = layer(x)
        patches: torch.Tensor = self.output(x)
        return patches

    def __prepare_scriptable__(self) -> ScriptedByTrace:
        """Return what TorchScript holds: the trace on one latent."""
        return ScriptedByTrace(self, next(self.parameters()).new_zeros(1, self.latent_size))


class WGANCritic(nn.Module):
    """Scores patches: the mirror image of `WGANGenerator`, with convolutions of stride 2, and without any norm.

    A norm over the batch would make a row's score depend on the other rows, where the gradient penalty asks for
    the gradient of each row's own score.

    Args:
        spatial_dims: 2 or 3.
        patch_size: side of the patch, a power of two of at least 8.
        in_channels: channels of the patch.
        features: of the first layer, at full size; each coarser layer has twice as many, up to 8 times.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.

    Raises:
        InputError: for other `spatial_dims`, another `patch_size`, or a number that is not positive.

    Example:
        >>> critic = WGANCritic(2, patch_size=64, features=4)
        >>> critic(torch.rand(3, 1, 64, 64)).shape
        torch.Size([3])

    Source:
        Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028.
    """

    def __init__(self, spatial_dims: int, patch_size: int = 128, in_channels: int = 1, features: int = 32) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        _check_positive(in_channels=in_channels)
        self.arguments = {
            "spatial_dims": spatial_dims,
            "patch_size": patch_size,
            "in_channels": in_channels,
            "features": features,
        }
        self.spatial_dims = spatial_dims
        self.patch_size = patch_size
        self.in_channels = in_channels
        widths = _widths(patch_size, features)
        convolution = Conv[Conv.CONV, spatial_dims]
        layers = [
            convolution(in_channels, widths[0], kernel_size=3, padding=1),
            # A kernel that the stride divides meets every pixel equally often: the gradient has no checkerboard.
            *(
                convolution(fine, coarse, kernel_size=4, stride=2, padding=1)
                for fine, coarse in itertools.pairwise(widths)
            ),
            convolution(widths[-1], widths[-1], kernel_size=3, padding=1),
        ]
        self.layers = nn.ModuleList(nn.Sequential(layer, nn.LeakyReLU(_SLOPE)) for layer in layers)
        self.output = nn.Linear(widths[-1] * _COARSEST**spatial_dims, 1)
        self.apply(_initialise)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Return the scores `(B,)` of patches `(B, in_channels, *spatial)` in [0, 1]; the greater, the more real.

        Raises:
            ShapeError: for wrong channels, dimensions or size.
        """
        check_batch(patches, self.in_channels, self.spatial_dims, "the patches")
        if any(side != self.patch_size for side in patches.shape[2:]):
            raise ShapeError(
                f"Expected patches with sides of {self.patch_size}, got {tuple(patches.shape[2:])}; "
                f"crop or pad them, or build the critic with another patch_size."
            )
        for layer in self.layers:
            patches = layer(patches)
        # A score may lie far from 0, and differences of scores count: in bfloat16 they would be lost.
        with torch.autocast(patches.device.type, enabled=False):
            scores: torch.Tensor = self.output(patches.flatten(1).to(self.output.weight))[:, 0]
        return scores


class _UpsamplingConvolution(nn.Module):
    """Nearest-neighbour upsampling by 2 and a 3 x 3 convolution, as one transposed convolution.

    Upsampling is the transposed convolution with a box of ones, 2 pixels a side, at stride 2. Two convolutions one
    after the other are one with the convolution of their kernels, 4 pixels a side.
    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        transposed = Conv[Conv.CONVTRANS, spatial_dims](in_channels, out_channels, kernel_size=3)
        self.weight = transposed.weight
        self.bias = transposed.bias
        self.transposed = F.conv_transpose2d if spatial_dims == 2 else F.conv_transpose3d
        self.register_buffer("box", torch.ones(1, 1, *(2,) * spatial_dims), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return `(B, out_channels, *spatial)`, twice the size of `x` `(B, in_channels, *spatial)`."""
        kernels = self.transposed(self.weight.flatten(0, 1).unsqueeze(1), self.get_buffer("box"))
        kernels = kernels.squeeze(1).unflatten(0, self.weight.shape[:2])
        return self.transposed(x, kernels, self.bias, stride=2, padding=1)


class _PixelNorm(nn.Module):
    """Scales the channels of each pixel to mean square 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` `(B, C, *spatial)`, scaled."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def _initialise(module: nn.Module) -> None:
    """Begin with the variance that keeps that of the features (He et al., ICCV 2015, DOI 10.1109/ICCV.2015.123)."""
    if isinstance(module, _UpsamplingConvolution):
        fan_in = module.weight[:, 0].numel()
        nn.init.normal_(module.weight, std=math.sqrt(2 / (1 + _SLOPE**2) / fan_in))
    elif isinstance(module, (nn.Linear, nn.Conv2d, nn.Conv3d)):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _widths(patch_size: int, features: int) -> list[int]:
    """Return the features at full size, half size, ..., at 4 pixels a side.

    They are one more than the doublings, as many as the hidden layers of the network: six for 128.
    """
    doublings = int(math.log2(max(patch_size, 1) / _COARSEST)) if patch_size > _COARSEST else 0
    if doublings < 1 or patch_size != _COARSEST * 2**doublings:
        raise InputError(f"Expected patch_size to be a power of two of at least 8, such as 128, got {patch_size!r}.")
    _check_positive(features=features)
    return [features * 2 ** min(level, 3) for level in range(doublings + 1)]


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise InputError(f"Expected {name} to be at least 1, got {number!r}.")


__all__ = ["WGANCritic", "WGANGenerator"]
