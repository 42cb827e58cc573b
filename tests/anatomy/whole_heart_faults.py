"""Hand-made whole hearts of boxes at 4 mm: one clean heart, and one map for each criterion that breaks it alone."""

from __future__ import annotations

from collections.abc import Callable

import torch

SPACING = (4.0, 4.0, 4.0)
SIZE = (68, 40, 44)
LV, RV, LA, RA, MYO, AO, PA = 500, 600, 420, 550, 205, 820, 850

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

#: Code -> box along x (to the left heart), y and z (from apex to base); painted in this order.
BOXES: dict[int, Box] = {
    MYO: ((28, 44), (8, 24), (4, 22)),
    LV: ((30, 42), (10, 22), (6, 22)),
    RV: ((14, 28), (8, 20), (8, 22)),
    LA: ((36, 46), (10, 20), (22, 30)),
    AO: ((30, 36), (12, 20), (22, 34)),
    PA: ((22, 28), (14, 20), (22, 32)),
    RA: ((10, 20), (10, 20), (22, 31)),
}


def paint(**boxes: Box) -> torch.Tensor:
    """The heart with other boxes by the structures' names, SIZE MM-WHS codes."""
    label = torch.zeros(SIZE, dtype=torch.int64)
    changed = {globals()[name]: box for name, box in boxes.items()}
    for code, box in {**BOXES, **changed}.items():
        x, y, z = (slice(*side) for side in box)
        label[x, y, z] = code
    return label


def clean_whole_heart() -> torch.Tensor:
    return paint()


def _with(x: slice | int, y: slice | int, z: slice | int, code: int) -> torch.Tensor:
    label = paint()
    label[x, y, z] = code
    return label


def _stray(code: int) -> torch.Tensor:
    return _with(62, 38, 42, code)  # one voxel is 64 mm³


