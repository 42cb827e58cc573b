"""Procedural patients through the synthesizer's protocol and the transform."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS
from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.slices import IMAGE, LABEL, ShortAxisGrid
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import PhantomSynthesizer
from monai_cardiacgen.phantom import draw_cine_patient, write
from monai_cardiacgen.phantom.patient_folders import patient_generator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import RandCardiacSynthd
from monai_cardiacgen.transforms.protocol import Synthesizer


@pytest.fixture(scope="module")
def phantoms() -> PhantomSynthesizer:
    return PhantomSynthesizer(spacing=(4.0, 4.0), spatial_size=(48, 48), patients=2, seed=5).fill()


def test_keeps_the_protocol(phantoms: PhantomSynthesizer) -> None:
    assert isinstance(phantoms, Synthesizer)
    assert phantoms.scheme is ACDC
    assert {"name", "version"} <= set(phantoms.provenance)


def test_cases_are_labelled_slices(phantoms: PhantomSynthesizer) -> None:
    cases = phantoms.sample(24, seeded(0))
    assert cases.image.shape == (24, 1, 48, 48)
    assert cases.label.shape == (24, 48, 48)
    assert set(cases.label.unique().tolist()) == {0, 1, 2, 3}
    assert float(cases.image.min()) >= 0
    assert float(cases.image.max()) <= 1
    blood, wall = (cases.image[:, 0][cases.label == code].mean() for code in (3, 2))
    assert blood > 1.5 * wall  # balanced SSFP: blood is bright


def test_a_row_depends_on_its_own_generator_alone(phantoms: PhantomSynthesizer) -> None:
    together = phantoms.sample(3, [seeded(seed) for seed in (7, 8, 9)])
    alone = phantoms.sample(1, [seeded(8)])
    assert torch.equal(together.image[1], alone.image[0])
    assert torch.equal(together.label[1], alone.label[0])


def test_patients_do_not_depend_on_the_order_of_asking(phantoms: PhantomSynthesizer) -> None:
    other = PhantomSynthesizer(spacing=(4.0, 4.0), spatial_size=(48, 48), patients=2, seed=5)
    assert torch.equal(other.sample(4, seeded(3)).image, phantoms.sample(4, seeded(3)).image)
    assert torch.equal(
        pickle.loads(pickle.dumps(other)).sample(4, seeded(3)).image, phantoms.sample(4, seeded(3)).image
    )


def test_a_phantom_is_what_its_files_would_be_read_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The same patient once by way of NIfTI files and the reader, once without them.
    phantoms = PhantomSynthesizer(spacing=(3.0, 3.0), spatial_size=(64, 64), patients=1, seed=0)
    images, labels = phantoms._patient(0)
    generator = patient_generator(0, 0)
    monkeypatch.setattr(write, "draw_cine_patient", lambda *_: draw_cine_patient("DCM", generator))
    folder = tmp_path / "patient001"
    folder.mkdir()
    write._write_patient(folder, "patient001", 1, patient_generator(0, 1))
    read = [ShortAxisGrid((3.0, 3.0), (64, 64)).load(item) for item in read_acdc(tmp_path)]
    label = torch.cat([one[LABEL].as_tensor()[0].movedim(-1, 0) for one in read])
    image = torch.cat([one[IMAGE].as_tensor().movedim(-1, 0) for one in read])
    assert torch.equal(label, labels.to(torch.int64))
    assert torch.allclose(image, images.to(torch.float32), atol=2e-3)


def test_apical_views_have_the_codes_of_camus() -> None:
    phantoms = PhantomSynthesizer("apical", (1.0, 1.0), (64, 64), patients=1)
    cases = phantoms.sample(6, seeded(0))
    assert phantoms.scheme is CAMUS
    assert set(cases.label.unique().tolist()) == {0, 1, 2, 3}
    corner = cases.image[:, 0, :6, :6]  # above the sector, no beam has been
    assert float(corner.max()) == 0


def test_apical_images_of_a_view_and_phase() -> None:
    phantoms = PhantomSynthesizer("apical", (1.0, 1.0), (48, 48), patients=1)
    asked = [{"view": view, "phase": phase} for view in ("2CH", "4CH") for phase in ("ED", "ES")]
    cases = phantoms.sample(4, seeded(0), asked)
    cavity = (cases.label == 1).flatten(1).sum(dim=1)
    assert cavity[1] < cavity[0]  # the ventricle is smaller at end systole
    assert cavity[3] < cavity[2]
    assert not torch.equal(cases.label[0], cases.label[2])
    synth = RandCardiacSynthd(("image", "label"), phantoms, 1.0, intensity_range=(0, 1), spacing=(1.0, 1.0))
    sample = {"image": cases.image[0], "label": cases.label[0][None], "view": "4CH", "phase": "ES"}
    assert torch.equal(synth(sample)["label"], cases.label[3][None])
    with pytest.raises(InputError, match="Expected one of"):
        synth({name: sample[name] for name in ("image", "label")})
    with pytest.raises(InputError, match="Expected a view of"):
        phantoms.sample(1, seeded(0), [{"view": "3CH", "phase": "ED"}])


def test_short_axis_phantoms_take_no_condition(phantoms: PhantomSynthesizer) -> None:
    with pytest.raises(InputError, match="no condition"):
        phantoms.sample(1, seeded(0), [{"phase": "ED"}])


def test_one_transform_without_any_training(phantoms: PhantomSynthesizer) -> None:
    synth = RandCardiacSynthd(("image", "label"), phantoms, prob=1.0, intensity_range=(0, 1), spacing=(4.0, 4.0))
    synth.set_random_state(seed=0)
    made = synth({"image": torch.rand(1, 40, 40), "label": torch.zeros(1, 40, 40, dtype=torch.int64)})
    assert made["image"].shape == made["label"].shape == (1, 40, 40)
    assert bool(made["label"].any())


@pytest.mark.parametrize("mode", ["vary", "restyle"])
def test_other_modes_are_refused_with_a_remedy(phantoms: PhantomSynthesizer, mode: str) -> None:
    synth = RandCardiacSynthd(("image", "label"), phantoms, prob=1.0, mode=mode, spacing=(4.0, 4.0))  # type: ignore[arg-type]
    label = torch.zeros(1, 48, 48, dtype=torch.int64)
    label[:, 20:28, 20:28] = 3
    with pytest.raises(InputError, match="mode='new'"):
        synth({"image": torch.rand(1, 48, 48), "label": label})


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="short axis"):
        PhantomSynthesizer("long axis")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1 patient"):
        PhantomSynthesizer(patients=0)
