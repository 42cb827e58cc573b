"""From a sample's pixel grid to the model's and back, along the axes, exactly where the spacings agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Placement:
    """Where the model's grid lies on each sample.

    Along each axis, the model's pixel $u$ lies at the sample's pixel $x = c + (u - (n - 1) / 2) s$, with $n$
    the model's size, $s$ the model's pixel in pixels of the sample, and $c$ the place of the model's middle.

    Attributes:
        sample_size: pixels of the samples.
        model_size: pixels of the model's grid.
        scale: $s$ of each row and axis, `(B, dims)` float64.
        centre: $c$ of each row and axis, `(B, dims)` float64.
    """

    sample_size: tuple[int, ...]
    model_size: tuple[int, ...]
    scale: torch.Tensor
    centre: torch.Tensor

    def to_model(self, tensor: torch.Tensor, *, extend: bool) -> torch.Tensor:
        """Return `(B, C, *sample_size)` on the model's grid, linearly; see `_resample` for `extend`."""
        for axis, size in enumerate(self.model_size):
            pixels = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
            at = self.centre[:, axis, None] + pixels * self.scale[:, axis, None]
            tensor = _resample(tensor, axis + 2, at, extend)
        return tensor

    def to_sample(self, tensor: torch.Tensor, *, extend: bool) -> torch.Tensor:
        """Return `(B, C, *model_size)` on the samples' grid, linearly; see `_resample` for `extend`."""
        for axis, size in enumerate(self.sample_size):
            pixels = torch.arange(size, dtype=torch.float64)
            middle = (self.model_size[axis] - 1) / 2
            at = middle + (pixels - self.centre[:, axis, None]) / self.scale[:, axis, None]
            tensor = _resample(tensor, axis + 2, at, extend)
        return tensor

    @property
    def moves_whole_pixels(self) -> bool:
        """Whether nothing is interpolated on either way."""
        start = self.centre - (torch.tensor(self.model_size, dtype=torch.float64) - 1) / 2
        return bool((self.scale == 1).all()) and torch.equal(start, start.round())

    def of_rows(self, rows: Sequence[int]) -> Placement:
        """Return the placement of these rows alone."""
        at = list(rows)
        return Placement(self.sample_size, self.model_size, self.scale[at], self.centre[at])


def place(
    sample_size: Sequence[int],
    sample_spacing: torch.Tensor,
    model_size: Sequence[int],
    model_spacing: Sequence[float],
    about: torch.Tensor | None = None,
) -> Placement:
    """Return the placement with the model's middle near `about` and least of its grid outside the sample.

    Spacings count as equal where no pixel that both grids show is off by more than half a pixel; then whole
    pixels are moved and none is interpolated.

    Args:
        sample_size: pixels of the samples.
        sample_spacing: mm, `(B, dims)` float64.
        model_size: pixels of the model's grid.
        model_spacing: mm.
        about: the sample's pixel that should be in the model's middle, `(B, dims)`; the middle by default.
    """
    sample, model = (torch.tensor(list(size), dtype=torch.float64) for size in (sample_size, model_size))
    scale = torch.tensor(list(model_spacing), dtype=torch.float64) / sample_spacing
    equal = (scale - 1).abs() * torch.minimum(model, sample) <= 1.0
    scale = torch.where(equal, 1.0, scale)
    reach = (model - 1) / 2 * scale  # from the model's middle to its last pixel
    last = sample - 1
    middle = (last / 2).expand_as(scale) if about is None else about.to("cpu", torch.float64)
    centre = middle.maximum(reach.minimum(last - reach)).minimum(reach.maximum(last - reach))
    first = (centre - (model - 1) / 2 + 0.5).floor()
    centre = torch.where(equal, first + (model - 1) / 2, centre)
    return Placement(tuple(sample_size), tuple(model_size), scale, centre)


def one_hot_to_model(placement: Placement, one_hot: torch.Tensor) -> torch.Tensor:
    """Return the channel of most weight `(B, *model_size)`; outside of the sample it is 0, the background."""
    return _largest_channel(placement.to_model(one_hot, extend=False))


def one_hot_to_sample(placement: Placement, one_hot: torch.Tensor) -> torch.Tensor:
    """Return the channel of most weight `(B, *sample_size)`; outside of the model's grid it is 0."""
    return _largest_channel(placement.to_sample(one_hot, extend=False))


def label_to_model(placement: Placement, channels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return channel numbers `(B, *sample_size)` on the model's grid, as `one_hot_to_model` of their one-hot form."""
    if placement.moves_whole_pixels:
        return placement.to_model(channels[:, None], extend=False)[:, 0]
    return one_hot_to_model(placement, _one_hot(channels, classes))


def label_to_sample(placement: Placement, channels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return channel numbers `(B, *model_size)` on the samples' grid, as `one_hot_to_sample` of their one-hot form."""
    if placement.moves_whole_pixels:
        return placement.to_sample(channels[:, None], extend=False)[:, 0]
    return one_hot_to_sample(placement, _one_hot(channels, classes))


def _one_hot(channels: torch.Tensor, classes: int) -> torch.Tensor:
    return F.one_hot(channels, classes).movedim(-1, 1).to(torch.float32)


def _largest_channel(weights: torch.Tensor) -> torch.Tensor:
    """Return `weights.argmax(dim=1)`, which torch computes many times slower across strides on the CPU."""
    largest = weights[:, 0]
    channels = torch.zeros_like(largest, dtype=torch.int64)
    for channel in range(1, weights.shape[1]):
        channels[weights[:, channel] > largest] = channel
        largest = torch.maximum(largest, weights[:, channel])
    return channels


def _resample(tensor: torch.Tensor, axis: int, at: torch.Tensor, extend: bool) -> torch.Tensor:
    """Return linear interpolations of `tensor` `(B, C, ...)` at places `at` `(B, N)` of one axis, in pixels.

    Whole-numbered places give the pixel's value bit for bit. Outside, the border's value is repeated
    (`extend`), or the result is 0.
    """
    size = tensor.shape[axis]
    if torch.equal(at, torch.arange(size, dtype=at.dtype).expand(len(at), size)):
        return tensor
    inner = at.clamp(0, size - 1)
    low = inner.floor()
    weight = inner - low
    view = [1] * tensor.ndim
    view[0], view[axis] = at.shape
    shape = list(tensor.shape)
    shape[axis] = at.shape[1]

    def take(index: torch.Tensor) -> torch.Tensor:
        rows = index.to(torch.int64).to(tensor.device).reshape(view).expand(shape)
        return tensor.gather(axis, rows)

    below, above = take(low), take((low + 1).clamp(max=size - 1))
    result = below + weight.to(tensor.device, tensor.dtype).reshape(view) * (above - below)
    if extend:
        return result
    inside = ((at >= -0.5) & (at <= size - 0.5)).to(tensor.device).reshape(view)
    return result * inside
