"""CT and MR of one phantom heart lie on each other, and a translator's weights are read back."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.anatomy.structure_condition import StructureCondition
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.paired_modalities import KeyedBatch, PairedSlices, train_translator


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    for modality in ("ct", "mr"):
        write_mmwhs_phantom(root / modality, 1, 3, modality, size=(96, 96, 8), spacing=(2.7, 2.7, 14.0))
    return root


def test_blood_is_bright_and_lung_dark_at_the_same_places_in_both(folders):
    slices = PairedSlices(folders / "ct", folders / "mr", (64, 64), step=1)
    ct, mr, label = (torch.stack([one[key] for one in slices]) for key in ("ct", "mr", "label"))
    assert 0 <= float(mr.min()) <= float(mr.max()) <= 1
    blood = label == MM_WHS.code("left ventricular cavity")
    muscle = label == MM_WHS.code("myocardium")
    for image in (ct, mr):
        assert float(image[blood].mean()) > float(image[muscle].mean()) + 0.1
    # Moved by 27 mm, blood of the one is not blood of the other.
    assert float(mr[blood].mean()) > float(mr.roll(10, 2)[blood].mean()) + 0.1
    assert {one["patient"] for one in slices} == {"1001"}


def test_a_folder_without_partners_is_refused(folders, tmp_path):
    write_mmwhs_phantom(tmp_path, 1, 3, "ct", size=(16, 16, 4), spacing=(16.0, 16.0, 40.0))
    for path in tmp_path.glob("ct_train_1001*"):
        path.rename(tmp_path / path.name.replace("1001", "1007"))
    with pytest.raises(DataError, match="same numbers"):
        PairedSlices(tmp_path, folders / "mr", (64, 64))


def test_a_batch_gives_the_wanted_modality_first():
    batch = {"ct": torch.zeros(2, 1, 4, 4), "mr": torch.ones(2, 1, 4, 4)}
    wanted, given = KeyedBatch("ct", "mr")(batch, "cpu")
    assert float(wanted.mean()) == 1
    assert float(given.mean()) == 0


def test_weights_follow_from_the_seed_and_are_read_back(tmp_path):
    slices = [{key: torch.rand(1, 128, 128) for key in ("ct", "mr")} for _ in range(2)]
    told = []
    trained = [
        train_translator(
            slices, "ct", "mr", tmp_path / name, iterations=4, iterations_per_round=2, batch_size=2, features=1,
            progress=lambda done, total: told.append((done, total)),
        )
        for name in ("one.pt", "one.pt", "other.pt")
    ]  # fmt: skip
    assert told == [(done, 4) for done in range(1, 5)] * 2  # the second was read back
    states = [one.state_dict() for one in trained]
    assert all(torch.equal(value, state[name]) for state in states for name, value in states[0].items())


def test_a_label_map_may_be_the_source(tmp_path):
    codes = torch.tensor(MM_WHS.codes)
    slices = [{"mr": torch.rand(1, 128, 128), "label": codes[torch.randint(8, (1, 128, 128))]} for _ in range(2)]
    generator = train_translator(
        slices, "label", "mr", tmp_path / "weights.pt", iterations=2, iterations_per_round=2, batch_size=2,
        features=1, to_condition=StructureCondition(MM_WHS),
    )  # fmt: skip
    assert generator.in_channels == 8
