"""Whatever stands in a text file, its reader gives what it promises, or one of our errors."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties_profile import fuzzed
from wrong_input import check_refusal

from monai_cardiacgen.anatomy.schemes import label_scheme_from_yaml
from monai_cardiacgen.data.acdc import _read_info as read_acdc_info
from monai_cardiacgen.data.camus import _read_info as read_camus_info
from monai_cardiacgen.data.contour import read_contour
from monai_cardiacgen.data.manifest import append_lines, read_lines
from monai_cardiacgen.data.set_description import CaseRecord, SetDescription, inner_path
from monai_cardiacgen.data.sunnybrook import _read_links as read_links
from monai_cardiacgen.errors import CardiacGenError, DataError

#: Pieces of which the files are made, so that much of what is drawn comes near to a real one.
NUMBERS = st.sampled_from(("1", "12", "-1", "0.5", "1e999", "nan", "٣", "²", "9" * 5000, "0x1", "1_0", "", " "))
WORDS = st.sampled_from(
    ("ED", "ES", "Group", "DCM", "ImageQuality", "Good", "EF", "Age", "Sex", "LVef", "\0", "\ufeff")
)
SEPARATORS = st.sampled_from((": ", ":", " ", "\t", "\n", "\r\n", ",", "\x0b", "\x85", '"'))
SCRAPS = st.lists(NUMBERS | WORDS | SEPARATORS | st.text(max_size=5), max_size=40).map("".join)
BYTES = SCRAPS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
INFO = st.lists(st.tuples(WORDS, NUMBERS | WORDS), max_size=8).map(
    lambda rows: "".join(f"{key}: {value}\n" for key, value in rows).encode()
)
CONTOURS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8).map(
    lambda rows: "".join(f"{x} {y}\n" for x, y in rows).encode()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ("number", "seed", "mode", "strength", "checks", "about", "image", "format", "scheme", "spacing")
)
OBJECTS = st.dictionaries(KEYS | st.text(max_size=4), JSON | st.sampled_from(("new", "vary", [], {}, 0, 1)), max_size=8)
YAML_PIECES = st.sampled_from(
    ("name: ", "structures:", "\n  - ", "{name: a, code: 1}", "code: 2", "&a ", "*a", "<<: ", "!!", "!!python/name:os ",
     "!!timestamp ", "!!bool ", "!!int ", "!!float ", "[", "]", "{", "}", "- ", ": ", "\n", "2001-13-45", "1:60", "? ")
)  # fmt: skip
YAML = st.lists(YAML_PIECES | NUMBERS | st.text(max_size=4), max_size=25).map("".join)


def read(reader, content: bytes):
    """Return what a reader gives for a file, None for one of our errors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            return reader(path)
        except DataError:
            return None


@fuzzed
@given(INFO | BYTES)
@example(b"ED: 1\nES: 7\nGroup: DCM\n")
def test_info_of_acdc(content):
    info = read(read_acdc_info, content)
    if info is not None:
        assert 0 <= int(info["ED"]) != int(info["ES"]) >= 0
        assert info["Group"].isprintable()


@fuzzed
@given(INFO | BYTES)
@example(b"ImageQuality: Good\nEF: 55\n")
def test_info_of_camus(content):
    info = read(read_camus_info, content)
    if info is not None:
        assert info["quality"] in ("Poor", "Medium", "Good")
        assert all(np.isfinite(info[key]) for key in ("ejection_fraction", "age") if key in info)


@fuzzed
@given(CONTOURS | BYTES)
@example(b"1 2\n3 4\n5 6\n")
def test_contours(content):
    points = read(read_contour, content)
    if points is not None:
        assert points.shape[0] >= 3
        assert points.shape[1] == 2
        assert np.isfinite(points).all()


@fuzzed
@given(BYTES.map(lambda content: b"patient_id,original_id\n" + content) | BYTES)
def test_links_of_sunnybrook(content):
    links = read(read_links, content)
    assert links is None or all(isinstance(one, str) for pair in links.items() for one in pair)


@fuzzed
@given(st.lists(OBJECTS.map(lambda one: json.dumps(one).encode()) | BYTES, max_size=4).map(b"\n".join))
def test_manifests(content):
    lines = read(read_lines, content)
    if lines is not None:
        with tempfile.TemporaryDirectory() as folder:
            append_lines(Path(folder) / "again", lines)  # what was read can be written
            assert read_lines(Path(folder) / "again") == lines


@fuzzed
@given(OBJECTS)
def test_records_and_descriptions(content):
    for kind in (CaseRecord, SetDescription):
        try:
            made = kind.from_json(content, "a line")
        except DataError:
            continue
        assert kind.from_json(made.to_json(), "a line") == made


@fuzzed
@given(st.text(max_size=20) | st.lists(st.sampled_from(("..", "/", "a", "\\", ":", ".")), max_size=6).map("".join))
def test_names_of_files_in_a_set(name):
    try:
        path = inner_path(name, "a line")
    except DataError:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts


@fuzzed
@given(YAML | st.text(max_size=40))
@example("name: x\nstructures:\n  - {name: a, code: 1}\n")
def test_label_schemes(text):
    try:
        scheme = label_scheme_from_yaml(text)
    except CardiacGenError as error:
        check_refusal(error)
        return
    assert len(set(scheme.codes)) == scheme.num_classes


@pytest.mark.parametrize(("text", "codes"), [("name: x\nstructures:\n  - {name: a, code: 1}\n", (0, 1))])
def test_a_whole_scheme_is_read(text, codes):
    assert label_scheme_from_yaml(text).codes == codes
