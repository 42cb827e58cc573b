"""A small WGAN training that a test runs in its own process and, by `torchrun`, on two ranks, in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from torch import distributed

from monai_cardiacgen.data import RoundSampler
from monai_cardiacgen.engines import WGANGPTrainer
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.handlers import LossCurves
from monai_cardiacgen.networks.nets import WGANCritic, WGANGenerator
from monai_cardiacgen.ranks import rank, world_size
from monai_cardiacgen.seeding import seeded

WHOLE_BATCH = 6
STEPS = 3  # an epoch


def patch_trainer(epochs: int = 2) -> tuple[WGANGPTrainer, LossCurves]:
    """A trainer with this rank's part of each whole batch; the generator moves after each second critic step."""
    torch.manual_seed(0)
    network = WGANGenerator(2, 8, latent_size=5, features=2).double()
    critic = WGANCritic(2, 8, features=2).double()
    patches = torch.rand(14, 1, 8, 8, generator=seeded(1), dtype=torch.float64) ** 3
    sampler = RoundSampler(len(patches), WHOLE_BATCH * STEPS, seed=4, num_replicas=world_size(), rank=rank())
    loader = DataLoader(
        Dataset([{"image": patch} for patch in patches]), batch_size=WHOLE_BATCH // world_size(), sampler=sampler
    )
    one = WGANGPTrainer(
        "cpu",
        epochs,
        loader,
        network,
        critic,
        torch.optim.SGD(network.parameters(), lr=0.05),
        torch.optim.SGD(critic.parameters(), lr=0.01),
        latent_size=5,
        critic_steps=2,
        ema_decay=0.5,
        amp=False,
    )
    one.add_event_handler(Events.EPOCH_STARTED, lambda engine: setattr(sampler, "round_number", engine.state.epoch))
    curves = LossCurves()
    curves.attach(one)
    return one, curves


def result(one: WGANGPTrainer, curves: LossCurves) -> dict:
    """Run, and return weights, averages, gradients, curves, the last fakes and the generator's state."""
    one.run()
    parts = {"network": one.network, "critic": one.critic, "average": one.average}
    tensors = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    for part in ("network", "critic"):
        tensors |= {f"gradient of {part}.{name}": value.grad for name, value in parts[part].named_parameters()}
    return {
        "tensors": tensors,
        "rows": curves.rows,
        "fakes": one.state.output["pred"],
        "draws": one.generator.get_state(),
    }


def refusal_of_unequal_batches() -> str:
    """The error of a step for which the ranks have different numbers of rows."""
    one, _ = patch_trainer()
    try:
        one.step.move_critic(torch.rand(2 + rank(), 1, 8, 8).double(), seeded(0), lambda event: None)
    except InputError as error:
        return str(error)
    return ""


def torchrun(folder: Path, script: str = __file__) -> None:
    """Run a script, by default this file, on two ranks; a training that hangs or fails, fails the test."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nnodes=1", "--nproc_per_node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([*command, script, str(folder)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]


if __name__ == "__main__":
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    outcome = {**result(*patch_trainer()), "refusal": refusal_of_unequal_batches()}
    torch.save(outcome, Path(sys.argv[1]) / f"rank{rank()}.pt")
    distributed.destroy_process_group()
