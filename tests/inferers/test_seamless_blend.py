"""Poisson blending against a solver written pixel by pixel, and against what it promises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers.seamless_blend import seamless_blend


def pixel_by_pixel(image: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Least squares on the gradients that have an end inside: one equation for each pair of neighbours."""
    unknown = {place: number for number, place in enumerate(zip(*np.nonzero(mask), strict=True))}
    rows, values = [], []
    for place in itertools.product(*map(range, mask.shape)):
        for axis in range(mask.ndim):
            other = tuple(at + (number == axis) for number, at in enumerate(place))
            if other[axis] == mask.shape[axis] or not (mask[place] or mask[other]):
                continue
            row, value = np.zeros(len(unknown)), source[other] - source[place]
            for sign, end in ((1, other), (-1, place)):
                if mask[end]:
                    row[unknown[end]] += sign
                else:
                    value -= sign * image[end]
            rows.append(row)
            values.append(value)
    result = image.copy()
    solved = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    for place, number in unknown.items():
        result[place] = solved[number]
    return result


@pytest.mark.parametrize("shape", [(9, 11), (5, 6, 7)])
def test_it_is_the_least_squares_solution_of_the_gradients(shape):
    draws = torch.Generator().manual_seed(0)
    image = torch.rand(2, *shape, generator=draws, dtype=torch.float64)
    sources = torch.rand(3, 2, *shape, generator=draws, dtype=torch.float64)
    mask = torch.rand(shape, generator=draws) < 0.5  # reaches the border, has holes and parts
    blended = seamless_blend(image, sources, mask)
    for start, channel in itertools.product(range(3), range(2)):
        expected = pixel_by_pixel(image[channel].numpy(), sources[start, channel].numpy(), mask.numpy())
        np.testing.assert_allclose(blended[start, channel].numpy(), expected, atol=1e-10)
    assert torch.equal(blended[..., ~mask], image[:, ~mask].expand(3, -1, -1))


def test_a_brighter_source_leaves_no_step_at_the_seam():
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 40), torch.linspace(0, 1, 40), indexing="ij")
    image = (0.5 + 0.2 * torch.sin(3 * rows + 2 * columns))[None]
    mask = torch.zeros(40, 40, dtype=torch.bool)
    mask[10:30, 12:28] = True
    vessel = 0.2 * torch.exp(-((rows - 0.5) ** 2 + (columns - 0.5) ** 2) / 0.005)
    source = image + vessel + 0.3 + 0.2 * rows
    blended = seamless_blend(image, source[None], mask)[0]
    pasted = torch.where(mask, source, image)
    at_seam = [(one[0, 9, 12:28] - one[0, 10, 12:28]).abs().max() for one in (image, pasted, blended)]
    assert at_seam[1] > 0.25
    assert at_seam[2] < at_seam[0] + 0.03
    gradient = [one[0, 18:22, 20].diff() for one in (source, blended)]
    torch.testing.assert_close(gradient[0], gradient[1], atol=0.006, rtol=0)


def test_bad_input_is_refused():
    image, mask = torch.rand(1, 6, 6), torch.zeros(6, 6, dtype=torch.bool)
    with pytest.raises(InputError, match="bool mask"):
        seamless_blend(image, image[None], mask)
    with pytest.raises(InputError, match="bool mask"):
        seamless_blend(image, image[None], ~mask)
    with pytest.raises(InputError, match="bool mask"):
        seamless_blend(image, image[None], mask.float())
    with pytest.raises(ShapeError, match="sources"):
        seamless_blend(image, image, mask)
