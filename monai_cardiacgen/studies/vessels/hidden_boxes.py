"""Batches of patches with a box hidden in each, to learn how to make it anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ...errors import InputError
from ...seeding import seeded
from .aortic_patches import MovedPatches


class HiddenBoxes:
    """Cuts a window out of each patch of a batch and hides a box in it: MONAI's `prepare_batch` here.

    Windows lie as `MovedPatches` draws them. A box has a side that is drawn for each, and its middle anywhere within
    `reach` pixels of the vessel's along either axis, evenly, and in the window: where the box lies tells little of
    where in it the vessel lies. Intensities are raised to a power, of which the logarithm is normal: contrasts differ
    from scanner to scanner.

    Args:
        patch_size: side of the window in pixels; patches have this side or a larger one.
        sides: smallest and largest side of a box in pixels.
        reach: in pixels.
        contrast: standard deviation of the logarithm of the power; 0 leaves intensities as they are.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.

    Raises:
        InputError: for sides that do not fit into the window with pixels beside them, or a negative number.

    Example:
        >>> hide = HiddenBoxes(16, sides=(5, 5), reach=2)
        >>> vessels = {"centre": torch.full((2, 2), 9.5), "radius": torch.full((2,), 3.0)}
        >>> batch = {"image": torch.rand(2, 1, 20, 20), **vessels}
        >>> images, labels = hide(batch, "cpu")
        >>> images.shape, labels.shape, labels[:, 0].sum(dim=(1, 2)).tolist()
        (torch.Size([2, 1, 16, 16]), torch.Size([2, 2, 16, 16]), [25, 25])
    """

    def __init__(
        self, patch_size: int, sides: tuple[int, int] = (19, 31), reach: int = 8, contrast: float = 0.3
    ) -> None:
        if not 1 <= sides[0] <= sides[1] < patch_size or reach < 0 or not contrast >= 0:
            raise InputError(
                f"Expected sides of 1 to {patch_size - 1} pixels, the smaller first, a reach and a contrast of at "
                f"least 0, got {sides}, {reach} and {contrast}."
            )
        self.moved = MovedPatches(patch_size)
        self.sides = sides
        self.reach = reach
        self.contrast = contrast
        self.generator = seeded(0)

    def __call__(
        self,
        batch: Mapping[str, torch.Tensor],
        device: torch.device | str | None = None,
        non_blocking: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return windows of `image` `(B, 1, side, side)`, and with two channels, bool, what is hidden and the vessel.

        The batch's `centre` `(B, 2)` and `radius` `(B,)` are the vessels', in pixels of the patches.

        Raises:
            InputError: when the patches are smaller than the window.
        """
        images = torch.as_tensor(batch["image"]).as_subclass(torch.Tensor)
        self.moved.generator = self.generator
        corners = torch.tensor(self.moved.corners(len(images), images.shape[-1]))
        size = self.moved.patch_size
        windows = torch.stack([one[:, r : r + size, c : c + size] for one, (r, c) in zip(images, corners, strict=True)])
        powers = (self.contrast * torch.randn(len(images), 1, 1, 1, generator=self.generator)).exp()
        centres = torch.as_tensor(batch["centre"]).as_subclass(torch.Tensor) - corners
        radii = torch.as_tensor(batch["radius"]).as_subclass(torch.Tensor)
        labels = torch.cat([self._boxes(centres), discs(centres, radii, size)], dim=1)
        return (
            (windows.clamp_min(0) ** powers).to(device, non_blocking=non_blocking),
            labels.to(device, non_blocking=non_blocking),
        )

    def _boxes(self, centres: torch.Tensor) -> torch.Tensor:
        """Return masks, bool `(B, 1, patch_size, patch_size)`, of boxes near centres `(B, 2)` in pixels."""
        count, size = len(centres), self.moved.patch_size
        sides = torch.randint(self.sides[0], self.sides[1] + 1, (count, 1), generator=self.generator)
        off = torch.randint(-self.reach, self.reach + 1, (count, 2), generator=self.generator)
        first = (centres + off - (sides - 1) / 2).round().clamp(torch.zeros(count, 1), (size - sides).float())
        places = torch.arange(size)
        rows, columns = ((places >= low) & (places < low + sides) for low in (first[:, :1], first[:, 1:]))
        return (rows[:, :, None] & columns[:, None, :])[:, None]


def discs(centres: torch.Tensor, radii: torch.Tensor, size: int) -> torch.Tensor:
    """Return the pixels whose middle lies within discs, bool `(B, 1, size, size)`; centres and radii are in pixels."""
    places = torch.arange(size)
    rows, columns = ((places - at).square() for at in (centres[:, :1], centres[:, 1:]))
    return (rows[:, :, None] + columns[:, None, :] <= radii.square()[:, None, None])[:, None]


__all__ = ["HiddenBoxes", "discs"]
