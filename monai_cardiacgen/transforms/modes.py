"""Three ways to make a sample synthetic: a new heart, this heart deformed, this label in another style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import SpacingError
from ..inferers.resample import Placement, one_hot_to_model, one_hot_to_sample, place
from ..seeding import seeded
from .protocol import Cases, Synthesizer, device_of
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
    """

    image: torch.Tensor
    label: torch.Tensor
    spacing: torch.Tensor
    seeds: tuple[int, ...]
    depth: int

    @property
    def spatial_size(self) -> tuple[int, ...]:
        """Pixels of the samples' grid."""
        return tuple(self.label.shape[1:])

    @property
    def hearts(self) -> torch.Tensor:
        """Which rows show a heart, `(N,)` bool."""
        return self.label.flatten(1).any(dim=1)


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
    needs.

    Raises:
        SpacingError: when the samples show more than the model does.
    """
    _check_field_of_view(synthesizer, slices)
    cases = synthesizer.sample(len(slices.seeds), _generators(slices.seeds))
    channels = synthesizer.scheme.to_channels(cases.label.cpu())
    placement = _place(synthesizer, slices, None)
    placement = _place(synthesizer, slices, _middle_that_shows(placement, channels))
    return _on_samples(synthesizer, placement, cases, slices.image.device)


def make_restyled(synthesizer: Synthesizer, slices: Slices) -> Made:
    """Return the same label maps in another style, one style a seed.

    Raises:
        SpacingError: when the samples show more than the model does.
    """
    _check_field_of_view(synthesizer, slices)
    placement = _place(synthesizer, slices, None)
    image, codes = _on_model(synthesizer, placement, slices)
    model = device_of(synthesizer)
    cases = synthesizer.restyle(image.to(model), codes.to(model), _generators(slices.seeds))
    made = _on_samples(synthesizer, placement, cases, slices.image.device)
    return Made(made.image, slices.label, made.weight)


def make_varied(synthesizer: Synthesizer, slices: Slices, strength: float) -> Made:
    """Return these hearts deformed; only what the model changed is taken over, all else stays the real image.

    Rows without a heart, or with one that vanishes on the model's grid, stay as they are.

    Raises:
        SpacingError: when a heart is larger than the model's field of view.
    """
    made = Made(slices.image.clone(), slices.label.clone(), torch.zeros_like(slices.image))
    placement = _place(synthesizer, slices, _heart_middles(slices))
    _check_hearts_inside(placement, slices, synthesizer.spacing)
    image, codes = _on_model(synthesizer, placement, slices)
    rows = torch.nonzero(codes.flatten(1).any(dim=1))[:, 0].tolist()
    if not rows:
        return made
    image, codes, placement = image[rows], codes[rows], placement.of_rows(rows)
    model, device = device_of(synthesizer), slices.image.device
    seeds = [slices.seeds[row] for row in rows]
    cases = synthesizer.vary(image.to(model), codes.to(model), strength, _generators(seeds))
    new = _on_samples(synthesizer, placement, cases, device)
    moved = (cases.label.to(device) != codes)[:, None]
    changed = moved | ((cases.image.to(device, torch.float32) - image).abs() > _CHANGED)
    made.image[rows], made.label[rows] = new.image, new.label
    made.weight[rows] = placement.to_sample(changed.to(torch.float32), extend=False)
    return made


def _generators(seeds: Sequence[int]) -> list[torch.Generator]:
    return [seeded(seed) for seed in seeds]


def _check_field_of_view(synthesizer: Synthesizer, slices: Slices) -> None:
    check_field_of_view(slices.spatial_size, slices.spacing, synthesizer.spatial_size, synthesizer.spacing)


def _place(synthesizer: Synthesizer, slices: Slices, about: torch.Tensor | None) -> Placement:
    return place(slices.spatial_size, slices.spacing, synthesizer.spatial_size, synthesizer.spacing, about=about)


def _on_model(synthesizer: Synthesizer, placement: Placement, slices: Slices) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and codes on the model's grid."""
    scheme = synthesizer.scheme
    image = placement.to_model(slices.image, extend=True)
    channels = one_hot_to_model(placement, scheme.one_hot(scheme.to_codes(slices.label)))
    return image, scheme.to_codes(channels)


def _on_samples(synthesizer: Synthesizer, placement: Placement, cases: Cases, device: torch.device) -> Made:
    """Return cases of the model's grid on the samples' grid and device, with full weight."""
    image = placement.to_sample(cases.image.to(device, torch.float32), extend=True)
    one_hot = synthesizer.scheme.one_hot(cases.label).to(device)
    return Made(image, one_hot_to_sample(placement, one_hot), torch.ones_like(image))


def _heart_box(label: torch.Tensor) -> torch.Tensor:
    """Return the first and the last pixel with a structure, `(2, dims)` float64, of one map with a heart."""
    where = torch.nonzero(label).to("cpu", torch.float64)
    return torch.stack([where.min(dim=0).values, where.max(dim=0).values])


def _heart_middles(slices: Slices) -> torch.Tensor:
    """Return the centroid of each stack's heart, `(N, dims)` float64; the image's middle without one."""
    middles = []
    for stack in slices.label.split(slices.depth):
        where = torch.nonzero(stack)[:, 1:].to("cpu", torch.float64)
        middle = (torch.tensor(slices.spatial_size, dtype=torch.float64) - 1) / 2
        middles += [where.mean(dim=0) if len(where) else middle] * slices.depth
    return torch.stack(middles)


def _check_hearts_inside(placement: Placement, slices: Slices, model_spacing: Sequence[float]) -> None:
    """Raise `SpacingError` when a heart reaches out of the model's grid."""
    half = torch.tensor(placement.model_size, dtype=torch.float64) / 2 * placement.scale
    for row in torch.nonzero(slices.hearts)[:, 0].tolist():
        first, last = _heart_box(slices.label[row])
        start, end = placement.centre[row] - half[row], placement.centre[row] + half[row]
        if bool((first < start).any()) or bool((last > end).any()):
            extent = [f"{side:.0f}" for side in ((last - first + 1) * slices.spacing[row]).tolist()]
            size = zip(placement.model_size, model_spacing, strict=True)
            raise SpacingError(
                f"Expected a heart within the synthesizer's field of view of "
                f"{' x '.join(f'{side * step:.0f}' for side, step in size)} mm, got one of "
                f"{' x '.join(extent)} mm; check the sample's spacing of "
                f"{tuple(slices.spacing[row].tolist())} mm."
            )


def _middle_that_shows(placement: Placement, label: torch.Tensor) -> torch.Tensor:
    """Return the middles `(N, dims)` nearest to the placement's with which samples show whole hearts."""
    middles = placement.centre.clone()
    model_middle = (torch.tensor(placement.model_size, dtype=torch.float64) - 1) / 2
    last_pixel = torch.tensor(placement.sample_size, dtype=torch.float64) - 1
    for row, one in enumerate(label):
        if not bool(one.any()):
            continue
        first, last = (_heart_box(one) - model_middle) * placement.scale[row]
        least, most = -first, last_pixel - last
        nearest = middles[row].maximum(least).minimum(most)
        middles[row] = torch.where(least <= most, nearest, (least + most) / 2)
    return middles
