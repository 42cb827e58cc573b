"""The card's page: what it says, that it needs no other file, and what it shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
import torch
from small_hearts import hearts

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import CaseRecord, SetDescription, SyntheticSet, SyntheticSetWriter
from monai_cardiacgen.studies.bootstrap import Interval
from monai_cardiacgen.studies.card.card_cases import load_set
from monai_cardiacgen.studies.card.card_copies import Copies, Pair
from monai_cardiacgen.studies.card.card_measures import Measure, counts, validity
from monai_cardiacgen.studies.card.synthetic_card import Card, CardSettings, Downstream
from monai_cardiacgen.studies.card.synthetic_card_page import (
    card_page,
    nearness_figure,
    pairs_figure,
    verdict,
    write_card_page,
)


def pair(number: int, nearness: float) -> Pair:
    return Pair(f"case_{number:06d}", "patient007 ED slice 3", nearness, 2.0, 0.9, (0,), (3, -2), torch.rand(4, 32, 32))


@pytest.fixture
def card(tmp_path):
    image, label = hearts(20)
    description = SetDescription(ACDC, (3.0, 3.0), "mine <b>", "1.0", view="short axis")
    with SyntheticSetWriter(tmp_path / "set", description) as writer:
        for number in range(20):
            writer.add(image[number], label[number], CaseRecord(number, seed=number))
    source = SyntheticSet(tmp_path / "set")
    made = load_set(source, lambda *numbers: None)
    one, other = Interval(0.7, 0.6, 0.8, 12), Interval(0.71, 0.5, 0.9, 12)
    return Card(
        source,
        made,
        counts(made, source),
        validity(made, source),
        validity(made, source),
        [Measure("recall", "Which share?", one, other, "a named space")],
        Copies(tuple(pair(n, 2000 / (n + 1) ** 3) for n in range(20)), (2.0,), torch.rand(30) + 0.5, "Compared."),
        Downstream(other, one, Interval(-0.01, -0.05, 0.03, 12)),
        {"training": ["patient007"], "held out": ["patient008"]},
        True,
        CardSettings("set", "real"),
        {"device": "CPU"},
        "0" * 64,
    )


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.sources = [], []

    def handle_starttag(self, tag, attributes):
        self.sources += [value for key, value in attributes if key in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_other_file(card, tmp_path):
    page = write_card_page(card, tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert len(tags.sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in tags.sources)
    assert "mine &lt;b&gt;" in page
    assert "<b>" not in page


def test_it_says_what_must_be_known_first(card):
    copies = [n for n in range(20) if 2000 / (n + 1) ** 3 > 2]
    sentences = verdict(card)
    assert sentences[0].startswith(f"{len(copies)} of 20 cases are copies")
    assert "not exported unless forced" in sentences[0]
    assert "difference −0.010 (−0.050 to +0.030)" in sentences[-1]
    page = card_page(card)
    assert "0.700 (0.600 to 0.800)" in page
    assert "a named space" in page
    assert len(re.findall(r"<td>copy</td>", page)) == len(copies)
    assert len(re.findall(r"<td>no copy</td>", page)) == 6
    assert "flipped along axis 1, moved by (3, -2) pixels" in page


def test_an_honest_set_is_told_so_without_what_was_not_asked_for(card):
    honest = Copies(tuple(pair(n, 1.2) for n in range(20)), (2.0, 3.0), torch.rand(30), "Compared.")
    values = {key: value for key, value in vars(card).items() if key not in ("copies", "downstream", "validity")}
    plain = Card(**values, copies=honest, downstream=None, validity=None)
    assert verdict(plain) == ["None of 20 cases is a copy of a real slice, as far as this test sees."]
    unknown = Card(**{**vars(plain), "known": False})
    assert "was not said" in verdict(unknown)[-1]
    page = card_page(plain)
    assert "above 2 and 3 counts" in page
    assert "no anatomical criteria" in page
    assert "Train on synthetic" not in page


def test_pictures_show_six_pairs_and_all_that_was_near(card):
    figure = pairs_figure(card.copies)
    assert len(figure.axes) == 24
    assert "copy" in figure.axes[1].get_title()
    few = SimpleNamespace(pairs=card.copies.pairs[:2], limits=(2.0,), chance=torch.ones(3))
    assert len(pairs_figure(few).axes) == 8
    axis = nearness_figure(card.copies).axes[0]
    assert sum(int(patch.get_height()) for patch in axis.patches) == 50
