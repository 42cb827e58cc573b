"""Training a synthesizer on slices: what comes out, and what a stop does to it."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts

from monai_cardiacgen.data.files import load_checkpoint, read_csv
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.synthesis import MovedMiddle, SynthesisBudget, train_synthesizer

BUDGET = SynthesisBudget(iterations=4, iterations_per_round=2, batch_size=4, channels=(16, 8, 8))


def slices(count=10):
    image, label = hearts(count)
    return [{"image": one, "label": other} for one, other in zip(image, label, strict=True)]


def train(folder, **changes):
    arguments = {"spacing": (2.0, 2.0), "spatial_size": (32, 32), "budget": BUDGET, "seed": 1}
    return train_synthesizer(changes.pop("slices", slices()), folder, **{**arguments, **changes})


def weights(synthesizer: CardiacSynthesizer) -> list[torch.Tensor]:
    return list(synthesizer.state_dict().values())


def test_a_synthesizer_with_the_latents_and_styles_of_its_slices_comes_out(tmp_path):
    told = []
    synthesizer = train(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)
    assert len(synthesizer.styles) == len(synthesizer.sampler.latents) == 10
    assert synthesizer.provenance["seed"] == 1
    curves = read_csv(tmp_path / "synthesis.csv")
    assert [int(row["iteration"]) for row in curves] == [2, 4]
    assert {"vae", "discriminator", "adversarial", "reconstruction"} <= set(curves[0])
    image = synthesizer.synthesize(hearts(2)[1][:, 0], None, seeded(0))
    assert image.shape == (2, 1, 32, 32)


def test_stopped_in_the_middle_and_started_again_it_is_the_same(tmp_path):
    whole = train(tmp_path / "whole")

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", progress=stop)
    assert load_checkpoint(tmp_path / "stopped" / "synthesis.pt")["training"]["iteration"] == 2
    again = train(tmp_path / "stopped")
    for one, other in zip(weights(again), weights(whole), strict=True):
        assert torch.equal(one, other)
    assert read_csv(tmp_path / "stopped" / "synthesis.csv") == read_csv(tmp_path / "whole" / "synthesis.csv")


def test_the_callers_random_state_is_left_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_moving_keeps_image_and_label_together_and_never_mirrors():
    """A bright mark on the heart's left stays on its left, and label and image move as one."""
    image = torch.zeros(1, 1, 64, 64)
    image[..., 28:36, 20:28] = 0.5
    label = (image > 0).long()
    image[..., 30:34, 20:24] = 1.0
    prepare = MovedMiddle((48, 48))
    for _ in range(20):
        moved, moved_label = prepare({"image": image, "label": label}, "cpu")
        assert moved.shape == moved_label.shape == (1, 1, 48, 48)
        inside = moved_label[0, 0] > 0
        assert float((moved[0, 0][inside] > 0.2).float().mean()) > 0.9
        columns = torch.arange(48.0)
        mark, whole = (moved[0, 0] > 0.8).float().sum(dim=0), inside.float().sum(dim=0)
        assert (mark * columns).sum() / mark.sum() < (whole * columns).sum() / whole.sum()


def test_wrong_input_is_refused(tmp_path):
    empty = [{"image": torch.rand(1, 32, 32), "label": torch.zeros(1, 32, 32, dtype=torch.int64)}]
    with pytest.raises(InputError, match="slices with hearts"):
        train(tmp_path, slices=empty)
    with pytest.raises(InputError, match="multiple of 50"):
        SynthesisBudget(iterations=60)
