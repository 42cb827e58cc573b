"""Train a segmentation network on 2D slices: one arm of a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer, default_prepare_batch
from monai.losses import DiceCELoss
from monai.optimizers import WarmupCosineSchedule
from torch import nn

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC
from ..data.checkpoint_pair import CheckpointPair
from ..data.files import load_checkpoint, save_checkpoint, write_csv
from ..data.round_sampler import RoundSampler
from ..data.slices import IMAGE, LABEL
from ..errors import CheckpointError, InputError
from .augmentation import OrdinaryAugmentation
from .augmented_batch import Augmentation, AugmentedBatch

_WARMUP = 0.1  # of all iterations


def train_segmentation(
    network: nn.Module,
    training: Sequence[dict[str, Any]],
    validation: Sequence[dict[str, Any]],
    folder: Path,
    *,
    iterations: int,
    iterations_per_round: int = 50,
    batch_size: int = 4,
    learning_rate: float = 5e-3,
    seed: int = 0,
    scheme: LabelScheme = ACDC,
    synth: Any = None,
    fine_tuned: float = 0.0,
    augment: Augmentation | None = None,
    loss: nn.Module | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> nn.Module:
    """Train `network` and return it with the weights that were best on the validation slices.

    Soft Dice over the batch and cross entropy, AdamW, a cosine schedule after a short warm-up; every batch is
    augmented, after `synth` where it is given. Training runs in rounds; after each, the network is validated and
    everything is written. Stopped and called again with the same arguments, it goes on from the last whole round and
    ends, on the CPU, with the same weights as without the stop: all draws of a round follow from its number.

    Args:
        network: `(B, 1, H, W)` to logits `(B, num_classes, H, W)`, with its initial weights.
        training: slices of `load_slices`.
        validation: slices of other patients; their mean Dice over volumes and structures chooses the weights.
        folder: the arm's own: `last.pt` (to go on), `best.pt` (the weights), `history.csv` (the curves).
        iterations: optimizer steps, a multiple of `iterations_per_round`; the same in all arms of a study.
        iterations_per_round: steps between validations.
        batch_size: slices a step.
        learning_rate: the largest of the schedule.
        seed: of the batches, of the augmentation, of `synth` and of dropout.
        scheme: label scheme of the codes in the label maps.
        synth: a MONAI dictionary transform on `image` and `label`, applied before the ordinary augmentation; as a
            whole batch where it has a `prepare_batch()`, as `RandCardiacSynthd` does, else slice by slice.
        fine_tuned: share of the rounds, the last ones, that see no synthetic case any more, in [0, 1]: paper 1's
            fine-tuning on real slices, within the same number of steps.
        augment: of a batch's images and label maps `(B, 1, H, W)`, as `StrongAugmentation`; `OrdinaryAugmentation`
            with its defaults where it is None. Slices may be larger than those for validation, if it crops them.
        loss: of logits and channel numbers; `segmentation_loss` with `class_weights` where it is None.
        device: where the network trains.
        progress: called with the number of iterations done and their total.

    Raises:
        InputError: when there are no slices, `iterations` is not a multiple of `iterations_per_round`, or
            `fine_tuned` is out of its range.
        CheckpointError: when the folder holds another training or a damaged file.
    """
    if not training or not validation or iterations % iterations_per_round:
        raise InputError(
            f"Expected slices for training and validation and iterations that are a multiple of "
            f"{iterations_per_round}, got {len(training)} and {len(validation)} slices and {iterations} iterations."
        )
    if not 0 <= fine_tuned <= 1:
        raise InputError(f"Expected a share of fine-tuning in [0, 1], got {fine_tuned!r}.")
    network.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = WarmupCosineSchedule(
        optimizer, warmup_steps=max(1, int(_WARMUP * iterations)), t_total=iterations, warmup_multiplier=0.1
    )
    sampler = RoundSampler(len(training), batch_size * iterations_per_round, seed)
    rounds = iterations // iterations_per_round
    batches = _SynthesizedRounds(synth, augment or OrdinaryAugmentation(), scheme, rounds - round(fine_tuned * rounds))
    trainer = SupervisedTrainer(
        device=torch.device(device),
        max_epochs=rounds,
        train_data_loader=DataLoader(
            Dataset(training, transform=batches.slice_transform), batch_size=batch_size, sampler=sampler
        ),
        network=network,
        optimizer=optimizer,
        loss_function=loss or segmentation_loss(class_weights(training, scheme).to(device)),
        prepare_batch=batches,
        amp=torch.device(device).type == "cuda",
    )
    arm = _Arm(network, optimizer, schedule, validation, folder, scheme, sampler, batches, seed, iterations)
    arm.resume(trainer)
    trainer.add_event_handler(Events.EPOCH_STARTED, arm.start_round)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: schedule.step())
    trainer.add_event_handler(Events.ITERATION_COMPLETED, arm.follow, progress)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, arm.end_round)
    if progress is not None:
        progress(trainer.state.iteration, iterations)
    if trainer.state.iteration < iterations:
        with torch.random.fork_rng():  # dropout uses torch's own generator; leave the caller's alone
            trainer.run()
    network.load_state_dict(load_checkpoint(folder / "best.pt")["network"])
    return network.eval()


def segmentation_loss(weight: torch.Tensor | None = None) -> nn.Module:
    """Return soft Dice over the batch plus cross entropy, of logits and channel numbers.

    Args:
        weight: of each class in the cross entropy, see `class_weights`; None for equal ones.
    """
    # Slices without a heart have no Dice of their own.
    return DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True, weight=weight)


def class_weights(slices: Sequence[dict[str, Any]], scheme: LabelScheme = ACDC) -> torch.Tensor:
    r"""Return a weight a class for the cross entropy, $1 / \ln(1.02 + p)$ with the class's share $p$ of all pixels.

    A heart fills a tenth of its slice: unweighted, ENet spends its first hundreds of steps on predicting
    background. The weights are scaled to a mean of 1.

    Returns:
        `(num_classes,)`, float32.

    Source: Paszke et al., ENet, section 5.1 (DOI 10.48550/arXiv.1606.02147).
    """
    counts = torch.zeros(scheme.num_classes)
    for one in slices:
        channels = scheme.to_channels(torch.as_tensor(one[LABEL]))
        counts += torch.bincount(channels.flatten(), minlength=scheme.num_classes)
    weights = 1 / torch.log(1.02 + counts / counts.sum())
    return weights / weights.mean()


def dice_by_volume(
    network: nn.Module, slices: Sequence[dict[str, Any]], scheme: LabelScheme = ACDC, batch_size: int = 32
) -> torch.Tensor:
    """Return Dice `(volumes, structures)` on the slices' own grid, all slices of a volume taken together.

    A volume is a patient's in one phase, and in one view where there are several.

    NaN where neither the label nor the network holds the structure. The network is left in eval mode.
    """
    device = next(network.parameters()).device
    of_slices = [(one["patient"], one.get("view", ""), one["phase"]) for one in slices]
    volumes = sorted(set(of_slices))
    overlap = torch.zeros(2, len(volumes), scheme.num_classes)
    network.eval()
    with torch.no_grad():
        for start in range(0, len(slices), batch_size):
            batch = slices[start : start + batch_size]
            image = torch.stack([torch.as_tensor(one[IMAGE]) for one in batch]).to(device)
            label = torch.stack([torch.as_tensor(one[LABEL])[0] for one in batch])
            found = scheme.one_hot(scheme.to_codes(network(image).argmax(dim=1).cpu()))
            truth = scheme.one_hot(label)
            for row, name in enumerate(of_slices[start : start + batch_size]):
                volume = volumes.index(name)
                overlap[0, volume] += 2 * (found[row] * truth[row]).sum(dim=(1, 2))
                overlap[1, volume] += (found[row] + truth[row]).sum(dim=(1, 2))
    return (overlap[0] / overlap[1])[:, 1:]  # 0 / 0 is NaN


class _SynthesizedRounds(AugmentedBatch):
    """Synthesis (where there is any), then ordinary augmentation, then channel numbers for the loss."""

    def __init__(self, synth: Any, augment: Augmentation, scheme: LabelScheme, synthetic_rounds: int) -> None:
        super().__init__(augment, scheme)
        self.whole = hasattr(synth, "prepare_batch")
        self.synthesizing = False
        self.synth, self.synthetic_rounds = synth, synthetic_rounds

    def slice_transform(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the slice after a transform that takes slices one by one."""
        return dict(self.synth(one)) if self.synthesizing and not self.whole else one

    def start_round(self, number: int, seed: int) -> None:
        """Start all draws of the following batches from `seed`; synthesize up to the last synthetic round."""
        self.generator.manual_seed(seed)
        self.synthesizing = self.synth is not None and number <= self.synthetic_rounds
        self.prepare = self.synth.prepare_batch() if self.synthesizing and self.whole else default_prepare_batch
        if hasattr(self.synth, "set_random_state"):
            self.synth.set_random_state(seed=seed)


