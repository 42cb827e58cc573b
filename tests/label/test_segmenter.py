"""A bundle's network on a stack."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from stacks import heart_stack

from monai_cardiacgen.data.files import save_checkpoint
from monai_cardiacgen.errors import CheckpointError, IntensityError
from monai_cardiacgen.label.segmenter import Segmenter

BUNDLE = Path(__file__).parents[2] / "bundles" / "cardiac_segmentation"


@pytest.fixture
def bundle(tmp_path):
    copytree(BUNDLE / "configs", tmp_path / "bundle" / "configs")
    return tmp_path / "bundle"


def write_weights(bundle, winner):
    """Write weights with which class `winner` wins everywhere."""
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    weights = parser.get_parsed_content("network_def").state_dict()
    last = [name for name in weights if name.endswith("bias")][-1]
    weights = {name: torch.zeros_like(value) for name, value in weights.items()}
    weights[last][winner] = 9.0
    save_checkpoint(bundle / "models" / "model.pt", weights)


def test_codes_lie_on_the_files_grid_and_follow_the_weights(bundle):
    segmenter, (image, _) = Segmenter(bundle), heart_stack()
    assert not segmenter.ready
    assert segmenter.version() == 0
    with pytest.raises(CheckpointError, match="train first"):
        segmenter(image, None, {})
    for winner in (3, 1):
        write_weights(bundle, winner)
        label = segmenter(image, None, {}).volumes["label"]
        assert label.shape == image.shape
        assert torch.equal(label.affine, image.affine)
        assert label.unique().tolist() == [winner]  # the whole stack lies within the network's field of view


def test_an_image_without_contrast(bundle):
    write_weights(bundle, 3)
    with pytest.raises(IntensityError, match="contrast"):
        Segmenter(bundle)(MetaTensor(torch.ones(8, 8, 2)), None, {})


def test_other_weights(bundle):
    save_checkpoint(bundle / "models" / "model.pt", {"a": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="got others"):
        Segmenter(bundle)(heart_stack()[0], None, {})
