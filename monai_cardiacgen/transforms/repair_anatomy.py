"""The transform that makes segmentations anatomically valid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from ..checks import check_spacing
from ..errors import ShapeError
from ..inferers.anatomy_repair import AnatomyRepair
from ..inferers.latent_sampler import LatentSampler
from .label_form import LabelForm
from .plain_tensor import plain_tensor
from .spacing import resolve_spacing, told_spacings

#: Under this key a repaired `MetaTensor` tells what was done.
RECORD = "anatomy_repair"


class RepairAnatomy(Transform):
    """Turn an invalid label map, a network's segmentation for example, into the nearest valid one.

    Label maps are 2D `(C, H, W)` or stacks `(C, H, W, D)`, which are repaired slice by slice; C is 1 for codes, or
    the scheme's number of classes for one-hot maps. Shape, dtype, affine and metadata come out as they came in. A
    valid slice is left untouched, and so is one for which nothing valid is found. A `MetaTensor` tells in
    `meta["anatomy_repair"]`, slice by slice, whether it was valid before and is now, and which share changed.

    Args:
        sampler: of a synthesizer or shape model trained on hearts in the same orientation, for example
            `CardiacSynthesizer.from_bundle(...).sampler`.
        label_codes: the label maps' own codes in the scheme's order, background first; the scheme's by default.
        spacing: mm along the first two axes, instead of what the affine tells.

    Raises:
        LabelError: when `label_codes` does not fit the scheme.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240; see `AnatomyRepair`.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(
        self,
        sampler: LatentSampler,
        label_codes: Sequence[int] | None = None,
        spacing: Sequence[float] | None = None,
    ) -> None:
        self.repair = AnatomyRepair(sampler)
        self.form = LabelForm(sampler.scheme, label_codes)
        self.spacing = None if spacing is None else check_spacing(spacing, 2)

    def __call__(self, label: Any) -> Any:
        """Return the repaired map, of the type that came.

        Raises:
            ShapeError: unless the map is `(C, H, W)` or `(C, H, W, D)` with 1 or the scheme's channels.
            LabelError: for unknown codes, or one-hot channels that do not hold a single 1.
            SpacingError: when nobody tells the spacing.
        """
        tensor = plain_tensor(label)
        if tensor.ndim not in (3, 4):
            raise ShapeError(
                f"Expected a label map (C, H, W) or (C, H, W, D), got {tuple(tensor.shape)}; add a channel axis, for "
                f"example with MONAI's EnsureChannelFirst."
            )
        spacing = resolve_spacing(told_spacings(label, 1, 2), self.spacing, 2)[0].tolist()
        slices = tensor[None] if tensor.ndim == 3 else tensor.movedim(-1, 0)
        scheme = self.repair.scheme
        repaired = self.repair(scheme.to_codes(self.form.read(slices)), spacing)
        written = self.form.write(scheme.to_channels(repaired.label), like=slices)
        result = written[0] if tensor.ndim == 3 else written.movedim(0, -1)
        if not isinstance(label, MetaTensor):
            return result if isinstance(label, torch.Tensor) else result.numpy().astype(label.dtype, copy=False)
        made = MetaTensor(result, meta=dict(label.meta), applied_operations=label.applied_operations)
        made.meta[RECORD] = {
            "valid_before": repaired.valid_before.tolist(),
            "valid": repaired.valid.tolist(),
            "changed": repaired.changed.tolist(),
        }
        return made


class RepairAnatomyd(MapTransform):
    """Dictionary form of `RepairAnatomy`.

    Args:
        keys: of the label maps or segmentations.
        sampler: see `RepairAnatomy`.
        label_codes: see `RepairAnatomy`.
        spacing: see `RepairAnatomy`.
        allow_missing_keys: whether a missing key is no error.
    """

    backend = RepairAnatomy.backend

    def __init__(
        self,
        keys: KeysCollection,
        sampler: LatentSampler,
        label_codes: Sequence[int] | None = None,
        spacing: Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = RepairAnatomy(sampler, label_codes, spacing)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with the keys' label maps repaired and all else as it was."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self.transform(result[key])
        return result
