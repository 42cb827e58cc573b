"""A dataset of all whole label maps below a Sunnybrook folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset

from ..anatomy.schemes import SUNNYBROOK
from ..errors import DataError
from .preprocessing import IMAGE, LABEL, Preprocessing, short_axis_preprocessing
from .sunnybrook import load_sunnybrook, read_sunnybrook


class SunnybrookSlices(Dataset):
    """The slices of Sunnybrook that show cavity and wall, in memory, as a MONAI dataset.

    Experts drew the wall at end diastole only. Where it is not drawn it is unknown, and a painter that took it for
    background would paint walls there: such slices are left out, all of end systole among them.

    Each element has plain tensors `image` `(1, H, W)` in [0, 1] and `label` `(1, H, W)`, int64 in the codes of
    `SUNNYBROOK`, and `patient`, `group`, `phase` (where the files tell it), `slice` and `position`.

    Args:
        folder: see `read_sunnybrook`.
        spacing: in-plane pixel size in mm.
        spatial_size: pixels `(H, W)`, about the image's middle.

    Raises:
        DataError: when the folder is not as expected, or no slice has both contours.
    """

    def __init__(self, folder: str | Path, spacing: Sequence[float], spatial_size: Sequence[int]) -> None:
        preprocessing = short_axis_preprocessing(spacing, spatial_size)
        whole = [item for item in read_sunnybrook(folder) if set(item["annotated"]) == set(SUNNYBROOK.names[1:])]
        if not whole:
            raise DataError(f"Expected slices with both contours in {folder}, got none; pass a folder with o-contours.")
        super().__init__([_slice(item, preprocessing) for item in whole])


def _slice(item: dict[str, Any], preprocessing: Preprocessing) -> dict[str, Any]:
    loaded = load_sunnybrook(item)
    both: Mapping[str, Any] = preprocessing.transform({key: loaded[key] for key in (IMAGE, LABEL)}, start=2)
    image, label = (torch.as_tensor(both[key]).as_subclass(torch.Tensor)[..., 0] for key in (IMAGE, LABEL))
    told: dict[str, Any] = {key: item[key] for key in ("patient", "group", "phase", "slice", "position") if key in item}
    return {IMAGE: image.contiguous(), LABEL: label.to(torch.int64).contiguous(), **told}


__all__ = ["SunnybrookSlices"]
