"""What lies in a bundle's folder."""

from __future__ import annotations

import pytest

from monai_cardiacgen.bundle_checks.files import MOST_BYTES, check_files

NEEDED = ["LICENSE", *(f"configs/{n}" for n in ("metadata.json", "train.json", "inference.json", "logging.conf"))]


@pytest.fixture
def bundle(tmp_path):
    for name in (*NEEDED, "docs/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("runs/demo and https://example.org/home/page are no paths of one machine\n")
    return tmp_path


def test_a_whole_bundle_passes(bundle):
    assert all(check.passed for check in check_files(bundle))


def test_what_is_missing_is_named(bundle):
    (bundle / "docs" / "README.md").unlink()
    assert check_files(bundle)[0].faults == ("docs/README.md is missing; add it.",)


def test_a_large_file_is_named(bundle):
    (bundle / "models").mkdir()
    with (bundle / "models" / "model.pt").open("wb") as file:
        file.truncate(MOST_BYTES)
    (fault,) = check_files(bundle)[1].faults
    assert "models/model.pt has 25 MB" in fault


@pytest.mark.parametrize(
    "path", ["/home/me/data", "/root/x", "/Users/me", "C:\\data", "~/data", "/workspace/data", "/mnt/disk/set"]
)
@pytest.mark.parametrize("name", ["configs/train.json", "docs/README.md", "LICENSE"])
def test_a_path_of_one_machine_is_named(bundle, path, name):
    with (bundle / name).open("a") as file:
        file.write(f'"dataset_dir": "{path}"\n')
    (fault,) = check_files(bundle)[2].faults
    assert fault.startswith(f"{name}, line 2: {path[:6]}")
