"""Label maps of samples, which may lack the ultrasound sector that a synthesizer takes as a class, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ULTRASOUND_SECTOR
from ..data.ultrasound_sector import ultrasound_sector
from .label_form import LabelForm


@dataclass(frozen=True)
class ReadLabels:
    """Label maps as a synthesizer takes them.

    Attributes:
        channels: channel numbers of its scheme `(B, *spatial)`, int64.
        swept: where the ultrasound beam swept, `(B, *spatial)` bool; None where the scheme has no sector.
        lacking: rows that came without a sector, `(B,)` bool; the image told it.
    """

    channels: torch.Tensor
    swept: torch.Tensor | None
    lacking: torch.Tensor


class SectoredForm:
    """Reads the samples' label maps into channel numbers of a synthesizer's scheme, and writes them back as they came.

    Where the scheme has the ultrasound sector, a map may have it too or not. A map without one gets that of its image,
    found by `ultrasound_sector`, and comes out without it.

    Args:
        scheme: the synthesizer's.
        codes: the samples' own codes in the scheme's order, background first, with the sector's or without; the
            scheme's codes by default.
        one_hot: whether label maps are one-hot; by default, told by the number of channels.

    Raises:
        LabelError: when `codes` fit the scheme neither with the sector nor without, or repeat a value.
    """

    def __init__(self, scheme: LabelScheme, codes: Sequence[int] | None = None, one_hot: bool | None = None) -> None:
        self.whole = self.heart = LabelForm(scheme, None, one_hot)
        self.sector: int | None = None
        if ULTRASOUND_SECTOR not in scheme.names:
            self.whole = self.heart = self.coded = LabelForm(scheme, codes, one_hot)
            return
        self.sector = scheme.channel(ULTRASOUND_SECTOR)
        structures = tuple(one for one in scheme.structures if one.name != ULTRASOUND_SECTOR)
        hearts = LabelScheme(f"{scheme.name}, hearts alone", structures)
        self.heart = LabelForm(hearts, None, one_hot)
        lacking = codes is not None and len(codes) == hearts.num_classes
        self.coded = LabelForm(hearts if lacking else scheme, codes, one_hot)
        #: Channels of the scheme, in the order of the hearts' channels.
        self._of_hearts = [scheme.channel(name) for name in hearts.names]

    def read(self, label: torch.Tensor, image: torch.Tensor) -> ReadLabels:
        """Return the label maps of samples for the synthesizer.

        Args:
            label: codes or one-hot maps `(B, 1 | C, *spatial)`.
            image: `(B, 1, *spatial)`, the samples' own intensities.

        Raises:
            ShapeError: when the channels fit neither form.
            LabelError: when a code is unknown, or one-hot channels do not hold a single 1.
            IntensityError: when an image is constant and its label has no sector.
        """
        form = self._form_of(label)
        channels = form.read(label)
        none = torch.zeros(len(label), dtype=torch.bool, device=label.device)
        if self.sector is None:
            return ReadLabels(channels, None, none)
        if form.scheme.num_classes == len(self._of_hearts):
            channels = torch.tensor(self._of_hearts, device=channels.device)[channels]
        named = channels == self.sector
        lacking = ~named.flatten(1).any(dim=1)
        found = _sectors(image)
        swept = torch.where(_rows(lacking, found), found, named | ((channels > 0) & found))
        channels = channels.masked_fill(_rows(lacking, found) & found & (channels == 0), self.sector)
        return ReadLabels(channels, swept, lacking)

    def write(self, channels: torch.Tensor, like: torch.Tensor, read: ReadLabels) -> torch.Tensor:
        """Return channel numbers `(B, *spatial)` in the form, dtype and shape of `like`, as which `read` came."""
        form = self._form_of(like)
        if self.sector is None:
            return form.write(channels, like)
        channels = channels.masked_fill(_rows(read.lacking, channels) & (channels == self.sector), 0)
        if form.scheme.num_classes == len(self._of_hearts):
            every = range(self.whole.scheme.num_classes)
            back = [self._of_hearts.index(one) if one in self._of_hearts else 0 for one in every]
            channels = torch.tensor(back, device=channels.device)[channels]
        return form.write(channels, like)

    def _form_of(self, label: torch.Tensor) -> LabelForm:
        if self.sector is None or label.shape[1] == 1:
            return self.coded
        return self.heart if label.shape[1] == len(self._of_hearts) else self.whole


def black_outside(
    made: torch.Tensor, image: torch.Tensor, label: torch.Tensor, swept: torch.Tensor, new: torch.Tensor
) -> torch.Tensor:
    """Return synthetic images that show nothing where no ultrasound beam swept.

    A new heart's image has the sample's own black on the background of its label map; an image made of the sample is
    the sample itself outside of its sector, also where an expert, or a moved heart, reaches beyond its edge.

    Args:
        made: synthetic images `(B, 1, *spatial)`.
        image: the samples that they replace.
        label: the label maps of the synthetic images, channel numbers `(B, *spatial)`.
        swept: the samples' sectors `(B, *spatial)`.
        new: which rows show a new heart, `(B,)` bool.
    """
    black = image.flatten(1).amin(dim=1).view(-1, *[1] * (image.ndim - 1))
    with_new = torch.where((label == 0)[:, None], black, made)
    result: torch.Tensor = torch.where(_rows(new, image), with_new, torch.where(swept[:, None], made, image))
    return result


def _rows(which: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return which.view(-1, *[1] * (like.ndim - 1))


def _sectors(image: torch.Tensor) -> torch.Tensor:
    """Return the sectors `(B, *spatial)` of images, or of stacks slice by slice."""
    if image.ndim == 4:
        return ultrasound_sector(image)
    slices = ultrasound_sector(image.movedim(-1, 1).flatten(0, 1))
    stacks: torch.Tensor = slices.unflatten(0, (len(image), -1)).movedim(1, -1)
    return stacks


__all__ = ["ReadLabels", "SectoredForm", "black_outside"]
