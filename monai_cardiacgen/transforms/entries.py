"""What a sample tells beside its tensors: entries of its dictionary, or of its tensor's metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monai.data import MetaTensor


def told_entries(names: Sequence[str], data: Mapping[Any, Any], tensor: Any, row: int | None = None) -> dict[str, Any]:
    """Return the entries that a sample has, by name; what it does not tell is left out.

    Args:
        names: of the entries.
        data: the sample's dictionary, or that of a collated batch; its entries count more than the metadata.
        tensor: the sample's, or the batch's; a `MetaTensor` has metadata.
        row: of a collated batch, whose columns hold a value for each row; None for one sample.

    Example:
        >>> told_entries(("view", "phase"), {"view": ["2CH", "4CH"]}, None, row=1)
        {'view': '4CH'}
    """
    meta: Mapping[Any, Any] = tensor.meta if isinstance(tensor, MetaTensor) else {}
    columns = {name: data[name] if name in data else meta[name] for name in names if name in data or name in meta}
    return columns if row is None else {name: column[row] for name, column in columns.items()}
