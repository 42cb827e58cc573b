"""The page of a study: whole, offline, honest about what it lacks."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import torch
from made_up_study import write_made_up_study

from monai_cardiacgen.data.files import read_csv, write_json
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.studies.augmentation_study.study_figures import SegmentedSlice
from monai_cardiacgen.studies.augmentation_study.study_page import write_study_page


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.images, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def outline(path):
    read = Outline()
    read.feed(path.read_text(encoding="utf-8"))
    assert read.open == []
    assert all(link.startswith("data:image/png;base64,") for link in read.links)
    return read, " ".join(read.words)


def test_a_study_with_pictures(tmp_path):
    out = write_made_up_study(tmp_path, arms=("ordinary", "on_the_fly"), seeds=(0, 1), patients=4)
    write_json(out / "environment.json", {"device": "a fine machine"})
    label = torch.zeros(12, 10, dtype=torch.int64)
    path = write_study_page(out, [SegmentedSlice("patient 1", torch.rand(12, 10), label, label)])
    read, words = outline(path)
    assert len(read.images) == 5
    assert all(len(image["alt"]) > 60 for image in read.images)
    for part in (
        "U-Net learned from 5, 10 real patients, in 2 arms",
        "U-Net, 5 training patients: “real + synthetic on the fly” is better than “real + ordinary augmentation”",
        "each slice replaced with probability 0.5 by one of a phantom patient, made by formulas and not from any "
        "image, but for the last 40% of the steps",
        "known from 2 trainings only",
        "2 differences over all structures are looked at",
        "7 labelled validation patients, more than the 5",
        "2 of 48",
        "a fine machine",
        "10 patients for training, 7 patients for validation, 4 patients for testing",
    ):
        assert part in words
    assert "were finished when this page was written" not in words
    assert len(read_csv(out / "results.csv")) == 2 * len(read_csv(out / "differences.csv")) == 144


def test_a_study_that_was_stopped_has_no_comparison_yet(tmp_path):
    out = write_made_up_study(tmp_path, arms=("ordinary",), seeds=(0,), patients=3)
    (out / "unet" / "10_patients" / "seed_0" / "ordinary" / "scores.csv").unlink()
    (out / "unet" / "5_patients" / "seed_0" / "ordinary" / "history.csv").unlink()
    read, words = outline(write_study_page(out))
    assert "No arm can be compared" in words
    assert "1 of 2 trainings were finished" in words
    assert "Each arm was trained once" in words
    assert len(read.images) == 2
    assert not read_csv(out / "differences.csv")


def test_nothing_finished_is_an_error(tmp_path):
    with pytest.raises(DataError, match="Expected finished runs"):
        write_study_page(tmp_path)
    assert not list(tmp_path.iterdir())
