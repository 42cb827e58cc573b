"""The transform that makes an image of one modality into what another would have shown."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, ScaleIntensityRange, ScaleIntensityRangePercentiles, Transform
from monai.utils import TransformBackends

from ..checks import check_finite
from ..errors import InputError, IntensityError, ShapeError
from .plain_tensor import plain_tensor

#: Under this key a translated `MetaTensor` tells which modality it imitates.
RECORD = "translated_to"
#: Slices that the network sees at a time.
_TOGETHER = 16

ToCondition = Callable[[torch.Tensor], torch.Tensor]


class Translator(Protocol):
    """A network from conditions `(B, K, *spatial)` to images `(B, 1, *spatial)` in [0, 1]."""

    spatial_dims: int
    factor: int

    def __call__(self, condition: torch.Tensor) -> torch.Tensor:
        """Return the images."""

    def parameters(self) -> Any:
        """Return what it has learned."""


class TranslateModality(Transform):
    """Turn an image of one modality into one as another would have shown it, by a conditional generator.

    A generator that was trained on pairs takes the image itself. Without pairs a label map stands between: with
    `to_condition` the transform takes label maps, and the network is one that paints the wanted modality from these,
    trained on its own patients (`ConditionalUNetGenerator` serves both).

    Images are `(1, H, W)` or stacks `(1, H, W, D)`, which a 2D network translates slice by slice, or `(1, H, W, D)` for
    a 3D network. Sides are padded to what the network's depth divides, and cut back. Shape, affine and metadata come
    out as they came in, values as float32 in `target`; a `MetaTensor` tells the modality in `meta["translated_to"]`.

    Args:
        network: conditions to images in [0, 1]; a copy is kept, frozen and in evaluation mode.
        modality: that it imitates, `"MR"` for example; recorded.
        source: intensities that become 0 and 1, such as CT's window in HU; None for the 0.5 and 99.5 percentiles of the
            image, as for MR. Beyond, values are clipped.
        target: what 0 and 1 of the network stand for.
        to_condition: codes `(B, 1, *spatial)` to conditions, such as `StructureCondition`; then label maps are
            translated, and `source` has no meaning.

    Raises:
        InputError: for a range that does not rise.

    Example:
        >>> from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
        >>> ct_to_mr = TranslateModality(ConditionalUNetGenerator(2, 1, channels=(4, 8)), "MR", source=(-200, 600))
        >>> ct_to_mr(torch.zeros(1, 30, 20)).shape
        torch.Size([1, 30, 20])

    Source:
        Isola et al., CVPR 2017, DOI 10.1109/CVPR.2017.632; the next step of Habijan et al. 2022, arXiv:2205.09842.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(
        self,
        network: Translator,
        modality: str,
        source: Sequence[float] | None = None,
        target: Sequence[float] = (0.0, 1.0),
        to_condition: ToCondition | None = None,
    ) -> None:
        for given in (source, target):
            if given is not None and (len(given) != 2 or not given[0] < given[1]):
                raise InputError(f"Expected a range from lower to higher, got {tuple(given)}; give its ends so.")
        frozen: Any = copy.deepcopy(network)
        self.network = frozen
        frozen.eval().requires_grad_(False)
        self.modality = modality
        self.target = (float(target[0]), float(target[1]))
        self.to_condition = to_condition
        self.by_percentiles = source is None
        self.scale: Callable[[Any], Any] = (
            ScaleIntensityRangePercentiles(0.5, 99.5, 0.0, 1.0, clip=True)
            if source is None
            else ScaleIntensityRange(float(source[0]), float(source[1]), 0.0, 1.0, clip=True)
        )

    def __call__(self, image: Any) -> Any:
        """Return the translated image, of the type that came.

        Raises:
            ShapeError: unless it has one channel and the network's axes, or one more for a 2D network.
            IntensityError: for NaN or infinity, or a constant image without a `source`.
            LabelError: for codes that `to_condition` does not know.
        """
        tensor = plain_tensor(image)
        dims = self.network.spatial_dims
        is_stack = dims == 2 and tensor.ndim == 4
        if not (is_stack or tensor.ndim == dims + 1) or tensor.shape[0] != 1 or not tensor.numel():
            raise ShapeError(
                f"Expected one channel and {dims} axes{' or a stack of slices' if dims == 2 else ''}, got "
                f"{tuple(tensor.shape)}; add a channel axis, for example with MONAI's EnsureChannelFirst."
            )
        check_finite(tensor, "the image to translate")
        if self.by_percentiles and self.to_condition is None and float(tensor.max()) == float(tensor.min()):
            raise IntensityError(
                "Expected an image with contrast, got a constant one; leave it out, or pass the source's range."
            )
        given = tensor if self.to_condition is not None else self.scale(tensor.to(torch.float32))
        slices = given.movedim(-1, 0) if is_stack else given[None]
        made = self._translated(slices).to(tensor.device)
        low, high = self.target
        result = low + (high - low) * (made.movedim(0, -1) if is_stack else made[0])
        if not isinstance(image, MetaTensor):
            return result if isinstance(image, torch.Tensor) else result.numpy()
        translated = MetaTensor(result, meta=dict(image.meta), applied_operations=image.applied_operations)
        translated.meta[RECORD] = self.modality
        return translated

    @torch.no_grad()
    def _translated(self, slices: torch.Tensor) -> torch.Tensor:
        """Return images `(N, 1, *spatial)` in [0, 1] of as many slices or volumes."""
        size = slices.shape[2:]
        missing = [-side % self.network.factor for side in size]
        # Padded by what is darkest in an image, and background in a label map.
        padded = torch.nn.functional.pad(slices, [side for gap in reversed(missing) for side in (0, gap)])
        device = next(self.network.parameters()).device
        made = []
        for some in padded.split(_TOGETHER):
            condition = some if self.to_condition is None else self.to_condition(some)
            made.append(self.network(condition.to(device)).to(torch.float32))
        result = torch.cat(made)
        for axis, side in enumerate(size, 2):
            result = result.narrow(axis, 0, side)
        return result


class TranslateModalityd(MapTransform):
    """Dictionary form of `TranslateModality`.

    Args:
        keys: of the images, or of the label maps with `to_condition`.
        network: see `TranslateModality`.
        modality: see `TranslateModality`.
        source: see `TranslateModality`.
        target: see `TranslateModality`.
        to_condition: see `TranslateModality`.
        output_postfix: what is made is stored under the key with this after it, `image_MR` for example; without it, it
            takes the place of what came.
        allow_missing_keys: whether a missing key is no error.
    """

    backend = TranslateModality.backend

    def __init__(
        self,
        keys: KeysCollection,
        network: Translator,
        modality: str,
        source: Sequence[float] | None = None,
        target: Sequence[float] = (0.0, 1.0),
        to_condition: ToCondition | None = None,
        output_postfix: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = TranslateModality(network, modality, source, target, to_condition)
        self.output_postfix = output_postfix

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with what was made, and all else as it was."""
        result = dict(data)
        for key in self.key_iterator(result):
            made = self.transform(result[key])
            result[key if self.output_postfix is None else f"{key}_{self.output_postfix}"] = made
        return result


__all__ = ["TranslateModality", "TranslateModalityd"]
