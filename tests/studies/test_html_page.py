"""The parts of a page hold what they are given, as text."""

from __future__ import annotations

from xml.etree import ElementTree

from monai_cardiacgen.studies.figure_parts import new_figure
from monai_cardiacgen.studies.html_page import (
    details,
    document,
    pairs_table,
    paragraphs,
    picture,
    split_table,
    table,
)


def words(element):
    return [part.strip() for part in element.itertext() if part.strip()]


def test_a_table_has_its_head_its_groups_and_its_totals():
    made = ElementTree.fromstring(
        table(
            "Best & worst",
            ("arm", "a", "b"),
            [("one", "1", "<2>"), ("all", "3", "4")],
            totals=(1,),
            groups=(("", 1), ("ab", 2)),
        )
    )
    grid = made.find("table")
    assert grid.find("caption").text == "Best & worst"
    groups, names = grid.findall("thead/tr")
    assert [int(cell.get("colspan")) for cell in groups] == [1, 2]
    assert words(names) == ["arm", "a", "b"]
    assert [(words(row), row.get("class")) for row in grid.findall("tbody/tr")] == [
        (["one", "1", "<2>"], None),
        (["all", "3", "4"], "total"),
    ]


def test_a_table_without_head_and_caption():
    grid = ElementTree.fromstring(table("", (), [("one", "1")])).find("table")
    assert [child.tag for child in grid] == ["tbody"]


def test_pairs_and_splits():
    assert words(ElementTree.fromstring(pairs_table("Times", {"a": 1}))) == ["Times", "a", "1"]
    folded = ElementTree.fromstring(split_table({"training": ["p1", "p2"], "testing": ["p3"]}))
    assert folded.find("summary").text == "2 patients for training, 1 patients for testing"
    assert words(folded.find("div")) == ["training", "2", "p1, p2", "testing", "1", "p3"]


def test_a_document_is_whole_and_says_its_title():
    body = [paragraphs(["a < b", "c"]), details("More", "<p>d</p>"), picture(new_figure(1, 1), "A caption")]
    page = document("Title & more", body)
    assert page.startswith("<!doctype html>")
    inside = page[page.index("<main>") : page.index("</body>")].replace('">\n', '"/>').replace('"><figc', '"/><figc')
    main = ElementTree.fromstring(inside)
    assert [one.text for one in main.findall("p")] == ["a < b", "c"]
    assert main.find("figure/img").get("src").startswith("data:image/png;base64,iVBOR")
    assert main.find("figure/figcaption").text == main.find("figure/img").get("alt") == "A caption"
    assert "<title>Title &amp; more</title>" in page
