"""A synthesizer whose painter sees the ultrasound sector as a class and whose shape model does not."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, in_sectors, sector_synthesizer, tiny_synthesizer

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import IntensityError, LabelError
from monai_cardiacgen.inferers import CardiacSynthesizer, SectorProposal
from monai_cardiacgen.inferers.heart_share import heart_share
from monai_cardiacgen.seeding import row_generators, seeded
from monai_cardiacgen.transforms import RandCardiacSynth


@pytest.fixture(scope="module")
def synthesizer() -> CardiacSynthesizer:
    return sector_synthesizer()


@pytest.fixture
def real():
    """Images that are black outside their sectors, and label maps with the sector."""
    images, labels = hearts(3, seed=5)
    sectors, label = in_sectors(labels[:, 0])
    return (images.clamp_min(0.02) * sectors[:, None]), label


def test_a_drawn_heart_lies_in_one_of_the_training_sectors(synthesizer):
    cases = synthesizer.sample(6, seeded(0))
    drawn = synthesizer.sampler.sample(6, row_generators(seeded(0), 6))
    heart = cases.label.masked_fill(cases.label == 4, 0)
    assert torch.equal(heart, drawn.label)
    known = synthesizer.sectors.sectors.unique(dim=0)
    for one in cases.label:
        assert any(torch.equal(one == 4, sector & (one < 4) & (one == 0) | (one == 4)) for sector in known)
        assert any(torch.equal((one == 4) | (one > 0) & sector, sector) for sector in known)


@pytest.mark.parametrize("mode", ["sample", "vary", "restyle"])
def test_a_row_does_not_depend_on_its_batch(synthesizer, real, mode):
    def made(rows: slice):
        image, label = real[0][rows], real[1][rows]
        generators = row_generators(seeded(3), 3)[rows]
        if mode == "sample":
            return synthesizer.sample(len(label), generators)
        if mode == "vary":
            return synthesizer.vary(image, label, 0.5, generators)
        return synthesizer.restyle(image, label, generators)

    whole, alone = made(slice(None)), made(slice(1, 2))
    assert torch.equal(whole.label[1:2], alone.label)
    torch.testing.assert_close(whole.image[1:2], alone.image, rtol=0, atol=1e-5)


def test_vary_moves_the_heart_in_its_sector_and_repaints_no_more(synthesizer, real):
    image, label = real
    cases = synthesizer.vary(image, label, 0.8, seeded(4))
    heart, moved = (one.masked_fill(one == 4, 0) for one in (label, cases.label))
    assert not torch.equal(heart, moved)
    untouched = heart_share(heart, moved, synthesizer.FEATHER) == 0
    assert float(untouched[(label == 4)[:, None]].float().mean()) > 0.1  # 0, were the sector a heart
    assert torch.equal(cases.image[untouched], image[untouched])
    # The sector is what it was, but for the hearts in it.
    sectors, _ = in_sectors(hearts(3, seed=5)[1][:, 0])
    assert torch.equal((cases.label == 4), sectors & (moved == 0))


def test_restyle_and_synthesize_take_the_sector_with_the_label(synthesizer, real):
    image, label = real
    assert torch.equal(synthesizer.restyle(image, label, seeded(0)).label, label)
    style = synthesizer.encode_style(image)
    heart_alone = label.masked_fill(label == 4, 0)
    painted = [synthesizer.synthesize(one, style, seeded(0)) for one in (label, heart_alone)]
    assert not torch.allclose(*painted)


def test_optimized_it_makes_the_same_cases_from_known_patches(synthesizer):
    plain = synthesizer.sample(3, seeded(4))
    painter = synthesizer.optimize(torch.float32).painter
    before = [len(level.tables) for level in painter._levels]
    sectors = synthesizer.sectors.around(
        synthesizer.sampler.decode(
            synthesizer.sampler.latents, synthesizer.sampler.offsets, synthesizer.sampler.conditions
        ),
        seeded(0),
    )
    painter.learn(synthesizer.scheme.to_channels(sectors))
    assert [len(level.tables) for level in painter._levels] == before
    fast = synthesizer.sample(3, seeded(4))
    synthesizer.painter = None
    assert torch.equal(fast.label, plain.label)
    torch.testing.assert_close(fast.image, plain.image, rtol=0, atol=1e-5)


@pytest.mark.parametrize("condition_size", [0, 2])
def test_bundle_round_trip(tmp_path, condition_size):
    written = sector_synthesizer(condition_size)
    read = CardiacSynthesizer.from_bundle(written.to_bundle(tmp_path / "bundle"))
    assert (read.scheme, read.sampler.scheme) == (written.scheme, written.sampler.scheme)
    assert read.sectors.outside == written.sectors.outside
    assert torch.equal(read.sectors.sectors, written.sectors.sectors)
    first, second = written.sample(2, seeded(7)), read.sample(2, seeded(7))
    assert torch.equal(first.label, second.label)
    torch.testing.assert_close(first.image, second.image, rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["new", "vary", "restyle"])
def test_the_transform_takes_it(synthesizer, real, mode):
    image, label = real
    transform = RandCardiacSynth(synthesizer, prob=1, mode=mode, spacing=(2.0, 2.0), intensity_range=(0, 1))
    made, new = transform.set_random_state(0)(image[0], label[:1])
    assert made.shape == (1, 32, 32)
    assert not torch.equal(made, image[0])
    assert set(new.unique().tolist()) == {0, 1, 2, 3, 4}


def test_schemes_that_do_not_fit_are_refused():
    plain, sectors = tiny_synthesizer(), SectorProposal(torch.ones(1, 32, 32, dtype=torch.bool))
    rest = (plain.sampler, plain.generator, plain.style_encoder, plain.styles)
    with pytest.raises(LabelError, match="with sectors"):
        CardiacSynthesizer(ACDC, plain.spacing, *rest, sectors=sectors)
    with pytest.raises(LabelError, match="without sectors"):
        CardiacSynthesizer(sectors.scheme, plain.spacing, *rest)


def test_an_image_without_contrast_is_refused(synthesizer, real):
    image, label = real
    with pytest.raises(IntensityError, match="constant"):
        synthesizer.vary(torch.zeros_like(image), label, 0.5, seeded(0))
