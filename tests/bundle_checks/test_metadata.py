"""Metadata and properties, by MONAI's rules and the zoo's."""

from __future__ import annotations

import json
import shutil

import pytest
from bundle_runs import BUNDLES

from monai_cardiacgen.bundle_checks.metadata import check_metadata


@pytest.fixture
def bundle(tmp_path):
    shutil.copytree(BUNDLES / "cine_mr_vaegan" / "configs", tmp_path / "configs")
    return tmp_path


def faults(bundle, name: str, change) -> list[str]:
    """Return all faults after a change of a file's content."""
    path = bundle / "configs" / f"{name}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    checks = check_metadata(bundle)
    assert not any(check.missing for check in checks)
    return [fault for check in checks for fault in check.faults]


def test_ours_passes(bundle):
    assert faults(bundle, "metadata", lambda one: None) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one.pop("task"), "'task' is a required property"),
        (lambda one: one.update(numpy_version=2), "2 is not of type 'string'"),
        (lambda one: one["network_data_format"]["outputs"]["pred"].pop("dtype"), "'dtype' is a required property"),
        (lambda one: one.update(other_data_format={"inputs": {}}), "'outputs' is a required property"),
        (lambda one: one.update(version="9.9.9"), "version 9.9.9 is not in the changelog"),
        (lambda one: one.update(numpy_version="2.4.0"), "numpy 2.4.0 needs a newer Python; state 2.2 or older"),
        (lambda one: one["required_packages_version"].update(scipy="1.17.1"), "scipy 1.17.1 needs a newer Python"),
    ],
)
def test_faults_of_the_metadata_are_told(bundle, change, told):
    (fault,) = faults(bundle, "metadata", change)
    assert told in fault


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("train", lambda one: one["train"].pop("inferer"), "train.json: train#inferer is missing"),
        ("inference", lambda one: one.pop("network_def"), "inference.json: network_def is missing"),
        ("train", lambda one: one["train"]["trainer"].update(train_handlers="@other"), "refer to @train#handlers"),
        ("train", lambda one: one["train"]["handlers"].append("@other"), "an entry of train#handlers is no object"),
    ],
)
def test_faults_of_the_properties_are_told(bundle, name, change, told):
    (fault,) = faults(bundle, name, change)
    assert told in fault
