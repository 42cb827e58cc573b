from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.camus import read_camus
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom import write_camus, write_camus_phantom

KEYS = ["ED", "ES", "NbFrame", "Sex", "Age", "ImageQuality", "EF", "FrameRate"]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camus_phantom(tmp_path_factory.mktemp("phantom"), patients=2, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() if path.suffix == ".cfg" else np.asarray(nib.load(path).dataobj).tobytes()
        for path in sorted(folder.iterdir())
    }


def info(path: Path) -> dict[str, str]:
    return dict(line.split(": ") for line in path.read_text().splitlines())


def test_every_patient_has_the_datasets_files(phantom: Path):
    assert sorted(path.name for path in phantom.iterdir()) == ["patient0001", "patient0002"]
    for patient in phantom.iterdir():
        images = {
            f"{patient.name}_{view}_{phase}{kind}.nii.gz"
            for view in ("2CH", "4CH")
            for phase in ("ED", "ES")
            for kind in ("", "_gt")
        }
        assert {path.name for path in patient.iterdir()} == images | {"Info_2CH.cfg", "Info_4CH.cfg"}


def test_the_camus_reader_reads_it(phantom: Path):
    items = read_camus(phantom)
    assert len(items) == 8
    assert {(item["view"], item["phase"]) for item in items} == {(v, p) for v in ("2CH", "4CH") for p in ("ED", "ES")}
    for item in items:
        assert item["spacing"] == pytest.approx((0.308, 0.308))
        assert item["quality"] in ("Good", "Medium", "Poor")
        assert item["ejection_fraction"] == int(info(phantom / item["patient"] / f"Info_{item['view']}.cfg")["EF"])


def test_images_and_labels_are_as_camus_has_them(phantom: Path):
    for path in phantom.glob("*/*_gt.nii.gz"):
        label, image = nib.load(path), nib.load(str(path).replace("_gt", ""))
        assert image.shape == label.shape
        assert len(image.shape) == 2
        assert image.shape[0] > image.shape[1]  # across the sector before the depth
        assert image.get_data_dtype() == label.get_data_dtype() == np.uint8
        np.testing.assert_allclose(image.header.get_zooms(), (0.308, 0.308), rtol=1e-4)
        np.testing.assert_array_equal(image.affine, label.affine)
        assert set(np.unique(label.dataobj)) == {0, 1, 2, 3}


def test_info_has_the_datasets_entries(phantom: Path):
    for patient in phantom.iterdir():
        views = [info(patient / f"Info_{view}.cfg") for view in ("2CH", "4CH")]
        for entries in views:
            assert list(entries) == KEYS
            assert entries["ImageQuality"] in ("Good", "Medium", "Poor")
            assert 20 <= int(entries["EF"]) <= 72
            assert 1 == int(entries["ED"]) < int(entries["ES"]) <= int(entries["NbFrame"])
        assert [views[0][key] for key in ("Sex", "Age", "EF")] == [views[1][key] for key in ("Sex", "Age", "EF")]


def test_another_seed_draws_another_patient(phantom: Path, tmp_path: Path):
    # That the same seed repeats a patient, whatever else was written, is seen in the next test.
    other = write_camus_phantom(tmp_path, patients=1, seed=4)
    assert contents(other / "patient0001") != contents(phantom / "patient0001")


def test_a_stopped_run_leaves_no_half_patient_and_goes_on(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    saved: list[Path] = []
    save = write_camus._save

    def save_nine(path: Path, *arguments: object) -> None:
        if len(saved) == 9:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write_camus, "_save", save_nine)
    with pytest.raises(KeyboardInterrupt):
        write_camus_phantom(tmp_path, patients=2, seed=3)
    assert [path.name for path in sorted(tmp_path.glob("patient*"))] == ["patient0001"]
    monkeypatch.undo()

    kept = (tmp_path / "patient0001" / "Info_2CH.cfg").stat().st_mtime_ns
    counts: list[int] = []
    write_camus_phantom(tmp_path, patients=2, seed=3, progress=counts.append)
    assert counts == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["patient0001", "patient0002"]
    assert (tmp_path / "patient0001" / "Info_2CH.cfg").stat().st_mtime_ns == kept
    for name in ("patient0001", "patient0002"):
        assert contents(tmp_path / name) == contents(phantom / name)


@pytest.mark.parametrize(("patients", "seed"), [(0, 1), (1, -1)])
def test_impossible_numbers_are_refused(tmp_path: Path, patients: int, seed: int):
    with pytest.raises(InputError, match="at least 1 patient"):
        write_camus_phantom(tmp_path, patients=patients, seed=seed)
