"""The SPADE generator as its paper has it, in plain PyTorch: what the package's generator is compared with.

Park et al., Semantic Image Synthesis with Spatially-Adaptive Normalization, CVPR 2019, DOI 10.1109/CVPR.2019.00244.
Written from the paper's figures and appendix A. As in the paper: a linear layer makes the coarsest features; a residual
block a level; gamma and beta are convolutions of their own on a shared one of 128 channels behind a ReLU; each norm has
its own; spectral norm of the convolutions; LeakyReLU of slope 0.2; nearest upsampling. As in the package's generator:
instance norm, whose result does not depend on the batch, and a sigmoid where the paper has tanh; both cost the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

#: Features of the levels, coarsest first, in units of the filters of the finest.
PROGRESSION = (16, 16, 16, 8, 4, 2, 1)
HIDDEN = 128


class PublishedSPADE(nn.Module):
    """`norm(x) (1 + gamma(m)) + beta(m)`."""

    def __init__(self, features: int, labels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(features, affine=False)
        self.shared = nn.Conv2d(labels, hidden, 3, padding=1)
        self.gamma = nn.Conv2d(hidden, features, 3, padding=1)
        self.beta = nn.Conv2d(hidden, features, 3, padding=1)

    def forward(self, x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Return the modulated `x`; `label` is one-hot and of its size."""
        hidden = F.relu(self.shared(label))
        return self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class PublishedBlock(nn.Module):
    """Two convolutions behind SPADE and LeakyReLU, beside a shortcut, learned where the channels change."""

    def __init__(self, before: int, after: int, labels: int, hidden: int) -> None:
        super().__init__()
        middle = min(before, after)
        self.norm_0, self.norm_1 = PublishedSPADE(before, labels, hidden), PublishedSPADE(middle, labels, hidden)
        self.conv_0 = spectral_norm(nn.Conv2d(before, middle, 3, padding=1))
        self.conv_1 = spectral_norm(nn.Conv2d(middle, after, 3, padding=1))
        self.learned = before != after
        if self.learned:
            self.norm_s = PublishedSPADE(before, labels, hidden)
            self.conv_s = spectral_norm(nn.Conv2d(before, after, 1, bias=False))

    def forward(self, x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Return `(B, after, H, W)`."""
        shortcut = self.conv_s(self.norm_s(x, label)) if self.learned else x
        x = self.conv_0(F.leaky_relu(self.norm_0(x, label), 0.2))
        x = self.conv_1(F.leaky_relu(self.norm_1(x, label), 0.2))
        return shortcut + x


class PublishedGenerator(nn.Module):
    """The paper's generator for one image channel.

    Args:
        labels: classes of the label map.
        channels: features of the levels, coarsest first.
        style_size: length of the vector at its start.
        start: side of the coarsest level.
        hidden: channels between label map and gamma and beta.
    """

    def __init__(self, labels: int, channels: Sequence[int], style_size: int, start: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.side = start
        self.start = nn.Linear(style_size, channels[0] * start * start)
        self.blocks = nn.ModuleList(
            PublishedBlock(before, after, labels, hidden)
            for before, after in itertools.pairwise((channels[0], *channels))
        )
        self.to_image = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, one_hot: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Return the image `(B, 1, H, W)` in [0, 1]."""
        x = self.start(style).view(len(style), -1, self.side, self.side)
        for level, block in enumerate(self.blocks):
            if level:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = block(x, F.interpolate(one_hot, x.shape[2:], mode="nearest"))
        return torch.sigmoid(self.to_image(F.leaky_relu(x, 0.2)))


def published_weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights of the package's generator under the names of the published one.

    What the published one does not have, a style in every norm and a noise, is left out: it must be zero.
    """
    weights: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if ".style." in name or name.endswith("noise_strength"):
            if bool(value.any()):
                raise ValueError(f"Expected {name} to be zero, which the published architecture has not.")
        elif ".gamma_beta." in name:
            gamma, beta = value.chunk(2)
            weights[name.replace("gamma_beta", "gamma")] = gamma
            weights[name.replace("gamma_beta", "beta")] = beta
        else:
            weights[name] = value
    return weights
