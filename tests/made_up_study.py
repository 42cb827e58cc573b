"""A study's folder with made-up scores: known effects of arms, patients, seeds and amounts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.files import write_csv, write_json
from monai_cardiacgen.studies.evaluation import Score, write_scores
from monai_cardiacgen.studies.slice_scores import POSITIONS, SliceScore, write_slice_scores

#: What each arm adds to Dice at 5 and at 10 patients.
GAINS = {"ordinary": (0.0, 0.0), "on_the_fly": (0.05, 0.02), "synthetic_only": (-0.08, -0.1)}
AMOUNTS = (5, 10)
GROUPS = ("NOR", "DCM", "HCM", "MINF", "RV")


def write_made_up_study(out: Path, networks=("unet",), arms=tuple(GAINS), seeds=(0, 1, 2), patients=12) -> Path:
    """Write settings, split and runs; patient 0 has no right ventricle found in the first seed of `ordinary`."""
    names = [f"patient{number:03d}" for number in range(1, patients + 1)]
    write_json(
        out / "settings.json",
        {
            "data_dir": "acdc", "amounts": list(AMOUNTS), "seeds": list(seeds), "arms": list(arms),
            "networks": list(networks), "spacing": 2.0, "side": 96, "iterations": 100, "batch_size": 8,
        },
    )  # fmt: skip
    write_json(
        out / "split.json",
        {"training": [f"a{n}" for n in range(10)], "validation": [f"b{n}" for n in range(7)], "testing": names},
    )
    own = np.random.default_rng(0).normal(0, 0.04, patients)
    for number, network in enumerate(networks):
        for amount in AMOUNTS:
            for seed in seeds:
                luck = np.random.default_rng((amount, seed)).normal(0, 0.01)
                for arm in arms:
                    level = (
                        0.75 + 0.05 * AMOUNTS.index(amount) + 0.01 * number + luck + GAINS[arm][AMOUNTS.index(amount)]
                    )
                    rng = np.random.default_rng((number, amount, seed, list(GAINS).index(arm)))
                    folder = out / network / f"{amount}_patients" / f"seed_{seed}" / arm
                    _write_run(folder, level, own, names, rng, missed=(arm, seed) == ("ordinary", seeds[0]))
    return out


def _write_run(folder, level, own, names, rng, missed):
    scores, slices = [], []
    for patient, (name, effect) in enumerate(zip(names, own, strict=True)):
        group = GROUPS[patient % len(GROUPS)]
        for phase in ("ED", "ES"):
            for structure in ACDC.names[1:]:
                dice = float(np.clip(level + effect + rng.normal(0, 0.01) - 0.03 * (phase == "ES"), 0, 1))
                if missed and patient == 0 and structure == ACDC.names[1]:
                    scores.append(Score(name, group, phase, structure, 0.0, math.nan))
                else:
                    hd = 30 * (1 - dice)
                    scores.append(Score(name, group, phase, structure, dice, 0.7 * hd, hd, 0.2 * hd))
                for number in range(9):
                    here = dice - 0.02 * (number // 3)
                    slices.append(SliceScore(name, group, phase, number, POSITIONS[number // 3], structure, here))
    write_slice_scores(folder / "slices.csv", slices)
    write_csv(
        folder / "history.csv",
        [
            {"iteration": step, "training loss": 1 / step, "validation dice": level * (1 - math.exp(-step / 30))}
            for step in range(10, 110, 10)
        ],
    )
    write_scores(folder / "scores.csv", scores)
