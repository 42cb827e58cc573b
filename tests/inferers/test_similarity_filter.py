"""A generator that has memorised is caught, one that has not passes; the measures against scikit-image and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity as skimage_ssim
from torch.nn import functional as F

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import SimilarityFilter
from monai_cardiacgen.inferers.similarity_filter import structural_similarity
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded

SIDE = 32


def patients(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks of a disc and images in which the disc is bright, each with a texture and a background of its own."""
    generator = seeded(seed)
    grid = torch.stack(torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")).float()
    middle = 12 + 8 * torch.rand(count, 2, 1, 1, generator=generator)
    radius = 5 + 4 * torch.rand(count, 1, 1, generator=generator)
    mask = ((grid - middle).square().sum(dim=1) < radius.square())[:, None].float()
    texture = torch.randn(count, 1, 8, 8, generator=generator)
    texture = F.interpolate(texture, (SIDE, SIDE), mode="bicubic").tanh()
    return mask, (0.35 + 0.3 * mask + 0.3 * texture).clamp(0, 1)


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Features: the image at a quarter of its size."""
    return F.avg_pool2d(images, 4).flatten(1)


def trained(mask: torch.Tensor, image: torch.Tensor, steps: int) -> ConditionalUNetGenerator:
    torch.manual_seed(0)
    generator = ConditionalUNetGenerator(2, 1, channels=(16, 32, 32))
    optimizer = torch.optim.Adam(generator.parameters(), lr=4e-3)
    for step in range(steps):
        rows = torch.randint(len(mask), (20,), generator=seeded(step)) if len(mask) > 20 else slice(None)
        optimizer.zero_grad()
        F.l1_loss(generator(mask[rows]), image[rows]).backward()
        optimizer.step()
    return generator


@pytest.fixture(scope="module")
def training():
    return patients(60, 0)


@pytest.fixture(scope="module")
def gate(training):
    return SimilarityFilter(training[1], patients(80, 1)[1], pixels)


def test_a_generator_that_memorised_five_images_is_caught(training, gate):
    mask, image = training[0][:5], training[1][:5]
    generator = trained(mask, image, 250)
    with torch.no_grad():
        copies = generator(mask)  # in training mode, by the statistics of these five
    assert float((copies - image).abs().mean()) < 0.06  # it has memorised
    assert int(gate(copies).sum()) == 0
    assert gate.nearest(copies).by_ssim.tolist() == gate.nearest(copies).by_correlation.tolist() == [0, 1, 2, 3, 4]


def test_a_generator_that_learned_what_patients_have_in_common_passes():
    mask, image = patients(300, 6)
    gate = SimilarityFilter(image, patients(150, 1)[1], pixels)
    generator = trained(mask, image, 60)
    with torch.no_grad():
        generated = generator(patients(60, 2)[0])
    assert float(gate(generated).float().mean()) > 0.8


def test_images_without_texture_pass_though_their_features_are_more_like_the_training_images(gate):
    mask, real = patients(60, 2)
    smooth = 0.35 + 0.3 * mask
    assert float(gate.nearest(smooth).correlation.median()) > float(gate.nearest(real).correlation.median()) + 0.05
    assert float(gate(smooth).float().mean()) > 0.8


def test_of_new_real_images_about_the_wanted_share_is_refused(gate):
    refused = 1 - float(gate(patients(300, 3)[1]).float().mean())
    # 5 % by thresholds from 80 images; four standard errors of both samples
    assert refused < 0.05 + 4 * (0.05 * 0.95 * (1 / 80 + 1 / 300)) ** 0.5


def test_training_images_themselves_are_refused(training, gate):
    near = gate.nearest(training[1][:7])
    assert not gate(training[1][:7]).any()
    torch.testing.assert_close(near.ssim, torch.ones(7, dtype=torch.float64), atol=1e-5, rtol=0)
    torch.testing.assert_close(near.correlation, torch.ones(7, dtype=torch.float64))


def test_slices_of_one_patient_do_not_vouch_for_each_other(training):
    # Each held-out patient has three all but equal slices.
    held_out = patients(40, 1)[1].repeat_interleave(3, dim=0)
    held_out = (held_out + 0.01 * torch.randn(held_out.shape, generator=seeded(9))).clamp(0, 1)
    names = [f"p{number // 3}" for number in range(120)]
    blind, told = (SimilarityFilter(training[1], held_out, pixels, patients=given) for given in (None, names))
    new = patients(200, 3)[1]
    assert float(blind(new).float().mean()) < 0.1  # its limit is what a patient's slices have in common
    assert float(told(new).float().mean()) > 0.85
    with pytest.raises(InputError, match="one patient for each"):
        SimilarityFilter(training[1], held_out, pixels, patients=names[1:])
    with pytest.raises(InputError, match="at least two in all"):
        SimilarityFilter(training[1], held_out, pixels, patients=["p0"] * 120)


def test_structural_similarity_is_scikit_images(training):
    image, others = patients(1, 4)[1][0], training[1][:20]
    expected = [
        skimage_ssim(
            image[0].numpy(), one[0].numpy(), data_range=1, gaussian_weights=True, sigma=1.5, win_size=11,
            use_sample_covariance=False, full=True,
        )[1][5:-5, 5:-5].mean()  # MONAI leaves out windows that reach beyond the border
        for one in others
    ]  # fmt: skip
    np.testing.assert_allclose(structural_similarity(image, others).numpy(), expected, atol=1e-4)


def test_correlation_is_numpys(training, gate):
    image = patients(1, 4)[1]
    near = gate.nearest(image)
    known, given = pixels(training[1]).double().numpy(), pixels(image).double().numpy()
    mean, deviation = known.mean(axis=0), known.std(axis=0, ddof=1)
    correlation = [np.corrcoef(((given - mean) / deviation)[0], (one - mean) / deviation)[0, 1] for one in known]
    assert float(near.correlation) == pytest.approx(max(correlation))
    assert int(near.by_correlation) == int(np.argmax(correlation))


def test_wrong_input_is_refused(training, gate):
    held_out = patients(40, 1)[1]
    with pytest.raises(InputError, match="at least 40 held-out"):
        SimilarityFilter(training[1], held_out[:39], pixels)
    with pytest.raises(InputError, match="refused in"):
        SimilarityFilter(training[1], held_out, pixels, refused=0)
    with pytest.raises(InputError, match="at least two training images"):
        SimilarityFilter(training[1][:1], held_out, pixels)
    with pytest.raises(ShapeError, match=r"held-out images .* like the training images"):
        SimilarityFilter(training[1], held_out[..., :16], pixels)
    with pytest.raises(ShapeError, match="like the training images"):
        gate(torch.rand(2, 1, 16, 16))
    with pytest.raises(IntensityError, match="NaN"):
        gate(torch.full((1, 1, SIDE, SIDE), torch.nan))


def test_volumes_too():
    volumes = torch.rand(40, 1, 8, 9, 10, generator=seeded(0))
    gate = SimilarityFilter(volumes[:20], volumes[20:], lambda given: F.avg_pool3d(given, 4).flatten(1), refused=0.1)
    assert gate(volumes[:6]).tolist() == [False] * 6
    assert int(gate(torch.rand(9, 1, 8, 9, 10, generator=seeded(1))).sum()) >= 6
