"""The marginal loss against its formula and its meaning."""

from __future__ import annotations

import pytest
import torch
from monai.losses import DiceCELoss, DiceLoss
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC, LV_CAVITY, SUNNYBROOK
from monai_cardiacgen.errors import LabelError, ShapeError
from monai_cardiacgen.losses.partial_label import PartialLabelLoss, only_known


def random_case(rows: int, channels: int = 4, spatial: tuple[int, ...] = (6, 5)):
    generator = torch.Generator().manual_seed(rows)
    logits = torch.randn((rows, channels, *spatial), generator=generator, dtype=torch.float64)
    codes = torch.randint(channels, (rows, *spatial), generator=generator)
    return logits, torch.nn.functional.one_hot(codes, channels).movedim(-1, 1).double()


@pytest.mark.parametrize("spatial", [(6, 5), (4, 3, 2)])
def test_is_the_loss_itself_where_everything_is_known(spatial):
    logits, one_hot = random_case(3, spatial=spatial)
    known = torch.ones(3, 4, dtype=torch.bool)
    torch.testing.assert_close(PartialLabelLoss()(logits, one_hot, known), DiceCELoss(softmax=True)(logits, one_hot))


def test_is_the_cross_entropy_of_the_marginals():
    logits, one_hot = random_case(2)
    known = torch.tensor([[False, False, True, False], [False, True, False, True]])
    probabilities = logits.softmax(dim=1)
    expected = 0.0
    for row, structures in enumerate(([2], [1, 3])):
        rest = [channel for channel in range(4) if channel not in structures]
        parts = [[channel] for channel in structures] + [rest]
        for part in parts:
            truth = one_hot[row, part].sum(dim=0)
            expected = expected - (truth * probabilities[row, part].sum(dim=0).log()).mean() / 2
    found = PartialLabelLoss(nn.CrossEntropyLoss())(logits, one_hot, known)
    torch.testing.assert_close(found, expected)


def test_dice_sees_the_merged_class():
    logits, one_hot = random_case(1)
    known = torch.tensor([[False, False, True, True]])
    probabilities = logits.softmax(dim=1)
    merge = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float64)
    merged, target = (torch.einsum("kc,bc...->bk...", merge, maps) for maps in (probabilities, one_hot))
    expected = DiceLoss()(merged, target)
    torch.testing.assert_close(PartialLabelLoss(DiceLoss(softmax=True))(logits, one_hot, known), expected)


def test_probability_moved_among_merged_channels_changes_nothing():
    logits, one_hot = random_case(2)
    known = torch.tensor([[False, True, False, False]] * 2)
    probabilities = logits.softmax(dim=1).requires_grad_()
    loss = PartialLabelLoss()
    value = loss(probabilities.log(), one_hot, known)
    (gradient,) = torch.autograd.grad(value, probabilities)
    torch.testing.assert_close(gradient[:, 0], gradient[:, 2])
    torch.testing.assert_close(gradient[:, 0], gradient[:, 3])
    assert (gradient[:, 0] - gradient[:, 1]).abs().min() > 1e-6  # the known channel's differs
    moved = probabilities.detach().clone()
    moved[:, 0], moved[:, 3] = moved[:, 0] + 0.9 * moved[:, 3], 0.1 * moved[:, 3]
    torch.testing.assert_close(loss(moved.log(), one_hot, known), value.detach())


def test_unknown_truth_may_lie_in_any_merged_channel():
    logits, one_hot = random_case(1)
    known = torch.tensor([[False, True, False, True]])
    without = one_hot.clone()
    without[:, 0] += without[:, 2]
    without[:, 2] = 0
    loss = PartialLabelLoss()
    torch.testing.assert_close(loss(logits, one_hot, known), loss(logits, without, known))


def test_a_batch_of_several_annotations_is_the_mean_of_its_rows():
    logits, one_hot = random_case(4)
    known = torch.tensor([[True] * 4, [False, True, False, False], [True] * 4, [False, False, True, True]])
    loss = PartialLabelLoss()
    alone = [loss(logits[row : row + 1], one_hot[row : row + 1], known[row : row + 1]) for row in range(4)]
    torch.testing.assert_close(loss(logits, one_hot, known), torch.stack(alone).mean())


def test_learns_a_structure_from_the_rows_that_have_it():
    # Row 0 has both structures, row 1 only the cavity; the same network output serves both.
    truth = torch.tensor([0, 1, 1, 2, 2, 2])
    full = torch.nn.functional.one_hot(truth, 3).T.float()
    partial = full.clone()
    partial[0] += partial[1]
    partial[1] = 0
    known = torch.tensor([SUNNYBROOK.known(SUNNYBROOK.names[1:]), SUNNYBROOK.known((LV_CAVITY,))])
    logits = torch.zeros(3, 6, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(60):
        optimizer.zero_grad()
        PartialLabelLoss()(logits.expand(2, 3, 6), torch.stack((full, partial)), known).backward()
        optimizer.step()
    assert torch.equal(logits.argmax(dim=0), truth)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (torch.ones(2, 3, dtype=torch.bool), r"known of shape \(2, 4\)"),
        (torch.ones(2, 4), "bool"),
        (torch.tensor([[True] * 4, [True, False, False, False]]), r"none in row\(s\) \[1\]"),
    ],
)
def test_bad_input(known, sentence):
    logits, one_hot = random_case(2)
    with pytest.raises((ShapeError, LabelError), match=sentence):
        PartialLabelLoss()(logits, one_hot, known)
    with pytest.raises(ShapeError, match="give the network the label map's size"):
        PartialLabelLoss()(logits[..., :3], one_hot, torch.ones(2, 4, dtype=torch.bool))


def test_scores_of_unknown_structures_are_no_scores():
    scores = torch.tensor([[0.9, 0.8, 0.1], [0.7, 0.6, 0.5]])
    known = torch.tensor([ACDC.known((LV_CAVITY,))[1:], ACDC.known(ACDC.names[1:])[1:]])
    found = only_known(scores, known)
    assert found.isnan().tolist() == [[True, True, False], [False, False, False]]
    assert torch.equal(found.nanmean(dim=0), torch.tensor([0.7, 0.6, 0.3]))
    with pytest.raises(ShapeError, match="leave the background out of both"):
        only_known(scores, known[:, 1:])
