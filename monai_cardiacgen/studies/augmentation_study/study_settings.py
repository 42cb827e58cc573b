"""What an augmentation study does: its arms, its networks, its presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from monai.bundle import ConfigParser
from monai.networks.nets import UNet
from torch import nn

from ...data.files import read_json
from ...errors import InputError
from ...networks.nets.enet import ENet
from .cohort import Cohort, DatasetName, cohort

Source = Literal["phantom", "vaegan"]


@dataclass(frozen=True)
class Arm:
    """One way to train; all arms take the same number of steps.

    Attributes:
        title: how tables and figures call it.
        prob: how often a real slice is replaced by a synthetic one, up to the last share of the steps.
        fine_tuned: that last share, which sees real slices alone.
        source: of the synthetic cases: `"phantom"`, a `PhantomSynthesizer`'s patients; `"vaegan"`, a synthesizer that
            was trained on the training patients alone.
        mode: `"new"`, new hearts; `"vary"`, those of the training patients deformed.
        augmented: whether slices are augmented (`StrongAugmentation`), real and synthetic alike.
    """

    title: str
    prob: float = 0.0
    fine_tuned: float = 0.0
    source: Source = "phantom"
    mode: Literal["new", "vary"] = "new"
    augmented: bool = True


#: All arms by the name of their folder.
ARMS: Mapping[str, Arm] = {
    "real": Arm("real", augmented=False),
    "ordinary": Arm("real + ordinary augmentation"),
    "synthetic_plain": Arm("synthetic only", prob=1.0, augmented=False),
    "synthetic_only": Arm("synthetic only + ordinary augmentation", prob=1.0),
    "on_the_fly": Arm("real + synthetic on the fly", prob=0.5, fine_tuned=0.4),
    "fine_tuned": Arm("synthetic, then fine-tuned on real", prob=1.0, fine_tuned=0.5),
    "vaegan_on_the_fly": Arm("real + deformed by the trained synthesizer", 0.5, 0.4, "vaegan", "vary"),
    "vaegan_mixed": Arm("real + new by the trained synthesizer", 0.5, 0.0, "vaegan"),
    "vaegan_only": Arm("new by the trained synthesizer only", 1.0, 0.0, "vaegan"),
}
#: The arm that the others are compared with.
BASELINE = "ordinary"


@dataclass(frozen=True)
class StudySettings:
    """What a study does; the same settings give the same numbers on a machine of the same kind.

    Attributes:
        data_dir: the dataset's folder as it is shipped.
        dataset: `"acdc"`, stacks of short-axis slices, or `"camus"`, apical echocardiograms.
        amounts: numbers of training patients; those of a smaller amount are among those of a larger one.
        seeds: of the choice of training patients, of weights and batches.
        arms: names in `ARMS`.
        networks: `"unet"`, `"enet"`, or the path of a JSON file with a `_target_` and its arguments.
        validation: patients that choose each training's weights, the same in all.
        testing: patients of the test, the same in all.
        split: JSON file of `write_split` instead: its training patients are those that amounts are drawn from.
        spacing: in-plane pixel size of stacks in mm; echocardiograms are stretched.
        side: pixels of a slice along both axes.
        margin: pixels more on each side of a stack's slices in training, so that turning shows what lies beyond.
        iterations: optimizer steps of a training.
        iterations_per_round: steps between validations.
        batch_size: slices a step.
        learning_rate: the largest of the schedule.
        phantoms: patients of the `PhantomSynthesizer`.
        synthesis_iterations: steps of a trained synthesizer.
    """

    data_dir: str
    dataset: DatasetName = "acdc"
    amounts: tuple[int, ...] = (5, 10)
    seeds: tuple[int, ...] = (0, 1, 2)
    arms: tuple[str, ...] = ("ordinary", "on_the_fly")
    networks: tuple[str, ...] = ("unet",)
    validation: int = 20
    testing: int = 30
    split: str | None = None
    spacing: float = 2.0
    side: int = 96
    margin: int = 16
    iterations: int = 2500
    iterations_per_round: int = 250
    batch_size: int = 8
    learning_rate: float = 2e-3
    phantoms: int = 120
    synthesis_iterations: int = 400

    def __post_init__(self) -> None:
        unknown = [arm for arm in self.arms if arm not in ARMS]
        if unknown or BASELINE not in self.arms:
            raise InputError(
                f"Expected arms of {', '.join(ARMS)}, {BASELINE!r} among them, got {', '.join(self.arms)}; the others "
                f"are compared with {BASELINE!r}."
            )
        if not self.amounts or min(self.amounts) < 1 or not self.seeds or not self.networks:
            raise InputError(
                f"Expected amounts of at least 1 patient, a seed and a network, got {self.amounts}, {self.seeds} and "
                f"{self.networks}."
            )
        if self.iterations < 1 or self.iterations % self.iterations_per_round:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round}, got {self.iterations}."
            )

    def cohort(self) -> Cohort:
        """Return the dataset on the study's grid."""
        return cohort(self.dataset, self.spacing, self.side, self.margin)


