"""A card of phantom patients, with planted copies of those that the generator is said to have learned from."""

from __future__ import annotations

import json

import pytest
import torch
from rich.console import Console

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import (
    CaseRecord,
    SetDescription,
    ShortAxisGrid,
    SyntheticSet,
    SyntheticSetWriter,
    export_nnunet,
    load_slices,
    read_acdc,
    read_memorisation,
)
from monai_cardiacgen.errors import DataError, InputError
from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.studies.card.synthetic_card import CardSettings, make_card

SIDE, MM = 48, 4.0
PLANTED = (  # 4 in 80: 5 %
    lambda image: image,
    lambda image: image.flip(-1),
    lambda image: image.flip(-2).roll((5, -4), (-2, -1)),
    lambda image: (1.4 * image + 0.1).clamp(0, 1),
)
PLACES = (3, 21, 40, 77)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    """A folder of eight patients in ACDC's layout, of whom the first four trained the generator; other ones' slices."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_acdc_phantom(folder / "real", 8, seed=0)
    write_acdc_phantom(folder / "others", 5, seed=1)
    names = [f"patient{number:03d}" for number in range(1, 9)]
    (folder / "split.json").write_text(json.dumps({"training": names[:4], "validation": [], "testing": names[4:]}))
    grid = ShortAxisGrid((MM, MM), (SIDE, SIDE))
    training = load_slices(read_acdc(folder / "real")[:8], grid, hearts_only=True)
    others = load_slices(read_acdc(folder / "others"), grid, hearts_only=True)
    source = folder / "set"
    with SyntheticSetWriter(source, SetDescription(ACDC, (MM, MM), "phantom", "1.0", view="short axis")) as writer:
        for number in range(80):
            one, image = others[number], others[number]["image"].as_tensor()
            if number in PLACES:
                row = PLACES.index(number)
                one = training[7 + 11 * row]
                image = PLANTED[row](one["image"].as_tensor())
            writer.add(image, one["label"].as_tensor(), CaseRecord(number, seed=number, about={"phase": one["phase"]}))
    return folder


@pytest.fixture(scope="module")
def settings(phantoms):
    return CardSettings(
        str(phantoms / "set"),
        str(phantoms / "real"),
        str(phantoms / "split.json"),
        downstream=True,
        iterations=50,
        feature_iterations=20,
    )


@pytest.fixture(scope="module")
def card(settings, phantoms):
    return make_card(settings, phantoms / "card", Console(quiet=True))


def test_exactly_the_planted_copies_are_found(card):
    assert card.copies.cases == [f"case_{number:06d}" for number in PLACES]
    assert all(pair.excess < 1 for pair in card.copies.pairs[4:])
    assert {pair.real.split()[0] for pair in card.copies.pairs[:4]} <= set(card.split["training"])


def test_the_set_is_then_exported_by_force_only(card, phantoms, tmp_path):
    source = SyntheticSet(phantoms / "set")
    assert read_memorisation(source).copies == tuple(card.copies.cases)
    with pytest.raises(InputError, match="without copies"):
        export_nnunet(source, tmp_path, 501, "Hearts")
    forced = export_nnunet(source, tmp_path, 501, "Hearts", copies="export")
    manifest = json.loads((forced / "synthetic_set.json").read_text())
    assert manifest["memorisation"]["copies"] == card.copies.cases


def test_the_json_file_has_the_cards_numbers(card, phantoms):
    content = json.loads((phantoms / "card" / "card.json").read_text())
    assert content["set"]["cases"] == 80
    assert not content["memorisation"]["passed"]
    assert len(content["memorisation"]["closest"]) == 6
    assert content["memorisation"]["limits"] == list(card.copies.limits)
    assert content["validity"]["synthetic"]["total"] == 80
    assert content["provenance"]["training_patients_known"]
    measured = {one["name"]: one["synthetic"] for one in content["measures"]}
    assert measured["label fidelity (Dice)"]["mean"] == pytest.approx(card.measures[-1].synthetic.mean)
    spaces = {one["note"] for one in content["measures"] if "autoencoder" in one["note"]}
    assert any("slices of 4 training patients" in space for space in spaces)
    down = content["downstream"]
    assert down["difference"]["mean"] == pytest.approx(down["synthetic"]["mean"] - down["real"]["mean"], abs=1e-6)
    assert down["real"]["patients"] == 4


def test_the_same_command_gives_the_same_card_and_another_set_needs_another_folder(card, settings, phantoms):
    before = (phantoms / "card" / "card.json").read_bytes()
    make_card(settings, phantoms / "card", Console(quiet=True))
    assert (phantoms / "card" / "card.json").read_bytes() == before
    other = CardSettings(settings.folder, settings.real, None, iterations=50)
    with pytest.raises(InputError, match="another folder"):
        make_card(other, phantoms / "card", Console(quiet=True))


def test_a_damaged_set_has_no_card(settings, phantoms, tmp_path):
    source = phantoms / "broken"
    with SyntheticSetWriter(source, SetDescription(ACDC, (MM, MM), "phantom", "1.0")) as writer:
        writer.add(torch.rand(SIDE, SIDE), torch.zeros(SIDE, SIDE, dtype=torch.int64), CaseRecord(0, seed=0))
    (source / "images" / "case_000000.nii.gz").write_bytes(b"")
    with pytest.raises(DataError, match="not what was written"):
        make_card(CardSettings(str(source), settings.real), tmp_path, Console(quiet=True))
    assert not list(tmp_path.iterdir())


def test_steps_are_whole_rounds():
    with pytest.raises(InputError, match="multiple of 50"):
        CardSettings("set", "real", iterations=70)
