from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom import GROUPS, write, write_acdc_phantom


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_acdc_phantom(tmp_path_factory.mktemp("phantom"), patients=3, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() if path.suffix == ".cfg" else nib.load(path).get_fdata().tobytes()
        for path in sorted(folder.iterdir())
    }


def test_the_acdc_reader_reads_it(phantom: Path):
    items = read_acdc(phantom)
    assert len(items) == 6
    assert [item["group"] for item in items[::2]] == list(GROUPS[:3])
    for item in items:
        image, label = nib.load(item["image"]), nib.load(item["label"])
        assert image.get_data_dtype() == np.int16
        assert label.get_data_dtype() == np.uint8
        assert 1.2 <= item["spacing"][0] <= 1.8
        assert 5 <= item["spacing"][2] <= 10
        np.testing.assert_allclose(np.diag(image.affine)[:3] * (-1, -1, 1), item["spacing"], rtol=1e-6)
        assert set(np.unique(label.dataobj)) == {0, 1, 2, 3}


def test_info_has_the_challenges_entries(phantom: Path):
    lines = (phantom / "patient002" / "Info.cfg").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["ED", "ES", "Group", "Height", "NbFrame", "Weight"]


def test_the_base_comes_first_and_systole_is_smaller(phantom: Path):
    items = read_acdc(phantom)
    for diastole, systole in zip(items[::2], items[1::2], strict=True):
        cavity = [(np.asarray(nib.load(item["label"]).dataobj) == 3).sum((0, 1)) for item in (diastole, systole)]
        half = len(cavity[0]) // 2
        assert cavity[0][:half].sum() > cavity[0][half:].sum()
        assert cavity[1].sum() < cavity[0].sum()


def test_another_seed_draws_another_patient(phantom: Path, tmp_path: Path):
    # That the same seed repeats a patient, whatever else was written, is seen in the next test.
    other = write_acdc_phantom(tmp_path / "other", patients=1, seed=4)
    assert contents(other / "patient001") != contents(phantom / "patient001")


def test_a_stopped_run_leaves_no_half_patient_and_goes_on(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    saved: list[Path] = []
    save = write._save

    def save_five(path: Path, *arguments: object) -> None:
        if len(saved) == 5:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "_save", save_five)
    with pytest.raises(KeyboardInterrupt):
        write_acdc_phantom(tmp_path, patients=2, seed=3)
    assert [path.name for path in sorted(tmp_path.glob("patient*"))] == ["patient001"]
    assert len(read_acdc(tmp_path)) == 2
    monkeypatch.undo()

    kept = (tmp_path / "patient001" / "Info.cfg").stat().st_mtime_ns
    counts: list[int] = []
    write_acdc_phantom(tmp_path, patients=2, seed=3, progress=counts.append)
    assert counts == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["patient001", "patient002"]
    assert (tmp_path / "patient001" / "Info.cfg").stat().st_mtime_ns == kept
    assert contents(tmp_path / "patient001") == contents(phantom / "patient001")
    assert contents(tmp_path / "patient002") == contents(phantom / "patient002")


@pytest.mark.parametrize(("patients", "seed"), [(0, 1), (1, -1)])
def test_impossible_numbers_are_refused(tmp_path: Path, patients: int, seed: int):
    with pytest.raises(InputError, match="at least 1 patient"):
        write_acdc_phantom(tmp_path, patients=patients, seed=seed)
