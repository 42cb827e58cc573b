"""Training a shape model alone: what it is told, how maps are moved, and what a stop does to it."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts

from monai_cardiacgen.anatomy.labels import LabelScheme
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.files import load_checkpoint, read_csv
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.shape_model import (
    MovedHearts,
    ShapeBudget,
    heart_maps,
    slice_conditions,
    train_shape_model,
)

BUDGET = ShapeBudget(iterations=4, iterations_per_round=2, batch_size=4, channels=(8, 16), latent_size=3)


def slices() -> list[dict]:
    """Two patients of two phases with four slices each, the first of them without a heart."""
    _, labels = hearts(16)
    made = []
    for number, label in enumerate(labels):
        label = label if number % 4 else torch.zeros_like(label)
        patient, phase = f"p{number // 8}", ("ED", "ES")[number // 4 % 2]
        made.append({"label": label, "patient": patient, "phase": phase, "slice": number % 4})
    return made


def test_maps_are_hearts_in_the_middle():
    maps = heart_maps(slices(), conditioned=False)
    assert len(maps) == 12
    for one in maps:
        assert set(one) == {"label"}
        where = torch.nonzero(one["label"][0]).float().mean(dim=0)
        assert bool(((where - 15.5).abs() <= 0.5).all())
    with pytest.raises(InputError, match="got 1 slices without any label"):
        heart_maps(slices()[:1], conditioned=False)


def test_conditions_run_from_base_to_apex_and_tell_the_phase():
    maps = heart_maps(slices(), conditioned=True)
    told = torch.stack([one["condition"] for one in maps])
    assert told[:6].tolist() == [[-1, -1], [0, -1], [1, -1], [-1, 1], [0, 1], [1, 1]]
    alone = slice_conditions([{"patient": "p", "phase": "ED", "slice": 7}])
    assert alone.tolist() == [[-1.0, -1.0]]


def test_moving_keeps_hearts_whole_and_about_their_size():
    _, labels = hearts(40)
    label = torch.stack([one["label"] for one in heart_maps([{"label": one} for one in labels], conditioned=False)])
    moved = MovedHearts(ACDC)
    one_hot, condition = moved({"label": label}, "cpu")
    assert condition is None
    assert one_hot.shape == (40, 4, 32, 32)
    assert bool((one_hot.sum(dim=1) == 1).all())
    assert set(one_hot.unique().tolist()) == {0.0, 1.0}
    sizes = one_hot[:, 1:].sum(dim=(1, 2, 3)) / (label > 0).sum(dim=(1, 2, 3))
    assert 0.9 < float(sizes.mean()) < 1.1
    assert float(sizes.log().std()) > 0.1
    assert float((one_hot.argmax(dim=1) != label[:, 0]).float().mean()) > 0.02


def test_without_amplitude_nothing_moves():
    _, labels = hearts(6)
    still = MovedHearts(ACDC, rotation=0, scale=0, bend=0)
    assert torch.equal(still({"label": labels}, "cpu")[0].argmax(dim=1), labels[:, 0])


def test_a_rotation_turns_by_its_angle():
    """A bar along the rows, turned by at most 90 degrees, has its longest extent where the angle says."""
    bar = torch.zeros(200, 1, 32, 32, dtype=torch.int64)
    bar[:, 0, 15:17, 4:28] = 1
    scheme = LabelScheme("bar", (ACDC.structures[0],))
    turned = MovedHearts(scheme, rotation=90, scale=0, bend=0)({"label": bar}, "cpu")[0][:, 1]
    where = [torch.nonzero(one).float() - 15.5 for one in turned]
    angles = torch.tensor([float(torch.atan2(*torch.linalg.svd(one, full_matrices=False)[2][0])) for one in where])
    upright = (angles.sin().abs()).sort().values  # uniform angles in 0 ... 90 degrees: sin of them
    expected = torch.linspace(0, torch.pi / 2, 200).sin()
    assert float((upright - expected).abs().max()) < 0.15


def test_draws_follow_the_generator():
    _, labels = hearts(4)
    moved = MovedHearts(ACDC)
    results = []
    for seed in (1, 1, 2):
        moved.generator = seeded(seed)
        results.append(moved({"label": labels}, "cpu")[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize("conditioned", [False, True])
def test_it_trains_and_is_told_what_the_maps_tell(tmp_path, conditioned):
    told = []
    vae = train_shape_model(
        heart_maps(slices(), conditioned),
        tmp_path,
        budget=BUDGET,
        progress=lambda done, total: told.append((done, total)),
    )
    assert vae.condition_size == (2 if conditioned else 0)
    assert not vae.training
    assert (told[0], told[-1]) == ((0, 4), (4, 4))
    assert [int(row["iteration"]) for row in read_csv(tmp_path / "shape_model.csv")] == [2, 4]


def test_a_stopped_training_ends_with_the_same_weights(tmp_path):
    class StopError(Exception):
        pass

    def stop(done, total):
        if done == 3:
            raise StopError

    maps = heart_maps(slices(), conditioned=True)
    whole = train_shape_model(maps, tmp_path / "whole", budget=BUDGET)
    with pytest.raises(StopError):
        train_shape_model(maps, tmp_path / "parts", budget=BUDGET, progress=stop)
    assert load_checkpoint(tmp_path / "parts" / "shape_model.pt")["iteration"] == 2
    resumed = train_shape_model(maps, tmp_path / "parts", budget=BUDGET)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_budgets_are_checked():
    with pytest.raises(InputError, match="multiple of 100"):
        ShapeBudget(iterations=150)
    with pytest.raises(InputError, match="batches of at least 2"):
        ShapeBudget(batch_size=1)
