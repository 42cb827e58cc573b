"""Reading bundles that are missing, damaged or hostile."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from small_hearts import tiny_synthesizer

from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer


@pytest.fixture
def bundle(tmp_path):
    return tiny_synthesizer().to_bundle(tmp_path / "bundle")


def test_nothing_there(tmp_path):
    with pytest.raises(CheckpointError, match="Pass the bundle's folder"):
        CardiacSynthesizer.from_bundle(tmp_path)


@pytest.mark.parametrize("name", ["model.pt", "synthesizer.pt"])
def test_truncated_weights(bundle, name):
    path = bundle / "models" / name
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=name):
        CardiacSynthesizer.from_bundle(bundle)


def test_description_of_other_networks(bundle):
    path = bundle / "configs" / "synthesizer.json"
    description = json.loads(path.read_text())
    description["generator"]["style_size"] = 7
    path.write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match="do not fit together"):
        CardiacSynthesizer.from_bundle(bundle)


@pytest.mark.parametrize("content", ["", "[1, 2]", "{", '{"format": 99}', "{}"])
def test_odd_description(bundle, content):
    (bundle / "configs" / "synthesizer.json").write_text(content)
    with pytest.raises(CheckpointError, match="synthesizer"):
        CardiacSynthesizer.from_bundle(bundle)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (eval, ("open('exploded', 'w')",))


def test_a_pickle_bomb_does_not_explode(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"styles": Bomb()}, bundle / "models" / "synthesizer.pt", pickle_module=pickle)
    with pytest.raises(CheckpointError, match=r"synthesizer\.pt"):
        CardiacSynthesizer.from_bundle(bundle)
    assert not (tmp_path / "exploded").exists()
