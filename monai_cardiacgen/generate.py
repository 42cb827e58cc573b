"""Generation of synthetic sets from a bundle: each case depends on the seed and its own number only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from .anatomy.check import AnatomyReport
from .data.case_files import sha256_of
from .data.nnunet_export import export_nnunet
from .data.seed_dataset import SeedDataset
from .data.set_description import CaseRecord, SetDescription
from .data.synthetic_hdf5_writer import SyntheticHDF5Writer
from .data.synthetic_set import SyntheticSet
from .data.synthetic_set_writer import SyntheticSetWriter
from .inferers.cardiac_synthesizer import CardiacSynthesizer
from .inferers.synthesizer_files import DESCRIPTION, GENERATOR_WEIGHTS, OTHER_WEIGHTS
from .seeding import seeded

Form = Literal["nifti", "nnunet", "hdf5"]
Progress = Callable[[int, int], None]

#: Cases that are made together. A case's batch follows from its number, and is made whole even where one of its
#: cases is missing: a network's last bits may depend on the batch.
BATCH = 8


def generate_set(
    bundle: Path,
    out: Path,
    count: int,
    seed: int,
    form: Form = "nifti",
    modality: str = "MR",
    dataset_id: int = 500,
    progress: Progress | None = None,
) -> Path:
    """Make `count` synthetic cases, or those that a stopped run did not come to.

    Args:
        bundle: folder of a MONAI bundle with a synthesizer.
        out: `"nifti"`: the set's folder; `"hdf5"`: the file; `"nnunet"`: nnU-Net's raw folder, in which a folder
            `synthetic_NNN` holds the set that `DatasetNNN_...` is exported from.
        count: how many cases the set shall hold; more can be asked for later.
        seed: of the generation.
        form: how the set is written.
        modality: `"MR"`, `"CT"` or `"US"`.
        dataset_id: nnU-Net's, for `"nnunet"` only.
        progress: called with the number of cases that exist and their total.

    Returns:
        The set's folder or file; for nnU-Net the exported dataset's.

    Raises:
        CheckpointError: when there is no synthesizer in the bundle.
        InputError: when `out` was begun with another bundle or seed, or `count` is below 1.
        DataError: when what lies in `out` is damaged.
        SamplingError: when no valid heart is found.
    """
    whole_batches = -(-count // BATCH) * BATCH
    seeds = [int(case["seed"]) for case in SeedDataset(whole_batches, seed).data]
    synthesizer = CardiacSynthesizer.from_bundle(bundle)
    synthesizer.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    description = _description(synthesizer, bundle, seed, modality)
    if form == "hdf5":
        with SyntheticHDF5Writer(out, description) as hdf5:
            _fill(hdf5, synthesizer, count, seeds, progress)
        return out
    folder = out / f"synthetic_{dataset_id:03d}" if form == "nnunet" else out
    with SyntheticSetWriter(folder, description) as nifti:
        _fill(nifti, synthesizer, count, seeds, progress)
    if form == "nifti":
        return folder
    name = "Synthetic" + re.sub(r"[^A-Za-z0-9]+", "", description.bundle.title())
    return export_nnunet(SyntheticSet(folder), out, dataset_id, name)


def _description(synthesizer: CardiacSynthesizer, bundle: Path, seed: int, modality: str) -> SetDescription:
    """Say what made the set; the fingerprint tells bundles of one name apart."""
    files = "".join(sha256_of(bundle / name) for name in (DESCRIPTION, GENERATOR_WEIGHTS, OTHER_WEIGHTS))
    return SetDescription(
        synthesizer.scheme,
        synthesizer.spacing,
        str(synthesizer.provenance.get("name") or bundle.resolve().name),
        str(synthesizer.provenance.get("version", "")),
        synthesizer.view,
        modality,
        {"seed": seed, "bundle_sha256": hashlib.sha256(files.encode()).hexdigest()},
    )


def _fill(
    writer: SyntheticSetWriter | SyntheticHDF5Writer,
    synthesizer: CardiacSynthesizer,
    count: int,
    seeds: list[int],
    progress: Progress | None,
) -> None:
    """Make the cases that the set lacks, batch by batch."""
    missing = writer.missing(count)
    done = count - len(missing)
    for first in sorted({number - number % BATCH for number in missing}):
        rows = [seeded(one) for one in seeds[first : first + BATCH]]
        cases = synthesizer.sample(BATCH, rows)
        check = synthesizer.sampler.check
        report = None if check is None else check(cases.label, synthesizer.spacing)
        for number in sorted(set(missing) & set(range(first, first + BATCH))):
            row = number - first
            record = CaseRecord(number, seeds[number], "new", checks=_checked(report, row))
            writer.add(cases.image[row].cpu(), cases.label[row].cpu(), record)
            done += 1
            if progress is not None:
                progress(done, count)


def _checked(report: AnatomyReport | None, row: int) -> dict[str, Any]:
    """Return what the anatomical criteria say about a case; nothing where the bundle has none."""
    return {} if report is None else {"anatomy": {"valid": bool(report.valid[row]), "broken": report.reasons(row)}}