def _hole(code: int) -> torch.Tensor:
    x, y, z = ((first + last) // 2 for first, last in BOXES[code])
    return _with(x, y, z, 0)


def _myo_hole() -> torch.Tensor:
    label = paint(MYO=((28, 44), (8, 24), (3, 22)))  # a bottom three voxels thick ...
    label[36, 16, 4] = 0  # ... whose middle one is missing
    return label


def _lined_cavity() -> torch.Tensor:
    # The atrium lines the left cavity all over, so that the cavity is not bare but does not touch the wall.
    label = paint()
    label[30:42, 10:22, 6:22] = LA
    label[31:41, 11:21, 7:22] = LV
    return label


def _right_heart_away() -> torch.Tensor:
    label = paint()
    right = torch.isin(label, torch.tensor([RV, RA, PA]))
    moved = torch.where(right, label, 0).roll(-4, dims=0)
    return torch.where(moved > 0, moved, torch.where(right, 0, label))


def _outside_the_cup() -> torch.Tensor:
    # The cavity goes on far above the wall, where aorta and atrium surround it.
    label = paint(AO=((28, 36), (10, 22), (22, 42)), LA=((36, 46), (10, 22), (22, 40)))
    label[30:36, 12:20, 22:40] = LV
    return label


def _thin_wall() -> torch.Tensor:
    label = paint(
        MYO=((29, 52), (9, 32), (2, 22)),
        LV=((30, 51), (10, 31), (3, 22)),
        RV=((15, 29), (8, 20), (8, 22)),
        LA=((36, 51), (10, 31), (22, 27)),
    )
    label[51, 12:27, 4:14] = 0
    return label


_SMALL_LEFT = {
    "MYO": ((28, 41), (8, 21), (10, 22)),
    "LV": ((30, 39), (10, 19), (12, 22)),
    "AO": ((30, 34), (12, 18), (22, 34)),
    "LA": ((34, 44), (10, 20), (22, 30)),
}

#: Criterion name -> the map that breaks it and no other.
WHOLE_HEART_FAULTS: dict[str, Callable[[], torch.Tensor]] = {
    **{
        f"{name} disconnected": lambda code=code: _stray(code)
        for name, code in {"LV": LV, "RV": RV, "LA": LA, "RA": RA, "MYO": MYO, "AO": AO, "PA": PA}.items()
    },
    **{
        f"{name} holes": lambda code=code: _hole(code)
        for name, code in {"LV": LV, "RV": RV, "LA": LA, "RA": RA, "AO": AO, "PA": PA}.items()
    },
    "MYO holes": _myo_hole,
    "LV-MYO contact": _lined_cavity,
    "RV-MYO contact": _right_heart_away,
    "LA-LV contact": lambda: paint(LA=((42, 52), (10, 20), (22, 30))),
    "RA-RV contact": lambda: paint(RA=((2, 12), (10, 20), (22, 31))),
    "LV-AO contact": lambda: paint(AO=((30, 36), (12, 20), (24, 36))),
    "RV-PA contact": lambda: paint(PA=((22, 28), (14, 20), (24, 34))),
    "LV-RV contact": lambda: _with(slice(28, 30), slice(12, 16), slice(10, 14), RV),
    "LV-RA contact": lambda: _with(slice(20, 36), slice(10, 12), slice(22, 24), RA),
    "LA-RV contact": lambda: _with(slice(22, 36), slice(10, 12), slice(22, 24), LA),
    "LV-PA contact": lambda: _with(slice(26, 36), slice(20, 22), slice(22, 24), PA),
    "LV bare surface": lambda: _with(slice(42, 44), slice(10, 22), slice(6, 20), 0),
    "LV inside MYO hull": _outside_the_cup,
    "LV least volume": lambda: paint(
        MYO=((28, 37), (8, 17), (14, 22)),
        LV=((30, 35), (10, 15), (16, 22)),
        RV=((20, 28), (8, 16), (14, 22)),
        LA=((32, 40), (10, 20), (22, 30)),
        AO=((30, 32), (10, 15), (22, 34)),
        RA=((12, 24), (8, 14), (22, 31)),
    ),
    "LV greatest volume": lambda: paint(MYO=((28, 53), (8, 33), (0, 22)), LV=((30, 51), (10, 31), (2, 22))),
    "RV least volume": lambda: paint(
        **_SMALL_LEFT,
        RV=((22, 28), (10, 16), (16, 22)),
        PA=((25, 28), (10, 20), (22, 32)),
        RA=((12, 25), (10, 16), (22, 31)),
    ),
    "RV greatest volume": lambda: paint(RV=((0, 28), (8, 28), (6, 22))),
    "LA least volume": lambda: paint(LA=((36, 41), (10, 15), (22, 28)), RA=((12, 18), (10, 18), (22, 30))),
    "LA greatest volume": lambda: paint(LA=((36, 60), (6, 26), (22, 32)), RA=((6, 20), (8, 20), (22, 31))),
    "RA least volume": lambda: paint(RA=((14, 20), (10, 16), (22, 28))),
    "RA greatest volume": lambda: paint(RA=((0, 20), (0, 20), (22, 38)), LA=((36, 56), (10, 22), (22, 30))),
    "MYO least volume": lambda: paint(
        MYO=((29, 39), (9, 19), (11, 22)),
        LV=((30, 38), (10, 18), (12, 22)),
        RV=((15, 29), (8, 20), (8, 22)),
        AO=((30, 34), (12, 18), (22, 34)),
        LA=((34, 44), (10, 20), (22, 30)),
    ),
    "MYO greatest volume": lambda: paint(MYO=((28, 54), (8, 34), (0, 22))),
    "AO least volume": lambda: paint(AO=((30, 34), (12, 16), (22, 26))),
    "AO greatest volume": lambda: paint(AO=((29, 36), (0, 28), (22, 44))),
    "PA least volume": lambda: paint(PA=((22, 26), (14, 18), (22, 25))),
    "PA greatest volume": lambda: paint(PA=((22, 28), (14, 40), (22, 40))),
    "MYO to LV least ratio": _thin_wall,
    "MYO to LV greatest ratio": lambda: paint(
        LV=((33, 39), (12, 18), (14, 22)),
        RV=((18, 28), (8, 18), (12, 22)),
        AO=((33, 36), (12, 18), (22, 34)),
    ),
    "RV to LV least ratio": lambda: paint(
        MYO=((28, 52), (8, 32), (0, 22)), LV=((30, 50), (10, 30), (2, 22)), RV=((18, 28), (8, 18), (6, 22))
    ),
    "RV to LV greatest ratio": lambda: paint(**_SMALL_LEFT, RV=((8, 28), (8, 22), (8, 22))),
    "RA to LA least ratio": lambda: paint(LA=((36, 56), (10, 22), (22, 30)), RA=((14, 20), (10, 16), (22, 29))),
    "RA to LA greatest ratio": lambda: paint(RA=((0, 20), (4, 20), (22, 37))),
}
