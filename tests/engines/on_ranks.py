"""Small trainings that a test runs in its own process and, by `torchrun`, on several ranks.

Everything is in float64 and by plain gradient descent, so that two ways to the same sum differ in the last digits only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from small_hearts import hearts, tiny_gan, tiny_vae
from torch import distributed, nn

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import RoundSampler
from monai_cardiacgen.engines import AnatomicalVAETrainer, ResumableTrainer, SPADEGANTrainer, VAEGANTrainer
from monai_cardiacgen.handlers import LossCurves, RoundCheckpoint
from monai_cardiacgen.losses import DiffAugment, EvidenceLowerBoundLoss
from monai_cardiacgen.rank_store import RankStore
from monai_cardiacgen.ranks import rank, world_size

WHOLE_BATCH = 8
STEPS = 2  # an epoch


class DoubleScheme:
    """ACDC's label scheme for networks in float64."""

    names = ACDC.names

    def one_hot(self, label: torch.Tensor) -> torch.Tensor:
        return ACDC.one_hot(label).double()


def without_batch_norm(network: nn.Module) -> nn.Module:
    """Replace every batch norm by nothing: then a row's result does not depend on its batch."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return network


def loader(blank: bool, epochs_sampler: list[RoundSampler]) -> DataLoader:
    """This rank's part of whole batches of small hearts; with `blank`, some slices show none."""
    image, label = hearts(12)
    if blank:
        label[::5] = 0
    slices = [{"image": one.double(), "label": other} for one, other in zip(image, label, strict=True)]
    sampler = RoundSampler(len(slices), WHOLE_BATCH * STEPS, seed=4, num_replicas=world_size(), rank=rank())
    epochs_sampler.append(sampler)
    return DataLoader(Dataset(slices), batch_size=WHOLE_BATCH // world_size(), sampler=sampler)


def descent(parameters) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.02)


def gan_trainer(epochs: int = 2, accumulation: int = 1, amp: bool = False, double: bool = True) -> SPADEGANTrainer:
    gan, samplers = tiny_gan(), []
    return follow_rounds(
        SPADEGANTrainer(
            "cpu",
            epochs,
            loader(blank=False, epochs_sampler=samplers),
            gan.double() if double else gan,
            descent(gan.painter_parameters()),
            descent(gan.discriminator.parameters()),
            DoubleScheme() if double else ACDC,
            ema_decay=0.5,
            amp=amp,
            accumulation=accumulation,
            prepare_batch=prepared if double else in_single_precision,
        ),
        samplers[0],
    )


def vae_trainer(epochs: int = 2, accumulation: int = 1) -> AnatomicalVAETrainer:
    vae, samplers = without_batch_norm(tiny_vae()).double(), []
    return follow_rounds(
        AnatomicalVAETrainer(
            "cpu",
            epochs,
            loader(blank=False, epochs_sampler=samplers),
            vae,
            descent(vae.parameters()),
            EvidenceLowerBoundLoss(dice=0.0),  # soft Dice is taken over the rows of a batch
            accumulation=accumulation,
            prepare_batch=lambda batch, *_, **__: (DoubleScheme().one_hot(batch["label"][:, 0]), None),
        ),
        samplers[0],
    )


def vaegan_trainer(epochs: int = 2, batch_norm: bool = False) -> VAEGANTrainer:
    gan, vae, samplers = tiny_gan(augment=DiffAugment(2)).double(), tiny_vae().double(), []
    return follow_rounds(
        VAEGANTrainer(
            "cpu",
            epochs,
            loader(blank=True, epochs_sampler=samplers),
            vae if batch_norm else without_batch_norm(vae),
            descent(vae.parameters()),
            gan,
            descent(gan.painter_parameters()),
            descent(gan.discriminator.parameters()),
            DoubleScheme(),
            vae_loss=EvidenceLowerBoundLoss(dice=float(batch_norm)),
            amp=False,
            prepare_batch=prepared,
        ),
        samplers[0],
    )


def prepared(batch, device, non_blocking):
    return batch["image"], batch["label"]


def in_single_precision(batch, device, non_blocking):
    return batch["image"].float(), batch["label"]


def follow_rounds(trainer: ResumableTrainer, sampler: RoundSampler) -> ResumableTrainer:
    """Begin each epoch from its number, and keep the curves with the state."""
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda engine: setattr(sampler, "round_number", engine.state.epoch))
    curves = LossCurves()
    curves.attach(trainer)
    trainer.stateful["curves"] = curves
    return trainer


def state_after(trainer: ResumableTrainer) -> dict:
    """Run, and return what the trainer would write to a checkpoint."""
    trainer.run()
    return trainer.state_dict()["training"]


def torchrun(*arguments: str, options: tuple[str, ...] = (), ranks: int = 2) -> None:
    """Run this file on several ranks; a training that hangs or fails, fails the test."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nnodes=1", f"--nproc_per_node={ranks}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [*command, *options, __file__, *arguments], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]


def all_cases(folder: Path) -> None:
    """Run every training on these ranks; each rank writes what it ends with."""
    one = vaegan_trainer()
    states = {
        "gan": state_after(gan_trainer()),
        "gan_in_parts": state_after(gan_trainer(accumulation=2)),
        "vae": state_after(vae_trainer()),
        "vae_in_parts": state_after(vae_trainer(accumulation=2)),
        "vaegan": state_after(one),
        "painted": one.state.output["pred"],
        "first_epoch": state_after(vaegan_trainer(epochs=1)),
        "undisturbed": state_after(vaegan_trainer(epochs=3, batch_norm=True)),
    }
    torch.cpu._is_amx_tile_supported = lambda: True  # bfloat16 on any CPU, however slowly
    states["amp"] = state_after(gan_trainer(epochs=1, amp=True, double=False))
    states["amp_in_parts"] = state_after(gan_trainer(epochs=1, accumulation=2, amp=True, double=False))
    torch.save(states, folder / f"rank{rank()}.pt")


def with_a_killed_rank(folder: Path) -> None:
    """Train with a checkpoint an epoch; in the middle of the second one, rank 1 kills itself, the first time."""
    one, seen = vaegan_trainer(epochs=3, batch_norm=True), []
    RoundCheckpoint(folder / "training.pt").attach(one)

    def die(engine) -> None:
        if rank() == 1 and engine.state.iteration == STEPS + 1:
            os.kill(os.getpid(), signal.SIGKILL)

    if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        one.add_event_handler(Events.ITERATION_COMPLETED, die)
    one.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: seen.append(engine.state.iteration))
    one.run()
    torch.save(seen, folder / f"steps{rank()}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    # A fresh part of the launcher's store: a killed rank has left its address in the other one.
    fresh = RankStore.from_environment()
    distributed.init_process_group("gloo", store=fresh.store, rank=fresh.rank, world_size=fresh.world_size)
    {"all_cases": all_cases, "with_a_killed_rank": with_a_killed_rank}[sys.argv[1]](Path(sys.argv[2]))
    distributed.destroy_process_group()
