"""Sets that are written, stopped, killed and gone on with."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from synthetic_cases import SLICES, VOLUMES, case, killed_after

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.case_files import read_nifti
from monai_cardiacgen.data.set_description import CaseRecord, SetDescription
from monai_cardiacgen.data.synthetic_set import SyntheticSet
from monai_cardiacgen.data.synthetic_set_writer import SyntheticSetWriter
from monai_cardiacgen.errors import DataError, InputError, LabelError, ShapeError


def write(folder, description=SLICES, count=3):
    with SyntheticSetWriter(folder, description) as writer:
        for number in writer.missing(count):
            writer.add(*case(description, number))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("description", [SLICES, VOLUMES])
def test_files_and_manifest(tmp_path, description):
    write(tmp_path / "set", description)
    lines = [json.loads(line) for line in (tmp_path / "set" / "manifest.jsonl").read_text().splitlines()]
    assert [line["case"] for line in lines] == ["case_000000", "case_000001", "case_000002"]
    assert lines[1].items() >= {
        "number": 1, "seed": 1001, "mode": "new", "strength": 0.0, "synthetic": True, "bundle": description.bundle,
        "version": description.version, "checks": {"anatomy": {"valid": True}},
    }.items()  # fmt: skip
    image, label, _ = case(description, 1)
    for key, expected, kind in (("image", image[0], np.float32), ("label", label, None)):
        found, affine = read_nifti(tmp_path / "set" / lines[1][key])
        np.testing.assert_array_equal(found, expected.numpy())
        assert kind in (None, found.dtype)
        np.testing.assert_allclose(np.linalg.norm(affine[:3, : len(description.spacing)], axis=0), description.spacing)


def test_an_affine_of_ones_own(tmp_path):
    affine = np.array([[0, 2.0, 0, 9], [1.5, 0, 0, -4], [0, 0, 8, 30], [0, 0, 0, 1]])
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        writer.add(*case(SLICES, 0), affine=affine)
        with pytest.raises(InputError, match="spacing"):
            writer.add(*case(SLICES, 1), affine=np.eye(4))
    np.testing.assert_allclose(read_nifti(tmp_path / "set" / "images" / "case_000000.nii.gz")[1], affine)
    assert len(SyntheticSet(tmp_path / "set")) == 1


def test_killed_before_every_rename_and_every_line(tmp_path):
    write(tmp_path / "undisturbed")
    expected = contents(tmp_path / "undisturbed")
    kills = 0
    for name in ("replace", "fsync", "truncate", "mkdir"):
        for calls in range(1, 20):
            folder = tmp_path / f"{name}{calls}" / "undisturbed"  # the datalist bears the folder's name
            if not killed_after(calls, name, lambda folder=folder: write(folder)):
                break
            kills += 1
            if (folder / "set.json").exists():
                SyntheticSet(folder).verify()  # what is there is whole
            write(folder)
            assert contents(folder) == expected, (name, calls)
    assert kills >= 8 + 3  # set.json, two files a case and the datalist; a line a case


def test_a_torn_line_is_written_again(tmp_path):
    write(tmp_path / "set")
    expected = contents(tmp_path / "set")
    manifest = tmp_path / "set" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-9])
    assert len(SyntheticSet(tmp_path / "set")) == 2
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        assert writer.missing(3) == [2]
        writer.add(*case(SLICES, 2))
    assert contents(tmp_path / "set") == expected


def test_numbers_may_come_in_any_order_but_once(tmp_path):
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        for number in (5, 0, 3):
            writer.add(*case(SLICES, number))
        with pytest.raises(InputError, match="case_000003"):
            writer.add(*case(SLICES, 3))
        assert writer.missing(6) == [1, 2, 4]
    assert [item["patient"] for item in SyntheticSet(tmp_path / "set")] == ["case_000000", "case_000003", "case_000005"]


def test_a_refused_case_leaves_nothing(tmp_path):
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        with pytest.raises(LabelError, match="Expected"):
            writer.add(torch.rand(4, 4), torch.full((4, 4), 9), CaseRecord(0, 0))
        with pytest.raises(ShapeError, match="Expected"):
            writer.add(torch.rand(1, 4, 4, 4), torch.zeros(4, 4, 4), CaseRecord(0, 0))
    assert len(SyntheticSet(tmp_path / "set")) == 0
    assert not list((tmp_path / "set" / "images").iterdir())


def test_another_set_or_another_folder_is_refused(tmp_path):
    write(tmp_path / "set")
    before = contents(tmp_path / "set")
    for other in (SetDescription(ACDC, (1.5, 2.0), "cine", "1.1"), VOLUMES):
        with pytest.raises(InputError, match="name another folder"):
            SyntheticSetWriter(tmp_path / "set", other)
    assert contents(tmp_path / "set") == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for taken in (tmp_path / "full", tmp_path / "full" / "thesis.txt"):
        with pytest.raises(DataError, match="something else"):
            SyntheticSetWriter(taken, SLICES)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_ranks_write_together_and_rank_0_joins(tmp_path):
    write(tmp_path / "alone" / "set", count=5)
    folder = tmp_path / "together" / "set"
    with SyntheticSetWriter(folder, SLICES) as leader:
        with SyntheticSetWriter(folder, SLICES, rank=1) as other:
            other.add_all([case(SLICES, number) for number in (3, 1)])
            leader.add_all([case(SLICES, number) for number in (4, 0, 2)])
        assert not (folder / "manifest.jsonl").exists()
        assert [item["patient"] for item in SyntheticSet(folder)] == [f"case_{n:06d}" for n in range(5)]
    assert contents(folder) == contents(tmp_path / "alone" / "set")


def test_one_run_at_a_time_and_an_error_ends_its_lock(tmp_path):
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        with pytest.raises(DataError, match="another run"):
            SyntheticSetWriter(tmp_path / "set", SLICES)
        writer.add(*case(SLICES, 0))

    def stopped():
        with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
            writer.add(*case(SLICES, 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with SyntheticSetWriter(tmp_path / "set", SLICES) as writer:
        assert writer.missing(2, first=1) == [2]
