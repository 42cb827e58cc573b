"""Inpainting without a generative network: by smoothness, by the mean training patch, by the nearest one."""

from __future__ import annotations

import numpy as np
import torch
from skimage.restoration import inpaint_biharmonic

from ...errors import ShapeError
from .aortic_patches import window

#: Pixels between the places at which the nearest patch is first sought.
_STRIDE = 4
#: Patches whose places are then sought pixel by pixel.
_FINALISTS = 20


def inpaint_smoothly(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return `image` `(1, H, W)` with its masked pixels as biharmonic functions of those round them.

    Source:
        Damelin and Hoang, International Journal of Mathematics and Mathematical Sciences 2018,
        DOI 10.1155/2018/3950312; `skimage.restoration.inpaint_biharmonic`.
    """
    filled = inpaint_biharmonic(image[0].double().numpy(), mask.numpy())
    return torch.where(mask, torch.from_numpy(np.clip(filled, 0, 1)).to(image), image)


class TrainingPatches:
    """The windows of training patches, as baselines of inpainting.

    Args:
        images: training patches `(N, 1, side, side)` in [0, 1].
        patch_size: side of a window in pixels, at most `side`.

    Raises:
        ShapeError: for patches of another shape, or smaller ones.

    Example:
        >>> patches = TrainingPatches(torch.rand(3, 1, 12, 12), 8)
        >>> hidden = torch.zeros(8, 8, dtype=torch.bool)
        >>> hidden[2:5, 2:5] = True
        >>> image = patches.images[1, :, 3:11, 1:9]
        >>> bool((patches.nearest(image.masked_fill(hidden, 0), hidden) == image).all())
        True
    """

    def __init__(self, images: torch.Tensor, patch_size: int) -> None:
        if images.ndim != 4 or images.shape[1] != 1 or min(images.shape[2:]) < patch_size:
            raise ShapeError(
                f"Expected patches (N, 1, side, side) of at least {patch_size} a side, got {tuple(images.shape)}."
            )
        self.images = images
        self.patch_size = patch_size
        room = images.shape[-1] - patch_size
        self.places = sorted({*range(0, room + 1, _STRIDE), room})
        every = [window(images.mean(dim=0), (r, c), patch_size) for r in range(room + 1) for c in range(room + 1)]
        #: `(1, patch_size, patch_size)`, the mean over all patches and all places of the window.
        self.mean = torch.stack(every).mean(dim=0)

    def with_mean(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return `image` `(1, H, W)` with the mean training window in its mask."""
        return torch.where(mask, self.mean, image)

    def with_nearest(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return `image` `(1, H, W)` with the nearest training window in its mask."""
        return torch.where(mask, self.nearest(image, mask), image)

    def nearest(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the training window with the lowest mean absolute difference on known pixels, `(1, H, W)`.

        Windows every few pixels are tried in all patches; in those that fare best, all windows near.
        """
        known = (~mask).to(image)
        losses = torch.stack(
            [
                torch.stack([self._losses(slice(None), (row, column), image, known) for column in self.places])
                for row in self.places
            ]
        )  # (rows, columns, N)
        best = losses.flatten().topk(min(_FINALISTS, losses.numel()), largest=False).indices
        rows, columns, numbers = (axis.tolist() for axis in torch.unravel_index(best, losses.shape))
        room = self.images.shape[-1] - self.patch_size
        found = (torch.inf, 0, (0, 0))
        for row, column, number in zip(rows, columns, numbers, strict=True):
            for at in _near(self.places[row], self.places[column], room):
                loss = float(self._losses(slice(number, number + 1), at, image, known))
                found = min(found, (loss, number, at))
        return window(self.images[found[1]], found[2], self.patch_size)

    def _losses(
        self, numbers: slice, corner: tuple[int, int], image: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean absolute differences on known pixels `(N,)` of the windows at a corner."""
        row, column = corner
        cut = self.images[numbers, 0, row : row + self.patch_size, column : column + self.patch_size]
        # Times the mask, not indexed by it: several times as quick.
        return (cut - image).abs_().flatten(1) @ known.flatten() / known.sum()


def _near(row: int, column: int, room: int) -> list[tuple[int, int]]:
    """Return the corners about one, pixel by pixel."""
    rows, columns = (range(max(0, at - _STRIDE + 1), min(room, at + _STRIDE - 1) + 1) for at in (row, column))
    return [(one, other) for one in rows for other in columns]
