"""New whole hearts with their CT, measured: anatomy, sizes, distance from the training hearts, and a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...anatomy.check import AnatomyCheck
from ...anatomy.placement import centre_heart
from ...anatomy.schemes import MM_WHS
from ...data.files import whole_file, write_csv
from ...data.slices import LABEL
from ...inferers import CardiacSynthesizer
from ...seeding import seeded
from ..bootstrap import bootstrap_mean
from ..heart_figures import save_figure
from .whole_heart_figures import new_hearts_figure

#: Hearts are compared on every how many voxels of a side.
_EVERY = 2
NEW, TEST, RENDERED = "new", "test patients", "test patients, through the autoencoder"


def study_whole_hearts(
    out: Path,
    synthesizer: CardiacSynthesizer,
    training: Sequence[Mapping[str, Any]],
    testing: Sequence[Mapping[str, Any]],
    count: int = 24,
    seed: int = 0,
) -> str:
    """Write `hearts.md`, `hearts.csv` and `hearts.png` into a folder, and return the tables as Markdown.

    Args:
        out: of the results.
        synthesizer: of whole hearts.
        training: `load_whole_hearts` of its patients.
        testing: of patients whom it does not know.
        count: new hearts that are drawn.
        seed: of the draws.
    """
    sampler = synthesizer.sampler
    drawn = sampler.sample(count, seeded(seed))
    known, real = (_stacked(hearts) for hearts in (training, testing))
    latent, offset = sampler.encode(real)
    groups = {NEW: drawn.label, TEST: real, RENDERED: sampler.decode(latent, offset)}
    nearest = {name: closest_dice(labels, known) for name, labels in groups.items()}
    valid = {name: _valid(synthesizer, labels) for name, labels in list(groups.items())[1:]}
    lines = [
        "| label volumes | number | pass the anatomy check | Dice with the nearest training heart |",
        "| --- " * 4 + "|",
        _line(NEW, f"{int(drawn.draws.sum())} draws", count, int(drawn.draws.sum()), nearest[NEW]),
        *(_line(name, str(len(groups[name])), int(ok.sum()), len(ok), nearest[name]) for name, ok in valid.items()),
    ]
    rendered = mean_dice(groups[RENDERED], real).mean(dim=0)
    table = [
        "| structure | mL, training patients | mL, new | mL, test patients | Dice through the autoencoder |",
        "| --- " * 5 + "|",
    ]
    millilitres = {name: _volumes(synthesizer, labels) for name, labels in {**groups, "training": known}.items()}
    for place, structure in enumerate(MM_WHS.names[1:]):
        cells = [
            f"{values[:, place].mean():.0f} ± {values[:, place].std():.0f}"
            for values in (millilitres[name] for name in ("training", NEW, TEST))
        ]
        table.append("| " + " | ".join([structure, *cells, f"{rendered[place]:.3f}"]) + " |")
    write_csv(out / "hearts.csv", [{"group": name, "dice": float(x)} for name in nearest for x in nearest[name]])
    text = "\n".join([*lines, "", *table])
    with whole_file(out / "hearts.md") as beside:
        beside.write_text(f"{text}\n\n{drawn.report()}\n", encoding="utf-8")
    shown = drawn.label[:4]
    save_figure(out / "hearts.png", new_hearts_figure(shown, synthesizer.synthesize(shown, None, seeded(seed))))
    return text


def mean_dice(labels: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the Dice of each structure of pairs of label maps `(N, *spatial)`, `(N, structures)`."""
    rows = []
    for one, other in zip(labels, others, strict=True):
        first, second = (MM_WHS.one_hot(codes[None]).flatten(2)[0, 1:] for codes in (one, other))
        rows.append(2 * (first * second).sum(dim=1) / (first.sum(dim=1) + second.sum(dim=1)))
    return torch.stack(rows)


def closest_dice(labels: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the Dice of each heart with the known heart that it has most in common with, both in the middle, `(N,)`.

    It is taken over all structures together: of the voxels that either labels, those that both label alike.

    Args:
        labels: codes `(N, H, W, D)`.
        known: codes `(M, H, W, D)`.
    """
    first, second = (_voxels(centre_heart(codes)[0]) for codes in (labels, known))
    alike = torch.stack([(one == second).logical_and(second > 0).sum(dim=1) for one in first])
    sizes = (first > 0).sum(dim=1)[:, None] + (second > 0).sum(dim=1)
    return (2 * alike / sizes).max(dim=1).values


def _stacked(hearts: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    return torch.stack([one[LABEL][0] for one in hearts]).to(torch.int64)


def _voxels(labels: torch.Tensor) -> torch.Tensor:
    """Return the channel numbers of some voxels `(N, voxels)`, uint8: hearts are compared quickly by them."""
    some = labels[:, ::_EVERY, ::_EVERY, ::_EVERY]
    return MM_WHS.to_channels(some).to(torch.uint8).flatten(1)


def _valid(synthesizer: CardiacSynthesizer, labels: torch.Tensor) -> torch.Tensor:
    check = AnatomyCheck(synthesizer.scheme, "whole heart")
    return torch.cat([check(one[None], synthesizer.spacing).valid for one in labels])


def _volumes(synthesizer: CardiacSynthesizer, labels: torch.Tensor) -> torch.Tensor:
    """Return the volume of each structure in mL, `(N, structures)`."""
    voxel = math.prod(synthesizer.spacing) / 1000
    return torch.stack([(labels == code).flatten(1).sum(dim=1) * voxel for code in MM_WHS.codes[1:]], dim=1)


def _line(name: str, number: str, valid: int, tried: int, dice: torch.Tensor) -> str:
    found = bootstrap_mean(dice.tolist())
    similar = f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f}), largest {float(dice.max()):.3f}"
    return f"| {name} | {number} | {valid} of {tried} ({valid / tried:.0%}) | {similar} |"


__all__ = ["closest_dice", "mean_dice", "study_whole_hearts"]
