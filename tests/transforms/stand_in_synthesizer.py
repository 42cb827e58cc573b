"""A small synthesizer that keeps the protocol: discs as hearts, one fixed random convolution as painter.

A module of its own, so that workers started by spawn can import it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.seeding import row_generators


@dataclass(frozen=True)
class StandInCases:
    image: torch.Tensor
    label: torch.Tensor


def heart(size, middle, radius):
    """Codes of a left ventricle of `radius` pixels in its myocardium, with a right ventricle beside it."""
    axes = torch.meshgrid(*[torch.arange(side, dtype=torch.float64) for side in size], indexing="ij")
    distance = ((axes[0] - middle[0]) ** 2 + (axes[1] - middle[1]) ** 2).sqrt()
    beside = ((axes[0] - middle[0]) ** 2 + (axes[1] - middle[1] + 2 * radius) ** 2).sqrt()
    label = torch.zeros(size, dtype=torch.int64)
    label[beside <= 1.2 * radius] = 1
    label[distance <= 1.6 * radius] = 2
    label[distance <= radius] = 3
    return label


class StandInSynthesizer(nn.Module):
    scheme = ACDC

    def __init__(self, spatial_size=(32, 32), spacing=(1.5, 1.5)):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(1, 4, 3, 3, generator=generator))
        self.spatial_size, self.spacing = tuple(spatial_size), tuple(spacing)
        self.provenance = {"name": "stand_in", "version": "0.1.0"}

    def paint(self, label, style, rows):
        noise = torch.stack([torch.randn(1, *self.spatial_size, generator=row) for row in rows])
        features = torch.nn.functional.conv2d(self.scheme.one_hot(label), self.weight, padding=1)
        return torch.sigmoid(features + style[:, None, None, None] + 0.3 * noise)

    def sample(self, n, generator):
        rows = row_generators(generator, n)
        draws = [torch.rand(3, generator=row) for row in rows]
        middles = [
            [(side - 1) / 2 + 4 * float(u) - 2 for side, u in zip(self.spatial_size, d, strict=False)] for d in draws
        ]
        label = torch.stack(
            [heart(self.spatial_size, m, 2 + 2 * float(d[2])) for m, d in zip(middles, draws, strict=True)]
        )
        return StandInCases(self.paint(label, self.styles(rows), rows), label)

    def vary(self, image, label, strength, generator):
        rows = row_generators(generator, len(label))
        new = []
        for one, row in zip(label, rows, strict=True):
            assert bool(one.any()), "vary is never asked for a slice without a heart"
            step = 1 + int(2 * strength * float(torch.rand((), generator=row)))
            new.append(torch.roll(one, step, dims=0))
        varied = torch.stack(new)
        style = image.flatten(1).mean(dim=1)
        hearts = ((label > 0) | (varied > 0))[:, None]
        return StandInCases(torch.where(hearts, self.paint(varied, style, rows), image), varied)

    def restyle(self, image, label, generator):
        rows = row_generators(generator, len(label))
        return StandInCases(self.paint(label, self.styles(rows), rows), label)

    @staticmethod
    def styles(rows):
        return torch.stack([torch.randn((), generator=row) for row in rows])
