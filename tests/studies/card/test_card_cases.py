"""What a card compares: the set's cases and real slices on the set's grid."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import CaseRecord, SetDescription, SyntheticSet, SyntheticSetWriter, write_split
from monai_cardiacgen.errors import DataError, InputError, ShapeError
from monai_cardiacgen.studies.card.card_cases import load_real, load_set, read_real, split_real

FLAT = SetDescription(ACDC, (3.0, 3.0), "mine", "1.0", view="short axis")


def quiet(done: int, total: int) -> None:
    assert 0 < done <= total


def written(folder, cases, description=FLAT):
    with SyntheticSetWriter(folder, description) as writer:
        for number, (image, label) in enumerate(cases):
            writer.add(image, label, CaseRecord(number, seed=number))
    return SyntheticSet(folder)


def test_cases_of_a_set_come_in_order_and_in_0_to_1(tmp_path):
    label = torch.zeros(16, 20, dtype=torch.int64)
    label[4:8, 4:8] = 3
    ramp = torch.linspace(0, 1, 320).view(16, 20)
    source = written(tmp_path, [(ramp, label), (1000 * ramp - 300, torch.zeros_like(label))])
    cases = load_set(source, quiet)
    assert cases.image.shape == (2, 1, 16, 20)
    assert torch.allclose(cases.image[0, 0], ramp)
    assert (float(cases.image[1].min()), float(cases.image[1].max())) == (0, 1)
    assert torch.allclose(cases.image[1, 0, 4:12], ramp[4:12], atol=0.02)
    assert cases.names == cases.patients == ("case_000000", "case_000001")
    assert cases.with_hearts().names == ("case_000000",)
    assert torch.equal(cases.slices()[0]["label"][0], label)


def test_volumes_empty_sets_and_mixed_sizes_are_refused(tmp_path):
    label = torch.zeros(8, 8, dtype=torch.int64)
    with pytest.raises(InputError, match="at least one slice"):
        load_set(written(tmp_path / "empty", []), quiet)
    volumes = SetDescription(ACDC, (3.0, 3.0, 9.0), "mine", "1.0")
    source = written(tmp_path / "deep", [(torch.rand(8, 8, 8), label.expand(8, 8, 8))], volumes)
    with pytest.raises(InputError, match="slice by slice"):
        load_set(source, quiet)
    source = written(tmp_path / "mixed", [(torch.rand(8, 8), label), (torch.rand(9, 8), torch.zeros(9, 8).long())])
    with pytest.raises(ShapeError, match="one size"):
        load_set(source, quiet)


def test_real_stacks_become_named_slices_on_the_sets_grid(tmp_path, items):
    source = written(tmp_path, [(torch.rand(32, 32), torch.zeros(32, 32, dtype=torch.int64))])
    cases = load_real(items[:4], source, (32, 32), quiet)
    assert cases.image.shape == (16, 1, 32, 32)
    assert cases.names[:2] == ("patient000 ED slice 0", "patient000 ED slice 1")
    assert cases.groups.tolist() == [0] * 8 + [1] * 8
    file = np.asarray(nib.load(items[0]["label"]).dataobj)  # the same spacing: a crop about the middle
    assert torch.equal(cases.label[1], torch.from_numpy(file[4:36, 8:40, 1].astype(np.int64)))
    assert len(cases.with_hearts()) == 12
    halves = cases.chosen(torch.arange(16) % 2 == 0)
    assert halves.names[1] == "patient000 ED slice 2"


def test_folders_and_lists_of_ones_own_are_read(tmp_path, items):
    listed = [{key: item[key] for key in ("image", "label", "patient", "phase")} for item in items]
    (tmp_path / "dataset.json").write_text(json.dumps({"training": listed}))
    assert [item["patient"] for item in read_real(tmp_path / "dataset.json")] == [item["patient"] for item in items]
    with pytest.raises(DataError, match="nothing there"):
        read_real(tmp_path / "nowhere")


def test_patients_are_split_by_the_file_or_in_halves(tmp_path, items):
    split, known = split_real(items, None, seed=0)
    names = [{item["patient"] for item in part} for part in (split.training, split.testing)]
    assert not known
    assert [len(one) for one in names] == [3, 3]
    write_split(tmp_path / "split.json", split)
    again, known = split_real(items, tmp_path / "split.json", seed=5)
    assert known
    assert again == split
    with pytest.raises(InputError, match="at least 6"):
        split_real(items[:4], None, seed=0)
