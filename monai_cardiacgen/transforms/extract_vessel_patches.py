"""Square patches round a vessel, such as the descending aorta, from the slices of a volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.transforms.traits import MultiSampleTrait
from monai.utils import TransformBackends

from ..checks import check_finite
from ..data.vessel_tracking import VesselCircle, VesselTracker
from ..errors import InputError, ShapeError, SpacingError
from .spacing import resolve_spacing, told_spacings

#: What a seed is given in: voxels of the volume, or the mm of its affine.
SeedSpace = Literal["voxel", "mm"]

_LEAST_COSINE = 0.8  # between the third axis and head-feet, below which slices are not axial


class ExtractVesselPatches(Transform, MultiSampleTrait):
    """Cuts a patch round the vessel from every axial slice in which it is found.

    From one seed point the vessel's circle is followed up and down by the circular Hough transform
    (`VesselTracker`). A patch is centred on the circle to half a voxel and never resampled; beyond the volume it is
    filled with the volume's smallest value. Its affine stays that of a volume `(H, W, 1)`, so that it lies where it
    was cut.

    Args:
        patch_size: pixels along the first two axes.
        step: every how many slices a patch is cut, counted from the lowest one with the vessel.
        tracker: limits of radius and movement; for a descending aorta by default.
        seed_space: `"voxel"` along the volume's axes, or `"mm"` in the world of its affine.

    Raises:
        InputError: when an argument is out of range.

    Source:
        The data of "Learning cardiac morphology from MR images using a generative adversarial network" (ISMRM 2019):
        patches of 128 x 128 with part of the descending aorta, found semi-automatically.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(
        self,
        patch_size: Sequence[int] = (128, 128),
        step: int = 1,
        tracker: VesselTracker | None = None,
        seed_space: SeedSpace = "voxel",
    ) -> None:
        if len(patch_size) != 2 or min(patch_size) < 1 or step < 1:
            raise InputError(
                f"Expected a patch size of two positive numbers and a positive step, got {patch_size}, "
                f"{step}; choose others."
            )
        if seed_space not in ("voxel", "mm"):
            raise InputError(f"Expected seed_space 'voxel' or 'mm', got {seed_space!r}.")
        self.patch_size = (int(patch_size[0]), int(patch_size[1]))
        self.step = step
        self.tracker = tracker or VesselTracker()
        self.seed_space: SeedSpace = seed_space

    def __call__(self, img: torch.Tensor, seed: Sequence[float]) -> list[MetaTensor]:  # type: ignore[override]
        """Return the patches `(C, *patch_size)`, with the vessel's circle in `meta["vessel"]`.

        That is a dictionary: `slice`, its index in the volume; `centre`, mm in the volume's world, `(3,)`;
        `centre_in_patch`, in pixels, `(2,)`; `radius` in mm; `score`, the share of the circle on which there is an
        edge. Tensors in float64.

        Args:
            img: a `MetaTensor` `(C, H, W, D)` that tells its spacing, axial slices along D; the vessel is sought in
                the first channel.
            seed: a point in the vessel.

        Raises:
            ShapeError: when `img` is not `(C, H, W, D)`.
            SpacingError: when it does not tell its spacing, is sheared, or its slices are not axial.
            IntensityError: when it holds NaN or infinity.
            InputError: when the seed lies outside the volume or in no circle.
        """
        return [self.cut(img, circle) for circle in self.find(img, seed)]

    def find(self, img: torch.Tensor, seed: Sequence[float]) -> list[VesselCircle]:
        """Return the circles round which patches are cut; arguments and errors as of a call."""
        if img.ndim != 4:
            raise ShapeError(
                f"Expected a volume (C, H, W, D), got {tuple(img.shape)}; a vessel is followed through slices, so "
                f"pass the whole stack, and add a channel axis with MONAI's EnsureChannelFirst."
            )
        spacing = resolve_spacing(told_spacings(img, 1, 3), None, 3)[0].tolist()
        affine = _affine(img)
        upwards = abs(affine[2, 2]) / spacing[2]
        if upwards < _LEAST_COSINE:
            raise SpacingError(
                f"Expected axial slices along the third axis, got slices {np.degrees(np.arccos(upwards)):.0f} degrees "
                f"off; reorient or resample the volume, for example with MONAI's Orientationd(axcodes='RAS')."
            )
        check_finite(img, "the volume")
        point = np.asarray([float(value) for value in seed])
        if point.shape != (3,) or not np.isfinite(point).all():
            raise InputError(
                f"Expected a seed of three finite numbers, got {point.tolist()}; give a place in the vessel."
            )
        if self.seed_space == "mm":
            point = np.linalg.solve(affine, [*point, 1.0])[:3]
        volume = img[0].as_subclass(torch.Tensor).cpu().numpy()
        circles = self.tracker.track(volume, spacing, point.tolist())
        return [circle for circle in circles if (circle.slice - circles[0].slice) % self.step == 0]

    def cut(self, img: torch.Tensor, circle: VesselCircle) -> MetaTensor:
        """Return the patch of a volume `(C, H, W, D)` round a circle."""
        plain = img.as_subclass(torch.Tensor)
        patch = torch.full((len(plain), *self.patch_size), plain.min().item(), dtype=plain.dtype, device=plain.device)
        corner = [round(middle - (side - 1) / 2) for middle, side in zip(circle.centre, self.patch_size, strict=True)]
        source, target = [], []
        for first, side, whole in zip(corner, self.patch_size, plain.shape[1:3], strict=True):
            begin, end = max(first, 0), min(first + side, whole)
            source.append(slice(begin, end))
            target.append(slice(begin - first, end - first))
        patch[:, target[0], target[1]] = plain[:, source[0], source[1], circle.slice]

        affine = _affine(img)
        moved = affine.copy()
        moved[:3, 3] = (affine @ [*corner, circle.slice, 1.0])[:3]
        world = affine @ [*circle.centre, circle.slice, 1.0]
        vessel = {
            "slice": circle.slice,
            "centre": torch.from_numpy(world[:3]),
            "centre_in_patch": torch.tensor(circle.centre, dtype=torch.float64) - torch.tensor(corner),
            "radius": circle.radius,
            "score": circle.score,
        }
        meta = dict(img.meta) if isinstance(img, MetaTensor) else {}
        meta.pop("affine", None)
        meta |= {"vessel": vessel, "spatial_shape": np.asarray(self.patch_size)}
        return MetaTensor(patch, affine=torch.from_numpy(moved), meta=meta)


