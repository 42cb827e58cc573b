"""Three ways to make a sample synthetic: a new heart, this heart deformed, this label in another style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch

from ..anatomy.schemes import ULTRASOUND_SECTOR
from ..errors import SpacingError
from ..inferers.resample import Placement, label_to_model, label_to_sample, place
from ..seeding import seeded
from .protocol import Cases, ConditionalSynthesizer, Synthesizer, device_of
from .spacing import check_field_of_view

_CHANGED = 1e-4  # of the range [0, 1]: a smaller difference is rounding


@dataclass(frozen=True)
class Slices:
    """Rows of the model's own number of axes: 2D samples, or all slices of stacks, one stack after the other.

    Attributes:
        image: `(N, 1, *spatial)` in [0, 1], float32.
        label: channel numbers `(N, *spatial)`, int64.
        spacing: mm, `(N, dims)` float64.
        seeds: of each row's generator; the slices of a stack share one.
        depth: slices a stack; 1 for 2D samples.
        condition: of each row, as the samples tell it; None for a synthesizer that is told nothing.
    """

    image: torch.Tensor
    label: torch.Tensor
    spacing: torch.Tensor
    seeds: tuple[int, ...]
    depth: int
    condition: tuple[Mapping[str, str], ...] | None = None

    @property
    def spatial_size(self) -> tuple[int, ...]:
        """Pixels of the samples' grid."""
        return tuple(self.label.shape[1:])


@dataclass(frozen=True)
class Made:
    """What the model made of slices, on the samples' grid.

    Attributes:
        image: `(N, 1, *spatial)` in [0, 1], float32.
        label: channel numbers `(N, *spatial)`, int64.
        weight: how much of each pixel is the model's, `(N, 1, *spatial)` in [0, 1]; the rest is the real
            image's.
    """

    image: torch.Tensor
    label: torch.Tensor
    weight: torch.Tensor


def make_new(synthesizer: Synthesizer, slices: Slices) -> Made:
    """Return new hearts with new images, cropped from the model's field of view to the samples'.

    Where the samples show less than the model does, the crop moves from the middle just as far as the heart
    needs. Outside of an ultrasound sector there is nothing to be shown: such samples may show more.

    Raises:
        SpacingError: when the samples show more than the model does.
    """
    placement = _place_all(synthesizer, slices)
    told = {} if slices.condition is None else {"condition": slices.condition}
    cases = cast(ConditionalSynthesizer, synthesizer).sample(len(slices.seeds), _generators(slices.seeds), **told)
    hearts = _hearts(synthesizer, synthesizer.scheme.to_channels(cases.label.cpu()))
    placement = _place(synthesizer, slices, _middle_that_shows(placement, hearts))
    return _on_samples(synthesizer, placement, cases, slices.image.device)


def make_restyled(synthesizer: Synthesizer, slices: Slices) -> Made:
    """Return the same label maps in another style, one style a seed.

    Raises:
        SpacingError: when the samples, or their ultrasound sectors, are larger than the model's field of view.
    """
    placement = _place_all(synthesizer, slices)
    if _has_sector(synthesizer):
        _check_inside(placement, slices, slices.label > 0, synthesizer.spacing, "an ultrasound sector and its heart")
    image, codes = _on_model(synthesizer, placement, slices)
    model = device_of(synthesizer)
    told = {} if slices.condition is None else {"condition": slices.condition}
    cases = cast(ConditionalSynthesizer, synthesizer).restyle(
        image.to(model), codes.to(model), _generators(slices.seeds), **told
    )
    made = _on_samples(synthesizer, placement, cases, slices.image.device)
    return Made(made.image, slices.label, made.weight)


def make_varied(synthesizer: Synthesizer, slices: Slices, strength: float) -> Made:
    """Return these hearts deformed; only what the model changed is taken over, all else stays the real image.

    Rows without a heart, or with one that vanishes on the model's grid, stay as they are.

    Raises:
        SpacingError: when a heart is larger than the model's field of view.
    """
    made = Made(slices.image.clone(), slices.label.clone(), torch.zeros_like(slices.image))
    hearts = _hearts(synthesizer, slices.label)
    placement = _place(synthesizer, slices, _middles(hearts, slices.depth))
    _check_inside(placement, slices, hearts, synthesizer.spacing, "a heart")
    image, codes = _on_model(synthesizer, placement, slices)
    rows = torch.nonzero(_hearts(synthesizer, synthesizer.scheme.to_channels(codes)).flatten(1).any(dim=1))[
        :, 0
    ].tolist()
    if not rows:
        return made
    image, codes, placement = image[rows], codes[rows], placement.of_rows(rows)
    model, device = device_of(synthesizer), slices.image.device
    seeds = [slices.seeds[row] for row in rows]
    told = {} if slices.condition is None else {"condition": tuple(slices.condition[row] for row in rows)}
    cases = cast(ConditionalSynthesizer, synthesizer).vary(
        image.to(model), codes.to(model), strength, _generators(seeds), **told
    )
    new = _on_samples(synthesizer, placement, cases, device)
    moved = (cases.label.to(device) != codes)[:, None]
    changed = moved | ((cases.image.to(device, torch.float32) - image).abs() > _CHANGED)
    made.image[rows], made.label[rows] = new.image, new.label
    made.weight[rows] = placement.to_sample(changed.to(torch.float32), extend=False)
    return made


