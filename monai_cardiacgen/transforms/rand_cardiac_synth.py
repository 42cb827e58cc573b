"""The transform: now and then, a training sample becomes a labelled case that no scanner made."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from monai.config import KeysCollection
from torch import nn
from torch.utils.data import get_worker_info

from ..checks import check_spacing
from ..errors import InputError, ShapeError
from .base import PrepareRandBatch, RandBatchTransform, RandBatchTransformd, Tensors, Told
from .choice import Modes, SynthChoice, choice_of, draw_choice, mode_weights, record_of
from .intensity import check_intensity_range, intensity_range_of
from .protocol import Synthesizer, check_synthesizer, condition_of, device_of
from .provenance import Record
from .sectored_form import SectoredForm, black_outside
from .spacing import resolve_spacing
from .stacks import make


class RandCardiacSynth(RandBatchTransform[SynthChoice]):
    """Replace a sample, with probability `prob`, by a synthetic one with an exact label.

    * `"new"`: a new heart in a new image.
    * `"vary"`: this heart deformed, in this image's style; the surroundings stay the real image's, bit for
      bit.
    * `"restyle"`: this label map in another style.

    Samples are 2D `(C, H, W)` or stacks `(C, H, W, D)`, which are made slice by slice with one seed: one new
    style, or one deformation. Shape, dtype, affine, metadata, intensity range and form of the label come out
    as they came in. A `MetaTensor`'s `meta["cardiacgen"]` records how the sample was made (see `Record`;
    plain tensors and arrays have no place for it), and `remake` makes it again.

    A sample without a heart stays real under `"vary"`, and so do such slices of a stack; a heart without a
    valid one near it keeps its label and is painted anew. `"restyle"` paints slices without a heart, too.
    `"new"` is refused for stacks, since hearts drawn slice by slice do not fit together.

    The sample's spacing comes from its affine, or from `spacing`; if neither tells it, that is an error.
    Samples of another spacing are resampled to the synthesizer's grid and back (linear; labels by the class
    of most weight). `"new"` and `"restyle"` need samples that show no more than the synthesizer does;
    `"vary"` does not. The array's axes must run as in the images on which the synthesizer was trained. The
    only gate on the hearts is for now the synthesizer's own anatomy check.

    A synthesizer that is told the view and phase of a heart reads them from the sample's dictionary or the
    image's meta. One of echo takes the ultrasound sector of the sample's image as a class, whether label maps
    have it or not, and shows nothing new outside of it.

    Same seed, same result: with `set_determinism` or `set_random_state`, the array and dictionary forms
    repeat with the same number of workers, however these are started. MONAI seeds every worker by its number,
    so two workers draw otherwise than one, as in any of its random transforms; none and one agree in the
    first epoch. The batch form runs in the engine's process and repeats with any number of workers.

    Args:
        synthesizer: for example `CardiacSynthesizer.from_bundle(...)`; a network is frozen and put in eval
            mode.
        prob: how often a sample is replaced, in [0, 1].
        mode: one mode, several that are equally likely, or a weight for each.
        strength: how far `"vary"` moves a heart, in (0, 1].
        label_codes: the label maps' own codes in the scheme's order, background first; the scheme's by
            default.
        one_hot: whether label maps are one-hot; by default, told by the number of channels.
        intensity_range: the intensities `(low, high)` that the synthesizer's 0 and 1 become; by default, each
            sample's 0.5 and 99.5 percentiles.
        spacing: mm along the synthesizer's axes, instead of what the samples tell.

    Raises:
        InputError: when an argument is out of its range, or `synthesizer` is none.
        LabelError: when `label_codes` do not fit the scheme.

    Example:
        ```python
        synth = RandCardiacSynth(CardiacSynthesizer.from_bundle("bundles/cine_mr_vaegan"), prob=0.5)
        image, label = synth(image, label)
        ```

    Source:
        Skandarani, Painchaud, Jodoin, Lalande, "On the effectiveness of GAN generated cardiac MRIs for
        segmentation", MIDL 2020.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        prob: float = 0.1,
        mode: Modes = "new",
        strength: float = 0.5,
        label_codes: Sequence[int] | None = None,
        one_hot: bool | None = None,
        intensity_range: Sequence[float] | None = None,
        spacing: Sequence[float] | None = None,
    ) -> None:
        super().__init__(prob)
        self.synthesizer = check_synthesizer(synthesizer)
        self.weights = mode_weights(mode)
        if not 0.0 < strength <= 1.0:
            raise InputError(f"Expected strength in (0, 1], got {strength!r}.")
        self.strength = float(strength)
        self.form = SectoredForm(synthesizer.scheme, label_codes, one_hot)
        self.intensity_range = check_intensity_range(intensity_range)
        self.spacing = None if spacing is None else check_spacing(spacing, self.spatial_dims)

    @property
    def spatial_dims(self) -> int:
        """The synthesizer's number of axes."""
        return len(self.synthesizer.spatial_size)

    @property
    def entries(self) -> tuple[str, ...]:
        """The categories that the synthesizer is told, such as `("view", "phase")`; samples must tell them."""
        wanted = condition_of(self.synthesizer)
        return () if wanted is None else tuple(wanted.categories)

    def told(self, choice: SynthChoice, entries: Mapping[str, Any]) -> SynthChoice:
        """Return a choice with the sample's view, phase and so on.

        Raises:
            InputError: when the sample does not tell one of them, or an unknown one.
        """
        wanted = condition_of(self.synthesizer)
        if wanted is None:
            return choice
        for name, known in wanted.categories.items():
            if entries.get(name) not in known:
                raise InputError(
                    f"Expected one of {tuple(known)} as {name!r} of every sample, for the synthesizer draws and paints "
                    f"by {' and '.join(wanted.categories)}, got {entries.get(name)!r}; keep {name!r} in the sample's "
                    f"dictionary or the image's meta, or pass it to the array form as condition={{{name!r}: ...}}."
                )
        return replace(choice, condition={name: str(entries[name]) for name in wanted.categories})

    def __call__(  # type: ignore[override]  # two tensors, one draw
        self, image: Any, label: Any, condition: Mapping[str, str] | None = None
    ) -> tuple[Any, Any]:
        """Return image `(1, H, W[, D])` and label `(1 | C, H, W[, D])`: the same, or a synthetic case's.

        Args:
            image: the sample's.
            label: its label map.
            condition: what a conditional synthesizer is told, such as `{"view": "4CH", "phase": "ED"}`; by default
                what the image's meta tells.

        Raises:
            InputError: when a conditional synthesizer's sample does not tell its view and phase.
            ShapeError: when a shape is another.
            LabelError: when the label map is not in the expected form.
            SpacingError: when the spacing is unknown, or the sample shows more than the synthesizer can make.
            IntensityError: when the image is not finite, or constant and its range was not told.
        """
        return cast(tuple[Any, Any], self.draw_and_transform((image, label), condition))

    def remake(
        self, image: Any, label: Any, record: Mapping[str, Any], condition: Mapping[str, str] | None = None
    ) -> tuple[Any, Any]:
        """Return the synthetic case that this transform made of a real sample, from its record.

        Args:
            image: the real sample's image, as it came into the transform.
            label: its label map.
            record: `meta["cardiacgen"]` of the synthetic case.
            condition: as when the transform was called.

        Raises:
            InputError: when the record is a real sample's, or another bundle's.
        """
        return cast(
            tuple[Any, Any],
            self.transform_sample((image, label), choice_of(record, self.synthesizer.provenance), condition),
        )

    def prepare_batch(self, keys: Sequence[str] = ("image", "label")) -> PrepareRandBatch:
        """Return the batch form, for the `prepare_batch` of MONAI's engines."""
        return PrepareRandBatch(self, keys)

    def sample(self, generator: torch.Generator) -> SynthChoice:
        """Draw one sample's mode and seed."""
        return draw_choice(self.weights, self.strength, generator)

    def apply(
        self, tensors: Tensors, spacings: Told, choices: Sequence[SynthChoice]
    ) -> tuple[Tensors, list[Record | None]]:
        """Return the synthetic cases of images `(B, 1, H, W[, D])` and labels `(B, 1 | C, H, W[, D])`."""
        image, label = tensors
        _check_shapes(image, label, self.spatial_dims)
        _check_worker(self.synthesizer)
        read = self.form.read(label, image)
        intensities = intensity_range_of(image, self.intensity_range)
        spacing = resolve_spacing(spacings, self.spacing, self.spatial_dims)
        made = make(self.synthesizer, intensities.to_unit(image), read.channels, spacing, choices)
        new_image = torch.where(made.weight > 0, intensities.from_unit(made.image, image.dtype), image)
        new_label = torch.where(made.weight[:, 0] >= 0.5, made.label, read.channels)
        if read.swept is not None:
            new = torch.tensor([choice.mode == "new" for choice in choices], device=image.device)
            new_image = black_outside(new_image, image, new_label, read.swept, new)
        changed = made.weight.flatten(1).any(dim=1).tolist()
        provenance = self.synthesizer.provenance
        records = [record_of(choice, provenance) if new else None for choice, new in zip(choices, changed, strict=True)]
        return (new_image, self.form.write(new_label, label, read)), records

    def move_to(self, device: torch.device) -> None:
        """Bring the synthesizer to a batch's device."""
        if isinstance(self.synthesizer, nn.Module) and device_of(self.synthesizer) != device:
            self.synthesizer.to(device)

    def __getstate__(self) -> dict[str, Any]:
        """Return a state without CUDA tensors: copies and spawned workers compute on the CPU."""
        state = self.__dict__.copy()
        if isinstance(self.synthesizer, nn.Module) and device_of(self.synthesizer).type != "cpu":
            state["synthesizer"] = copy.deepcopy(self.synthesizer).cpu()
        return state


