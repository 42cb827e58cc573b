"""Synthetic sets, HDF5 files, datalists, splits and label schemes that are odd, damaged or hostile, and wrong cases."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
import torch
from wrong_input import Wrong, answered, check_message, listing, rows

from monai_cardiacgen.anatomy.labels import LabelScheme, Structure
from monai_cardiacgen.anatomy.schemes import ACDC, label_scheme_from_yaml
from monai_cardiacgen.data import (
    CaseRecord,
    RoundSampler,
    SeedDataset,
    SetDescription,
    SyntheticHDF5,
    SyntheticHDF5Writer,
    SyntheticSet,
    SyntheticSetWriter,
    export_nnunet,
    folds_by_patient,
    read_decathlon,
    read_memorisation,
    read_split,
    split_by_patient,
    write_memorisation,
)
from monai_cardiacgen.errors import (
    CardiacGenError,
    DataError,
    InputError,
    IntensityError,
    LabelError,
    ShapeError,
    SpacingError,
)

NAN = float("nan")
DEEP = "[" * 100_000
CINE = SetDescription(ACDC, (2.0, 2.0), "cine", "1.0")
IMAGE = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0))
LABEL = torch.zeros(8, 8, dtype=torch.int64)
LABEL[2:6, 2:6] = 3
RECORD = CaseRecord(0, seed=1)


def written(folder: Path, count: int = 2) -> SyntheticSet:
    with SyntheticSetWriter(folder / "s", CINE) as writer:
        for number in range(count):
            writer.add(IMAGE, LABEL, CaseRecord(number, seed=number))
    return SyntheticSet(folder / "s")


def described_row(name, change, words):
    """Return a row of a set whose set.json was changed."""

    def given(folder):
        written(folder)
        path = folder / "s" / "set.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    what = ("description of a synthetic set in", "set.json", *words)
    return Wrong(f"set.json, {name}", lambda at: SyntheticSet(at / "s"), DataError, what, given)


def line_row(name, change, words):
    """Return a row of a set whose manifest's first line was changed, or became another text."""

    def given(folder):
        written(folder)
        path = folder / "s" / "manifest.jsonl"
        first, *others = path.read_text().splitlines()
        line = json.loads(first)
        text = change if isinstance(change, str) else json.dumps(change(line) or line)
        path.write_text("\n".join((text, *others)) + "\n")

    act = lambda at: SyntheticSet(at / "s").verify()  # noqa: E731  as short as the others
    return Wrong(f"manifest, {name}", act, DataError, ("manifest.jsonl", *words), given)


def file_row(name, change, words):
    """Return a row of an HDF5 file that was changed."""

    def given(folder):
        with SyntheticHDF5Writer(folder / "s.h5", CINE) as writer:
            for number in range(2):
                writer.add(IMAGE, LABEL, CaseRecord(number, seed=number))
        with h5py.File(folder / "s.h5", "r+") as file:
            change(file)

    def act(folder):
        cases = SyntheticHDF5(folder / "s.h5")
        return [cases[number] for number in range(len(cases))]

    return Wrong(f"HDF5, {name}", act, DataError, ("s.h5", *words), given)


def replaced(**datasets):
    def change(file):
        for key, content in datasets.items():
            del file[key]
            if isinstance(content, dict):
                file.create_dataset(key, **content)
            else:
                file[key] = content

    return change


def external(file):
    del file["image"]
    file.create_dataset("image", (2, 8, 8), "f4", external=[("/etc/passwd", 0, 512)])


def virtual(file):
    del file["image"]
    layout = h5py.VirtualLayout((2, 8, 8), "f4")
    layout[0] = h5py.VirtualSource("other.h5", "image", (8, 8))
    file.create_virtual_dataset("image", layout)


def case_row(name, error, words, image=IMAGE, label=LABEL, affine=None, again=False):
    """Return a row of a case that no writer must write."""
    cases = [(image, label, RECORD)] * (2 if again else 1)
    return Wrong(name, lambda writer: writer.add_all(cases, affine), error, words)


