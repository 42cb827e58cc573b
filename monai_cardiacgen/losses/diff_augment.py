"""What a discriminator sees when training images are few: every image changed, real and painted alike."""

from __future__ import annotations

import torch
from torch import nn

from ..checks import check_spatial_dims
from ..errors import InputError, ShapeError


class DiffAugment(nn.Module):
    r"""Differentiable augmentation of images and their label maps, for discriminators that see few training images.

    $$D(T(x), T(m)) \quad\text{and}\quad D(T(G(m)), T(m))$$

    where the same random $T$ changes an image and its label map, so that a conditional discriminator judges pairs that
    match. Real and painted images are changed alike, so the generator learns the images as they are, not the changed
    ones; gradients reach it through $T$.

    Brightness adds a value to an image, contrast stretches it about its mean, both by uniform draws. Translation moves
    image and label map by whole pixels, cutout blanks a box. Where nothing is left to be seen the image is 0 and the
    label map too, in all its channels: not even background. The paper's saturation changes nothing in a grey image, so
    it is left out; its brightness is 0.5 on images in [-1, 1].

    Args:
        spatial_dims: 2 or 3.
        brightness: largest value that is added or taken off, in [0, 1]; 0 for none.
        contrast: largest change of the factor 1, in [0, 1); 0 for none.
        translation: longest way, as a share of each side, in [0, 1); 0 for none.
        cutout: side of the blank box, as a share of each side, in [0, 1); 0 for none.

    Raises:
        InputError: for other `spatial_dims`, or a share outside its range.

    Example:
        >>> augment = DiffAugment(2, translation=0.25)
        >>> drawn = augment.draw([torch.Generator().manual_seed(0)])
        >>> image, label = augment(torch.rand(1, 1, 16, 16), torch.ones(1, 4, 16, 16), drawn)
        >>> image.shape, label.shape, bool((image[:, 0][label[:, 0] == 0] == 0).all())
        (torch.Size([1, 1, 16, 16]), torch.Size([1, 4, 16, 16]), True)

    Source:
        Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020, arXiv:2006.10738.
    """

    def __init__(
        self,
        spatial_dims: int,
        brightness: float = 0.25,
        contrast: float = 0.5,
        translation: float = 0.125,
        cutout: float = 0.5,
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        shares = {"contrast": contrast, "translation": translation, "cutout": cutout}
        if not 0 <= brightness <= 1 or not all(0 <= share < 1 for share in shares.values()):
            raise InputError(
                f"Expected brightness in [0, 1] and shares in [0, 1), got brightness {brightness} and {shares}; "
                f"0 switches one off."
            )
        self.spatial_dims = spatial_dims
        self.brightness = brightness
        self.contrast = contrast
        self.translation = translation
        self.cutout = cutout

    def draw(self, generators: list[torch.Generator]) -> torch.Tensor:
        """Return all that is random for one row a generator, `(B, 2 + 2 spatial_dims)` uniform in [0, 1)."""
        return torch.stack([torch.rand(2 + 2 * self.spatial_dims, generator=one) for one in generators])

    def forward(
        self, image: torch.Tensor, label: torch.Tensor, drawn: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return image and label map, changed as `drawn` says.

        Args:
            image: `(B, C, *spatial)` in [0, 1]; what comes out may leave that range.
            label: one-hot `(B, K, *spatial)`; it is moved and blanked with the image.
            drawn: of `draw`, any device.

        Raises:
            ShapeError: when the shapes do not fit each other.
        """
        fits = image.ndim == label.ndim == self.spatial_dims + 2 and image.shape[2:] == label.shape[2:]
        if not fits or len(image) != len(label) or drawn.shape != (len(image), 2 + 2 * self.spatial_dims):
            raise ShapeError(
                f"Expected image and label map (B, C, *spatial) of one size in {self.spatial_dims} dimensions and a "
                f"row of draws for each, got {tuple(image.shape)}, {tuple(label.shape)} and {tuple(drawn.shape)}."
            )
        drawn = drawn.to(image.device)
        column = (-1, *[1] * (image.ndim - 1))
        signed = (2 * drawn[:, :2] - 1).to(image.dtype)
        mean = image.mean(dim=tuple(range(1, image.ndim)), keepdim=True)
        image = (image - mean) * (1 + self.contrast * signed[:, 1].view(column)) + mean
        image = image + self.brightness * signed[:, 0].view(column)
        way, place = drawn[:, 2:].chunk(2, dim=1)
        image, label, seen = self._moved(image, label, way)
        if self.cutout:
            seen = seen & ~self._box(image.shape[2:], place)
        return image * seen, label * seen

    def _moved(
        self, image: torch.Tensor, label: torch.Tensor, way: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return both moved by whole pixels, and where there is something to see, `(B, 1, *spatial)`."""
        seen = torch.ones_like(image[:, :1], dtype=torch.bool)
        for axis, side in enumerate(image.shape[2:]):
            farthest = int(self.translation * side + 0.5)
            if not farthest:
                continue
            steps = (way[:, axis] * (2 * farthest + 1)).long() - farthest  # (B,)
            origin = torch.arange(side, device=image.device) - steps[:, None]
            shape = [len(image), 1, *[side if here == axis else 1 for here in range(self.spatial_dims)]]
            origin = origin.view(shape)
            seen = seen & (origin >= 0) & (origin < side)
            taken = origin.clamp(0, side - 1)
            image = image.gather(axis + 2, taken.expand_as(image))
            label = label.gather(axis + 2, taken.expand_as(label))
        return image, label, seen

    def _box(self, size: torch.Size, place: torch.Tensor) -> torch.Tensor:
        """Return the pixels of a box that may stand out over the border, `(B, 1, *spatial)`."""
        box = torch.ones(len(place), 1, *[1] * len(size), dtype=torch.bool, device=place.device)
        for axis, side in enumerate(size):
            length = int(self.cutout * side + 0.5)
            first = (place[:, axis] * (side + 1)).long() - length // 2  # (B,): its middle lies anywhere
            here = torch.arange(side, device=place.device) - first[:, None]
            shape = [len(place), 1, *[side if other == axis else 1 for other in range(len(size))]]
            box = box & ((here >= 0) & (here < length)).view(shape)
        return box


__all__ = ["DiffAugment"]
