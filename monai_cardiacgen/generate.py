"""Generation of synthetic sets from a bundle: each case depends on the seed and its own number only.

The numbers are cut into blocks, whose borders do not depend on how many cases are asked for. Any number of processes
take blocks one after the other, and several threads in each make and write them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Semaphore
from typing import Any, Literal

import torch

from .anatomy.check import AnatomyReport
from .data.bundle_folder import bundle_folder
from .data.case_files import sha256_of
from .data.disk_space import check_free_space
from .data.nnunet_export import Copies, export_nnunet
from .data.seed_dataset import case_seed
from .data.set_description import CaseRecord, SetDescription
from .data.set_writer import SetWriter
from .data.synthetic_hdf5_writer import SyntheticHDF5Writer
from .data.synthetic_set import SyntheticSet
from .data.synthetic_set_writer import SyntheticSetWriter
from .errors import InputError
from .inferers.cardiac_synthesizer import CardiacSynthesizer
from .inferers.synthesizer_files import DESCRIPTION, GENERATOR_WEIGHTS, OTHER_WEIGHTS
from .rank_store import RankStore
from .seeding import seeded

Form = Literal["nifti", "nnunet", "hdf5"]
Progress = Callable[[int, int], None]
Case = tuple[torch.Tensor, torch.Tensor, CaseRecord]

#: Cases that are made together. A case's batch follows from its number, and is made whole even where one of its
#: cases is missing: a network's last bits may depend on the batch.
BATCH = 8
#: Cases of an HDF5 file's part: a multiple of the batch.
PART = 8 * BATCH
#: Threads that only write, beside those that make.
WRITERS = 2
#: Bytes of a case beside its voxels: file headers, the blocks that a file system rounds up to, a line of the manifest
#: and one of the datalist.
_BESIDE_VOXELS = 12_000


def generate_set(
    bundle: Path,
    out: Path,
    count: int,
    seed: int,
    form: Form = "nifti",
    modality: str = "MR",
    dataset_id: int = 500,
    first: int = 0,
    progress: Progress | None = None,
    copies: Copies = "refuse",
) -> Path:
    """Make `count` synthetic cases, or those that a stopped run did not come to.

    Started by `torchrun`, all ranks make one set together, the same as one process makes: on a shared file system
    for ranks on several machines. On the CPU every batch is computed by one thread, as many batches at a time as
    PyTorch has threads, because a network's last bits may depend on how many threads compute it.

    Args:
        bundle: a MONAI bundle with a synthesizer: its folder, a zip file of it, or its name in MONAI's hub directory.
        out: `"nifti"`: the set's folder; `"hdf5"`: the file; `"nnunet"`: nnU-Net's raw folder, in which a folder
            `synthetic_NNN` holds the set that `DatasetNNN_...` is exported from.
        count: how many cases the set shall hold; more can be asked for later.
        seed: of the generation.
        form: how the set is written.
        modality: `"MR"`, `"CT"` or `"US"`.
        dataset_id: nnU-Net's, for `"nnunet"` only.
        first: number of the first case; sets of one seed and other numbers have no case in common.
        progress: called with the number of cases that exist and their total, before the first one and after each
            block; on rank 0 only.
        copies: for `"nnunet"`, whether a set is exported in which `cardiacgen card` found copies of training images.

    Returns:
        The set's folder or file; for nnU-Net the exported dataset's.

    Raises:
        CheckpointError: when there is no synthesizer in the bundle.
        InputError: when `out` was begun with another bundle or seed, or `count` is below 1.
        DataError: when what lies in `out` is damaged, another run writes there, or the disk has no room.
        SamplingError: when no valid heart is found.
    """
    if count < 1 or first < 0:
        raise InputError(f"Expected at least one case and a first number from 0, got {count} and {first}.")
    case_seed(seed, first + count - 1)  # numbers beyond the last seed are refused before anything is made
    ranks = RankStore.from_environment()
    with bundle_folder(bundle) as folder:
        synthesizer = CardiacSynthesizer.from_bundle(folder)
        description = _description(synthesizer, folder, bundle.resolve().stem, seed, modality)
    synthesizer.to(_device(ranks.local_rank))
    synthesizer.optimize(torch.float32)  # not bfloat16 where that is faster: a set shall not depend on the machine
    target = out / f"synthetic_{dataset_id:03d}" if form == "nnunet" else out
    ranks.wait_for_begin()
    writer: SetWriter
    if form == "hdf5":
        writer = SyntheticHDF5Writer(target, description, PART, ranks.rank)
    else:
        writer = SyntheticSetWriter(target, description, ranks.rank)
    with writer:
        missing = writer.missing(count, first)
        if ranks.leads:
            _check_room(target, form, len(missing), synthesizer.spatial_size)
            ranks.begin()
        block = PART if form == "hdf5" else BATCH
        blocks = range(first - first % block, first + count, block)
        make = _Maker(synthesizer, seed, set(missing))
        shown = progress if ranks.leads else None
        _fill(
            writer, make, [range(start, start + block) for start in blocks], ranks, count - len(missing), count, shown
        )
        ranks.end()
    if form != "nnunet" or not ranks.leads:
        return target
    name = "Synthetic" + re.sub(r"[^A-Za-z0-9]+", "", description.bundle.title())
    return export_nnunet(SyntheticSet(target), out, dataset_id, name, copies=copies)


def _device(local_rank: int) -> torch.device:
    """Return one GPU a local rank; ranks beyond the GPUs share them."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", local_rank % torch.cuda.device_count())


