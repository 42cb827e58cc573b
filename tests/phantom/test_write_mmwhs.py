from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import aff2axcodes
from nibabel.processing import resample_from_to

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.mmwhs import read_mmwhs
from monai_cardiacgen.errors import InputError, ShapeError, SpacingError
from monai_cardiacgen.phantom import whole_heart_phantom, write_mmwhs, write_mmwhs_phantom

SMALL = {"size": (48, 48, 40), "spacing": (5.2, 5.2, 4.8)}


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    write_mmwhs_phantom(folder, patients=2, seed=3, modality="ct", **SMALL)
    return write_mmwhs_phantom(folder, patients=2, seed=3, modality="mr", **SMALL)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() if path.suffix == ".csv" else nib.load(path).get_fdata().tobytes()
        for path in sorted(folder.iterdir())
    }


def test_the_folder_has_the_challenges_names(phantom: Path):
    endings = ("descending_aorta.csv", "image.nii.gz", "label.nii.gz")
    expected = [f"{kind}_train_{number}_{end}" for kind in ("ct", "mr") for number in (1001, 1002) for end in endings]
    assert sorted(path.name for path in phantom.iterdir()) == sorted(expected)


def test_the_reader_reads_it(phantom: Path):
    items = read_mmwhs(phantom)
    assert [(item["patient"], item["modality"]) for item in items] == [
        (f"{kind}_train_{number}", kind.upper()) for kind in ("ct", "mr") for number in (1001, 1002)
    ]
    for item in items:
        assert item["spacing"] == pytest.approx(SMALL["spacing"])


@pytest.mark.parametrize("modality", ["ct", "mr"])
def test_images_and_labels_fit_on_each_other(phantom: Path, modality: str):
    for number in (1001, 1002):
        image, label = (nib.load(phantom / f"{modality}_train_{number}_{kind}.nii.gz") for kind in ("image", "label"))
        assert image.get_data_dtype() == label.get_data_dtype() == np.int16
        assert image.shape == label.shape == SMALL["size"]
        np.testing.assert_array_equal(image.affine, label.affine)
        np.testing.assert_allclose(image.header.get_zooms(), SMALL["spacing"], rtol=1e-5)
        assert aff2axcodes(image.affine) == ("L", "P", "S")
        assert set(np.unique(label.dataobj)) == set(MM_WHS.codes)
    assert (np.asarray(image.dataobj).min() < -500) == (modality == "ct")


def test_ct_and_mr_of_a_patient_show_one_heart(phantom: Path):
    """Brought onto the CT's grid by the affines alone, the MR's label is the CT's but for the voxels' size."""

    def overlap(ct: int, mr: int) -> float:
        still, moving = (
            nib.load(phantom / f"{kind}_train_{number}_label.nii.gz") for kind, number in (("ct", ct), ("mr", mr))
        )
        moved = np.asarray(resample_from_to(moving, still, order=0).dataobj)
        there = np.asarray(still.dataobj)
        return 2 * ((moved == there) & (there > 0)).sum() / ((moved > 0).sum() + (there > 0).sum())

    assert overlap(1001, 1001) > 0.8
    assert overlap(1002, 1002) > 0.8
    assert overlap(1001, 1002) < 0.75
    affines = [nib.load(phantom / f"{kind}_train_1001_label.nii.gz").affine for kind in ("ct", "mr")]
    assert np.count_nonzero(affines[0][:3, :3]) == 3
    assert np.count_nonzero(affines[1][:3, :3]) == 9  # oblique


def test_the_descending_aortas_table_leads_to_the_aorta(phantom: Path):
    with (phantom / "ct_train_1001_descending_aorta.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["slice"]) for row in rows] == list(range(SMALL["size"][2]))
    image = np.asarray(nib.load(phantom / "ct_train_1001_image.nii.gz").dataobj)
    values = [image[round(float(row["x"])), round(float(row["y"])), int(row["slice"])] for row in rows]
    assert np.median(values) > 280  # contrast agent
    assert min(values) > 150
    assert all(10 <= float(row["radius_mm"]) <= 16 for row in rows)


def test_a_patient_depends_on_seed_and_number():
    (group, first), (_, again), (_, other), (next_group, _) = (
        whole_heart_phantom(seed, number) for seed, number in ((3, 1), (3, 1), (4, 1), (3, 2))
    )
    assert first.heart.radius == again.heart.radius != other.heart.radius
    assert (group, next_group) == ("NOR", "DCM")


def test_a_stopped_run_leaves_nothing_half_and_goes_on(phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    saved: list[Path] = []
    save = write_mmwhs._save

    def save_three(path: Path, *arguments: object) -> None:
        if len(saved) == 3:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write_mmwhs, "_save", save_three)
    with pytest.raises(KeyboardInterrupt):
        write_mmwhs_phantom(tmp_path, patients=2, seed=3, modality="mr", **SMALL)
    assert {path.name[:13] for path in tmp_path.glob("mr_*")} == {"mr_train_1001"}
    monkeypatch.undo()

    kept = (tmp_path / "mr_train_1001_image.nii.gz").stat().st_mtime_ns
    counts: list[int] = []
    write_mmwhs_phantom(tmp_path, patients=2, seed=3, modality="mr", progress=counts.append, **SMALL)
    assert counts == [1, 2]
    assert (tmp_path / "mr_train_1001_image.nii.gz").stat().st_mtime_ns == kept
    expected = {name: bytes_ for name, bytes_ in contents(phantom).items() if name.startswith("mr_")}
    assert contents(tmp_path) == expected


def test_impossible_requests_are_refused_before_anything_is_written(tmp_path: Path):
    for arguments, error, words in (
        ({"patients": 0, "seed": 1}, InputError, "at least 1 patient"),
        ({"patients": 1, "seed": -1}, InputError, "at least 1 patient"),
        ({"patients": 1, "seed": 1, "modality": "us"}, InputError, "'ct' or 'mr'"),
        ({"patients": 1, "seed": 1, "size": (1, 8, 8)}, ShapeError, "at least 2"),
        ({"patients": 1, "seed": 1, "spacing": (1.0, 0.0, 1.0)}, SpacingError, "positive"),
    ):
        with pytest.raises(error, match=words):
            write_mmwhs_phantom(tmp_path / "new", **arguments)
    assert list(tmp_path.iterdir()) == []
