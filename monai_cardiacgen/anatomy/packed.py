"""Batches of 2-D masks with eight masks to a byte: what is done to every pixel alike takes an eighth of the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

#: Bytes of a 64-bit word that are 1: with it a word holds eight counters of up to 255.
_COUNTERS = 0x0101010101010101
#: Up to so many bytes one pass by NumPy takes less time than several operations of PyTorch.
_FEW = 1 << 16


@dataclass(frozen=True, eq=False)
class PackedMasks:
    """Masks `(*groups, N, H, W)`, of which every byte holds the same pixel of eight.

    Masks of one shape combine with `&`, `|` and `~`. A group of masks whose number is no multiple of eight ends
    with masks that nobody asked for: they are empty at first, and left out of every result.

    Attributes:
        bits: `uint8` `(*groups, ceil(N / 8), H, W)`; bit b of byte k belongs to mask 8 k + b.
        count: the number N of masks in a group.

    Example:
        >>> masks = torch.tensor([[[True, False]], [[True, True]]])
        >>> packed = PackedMasks.pack(masks)
        >>> packed.bits.tolist(), packed.pixels().tolist()
        ([[[3, 2]]], [1, 2])
        >>> bool((packed.unpack() == masks).all())
        True
    """

    bits: torch.Tensor
    count: int

    @classmethod
    def pack(cls, mask: torch.Tensor) -> PackedMasks:
        """Pack boolean masks `(*groups, N, H, W)`."""
        count = mask.shape[-3]
        if mask.device.type == "cpu":
            return cls(torch.from_numpy(np.packbits(mask.numpy(), axis=-3, bitorder="little")), count)
        whole = F.pad(mask, (0, 0, 0, 0, 0, -count % 8)).view(torch.uint8).unflatten(-3, (-(-count // 8), 8))
        bits = whole.select(-3, 0).clone()
        for bit in range(1, min(8, count)):
            bits |= whole.select(-3, bit) << bit
        return cls(bits, count)

    @classmethod
    def stack(cls, groups: Sequence[PackedMasks]) -> PackedMasks:
        """Return groups of as many masks each as one, `(len(groups), N, H, W)`."""
        return cls(torch.stack([group.bits for group in groups]), groups[0].count)

    def with_bits(self, bits: torch.Tensor) -> PackedMasks:
        """Return as many masks in a group as here, from their bits."""
        return PackedMasks(bits, self.count)

    def __and__(self, other: PackedMasks) -> PackedMasks:
        return PackedMasks(self.bits & other.bits, self.count)

    def __or__(self, other: PackedMasks) -> PackedMasks:
        return PackedMasks(self.bits | other.bits, self.count)

    def __invert__(self) -> PackedMasks:
        return PackedMasks(~self.bits, self.count)

    def __getitem__(self, group: int | slice) -> PackedMasks:
        """Return a group, or some of them."""
        return PackedMasks(self.bits[group], self.count)

    def unpack(self) -> torch.Tensor:
        """Return the masks, boolean `(*groups, N, H, W)`."""
        if self.bits.device.type == "cpu":
            held = np.unpackbits(self.bits.numpy(), axis=-3, count=self.count, bitorder="little")
            return torch.from_numpy(held).view(torch.bool)
        shape = (*self.bits.shape[:-3], -1, *self.bits.shape[-2:])
        shift = torch.arange(8, dtype=torch.uint8, device=self.bits.device).view(8, 1, 1)
        masks = ((self.bits.unsqueeze(-3) >> shift) & 1).view(torch.bool).reshape(shape)
        return masks[..., : self.count, :, :]

    def any(self) -> torch.Tensor:
        """Return which masks have a pixel, boolean `(*groups, N)`."""
        return self._flags(any_along(any_along(self.bits, -1), -1))

    def pixels(self) -> torch.Tensor:
        """Return the number of pixels of every mask, `int64` `(*groups, N)`."""
        flat = self.bits.flatten(-2)
        if not bool(flat.any()):  # most faults are absent from a whole batch
            return torch.zeros(*self.bits.shape[:-3], self.count, dtype=torch.int64, device=flat.device)
        words = F.pad(flat, (0, -flat.shape[-1] % (8 * 255))).view(torch.int64).unflatten(-1, (-1, 255))
        held = range(min(8, self.count))
        sums = [((words >> bit) & _COUNTERS).sum(dim=-1).view(torch.uint8).sum(dim=-1) for bit in held]
        return torch.stack(sums, dim=-1).flatten(-2)[..., : self.count]

    def nonzero(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the mask's number, counted through the groups, the row and the column of every pixel."""
        bytes_of_group = self.bits.shape[-3]
        flat = self.bits.flatten(0, -3)
        byte, row, column = flat.nonzero(as_tuple=True)
        held = (flat[byte, row, column].unsqueeze(1) >> torch.arange(8, dtype=torch.uint8, device=flat.device)) & 1
        pixel, bit = held.nonzero(as_tuple=True)
        byte = byte[pixel]
        number = (byte // bytes_of_group) * self.count + 8 * (byte % bytes_of_group) + bit
        return number, row[pixel], column[pixel]

    def _flags(self, bits: torch.Tensor) -> torch.Tensor:
        """Return one bit a mask `(*groups, bytes)` as boolean `(*groups, N)`."""
        return PackedMasks(bits[..., None, None], self.count).unpack()[..., 0, 0]

    def plainly_one_piece(self) -> torch.Tensor:
        """Return which masks are seen at once to be one 8-connected piece without a hole, boolean `(*groups, N)`.

        Such a mask has at most one run of pixels in every row (or column), each touching that of the row before.
        Most hearts' masks are of this kind; an empty mask is, too.
        """
        return self._flags(_runs_in_one_chain(self.bits) | _runs_in_one_chain(self.bits.transpose(-1, -2)))


def any_along(bits: torch.Tensor, dim: int) -> torch.Tensor:
    """Return the bits without the dimension `dim`: set where any along it is."""
    if bits.device.type == "cpu":  # PyTorch has no such reduction
        return torch.from_numpy(np.bitwise_or.reduce(bits.numpy(), axis=dim))
    while (size := bits.shape[dim]) > 1:
        half = (size + 1) // 2
        bits = bits.narrow(dim, 0, half) | bits.narrow(dim, size - half, half)
    return bits.squeeze(dim)


def up_to_here(bits: torch.Tensor, dim: int) -> torch.Tensor:
    """Return the bits that are set from the first one along `dim` to the end."""
    if bits.numel() <= _FEW and bits.device.type == "cpu":
        return torch.from_numpy(np.bitwise_or.accumulate(bits.numpy(), axis=dim))
    step, size = 1, bits.shape[dim]
    while step < size:
        before, bits = bits, bits.clone()
        bits.narrow(dim, step, size - step).bitwise_or_(before.narrow(dim, 0, size - step))
        step *= 2
    return bits


def _twice_along(bits: torch.Tensor, dim: int) -> torch.Tensor:
    """Return the bits without the dimension `dim`: set where two or more along it are."""
    if bits.numel() <= _FEW and bits.device.type == "cpu":
        before, after = (bits.narrow(dim, start, bits.shape[dim] - 1) for start in (0, 1))
        return any_along(up_to_here(before, dim) & after, dim)
    twice = torch.zeros_like(bits)
    while (size := bits.shape[dim]) > 1:
        half = size // 2
        first, second, odd = (bits.narrow(dim, *part) for part in ((0, half), (half, half), (2 * half, size % 2)))
        seen, again, rest = (twice.narrow(dim, *part) for part in ((0, half), (half, half), (2 * half, size % 2)))
        bits = torch.cat((first | second, odd), dim)
        twice = torch.cat((seen | again | (first & second), rest), dim)
    return twice.squeeze(dim)


def _runs_in_one_chain(bits: torch.Tensor) -> torch.Tensor:
    """Return one bit a mask: at most one run in every row, and it touches the row before but in the first."""
    start = bits.clone()
    start[..., 1:] &= ~bits[..., :-1]
    several = any_along(_twice_along(start, -1), -1)
    grown = bits.clone()
    grown[..., 1:] |= bits[..., :-1]
    grown[..., :-1] |= bits[..., 1:]
    first = any_along(bits, -1)
    first[..., 1:] &= ~any_along(grown[..., :-1, :] & bits[..., 1:, :], -1)
    return ~(several | _twice_along(first, -1))
