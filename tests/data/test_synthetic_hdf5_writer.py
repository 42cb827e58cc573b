"""HDF5 sets that are written, killed and gone on with."""

from __future__ import annotations

import h5py
import pytest
import torch
from synthetic_cases import SLICES, VOLUMES, case, killed_after

from monai_cardiacgen.data.set_description import CaseRecord
from monai_cardiacgen.data.synthetic_hdf5 import SyntheticHDF5
from monai_cardiacgen.data.synthetic_hdf5_writer import SyntheticHDF5Writer
from monai_cardiacgen.errors import DataError, InputError, LabelError, ShapeError


def write(path, description=SLICES, count=7, part_size=2):
    with SyntheticHDF5Writer(path, description, part_size) as writer:
        for number in writer.missing(count):
            writer.add(*case(description, number))


def holds(path, count, description=SLICES):
    cases = SyntheticHDF5(path)
    assert [cases[index]["patient"] for index in range(len(cases))] == [f"case_{n:06d}" for n in range(count)]
    for number in range(count):
        image, label, record = case(description, number)
        torch.testing.assert_close(cases[number]["image"].as_tensor(), image, rtol=0, atol=0)
        torch.testing.assert_close(cases[number]["label"].as_tensor()[0], label, rtol=0, atol=0)
        assert cases[number]["seed"] == record.seed


@pytest.mark.parametrize("description", [SLICES, VOLUMES])
def test_one_compressed_dataset_a_key(tmp_path, description):
    path = tmp_path / "deep" / "set.h5"
    write(path, description)
    holds(path, 7, description)
    with h5py.File(path) as file:
        assert set(file) == {"image", "label", "affine", "number", "record"}
        for key in ("image", "label"):
            assert file[key].compression == "gzip"
            assert file[key].chunks == (1, *file[key].shape[1:])
            assert file[key].maxshape[0] is None
    assert [one.name for one in path.parent.iterdir()] == ["set.h5"]


def test_more_cases_are_appended(tmp_path):
    write(tmp_path / "set.h5", count=3)
    write(tmp_path / "set.h5", count=7)
    write(tmp_path / "set.h5", count=7)
    holds(tmp_path / "set.h5", 7)


def test_killed_before_every_rename_and_removal(tmp_path):
    kills = 0
    for name in ("replace", "unlink", "rmdir"):
        for calls in range(1, 20):
            path = tmp_path / f"{name}{calls}" / "set.h5"
            if not killed_after(calls, name, lambda path=path: write(path)):
                break
            kills += 1
            with SyntheticHDF5Writer(path, SLICES, 2) as writer:
                lost = writer.missing(7)
                if name == "replace":  # of three whole parts, the last one, and the file
                    assert len(lost) <= 7 - 2 * min(calls - 1, 3)
                if name == "rmdir":
                    assert not lost
                for number in lost:
                    writer.add(*case(SLICES, number))
            holds(path, 7)
            assert [one.name for one in path.parent.iterdir()] == ["set.h5"]
    assert kills >= 5 + 4 + 1


def test_killed_between_cases_loses_at_most_the_part(tmp_path):
    import os
    import signal

    def work():
        writer = SyntheticHDF5Writer(tmp_path / "set.h5", SLICES, 3)
        for number in range(8):
            writer.add(*case(SLICES, number))
        os.kill(os.getpid(), signal.SIGKILL)

    assert killed_after(10**6, "replace", work)
    with SyntheticHDF5Writer(tmp_path / "set.h5", SLICES, 3) as writer:
        assert writer.missing(8) == [6, 7]
    holds(tmp_path / "set.h5", 6)


def test_refusals(tmp_path):
    path = tmp_path / "set.h5"
    write(path, count=2)
    with SyntheticHDF5Writer(path, SLICES) as writer:
        with pytest.raises(InputError, match="case_000001"):
            writer.add(*case(SLICES, 1))
        with pytest.raises(ShapeError, match="crop or pad"):
            writer.add(*case(SLICES, 2, (8, 8)))
        with pytest.raises(LabelError, match="Expected"):
            writer.add(torch.rand(12, 10), torch.full((12, 10), 77), CaseRecord(2, 0))
    holds(path, 2)
    with pytest.raises(InputError, match="name another file"):
        SyntheticHDF5Writer(path, VOLUMES)
    with pytest.raises(InputError, match="at least one case a part"):
        SyntheticHDF5Writer(path, SLICES, 0)
    (tmp_path / "text.h5").write_text("mine")
    with pytest.raises(DataError, match="HDF5"):
        SyntheticHDF5Writer(tmp_path / "text.h5", SLICES)
    assert (tmp_path / "text.h5").read_text() == "mine"


def test_ranks_and_cuts_do_not_change_the_bytes(tmp_path):
    write(tmp_path / "alone.h5", count=9, part_size=4)
    with SyntheticHDF5Writer(tmp_path / "together.h5", SLICES) as leader:
        with pytest.raises(DataError, match="another run"):
            SyntheticHDF5Writer(tmp_path / "together.h5", SLICES)
        with SyntheticHDF5Writer(tmp_path / "together.h5", SLICES, rank=1) as other:
            other.add_all([case(SLICES, number) for number in (3, 1, 8)])
            leader.add_all([case(SLICES, number) for number in (7, 0)])
    write(tmp_path / "together.h5", count=9, part_size=1)
    assert (tmp_path / "together.h5").read_bytes() == (tmp_path / "alone.h5").read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["alone.h5", "together.h5"]
