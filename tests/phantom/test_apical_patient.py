from __future__ import annotations

import numpy as np
import pytest

from monai_cardiacgen.phantom.apical_heart import VIEWS
from monai_cardiacgen.phantom.apical_patient import draw_apical_heart
from monai_cardiacgen.seeding import seeded


@pytest.fixture(scope="module")
def hearts():
    return [draw_apical_heart(seeded(seed)) for seed in range(400)]


def test_ejection_fractions_have_the_shares_of_camus(hearts):
    ejection = np.array([heart.ejection_fraction for heart in hearts])
    assert ejection.min() >= 0.2
    assert ejection.max() <= 0.72
    # Four standard errors of a share in 400 patients.
    assert (ejection <= 0.45).mean() == pytest.approx(0.49, abs=0.1)
    assert (ejection > 0.55).mean() == pytest.approx(0.19, abs=0.08)


def test_failing_ventricles_are_larger_and_mens_too(hearts):
    volume = np.array([heart.volume for heart in hearts])
    failing = np.array([heart.ejection_fraction < 0.35 for heart in hearts])
    male = np.array([heart.sex == "M" for heart in hearts])
    assert volume[failing].mean() > 1.2 * volume[~failing].mean()
    assert volume[male].mean() > 1.2 * volume[~male].mean()
    assert volume.min() >= 45
    assert volume.max() <= 330


def test_a_seed_repeats_its_patient_and_another_differs():
    first, again, other = (draw_apical_heart(seeded(seed)) for seed in (3, 3, 4))
    assert (first.volume, first.length) == (again.volume, again.length)
    for view in VIEWS:
        assert (first.plane(view, 0.5).epicardium == again.plane(view, 0.5).epicardium).all()
        assert (first.plane(view, 0.5).epicardium != other.plane(view, 0.5).epicardium).any()
