"""Whole hearts from files to a synthesizer in a bundle, very small, and its use as a transform of volumes."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.errors import DataError, InputError, LabelError
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler, StylelessPainter
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter
from monai_cardiacgen.studies.whole_heart.whole_hearts import (
    WholeHeartBudget,
    load_whole_hearts,
    train_whole_hearts,
    whole_heart_synthesizer,
)
from monai_cardiacgen.transforms import RandCardiacSynthd

SIZE, SPACING = (32, 32, 32), (8.0, 8.0, 7.0)
BUDGET = WholeHeartBudget(iterations=4, iterations_per_round=2, batch_size=2, channels=(4, 8), latent_size=3)


@pytest.fixture(scope="module")
def hearts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    write_mmwhs_phantom(folder, 4, 5, "ct", size=(40, 40, 26), spacing=(7.0, 7.0, 9.0))
    return load_whole_hearts(folder, SPACING, SIZE)


def painter(structures=None) -> ConditionalPainter:
    torch.manual_seed(0)
    channels = 1 + len(structures or MM_WHS.names[1:])
    return ConditionalPainter(ConditionalUNetGenerator(2, channels, channels=(4, 4)), structures).eval()


def open_synthesizer(hearts, vae) -> CardiacSynthesizer:
    """Return a synthesizer without the anatomy gate, which a hardly trained shape model does not pass."""
    made = whole_heart_synthesizer(hearts, vae, painter(), SPACING, {"name": "hearts", "version": "1"})
    old = made.sampler
    sampler = LatentSampler(vae, MM_WHS, SPACING, old.latents, old.offsets, check=None, bandwidth=old.bandwidth)
    return CardiacSynthesizer(
        MM_WHS, SPACING, sampler, made.generator, None, made.styles, view="axial", provenance=made.provenance
    )


def test_volumes_come_on_the_grid_that_is_asked_for(hearts):
    assert [one["patient"] for one in hearts] == [f"ct_train_{number}" for number in range(1001, 1005)]
    for one in hearts:
        assert one["label"].shape == (1, *SIZE)
        assert set(one["label"].unique().tolist()) == set(MM_WHS.codes)
        # An adult's heart with its cavities, on a coarse grid.
        assert 0.3 < int((one["label"] > 0).sum()) * 8 * 8 * 7 / 1e6 < 1.6
    # The atria lie behind the ventricles and above: the axes run to the back and to the head.
    label = hearts[0]["label"][0]
    middle = {
        name: torch.nonzero(label == MM_WHS.code(name)).float().mean(dim=0)
        for name in ("left atrium", "left ventricular cavity", "right atrium")
    }
    assert middle["left atrium"][1] > middle["left ventricular cavity"][1]
    assert middle["left ventricular cavity"][0] > middle["right atrium"][0]
    assert middle["left atrium"][2] > middle["left ventricular cavity"][2]


def test_a_stopped_training_ends_with_the_same_weights(hearts, tmp_path):
    class StopError(Exception):
        pass

    def stop(done, total):
        if done == 3:
            raise StopError

    whole = train_whole_hearts(hearts, tmp_path / "whole", BUDGET)
    assert whole.arguments["spatial_size"] == list(SIZE)
    assert whole.arguments["pooling"] == 4
    with pytest.raises(StopError):
        train_whole_hearts(hearts, tmp_path / "parts", BUDGET, progress=stop)
    resumed = train_whole_hearts(hearts, tmp_path / "parts", BUDGET)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_hearts_are_gated_as_volumes_and_painted_slice_by_slice(hearts, tmp_path):
    vae = train_whole_hearts(hearts, tmp_path, BUDGET)
    synthesizer = whole_heart_synthesizer(hearts, vae, painter(), SPACING, {"name": "hearts", "version": "1"})
    assert synthesizer.sampler.check is not None
    assert synthesizer.sampler.check.view == "whole heart"
    label = hearts[0]["label"].to(torch.int64)
    image = synthesizer.synthesize(label, None, seeded(0))
    slices = label[0].movedim(-1, 0)[:, None]
    torch.testing.assert_close(image[0, 0], painter()(slices)[:, 0].movedim(0, -1), rtol=1e-4, atol=1e-5)
    with pytest.raises(LabelError, match="train it on all"):
        whole_heart_synthesizer(hearts, vae, painter(["myocardium"]), SPACING)


def test_a_bundle_keeps_it_beside_the_painter(hearts, tmp_path):
    vae = train_whole_hearts(hearts, tmp_path / "training", BUDGET)
    root = painter().to_bundle(tmp_path / "bundle")
    synthesizer = open_synthesizer(hearts, vae)
    again = CardiacSynthesizer.from_bundle(synthesizer.to_bundle(root))
    assert isinstance(again.generator, StylelessPainter)
    label = hearts[1]["label"].to(torch.int64)
    assert torch.equal(again.synthesize(label, None, seeded(0)), synthesizer.synthesize(label, None, seeded(0)))
    assert torch.equal(
        again.sampler.decode(again.sampler.latents[:1], again.sampler.offsets[:1]),
        synthesizer.sampler.decode(synthesizer.sampler.latents[:1], synthesizer.sampler.offsets[:1]),
    )
    # The painter's own weights are where they were.
    slices = label[0].movedim(-1, 0)[:, None]
    assert torch.equal(ConditionalPainter.from_bundle(root)(slices), painter()(slices))
    assert again.optimize().painter is None  # SPADE alone has a faster form


@pytest.mark.parametrize("mode", ["restyle", "vary"])
def test_a_volume_of_a_training_becomes_synthetic(hearts, tmp_path, mode):
    vae = train_whole_hearts(hearts, tmp_path, BUDGET)
    synth = RandCardiacSynthd(
        ("image", "label"), open_synthesizer(hearts, vae), prob=1.0, mode=mode, intensity_range=(-200, 600)
    )
    affine = torch.diag(torch.tensor([*SPACING, 1.0]))
    label = hearts[0]["label"].to(torch.float32)
    sample = {"image": MetaTensor(100 * torch.ones_like(label), affine), "label": MetaTensor(label, affine)}
    made = synth(sample)
    assert made["image"].shape == made["label"].shape == (1, *SIZE)
    assert made["image"].meta["cardiacgen"]["mode"] == mode
    assert not torch.equal(made["image"].as_tensor(), sample["image"].as_tensor())
    assert -200 <= float(made["image"].min()) <= float(made["image"].max()) <= 600


def test_budgets_are_checked():
    with pytest.raises(InputError, match="multiple of 50"):
        WholeHeartBudget(iterations=70)


def test_a_fitted_shape_model_draws_new_hearts_for_the_transform(hearts, tmp_path):
    """Trained for a moment, with wide blocks of one structure each, the shape model gives hearts of all structures."""
    budget = WholeHeartBudget(iterations=60, iterations_per_round=30, batch_size=4, channels=(8, 16), latent_size=3)
    vae = train_whole_hearts(hearts, tmp_path, budget)
    synth = RandCardiacSynthd(
        ("image", "label"), open_synthesizer(hearts, vae), prob=1.0, mode="new", intensity_range=(-200, 600)
    )
    synth.set_random_state(0)
    affine = torch.diag(torch.tensor([*SPACING, 1.0]))
    label = hearts[0]["label"].to(torch.float32)
    made = synth({"image": MetaTensor(torch.zeros_like(label), affine), "label": MetaTensor(label, affine)})
    assert set(made["label"].unique().tolist()) <= set(MM_WHS.codes)
    assert bool((made["label"] > 0).any())
    assert not torch.equal(made["label"].as_tensor(), label)


def test_a_folder_without_volumes_is_refused(tmp_path):
    with pytest.raises(DataError, match="ct_train_1001"):
        load_whole_hearts(tmp_path)