class ExtractVesselPatchesd(MapTransform, MultiSampleTrait):
    """Dictionary form of `ExtractVesselPatches`: one dictionary of patches for every slice with the vessel.

    Args:
        keys: volumes of one shape and place; the vessel is sought in the first of them, the others, such as a label,
            are cut at the same places.
        seed_key: of the seed point, three numbers.
        patch_size: see `ExtractVesselPatches`.
        step: likewise.
        tracker: likewise.
        seed_space: likewise.
        vessel_key: where each dictionary tells the circle, as `meta["vessel"]` does.
        allow_missing_keys: do without absent volumes, but not without the first.

    Example:
        >>> rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
        >>> tube = ((rows - 50) ** 2 + (columns - 40) ** 2 < 11**2).float()[None, :, :, None].expand(1, 96, 96, 4)
        >>> image = MetaTensor(tube.clone(), affine=torch.eye(4), meta={"original_affine": torch.eye(4)})
        >>> patches = ExtractVesselPatchesd("image", patch_size=(64, 64))({"image": image, "seed": (48, 43, 1)})
        >>> len(patches), tuple(patches[0]["image"].shape), [round(x) for x in patches[0]["vessel"]["centre"].tolist()]
        (4, (1, 64, 64), [50, 40, 0])
    """

    backend = ExtractVesselPatches.backend

    def __init__(
        self,
        keys: KeysCollection,
        seed_key: str = "seed",
        patch_size: Sequence[int] = (128, 128),
        step: int = 1,
        tracker: VesselTracker | None = None,
        seed_space: SeedSpace = "voxel",
        vessel_key: str = "vessel",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.extract = ExtractVesselPatches(patch_size, step, tracker, seed_space)
        self.seed_key = seed_key
        self.vessel_key = vessel_key

    def __call__(self, data: Mapping[Hashable, Any]) -> list[dict[Hashable, Any]]:
        """Return a dictionary for every patch; what is no volume of `keys` is in all of them.

        Raises:
            InputError: when the seed or the first volume is missing, and as `ExtractVesselPatches` does.
            ShapeError: when the volumes differ in shape.
        """
        first = self.keys[0]
        for key in (first, self.seed_key):
            if key not in data:
                raise InputError(
                    f"Expected {key!r} in the sample, got only {sorted(map(str, data))}; name your own key."
                )
        volumes = {key: data[key] for key in self.key_iterator(dict(data))}
        for key, volume in volumes.items():
            if volume.shape[1:] != volumes[first].shape[1:]:
                raise ShapeError(
                    f"Expected volumes of one shape, got {tuple(volume.shape)} of {key!r} beside "
                    f"{tuple(volumes[first].shape)} of {first!r}; resample them to one grid."
                )
        samples: list[dict[Hashable, Any]] = []
        for circle in self.extract.find(volumes[first], data[self.seed_key]):
            patches = {key: self.extract.cut(volume, circle) for key, volume in volumes.items()}
            samples.append({**data, **patches, self.vessel_key: patches[first].meta["vessel"]})
        return samples


def _affine(img: torch.Tensor) -> Any:
    if not isinstance(img, MetaTensor):
        return np.eye(4)
    return torch.as_tensor(img.affine, dtype=torch.float64, device="cpu").numpy()
