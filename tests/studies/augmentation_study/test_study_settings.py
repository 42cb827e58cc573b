"""Settings, presets and networks of the augmentation study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.augmentation_study.study_settings import (
    ARMS,
    PRESETS,
    StudySettings,
    network_folder,
    new_network,
    preset_settings,
)


def test_presets_change_the_defaults_and_arguments_change_presets() -> None:
    assert preset_settings("few", "data") == StudySettings(data_dir="data")
    quick = preset_settings("quick", "data", seeds=(4,), arms=None)
    assert quick.seeds == (4,)
    assert quick.amounts == PRESETS["quick"]["amounts"]
    assert set(preset_settings("paper1", "data").arms) == set(ARMS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"arms": ("on_the_fly",)}, "'ordinary' among them"),
        ({"arms": ("ordinary", "magic")}, "Expected arms of"),
        ({"amounts": ()}, "Expected amounts"),
        ({"amounts": (0, 5)}, "Expected amounts"),
        ({"seeds": ()}, "Expected amounts"),
        ({"iterations": 251}, "multiple of 250"),
    ],
)
def test_wrong_settings(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        preset_settings("few", "data", **wrong)


def test_unknown_preset() -> None:
    with pytest.raises(InputError, match="Expected a preset"):
        preset_settings("huge", "data")


@pytest.mark.parametrize("name", ["unet", "enet"])
def test_networks_by_name_and_seed(name: str) -> None:
    before = torch.random.get_rng_state()
    first, again, other = (new_network(name, seed, 4) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    weights = [next(network.parameters()) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert first.eval()(torch.rand(2, 1, 32, 32)).shape == (2, 4, 32, 32)


def test_any_other_network_by_target(tmp_path: Path) -> None:
    path = tmp_path / "basic.json"
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 4, "features": [4, 4, 4, 4, 4, 4]}
    path.write_text(json.dumps({"_target_": "monai.networks.nets.BasicUNet", **arguments}))
    assert new_network(str(path), 0, 4)(torch.rand(2, 1, 32, 32)).shape == (2, 4, 32, 32)
    assert network_folder(str(path)) == "basic"


def test_unknown_network() -> None:
    with pytest.raises(InputError, match="'unet', 'enet' or a JSON file"):
        new_network("vit", 0, 4)
