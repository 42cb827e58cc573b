"""Label maps drawn by a procedure, as easy and as hard as they come; no real data."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from monai_cardiacgen.phantom import GROUPS, draw_heart
from monai_cardiacgen.phantom.outline import Outline, draw_waves, ellipse

#: Millimetres that a map shows, whatever its size in pixels.
FIELD = 350.0
#: Body, right and left lung, liver, descending aorta: centre and semi-axes in mm from the heart.
_AROUND = {
    4: ((-10.0, 10.0), (150.0, 105.0)),
    5: ((-85.0, 0.0), (48.0, 70.0)),
    6: ((70.0, 20.0), (40.0, 66.0)),
    7: ((-80.0, 62.0), (58.0, 26.0)),
    8: ((18.0, 78.0), (12.0, 12.0)),
}


def heart_maps(count: int, size: int, labels: int, generator: torch.Generator) -> torch.Tensor:
    """Return label maps `(count, size, size)`, int64 in `0 ... labels - 1`, each of another patient.

    A short-axis slice of a phantom's heart, at any height and contraction: background, right ventricle, myocardium,
    left ventricle; with 9 labels also body, lungs, liver and aorta.
    """
    if labels not in (4, 9):
        raise ValueError(f"Expected 4 or 9 labels, got {labels}.")
    return torch.stack([_heart_map(size, labels, generator) for _ in range(count)])


def _heart_map(size: int, labels: int, generator: torch.Generator) -> torch.Tensor:
    group, turn, height, contraction, dx, dy = torch.rand(6, generator=generator).tolist()
    heart = draw_heart(GROUPS[int(group * len(GROUPS))], math.radians(60 * turn - 10), generator)
    z = torch.tensor([heart.base(contraction) + height * 0.7 * (heart.length - heart.base(contraction))])
    axis = (torch.arange(size) - (size - 1) / 2) * (FIELD / size)
    x, y = axis - 40 * dx + 20, axis - 40 * dy + 20
    endocardium, epicardium = heart.left_ventricle(z, contraction)
    outlines = [(1, heart.right_ventricle(z, contraction)), (2, epicardium), (3, endocardium)]
    if labels == 9:
        outlines = [(label, _organ(*place, generator)) for label, place in _AROUND.items()] + outlines
    label = torch.zeros(size, size, dtype=torch.int64)
    for code, outline in outlines:
        label[outline.distance(x, y)[0] < 0] = code
    return label


def _organ(centre: tuple[float, float], semi_axes: tuple[float, float], generator: torch.Generator) -> Outline:
    waves = draw_waves(generator, (2, 3, 4, 5), 0.06)
    turn = 0.3 * float(torch.randn((), generator=generator))
    return ellipse(torch.tensor([centre]), torch.tensor([semi_axes]), turn, waves)


def one_hot(label: torch.Tensor, labels: int) -> torch.Tensor:
    """Return `(B, labels, H, W)` float32."""
    return F.one_hot(label, labels).movedim(-1, 1).float().contiguous()


def ragged(label: torch.Tensor, labels: int, generator: torch.Generator) -> torch.Tensor:
    """Return the maps with every border torn by an elastic noise of two pixels, a few pixels wide."""
    count, height, width = label.shape
    noise = F.avg_pool2d(torch.randn(count, 2, height, width, generator=generator), 5, stride=1, padding=2)
    pixels = (2 * noise / noise.std()).movedim(1, -1)  # (B, H, W, 2)
    straight = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), [count, 1, height, width], align_corners=False)
    grid = straight + pixels * torch.tensor([2 / width, 2 / height])
    moved = F.grid_sample(label[:, None].float(), grid, mode="nearest", padding_mode="border", align_corners=False)
    return one_hot(moved[:, 0].long(), labels)


def noisy(share: float) -> Callable[[torch.Tensor, int, torch.Generator], torch.Tensor]:
    """Return what gives a share of all pixels a random label."""

    def change(label: torch.Tensor, labels: int, generator: torch.Generator) -> torch.Tensor:
        wrong = torch.rand(label.shape, generator=generator) < share
        return one_hot(torch.where(wrong, torch.randint(labels, label.shape, generator=generator), label), labels)

    return change


def soft(label: torch.Tensor, labels: int, generator: torch.Generator) -> torch.Tensor:
    """Return maps whose classes run into each other over a few pixels."""
    return F.avg_pool2d(one_hot(label, labels), 5, stride=1, padding=2, count_include_pad=False)


def clean(label: torch.Tensor, labels: int, generator: torch.Generator) -> torch.Tensor:
    """Return the maps as they were drawn."""
    return one_hot(label, labels)


#: How a drawn map becomes what is painted. With 4 labels on 256 x 256 pixels, 17 % wrong ones make some 70 % of all
#: patches distinct.
HARD_CASES = {
    "as drawn": clean,
    "elastic noise on every border": ragged,
    "1 % of the pixels mislabelled": noisy(0.01),
    "17 % of the pixels mislabelled": noisy(0.17),
    "soft labels": soft,
}


def distinct_share(maps: torch.Tensor) -> float:
    """Return how many of the 5 x 5 patches of one-hot maps differ from all others, as a share of all patches.

    Written apart from the package, which has its own way to find them. Outside the image lies no class.
    """
    around = F.pad(maps.argmax(dim=1), (2, 2, 2, 2), value=maps.shape[1]).to(torch.uint8)
    patches = np.ascontiguousarray(around.unfold(1, 5, 1).unfold(2, 5, 1).reshape(-1, 25).numpy())
    return len(np.unique(patches.view("V25"))) / len(patches)
