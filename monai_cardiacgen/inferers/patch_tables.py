"""What the SPADE norms of one level say about every label patch that they have met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import torch

from ..networks.blocks.label_patches import LabelPatches
from ..networks.blocks.spade import SpatiallyAdaptiveNorm

#: Patches are computed so many at a time, filled up where there are fewer: the last bits of a matrix product may depend
#: on its number of rows, and a patch's values must not depend on which others were new with it.
_BLOCK = 32
#: Memory that the tables of one level may take; when they are full they begin anew.
_BYTES = 64 << 20


class PatchTables:
    """Keeps gamma and beta of each patch from map to map, so that only new patches are computed.

    A few hundred patches make up nearly all hearts; after some maps there is hardly a new one at the fine levels.
    The weights must not change meanwhile. What is returned does not depend on what was asked for before; several
    threads may ask.

    Args:
        norms: the level's.
    """

    def __init__(self, norms: Sequence[SpatiallyAdaptiveNorm]) -> None:
        self.norms = list(norms)
        self.widths = [norm.gamma_beta.out_channels for norm in self.norms]
        self._lock = Lock()
        self.most = max(1, _BYTES // (4 * sum(self.widths)))
        self._begin_anew()

    def __len__(self) -> int:
        """Return how many patches are known."""
        return len(self._number)

    def of(self, patches: LabelPatches) -> list[torch.Tensor]:
        """Return for each norm what the labels alone say, `(V, 2 * features)`, of the distinct patches."""
        if patches.label.device.type != "cpu" or len(patches.label) > self.most:
            return [
                norm.of_labels(patches) for norm in self.norms
            ]  # elsewhere it costs less than telling patches apart
        keys = _keys(patches.label)
        with self._lock:
            new = [place for place, key in enumerate(keys) if key not in self._number]
            if new:
                if len(self) + len(new) > self.most:
                    self._begin_anew()
                    new = list(range(len(keys)))
                self._learn(replace(patches, label=patches.label[new]), [keys[place] for place in new])
            rows = torch.tensor([self._number[key] for key in keys])
            return [table.index_select(0, rows) for table in self._tables]

    def _begin_anew(self) -> None:
        self._number: dict[bytes, int] = {}
        self._tables = [torch.empty(0, width) for width in self.widths]

    def _learn(self, patches: LabelPatches, keys: list[bytes]) -> None:
        begin, end = len(self), len(self) + len(keys)
        for place, norm in enumerate(self.norms):
            if len(self._tables[place]) < end:  # twice as much as needed, so that growing is rare
                grown = torch.empty(min(2 * end, self.most), self.widths[place])
                grown[:begin] = self._tables[place][:begin]
                self._tables[place] = grown
            for first, block in enumerate(patches.label.split(_BLOCK)):
                full = torch.cat([block, block[:1].expand(_BLOCK - len(block), *block.shape[1:])])
                at = begin + first * _BLOCK
                self._tables[place][at : at + len(block)] = norm.of_labels(replace(patches, label=full))[: len(block)]
        self._number.update(zip(keys, range(begin, end), strict=True))


def _keys(label: torch.Tensor) -> list[bytes]:
    """Return the pixels of each patch as bytes."""
    flat = label.flatten(1).to(torch.int16)
    size = flat.shape[1] * flat.element_size()
    joined = flat.numpy().tobytes()
    return [joined[begin : begin + size] for begin in range(0, len(joined), size)]
