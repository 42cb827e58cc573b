"""Gain and offset in closed form."""

from __future__ import annotations

import numpy as np
import torch

from monai_cardiacgen.inferers.contrast_matching import match_contrast


def test_it_is_numpys_weighted_line():
    generator = torch.Generator().manual_seed(0)
    generated, image = (torch.rand(*shape, generator=generator) for shape in ((3, 2, 5, 6), (2, 5, 6)))
    image = 0.7 * image + 0.3 * generated[0]
    weights = torch.rand(5, 6, generator=generator)
    matched = match_contrast(generated, image, weights)
    each = np.sqrt(weights.expand(2, 5, 6).numpy()).ravel()
    for one, told in zip(generated, matched, strict=True):
        gain, offset = np.polyfit(one.numpy().ravel(), image.numpy().ravel(), 1, w=each)
        if gain > 0:
            np.testing.assert_allclose(told.numpy(), gain * one.numpy() + offset, atol=1e-5)
        else:
            assert float(told.std()) < 1e-6
    assert np.polyfit(generated[0].numpy().ravel(), image.numpy().ravel(), 1, w=each)[0] > 0


def test_a_reversed_contrast_is_not_turned_round():
    image = torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(1))
    matched = match_contrast(1 - image[None], image, torch.ones(4, 4))
    assert torch.allclose(matched, image.mean().expand_as(matched), atol=1e-6)


def test_pixels_without_weight_are_not_looked_at():
    generator = torch.Generator().manual_seed(2)
    generated, image = torch.rand(2, 1, 4, 4, generator=generator), torch.rand(1, 4, 4, generator=generator)
    weights = torch.ones(4, 4)
    weights[1:3, 1:3] = 0
    other = image.clone()
    other[0, 1:3, 1:3] = 9
    assert torch.equal(match_contrast(generated, image, weights), match_contrast(generated, other, weights))


def test_it_is_differentiable_in_the_generated_image():
    generator = torch.Generator().manual_seed(3)
    generated = torch.rand(2, 1, 3, 3, generator=generator, dtype=torch.float64).requires_grad_()
    image = torch.rand(1, 3, 3, generator=generator, dtype=torch.float64)
    weights = torch.rand(3, 3, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda made: match_contrast(made, image, weights), generated)