class RandCardiacSynthd(RandBatchTransformd):
    """Dictionary form of `RandCardiacSynth`, which says what it does.

    Args:
        keys: of the image and of the label, in this order.
        synthesizer: for example `CardiacSynthesizer.from_bundle(...)`; a network is frozen and put in eval
            mode.
        prob: how often a sample is replaced, in [0, 1].
        mode: one mode, several that are equally likely, or a weight for each.
        strength: how far `"vary"` moves a heart, in (0, 1].
        label_codes: the label maps' own codes in the scheme's order, background first; the scheme's by
            default.
        one_hot: whether label maps are one-hot; by default, told by the number of channels.
        intensity_range: the intensities `(low, high)` that the synthesizer's 0 and 1 become; by default, each
            sample's 0.5 and 99.5 percentiles.
        spacing: mm along the synthesizer's axes, instead of what the samples tell.
        allow_missing_keys: whether a sample without image or label passes as it is.

    Raises:
        InputError: when `keys` are not two, or an argument is out of its range.

    Example:
        ```python
        synthesizer = CardiacSynthesizer.from_bundle("bundles/cine_mr_vaegan")
        train = Compose([..., RandCardiacSynthd(("image", "label"), synthesizer, prob=0.5), RandAffined(...)])
        # or on whole batches, on the engine's device
        prepare_batch = RandCardiacSynthd(("image", "label"), synthesizer, prob=0.5).prepare_batch()
        trainer = SupervisedTrainer(..., prepare_batch=prepare_batch)
        ```
    """

    def __init__(
        self,
        keys: KeysCollection,
        synthesizer: Synthesizer,
        prob: float = 0.1,
        mode: Modes = "new",
        strength: float = 0.5,
        label_codes: Sequence[int] | None = None,
        one_hot: bool | None = None,
        intensity_range: Sequence[float] | None = None,
        spacing: Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        transform = RandCardiacSynth(synthesizer, prob, mode, strength, label_codes, one_hot, intensity_range, spacing)
        super().__init__(keys, transform, allow_missing_keys)
        if len(self.keys) != 2:
            raise InputError(f"Expected two keys, of the image and of the label, got {self.keys}; name both.")

    def remake(self, data: Mapping[Any, Any], record: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the dictionary of a real sample with its synthetic case; see `RandCardiacSynth.remake`."""
        array_form = cast(RandCardiacSynth, self.transform)
        new = array_form.remake(data[self.keys[0]], data[self.keys[1]], record, data)
        return {**data, **dict(zip(self.keys, new, strict=True))}


def _check_shapes(image: torch.Tensor, label: torch.Tensor, spatial_dims: int) -> None:
    """Raise `ShapeError` unless image and label are one sample each of the expected axes."""
    axes = image.ndim - 2
    stacks_fit = axes == spatial_dims + 1 == 3
    if image.shape[1] != 1 or (axes != spatial_dims and not stacks_fit):
        raise ShapeError(
            f"Expected an image (1, {', '.join('HWD'[:spatial_dims])})"
            + (" or a stack (1, H, W, D)" if spatial_dims == 2 else "")
            + f", got {tuple(image.shape[1:])}; add or select the channel, or take slices."
        )
    if not image.numel():
        raise ShapeError(f"Expected an image with pixels, got {tuple(image.shape[1:])}; leave this sample out.")
    if image.shape[2:] != label.shape[2:] or image.ndim != label.ndim:
        raise ShapeError(
            f"Expected a label map on the image's grid {tuple(image.shape[2:])}, "
            f"got {tuple(label.shape[2:])}; bring both to one grid first, "
            f"for example with MONAI's ResampleToMatchd."
        )


def _check_worker(synthesizer: Synthesizer) -> None:
    """Raise `InputError` where CUDA would fail with a message that names no remedy."""
    if get_worker_info() is not None and device_of(synthesizer).type == "cuda":
        raise InputError(
            "Expected a synthesizer on the CPU in a worker of a loader, got one on CUDA; move it to the CPU, "
            "load with num_workers=0 (MONAI's ThreadDataLoader), or use prepare_batch()."
        )