#: What `cardiacgen study --preset` changes of the defaults.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {"amounts": (5,), "seeds": (0,), "iterations": 1000, "iterations_per_round": 250, "phantoms": 60},
    "few": {},
    "paper1": {
        "amounts": (5, 10, 20, 50),
        "arms": tuple(ARMS),
        "networks": ("enet", "unet"),
        "spacing": 1.0,
        "side": 256,
        "margin": 32,
        "iterations": 40000,
        "iterations_per_round": 1000,
        "batch_size": 16,
        "phantoms": 2000,
        "synthesis_iterations": 40000,
    },
    "echo": {"dataset": "camus", "amounts": (8, 20, 50), "testing": 60, "side": 128, "iterations": 1500},
    "paper3": {
        "dataset": "camus",
        "amounts": (8, 20, 50, 300),
        "arms": ("ordinary", "on_the_fly", "vaegan_mixed", "vaegan_only", "vaegan_on_the_fly"),
        "networks": ("enet", "unet"),
        "testing": 80,
        "side": 256,
        "iterations": 6000,  # 40 epochs of 300 patients' 1,200 frames in batches of 8
        "learning_rate": 1e-3,
        "phantoms": 1000,
        "synthesis_iterations": 15000,  # 50 epochs of them in batches of 4
    },
}


def preset_settings(preset: str, data_dir: str | Path, **changed: Any) -> StudySettings:
    """Return a preset's settings with some of them changed; None changes nothing.

    Raises:
        InputError: for an unknown preset, or settings out of their range.
    """
    if preset not in PRESETS:
        raise InputError(f"Expected a preset of {', '.join(PRESETS)}, got {preset!r}.")
    given = {name: value for name, value in changed.items() if value is not None}
    return StudySettings(data_dir=str(data_dir), **{**PRESETS[preset], **given})


def new_network(name: str, seed: int, num_classes: int) -> nn.Module:
    """Return a segmentation network `(B, 1, H, W)` to logits `(B, num_classes, H, W)`, its weights drawn.

    Args:
        name: see `StudySettings.networks`; a file says itself how many classes.
        seed: of the weights; torch's own generator is left as it was.
        num_classes: of the label scheme, the background among them.

    Raises:
        InputError: when the name is none of these.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if name == "unet":
            return UNet(2, 1, num_classes, (16, 32, 64, 128, 256), (2, 2, 2, 2), norm="INSTANCE", act="LEAKYRELU")
        if name == "enet":
            return ENet(2, in_channels=1, out_channels=num_classes)
        if not name.endswith(".json") or not Path(name).exists():
            raise InputError(f"Expected 'unet', 'enet' or a JSON file with a _target_ as network, got {name!r}.")
        parser = ConfigParser({"network": read_json(Path(name))})
        return cast(nn.Module, parser.get_parsed_content("network"))


def network_folder(name: str) -> str:
    """Return the folder name of a network: a file's without its ending."""
    return Path(name).stem


def named_network(settings: StudySettings, folder: str) -> str:
    """Return the name by which the settings call a network, of its folder's name."""
    return next(name for name in settings.networks if network_folder(name) == folder)


__all__ = [
    "ARMS",
    "BASELINE",
    "PRESETS",
    "Arm",
    "StudySettings",
    "named_network",
    "network_folder",
    "new_network",
    "preset_settings",
]
