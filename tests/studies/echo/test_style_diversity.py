"""Two styles of one label differ as two patients do, in histogram and in texture; one style keeps them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_hearts import SIDE, hearts, tiny_gan, tiny_synthesizer, tiny_vae
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines import SPADEGANTrainer
from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler
from monai_cardiacgen.networks.blocks.spade import SpatiallyAdaptiveNorm
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.echo.style_diversity import BANDS, Look, log_spectrum, measure_style_diversity


def look(image, label):
    return Look(image[0, 0], label[0, 0], ACDC.codes)


def test_brightness_alone_is_histogram_and_no_texture():
    image, label = hearts(1)
    histogram, texture = look(image, label).distances(look(0.5 * image + 0.3, label))
    assert histogram > 0.1
    assert texture < 1e-4


def test_grain_alone_is_texture_and_no_histogram():
    _, label = hearts(1)
    tissue = torch.tensor([0.3, 0.5, 0.1, 0.5])[label]
    shaded = tissue + 0.5 * torch.arange(SIDE).view(1, 1, 1, SIDE) / SIDE  # smooth within each structure
    grainy = shaded.clone()
    for code in ACDC.codes:
        values = shaded[label == code]
        grainy[label == code] = values[torch.randperm(len(values), generator=seeded(0))]
    histogram, texture = look(shaded, label).distances(look(grainy, label))
    assert histogram == pytest.approx(0, abs=1e-6)
    assert texture > 0.5


def test_histograms_count_each_structure_once_whatever_its_size():
    image, label = hearts(1)
    brighter = image + 0.2 * (label == 3)
    histogram, _ = look(image, label).distances(look(brighter, label))
    assert histogram == pytest.approx(0.2 / 4, abs=1e-6)  # one of four structures moved by 0.2


@pytest.mark.parametrize("frequency", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("size", [(60, 48), (24, 24, 24)])
def test_a_wave_lies_in_the_band_of_its_frequency(frequency, size):
    wave = np.sin(2 * np.pi * frequency * np.arange(size[0])).reshape(-1, *[1] * (len(size) - 1)) * np.ones(size)
    band = int(log_spectrum(wave).argmax())
    assert BANDS[band] - 0.02 <= frequency <= BANDS[band + 1] + 0.02


def two_patients(scans, seed):
    """Slices of a patient with plain tissue and of a darker, flatter one with stripes, in turn; and label maps."""
    _, label = hearts(2 * scans, seed)
    striped = (torch.arange(2 * scans) % 2 == 1)[:, None, None, None]
    stripes = torch.where(torch.arange(SIDE) // 4 % 2 == 0, 0.15, -0.15)
    plain, dark = torch.tensor([0.5, 0.8, 0.1, 0.9])[label], torch.tensor([0.35, 0.5, 0.25, 0.6])[label]
    image = torch.where(striped, dark + stripes, plain)
    return (image + 0.03 * torch.randn(image.shape, generator=seeded(seed))).clamp(0, 1), label


def synthesizer_of(gan, image, label):
    sampler = LatentSampler.fit(tiny_vae().eval(), ACDC, (2.0, 2.0), label[:, 0], check=None)
    with torch.no_grad():
        styles = gan.style_encoder(image)
    return CardiacSynthesizer(ACDC, (2.0, 2.0), sampler, gan.generator, gan.style_encoder, styles)


@pytest.fixture(scope="module")
def measured():
    """Diversity of a short training's styles, for four pairs of slices that it never saw: a list of four."""
    image, label = two_patients(24, seed=0)
    gan = tiny_gan(divergence=0.0, reconstruction=20.0)
    nn.init.constant_(gan.style_encoder.log_variance.bias, -4.0)  # styles clear from the start: 72 steps must do
    trainer = SPADEGANTrainer(
        device="cpu",
        max_epochs=12,
        train_data_loader=[
            {"image": one, "label": its} for one, its in zip(image.split(8), label.split(8), strict=True)
        ],
        gan=gan,
        generator_optimizer=torch.optim.Adam(gan.painter_parameters(), lr=5e-3, betas=(0.0, 0.999)),
        discriminator_optimizer=torch.optim.Adam(gan.discriminator.parameters(), lr=5e-3, betas=(0.0, 0.999)),
        scheme=ACDC,
        ema_decay=0.95,
    )
    trainer.run()
    synthesizer = synthesizer_of(trainer.average.module.eval(), image, label)
    unseen, its_label = two_patients(4, seed=99)
    pairs = [slice(first, first + 2) for first in range(0, 8, 2)]
    return [measure_style_diversity(synthesizer, unseen[one], its_label[one, 0], seeded(0)) for one in pairs]


@pytest.mark.parametrize("aspect", ["histogram", "texture"])
class TestTrainedStyles:
    def test_two_styles_of_one_label_differ_as_the_patients_do(self, measured, aspect):
        for one in measured:
            assert 0.5 < getattr(one, aspect).diversity.median < 2

    def test_one_style_looks_the_same_on_another_label(self, measured, aspect):
        for one in measured:
            assert getattr(one, aspect).wander.median < 0.5

    def test_a_style_looks_like_its_own_patient(self, measured, aspect):
        for one in measured:
            assert getattr(one, aspect).miss.median < 0.75  # 1: no nearer than the other patient


def test_an_even_style_that_enters_only_at_the_start_is_wiped_out():
    # Even: the same at every place. One that differs from place to place survives the norm as a pattern.
    gan = tiny_gan().eval()
    _, label = hearts(2)
    generator = gan.generator
    cells = torch.Size(generator.start_size).numel()
    for parameter in (generator.start.weight, generator.start.bias):  # the same at every place
        even = parameter.detach().unflatten(0, (-1, cells)).mean(dim=1, keepdim=True)
        parameter.data = even.expand(-1, cells, *parameter.shape[1:]).flatten(0, 1).clone()
    styles = 3 * torch.randn(2, generator.style_size, generator=seeded(0))
    one_label = ACDC.one_hot(label[:1, 0]).repeat(2, 1, 1, 1)

    def change():
        with torch.no_grad():
            first, second = generator(one_label, styles)
        return float((first - second).abs().mean())

    at_every_level = change()
    for module in generator.modules():
        if isinstance(module, SpatiallyAdaptiveNorm):
            nn.init.zeros_(module.style.weight)
            nn.init.zeros_(module.style.bias)
    assert change() < 1e-3
    assert at_every_level > 0.02


def test_pairs_and_table():
    image, label = hearts(3)
    one = measure_style_diversity(tiny_synthesizer(), image, label[:, 0], seeded(0))
    for distances in (one.histogram, one.texture):
        for values in (distances.two_patients, distances.two_styles, distances.one_style, distances.to_patient):
            assert values.shape == (3,)  # pairs of three patients
            assert (values >= 0).all()
    lines = one.table().splitlines()
    assert len(lines) == 3
    assert lines[1].split()[1] == f"{np.median(one.histogram.two_patients):.2f}"


def test_two_patients_are_needed():
    image, label = hearts(1)
    with pytest.raises(InputError, match="at least two patients"):
        measure_style_diversity(tiny_synthesizer(), image, label[:, 0], seeded(0))


def test_images_and_label_maps_belong_together():
    image, label = hearts(3)
    with pytest.raises(ShapeError, match="for each image"):
        measure_style_diversity(tiny_synthesizer(), image, label[:2, 0], seeded(0))
