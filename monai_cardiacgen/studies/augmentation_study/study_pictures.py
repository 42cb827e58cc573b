"""The worst cases of a study as pictures: what each arm's network saw in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...data.files import load_checkpoint
from ...data.slices import IMAGE, LABEL
from .study import study_split
from .study_figures import SegmentedSlice
from .study_results import Run, arm_title, read_runs
from .study_settings import StudySettings, named_network, network_folder, new_network


def worst_slices(settings: StudySettings, out: Path, volumes: int = 3) -> list[SegmentedSlice]:
    """Return a slice of each of the volumes with the lowest Dice, once for each arm.

    They are of the first network, the smallest amount and the first seed that all arms have finished; the slice is the
    middle one of those in which the expert marked any heart.

    Args:
        settings: the study's.
        out: the study's folder.
        volumes: how many.
    """
    runs = _comparable(settings, read_runs(out))
    if not runs:
        return []
    dice = [{(one.patient, one.phase): 0.0 for one in run.scores} for run in runs]
    for run, own in zip(runs, dice, strict=True):
        for volume in own:
            values = [one.dice for one in run.scores if (one.patient, one.phase) == volume]
            own[volume] = float(np.nanmean(values))
    worst = sorted(dice[0], key=lambda volume: sum(own[volume] for own in dice))[:volumes]
    cohort = settings.cohort()
    items = {(item["patient"], cohort.phase(item)): item for item in study_split(settings).testing}
    shown = []
    for patient, phase in worst:
        slices = cohort.slices([items[patient, phase]])
        hearts = [one for one in slices if bool(one[LABEL].any())]
        middle = hearts[len(hearts) // 2]
        for run, own in zip(runs, dice, strict=True):
            network = new_network(named_network(settings, run.network), run.seed, cohort.scheme.num_classes)
            network.load_state_dict(load_checkpoint(run.folder / "best.pt")["network"])
            network.eval()
            image, label = middle[IMAGE].as_tensor(), middle[LABEL].as_tensor()
            with torch.no_grad():
                found = cohort.scheme.to_codes(network(image[None]).argmax(dim=1))[0]
            title = f"{patient} {phase}, {arm_title(run.arm)}: {own[patient, phase]:.2f}"
            shown.append(SegmentedSlice(title, image[0], label[0], found))
    return shown


def _comparable(settings: StudySettings, runs: Sequence[Run]) -> list[Run]:
    """Return one finished run an arm, all of one network, amount and seed; none where no such comparison is whole."""
    for network in map(network_folder, settings.networks):
        for amount in settings.amounts:
            for seed in settings.seeds:
                own = {run.arm: run for run in runs if (run.network, run.amount, run.seed) == (network, amount, seed)}
                if set(own) == set(settings.arms):
                    return [own[arm] for arm in settings.arms]
    return []


__all__ = ["worst_slices"]
