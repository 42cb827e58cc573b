"""Packed masks do what boolean masks do."""

from __future__ import annotations

import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.anatomy import packed
from monai_cardiacgen.anatomy.packed import PackedMasks, any_along, up_to_here


@pytest.mark.parametrize("count", [1, 7, 8, 9, 36])
def test_packing_is_undone_whatever_the_number(blobs, count):
    packed = PackedMasks.pack(blobs[:count])
    assert packed.bits.shape == (-(-count // 8), *blobs.shape[1:])
    assert torch.equal(packed.unpack(), blobs[:count])


def test_counts_and_presence_are_those_of_the_masks(blobs):
    masks = blobs.clone()
    masks[3] = masks[35] = False
    packed = PackedMasks.pack(masks)
    assert torch.equal(packed.pixels(), masks.sum(dim=(1, 2)))
    assert torch.equal(packed.any(), masks.flatten(1).any(dim=1))
    assert torch.equal(any_along(packed.bits, -1), PackedMasks.pack(masks.any(dim=2, keepdim=True)).bits[..., 0])


def test_large_full_masks_are_counted_without_overflow():
    masks = torch.ones(3, 300, 301, dtype=torch.bool)
    assert PackedMasks.pack(masks).pixels().tolist() == [300 * 301] * 3


def test_what_is_added_to_a_group_never_shows(blobs):
    outside = ~PackedMasks.pack(blobs[:3])
    assert torch.equal(outside.unpack(), ~blobs[:3])
    assert torch.equal(outside.pixels(), (~blobs[:3]).sum(dim=(1, 2)))


def test_masks_combine_and_stack(blobs):
    first, second = blobs[:18], blobs[18:]
    one, other = PackedMasks.pack(first), PackedMasks.pack(second)
    assert torch.equal((one & other).unpack(), first & second)
    assert torch.equal((one | ~other).unpack(), first | ~second)
    both = PackedMasks.stack((one, other))
    assert torch.equal(both.unpack(), torch.stack((first, second)))
    assert torch.equal(both[1].pixels(), second.sum(dim=(1, 2)))
    assert torch.equal(PackedMasks.pack(both.unpack()).bits, both.bits)


def test_pixels_are_listed_with_the_masks_number_through_all_groups(blobs):
    masks = torch.stack((blobs[:5], blobs[5:10]))
    listed = torch.zeros(10, *blobs.shape[1:], dtype=torch.bool)
    listed[PackedMasks.pack(masks).nonzero()] = True
    assert torch.equal(listed, masks.flatten(0, 1))


def test_plainly_one_piece_is_never_said_of_several_parts_or_holes():
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(2000, 4, 5, generator=generator) < 0.5
    plain = PackedMasks.pack(masks).plainly_one_piece()
    eight = ndimage.generate_binary_structure(2, 2)
    for mask in masks[plain]:
        assert ndimage.label(mask, eight)[1] <= 1
        assert not (ndimage.binary_fill_holes(mask) & ~mask.numpy()).any()
    assert 20 < int(plain.sum()) < 1000


def test_plainly_one_piece_is_said_of_plain_shapes_only():
    masks = torch.zeros(6, 9, 9, dtype=torch.bool)
    masks[1, 2:7, 3:6] = True
    masks[2, 2:7, 3:6] = masks[2, 7, 6] = True  # joined at a corner
    masks[3, 2:4, 3:6] = masks[3, 5:7, 3:6] = True  # an empty row between
    masks[4, 2:7, 2:7] = True
    masks[4, 4, 4] = False  # a ring
    masks[5, 2:7, 2:7] = True
    masks[5, 3:6, 3:6] = masks[5, 4, 6] = False  # an open ring: one piece, but not plainly so
    assert PackedMasks.pack(masks).plainly_one_piece().tolist() == [True, True, True, False, False, False]


def test_empty_batches_and_single_pixels_pass():
    assert PackedMasks.pack(torch.zeros(0, 4, 4, dtype=torch.bool)).pixels().shape == (0,)
    single = PackedMasks.pack(torch.ones(1, 1, 1, dtype=torch.bool))
    assert single.pixels().tolist() == [1]
    assert single.plainly_one_piece().tolist() == [True]


@pytest.mark.parametrize("few", [0, 1 << 16])  # PyTorch's operations, and NumPy's
@pytest.mark.parametrize("dim", [-1, -2])
def test_many_and_few_masks_give_the_same(monkeypatch, blobs, few, dim):
    monkeypatch.setattr(packed, "_FEW", few)
    bits = PackedMasks.pack(blobs)
    seen = torch.cummax(blobs.to(torch.uint8), dim=dim).values.bool()
    assert torch.equal(up_to_here(bits.bits, dim), PackedMasks.pack(seen).bits)
    twice = blobs.sum(dim=dim, keepdim=True) > 1
    assert torch.equal(packed._twice_along(bits.bits, dim), PackedMasks.pack(twice).bits.squeeze(dim))
