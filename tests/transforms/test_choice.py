import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms.choice import SynthChoice, choice_of, draw_choice, mode_weights, record_of
from monai_cardiacgen.transforms.provenance import real_record

PROVENANCE = {"name": "bundle", "version": "1.2.3"}


def test_one_several_or_weighted_modes():
    assert mode_weights("vary") == {"vary": 1.0}
    assert mode_weights(["new", "restyle"]) == {"new": 1.0, "restyle": 1.0}
    assert mode_weights({"new": 3, "vary": 1}) == {"new": 3.0, "vary": 1.0}


@pytest.mark.parametrize("mode", ["newer", [], {}, {"new": -1.0}, {"new": 0.0}, {"new": float("nan")}, ["new", "x"]])
def test_impossible_modes_are_refused(mode):
    with pytest.raises(InputError, match="Expected mode to be of"):
        mode_weights(mode)


def test_modes_come_as_often_as_their_weights_say():
    weights, generator = {"new": 3.0, "vary": 1.0, "restyle": 0.0}, seeded(0)
    drawn = [draw_choice(weights, 0.5, generator).mode for _ in range(800)]
    assert drawn.count("restyle") == 0
    assert abs(drawn.count("new") / 800 - 0.75) < 4 * (0.75 * 0.25 / 800) ** 0.5


def test_seeds_do_not_repeat():
    generator = seeded(0)
    seeds = {draw_choice({"new": 1.0}, 0.5, generator).seed for _ in range(200)}
    assert len(seeds) == 200
    assert max(seeds) > torch.iinfo(torch.int32).max


def test_the_record_leads_back_to_the_choice():
    choice = SynthChoice("vary", 123, 0.25)
    assert choice_of(record_of(choice, PROVENANCE), PROVENANCE) == choice


def test_records_of_real_samples_and_of_other_bundles_are_refused():
    with pytest.raises(InputError, match="real sample"):
        choice_of(real_record(), PROVENANCE)
    record = record_of(SynthChoice("new", 1, 0.5), PROVENANCE)
    with pytest.raises(InputError, match=r"'bundle' 1\.2\.4.*'bundle' 1\.2\.3"):
        choice_of(record, {"name": "bundle", "version": "1.2.4"})
