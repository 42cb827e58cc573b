"""Reading bundles that are missing, damaged or hostile."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from small_hearts import VIEWS, conditional_synthesizer, hearts, tiny_gan, tiny_synthesizer

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS
from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded


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


def test_conditions_come_back_and_can_be_asked_for(tmp_path):
    images, labels = hearts(12)
    conditions = torch.eye(2)[torch.arange(12) % 2]
    torch.manual_seed(0)
    vae = AnatomicalVAE(2, ACDC.num_classes, (32, 32), latent_size=4, channels=(8, 16), condition_size=2)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(vae(ACDC.one_hot(labels[:, 0]), conditions), labels[:, 0]).backward()
        optimizer.step()
    told = {"view": ["2CH", "4CH"] * 6}
    sampler = LatentSampler.fit(vae, ACDC, (2.0, 2.0), labels[:, 0], check=None, told=told, conditions=conditions)
    gan = tiny_gan().eval()
    styles = gan.style_encoder(images)
    written = CardiacSynthesizer(ACDC, (2.0, 2.0), sampler, gan.generator, gan.style_encoder, styles)
    read = CardiacSynthesizer.from_bundle(written.to_bundle(tmp_path / "bundle"))
    assert torch.equal(read.sampler.conditions, conditions)
    asked = [one.sampler.targeted(3, seeded(0), {"view": "4CH"}) for one in (written, read)]
    assert torch.equal(asked[0].label, asked[1].label)
    assert asked[1].condition.tolist() == [[0, 1]] * 3
    for cases in (read.sample(2, seeded(1)), read.vary(images[:2], labels[:2, 0], 0.3, seeded(2))):
        assert cases.image.shape == (2, 1, 32, 32)


@pytest.mark.parametrize("style_size", [6, 0])
def test_a_conditional_painter_comes_back_with_a_style_and_without(tmp_path, style_size):
    written = conditional_synthesizer(style_size, VIEWS)
    read = CardiacSynthesizer.from_bundle(written.to_bundle(tmp_path / "bundle"))
    assert read.generator.condition_size == 2
    assert read.heart_condition == VIEWS
    view = {"view": "4CH"}
    assert torch.equal(read.sample(1, seeded(1), view).image, written.sample(1, seeded(1), view).image)
    assert (read.style_encoder is None) == (style_size == 0)
    assert torch.equal(read.sample(2, seeded(1)).image, written.sample(2, seeded(1)).image)


def test_the_gate_comes_back_with_its_view(tmp_path):
    written = tiny_synthesizer()
    written.sampler.check = AnatomyCheck(CAMUS, view="apical")
    written.scheme = CAMUS
    read = CardiacSynthesizer.from_bundle(written.to_bundle(tmp_path / "bundle"))
    assert read.sampler.check.view == "apical"
