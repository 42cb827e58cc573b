"""Hand-made apical maps at 1 mm: one clean heart, and one map for each criterion that breaks it alone."""

from __future__ import annotations

from collections.abc import Callable

import torch

SPACING = (1.0, 1.0)
LV, MYO, LA = 1, 2, 3
ACROSS, DEPTH = 96, 128

_x, _z = torch.meshgrid(torch.arange(ACROSS), torch.arange(DEPTH), indexing="ij")


def clean_echo() -> torch.Tensor:
    """A cavity 28 wide in a horseshoe of wall 8 thick, open downwards to an atrium, (ACROSS, DEPTH) CAMUS codes."""
    label = torch.zeros(ACROSS, DEPTH, dtype=torch.int64)
    label[26:70, 12:80] = MYO
    label[34:62, 20:80] = LV
    label[36:60, 80:110] = LA
    return label


def _with(region: torch.Tensor | tuple[slice | int, slice | int], code: int) -> torch.Tensor:
    label = clean_echo()
    label[region] = code
    return label


def _lv_la_gap() -> torch.Tensor:
    # A pocket at the valve whose floor is atrium and whose roof is cavity.
    label = clean_echo()
    label[44:50, 80:84] = 0
    label[42:44, 80:84] = label[50:52, 80:84] = LA
    return label


def _lv_background_frontier() -> torch.Tensor:
    label = clean_echo()
    label[label == LA] = 0
    label[46:50, 80:110] = LA
    return label


def _myo_la_frontier() -> torch.Tensor:
    label = clean_echo()
    label[26:70, 80:110] = LA
    return label


def _lv_to_myo_width() -> torch.Tensor:
    label = clean_echo()
    label[26:33, 30:64] = 0
    label[63:70, 30:64] = 0
    label[29:33, 30:64] = MYO
    label[63:66, 30:64] = MYO
    label[32:34, 30:64] = label[62:64, 30:64] = LV
    return label


def _myo_thread() -> torch.Tensor:
    # A wall 24 thick but for one line of pixels, cut from outside far from the centroid's depth.
    label = clean_echo()
    label[10:34, 12:80] = MYO
    label[10:33, 25] = 0
    return label


#: Criterion name -> the map that breaks it and no other.
ECHO_FAULTS: dict[str, Callable[[], torch.Tensor]] = {
    "LV holes": lambda: _with((48, 50), 0),
    "LA holes": lambda: _with((48, 95), 0),
    "epicardium holes": lambda: _with((30, 50), 0),
    "LV disconnected": lambda: _with((5, 5), LV),
    "MYO disconnected": lambda: _with((5, 5), MYO),
    "LA disconnected": lambda: _with((5, 5), LA),
    "LV-MYO gap": lambda: _with((slice(34, 36), slice(40, 46)), 0),
    "LV-LA gap": _lv_la_gap,
    "LV-background frontier": _lv_background_frontier,
    "MYO-LA frontier": _myo_la_frontier,
    "LV to MYO width": _lv_to_myo_width,
    "MYO erosions to split": _myo_thread,
}
