"""What a synthetic-data card measures, each beside what real patients have among themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import nn

from ...anatomy.check import AnatomyCheck, View
from ...anatomy.labels import LabelScheme
from ...data.synthetic_set import SyntheticSet
from ...metrics import (
    AnatomicalValidity,
    FeatureSpace,
    FrechetDistance,
    KernelDistance,
    anatomical_validity,
    authenticity,
    checkerboard_score,
    coverage_and_density,
    frechet_with_error,
    kernel_distance_with_error,
    label_fidelity,
    pair_similarity,
)
from ...seeding import seeded
from ..bootstrap import Interval, bootstrap_mean
from .card_cases import CardCases

#: Blocks of cases that are left out in turn for an error.
_BLOCKS = 20
_NORMAL = 1.96  # standard errors on either side of a 95 % interval
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Measure:
    """One line of the card.

    Attributes:
        name: of the measure.
        question: that it answers, and which direction is good.
        synthetic: of the set against held-out patients.
        real: of training patients in the set's place, as many slices; what a perfect generator would have.
        note: in which space, with what.
    """

    name: str
    question: str
    synthetic: Interval
    real: Interval
    note: str


def fidelity_and_diversity(
    made: CardCases, training: CardCases, held_out: CardCases, space: FeatureSpace, seed: int
) -> list[Measure]:
    """Return the measures of a set in a feature space, and those of real training slices in its place.

    All sets are of slices with hearts; of the larger of the synthetic and the training slices as many are drawn as the
    other has, because the Fréchet distance and the neighbours depend on how many there are.
    """
    generator = seeded(seed)
    count = min(len(made), len(training))
    first, second = (cases.chosen(_drawn(len(cases), count, generator)) for cases in (made, training))
    pair = [_features_measures(cases, held_out, space, seed) for cases in (first, second)]
    images = [_image_measures(cases, seed) for cases in (first, held_out)]
    known = space(training.image)
    new = [_authentic(cases, known, space, seed) for cases in (first, held_out)]
    names = f"{space.name}; real: held-out patients against training patients"
    measures = [
        Measure(name, question, value, other[2], space.name)
        for (name, question, value), other in zip(pair[0], pair[1], strict=True)
    ]
    measures.append(Measure(*new[0], new[1][2], names))
    for (name, question, value, note), other in zip(images[0], images[1], strict=True):
        measures.append(Measure(name, question, value, other[2], f"{note}; real: held-out patients"))
    return measures


def fidelity_to_labels(made: CardCases, held_out: CardCases, network: nn.Module, scheme: LabelScheme) -> Measure:
    """Return the Dice of a network that was trained on real slices, on synthetic ones and on held-out real ones."""
    intervals = []
    for cases in (made, held_out):
        dice = label_fidelity(network, cases.image, scheme.one_hot(cases.label))
        intervals.append(_interval(dice.nanmean(dim=1), cases, 0))
    return Measure(
        "label fidelity (Dice)",
        "Does a network that learned from real patients find the label in the image? Like real ones is good.",
        intervals[0],
        intervals[1],
        "a network trained on the training patients; real: held-out patients",
    )


def validity(cases: CardCases, source: SyntheticSet) -> AnatomicalValidity | None:
    """Return how many label maps keep the anatomical criteria of the set's view; None for a view without criteria."""
    view = source.description.view
    if view not in get_args(View):
        return None
    return anatomical_validity(cases.label, AnatomyCheck(source.description.scheme, view), source.description.spacing)  # type: ignore[arg-type]


def counts(made: CardCases, source: SyntheticSet) -> dict[str, dict[str, str]]:
    """Return how many cases there are of each kind, by structure, mode, and whatever the manifest says of cases."""
    scheme, total = source.description.scheme, len(made)
    shown: dict[str, str] = {}
    area = source.description.spacing[0] * source.description.spacing[1]
    present = torch.stack([(made.label == one.code).flatten(1).sum(dim=1) for one in scheme.structures], dim=1)
    for column, structure in enumerate(scheme.structures):
        has = present[:, column] > 0
        size = float(present[has, column].double().mean()) * area / 100 if bool(has.any()) else 0.0
        shown[structure.name] = f"{int(has.sum())} of {total}, {size:.1f} cm² in the mean"
    together = Counter(
        " + ".join(one.name for one, count in zip(scheme.structures, row, strict=True) if count) or "none"
        for row in present.tolist()
    )
    tables = {
        "Structures": shown,
        "Structures shown together": _shares(together, total),
        "Mode": _shares(Counter(entry.record.mode for entry in source.entries), total),
    }
    abouts = [entry.record.about or {} for entry in source.entries]
    for key, heading in (("phase", "Phase"), ("group", "Class"), ("view", "View"), ("position", "Slice")):
        tables[heading] = _shares(_of_key(abouts, key), total) or {"not recorded": "the manifest does not say"}
    return tables