def text_row(name, file, content, act, words):
    """Return a row of one file with a text in it."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Wrong(name, lambda at: act(at / file), DataError, words, lambda at: (at / file).write_text(text))


def list_row(name, content, words, section="training"):
    act = lambda path: read_decathlon(path, section)  # noqa: E731  as short as the others
    return text_row(f"datalist, {name}", "dataset.json", content, act, ("dataset.json", *words))


ITEMS = [{"patient": f"p{number}", "group": "A"} for number in range(6)]
NAMES = [f"p{number}" for number in range(6)]


def split_row(name, words, **parts):
    content = {"training": NAMES, "validation": [], "testing": [], **parts}
    return text_row(f"split, {name}", "s.json", content, lambda path: read_split(path, ITEMS), ("s.json", *words))


def yaml_row(name, text, words):
    return Wrong(f"YAML, {name}", lambda at: label_scheme_from_yaml(text), LabelError, words)


LAUGHS = ", ".join(["*a"] * 9)
ONE = "name: x\nstructures:\n  - {name: a, code: 1}\n"
CODES = LabelScheme("large", (Structure("a", 70_000, (1.0, 1.0, 1.0)),))

SETS = [
    described_row("format of the future", lambda it: it.update(format=99), ("format 99", "update monai_cardiacgen")),
    described_row("five spacings", lambda it: it.update(spacing=[1] * 5), ("3 positive spacings",)),
    described_row("spacing beyond all bounds", lambda it: it.update(spacing=[1e400, 1]), ("inf",)),
    described_row("infinite code", lambda it: it["scheme"]["structures"][0].__setitem__(1, 1e400), ("infinity",)),
    described_row("code of 30 digits", lambda it: it["scheme"]["structures"][0].__setitem__(1, 10**30), ("32 bits",)),
    described_row("no structures", lambda it: it["scheme"].update(structures=[]), ("unique names",)),
    described_row("PET", lambda it: it.update(modality="PET"), ("MR, CT or US", "PET")),
    line_row("file of the system", lambda it: it.update(image="/etc/passwd"), ("inside", "'/etc/passwd'")),
    line_row("file up the tree", lambda it: it.update(image="images/../../x"), ("inside", "images/../../x")),
    line_row("file of another system", lambda it: it.update(image="C:\\x"), ("inside", "C:")),
    line_row("name of 100 kB", lambda it: it.update(image="a" * 100_000), ("a file's name", "too long")),
    line_row("file gone", lambda it: it.update(image="images/no.nii.gz"), ("no.nii.gz: missing",)),
    line_row("another digest", lambda it: it.update(image_sha256="0" * 64), ("not what was written",)),
    line_row("number again", lambda it: it.update(number=1), ("every case once", "[1]")),
    line_row("number of 40 digits", lambda it: it.update(number=10**40), ("from 0 to 4294967295",)),
    line_row("true for a number", lambda it: it.update(number=True), ("a whole number", "True")),
    line_row("unknown mode", lambda it: it.update(mode="old"), ("one of the modes", "'old'")),
    line_row("strength NaN", lambda it: it.update(strength=NAN), ("NaN is no JSON",)),
    line_row("strength in words", lambda it: it.update(strength="a"), ("a number as strength",)),
    line_row("NaN in a check", lambda it: it.update(checks={"a": NAN}), ("NaN is no JSON",)),
    line_row("a set's own key", lambda it: it.update(about={"image": "x"}), ("other keys", "['image']")),
    line_row("a hundred thousand brackets", DEEP, ("recursion",)),
    line_row("5000 digits", '{"number": ' + "9" * 5000 + "}", ("4300 digits",)),
    Wrong(
        "manifest, link out of the set",
        lambda at: SyntheticSet(at / "s"),
        DataError,
        ("inside the synthetic set", "/etc/passwd"),
        lambda at: (
            written(at),
            (at / "s" / "images" / "case_000000.nii.gz").unlink(),
            (at / "s" / "images" / "case_000000.nii.gz").symlink_to("/etc/passwd"),
        ),
    ),
    Wrong(
        "memorisation, copies that are lists",
        lambda at: read_memorisation(SyntheticSet(at / "s")),
        DataError,
        ("record of a memorisation test",),
        lambda at: (
            written(at),
            (at / "s" / "memorisation.json").write_text('{"format":1,"tested":{},"copies":[[1]],"against":{}}'),
        ),
    ),
    Wrong(
        "memorisation of a stranger",
        lambda at: write_memorisation(SyntheticSet(at / "s"), ["x"], {}),
        DataError,
        ("cases of", "['x']"),
        written,
    ),
    Wrong(
        "nnU-Net, name up the tree",
        lambda at: export_nnunet(SyntheticSet(at / "s"), at / "raw", 5, "../x"),
        InputError,
        ("letters, digits", "'../x'"),
        written,
    ),
    Wrong(
        "nnU-Net, empty set",
        lambda at: export_nnunet(SyntheticSet(at / "s"), at / "raw", 5, "A"),
        InputError,
        ("at least one case",),
        lambda at: written(at, 0),
    ),
]

FILES = [
    Wrong("HDF5, none", lambda at: SyntheticHDF5(at / "x.h5"), DataError, ("HDF5 file at", "could not open")),
    file_row("a link to another file", replaced(image=h5py.ExternalLink("/etc/passwd", "x")), ("'image' of its own",)),
    file_row("a link within", replaced(image=h5py.SoftLink("/label")), ("'image' of its own",)),
    file_row("voxels in another file", external, ("'image' of its own",)),
    file_row("voxels of nowhere", virtual, ("'image' of its own",)),
    file_row("no description", lambda it: it.attrs.pop("cardiacgen"), ("description of a synthetic set",)),
    file_row("description of brackets", lambda it: it.attrs.modify("cardiacgen", DEEP[:20_000]), ("description",)),
    file_row("more numbers than images", replaced(number=np.arange(5)), ("different lengths",)),
    file_row("numbers with fractions", replaced(number=np.array([0.5, 1.5])), ("'number' of shape", "float64")),
    file_row("a number twice", replaced(number=np.array([0, 0])), ("every case", "[0, 0]")),
    file_row("records that are numbers", replaced(record=np.arange(2)), ("'record' of shape", "int64")),
    file_row(
        "records that are no JSON",
        replaced(record={"data": ["x", "y"], "dtype": h5py.string_dtype()}),
        ("a whole case in row 0",),
    ),
    file_row("images of whole numbers", replaced(image=np.zeros((2, 8, 8), "i4")), ("'image' of shape", "int32")),
    file_row("images of records", replaced(image=np.zeros((2, 8, 8), [("a", "f4")])), ("'image' of shape",)),
    file_row("labels with fractions", replaced(label=np.full((2, 8, 8), 0.5)), ("'label' of shape", "float64")),
    file_row("affines 3 x 3", replaced(affine=np.zeros((2, 3, 3))), ("different lengths",)),
    file_row(
        "images of points",
        replaced(image=np.zeros(2, "f4"), label=np.zeros(2, "u2")),
        ("with 2 axes", "images of (2,)"),
    ),
    file_row(
        "images of 12 TB",
        replaced(
            image={"shape": (2, 10**6, 10**6), "dtype": "f4", "chunks": (1, 100, 100)},
            label={"shape": (2, 10**6, 10**6), "dtype": "u2", "chunks": (1, 100, 100)},
        ),
        ("claim to be 12000",),
    ),
    file_row(
        "10^12 cases",
        replaced(
            image={"shape": (10**12, 8, 8), "dtype": "f4", "chunks": (1000, 8, 8)},
            label={"shape": (10**12, 8, 8), "dtype": "u2", "chunks": (1000, 8, 8)},
            affine={"shape": (10**12, 4, 4), "dtype": "f8", "chunks": (1000, 4, 4)},
            number={"shape": (10**12,), "dtype": "i8", "chunks": (1000,)},
            record={"shape": (10**12,), "dtype": h5py.string_dtype(), "chunks": (1000,)},
        ),
        ("claim to be 528",),
    ),
]

DATA_LISTS = [
    list_row("nothing", {}, ("a list 'training'", "got none")),
    list_row("numbers", {"training": [1]}, ("one path as image", "got 1 as item 0")),
    list_row("two images of one", {"training": [{"image": ["a"]}]}, ("one path as image", "['a']")),
    list_row("a NUL in a name", {"training": [{"image": "a\0.nii.gz"}]}, ("missing",)),
    list_row("a folder for an image", {"training": [{"image": "."}]}, ("1 problem(s)",)),
    list_row("a picture", {"training": [{"image": "a.png"}]}, ("a.png: missing",)),
    list_row("files of a test that are gone", {"test": ["a.nii.gz"]}, ("a.nii.gz: missing",), "test"),
    split_row("numbers for patients", ("names of patients",), training=[1]),
    split_row("lists for patients", ("names of patients",), training=[["p0"]]),
    split_row("a patient twice", ("every patient once", "p0"), validation=["p0"]),
    split_row("patients missing", ("same patients", "p3, p4, p5"), training=NAMES[:3]),
    split_row("a name for a list", ("the lists training",), training="p"),
    Wrong(
        "split, items of nobody", lambda at: split_by_patient([{"a": 1}] * 3, 1, 0, 0), DataError, ("patient", "['a']")
    ),
    Wrong(
        "split, nobody left", lambda at: split_by_patient(ITEMS, 5, 1, 0), InputError, ("1 left for testing", "got 5")
    ),
    Wrong(
        "split, two groups of a patient",
        lambda at: split_by_patient([*ITEMS, {"patient": "p1", "group": "B"}], 1, 1, 0),
        DataError,
        ("one group for p1", "'B'"),
    ),
    Wrong("one fold", lambda at: folds_by_patient(ITEMS, 1, 0), InputError, ("2 folds or more", "got 1")),
    Wrong("seeds of no case", lambda at: SeedDataset(0), InputError, ("at least one case", "got 0")),
    Wrong("draws from nothing", lambda at: RoundSampler(0, 1, 1), InputError, ("at least one element", "got 0")),
]

SCHEMES = [
    yaml_row("nothing", "", ("keys name and structures", "NoneType")),
    yaml_row("a program", "!!python/object/apply:os.system ['true']", ("could not parse", "os.system")),
    yaml_row("billion laughs", f"name: &a [{'z, ' * 9}]\nstructures: [{LAUGHS}]", ("an alias", "gigabytes")),
    yaml_row("itself", "name: x\nstructures: &a [*a]", ("an alias",)),
    yaml_row("a code twice", ONE + "  - {name: b, code: 1}\n", ("unique codes", "('b', 1)")),
    yaml_row("the background's code", ONE + "  - {name: b, code: 0}\n", ("unique codes", "('b', 0)")),
    yaml_row("a truth for a code", "name: x\nstructures: [{name: a, code: true}]", ("whole number as code", "True")),
    yaml_row("5000 digits", "name: x\nstructures: [{name: a, code: " + "9" * 5000 + "}]", ("4300 digits",)),
    yaml_row("30 digits", "name: x\nstructures: [{name: a, code: " + "9" * 30 + "}]", ("32 bits", "999")),
    yaml_row("colours of 255", "name: x\nstructures: [{name: a, code: 1, colour: [1, 2, 255]}]", ("in [0, 1]", "255")),
    yaml_row("5000 brackets", "[" * 5000, ("could not parse",)),
    yaml_row("a date that is none", "name: !!timestamp x", ("could not parse",)),
    yaml_row("a truth that is none", "name: !!bool maybe", ("could not parse", "maybe")),
    yaml_row("the 13th month", "name: x\nstructures: [{name: 2001-13-45, code: 1}]", ("could not parse", "month")),
    yaml_row("a list as a key", "{[a]: b}", ("could not parse",)),
    Wrong("YAML, no text", lambda at: label_scheme_from_yaml(None), LabelError, ("label scheme in YAML",)),
]

CASES = [
    case_row("a batch", ShapeError, ("one case", "(1, 1, 8, 8)"), IMAGE[None]),
    case_row("of no pixels", ShapeError, ("with pixels", "(0, 8)"), IMAGE[:, :0], LABEL[:0]),
    case_row("of NaN", IntensityError, ("finite values", "got 64"), IMAGE * NAN),
    case_row("beyond float32", IntensityError, ("finite values", "infinite"), IMAGE.double() * 1e300),
    case_row("complex", IntensityError, ("real intensities", "complex"), IMAGE.to(torch.complex64)),
    case_row("label of another size", ShapeError, ("one size", "(4, 8)"), IMAGE, LABEL[:4]),
    case_row("unknown codes", LabelError, ("scheme 'ACDC'", "12.0"), IMAGE, LABEL + 9),
    case_row("codes of NaN", LabelError, ("scheme 'ACDC'", "nan"), IMAGE, LABEL * NAN),
    case_row("complex codes", LabelError, ("whole numbers", "complex"), IMAGE, LABEL.to(torch.complex64)),
    case_row("another spacing", InputError, ("spacing (2.0, 2.0)", "(1.0, 1.0)"), affine=torch.eye(4)),
    case_row("affine in words", InputError, ("4 x 4 affine", "'abc'"), affine="abc"),
    case_row("ragged affine", InputError, ("4 x 4 affine", "[2, 3]"), affine=[[1], [2, 3]]),
    case_row("number twice at once", InputError, ("numbers of their own", "[0, 0]"), again=True),
]

MADE = [
    Wrong("record of -1", lambda at: CaseRecord(-1, seed=1), InputError, ("from 0 to", "-1")),
    Wrong("record of 2^70", lambda at: CaseRecord(2**70, seed=1), InputError, ("from 0 to 4294967295",)),
    Wrong(
        "record of a strength in words", lambda at: CaseRecord(1, 1, "vary", "x"), InputError, ("number as strength",)
    ),
    Wrong(
        "description of one spacing", lambda at: SetDescription(ACDC, (2.0,), "a", "1"), SpacingError, ("2 positive",)
    ),
    Wrong(
        "description with a tensor",
        lambda at: SetDescription(ACDC, (2.0, 2.0), "a", "1", origin={"a": torch.ones(1)}),
        InputError,
        ("plain JSON", "tensor"),
    ),
    Wrong(
        "description, a file in its way",
        lambda at: SyntheticSetWriter(at / "f" / "s", CINE),
        DataError,
        ("a folder that can be written to", "refuses"),
        lambda at: (at / "f").write_text("x"),
    ),
    Wrong(
        "set among other files",
        lambda at: SyntheticSetWriter(at, CINE),
        DataError,
        ("empty folder or a synthetic set", "something else"),
        lambda at: (at / "f").write_text("x"),
    ),
    Wrong("HDF5 writer, parts of 0", lambda at: SyntheticHDF5Writer(at / "s", CINE, 0), InputError, ("case a part",)),
    Wrong(
        "HDF5 writer, a text in its place",
        lambda at: SyntheticHDF5Writer(at / "s.h5", CINE),
        DataError,
        ("HDF5 file at", "could not open"),
        lambda at: (at / "s.h5").write_text("x"),
    ),
]


@rows([*SETS, *FILES, *DATA_LISTS, *SCHEMES, *MADE])
def test_a_wrong_file_or_description_gets_one_error(wrong, tmp_path):
    answered(wrong, tmp_path)


@rows(CASES)
@pytest.mark.parametrize("kind", [SyntheticSetWriter, SyntheticHDF5Writer])
def test_a_wrong_case_is_not_written(wrong, kind, tmp_path):
    with kind(tmp_path / "s", CINE) as writer:
        before = listing(tmp_path)
        with pytest.raises(CardiacGenError) as raised:
            wrong.act(writer)
        assert raised.type is wrong.error
        check_message(str(raised.value), wrong.words)
        assert (listing(tmp_path), writer.missing(1)) == (before, [0])


def test_codes_beyond_16_bits_are_not_written(tmp_path):
    with SyntheticSetWriter(tmp_path, SetDescription(CODES, (2.0, 2.0), "a", "1")) as writer:
        row = Wrong("", lambda at: writer.add(IMAGE, LABEL * 0, RECORD), InputError, ("0 to 65535", "70000"))
        answered(row, tmp_path)


def test_a_case_of_another_shape_ends_an_export_without_a_description_of_it(tmp_path):
    cases = written(tmp_path)
    nib.save(nib.Nifti1Image(np.zeros((4, 4), np.float32), np.eye(4)), cases.entries[0].image)
    with pytest.raises(DataError, match=r"2 axes .* \(4, 4\) and \(8, 8\)"):
        export_nnunet(cases, tmp_path / "raw", 5, "A")
    assert not (tmp_path / "raw" / "Dataset005_A" / "dataset.json").exists()
