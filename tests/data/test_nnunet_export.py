"""Sets as nnU-Net's raw datasets; the rules are those of nnU-Net's own description of its format."""

from __future__ import annotations

import json
import re

import nibabel as nib
import numpy as np
import pytest
from synthetic_cases import SLICES, VOLUMES, case

from monai_cardiacgen.data.memorisation_record import write_memorisation
from monai_cardiacgen.data.nnunet_export import export_nnunet
from monai_cardiacgen.data.synthetic_set import SyntheticSet
from monai_cardiacgen.data.synthetic_set_writer import SyntheticSetWriter
from monai_cardiacgen.errors import DataError, InputError


def write(folder, description=SLICES, count=3):
    with SyntheticSetWriter(folder, description) as writer:
        for number in writer.missing(count):
            writer.add(*case(description, number))
    return SyntheticSet(folder)


def keeps_the_rules(dataset):
    """Assert what nnU-Net's `dataset_format.md` asks of a dataset with one channel."""
    assert re.fullmatch(r"Dataset\d{3}_\w+", dataset.name)
    content = json.loads((dataset / "dataset.json").read_text())
    assert content.keys() >= {"channel_names", "labels", "numTraining", "file_ending"}
    assert list(content["channel_names"]) == ["0"]
    assert content["labels"]["background"] == 0
    assert sorted(content["labels"].values()) == list(range(len(content["labels"])))
    images = sorted(path.name for path in (dataset / "imagesTr").iterdir())
    labels = sorted(path.name for path in (dataset / "labelsTr").iterdir())
    ending = content["file_ending"]
    assert len(images) == len(labels) == content["numTraining"]
    assert images == [label.removesuffix(ending) + "_0000" + ending for label in labels]
    for image, label in zip(images, labels, strict=True):
        one, other = nib.load(dataset / "imagesTr" / image), nib.load(dataset / "labelsTr" / label)
        assert one.shape == other.shape
        assert len(one.shape) == 3
        np.testing.assert_array_equal(one.affine, other.affine)
        assert set(np.unique(np.asarray(other.dataobj))) <= set(content["labels"].values())
    return content


@pytest.mark.parametrize("description", [SLICES, VOLUMES])
def test_a_dataset_keeps_the_rules(tmp_path, description):
    seen = []
    source = write(tmp_path / "set", description)
    dataset = export_nnunet(source, tmp_path / "raw", 501, "Hearts", lambda *numbers: seen.append(numbers))
    assert dataset.name == "Dataset501_Hearts"
    assert seen == [(1, 3), (2, 3), (3, 3)]
    content = keeps_the_rules(dataset)
    assert content["channel_names"]["0"] == description.modality
    image, label, _ = case(description, 1)
    written = nib.load(dataset / "imagesTr" / "case_000001_0000.nii.gz")
    assert written.shape == ((12, 10, 1) if description is SLICES else (12, 10, 4))
    np.testing.assert_array_equal(np.asarray(written.dataobj).reshape(image.shape), image.numpy())
    assert written.header.get_zooms()[: description.spatial_dims] == pytest.approx(description.spacing)
    channels = np.asarray(nib.load(dataset / "labelsTr" / "case_000001.nii.gz").dataobj).reshape(label.shape)
    for structure in description.scheme.structures:  # by name, whatever the dataset's code
        np.testing.assert_array_equal(channels == content["labels"][structure.name], label.numpy() == structure.code)


def test_a_grown_set_is_exported_again(tmp_path):
    export_nnunet(write(tmp_path / "set"), tmp_path / "raw", 501, "Hearts")
    dataset = export_nnunet(write(tmp_path / "set", count=5), tmp_path / "raw", 501, "Hearts")
    assert keeps_the_rules(dataset)["numTraining"] == 5


def test_a_stopped_export_is_not_taken_for_a_whole_one(tmp_path):
    source = write(tmp_path / "set")
    dataset = export_nnunet(source, tmp_path / "raw", 501, "Hearts")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_nnunet(source, tmp_path / "raw", 501, "Hearts", stop)
    assert not (dataset / "dataset.json").exists()
    keeps_the_rules(export_nnunet(source, tmp_path / "raw", 501, "Hearts"))


@pytest.mark.parametrize(("dataset_id", "name"), [(0, "A"), (1000, "A"), (5, ""), (5, "a b"), (5, "../x"), (5, "a/b")])
def test_odd_names_are_refused(tmp_path, dataset_id, name):
    with pytest.raises(InputError, match="Expected a dataset id"):
        export_nnunet(write(tmp_path / "set", count=1), tmp_path / "raw", dataset_id, name)


def test_other_datasets_are_left_alone(tmp_path):
    source = write(tmp_path / "set", count=1)
    taken = tmp_path / "raw" / "Dataset007_Pancreas"
    taken.mkdir(parents=True)
    with pytest.raises(InputError, match="another id"):
        export_nnunet(source, tmp_path / "raw", 7, "Hearts")
    (taken / "dataset.json").write_text("{}")
    with pytest.raises(InputError, match="another id"):
        export_nnunet(source, tmp_path / "raw", 7, "Pancreas")
    export_nnunet(source, tmp_path / "raw", 8, "Hearts")
    with pytest.raises(InputError, match="another one"):
        export_nnunet(write(tmp_path / "other", VOLUMES, 1), tmp_path / "raw", 8, "Hearts")


def test_empty_and_damaged_sets(tmp_path):
    with pytest.raises(InputError, match="at least one case"):
        export_nnunet(write(tmp_path / "empty", count=0), tmp_path / "raw", 1, "A")
    source = write(tmp_path / "set")
    (tmp_path / "set" / "labels" / "case_000001.nii.gz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="case_000001"):
        export_nnunet(source, tmp_path / "raw", 2, "B")


def test_a_set_with_copies_is_exported_by_force_only_and_says_so(tmp_path):
    source = write(tmp_path / "set")
    write_memorisation(source, ["case_000002"], {"limit": 2.0})
    with pytest.raises(InputError, match=r"without copies of training images.*case_000002"):
        export_nnunet(source, tmp_path / "raw", 501, "Hearts")
    assert not (tmp_path / "raw").exists()
    dataset = export_nnunet(source, tmp_path / "raw", 501, "Hearts", copies="export")
    assert "found case_000002 among 3 cases" in keeps_the_rules(dataset)["description"]
    manifest = json.loads((dataset / "synthetic_set.json").read_text())
    assert manifest["memorisation"]["copies"] == ["case_000002"]


def test_a_tested_set_and_an_untested_one_say_which_they_are(tmp_path):
    source = write(tmp_path / "set")
    dataset = export_nnunet(source, tmp_path / "raw", 501, "Hearts")
    assert "not tested for copies" in keeps_the_rules(dataset)["description"]
    write_memorisation(source, [], {"limit": 2.0})
    again = export_nnunet(source, tmp_path / "raw", 501, "Hearts")
    assert "found none among 3 cases" in keeps_the_rules(again)["description"]
