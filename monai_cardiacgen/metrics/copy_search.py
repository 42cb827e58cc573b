"""For each image the one of a set that it could be a copy of, whatever was done to its place and brightness."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..checks import check_finite
from ..errors import InputError, ShapeError

#: The search begins on images of at most this many pixels a side, made by averaging; by number of axes.
_COARSE = {2: 24, 3: 16}
#: Share of a side that the compared middle has; what is left on both sides is how far a copy may be shifted.
_MIDDLE = 0.625
#: Known images that are looked at again on the full grid.
_CANDIDATES = 4
#: Correlations held at a time.
_MEMORY = 2**24
#: Variance of an image in [0, 1] below which there is nothing to compare.
_FLAT = 1e-6

Flip = tuple[bool, ...]


@dataclass(frozen=True)
class Match:
    """For each of B images the most similar one of a set.

    Attributes:
        correlation: `(B,)` float32 in [-1, 1], of the image's middle with its best place in the other image; -1 where
            no image of the set may be compared.
        index: `(B,)` int64, of the other image in the set.
        flipped: `(B, dims)` bool, axes along which the image has to be flipped to lie on the other.
        shift: `(B, dims)` int64, pixels by which the flipped image has then to be moved.
    """

    correlation: torch.Tensor
    index: torch.Tensor
    flipped: torch.Tensor
    shift: torch.Tensor


@torch.no_grad()
def find_nearest(
    images: torch.Tensor,
    known: torch.Tensor,
    image_groups: torch.Tensor | None = None,
    known_groups: torch.Tensor | None = None,
) -> Match:
    r"""Return for each image the known image that it correlates with most, over flips and shifts.

    The middle $t$ of an image, 5/8 of each side, is laid over every place of every known image, as it is and flipped
    along each axis, and compared by the normalised correlation coefficient

    $$r = \frac{\sum (t - \bar t)(x - \bar x)}{\sqrt{\sum (t - \bar t)^2 \sum (x - \bar x)^2}}$$

    which brightness and contrast do not change. A copy may thus be shifted by up to 3/16 of a side. The search runs
    on images averaged to at most 24 pixels a side (volumes: 16); the four best known images are then compared again
    on the full grid, round the place that was found.

    Args:
        images: `(B, 1, *spatial)` in [0, 1], two or three spatial axes of at least 16 pixels.
        known: `(N, 1, *spatial)`, the same size.
        image_groups: `(B,)` int64; with `known_groups`, an image is not compared with known ones of its own group.
        known_groups: `(N,)` int64.

    Raises:
        ShapeError: for other shapes, or sides too short.
        InputError: for no known images, or groups of one side only.
        IntensityError: for NaN or infinity.

    Example:
        >>> known = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> copy = 0.5 * known[1:2].flip(-1).roll(4, -2) + 0.2
        >>> match = find_nearest(copy, known)
        >>> int(match.index), match.flipped[0].tolist(), match.shift[0].tolist(), round(float(match.correlation), 3)
        (1, [False, True], [-4, 0], 1.0)

    Source:
        Lewis, "Fast normalized cross-correlation", Vision Interface 1995; from coarse to fine after Rosenfeld and
        Vanderbrug, IEEE Transactions on Systems, Man, and Cybernetics 1977, DOI 10.1109/TSMC.1977.4309663.
    """
    if (image_groups is None) != (known_groups is None):
        raise InputError("Expected the groups of both the images and the known ones, or of neither.")
    _check(images, known)
    images, known = images.float(), known.float()
    grid = _Grid(tuple(images.shape[2:]))
    value, flip, place = _coarse(grid.averaged(images), grid.averaged(known), grid)
    if image_groups is not None:
        value[image_groups[:, None] == known_groups] = -torch.inf
    found = [_fine(image, known, grid, value[row], flip[row], place[row]) for row, image in enumerate(images)]
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    dims, device = len(grid.size), images.device
    return Match(
        torch.tensor(columns[0], dtype=torch.float32, device=device),
        torch.tensor(columns[1], dtype=torch.int64, device=device),
        torch.tensor(columns[2], dtype=torch.bool, device=device).reshape(-1, dims),
        torch.tensor(columns[3], dtype=torch.int64, device=device).reshape(-1, dims),
    )


class _Grid:
    """Where the middle of an image lies on the full grid and on the coarse one, `factor` pixels a coarse pixel."""

    def __init__(self, size: tuple[int, ...]) -> None:
        dims = len(size)
        self.size = size
        self.factor = max(1, -(-max(size) // _COARSE[dims]))
        coarse = [side // self.factor for side in size]
        self.inner = [max(1, round(_MIDDLE * side)) for side in coarse]
        self.start = [(side - inner) // 2 for side, inner in zip(coarse, self.inner, strict=True)]
        self.places = [side - inner + 1 for side, inner in zip(coarse, self.inner, strict=True)]
        self.flips: list[Flip] = list(itertools.product((False, True), repeat=dims))

    def averaged(self, images: torch.Tensor) -> torch.Tensor:
        pool = F.avg_pool2d if len(self.size) == 2 else F.avg_pool3d
        averaged: torch.Tensor = pool(images, self.factor)
        return averaged

    def middle(self, images: torch.Tensor, factor: int = 1) -> torch.Tensor:
        """Return the middle of images on the coarse grid, or of those on a grid `factor` times as fine."""
        for axis, (start, inner) in enumerate(zip(self.start, self.inner, strict=True), start=2):
            images = images.narrow(axis, factor * start, factor * inner)
        return images

    def windows(self, images: torch.Tensor, factor: int = 1) -> tuple[torch.Tensor, tuple[int, ...]]:
        """Return all places `(N, places, pixels)` of images where the middle fits, each a direction, and their grid."""
        unfolded = images[:, 0]
        for axis, inner in enumerate(self.inner, start=1):
            unfolded = unfolded.unfold(axis, factor * inner, 1)
        places = tuple(unfolded.shape[1 : 1 + len(self.size)])
        return _direction(unfolded.reshape(len(images), math.prod(places), -1)), places


def _coarse(images: torch.Tensor, known: torch.Tensor, grid: _Grid) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return for each pair the largest coefficient, the number of its flip and that of its place, each `(B, N)`."""
    middle = grid.middle(images)
    templates = torch.stack([_direction(_flipped(middle, flip).flatten(1)) for flip in grid.flips])
    rows = templates.flatten(0, 1)  # (flips * B, pixels)
    per_image = math.prod(grid.places) * max(len(rows), rows.shape[1])
    parts = []
    for some in known.split(max(1, _MEMORY // max(1, per_image))):
        windows, _ = grid.windows(some)
        best, place = (rows @ windows.flatten(0, 1).T).unflatten(1, windows.shape[:2]).max(dim=2)
        best, flip = best.unflatten(0, templates.shape[:2]).max(dim=0)  # (B, some)
        parts.append((best, flip, place.unflatten(0, templates.shape[:2]).gather(0, flip[None])[0]))
    value, flip, place = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
    return value, flip, place


def _fine(
    image: torch.Tensor,
    known: torch.Tensor,
    grid: _Grid,
    value: torch.Tensor,
    flip: torch.Tensor,
    place: torch.Tensor,
) -> tuple[float, int, Flip, list[int]]:
    """Return the best of the candidates on the full grid: its coefficient and number, the flip, and the shift."""
    best: tuple[float, int, Flip, list[int]] = (-1.0, 0, grid.flips[0], [0] * len(grid.size))
    middle = grid.middle(image[None], grid.factor)
    for number in value.topk(min(_CANDIDATES, len(known))).indices.tolist():
        if value[number] == -torch.inf:
            continue
        motion = grid.flips[int(flip[number])]
        coarse_place = torch.unravel_index(place[number], grid.places)
        window, corner = known[number : number + 1], []
        for axis, (at, side, inner) in enumerate(zip(coarse_place, grid.size, middle.shape[2:], strict=True)):
            corner.append(max(0, grid.factor * (int(at) - 1)))
            window = window.narrow(axis + 2, corner[-1], min(inner + 2 * grid.factor, side - corner[-1]))
        windows, places = grid.windows(window, grid.factor)
        coefficients = windows[0] @ _direction(_flipped(middle, motion).flatten(1))[0]
        if float(coefficients.max()) > best[0]:
            there = torch.unravel_index(coefficients.argmax(), places)
            shift = [
                start + int(more) - _own_start(grid, axis, motion[axis])
                for axis, (start, more) in enumerate(zip(corner, there, strict=True))
            ]
            best = (float(coefficients.max()), number, motion, shift)
    return best


def _own_start(grid: _Grid, axis: int, flipped: bool) -> int:
    """Return where the middle begins in the image, or in the flipped image."""
    start, inner = grid.factor * grid.start[axis], grid.factor * grid.inner[axis]
    return grid.size[axis] - start - inner if flipped else start


def _direction(pixels: torch.Tensor) -> torch.Tensor:
    """Return `(..., pixels)` without their mean and with length 1; shorter where there is next to no contrast."""
    centred = pixels - pixels.mean(dim=-1, keepdim=True)
    direction: torch.Tensor = centred / centred.norm(dim=-1, keepdim=True).clamp_min((_FLAT * pixels.shape[-1]) ** 0.5)
    return direction


def _flipped(images: torch.Tensor, flip: Flip) -> torch.Tensor:
    return images.flip([axis + 2 for axis, whether in enumerate(flip) if whether])


def _check(images: torch.Tensor, known: torch.Tensor) -> None:
    shapes = f"{tuple(images.shape)} and {tuple(known.shape)}"
    if images.ndim not in (4, 5) or images.shape[1] != 1 or images.shape[1:] != known.shape[1:]:
        raise ShapeError(f"Expected images (B, 1, *spatial) and known ones (N, 1, *spatial) of one size, got {shapes}.")
    if min(images.shape[2:]) < 16:
        raise ShapeError(f"Expected sides of at least 16 pixels, got {shapes}; compare whole images.")
    if not len(known):
        raise InputError("Expected at least one known image, got none.")
    check_finite(images, "the images")
    check_finite(known, "the known images")


__all__ = ["Match", "find_nearest"]
