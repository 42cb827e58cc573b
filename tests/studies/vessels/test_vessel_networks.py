"""A training that goes on, networks that come back from their files, latents that repeat."""

from __future__ import annotations

import pytest
import torch
from vessel_patches import patch

from monai_cardiacgen.data.files import load_checkpoint, read_csv, write_json
from monai_cardiacgen.errors import CheckpointError, InputError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.vessel_networks import (
    Latents,
    VesselBudget,
    VesselGAN,
    new_vessel_gan,
    train_vessel_gan,
)

PATCHES = [patch(number, side=20) for number in range(6)]
SMALL = {"iterations_per_round": 2, "batch_size": 3, "patch_size": 16, "features": 2, "latent_size": 5}


def weights(gan: VesselGAN) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in gan.state_dict().items()}


def test_a_training_that_goes_on_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    budget = VesselBudget(iterations=4, **SMALL)
    done = []
    whole = train_vessel_gan(
        PATCHES, tmp_path / "whole", budget=budget, seed=3, progress=lambda *told: done.append(told)
    )

    class StopError(Exception):
        pass

    def stop(at: int, total: int) -> None:
        if at == 3:
            raise StopError

    with pytest.raises(StopError):
        train_vessel_gan(PATCHES, tmp_path / "parts", budget=budget, seed=3, progress=stop)
    rest = train_vessel_gan(PATCHES, tmp_path / "parts", budget=budget, seed=3)
    assert done[-1] == (4, 4)
    assert all(torch.equal(value, weights(rest)[name]) for name, value in weights(whole).items())
    curves = read_csv(tmp_path / "parts" / "vessel.csv")
    assert [row["iteration"] for row in curves] == ["2", "4"]
    assert {"critic_estimate", "gradient_norm"} <= set(curves[0])


def test_the_generator_that_comes_back_is_the_running_average(tmp_path):
    gan = train_vessel_gan(PATCHES, tmp_path, budget=VesselBudget(iterations=2, **SMALL))
    state = load_checkpoint(tmp_path / "vessel.pt")["training"]
    assert torch.equal(gan.generator.output[0].weight, state["average"]["module.output.0.weight"])
    assert not torch.equal(gan.generator.output[0].weight, state["network"]["output.0.weight"])


def test_files_hold_the_networks_and_what_is_told_of_them(tmp_path):
    gan = new_vessel_gan(16, 2, 5, seed=1).eval()
    back = VesselGAN.from_bundle(gan.to_bundle(tmp_path, {"spacing": 2.0}))
    assert back.about == {"spacing": 2.0}
    assert all(torch.equal(value, weights(back)[name]) for name, value in weights(gan).items())
    assert torch.allclose(back.sample(5, seeded(0), batch=2), gan.sample(5, seeded(0)), atol=1e-5)
    assert VesselGAN.from_bundle(back.to_bundle(tmp_path / "again")).about == back.about


def test_weights_follow_from_the_seed_and_leave_the_callers_draws():
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    one, same, other = (new_vessel_gan(16, 2, 5, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one.critic.output.weight, same.critic.output.weight)
    assert not torch.equal(one.critic.output.weight, other.critic.output.weight)


def test_missing_and_foreign_files_are_one_error(tmp_path):
    with pytest.raises(CheckpointError, match="train them"):
        VesselGAN.from_bundle(tmp_path)
    new_vessel_gan(16, 2, 5, 0).to_bundle(tmp_path)
    new_vessel_gan(16, 4, 5, 0).to_bundle(tmp_path / "wide")
    (tmp_path / "wide" / "models" / "critic.pt").replace(tmp_path / "models" / "critic.pt")
    with pytest.raises(CheckpointError, match="generator and critic"):
        VesselGAN.from_bundle(tmp_path)
    write_json(tmp_path / "configs" / "networks.json", {"generator": {}})
    with pytest.raises(CheckpointError, match="generator and critic"):
        VesselGAN.from_bundle(tmp_path)


def test_latents_depend_on_seed_and_number_alone():
    few, many, other = Latents(3, 5, 1, 2.0), Latents(6, 5, 1, 2.0), Latents(3, 5, 2, 2.0)
    assert all(torch.equal(few[n]["image"], many[n]["image"]) for n in range(3))
    assert not torch.equal(few[0]["image"], other[0]["image"])
    assert few[2]["image"].meta["filename_or_obj"] == "patch_000002.nii.gz"
    assert few[0]["image"].affine.diag().tolist() == [2, 2, 1, 1]
    drawn = torch.stack([one["image"].as_tensor() for one in Latents(2000, 5, 0, 2.0)])
    assert torch.allclose(drawn.mean(dim=0), torch.zeros(5), atol=0.1)
    assert torch.allclose(drawn.T.cov(), torch.eye(5), atol=0.12)


def test_no_patches_and_broken_rounds_are_refused(tmp_path):
    with pytest.raises(InputError, match="got none"):
        train_vessel_gan([], tmp_path)
    with pytest.raises(InputError, match="multiple of 100"):
        VesselBudget(iterations=250)


def test_a_training_begins_with_given_networks(tmp_path):
    begin = new_vessel_gan(16, 2, 5, seed=8)
    given = weights(begin)
    still = VesselBudget(iterations=2, learning_rate=1e-12, **SMALL)
    made = weights(train_vessel_gan(PATCHES, tmp_path, budget=still, seed=3, begin=begin))
    assert all(torch.allclose(made[name], value, atol=1e-6) for name, value in given.items())
