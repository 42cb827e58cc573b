"""Patients appear whole or not at all."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom.patient_folders import patient_generator, write_patient_folders


def test_a_stopped_run_leaves_no_half_patient_and_the_next_goes_on(tmp_path):
    def write(folder, name, number):
        (folder / "first.txt").write_text(name)
        if number == 2 and not (tmp_path / "again").exists():
            raise KeyboardInterrupt
        (folder / "second.txt").write_text(str(number))

    with pytest.raises(KeyboardInterrupt):
        write_patient_folders(tmp_path / "out", 3, 0, "p{:02d}", write, None)
    assert [path.name for path in (tmp_path / "out").glob("p*")] == ["p01"]
    (tmp_path / "again").touch()
    seen = []
    write_patient_folders(tmp_path / "out", 3, 0, "p{:02d}", write, seen.append)
    assert seen == [1, 2, 3]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["p01", "p02", "p03"]
    assert (tmp_path / "out" / "p02" / "second.txt").read_text() == "2"


@pytest.mark.parametrize(("patients", "seed"), [(0, 0), (1, -1)])
def test_numbers_out_of_range_are_refused(tmp_path, patients, seed):
    with pytest.raises(InputError, match="at least 1 patient"):
        write_patient_folders(tmp_path / "out", patients, seed, "p{}", lambda *_: None, None)
    assert not (tmp_path / "out").exists()


def test_generators_differ_by_seed_number_and_stream():
    drawn = [torch.rand(1, generator=patient_generator(*given)).item() for given in ((0, 1), (1, 1), (0, 2), (0, 1, 1))]
    assert len(set(drawn)) == 4
    assert torch.rand(1, generator=patient_generator(0, 1)).item() == drawn[0]
