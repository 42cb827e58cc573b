"""The synthesizer's contract, on tiny networks."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from small_hearts import VIEWS, conditional_synthesizer, hearts, tiny_synthesizer

from monai_cardiacgen.errors import InputError, IntensityError, LabelError, ShapeError
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.heart_share import heart_share
from monai_cardiacgen.seeding import row_generators, seeded


@pytest.fixture(scope="module")
def synthesizer() -> CardiacSynthesizer:
    return tiny_synthesizer()


@pytest.fixture
def real():
    image, label = hearts(3, seed=5)
    return image, label[:, 0]


def test_samples_are_images_in_range_with_labels_in_codes(synthesizer):
    cases = synthesizer.sample(4, seeded(0))
    assert cases.image.shape == (4, 1, 32, 32)
    assert cases.image.dtype == torch.float32
    assert 0 <= float(cases.image.min()) <= float(cases.image.max()) <= 1
    assert cases.label.shape == (4, 32, 32)
    assert set(cases.label.unique().tolist()) <= {0, 1, 2, 3}
    assert bool((cases.label > 0).flatten(1).any(dim=1).all())
    assert not cases.image.requires_grad


def test_a_seed_repeats_and_another_differs(synthesizer):
    first, again, other = (synthesizer.sample(2, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.label, again.label)
    assert not torch.equal(first.image, other.image)


@pytest.mark.parametrize("mode", ["sample", "vary", "restyle"])
def test_a_row_does_not_depend_on_its_batch(synthesizer, real, mode):
    def made(rows: slice, generators):
        image, label = real[0][rows], real[1][rows]
        if mode == "sample":
            return synthesizer.sample(len(label), generators)
        if mode == "vary":
            return synthesizer.vary(image, label, 0.5, generators)
        return synthesizer.restyle(image, label, generators)

    whole = made(slice(None), row_generators(seeded(3), 3))
    alone = made(slice(1, 2), row_generators(seeded(3), 3)[1:2])
    assert torch.equal(whole.label[1:2], alone.label)
    torch.testing.assert_close(whole.image[1:2], alone.image, rtol=0, atol=1e-5)


def test_vary_keeps_the_surroundings_bit_for_bit(synthesizer, real):
    image, label = real
    cases = synthesizer.vary(image, label, 0.8, seeded(4))
    untouched = heart_share(label, cases.label, synthesizer.FEATHER) == 0
    assert 0.1 < float(untouched.float().mean()) < 0.95
    assert torch.equal(cases.image[untouched], image[untouched])
    inside = (cases.label > 0)[:, None]
    assert not torch.allclose(cases.image[inside], image[inside])


def test_restyle_keeps_the_label_and_changes_the_image(synthesizer, real):
    image, label = real
    cases = synthesizer.restyle(image, label, seeded(4))
    assert torch.equal(cases.label, label)
    again = synthesizer.restyle(image, label, seeded(5))
    assert not torch.allclose(cases.image, again.image)


def test_given_styles_are_used(synthesizer, real):
    image, label = real
    style = synthesizer.encode_style(image)
    painted = synthesizer.synthesize(label, style, seeded(6))
    assert painted.shape == image.shape
    assert not torch.allclose(painted, synthesizer.synthesize(label, style.flip(0), seeded(6)))


def test_drawn_styles_lie_between_training_styles(synthesizer):
    drawn = synthesizer.draw_styles(seeded(0), n=50)
    assert drawn.shape == (50, 6)
    assert bool((drawn <= synthesizer.styles.amax(dim=0) + 1e-6).all())
    assert bool((drawn >= synthesizer.styles.amin(dim=0) - 1e-6).all())
    assert len(drawn.unique(dim=0)) >= 45  # now and then both ends are the same training style


def test_bundle_round_trip(synthesizer, tmp_path):
    folder = synthesizer.to_bundle(tmp_path / "bundle")
    read = CardiacSynthesizer.from_bundle(folder)
    first, second = synthesizer.sample(2, seeded(7)), read.sample(2, seeded(7))
    assert torch.equal(first.label, second.label)
    torch.testing.assert_close(first.image, second.image, rtol=0, atol=1e-6)
    assert (read.scheme, read.spacing, read.view) == (synthesizer.scheme, synthesizer.spacing, synthesizer.view)
    assert read.provenance == synthesizer.provenance


def test_pickles_and_copies_and_stays_frozen_in_evaluation_mode(synthesizer):
    holder = torch.nn.Module()
    holder.synthesizer = copy.deepcopy(pickle.loads(pickle.dumps(synthesizer)))
    holder.train()
    assert not any(module.training for module in holder.synthesizer.modules())
    assert not any(parameter.requires_grad for parameter in holder.parameters())
    assert torch.equal(holder.synthesizer.sample(1, seeded(1)).image, synthesizer.sample(1, seeded(1)).image)


def test_wrong_input_is_refused(synthesizer, real):
    image, label = real
    with pytest.raises(ShapeError, match="same size"):
        synthesizer.vary(image, label[:, :16], 0.5, seeded(0))
    with pytest.raises(ShapeError, match="channels"):
        synthesizer.vary(image.expand(-1, 2, -1, -1), label, 0.5, seeded(0))
    with pytest.raises(LabelError, match="got also"):
        synthesizer.restyle(image, label + 7, seeded(0))
    with pytest.raises(LabelError, match="Expected a heart"):
        synthesizer.vary(image, torch.zeros_like(label), 0.5, seeded(0))
    with pytest.raises(InputError, match="strength"):
        synthesizer.vary(image, label, 0.0, seeded(0))
    with pytest.raises(InputError, match="one generator for each"):
        synthesizer.sample(3, [seeded(0)])
    with pytest.raises(IntensityError, match="finite"):
        synthesizer.encode_style(image * float("nan"))


def test_styles_of_new_hearts_come_from_hearts_like_them(synthesizer):
    hearts_drawn = synthesizer.sampler.sample(8, seeded(2))
    alike = synthesizer.sampler.nearest_training_hearts(hearts_drawn, 3)
    scale = torch.cat((synthesizer.sampler.latents, synthesizer.sampler.offsets.float()), dim=1).std(dim=0)
    for row in range(8):
        here = torch.cat((hearts_drawn.latent[row], hearts_drawn.offset[row].float()))
        known = torch.cat((synthesizer.sampler.latents, synthesizer.sampler.offsets.float()), dim=1)
        distances = ((known - here) / scale).square().sum(dim=1)
        assert alike[row].tolist() == distances.argsort()[:3].tolist()


def test_styles_without_their_hearts_are_refused(synthesizer):
    with pytest.raises(InputError, match="one for each heart"):
        CardiacSynthesizer(
            synthesizer.scheme,
            synthesizer.spacing,
            synthesizer.sampler,
            synthesizer.generator,
            synthesizer.style_encoder,
            synthesizer.styles[:3],
        )


@pytest.fixture(scope="module")
def conditional() -> CardiacSynthesizer:
    return conditional_synthesizer()


def told_in(synthesizer, monkeypatch) -> list[torch.Tensor]:
    """What the painter is told from now on."""
    told, paint = [], synthesizer.generator.forward
    monkeypatch.setattr(synthesizer.generator, "forward", lambda *given: (told.append(given[3]), paint(*given))[1])
    return told


def test_hearts_are_painted_as_what_they_were_drawn_as(conditional, real, monkeypatch):
    image, label = real
    told = told_in(conditional, monkeypatch)
    conditional.sample(4, seeded(3))
    assert torch.equal(told[0], conditional.sampler.sample(4, row_generators(seeded(3), 4)).condition)
    likeliest = conditional.sampler.likeliest_condition(label)
    conditional.vary(image, label, 0.3, seeded(0))
    conditional.restyle(image, label, seeded(0))
    conditional.synthesize(label, None, seeded(0))
    assert all(torch.equal(one, likeliest) for one in told[1:])


def test_a_given_condition_counts_and_shows(conditional, real, monkeypatch):
    image, label = real
    told = told_in(conditional, monkeypatch)
    style = conditional.encode_style(image)
    painted = []
    for kind in (0, 1):
        condition = torch.eye(2)[[kind] * 3]
        painted.append(conditional.synthesize(label, style, seeded(0), condition))
        conditional.vary(image, label, 0.3, seeded(0), condition)
        conditional.restyle(image, label, seeded(0), condition)
        assert all(torch.equal(one, condition) for one in told)
        told.clear()
    assert float((painted[0] - painted[1]).abs().max()) > 1e-3
    with pytest.raises(ShapeError, match="condition"):
        conditional.synthesize(label, style, seeded(0), torch.eye(2))


@pytest.mark.parametrize("one_a_row", [False, True])
def test_hearts_are_drawn_and_painted_as_what_was_asked_for(real, monkeypatch, one_a_row):
    asked = conditional_synthesizer(heart_condition=VIEWS)
    told = told_in(asked, monkeypatch)
    words = [{"view": "4CH"}, {"view": "2CH"}, {"view": "4CH"}] if one_a_row else {"view": "4CH"}
    expected = VIEWS.encode(words if one_a_row else [words] * 3)
    cases = asked.sample(3, row_generators(seeded(3), 3), words)
    assert torch.equal(told[0], expected)
    assert torch.equal(cases.condition, expected)
    # Hearts of the asked condition, not others by its name: those that the sampler draws of it.
    hearts_drawn = asked.sampler.sample(3, row_generators(seeded(3), 3), expected)
    assert torch.equal(cases.label, hearts_drawn.label)
    nearest = asked.sampler.nearest_training_hearts(hearts_drawn, 1)[:, 0]
    assert torch.equal(asked.sampler.conditions[nearest], expected)
    # The other methods take words, too.
    image, label = real
    for made in (asked.vary(image, label, 0.3, seeded(0), words), asked.restyle(image, label, seeded(0), words)):
        assert torch.equal(made.condition, expected)
    assert all(torch.equal(one, expected) for one in told)


def test_a_condition_that_no_training_heart_has_is_refused(conditional):
    with pytest.raises(InputError, match="hearts' conditions"):
        conditional.sample(1, seeded(0), torch.tensor([0.5, 0.5]))


def test_cases_without_a_condition_say_none(synthesizer, real):
    assert synthesizer.sample(1, seeded(0)).condition is None
    assert synthesizer.restyle(*real, seeded(0)).condition is None


def test_without_a_style_a_label_map_is_painted_in_one_way_but_for_the_noise(real):
    image, label = real
    one = conditional_synthesizer(style_size=0)
    assert one.encode_style(image).shape == (3, 0)
    assert one.sample(2, seeded(0)).image.shape == (2, 1, 32, 32)
    assert torch.equal(one.synthesize(label, None, seeded(0)), one.restyle(image, label, seeded(1)).image)