class _Arm:
    """What is known of one training between rounds, and its files."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: WarmupCosineSchedule,
        validation: Sequence[dict[str, Any]],
        folder: Path,
        scheme: LabelScheme,
        sampler: RoundSampler,
        batches: _SynthesizedRounds,
        seed: int,
        iterations: int,
    ) -> None:
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.validation, self.folder, self.scheme = validation, folder, scheme
        self.sampler, self.batches, self.seed, self.iterations = sampler, batches, seed, iterations
        self.checkpoints = CheckpointPair(folder / "last.pt")
        self.history: list[dict[str, float]] = []
        self.losses: list[float] = []

    def resume(self, trainer: Engine) -> None:
        """Take up the last whole round that the folder holds, if any."""
        self.checkpoints.check_writable()
        state, path = self.checkpoints.load(), self.checkpoints.path
        if state is None:
            return
        if (state["seed"], state["iterations"]) != (self.seed, self.iterations):
            raise CheckpointError(
                f"Expected in {path} a training of {self.iterations} iterations with seed {self.seed}, found "
                f"{state['iterations']} iterations with seed {state['seed']}; choose another folder."
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.history = state["history"]
        trainer.state.epoch = state["round"]
        trainer.state.iteration = int(self.history[-1]["iteration"])

    def start_round(self, trainer: Engine) -> None:
        """Seed everything that draws in this round."""
        seed = (self.seed * 1_000_003 + trainer.state.epoch) % 2**31  # MONAI's seeds have 32 bits
        self.sampler.round_number = trainer.state.epoch
        self.batches.start_round(trainer.state.epoch, seed)
        torch.manual_seed(seed)
        self.losses = []

    def follow(self, trainer: Engine, progress: Callable[[int, int], None] | None) -> None:
        """Note the loss, tell the caller."""
        self.losses.append(float(trainer.state.output[0]["loss"]))
        if progress is not None:
            progress(trainer.state.iteration, self.iterations)

    def end_round(self, trainer: Engine) -> None:
        """Validate, and write the best weights before the checkpoint that counts the round as done."""
        dice = float(dice_by_volume(self.network, self.validation, self.scheme).nanmean())
        best = max((row["validation dice"] for row in self.history), default=-1.0)
        self.history.append(
            {
                "iteration": trainer.state.iteration,
                "training loss": sum(self.losses) / len(self.losses),
                "validation dice": dice,
            }
        )
        if dice > best:
            save_checkpoint(self.folder / "best.pt", {"network": self.network.state_dict(), "dice": dice})
        self.checkpoints.save(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "history": self.history,
                "round": trainer.state.epoch,
                "seed": self.seed,
                "iterations": self.iterations,
            },
        )
        write_csv(self.folder / "history.csv", self.history)
