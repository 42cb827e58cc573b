"""Whole patients from an autoencoder that is written out."""

from __future__ import annotations

import pytest
import torch
from disc_hearts import DiscVAE
from stack_hearts import SPACING, StackVAE, disc_patients

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.cine import CineCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.anatomy.stack import StackCheck
from monai_cardiacgen.errors import InputError, SamplingError, SpacingError
from monai_cardiacgen.inferers.heart_attributes import HeartAttributes
from monai_cardiacgen.inferers.patient_sampler import PatientSampler
from monai_cardiacgen.seeding import row_generators, seeded


@pytest.fixture(scope="module")
def sampler() -> PatientSampler:
    return disc_patients()


def test_patients_are_valid_slice_by_slice_and_as_stacks(sampler):
    result = sampler.sample(4, seeded(0))
    assert len(result.patients) == len(result.draws) == 4
    for patient in result.patients:
        for stack in (patient.diastole, patient.systole):
            assert AnatomyCheck()(stack.label.movedim(2, 0), SPACING).valid.all()
            assert StackCheck()(stack.label[None], stack.spacing).valid.all()
        assert patient.systole.volume(ACDC) < patient.diastole.volume(ACDC)
        assert patient.ejection_fraction == pytest.approx(
            1 - patient.systole.volume(ACDC) / patient.diastole.volume(ACDC)
        )
    assert len({patient.diastole.volume(ACDC) for patient in result.patients}) == 4


@pytest.mark.parametrize("fraction", [0.35, 0.5, 0.65])
def test_the_ejection_fraction_is_an_input(sampler, fraction):
    for patient in sampler.sample(2, seeded(1), {"ejection fraction": (fraction, fraction)}).patients:
        assert patient.ejection_fraction == pytest.approx(fraction, abs=0.01)


def test_a_patient_depends_on_its_own_generator_only(sampler):
    together = sampler.sample(3, row_generators(seeded(5), 3)).patients
    alone = sampler.sample(1, row_generators(seeded(5), 3)[2:]).patients
    assert torch.equal(together[2].diastole.label, alone[0].diastole.label)


def test_slices_are_as_far_apart_as_asked(sampler):
    for asked in (6.0, 10.0, 14.0):
        patient = sampler.sample(1, seeded(3), slice_spacing=asked).patients[0]
        assert patient.diastole.spacing[2] == pytest.approx(asked, rel=0.12)
        assert patient.systole.label.shape == patient.diastole.label.shape
        assert patient.systole.spacing[2] < patient.diastole.spacing[2]


def test_a_cine_begins_at_end_diastole_and_passes_end_systole(sampler):
    patient = sampler.sample(1, seeded(3)).patients[0]
    cine = sampler.cine(patient, 30)
    volumes = torch.tensor(cine.volumes(ACDC))
    assert torch.equal(cine.label[0], patient.diastole.label)
    assert float(volumes[0]) == pytest.approx(patient.diastole.volume(ACDC))
    assert float(volumes.min()) == pytest.approx(patient.systole.volume(ACDC), rel=0.03)
    assert 9 <= int(volumes.argmin()) <= 13
    assert float(volumes.max()) <= 1.01 * float(volumes[0])


def test_a_cine_is_smooth_and_each_slice_of_it_valid(sampler):
    patient = sampler.sample(1, seeded(4)).patients[0]
    cine = sampler.cine(patient, 30)
    maps = cine.label.movedim(3, 1).flatten(0, 1)
    assert AnatomyCheck()(maps, SPACING).valid.all()
    ranges = {"LV volume": (0.0, 2000.0)}  # this small heart's own range is a few pixels a slice
    assert set(ranges) <= {one.name for one in CineCheck(ACDC, "short axis").criteria}
    volumes = torch.tensor(cine.volumes(ACDC))
    jerk = (volumes[1:-1] - (volumes[:-2] + volumes[2:]) / 2).abs()
    assert float(jerk.max()) < 0.06 * float(volumes.max() - volumes.min())


def test_invalid_moments_are_bridged(sampler):
    """A check that condemns large cavities: they give way to the slice of the valid end."""
    strict = disc_patients()
    patient = strict.sample(1, seeded(4)).patients[0]

    class Smaller(AnatomyCheck):
        def __call__(self, label, spacing):
            report = super().__call__(label, spacing)
            middle = (label == 3).flatten(1).sum(dim=1)
            report.broken[:, 0] |= (middle > 140) & (middle < 180)
            return report

    strict.check = Smaller()
    cine = strict.cine(patient, 12)
    areas = (cine.label == 3).sum(dim=(1, 2))
    assert cine.bridged > 0
    assert not bool(((areas > 140) & (areas < 180)).any())


def test_what_is_out_of_reach_says_so():
    with pytest.raises(SamplingError, match="ejection fraction out of reach"):
        disc_patients(max_draws=2).sample(1, seeded(0), {"ejection fraction": (0.9, 0.9)})


def test_bad_input_is_refused(sampler):
    with pytest.raises(InputError, match="'mass'"):
        sampler.sample(1, seeded(0), {"mass": (1.0, 2.0)})
    with pytest.raises(InputError, match=r"\['DCM', 'NOR'\]"):
        sampler.sample(1, seeded(0), {"group": "ARV"})
    with pytest.raises(SpacingError):
        sampler.sample(1, seeded(0), slice_spacing=0.0)
    with pytest.raises(InputError, match="2 frames"):
        sampler.cine(sampler.sample(1, seeded(0)).patients[0], 1)
    with pytest.raises(InputError, match="position and phase"):
        PatientSampler(DiscVAE(), ACDC, SPACING, [], HeartAttributes({}))
    with pytest.raises(InputError, match="0 patients"):
        PatientSampler(StackVAE(), ACDC, SPACING, [], HeartAttributes({}))
