"""What the SPADE norms of one level say about label patches, from a table of the smaller patterns in them."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import torch
from torch.nn import functional as F

from ..networks.blocks.label_patches import LabelPatches
from ..networks.blocks.spade import SpatiallyAdaptiveNorm

_SIDE = 3
#: Patterns are computed so many at a time, filled up where there are fewer: the last bits of a matrix product may
#: depend on its number of rows, and a pattern's values must not depend on which others were new with it.
_BLOCK = 8
#: Memory that the tables of one level may take; when they are full they begin anew.
_BYTES = 128 << 20


class PatchTables:
    r"""Keeps what each 3 x 3 pattern of labels adds to gamma and beta, from map to map.

    The second convolution of a SPADE norm sums over a pixel's neighbours, and a neighbour's hidden activation depends
    only on the 3 x 3 labels round it. So $\gamma(m)$ of a 5 x 5 patch is a sum of nine rows of a table,

    $$\gamma = b + \sum_k W_k\, h(p_k), \quad h(p) = \mathrm{relu}(V p + c)$$

    with $p_k$ the pattern at the k-th neighbour, and a row for each pattern and k. There are far fewer patterns than
    patches: after some maps there is hardly a new one, and the norm's convolutions are no longer computed. The
    weights must not change meanwhile. What is returned does not depend on what was asked for before; several threads
    may ask.

    Args:
        norms: the level's.
    """

    def __init__(self, norms: Sequence[SpatiallyAdaptiveNorm]) -> None:
        self.norms = list(norms)
        self.taps = self.norms[0].gamma_beta.weight[0, 0].numel()
        # (taps * 2 * features, hidden): a pattern's hidden activation times this is what it adds at every tap
        self._weights = [norm.gamma_beta.weight.detach().flatten(2).permute(2, 0, 1).flatten(0, 1) for norm in norms]
        self.most = max(1, _BYTES // (4 * sum(len(weight) for weight in self._weights)))
        self._lock = Lock()
        self._begin_anew()

    def __len__(self) -> int:
        """Return how many patterns are known."""
        return len(self._number)

    def of(self, patches: LabelPatches) -> list[torch.Tensor]:
        """Return for each norm what the labels alone say, `(V, 2 * features)`, of the distinct patches."""
        windows = patches.label
        for axis in range(1, windows.ndim):
            windows = windows.unfold(axis, _SIDE, 1)
        patterns = windows.reshape(len(windows), self.taps, -1)  # (V, neighbours, pixels)
        if windows.device.type != "cpu":  # there the convolutions cost less than telling patterns apart
            return [norm.of_labels(patches) for norm in self.norms]
        distinct, inverse, keys = _distinct(patterns, patches.classes + 1)
        if len(keys) > self.most:
            return [norm.of_labels(patches) for norm in self.norms]
        with self._lock:
            new = [place for place, key in enumerate(keys) if key not in self._number]
            if len(self) + len(new) > self.most:
                self._begin_anew()
                new = list(range(len(keys)))
            if new:
                self._learn(distinct[new], patches.classes, [keys[place] for place in new])
            rows = torch.tensor([self._number[key] for key in keys])[inverse]  # (V, neighbours)
            at = rows * self.taps + torch.arange(self.taps)
            return [
                F.embedding_bag(at, table.view(-1, norm.gamma_beta.out_channels), mode="sum") + norm.gamma_beta.bias
                for norm, table in zip(self.norms, self._tables, strict=True)
            ]

    def _begin_anew(self) -> None:
        self._number: dict[int | bytes, int] = {}
        self._tables = [torch.empty(0, len(weight)) for weight in self._weights]

    def _learn(self, patterns: torch.Tensor, classes: int, keys: list[int | bytes]) -> None:
        begin, end = len(self), len(self) + len(keys)
        if len(self._tables[0]) < end:  # twice as much as needed, so that growing is rare
            size = min(2 * end, self.most)
            self._tables = [torch.cat([one[:begin], one.new_empty(size - begin, one.shape[1])]) for one in self._tables]
        for first, block in enumerate(patterns.split(_BLOCK)):
            full = torch.cat([block, block[:1].expand(_BLOCK - len(block), -1)])
            inside = (full[:, full.shape[1] // 2] != classes).unsqueeze(1)
            one_hot = F.one_hot(full, classes + 1)[..., :-1].movedim(-1, 1).flatten(1).to(torch.float32)
            at = begin + first * _BLOCK
            for norm, weight, table in zip(self.norms, self._weights, self._tables, strict=True):
                hidden = F.relu(F.linear(one_hot, norm.shared.weight.flatten(1), norm.shared.bias)) * inside
                table[at : at + len(block)] = F.linear(hidden, weight)[: len(block)]
        self._number.update(zip(keys, range(begin, end), strict=True))


def _distinct(patterns: torch.Tensor, base: int) -> tuple[torch.Tensor, torch.Tensor, list[int] | list[bytes]]:
    """Return the distinct rows of `(V, neighbours, pixels)`, values below `base`; whose each is; and a key of each."""
    pixels = patterns.shape[-1]
    if base**pixels < 2**63:  # then a row is a number of so many digits
        digits = base ** torch.arange(pixels)
        numbers = (patterns * digits).sum(dim=-1)
        found, whose = np.unique(numbers.numpy(), return_inverse=True)  # several times faster than PyTorch's
        values, inverse = torch.from_numpy(found), torch.from_numpy(whose).view(numbers.shape)
        return (values[:, None] // digits) % base, inverse, found.tolist()
    rows, inverse = torch.unique(patterns.flatten(0, 1), dim=0, return_inverse=True)
    return rows, inverse.view(patterns.shape[:2]), [row.numpy().tobytes() for row in rows]
