"""All checks together, on bundles as they are shipped."""

from __future__ import annotations

import pytest
from bundle_runs import BUNDLES

from monai_cardiacgen.bundle_checks import check_bundle
from monai_cardiacgen.errors import DataError

NAMES = sorted(path.name for path in BUNDLES.iterdir() if (path / "configs").is_dir())
#: What each bundle has beside what the zoo asks for.
OURS = ("configs/evaluate.json", "configs/multi_gpu_train.json", "docs/data_license.txt")


def test_there_are_six():
    assert len(NAMES) == 6


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_passes_every_check_that_its_weights_allow(name):
    checks = check_bundle(BUNDLES / name)
    assert [fault for check in checks for fault in check.faults] == []
    has_weights = (BUNDLES / name / "models" / "model.pt").is_file()
    assert sum(bool(check.missing) for check in checks) == (0 if has_weights else 3)
    assert all((BUNDLES / name / one).is_file() for one in OURS)


def test_what_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no configs/metadata.json"):
        check_bundle(tmp_path)
