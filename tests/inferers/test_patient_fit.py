"""Training patients as vectors: what they were drawn with comes back."""

from __future__ import annotations

import pytest
import torch
from stack_hearts import SPACING, StackVAE, disc_patients, stack, training_patients

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.patient_fit import fit_patient_sampler
from monai_cardiacgen.inferers.synthetic_patient import ShortAxisStack


def test_what_is_known_of_patients_is_measured_on_their_stacks():
    sampler = disc_patients()
    pairs = training_patients()
    fractions = [1 - systole.volume(ACDC) / diastole.volume(ACDC) for diastole, systole in pairs]
    assert sampler.attributes.measured["ejection fraction"].tolist() == pytest.approx(fractions)
    assert sampler.attributes.categories["group"][:2] == ["NOR", "DCM"]


def test_a_training_patient_is_drawn_again_from_its_vector():
    """With all variance kept and no step, points are training patients; decoding gives their volume back."""
    sampler = disc_patients()
    sampler.proposal.bandwidth = 0.0
    volumes = [pair[0].volume(ACDC) for pair in training_patients()]
    patient = sampler.sample(1, torch.Generator().manual_seed(0)).patients[0]
    nearest = min(abs(patient.diastole.volume(ACDC) / volume - 1) for volume in volumes)
    assert nearest < 0.08


def test_where_the_scan_was_centred_does_not_matter():
    def moved(one: ShortAxisStack) -> ShortAxisStack:
        return ShortAxisStack(torch.roll(one.label, (3, -2), dims=(0, 1)), one.spacing)

    pairs = training_patients(4)
    here = fit_patient_sampler(StackVAE(), ACDC, pairs)
    there = fit_patient_sampler(StackVAE(), ACDC, [(moved(one), moved(other)) for one, other in pairs])
    torch.testing.assert_close(here.mean, there.mean, atol=1e-4, rtol=1e-4)


def test_other_pixels_and_single_slices_are_refused():
    pairs = training_patients(4)
    fine = ShortAxisStack(pairs[0][0].label, (1.0, 1.0, 8.0))
    with pytest.raises(InputError, match="one pixel size"):
        fit_patient_sampler(StackVAE(), ACDC, [*pairs, (fine, fine)])
    single = ShortAxisStack(stack(torch.zeros(1, 2), 1.0, 8, 70).label[..., :1], (*SPACING, 8.0))
    with pytest.raises(InputError, match="at least two slices"):
        fit_patient_sampler(StackVAE(), ACDC, [*pairs, (single, single)])
