from __future__ import annotations

import numpy as np
import pytest
from skimage.data import shepp_logan_phantom
from skimage.transform import iradon, radon, resize

from monai_cardiacgen.phantom.tomography import ParallelBeam

PHANTOM = resize(shepp_logan_phantom(), (96, 96)).astype(np.float32)


def test_a_disc_has_its_chords():
    beam = ParallelBeam((101, 101), (1.0, 1.0), 36)
    x, y = np.mgrid[-50:51, -50:51]
    disc = (np.hypot(x, y) <= 30).astype(np.float32)[..., None]
    integrals = beam.project(disc)[..., 0]
    cells = np.arange(beam.cells) - (beam.cells - 1) / 2
    chords = 2 * np.sqrt(np.clip(30**2 - cells**2, 0, None))
    clear = np.abs(np.abs(cells) - 30) > 3  # the rim is spread over two cells
    np.testing.assert_allclose(integrals.mean(0)[clear], chords[clear], atol=1.0)
    np.testing.assert_allclose(integrals.sum(1), disc.sum(), rtol=1e-5)  # every view sees all of it


def test_it_reconstructs_as_scikit_image_does():
    beam = ParallelBeam((96, 96), (2.0, 2.0), 180)
    ours = beam.reconstruct(beam.project(PHANTOM[..., None]))[..., 0]
    angles = np.linspace(0, 180, 180, endpoint=False)
    theirs = iradon(radon(PHANTOM, angles, circle=False), angles, circle=False, output_size=96)
    error = [np.sqrt(np.mean((image - PHANTOM) ** 2)) for image in (ours, theirs)]
    assert error[0] < 1.1 * error[1]
    assert ours[40:56, 40:56].mean() == pytest.approx(PHANTOM[40:56, 40:56].mean(), rel=0.03)


def test_pixels_may_be_oblong():
    beam = ParallelBeam((96, 48), (1.0, 2.0), 120)
    box = np.zeros((96, 48, 1), np.float32)
    box[30:66, 15:33] = 0.02
    image = beam.reconstruct(beam.project(box))[..., 0]
    assert image[40:56, 20:28].mean() == pytest.approx(0.02, rel=0.03)


def test_a_softer_filter_has_less_noise():
    beam = ParallelBeam((64, 64), (2.0, 2.0), 90)
    white = np.random.default_rng(0).standard_normal((90, beam.cells, 2)).astype(np.float32)
    sharp, soft = (beam.reconstruct(white, sharpness) for sharpness in (1.0, 0.6))
    assert soft.std() < 0.6 * sharp.std()


def test_noise_of_filtered_back_projection_is_blue():
    beam = ParallelBeam((64, 64), (1.0, 1.0), 120)
    white = np.random.default_rng(1).standard_normal((120, beam.cells, 12)).astype(np.float32)
    noise = beam.reconstruct(white)
    power = (np.abs(np.fft.fft2(noise, axes=(0, 1))) ** 2).mean(2)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64), indexing="ij"))
    low, middle = (power[(frequency > a) & (frequency < b)].mean() for a, b in ((0.01, 0.08), (0.15, 0.3)))
    assert middle > 2 * low
