"""An ultrasound sector round each heart: one of the training images' for a drawn one, its own for a moved one."""

from __future__ import annotations

import torch

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import CAMUS, CAMUS_SECTOR, ULTRASOUND_SECTOR
from ..data.ultrasound_sector import ultrasound_sector
from ..errors import InputError, LabelError, ShapeError
from ..seeding import row_generators
from ..types import Generators


class SectorProposal:
    """Draws for each heart one of the training sectors that hold it.

    Shape models learn hearts without the sector; a painter wants it as a class, for outside of it an echocardiogram
    shows nothing. Experts draw beyond the sector's edge, and so a heart counts as held when a small share of it lies
    outside. Where no sector holds a heart, the one that holds most of it is taken.

    Args:
        sectors: of training images `(N, H, W)`, bool, as `ultrasound_sector` finds them.
        heart_scheme: codes of the hearts.
        scheme: codes of the result: those of the hearts' structures, and the ultrasound sector.
        outside: largest share of a held heart outside its sector; 0.05 by default: CAMUS's experts have 0.04 in the
            median and up to 0.15.

    Raises:
        ShapeError: unless there are boolean sectors `(N, H, W)`.
        InputError: for a share outside [0, 1].
        LabelError: when the schemes differ by more than the sector.

    Example:
        >>> sectors = torch.ones(1, 8, 8, dtype=torch.bool)
        >>> heart = torch.zeros(1, 8, 8, dtype=torch.int64)
        >>> heart[0, 2:5, 3:6] = 1
        >>> SectorProposal(sectors).around(heart, torch.Generator().manual_seed(0)).unique().tolist()
        [1, 4]
    """

    def __init__(
        self,
        sectors: torch.Tensor,
        heart_scheme: LabelScheme = CAMUS,
        scheme: LabelScheme = CAMUS_SECTOR,
        outside: float = 0.05,
    ) -> None:
        if sectors.ndim != 3 or sectors.dtype != torch.bool or not len(sectors):
            raise ShapeError(
                f"Expected boolean sectors (N, H, W), got {tuple(sectors.shape)} of {sectors.dtype}; take them from "
                f"training images with ultrasound_sector."
            )
        if not 0 <= outside <= 1:
            raise InputError(f"Expected a share in [0, 1] as outside, got {outside}.")
        heart_scheme.to_scheme(torch.zeros(1), scheme, without=(ULTRASOUND_SECTOR,))  # or raise
        self.sectors = sectors
        self.heart_scheme = heart_scheme
        self.scheme = scheme
        self.outside = outside

    def around(self, label: torch.Tensor, generator: Generators) -> torch.Tensor:
        """Return label maps `(B, H, W)` with a sector each, int64, codes of `scheme`.

        Args:
            label: hearts, codes of `heart_scheme`, on the sectors' grid.
            generator: one generator, or one a row; a row depends on its own only.

        Raises:
            ShapeError: when the maps do not have the sectors' size.
            LabelError: for unknown codes.
        """
        if label.shape[1:] != self.sectors.shape[1:]:
            raise ShapeError(
                f"Expected label maps (B, {', '.join(map(str, self.sectors.shape[1:]))}) as the sectors are, got "
                f"{tuple(label.shape)}; bring sectors and hearts to one grid."
            )
        codes = self.heart_scheme.to_scheme(label, self.scheme, without=(ULTRASOUND_SECTOR,))
        sectors = self.sectors.to(codes.device)
        rows = []
        for one, row in zip(codes, row_generators(generator, len(label)), strict=True):
            beyond = (~sectors & (one > 0)).flatten(1).sum(dim=1)
            most = max(self.outside * int((one > 0).sum()), int(beyond.min()))
            fitting = torch.nonzero(beyond <= most).flatten()
            chosen = fitting[int(torch.randint(len(fitting), (), generator=row))]
            swept = sectors[int(chosen)] & (one == 0)
            rows.append(one.masked_fill(swept, self.scheme.code(ULTRASOUND_SECTOR)))
        return torch.stack(rows) if rows else codes

    def hearts_in(self, label: torch.Tensor) -> torch.Tensor:
        """Return label maps `(B, H, W)` without their sectors, codes of `heart_scheme`.

        Raises:
            LabelError: for unknown codes.
        """
        return self.scheme.to_scheme(label, self.heart_scheme, without=(ULTRASOUND_SECTOR,))

    def moved(self, label: torch.Tensor, hearts: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Return label maps with other hearts in the same sectors, codes of `scheme`.

        What an old heart leaves free becomes sector where the image shows that the beam swept it: experts draw hearts
        beyond the sector's edge, too.

        Args:
            label: `(B, H, W)`, codes of `scheme`.
            hearts: `(B, H, W)`, codes of `heart_scheme`, the new ones.
            image: `(B, 1, H, W)`, of the old ones.

        Raises:
            LabelError: for unknown codes.
            IntensityError: when an image is constant.
        """
        codes = self.heart_scheme.to_scheme(hearts, self.scheme, without=(ULTRASOUND_SECTOR,))
        sector = self.scheme.code(ULTRASOUND_SECTOR)
        left = (label != 0) & (label != sector) & (codes == 0)
        swept = ((label == sector) & (codes == 0)) | (left & ultrasound_sector(image))
        return codes.masked_fill(swept, sector)


def check_schemes(scheme: LabelScheme, heart_scheme: LabelScheme, sectors: SectorProposal | None) -> None:
    """Raise `LabelError` unless hearts of one scheme, with these sectors round them, have codes of the other."""
    expected = (heart_scheme, heart_scheme) if sectors is None else (sectors.scheme, sectors.heart_scheme)
    if (scheme, heart_scheme) != expected:
        raise LabelError(
            f"Expected label maps as the sampler draws them, or with the sectors of a SectorProposal between both, got "
            f"{heart_scheme.name!r} of the sampler and {scheme.name!r} to be painted "
            f"{'without' if sectors is None else 'with'} sectors; pass the sectors of the training images, or none."
        )


__all__ = ["SectorProposal", "check_schemes"]
