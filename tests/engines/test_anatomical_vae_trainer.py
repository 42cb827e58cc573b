"""The shape model's trainer: it learns, fires MONAI's events, and goes on bit for bit."""

from __future__ import annotations

import io

import pytest
import torch
from monai.engines.utils import IterationEvents

from monai_cardiacgen.engines.anatomical_vae_trainer import AnatomicalVAETrainer, prepare_one_hot
from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.losses import EvidenceLowerBoundLoss
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE


def discs(count: int = 8, side: int = 16) -> torch.Tensor:
    """One-hot maps of discs of different sizes, `(count, 2, side, side)`."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    distance = ((y - 7.5) ** 2 + (x - 7.5) ** 2).sqrt()
    inside = torch.stack([distance < 2 + 5 * row / count for row in range(count)]).float()
    return torch.stack((1 - inside, inside), dim=1)


def trainer(max_epochs: int = 2, learning_rate: float = 1e-2, **changes) -> AnatomicalVAETrainer:
    torch.manual_seed(0)
    network = AnatomicalVAE(2, 2, (16, 16), latent_size=2, channels=(8, 16))
    maps = discs()
    arguments = {
        "device": "cpu",
        "max_epochs": max_epochs,
        "train_data_loader": [{"label": maps[:4]}, {"label": maps[4:]}],
        "network": network,
        "optimizer": torch.optim.Adam(network.parameters(), lr=learning_rate),
        "loss_function": EvidenceLowerBoundLoss(),
        "seed": 3,
    }
    return AnatomicalVAETrainer(**{**arguments, **changes})


def weights(one: AnatomicalVAETrainer) -> list[torch.Tensor]:
    return list(one.network.state_dict().values())


def test_learns_to_reproduce_discs():
    one = trainer(max_epochs=80)
    one.run()
    maps = discs()
    with torch.no_grad():
        found = one.network.eval()(maps).argmax(dim=1)
    overlap = (found * maps[:, 1]).sum() / (found.sum() + maps[:, 1].sum())
    assert float(2 * overlap) > 0.9


def test_resume_is_bit_for_bit():
    whole = trainer()
    whole.run()

    half = trainer(max_epochs=1)
    half.run()
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    rest = trainer()
    rest.load_state_dict(torch.load(file, weights_only=True))
    rest.run()

    assert (rest.state.epoch, rest.state.iteration) == (2, 4)
    for one, other in zip(weights(rest), weights(whole), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(rest.generator.get_state(), whole.generator.get_state())


def test_a_seed_repeats_and_another_differs():
    results = []
    for seed in (1, 1, 2):
        one = trainer(seed=seed)
        one.run()
        results.append(one.network.decoder[0].weight.detach().clone())
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_all_iteration_events_fire_in_order_with_their_output():
    one = trainer(max_epochs=1, epoch_length=1)
    seen = []
    for event in IterationEvents:
        one.add_event_handler(event, lambda engine, event: seen.append((event, sorted(engine.state.output))), event)
    one.run()
    both, whole = ["label", "pred"], ["label", "loss", "pred"]
    assert seen == [
        (IterationEvents.FORWARD_COMPLETED, both),
        (IterationEvents.LOSS_COMPLETED, whole),
        (IterationEvents.BACKWARD_COMPLETED, whole),
        (IterationEvents.MODEL_COMPLETED, whole),
    ]
    assert not one.state.output["pred"].requires_grad


def test_postprocessing_runs_on_rows():
    one = trainer(max_epochs=1, decollate=True, postprocessing=lambda row: {**row, "size": row["pred"].shape})
    one.run()
    assert [row["size"] for row in one.state.output] == [(2, 16, 16)] * 4


def test_condition_travels_from_the_batch():
    batch = {"label": discs(2).to(torch.uint8), "condition": torch.tensor([[0.0], [1.0]])}
    one_hot, condition = prepare_one_hot(batch, torch.device("cpu"))
    assert one_hot.dtype == torch.float32
    assert torch.equal(condition, batch["condition"])
    network = AnatomicalVAE(2, 2, (16, 16), latent_size=2, channels=(8,), condition_size=1)
    one = trainer(
        max_epochs=1,
        network=network,
        optimizer=torch.optim.Adam(network.parameters()),
        train_data_loader=[batch],
    )
    one.run()
    assert one.state.iteration == 1


def test_state_of_another_trainer_is_refused():
    with pytest.raises(CheckpointError, match="another trainer"):
        trainer().load_state_dict({"network": {}})
