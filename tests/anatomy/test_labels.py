"""Codes to channels and back, for ACDC and for schemes with large or shuffled codes."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy import (
    ACDC,
    BACKGROUND,
    LV_CAVITY,
    MYOCARDIUM,
    RV_CAVITY,
    LabelScheme,
    Structure,
)
from monai_cardiacgen.anatomy.labels import places_of
from monai_cardiacgen.errors import LabelError

GREY = (0.5, 0.5, 0.5)
LARGE = LabelScheme("large codes", (Structure("wall", 205, GREY), Structure("cavity", 500, GREY)))


@pytest.fixture(params=[ACDC, LARGE], ids=lambda scheme: scheme.name)
def scheme(request) -> LabelScheme:
    return request.param


@pytest.fixture
def label(scheme) -> torch.Tensor:
    """A random map of the scheme's codes, (2, 5, 6)."""
    codes = torch.tensor(scheme.codes)
    return codes[torch.randint(len(codes), (2, 5, 6), generator=torch.Generator().manual_seed(0))]


def test_acdc_has_the_challenges_codes():
    assert {name: ACDC.code(name) for name in ACDC.names} == {
        BACKGROUND: 0,
        RV_CAVITY: 1,
        MYOCARDIUM: 2,
        LV_CAVITY: 3,
    }
    assert ACDC.num_classes == 4


def test_names_codes_and_channels_go_together(scheme):
    assert scheme.names[0] == BACKGROUND
    assert scheme.codes[0] == scheme.code(BACKGROUND) == scheme.channel(BACKGROUND) == 0
    for channel, (name, code) in enumerate(zip(scheme.names, scheme.codes, strict=True)):
        assert (scheme.channel(name), scheme.code(name)) == (channel, code)


@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.float32])
def test_codes_survive_the_way_through_channels_and_one_hot(scheme, label, dtype):
    given = label.to(dtype)
    assert torch.equal(scheme.to_codes(scheme.to_channels(given)), label)
    assert torch.equal(scheme.from_one_hot(scheme.one_hot(given)), label)
    assert torch.equal(given, label.to(dtype))


def test_one_hot_has_a_one_where_the_code_is(scheme, label):
    one_hot = scheme.one_hot(label)
    assert one_hot.dtype == torch.float32
    assert torch.equal(one_hot, torch.stack([(label == code).float() for code in scheme.codes], dim=1))


def test_stacks_and_single_maps_have_channels_too(scheme, label):
    assert scheme.to_channels(label[0]).shape == (5, 6)
    assert scheme.one_hot(label[None]).shape == (1, scheme.num_classes, 2, 5, 6)


def test_soft_predictions_go_to_the_largest():
    scores = torch.tensor([[0.1, 0.2, 0.6, 0.1]])[..., None, None]
    assert ACDC.from_one_hot(scores).tolist() == [[[2]]]


def test_a_users_own_codes(scheme, label):
    own = list(range(7, 7 + scheme.num_classes))
    remapped = scheme.remap(label, own)
    for code, mine in zip(scheme.codes, own, strict=True):
        assert torch.equal(remapped == mine, label == code)


def test_unknown_codes_are_named():
    with pytest.raises(LabelError, match=r"codes \(0, 1, 2, 3\) of label scheme 'ACDC', got also \[0.5, 9.0\]"):
        ACDC.to_channels(torch.tensor([0.0, 0.5, 1.0, 9.0]))


@pytest.mark.parametrize("codes", [(0, 1, 2), (0, 1, 1, 2)])
def test_too_few_or_repeated_own_codes_are_refused(codes):
    with pytest.raises(LabelError, match="4 different codes"):
        ACDC.remap(torch.zeros(1, 2, 2, dtype=torch.int64), codes)


def test_an_unknown_structure_is_refused():
    for call in (ACDC.channel, ACDC.code):
        with pytest.raises(LabelError, match="got 'left atrium'"):
            call("left atrium")


@pytest.mark.parametrize("shape", [(4,), (1, 3, 5, 5)])
def test_one_hot_maps_of_other_channels_are_refused(shape):
    with pytest.raises(LabelError, match=r"Expected \(B, 4, ...\)"):
        ACDC.from_one_hot(torch.zeros(shape))


@pytest.mark.parametrize(
    "structures",
    [
        (),
        (Structure("a", 0, GREY),),
        (Structure("a", 1, GREY), Structure("b", 1, GREY)),
        (Structure("a", 1, GREY), Structure("a", 2, GREY)),
        (Structure(BACKGROUND, 1, GREY),),
    ],
)
def test_ambiguous_schemes_are_refused(structures):
    with pytest.raises(LabelError, match="unique names and unique codes"):
        LabelScheme("ambiguous", structures)


FINE = LabelScheme(
    "fine", (Structure("wall", 3, GREY), Structure("left pool", 5, GREY), Structure("right pool", 7, GREY))
)
POOLS = LabelScheme(
    "pools", (Structure("pool", 2, GREY, parts=("left pool", "right pool")), Structure("wall", 9, GREY))
)


def test_another_scheme_gets_the_structures_of_the_same_name_and_unions():
    label = torch.tensor([[0, 3, 5, 7]], dtype=torch.int16)
    assert FINE.to_scheme(label, POOLS).tolist() == [[0, 9, 2, 2]]
    assert FINE.to_scheme(label, FINE).tolist() == label.tolist()


def test_what_has_no_counterpart_must_be_given_up_by_name():
    only_wall = LabelScheme("wall", (Structure("wall", 1, GREY),))
    label = torch.tensor([[0, 3, 5, 7]])
    with pytest.raises(LabelError, match=r"no counterpart of \['left pool', 'right pool'\]"):
        FINE.to_scheme(label, only_wall)
    assert FINE.to_scheme(label, only_wall, without=("left pool", "right pool")).tolist() == [[0, 1, 0, 0]]
    with pytest.raises(LabelError, match="no counterpart of"):
        only_wall.to_scheme(torch.tensor([1]), FINE)
    with pytest.raises(LabelError, match=r"no counterpart of \['aorta'\]"):
        FINE.to_scheme(label, FINE, without=("aorta",))


def test_a_partly_annotated_map_does_not_tell_its_background():
    assert FINE.known(["left pool"]) == (False, False, True, False)
    assert FINE.known(FINE.names) == (True, True, True, True)
    with pytest.raises(LabelError, match="aorta"):
        FINE.known(["aorta"])


@pytest.mark.parametrize("codes", [(0, 1, 2), (0, 500, 205, 850), (0, 7, 10**6), (0, -3, 5)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float32, torch.float64])
def test_places_are_those_of_a_search(codes, dtype):
    values = torch.tensor([*codes, 1, 2, 3, 255, -1, -3, 501]).clamp(0 if dtype == torch.uint8 else -32768, 32767)
    label = values.to(dtype).view(1, -1)
    found = [codes.index(value) if value in codes else -1 for value in label.flatten().tolist()]
    assert places_of(label, codes).tolist() == [found]


def test_what_is_no_whole_number_has_no_place():
    label = torch.tensor([0.5, 1.0, torch.nan, torch.inf, -torch.inf, 1e30])
    assert places_of(label, (0, 1)).tolist() == [-1, 1, -1, -1, -1, -1]
