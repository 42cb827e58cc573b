"""Where a heart lies in its image, how large it is and how it is turned: the moments of its label map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_spacing
from ..errors import LabelError, ShapeError
from .labels import LabelScheme
from .schemes import ULTRASOUND_SECTOR

#: A heart whose axes' variances differ by a smaller share has no orientation that pixels could tell.
ROUND = 0.05


@dataclass(frozen=True)
class LabelMoments:
    """The zeroth, first and second moments of hearts, all structures of a heart together.

    Attributes:
        area: `(B,)`, mm².
        centre: `(B, 2)`, the centroid in mm from the image's middle, along the axes.
        angle: `(B,)`, of the axis of greatest variance, in [0, pi), from the first towards the second image axis.
    """

    area: torch.Tensor
    centre: torch.Tensor
    angle: torch.Tensor

    def points(self, upright: float) -> torch.Tensor:
        """Return `(B, 4)`: the centre (mm), the logarithm of the side of a square of this area, and the angle.

        Args:
            upright: an angle near those of all hearts; an axis has no direction, so that angles are known up to half a
                turn, and the one nearest to `upright` is taken.
        """
        turned = torch.remainder(self.angle - upright + math.pi / 2, math.pi) - math.pi / 2
        return torch.cat((self.centre, torch.stack((self.area.log() / 2, upright + turned), dim=1)), dim=1)

    def of_rows(self, which: torch.Tensor) -> LabelMoments:
        """Return the moments of these hearts alone, by their numbers or a mask `(B,)`."""
        return LabelMoments(self.area[which], self.centre[which], self.angle[which])

    def upright(self) -> float:
        """Return the mean angle of the hearts, in [0, pi), where half a turn counts as none."""
        double = 2 * self.angle
        return float(torch.atan2(double.sin().mean(), double.cos().mean()) / 2) % math.pi


def heart_mask(label: torch.Tensor, scheme: LabelScheme) -> torch.Tensor:
    """Return the pixels of `(B, *spatial)` codes that belong to the heart: neither background nor ultrasound sector."""
    heart = scheme.to_channels(label) > 0
    if ULTRASOUND_SECTOR in scheme.names:
        heart &= label != scheme.code(ULTRASOUND_SECTOR)
    return heart


def check_is_heart(scheme: LabelScheme) -> None:
    """Raise `LabelError` unless all structures of a scheme are of the heart: a shape model centres what is labelled."""
    if ULTRASOUND_SECTOR in scheme.names:
        raise LabelError(
            f"Expected a scheme of the heart alone for a shape model, got {scheme.name!r} with the ultrasound sector; "
            f"map its labels with LabelScheme.to_scheme, and draw sectors round the hearts with SectorProposal."
        )


def label_moments(label: torch.Tensor, scheme: LabelScheme, spacing: Sequence[float]) -> LabelMoments:
    r"""Return the moments of the hearts of label maps.

    With $p$ the place of a heart's pixel in mm, the area is $\sum 1$ times a pixel's, the centre $\bar p$, and the
    angle that of the eigenvector of $\mathrm{cov}(p)$ with the larger eigenvalue.

    Args:
        label: the scheme's codes `(B, H, W)`.
        scheme: of the codes.
        spacing: mm between pixels along H and W.

    Returns:
        The moments, float64, on the CPU.

    Raises:
        ShapeError: when `label` is not `(B, H, W)`.
        LabelError: for unknown codes, an empty map, or a degenerate one: a line, or so round that it has no axis.
        SpacingError: unless the spacing has two positive values.

    Example:
        >>> from monai_cardiacgen.anatomy import CAMUS
        >>> label = torch.zeros(1, 9, 9, dtype=torch.int64)
        >>> label[0, 3:8, 4:7] = 1
        >>> moments = label_moments(label, CAMUS, (2.0, 2.0))
        >>> moments.area.tolist(), moments.centre.tolist(), moments.angle.tolist()
        ([60.0], [[2.0, 2.0]], [0.0])
    """
    if label.ndim != 3:
        raise ShapeError(f"Expected label maps (B, H, W), got {tuple(label.shape)}; pass stacks slice by slice.")
    rows, columns = check_spacing(spacing, 2)
    heart = heart_mask(label.as_subclass(torch.Tensor), scheme).cpu().to(torch.float64)
    count = heart.sum(dim=(1, 2))
    _refuse(count == 0, "a heart in every label map", "none", "leave such maps out")
    down, across = (
        (torch.arange(side, dtype=torch.float64) - (side - 1) / 2) * step
        for side, step in zip(label.shape[1:], (rows, columns), strict=True)
    )
    by_row, by_column = heart.sum(dim=2), heart.sum(dim=1)
    centre = torch.stack((by_row @ down, by_column @ across), dim=1) / count[:, None]
    first = (by_row @ down.square()) / count - centre[:, 0].square()
    second = (by_column @ across.square()) / count - centre[:, 1].square()
    both = torch.einsum("bhw,h,w->b", heart, down, across) / count - centre.prod(dim=1)
    spread = torch.sqrt((first - second).square() + 4 * both.square())  # of the two eigenvalues
    total = first + second
    # A line of pixels has the variance of less than one pixel across.
    is_line = total - spread < min(rows, columns) ** 2 / 6
    _refuse(is_line, "hearts with an inside", "lines or single pixels", "leave such maps out")
    is_round = spread < ROUND * total
    _refuse(is_round, "hearts that are longer than wide", "round ones, which have no axis", "leave such maps out")
    angle = torch.remainder(torch.atan2(2 * both, first - second) / 2, math.pi)
    return LabelMoments(count * (rows * columns), centre, angle)


def _refuse(which: torch.Tensor, expected: str, found: str, remedy: str) -> None:
    if bool(which.any()):
        rows = which.nonzero().flatten().tolist()
        raise LabelError(f"Expected {expected}, got {found} in rows {rows[:8]} ({len(rows)} in all); {remedy}.")
