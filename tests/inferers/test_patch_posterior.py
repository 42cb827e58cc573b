"""Which patches are accepted, compared with NumPy's correlations one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers import PatchPosterior, box_mask
from monai_cardiacgen.seeding import seeded

MASK = box_mask((16, 16), 5)


def smooth(number: int) -> torch.Tensor:
    """Patches `(N, 1, 16, 16)` in which neighbours are alike."""
    noise = torch.rand(number, 1, 24, 24, generator=seeded(0))
    return torch.nn.functional.avg_pool2d(noise, 9, stride=1)


def explained(one: np.ndarray, other: np.ndarray, about_mean: bool) -> float:
    if about_mean:
        return max(0.0, float(np.corrcoef(one, other)[0, 1])) ** 2
    return max(0.0, float(one @ other)) ** 2 / float((one @ one) * (other @ other))


def distance(patch: np.ndarray, image: np.ndarray, known: np.ndarray) -> float:
    """The distance of an unmoved patch, from pixels of half the resolution, pair by pair."""
    patch, image = (one.reshape(8, 2, 8, 2).mean((1, 3)) for one in (patch, image))
    known = known.reshape(8, 2, 8, 2).all((1, 3))
    steps = [((r, c), (r + d, c + 1 - d)) for r in range(8) for c in range(8) for d in (0, 1)]
    pairs = [(a, b) for a, b in steps if max(b) < 8 and known[a] and known[b]]
    slopes = [np.array([one[b] - one[a] for a, b in pairs]) for one in (patch, image)]
    return 2 - explained(patch[known], image[known], True) - explained(*slopes, False)


def test_distances_are_those_of_the_formula():
    image = smooth(7)[-1]
    patches = smooth(6) + image * torch.linspace(-0.5, 2, 6)[:, None, None, None]  # opposite ones and like ones
    found = PatchPosterior(patches, accepted=6, reach=0)(image, MASK)
    expected = [distance(one[0].numpy(), image[0].numpy(), ~MASK.numpy()) for one in patches]
    np.testing.assert_allclose(found.distances, np.sort(expected), atol=1e-4)
    np.testing.assert_allclose([expected[number] for number in found.numbers], np.sort(expected), atol=1e-4)
    assert expected[-1] < 1 < expected[0]
    assert not found.shifts.any()


def test_a_moved_dull_patch_is_found_and_moved_back():
    patches = smooth(9)
    image = 0.3 + 0.4 * torch.roll(patches[4], (2, -4), (1, 2))
    found = PatchPosterior(patches, accepted=3, reach=4)(image, MASK)
    assert (found.numbers[0], found.shifts[0].tolist()) == (4, [2, -4])
    torch.testing.assert_close(found.images[0, :, MASK], image[:, MASK], atol=1e-4, rtol=0)
    # Where the moved patch does not reach, the image's known pixels stand.
    torch.testing.assert_close(found.images[0, :, :2], image[:, :2])
    assert found.distances[0] < 1e-3 < found.distances[1]


def test_hidden_pixels_are_not_looked_at():
    posterior, image = PatchPosterior(smooth(9), accepted=4, reach=2), smooth(10)[-1]
    found, other = posterior(image, MASK), posterior(image.masked_fill(MASK, 0.9), MASK)
    for name in ("images", "distances", "numbers", "shifts"):
        assert torch.equal(getattr(found, name), getattr(other, name))


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match="even sides"):
        PatchPosterior(torch.rand(4, 1, 15, 16))
    for settings in ({"reach": 3}, {"reach": -2}, {"accepted": 5}, {"accepted": 0}):
        with pytest.raises(InputError, match="1 to 4 accepted"):
            PatchPosterior(torch.rand(4, 1, 16, 16), **{"accepted": 2, **settings})
    posterior = PatchPosterior(smooth(4), accepted=2)
    with pytest.raises(ShapeError, match="image"):
        posterior(torch.rand(1, 8, 16), MASK)
    with pytest.raises(InputError, match="leaves pixels known"):
        posterior(torch.rand(1, 16, 16), torch.ones(16, 16, dtype=torch.bool))
