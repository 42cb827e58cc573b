"""Networks beside their metadata and their exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from monai_cardiacgen.bundle_checks import networks
from monai_cardiacgen.bundle_checks.networks import check_networks

CONVOLUTION = {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2, "kernel_size": 3, "padding": 1}


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A bundle of one convolution."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "models").mkdir()
    tensor = {"type": "image", "format": "segmentation", "spatial_shape": ["4*n", 8], "dtype": "float32"}
    told = {"inputs": {"image": {**tensor, "num_channels": 3}}, "outputs": {"pred": {**tensor, "num_channels": 2}}}
    for name, content in (
        ("metadata", {"network_data_format": told}),
        ("train", {"network_def": CONVOLUTION}),
        ("inference", {"network_def": CONVOLUTION}),
    ):
        (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(content))
    torch.save(torch.nn.Conv2d(3, 2, 3, padding=1).state_dict(), tmp_path / "models" / "model.pt")
    return tmp_path


def test_a_network_that_keeps_its_word_passes(bundle):
    checks = check_networks(bundle)
    assert [check.passed for check in checks] == [True] * 3, checks
    assert sorted(path.name for path in bundle.rglob("*.*")) == [
        "inference.json",
        "metadata.json",
        "model.pt",
        "train.json",
    ]  # exports are gone


def test_without_weights_only_the_training_is_checked(bundle):
    (bundle / "models" / "model.pt").unlink()
    first, *others = check_networks(bundle)
    assert first.passed
    assert "train.json" in first.name
    assert all("needs models/model.pt" in check.missing for check in others)
    assert len(others) == 3


def test_another_number_of_channels_is_told(bundle):
    path = bundle / "configs" / "metadata.json"
    path.write_text(path.read_text().replace('"num_channels": 2', '"num_channels": 5'))
    first, *_ = check_networks(bundle)
    assert "output channel number `2` doesn't match: `5`" in first.faults[0]


def test_an_export_that_differs_is_told(bundle, monkeypatch):
    monkeypatch.setattr(networks, "_as_torchscript", lambda folder, example, beside: torch.zeros(1, 2, 4, 8))
    assert "apart, more than 0.0001" in check_networks(bundle)[1].faults[0]


def test_missing_packages_are_told(bundle, monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    assert "pip install 'monai_cardiacgen[bundles]'" in check_networks(bundle)[2].missing
