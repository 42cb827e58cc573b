"""The card of a synthetic set: what it holds, how good it is, and whether it gives training patients away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from ..._version import __version__
from ...data.case_files import sha256_of
from ...data.files import write_json
from ...data.memorisation_record import write_memorisation
from ...data.synthetic_set import MANIFEST, SyntheticSet
from ...errors import InputError
from ...metrics import AnatomicalValidity
from ...networks.nets.enet import ENet
from ...seeding import seeded
from ..bootstrap import Interval, bootstrap_difference, bootstrap_mean
from ..segmentation import dice_by_volume, train_segmentation
from ..stages import Stages, environment, keep_settings
from ..trained_features import train_feature_space
from .card_cases import CardCases, load_real, load_set, read_real, split_real
from .card_copies import Copies, find_copies
from .card_measures import Measure, counts, fidelity_and_diversity, fidelity_to_labels, validity

#: Pairs that the page shows and the JSON file lists, at least; copies are all listed.
SHOWN_PAIRS = 6
_ROUND = 50  # steps between two validations of a network


@dataclass(frozen=True)
class CardSettings:
    """What a card is made of; the same settings give the same card.

    Attributes:
        folder: the set's.
        real: ACDC's folder, CAMUS's, a folder of pairs, or a `dataset.json`.
        split: JSON file of the patients that the generator was trained on (`training`) and not; None where it is not
            known: then halves of the patients stand in for both.
        downstream: whether a network is trained on the set and tested on held-out real patients.
        iterations: steps of each segmentation network, a multiple of 50.
        feature_iterations: steps of the feature space's autoencoder.
        seed: of everything random.
    """

    folder: str
    real: str
    split: str | None = None
    downstream: bool = False
    iterations: int = 300
    feature_iterations: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        if self.iterations < _ROUND or self.iterations % _ROUND or self.feature_iterations < 1:
            raise InputError(
                f"Expected steps of the networks that are a multiple of {_ROUND}, got {self.iterations} and "
                f"{self.feature_iterations} of the autoencoder; round them."
            )


@dataclass(frozen=True)
class Downstream:
    """Train on synthetic, test on real: Dice over held-out patients, and what real training slices give.

    Attributes:
        real: trained on the training patients.
        synthetic: trained on the set.
        difference: synthetic minus real, paired by patient.
    """

    real: Interval
    synthetic: Interval
    difference: Interval


@dataclass(frozen=True)
class Card:
    """Everything that a card tells.

    Attributes:
        source: the set.
        made: its cases.
        counts: how many there are of each kind.
        validity: of the set's labels; None for a view without criteria.
        real_validity: of the held-out experts' labels.
        measures: fidelity and diversity.
        copies: the memorisation test.
        downstream: where it was asked for.
        split: names of the patients by use.
        known: whether it is known which patients the generator was trained on.
        settings: as they were.
        environment: machine and versions.
        manifest_sha256: of the manifest that was read.
    """

    source: SyntheticSet
    made: CardCases
    counts: dict[str, dict[str, str]]
    validity: AnatomicalValidity | None
    real_validity: AnatomicalValidity | None
    measures: Sequence[Measure]
    copies: Copies
    downstream: Downstream | None
    split: dict[str, list[str]]
    known: bool
    settings: CardSettings
    environment: dict[str, str]
    manifest_sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values; NaN, where there is no value, as None."""
        listed = self.copies.pairs[: max(SHOWN_PAIRS, len(self.copies.cases))]
        content = {
            "set": {"cases": len(self.source), **self.source.description.to_json()},
            "counts": self.counts,
            "validity": {
                name: None if one is None else {**asdict(one.valid), "broken": one.broken}
                for name, one in (("synthetic", self.validity), ("real", self.real_validity))
            },
            "measures": [asdict(measure) for measure in self.measures],
            "memorisation": {
                "passed": not self.copies.cases,
                "copies": self.copies.cases,
                "compared": self.copies.compared,
                "limits": list(self.copies.limits),
                "largest_chance": float(self.copies.chance.max()),
                "closest": [{key: value for key, value in vars(pair).items() if key != "images"} for pair in listed],
            },
            "downstream": None if self.downstream is None else asdict(self.downstream),
            "provenance": {
                "manifest_sha256": self.manifest_sha256,
                "training_patients_known": self.known,
                "split": self.split,
                "settings": asdict(self.settings),
                "version": __version__,
                "environment": self.environment,
            },
        }
        return dict(_without_nan(content))