def _generators(seeds: Sequence[int]) -> list[torch.Generator]:
    return [seeded(seed) for seed in seeds]


def _has_sector(synthesizer: Synthesizer) -> bool:
    return ULTRASOUND_SECTOR in synthesizer.scheme.names


def _hearts(synthesizer: Synthesizer, channels: torch.Tensor) -> torch.Tensor:
    """Return where the heart is in channel numbers `(N, *spatial)`, bool: the ultrasound sector is none of it."""
    hearts = channels > 0
    if not _has_sector(synthesizer):
        return hearts
    return hearts & (channels != synthesizer.scheme.channel(ULTRASOUND_SECTOR))


def _place_all(synthesizer: Synthesizer, slices: Slices) -> Placement:
    """Return the placement for a whole image: about its ultrasound sector, if any, for that is all it shows."""
    if _has_sector(synthesizer):
        return _place(synthesizer, slices, _middles(slices.label > 0, slices.depth, of_box=True))
    check_field_of_view(slices.spatial_size, slices.spacing, synthesizer.spatial_size, synthesizer.spacing)
    return _place(synthesizer, slices, None)


def _place(synthesizer: Synthesizer, slices: Slices, about: torch.Tensor | None) -> Placement:
    return place(slices.spatial_size, slices.spacing, synthesizer.spatial_size, synthesizer.spacing, about=about)


def _on_model(synthesizer: Synthesizer, placement: Placement, slices: Slices) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and codes on the model's grid."""
    scheme = synthesizer.scheme
    image = placement.to_model(slices.image, extend=True)
    return image, scheme.to_codes(label_to_model(placement, slices.label, scheme.num_classes))


def _on_samples(synthesizer: Synthesizer, placement: Placement, cases: Cases, device: torch.device) -> Made:
    """Return cases of the model's grid on the samples' grid and device, with full weight."""
    image = placement.to_sample(cases.image.to(device, torch.float32), extend=True)
    scheme = synthesizer.scheme
    channels = scheme.to_channels(cases.label).to(device)
    return Made(image, label_to_sample(placement, channels, scheme.num_classes), torch.ones_like(image))


def _box(mask: torch.Tensor) -> torch.Tensor:
    """Return the first and the last pixel, `(2, dims)` float64, of one mask that is not empty."""
    where = torch.nonzero(mask).to("cpu", torch.float64)
    return torch.stack([where.min(dim=0).values, where.max(dim=0).values])


def _middles(masks: torch.Tensor, depth: int, of_box: bool = False) -> torch.Tensor:
    """Return the middle of each stack's masks, or of their box, `(N, dims)` float64; the image's without any."""
    middles = []
    for stack in masks.split(depth):
        where = torch.nonzero(stack)[:, 1:].to("cpu", torch.float64)
        middle = (torch.tensor(stack.shape[1:], dtype=torch.float64) - 1) / 2
        if len(where):
            middle = (where.amin(dim=0) + where.amax(dim=0)) / 2 if of_box else where.mean(dim=0)
        middles += [middle] * depth
    return torch.stack(middles)


def _check_inside(
    placement: Placement, slices: Slices, masks: torch.Tensor, model_spacing: Sequence[float], what: str
) -> None:
    """Raise `SpacingError` when a mask reaches out of the model's grid."""
    half = torch.tensor(placement.model_size, dtype=torch.float64) / 2 * placement.scale
    for row in torch.nonzero(masks.flatten(1).any(dim=1))[:, 0].tolist():
        first, last = _box(masks[row])
        start, end = placement.centre[row] - half[row], placement.centre[row] + half[row]
        if bool((first < start).any()) or bool((last > end).any()):
            extent = [f"{side:.0f}" for side in ((last - first + 1) * slices.spacing[row]).tolist()]
            size = zip(placement.model_size, model_spacing, strict=True)
            raise SpacingError(
                f"Expected {what} within the synthesizer's field of view of "
                f"{' x '.join(f'{side * step:.0f}' for side, step in size)} mm, got one of "
                f"{' x '.join(extent)} mm; check the sample's spacing of "
                f"{tuple(slices.spacing[row].tolist())} mm."
            )


def _middle_that_shows(placement: Placement, hearts: torch.Tensor) -> torch.Tensor:
    """Return the middles `(N, dims)` nearest to the placement's with which samples show whole hearts."""
    middles = placement.centre.clone()
    model_middle = (torch.tensor(placement.model_size, dtype=torch.float64) - 1) / 2
    last_pixel = torch.tensor(placement.sample_size, dtype=torch.float64) - 1
    for row, one in enumerate(hearts):
        if not bool(one.any()):
            continue
        first, last = (_box(one) - model_middle) * placement.scale[row]
        least, most = -first, last_pixel - last
        nearest = middles[row].maximum(least).minimum(most)
        middles[row] = torch.where(least <= most, nearest, (least + most) / 2)
    return middles
