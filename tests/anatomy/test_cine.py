"""Each criterion through time is broken by a sequence that breaks no other."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from monai_cardiacgen.anatomy import ACDC, CAMUS, WHOLE_HEART, CineCheck
from monai_cardiacgen.anatomy.cine import CINE_APICAL, CINE_SHORT_AXIS, apical_attributes
from monai_cardiacgen.errors import InputError, LabelError, ShapeError, SpacingError

LV, MYO = 1, 2
FRAMES, SIDE, MM = 21, 320, 0.4
APICAL = [criterion.name for criterion in CINE_APICAL]
SHORT_AXIS = [criterion.name for criterion in CINE_SHORT_AXIS]
#: mm², mm and degrees that the beat below stays within.
RANGES = {
    "LV area": (600.0, 3000.0),
    "LV base width": (15.0, 45.0),
    "LV length": (35.0, 90.0),
    "LV orientation": (-30.0, 30.0),
    "MYO area": (1000.0, 4000.0),
}

_x, _z = torch.meshgrid(torch.arange(SIDE) * MM, torch.arange(SIDE) * MM, indexing="ij")


def frame(
    width: float = 30.0, length: float = 70.0, angle: float = 0.0, wall: float = 9.0, base: float | None = None
) -> torch.Tensor:
    """Half an ellipse of cavity in a wall, open at its base, (SIDE, SIDE); lengths in mm, the angle in degrees."""
    turn = math.radians(angle)
    across = (_x - 64) * math.cos(turn) - (_z - 100) * math.sin(turn)
    up = -(_x - 64) * math.sin(turn) - (_z - 100) * math.cos(turn)
    label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    inside = (across / (width / 2)) ** 2 + (up / length) ** 2 <= 1
    around = (across / (width / 2 + wall)) ** 2 + (up / (length + wall)) ** 2 <= 1
    label[around & (up >= 0)] = MYO
    label[inside & (up >= 0)] = LV
    if base is not None:  # the wall reaches in below the cavity and leaves an opening
        label[around & (up >= 0) & (up < 1.0) & (across.abs() > base / 2)] = MYO
    return label


def beat(**changes: Callable[[float], float]) -> torch.Tensor:
    """Half a beat from end diastole to end systole, (FRAMES, SIDE, SIDE)."""
    course = [(1 - math.cos(math.pi * step / (FRAMES - 1))) / 2 for step in range(FRAMES)]
    shapes = {
        "width": lambda phase: 36 - 8 * phase,
        "length": lambda phase: 72 - 8 * phase,
        "wall": lambda phase: 9 + 2 * phase,
        **changes,
    }
    return torch.stack([frame(**{name: shape(phase) for name, shape in shapes.items()}) for phase in course])


def with_frame(label: torch.Tensor) -> torch.Tensor:
    sequence = beat()
    sequence[10] = label
    return sequence


MIDDLE = {"width": 32.0, "length": 68.0, "wall": 10.0}


def _bulged() -> torch.Tensor:
    # More cavity, taken in thin strips from the wall beside it, far from base and apex, and given to the wall outside.
    sequence = beat()
    middle = sequence[10]
    bulge = torch.zeros_like(middle, dtype=torch.bool)
    bulge[:, 155:225] = True
    middle[(frame(**{**MIDDLE, "width": 34.6}) == LV) & bulge] = LV
    outer = (frame(**{**MIDDLE, "width": 34.6}) == MYO) & bulge & (middle == 0)
    middle[outer] = MYO
    return sequence


#: Criterion name -> the sequence that breaks it and no other.
CINE_FAULTS: dict[str, Callable[[], torch.Tensor]] = {
    "LV area": _bulged,
    "LV base width": lambda: with_frame(frame(**MIDDLE, base=24.0)),
    "LV length": lambda: with_frame(frame(width=31.25, length=70.0, wall=9.9)),
    "LV orientation": lambda: with_frame(frame(**MIDDLE, angle=3.0)),
    "MYO area": lambda: with_frame(frame(**{**MIDDLE, "wall": 10.9})),
}


def broken(sequence: torch.Tensor) -> list[str]:
    report = CineCheck(CAMUS, "apical", RANGES)(sequence[None], (MM, MM))
    return [name for name, is_broken in zip(APICAL, report.broken[0], strict=True) if is_broken]


def test_a_smooth_beat_breaks_none():
    assert broken(beat()) == []


@pytest.mark.parametrize("name", CINE_FAULTS)
def test_each_fault_breaks_its_criterion_alone(name):
    assert broken(CINE_FAULTS[name]()) == [name]


def test_attributes_are_those_that_were_drawn():
    label = torch.stack([frame(width=36, length=70, angle=angle) for angle in (0.0, 20.0, -20.0)])
    values = apical_attributes(label == LV, label == MYO, (MM, MM))
    torch.testing.assert_close(values["LV area"], torch.full((3,), math.pi * 18 * 70 / 2), rtol=0.01, atol=0)
    torch.testing.assert_close(values["LV length"], torch.full((3,), 70.0), rtol=0, atol=1.0)
    torch.testing.assert_close(values["LV base width"], torch.full((3,), 36.0), rtol=0, atol=1.0)
    torch.testing.assert_close(values["LV orientation"].abs(), torch.tensor([0.0, 20.0, 20.0]), rtol=0, atol=0.3)
    assert values["LV orientation"][1] * values["LV orientation"][2] < 0


def test_lengths_follow_the_spacing():
    label = frame()[None]
    fine, coarse = (apical_attributes(label == LV, label == MYO, (mm, mm)) for mm in (MM, 2 * MM))
    for name, factor in {"LV area": 4, "LV base width": 2, "LV length": 2, "LV orientation": 1, "MYO area": 4}.items():
        torch.testing.assert_close(coarse[name], factor * fine[name])


def volumes_to_stacks(volumes: list[int], wall: int | list[int] = 5000) -> torch.Tensor:
    """Sequences (1, T, 100, 100, 3) whose cavity and wall have so many voxels."""
    walls = [wall] * len(volumes) if isinstance(wall, int) else wall
    frames = torch.zeros(len(volumes), 30000, dtype=torch.int64)
    for row, count, muscle in zip(frames, volumes, walls, strict=True):
        row[:count] = 3
        row[count : count + muscle] = 2
    return frames.view(1, -1, 100, 100, 3)


def test_a_stacks_volumes_are_followed():
    curve = [round(7000 - 2000 * (1 - math.cos(2 * math.pi * step / 25))) for step in range(26)]
    check = CineCheck(ACDC, "short axis")
    report = check(volumes_to_stacks(curve), (1.0, 1.0, 8.0))
    assert report.valid.tolist() == [True]
    # The largest bend of a cosine of n frames, over its range of 2 amplitudes.
    assert report.values[0, 0].item() == pytest.approx((1 - math.cos(2 * math.pi / 25)) / 2, rel=0.02)


SHORT_AXIS_FAULTS = {
    "LV volume": lambda: volumes_to_stacks([7000, 6500, 6000, 5300, 5000, 4500, 4000]),
    "MYO volume": lambda: volumes_to_stacks(
        [7000, 6500, 6000, 5500, 5000, 4500, 4000], [5000] * 3 + [5300] + [5000] * 3
    ),
}


@pytest.mark.parametrize("name", SHORT_AXIS_FAULTS)
def test_each_fault_of_a_stack_breaks_its_criterion_alone(name):
    report = CineCheck(ACDC, "short axis")(SHORT_AXIS_FAULTS[name](), (1.0, 1.0, 8.0))
    assert [one for one, is_broken in zip(SHORT_AXIS, report.broken[0], strict=True) if is_broken] == [name]


def test_the_range_of_the_sequence_or_the_one_that_is_given():
    sequence = volumes_to_stacks([7000, 6000, 5100, 4000])
    own = CineCheck(ACDC, "short axis")(sequence, (1.0, 1.0, 1.0)).values[0, 0]
    given = CineCheck(ACDC, "short axis", {"LV volume": (0.0, 6.0)})(sequence, (1.0, 1.0, 1.0)).values[0, 0]
    assert own.item() == pytest.approx(100 / 3000, rel=1e-5)
    assert given.item() == pytest.approx(0.1 / 6, rel=1e-4)


def test_a_heart_at_rest_is_smooth_and_an_absent_one_is_not():
    still = frame()[None, None].expand(2, 3, -1, -1).clone()
    still[1, 2] = 0
    report = CineCheck()(still, (MM, MM))
    assert report.values[0].tolist() == [0.0] * 5
    assert report.broken[1].all()
    assert "LV area has no value, for a structure is absent" in report.reasons(1)[0]


def test_a_batch_equals_each_sequence():
    sequences = torch.stack([beat(), *(make() for make in CINE_FAULTS.values())])
    check = CineCheck(CAMUS, "apical", RANGES)
    whole = check(sequences, (MM, MM))
    for row, sequence in enumerate(sequences):
        torch.testing.assert_close(check(sequence[None], (MM, MM)).values[0], whole.values[row], rtol=0, atol=0)


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match=r"\(B, T, H, W\) of at least 3 frames"):
        CineCheck()(torch.zeros(1, 2, 8, 8, dtype=torch.int64), (1.0, 1.0))
    with pytest.raises(ShapeError, match=r"\(B, T, H, W, slices\)"):
        CineCheck(ACDC, "short axis")(torch.zeros(1, 5, 8, 8, dtype=torch.int64), (1.0, 1.0, 1.0))
    with pytest.raises(SpacingError, match="2 positive spacings"):
        CineCheck()(torch.zeros(1, 5, 8, 8, dtype=torch.int64), (1.0,))
    with pytest.raises(InputError, match="Expected a view of"):
        CineCheck(CAMUS, "whole heart")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Expected ranges"):
        CineCheck(CAMUS, "apical", {"LV volume": (0.0, 1.0)})
    with pytest.raises(InputError, match="Expected ranges"):
        CineCheck(CAMUS, "apical", {"LV area": (1.0, 1.0)})
    with pytest.raises(LabelError, match="left ventricular cavity"):
        CineCheck(WHOLE_HEART)
