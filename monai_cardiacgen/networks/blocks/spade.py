"""Spatially-adaptive normalisation as in its paper, and the residual block made of it."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from .few_pixels import convolve
from .label_patches import LabelPatches
from .modulation import NormaliseAndModulate
from .spectral_norm import spectral_norm


class SpatiallyAdaptiveNorm(nn.Module):
    r"""SPADE: normalise without parameters, then scale and shift by what the label map says at each pixel.

    .. math:: y = \mathrm{norm}(x) \, (1 + \gamma(m) + \gamma_m(z)) + \beta(m) + \beta_m(z)

    `gamma(m)` and `beta(m)` are convolutions of the label map `m`, **not** normalised in turn, so that each
    class keeps an intensity of its own. The optional style `z` adds a scale and a shift per class and channel at
    every level: of a style that enters only at the network's start, the parameter-free norm leaves but the pattern,
    not the level.

    Args:
        spatial_dims: 2 or 3.
        features: channels of `x`.
        label_channels: channels of the one-hot label map.
        hidden_channels: channels between the label map and gamma and beta.
        style_size: length of the style; 0 for none.

    Example:
        >>> norm = SpatiallyAdaptiveNorm(2, features=8, label_channels=4, hidden_channels=16, style_size=5)
        >>> norm(torch.rand(2, 8, 16, 16), torch.rand(2, 4, 16, 16), torch.rand(2, 5)).shape
        torch.Size([2, 8, 16, 16])

    Source:
        Park et al., Semantic Image Synthesis with Spatially-Adaptive Normalization, CVPR 2019,
        DOI 10.1109/CVPR.2019.00244.
    """

    def __init__(
        self, spatial_dims: int, features: int, label_channels: int, hidden_channels: int, style_size: int
    ) -> None:
        super().__init__()
        convolution = Conv[Conv.CONV, spatial_dims]
        self.norm = Norm[Norm.INSTANCE, spatial_dims](features, affine=False)
        self.shared = convolution(label_channels, hidden_channels, kernel_size=3, padding=1)
        self.gamma_beta = convolution(hidden_channels, 2 * features, kernel_size=3, padding=1)
        self.style = nn.Linear(style_size, label_channels * 2 * features) if style_size else None

    def forward(
        self, x: torch.Tensor, one_hot: torch.Tensor, style: torch.Tensor, patches: LabelPatches | None = None
    ) -> torch.Tensor:
        """Return the modulated `x`.

        Args:
            x: activations `(B, features, *spatial)`.
            one_hot: label map `(B, label_channels, *spatial)` of the same spatial size.
            style: `(B, style_size)`; ignored when `style_size` is 0.
            patches: the distinct patches of `one_hot`, for the same result at less cost; none for the
                convolutions themselves.
        """
        if patches is None:
            gamma, beta = self.convolved(one_hot, style).chunk(2, dim=1)
            normalised: torch.Tensor = self.norm(x)
            return normalised * (1 + gamma) + beta
        gamma, beta = self.tabulated(patches, style).chunk(2, dim=1)
        pixels = x.movedim(1, -1).reshape(-1, x.shape[1])  # a view, where x is channels-last
        modulated: torch.Tensor = NormaliseAndModulate.apply(
            pixels, gamma, beta, patches.row, patches.lookup.flatten(), len(x)
        )
        return modulated.view(len(x), *x.shape[2:], -1).movedim(-1, 1)

    def convolved(self, one_hot: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Return gamma and beta `(B, 2 * features, *spatial)` as the paper writes them: the reference."""
        modulation: torch.Tensor = self.gamma_beta(F.relu(self.shared(one_hot)))
        if self.style is not None:
            a_class = self.style(style).unflatten(1, (one_hot.shape[1], -1))  # (B, label_channels, 2 * features)
            modulation = modulation + torch.einsum("bc...,bcf->bf...", one_hot, a_class)
        return modulation

    def tabulated(self, patches: LabelPatches, style: torch.Tensor) -> torch.Tensor:
        """Return gamma and beta `(U, 2 * features)` of the distinct patches: the same convolutions, unpadded."""
        return self.with_style(self.of_labels(patches), patches, style)

    def with_style(self, of_labels: torch.Tensor, patches: LabelPatches, style: torch.Tensor) -> torch.Tensor:
        """Return gamma and beta `(U, 2 * features)` of each pair: what its patch and its row's style say."""
        # Of one label map, pairs and patches are the same.
        table = of_labels if len(patches.lookup) == 1 else of_labels.index_select(0, patches.patch)
        if self.style is not None:
            a_class = self.style(style).unflatten(1, (patches.classes, -1))
            table = table + a_class[patches.row, patches.centre]
        return table

    def of_labels(self, patches: LabelPatches) -> torch.Tensor:
        """Return what the label map alone says, gamma and beta `(V, 2 * features)` of every distinct patch."""
        weight = self.shared.weight
        convolve = F.conv2d if weight.ndim == 4 else F.conv3d
        hidden = F.relu(convolve(patches.one_hot.to(weight.dtype), weight, self.shared.bias))
        # One output pixel a patch: the second convolution is a matrix product.
        hidden = (hidden * patches.inside.to(hidden.dtype)).flatten(1)
        return F.linear(hidden, self.gamma_beta.weight.flatten(1), self.gamma_beta.bias)


