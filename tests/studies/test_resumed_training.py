"""The curves lie beside the checkpoint, and a finished training only tells where it is."""

from __future__ import annotations

import csv

import torch
from small_hearts import hearts, tiny_vae

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.data.round_sampler import RoundSampler
from monai_cardiacgen.engines import AnatomicalVAETrainer
from monai_cardiacgen.handlers import TrainingRounds
from monai_cardiacgen.losses import EvidenceLowerBoundLoss
from monai_cardiacgen.studies.resumed_training import run_resumed
from monai_cardiacgen.studies.shape_model import MovedHearts


def trainer(rounds: int) -> AnatomicalVAETrainer:
    vae = tiny_vae()
    optimizer = torch.optim.Adam(vae.parameters())
    _, labels = hearts(6)
    sampler, moved = RoundSampler(6, 6, seed=0), MovedHearts(ACDC)
    return AnatomicalVAETrainer(
        device="cpu",
        max_epochs=rounds,
        train_data_loader=torch.utils.data.DataLoader(
            [{"label": one} for one in labels], batch_size=3, sampler=sampler
        ),
        network=vae,
        optimizer=optimizer,
        loss_function=EvidenceLowerBoundLoss(),
        prepare_batch=moved,
        seed=0,
        train_handlers=[TrainingRounds(sampler, moved, [optimizer])],
    )


def test_goes_on_where_it_was_and_keeps_the_curves(tmp_path):
    seen = []
    for rounds in (1, 3, 3):
        run_resumed(trainer(rounds), tmp_path / "one.pt", 2 * rounds, lambda done, total: seen.append((done, total)))
    first, second, finished = [(0, 2), (1, 2), (2, 2)], [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)], [(6, 6)]
    assert seen == first + second + finished
    with (tmp_path / "one.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
