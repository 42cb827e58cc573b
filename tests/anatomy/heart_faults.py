"""Hand-made short-axis slices at 2 mm: one clean heart, and one map for each criterion that breaks it alone."""

from __future__ import annotations

from collections.abc import Callable

import torch

SPACING = (2.0, 2.0)
SIDE = 96
ROW, COLUMN = 48, 52  # the middle of the left ventricle
RV, MYO, LV = 1, 2, 3

_rows, _columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
_down, _right = _rows - ROW, _columns - COLUMN


def disc(radius: float, right: int = 0) -> torch.Tensor:
    """Pixels within `radius` of a point `right` of the left ventricle's middle, (SIDE, SIDE)."""
    return _down**2 + (_right - right) ** 2 <= radius**2


def clean_heart() -> torch.Tensor:
    """A round cavity in a wall 6 pixels thick, and a crescent on its left, (SIDE, SIDE) ACDC codes."""
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[disc(16, right=-12)] = RV
    label[disc(14)] = MYO
    label[disc(8)] = LV
    return label


def _lv_holes() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN] = 0
    return label


def _rv_holes() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN - 21] = 0
    return label


def _myo_holes() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN + 11] = 0
    return label


def _lv_disconnected() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN + 11] = LV
    return label


def _rv_disconnected() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN - 30] = RV
    return label


def _myo_disconnected() -> torch.Tensor:
    label = clean_heart()
    label[ROW, COLUMN + 16] = MYO
    return label


def _lv_myo_gap() -> torch.Tensor:
    # A cleft in the wall whose mouth a finger of the cavity fills: only its tip touches the gap.
    label = clean_heart()
    label[ROW, COLUMN + 9] = LV
    label[ROW, COLUMN + 10 : COLUMN + 13] = 0
    return label


def _rv_myo_gap() -> torch.Tensor:
    label = clean_heart()
    label[ROW - 2 : ROW + 2, COLUMN - 15] = 0
    return label


def _rv_myo_distance() -> torch.Tensor:
    label = clean_heart()
    right_cavity = (label == RV).roll(-4, dims=1)
    label[label == RV] = 0
    label[right_cavity] = RV
    return label


def _thin_wall(beyond: int) -> torch.Tensor:
    # Diamonds: on the left the wall is one pixel thin and slants, so the cavity touches what is beyond by corners.
    away = _down.abs() - _right
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[(away >= 10) & (away <= 20) & (_right <= 2)] = beyond
    label[(away <= 9) & (_down.abs() + _right <= 14)] = MYO
    label[_down.abs() + _right.abs() <= 8] = LV
    return label


def _lv_rv_frontier() -> torch.Tensor:
    return _thin_wall(beyond=RV)


def _lv_background_frontier() -> torch.Tensor:
    return _thin_wall(beyond=0)


def _lv_concavity() -> torch.Tensor:
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[disc(20)] = MYO
    label[disc(14)] = LV
    label[ROW - 3 : ROW + 4, COLUMN + 4 : COLUMN + 15] = MYO  # a thick muscle far into the cavity
    return label


def _rv_concavity() -> torch.Tensor:
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[8:88, 10:50] = RV
    label[18:78, 10:40] = 0  # a U, open to the left, of 60 by 80 mm
    label[30:50, 50:70] = MYO
    label[35:45, 55:65] = LV
    return label


def _myo_concavity() -> torch.Tensor:
    label = clean_heart()
    label[ROW - 3 : ROW + 4, COLUMN + 10 :] = 0
    return label


def _lv_circularity() -> torch.Tensor:
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[30:60, 10:85] = MYO
    label[44:46, 20:75] = LV
    return label


def _myo_circularity() -> torch.Tensor:
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    label[44:47, 10:80] = MYO
    return label


#: Criterion name -> the map that breaks it and no other.
FAULTS: dict[str, Callable[[], torch.Tensor]] = {
    "LV holes": _lv_holes,
    "RV holes": _rv_holes,
    "MYO holes": _myo_holes,
    "LV disconnected": _lv_disconnected,
    "RV disconnected": _rv_disconnected,
    "MYO disconnected": _myo_disconnected,
    "LV-MYO gap": _lv_myo_gap,
    "RV-MYO gap": _rv_myo_gap,
    "RV-MYO distance": _rv_myo_distance,
    "LV-RV frontier": _lv_rv_frontier,
    "LV-background frontier": _lv_background_frontier,
    "LV concavity": _lv_concavity,
    "RV concavity": _rv_concavity,
    "MYO concavity": _myo_concavity,
    "LV circularity": _lv_circularity,
    "MYO circularity": _myo_circularity,
}