def make_card(settings: CardSettings, out: Path, console: Console) -> Card:
    """Measure a set, write what the memorisation test found into its folder, and `card.json` into another.

    Args:
        settings: what to do.
        out: folder of the card; a card of another set, or of the set as it was before, needs another one.
        console: where bars are drawn.

    Raises:
        InputError: when `out` holds another card, the set holds volumes, or the real patients are too few.
        DataError: when files are missing or damaged, or do not fit their manifest.
        LabelError: when the real labels have codes that the set's scheme does not know.
    """
    source = SyntheticSet(settings.folder)
    source.verify()
    manifest = sha256_of(source.folder / MANIFEST)
    keep_settings(out / "settings.json", {**asdict(settings), "manifest_sha256": manifest, "version": __version__})
    items = read_real(Path(settings.real))
    split, known = split_real(items, None if settings.split is None else Path(settings.split), settings.seed)
    with Stages(out / "times.json", console) as stages:
        with stages.stage("Load the set") as progress:
            made = load_set(source, progress)
        size = made.image.shape[2:]
        with stages.stage("Load real patients") as progress:
            training = load_real(split.training, source, size, progress)
            others = load_real([*split.validation, *split.testing], source, size, progress)
        with stages.stage("Memorisation") as progress:
            copies = find_copies(made, training, others, known, progress)
        write_memorisation(source, copies.cases, {"compared": copies.compared, "limits": list(copies.limits)})
        with stages.stage("Feature space") as progress:
            what = f"{len(training)} slices of {len(set(training.patients))} training patients"
            space = train_feature_space(training.image, what, settings.feature_iterations, settings.seed, progress)
        hearts, unseen = training.with_hearts(), others.with_hearts()
        with stages.stage("Fidelity and diversity"):
            measures = fidelity_and_diversity(made, hearts, unseen, space, settings.seed)
        judge = _trained("Network on real patients", training, source, settings, out / "real", stages)
        measures.append(fidelity_to_labels(made, unseen, judge, source.description.scheme))
        downstream = None
        if settings.downstream:
            student = _trained("Network on the set", made, source, settings, out / "synthetic", stages)
            downstream = _downstream(judge, student, others, source, settings.seed)
    card = Card(
        source,
        made,
        counts(made, source),
        validity(made, source),
        validity(unseen, source),
        measures,
        copies,
        downstream,
        {"training": sorted(set(training.patients)), "held out": sorted(set(others.patients))},
        known,
        settings,
        environment(torch.device("cpu")),
        manifest,
    )
    write_json(out / "card.json", card.to_json())
    return card


def _trained(
    name: str, cases: CardCases, source: SyntheticSet, settings: CardSettings, folder: Path, stages: Stages
) -> nn.Module:
    """Return ENet trained on slices; a fifth of their patients choose its weights."""
    scheme = source.description.scheme
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = ENet(2, in_channels=1, out_channels=scheme.num_classes)
    groups = cases.groups
    patients = int(groups.max()) + 1
    chosen = torch.randperm(patients, generator=seeded(settings.seed))[: max(1, patients // 5)]
    validating = torch.isin(groups, chosen)
    with stages.stage(name) as progress:
        return train_segmentation(
            network,
            cases.chosen(~validating).slices(),
            cases.chosen(validating).slices(),
            folder,
            iterations=settings.iterations,
            iterations_per_round=_ROUND,
            batch_size=8,
            seed=settings.seed,
            scheme=scheme,
            progress=progress,
        )


def _downstream(judge: nn.Module, student: nn.Module, others: CardCases, source: SyntheticSet, seed: int) -> Downstream:
    """Return both networks' Dice by held-out patient, all slices of a patient taken together."""
    real, made = (
        dice_by_volume(network, others.slices(), source.description.scheme).nanmean(dim=1).numpy()
        for network in (judge, student)
    )
    return Downstream(
        bootstrap_mean(real, seed=seed),
        bootstrap_mean(made, seed=seed),
        bootstrap_difference(real, made, seed=seed),
    )


def _without_nan(content: Any) -> Any:
    """Return JSON values with None in place of NaN, which JSON does not know."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and content != content else content


__all__ = ["SHOWN_PAIRS", "Card", "CardSettings", "Downstream", "make_card"]
