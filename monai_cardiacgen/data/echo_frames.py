"""A dataset of all annotated frames below a CAMUS folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import Dataset

from ..anatomy.heart_condition import APICAL_CONDITION
from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import CAMUS, CAMUS_SECTOR
from ..errors import LabelError
from .camus import read_camus
from .preprocessing import IMAGE, LABEL, apical_preprocessing
from .ultrasound_sector import with_sector


class EchoFrames(Dataset):
    """The annotated frames of a folder in CAMUS's layout, in memory, as a MONAI dataset.

    Each element has `image` `(1, H, W)` in [0, 1], `label` `(1, H, W)` in the scheme's codes, `condition` `(4,)`, the
    view and phase as `APICAL_CONDITION` encodes them, and `patient`, `view`, `phase` and `group`.

    Args:
        folder: as CAMUS ships it, `patientNNNN/patientNNNN_2CH_ED.nii.gz` and so on.
        spatial_size: pixels `(H, W)`, across the beam and along the depth; every image is stretched to them.
        scheme: `CAMUS`, or `CAMUS_SECTOR` for the ultrasound sector as a class, which the image tells.

    Attributes:
        heart_condition: the categories of `condition`.
        spacing: of the stretched images in mm, the median over the frames, by the files' headers.

    Raises:
        DataError: when the folder is not as expected; see `read_camus`.
        LabelError: for another scheme.
    """

    heart_condition = APICAL_CONDITION

    def __init__(self, folder: str | Path, spatial_size: Sequence[int], scheme: LabelScheme = CAMUS) -> None:
        if scheme not in (CAMUS, CAMUS_SECTOR):
            raise LabelError(
                f"Expected the label scheme {CAMUS.name!r} or {CAMUS_SECTOR.name!r} of echo frames, got "
                f"{scheme.name!r}; take one of these."
            )
        preprocessing = apical_preprocessing(spatial_size)
        frames, spacings = [], []
        for item in read_camus(folder):
            loaded = preprocessing(item)
            spacings.append([float(side) for side in loaded[IMAGE].pixdim[:2]])
            frames.append(_frame(loaded, scheme))
        across, along = np.median(spacings, axis=0).tolist()
        self.spacing: tuple[float, float] = (across, along)
        super().__init__(frames)


def _frame(loaded: dict[str, Any], scheme: LabelScheme) -> dict[str, Any]:
    image, label = (torch.as_tensor(loaded[key]).as_subclass(torch.Tensor).contiguous() for key in (IMAGE, LABEL))
    label = label.to(torch.int64)
    if scheme == CAMUS_SECTOR:
        label = with_sector(label, image[None])
    return {
        IMAGE: image.to(torch.float32),
        LABEL: label,
        "condition": EchoFrames.heart_condition.encode([loaded])[0],
        **{key: loaded[key] for key in ("patient", "view", "phase", "group")},
    }


__all__ = ["EchoFrames"]
