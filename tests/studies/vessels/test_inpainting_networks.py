"""A training of the inpainting networks that goes on, and a generator that comes back from its files."""

from __future__ import annotations

import pytest
import torch
from vessel_patches import SPACING, patch, without_truth

from monai_cardiacgen.data.files import load_checkpoint, read_csv, save_checkpoint, write_json
from monai_cardiacgen.errors import CheckpointError, InputError
from monai_cardiacgen.studies.vessels.inpainting_networks import (
    InpaintingBudget,
    VesselInpainter,
    new_inpainting_networks,
    train_inpainter,
    vessel_places,
)

PATCHES = [patch(number, side=40) for number in range(6)]
SMALL = {"iterations_per_round": 2, "batch_size": 3, "patch_size": 32, "channels": (2, 4), "features": 2}


def weights(inpainter: VesselInpainter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in inpainter.generator.state_dict().items()}


def test_a_training_that_goes_on_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    budget = InpaintingBudget(iterations=4, **SMALL)
    done = []
    whole = train_inpainter(PATCHES, tmp_path / "whole", budget=budget, seed=3, progress=lambda *one: done.append(one))

    class StopError(Exception):
        pass

    def stop(at: int, total: int) -> None:
        if at == 3:
            raise StopError

    with pytest.raises(StopError):
        train_inpainter(PATCHES, tmp_path / "parts", budget=budget, seed=3, progress=stop)
    rest = train_inpainter(PATCHES, tmp_path / "parts", budget=budget, seed=3)
    assert done[-1] == (4, 4)
    assert all(torch.equal(value, weights(rest)[name]) for name, value in weights(whole).items())
    curves = read_csv(tmp_path / "parts" / "inpainter.csv")
    assert [row["iteration"] for row in curves] == ["2", "4"]
    assert {"critic_estimate", "gradient_norm", "reconstruction", "expectation"} <= set(curves[0])


def test_the_generator_that_comes_back_is_the_running_average(tmp_path):
    inpainter = train_inpainter(PATCHES, tmp_path, budget=InpaintingBudget(iterations=2, **SMALL))
    state = load_checkpoint(tmp_path / "inpainter.pt")["training"]
    name = "output.1.weight"
    assert torch.equal(inpainter.generator.state_dict()[name], state["average"][f"module.{name}"])
    assert not torch.equal(inpainter.generator.state_dict()[name], state["network"][name])
    assert not inpainter.generator.training


def test_files_hold_the_network_and_what_is_told_of_it(tmp_path):
    inpainter = VesselInpainter(new_inpainting_networks(32, (2, 4), 2, seed=1).generator)
    back = VesselInpainter.from_bundle(inpainter.to_bundle(tmp_path, {"spacing": 2.0}))
    assert back.about == {"spacing": 2.0}
    assert all(torch.equal(value, weights(back)[name]) for name, value in weights(inpainter).items())
    assert VesselInpainter.from_bundle(back.to_bundle(tmp_path / "again")).about == back.about


def test_weights_follow_from_the_seed_and_leave_the_callers_draws():
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    one, same, other = (new_inpainting_networks(32, (2, 4), 2, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one.critic.output.weight, same.critic.output.weight)
    assert not torch.equal(one.critic.output.weight, other.critic.output.weight)


def test_vessels_lie_where_the_truth_says_or_the_tracker():
    true = {**PATCHES[0], "true_centre": torch.tensor([1.0, 2.0])}
    places = vessel_places([true, without_truth(PATCHES[1])])
    assert torch.equal(places[0]["centre"], torch.tensor([1.0, 2.0]))
    assert float(places[0]["radius"]) == pytest.approx(true["true_radius"] / SPACING)
    assert float(places[1]["radius"]) == pytest.approx(PATCHES[1]["radius"] / SPACING)
    assert torch.equal(places[1]["centre"], PATCHES[1]["centre"])


def test_missing_and_foreign_files_are_one_error(tmp_path):
    with pytest.raises(CheckpointError, match="train it"):
        VesselInpainter.from_bundle(tmp_path)
    folder = VesselInpainter(new_inpainting_networks(32, (2, 4), 2, seed=1).generator).to_bundle(tmp_path)
    save_checkpoint(folder / "models" / "inpainter.pt", {"other": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="other"):
        VesselInpainter.from_bundle(folder)
    write_json(folder / "configs" / "inpainter.json", {"generator": {"spatial_dims": 7}, "about": {}})
    with pytest.raises(InputError, match="2 or 3"):
        VesselInpainter.from_bundle(folder)


def test_nothing_to_train_with_and_a_broken_round_are_refused(tmp_path):
    with pytest.raises(InputError, match="patches"):
        train_inpainter([], tmp_path)
    with pytest.raises(InputError, match="multiple of 100"):
        InpaintingBudget(iterations=150)