def _of_key(abouts: Sequence[Mapping[str, Any]], key: str) -> Counter[str]:
    """Count the values of a key; a position from 0 to 1 by thirds of the stack."""
    found: Counter[str] = Counter()
    for about in abouts:
        value = about.get(key, about.get("slice") if key == "position" else None)
        if isinstance(value, float) and key == "position":
            found[("first third", "middle third", "last third")[min(2, int(3 * value))]] += 1
        elif value is not None:
            found[str(value)] += 1
    return found


def _shares(found: Counter[str], total: int) -> dict[str, str]:
    return {name: f"{number} ({number / total:.0%})" for name, number in found.most_common(12)}


def _features_measures(
    cases: CardCases, held_out: CardCases, space: FeatureSpace, seed: int
) -> list[tuple[str, str, Interval]]:
    """Return the measures of cases against held-out patients."""
    these, those = space(cases.image), space(held_out.image)
    groups, others = cases.groups, held_out.groups
    blocks = groups % _BLOCKS if int(groups.max()) >= _BLOCKS else groups
    few = "refuse" if min(len(these), len(those)) > 2 * these.shape[1] else "shrink"
    frechet = frechet_with_error(_parts(these, blocks), _parts(those, others), space.name, few)  # type: ignore[arg-type]
    kernel = kernel_distance_with_error(these, those, space.name, groups, others)
    near = coverage_and_density(those, these, k=min(_NEIGHBOURS, len(these) - 1, len(those) - 1))
    shrunk = ", shrunk covariances" if few == "shrink" else ""
    return [
        (f"Fréchet distance{shrunk}", "Are mean and spread those of real slices? Small is good.", _around(frechet)),
        ("kernel distance (KID)", "Is the distribution that of real slices? 0 is good.", _around(kernel)),
        (
            "precision",
            "Which share lies where real slices lie?",
            _interval(near.density_at > 0, cases, seed),
        ),
        ("density", "How densely do real slices lie there? 1 is good.", _interval(near.density_at, cases, seed)),
        ("recall", "Which share of real slices lies where these lie?", _interval(near.recalled, held_out, seed)),
        ("coverage", "Which share of real slices has one of these near?", _interval(near.covered, held_out, seed)),
    ]


def _authentic(cases: CardCases, known: torch.Tensor, space: FeatureSpace, seed: int) -> tuple[str, str, Interval]:
    found = authenticity(known, space(cases.image))
    question = "Which share is no noisy copy of a training slice? Like real ones is good."
    return "authenticity", question, _interval(found.authentic, cases, seed)


def _image_measures(cases: CardCases, seed: int) -> list[tuple[str, str, Interval, str]]:
    """Return the measures that images have by themselves."""
    alike = pair_similarity(cases.image, seeded(seed), cases.groups)
    rows = [
        (
            "MS-SSIM of pairs",
            "How alike are two cases? More than real ones have is a lack of diversity.",
            bootstrap_mean(alike.values.double().numpy(), seed=seed),
            f"{alike.scales} scales",
        )
    ]
    contrast = cases.image.flatten(1).std(dim=1) > 0
    if min(cases.image.shape[2:]) >= 16 and bool(contrast.any()):
        kept = cases.chosen(contrast)
        score = checkerboard_score(kept.image, (2,))[:, 0]
        question = "Is there the grid of upsampling layers? Like real ones is good."
        rows.append(("checkerboard score (dB)", question, _interval(score, kept, seed), "period of 2 pixels"))
    return rows


def _around(result: FrechetDistance | KernelDistance) -> Interval:
    """Return a normal interval of a distance with a standard error."""
    half = _NORMAL * result.standard_error
    low = result.value - half
    if isinstance(result, FrechetDistance):
        low = max(0.0, low)  # a square
    return Interval(result.value, low, result.value + half, result.synthetic)


def _interval(values: torch.Tensor, cases: CardCases, seed: int) -> Interval:
    """Return the mean over patients of their slices' means with its bootstrap interval."""
    per_patient = [part.double().nanmean() for part in _parts(values, cases.groups)]
    return bootstrap_mean(torch.stack(per_patient).numpy(), seed=seed)


def _parts(values: torch.Tensor, groups: torch.Tensor) -> list[torch.Tensor]:
    return [values[groups == group] for group in groups.unique()]


def _drawn(count: int, wanted: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randperm(count, generator=generator)[:wanted].sort().values


__all__ = ["Measure", "counts", "fidelity_and_diversity", "fidelity_to_labels", "validity"]
