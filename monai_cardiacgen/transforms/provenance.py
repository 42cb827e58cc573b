"""What a sample's metadata says about where it came from, so that a synthetic case can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import torch
from monai.data import MetaTensor
from torch.utils.data import default_collate

#: The key of the record in a `MetaTensor`'s `meta`.
META_KEY = "cardiacgen"


class Record(TypedDict):
    """Where a sample came from; real samples have the same keys, so that MONAI collates mixed batches.

    Attributes:
        synthetic: False for a real sample; the other fields are then empty.
        mode: how it was made: `"new"`, `"vary"` or `"restyle"`.
        seed: of the sample's own generator; -1 for a real sample.
        strength: how far `"vary"` may have moved the heart, in (0, 1].
        bundle: name of the synthesizer's bundle.
        version: of the bundle.
    """

    synthetic: bool
    mode: str
    seed: int
    strength: float
    bundle: str
    version: str


def real_record() -> Record:
    """Return the record of a real sample."""
    return Record(synthetic=False, mode="", seed=-1, strength=0.0, bundle="", version="")


def read_records(tensor: Any) -> list[Record | None]:
    """Return the record of a sample, or of every row of a collated batch; None where there is none.

    Example:
        >>> from monai.data import MetaTensor
        >>> read_records(MetaTensor(torch.zeros(1, 4, 4), meta={META_KEY: real_record()}))[0]["synthetic"]
        False
    """
    batched = isinstance(tensor, MetaTensor) and tensor.is_batch
    rows = len(tensor) if batched else 1
    record = tensor.meta.get(META_KEY) if isinstance(tensor, MetaTensor) else None
    if not isinstance(record, Mapping):
        return [None] * rows
    if not batched:
        return [cast(Record, dict(record))]
    columns = {name: _plain(column) for name, column in record.items()}
    return [cast(Record, {name: column[row] for name, column in columns.items()}) for row in range(rows)]


def write_records(values: torch.Tensor, like: MetaTensor, records: Sequence[Record | None]) -> MetaTensor:
    """Return `values` with all that `like` knows (affine, history, meta), and its rows' records.

    Args:
        values: the pixels of the result, a plain tensor.
        like: the sample or the collated batch that they replace; it is not changed.
        records: one a row; None keeps the record that the row has, or says that it is real.
    """
    new = [record or old or real_record() for record, old in zip(records, read_records(like), strict=True)]
    result = MetaTensor(values).copy_meta_from(like)
    result.meta = {**like.meta, META_KEY: default_collate(new) if like.is_batch else new[0]}
    return cast(MetaTensor, result)


def _plain(column: Any) -> list[Any]:
    """Return a collated column as Python values."""
    return list(column.tolist()) if isinstance(column, torch.Tensor) else list(column)
