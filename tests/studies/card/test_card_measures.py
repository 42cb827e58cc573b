"""The card's lines: what is counted, and which way a measure goes when a set is bad."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import CaseRecord, SetDescription, SyntheticSet, SyntheticSetWriter
from monai_cardiacgen.metrics import FeatureSpace, RandomFeatures
from monai_cardiacgen.studies.card.card_cases import CardCases
from monai_cardiacgen.studies.card.card_measures import counts, fidelity_and_diversity, fidelity_to_labels, validity

SPACE = FeatureSpace("8 random convolutions", lambda images: RandomFeatures(0)(images)[:, ::8])


def cases(name: str, seed: int, count: int = 60, each: int = 1) -> CardCases:
    image, label = hearts(count, seed)
    names = tuple(f"{name}{number}" for number in range(count))
    return CardCases(image, label[:, 0], names, tuple(f"{name}{number // each}" for number in range(count)))


@pytest.fixture(scope="module")
def real():
    return cases("t", 1, each=4), cases("o", 2, each=4)


def by_name(measures):
    return {one.name.split(",")[0]: one for one in measures}


def test_a_set_like_the_real_one_is_like_it_in_all_measures(real):
    found = by_name(fidelity_and_diversity(cases("s", 3), *real, SPACE, 0))
    assert set(found) == {
        "Fréchet distance",
        "kernel distance (KID)",
        "precision",
        "density",
        "recall",
        "coverage",
        "authenticity",
        "MS-SSIM of pairs",
        "checkerboard score (dB)",
    }
    for one in found.values():
        assert one.synthetic.low <= one.synthetic.mean <= one.synthetic.high
        if one.name != "checkerboard score (dB)":
            assert one.synthetic.mean == pytest.approx(one.real.mean, abs=0.35)
    assert SPACE.name in found["recall"].note
    assert found["recall"].synthetic.patients == 15  # the held-out patients
    assert found["precision"].synthetic.patients == 60


def test_one_image_again_and_again_lacks_diversity_and_noise_lacks_fidelity(real):
    good = cases("s", 3)
    same = CardCases(good.image[:1].repeat(60, 1, 1, 1), good.label[:1].repeat(60, 1, 1), good.names, good.patients)
    noisy = CardCases(torch.rand(good.image.shape), good.label, good.names, good.patients)
    usual, one, other = (by_name(fidelity_and_diversity(made, *real, SPACE, 0)) for made in (good, same, noisy))
    assert one["MS-SSIM of pairs"].synthetic.mean == pytest.approx(1, abs=1e-4)
    assert one["recall"].synthetic.mean < 0.2 < usual["recall"].synthetic.mean
    assert other["precision"].synthetic.high < usual["precision"].synthetic.low
    assert other["Fréchet distance"].synthetic.low > usual["Fréchet distance"].synthetic.high
    assert other["kernel distance (KID)"].synthetic.low > usual["kernel distance (KID)"].synthetic.high


def test_copies_with_noise_are_not_authentic(real):
    training = real[0]
    copies = CardCases(
        (training.image + 0.001 * torch.randn(training.image.shape)).clamp(0, 1),
        training.label,
        training.names,
        training.names,
    )
    found = by_name(fidelity_and_diversity(copies, *real, SPACE, 0))["authenticity"]
    assert found.synthetic.mean < 0.1
    assert found.real.mean > 0.3


def test_label_fidelity_is_asked_of_both_and_falls_with_foreign_labels(real):
    class Brightness(nn.Module):
        def forward(self, image):
            return torch.cat([-(image - level).abs() for level in (0.4, 0.8, 0.1, 0.9)], dim=1)

    good = cases("s", 3)
    foreign = CardCases(good.image, good.label.flip(-1), good.names, good.patients)
    one, other = (fidelity_to_labels(made, real[1], Brightness(), ACDC) for made in (good, foreign))
    assert one.synthetic.mean == pytest.approx(one.real.mean, abs=0.05)
    assert other.synthetic.high < one.synthetic.low


def test_cases_are_counted_by_what_labels_and_manifest_say(tmp_path):
    description = SetDescription(ACDC, (2.0, 2.0), "mine", "1.0", view="short axis")
    made = cases("s", 3, count=6)
    made.label[5] = 0
    with SyntheticSetWriter(tmp_path, description) as writer:
        for number in range(6):
            about = {"phase": "ED" if number % 2 else "ES", "position": number / 5}
            writer.add(made.image[number], made.label[number], CaseRecord(number, seed=number, about=about))
    source = SyntheticSet(tmp_path)
    found = counts(made, source)
    area = float((made.label[:5] == 3).sum()) / 5 * 4 / 100
    assert found["Structures"]["left ventricular cavity"] == f"5 of 6, {area:.1f} cm² in the mean"
    assert found["Structures shown together"]["none"] == "1 (17%)"
    assert found["Phase"] == {"ES": "3 (50%)", "ED": "3 (50%)"}
    assert found["Slice"] == {"first third": "2 (33%)", "middle third": "2 (33%)", "last third": "2 (33%)"}
    assert found["Class"] == {"not recorded": "the manifest does not say"}
    assert found["Mode"] == {"new": "6 (100%)"}
    checked = validity(made, source)
    assert checked is not None
    assert checked.valid.total == 6


def test_a_view_without_criteria_has_no_validity(tmp_path):
    description = SetDescription(ACDC, (2.0, 2.0), "mine", "1.0", view="long axis")
    made = cases("s", 3, count=2)
    with SyntheticSetWriter(tmp_path, description) as writer:
        writer.add(made.image[0], made.label[0], CaseRecord(0, seed=0))
    assert validity(made, SyntheticSet(tmp_path)) is None
