"""HDF5 sets that are read: by workers, damaged, hostile."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings

import h5py
import pytest
import torch
from monai.data import DataLoader, MetaTensor
from synthetic_cases import SLICES, case

from monai_cardiacgen.data.synthetic_hdf5 import SyntheticHDF5
from monai_cardiacgen.data.synthetic_hdf5_writer import SyntheticHDF5Writer
from monai_cardiacgen.errors import DataError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("hdf5") / "set.h5"
    with SyntheticHDF5Writer(path, SLICES) as writer:
        for number in (2, 0, 1, 3):
            writer.add(*case(SLICES, number))
    return path


def brightened(item):
    return {**item, "image": item["image"] + 1}


def test_cases_in_order_with_meta(written):
    cases = SyntheticHDF5(written)
    assert [cases[index]["patient"] for index in range(4)] == [f"case_{n:06d}" for n in range(4)]
    item = cases[-1]
    assert isinstance(item["image"], MetaTensor)
    assert item["image"].pixdim.tolist() == pytest.approx([1.5, 2.0])
    assert (item["label"].dtype, item["synthetic"], item["phase"]) == (torch.int64, True, "ED")
    assert cases.description == SLICES
    torch.testing.assert_close(SyntheticHDF5(written, brightened)[0]["image"], cases[0]["image"] + 1)
    with pytest.raises(IndexError):
        cases[4]


def test_workers_read_what_the_main_process_reads(written):
    cases = SyntheticHDF5(written)
    expected = torch.stack([cases[index]["image"].as_tensor() for index in range(4)])  # the file is open here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python, about forking with threads
        loader = DataLoader(cases, batch_size=2, num_workers=2, multiprocessing_context="fork")
        found = torch.cat([batch["image"].as_tensor() for batch in loader])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    again = pickle.loads(pickle.dumps(cases))  # as spawned workers get it, the file not open
    assert again._file is None
    torch.testing.assert_close(again[3]["image"], cases[3]["image"])


def test_missing_damaged_and_foreign_files(written, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        SyntheticHDF5(tmp_path / "nowhere.h5")
    content = written.read_bytes()
    for damaged in (content[: len(content) // 2], content[:100], b"", b"text"):
        (tmp_path / "damaged.h5").write_bytes(damaged)
        with pytest.raises(DataError, match="Expected"):
            SyntheticHDF5(tmp_path / "damaged.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["image"] = torch.rand(3, 4, 4).numpy()
    with pytest.raises(DataError, match="label"):
        SyntheticHDF5(tmp_path / "foreign.h5")


@pytest.mark.parametrize("way", ["link", "external", "virtual", "soft"])
def test_datasets_in_other_files_are_refused(written, tmp_path, way):
    path = tmp_path / "hostile.h5"
    shutil.copy(written, path)
    with h5py.File(path, "a") as file:
        shape = file["image"].shape
        del file["image"]
        if way == "link":
            file["image"] = h5py.ExternalLink(str(written), "/image")
        elif way == "soft":
            file["image"] = h5py.SoftLink("/label")
        elif way == "external":
            file.create_dataset("image", shape, "f4", external=[(str(written), 0, h5py.h5f.UNLIMITED)])
        else:
            layout = h5py.VirtualLayout(shape, "f4")
            layout[:] = h5py.VirtualSource(written, "image", shape)
            file.create_virtual_dataset("image", layout)
    with pytest.raises(DataError, match="of its own"):
        SyntheticHDF5(path)


def test_rows_that_do_not_fit(written, tmp_path):
    path = tmp_path / "odd.h5"
    shutil.copy(written, path)
    with h5py.File(path, "a") as file:
        file["record"][0] = "{"
        file["record"][1] = json.dumps({"number": "x"})
    cases = SyntheticHDF5(path)
    for index in (0, 1):
        with pytest.raises(DataError, match="row"):
            cases[index]
    cases._file.close()
    with h5py.File(path, "a") as file:
        file["number"].resize(2, axis=0)
    with pytest.raises(DataError, match="different lengths"):
        SyntheticHDF5(path)
