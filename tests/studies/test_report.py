"""The page: whole, offline, readable without pictures."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.studies.evaluation import Score
from monai_cardiacgen.studies.figures import Cases
from monai_cardiacgen.studies.report import Report, page, write_report


class Outline(HTMLParser):
    void = ("meta", "img")

    def __init__(self):
        super().__init__()
        self.open, self.images, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in self.void:
            self.open.append(tag)
        if tag == "img":
            self.images.append(given)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def report():
    def scores(shift):
        return [
            Score(f"p{patient}", "NOR", phase, name, 0.7 + shift + patient / 100, float("nan") if patient else 4.0)
            for patient in range(4)
            for phase in ("ED", "ES")
            for name in ACDC.names[1:]
        ]

    cases = Cases(torch.rand(2, 1, 16, 16), torch.ones(2, 16, 16, dtype=torch.int64))
    history = [{"iteration": 1, "training loss": 1.0, "validation dice": 0.5}]
    return Report(
        title="Title <1>",
        question="Asked & answered",
        steps=["Did this."],
        arms=("plain", "helped"),
        scores=(scores(0.0), scores(0.1)),
        histories=(history, history),
        synthesis=[{"iteration": 1, "vae": 1.0}],
        real=cases,
        synthetic={"vary": cases, "new": cases},
        hearts=cases,
        scheme=ACDC,
        split={"training": ["p9"], "testing": ["p0", "p1"]},
        settings={"seed": "0"},
        timings={"Train": 125.2},
        environment={"torch": "x"},
        provenance={"version": "y"},
        caveats=["A caveat."],
    )


def test_page_is_well_formed_offline_and_described(report):
    outline = Outline()
    outline.feed(page(report))
    assert outline.open == []
    assert len(outline.images) == 5
    assert all(len(image["alt"]) > 30 for image in outline.images)
    assert all(link.startswith("data:image/png;base64,") for link in outline.links)
    text = " ".join(outline.words)
    for part in ("Title <1>", "Asked & answered", "“helped” is better", "A caveat.", "2 min 5 s", "myocardium"):
        assert part in text
    assert "+0.100 (+0.100 to +0.100)" in text
    assert "18 and 18 of 24" in text  # volumes without a distance


def test_page_is_written_whole(report, tmp_path):
    path = write_report(report, tmp_path / "sub" / "index.html")
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert len(list(path.parent.iterdir())) == 1