class SPADEResidualBlock(nn.Module):
    """Two convolutions, each behind a SPADE norm, a learned noise and LeakyReLU, beside a shortcut.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        out_channels: channels of the output; where they differ the shortcut is a 1x1 convolution behind a norm.
        label_channels: channels of the one-hot label map.
        hidden_channels: hidden channels of the SPADE norms.
        style_size: length of the style; 0 for none.
        layer_noise: whether the noise's strength is learned; else it stays 0.

    Source:
        Park et al. 2019, DOI 10.1109/CVPR.2019.00244; the noise per layer after Karras et al. 2019,
        DOI 10.1109/CVPR.2019.00453.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        label_channels: int,
        hidden_channels: int,
        style_size: int,
        layer_noise: bool = True,
    ) -> None:
        super().__init__()
        convolution = Conv[Conv.CONV, spatial_dims]
        middle = min(in_channels, out_channels)

        def norm(features: int) -> SpatiallyAdaptiveNorm:
            return SpatiallyAdaptiveNorm(spatial_dims, features, label_channels, hidden_channels, style_size)

        self.norm_0, self.norm_1 = norm(in_channels), norm(middle)
        self.conv_0 = spectral_norm(convolution(in_channels, middle, kernel_size=3, padding=1))
        self.conv_1 = spectral_norm(convolution(middle, out_channels, kernel_size=3, padding=1))
        strength = torch.zeros(middle, *[1] * spatial_dims)
        self.noise_strength: torch.Tensor
        if layer_noise:
            self.noise_strength = nn.Parameter(strength)
        else:
            self.register_buffer("noise_strength", strength)
        self.norm_s: SpatiallyAdaptiveNorm | None = None
        self.conv_s: nn.Module | None = None
        if in_channels != out_channels:
            self.norm_s = norm(in_channels)
            self.conv_s = spectral_norm(convolution(in_channels, out_channels, kernel_size=1, bias=False))

    def forward(
        self,
        x: torch.Tensor,
        one_hot: torch.Tensor,
        style: torch.Tensor,
        noise: torch.Tensor | None = None,
        patches: LabelPatches | None = None,
    ) -> torch.Tensor:
        """Return `(B, out_channels, *spatial)`; `noise` is `(B, 1, *spatial)` standard normal, or none."""
        shortcut = x
        if self.norm_s is not None and self.conv_s is not None:
            shortcut = self.conv_s(self.norm_s(x, one_hot, style, patches))
        x = convolve(self.conv_0, F.leaky_relu(self.norm_0(x, one_hot, style, patches), 0.2, inplace=True))
        if noise is not None:
            x = x + self.noise_strength * noise
        x = convolve(self.conv_1, F.leaky_relu(self.norm_1(x, one_hot, style, patches), 0.2, inplace=True))
        result: torch.Tensor = shortcut + x
        return result


def fold_spectral_norm(network: nn.Module) -> nn.Module:
    """Replace every spectrally normalised weight by its present value, in place, and return the network.

    The output in `eval()` is the same; what falls away is the division by the norm at every call, and with it
    PyTorch's refusal to pickle such modules.
    """
    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            module.eval()  # in training mode the power iteration would move on while it is read
            parametrize.remove_parametrizations(module, "weight")
    return network
