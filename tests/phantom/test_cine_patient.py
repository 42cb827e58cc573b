"""A drawn patient on a scanner."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom import GROUPS, draw_cine_patient
from monai_cardiacgen.seeding import seeded


def test_a_seed_gives_the_same_patient_and_another_one_another() -> None:
    first, again, other = (draw_cine_patient("NOR", seeded(seed)).image(0.0) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert first[0].shape != other[0].shape or not torch.equal(first[0], other[0])


@pytest.mark.parametrize("group", GROUPS)
def test_the_cavity_is_smaller_at_end_systole(group: str) -> None:
    patient = draw_cine_patient(group, seeded(3))
    diastole, systole = (int((patient.image(contraction)[1] == 3).sum()) for contraction in (0.0, 1.0))
    assert 0 < systole < diastole


def test_unknown_groups_are_refused() -> None:
    with pytest.raises(InputError, match="Expected a group"):
        draw_cine_patient("flu", seeded(0))