def _description(synthesizer: CardiacSynthesizer, folder: Path, name: str, seed: int, modality: str) -> SetDescription:
    """Say what made the set; the fingerprint tells bundles of one name apart."""
    files = "".join(sha256_of(folder / path) for path in (DESCRIPTION, GENERATOR_WEIGHTS, OTHER_WEIGHTS))
    return SetDescription(
        synthesizer.scheme,
        synthesizer.spacing,
        str(synthesizer.provenance.get("name") or name),
        str(synthesizer.provenance.get("version", "")),
        synthesizer.view,
        modality,
        {"seed": seed, "bundle_sha256": hashlib.sha256(files.encode()).hexdigest()},
    )


def _check_room(target: Path, form: Form, count: int, size: tuple[int, ...]) -> None:
    """See that the disk has room for cases that do not compress at all: noise nearly does not."""
    one = math.prod(size) * (torch.float32.itemsize + torch.uint16.itemsize) + _BESIDE_VOXELS
    twice = 1 if form == "nifti" else 2  # nnU-Net's copy; an HDF5 file's parts until they are joined
    check_free_space(target, twice * count * one, files=count // PART + 2 if form == "hdf5" else 2 * twice * count)


class _Maker:
    """Makes the missing cases of a block; threads may share it."""

    def __init__(self, synthesizer: CardiacSynthesizer, seed: int, missing: set[int]) -> None:
        self.synthesizer = synthesizer
        self.seed = seed
        self.missing = missing
        self.stopped = Event()
        #: How many batches are made at a time; other threads write meanwhile.
        self.side_by_side = 1 if synthesizer.device.type == "cuda" else torch.get_num_threads()
        self._turns = Semaphore(self.side_by_side)

    def __call__(self, block: range) -> list[Case]:
        """Return the missing cases of whole batches; nothing once `stopped` is set."""
        cases: list[Case] = []
        for start in range(block.start, block.stop, BATCH):
            wanted = [number for number in range(start, start + BATCH) if number in self.missing]
            if wanted and not self.stopped.is_set():
                with self._turns:
                    cases += self._batch(start, wanted)
        return [] if self.stopped.is_set() else cases

    def _batch(self, start: int, wanted: list[int]) -> list[Case]:
        seeds = [case_seed(self.seed, number) for number in range(start, start + BATCH)]
        made = self.synthesizer.sample(BATCH, [seeded(one) for one in seeds])
        check = self.synthesizer.sampler.check
        report = None if check is None else check(made.label, self.synthesizer.spacing)
        images, labels = made.image.cpu(), made.label.cpu()
        cases = []
        for number in wanted:
            row = number - start
            record = CaseRecord(number, seeds[row], "new", checks=_checked(report, row))
            cases.append((images[row], labels[row], record))
        return cases


def _fill(
    writer: SetWriter,
    make: _Maker,
    blocks: list[range],
    ranks: RankStore,
    there: int,
    count: int,
    progress: Progress | None,
) -> None:
    """Make and write the cases that the set lacks; of them only as many wait in memory as there are threads."""

    def make_and_write(block: range) -> int:
        cases = make(block)
        if cases:
            writer.add_all(cases)
        return len(cases)

    if progress is not None:
        progress(there, count)
    threads = make.side_by_side + WRITERS
    running: set[Future[int]] = set()
    with _one_thread_an_operation(), ThreadPoolExecutor(threads) as pool:
        try:
            for block in _own_blocks(blocks, ranks, make.missing):
                if len(running) == threads:
                    running = _finish(running, ranks, there, count, progress)
                running.add(pool.submit(make_and_write, block))
            while running:
                running = _finish(running, ranks, there, count, progress)
        except BaseException:
            make.stopped.set()  # or else the pool would make all that it was given
            raise


def _own_blocks(blocks: list[range], ranks: RankStore, missing: set[int]) -> Iterator[range]:
    """Yield the blocks that the store hands to this rank and that lack a case."""
    while (piece := ranks.next_piece()) < len(blocks):
        if not missing.isdisjoint(blocks[piece]):
            yield blocks[piece]


def _finish(
    running: set[Future[int]], ranks: RankStore, there: int, count: int, progress: Progress | None
) -> set[Future[int]]:
    """Wait for at least one block, tell of it, and return those that still run."""
    finished, still = wait(running, return_when=FIRST_COMPLETED)
    done = ranks.add_done(sum(one.result() for one in finished))
    if progress is not None:
        progress(there + done, count)
    return still


@contextmanager
def _one_thread_an_operation() -> Iterator[None]:
    """Let PyTorch compute every operation with one thread, in the threads that begin inside the block too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _checked(report: AnatomyReport | None, row: int) -> dict[str, Any]:
    """Return what the anatomical criteria say about a case; nothing where the bundle has none."""
    return {} if report is None else {"anatomy": {"valid": bool(report.valid[row]), "broken": report.reasons(row)}}
