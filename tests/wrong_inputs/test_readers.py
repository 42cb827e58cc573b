"""Datasets on the disk that are missing, odd, damaged or lie about their size."""

from __future__ import annotations

import gzip
import shutil
import struct
from pathlib import Path

import itk
import nibabel as nib
import numpy as np
import pytest
import torch
from write_dicom import write_dicom
from write_sunnybrook import write_patient
from wrong_input import Wrong, answered, rows

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import (
    AxialSlices,
    CropAboutd,
    EchoFrames,
    ShortAxisGrid,
    VesselTracker,
    apical_preprocessing,
    axial_preprocessing,
    correct_mmwhs_codes,
    find_images,
    heart_offset,
    load_sunnybrook,
    measure_image_quality,
    read_acdc,
    read_camus,
    read_folder,
    read_mmwhs,
    read_sunnybrook,
    select_by_grade,
    short_axis_preprocessing,
    ultrasound_sector,
    whole_heart_ct_preprocessing,
    with_sector,
)
from monai_cardiacgen.data.case_files import read_nifti
from monai_cardiacgen.data.dicom_slice import read_dicom_slice
from monai_cardiacgen.errors import DataError, InputError, IntensityError, LabelError, ShapeError, SpacingError

NAN = float("nan")


@pytest.fixture(autouse=True, scope="module")
def itk_is_loaded():
    """ITK takes seconds to load what it needs when it is first asked for an image."""
    itk.ImageIOFactory.CreateImageIO("none.mhd", itk.CommonEnums.IOFileMode_ReadMode)


def nifti(path: Path, shape=(4, 4, 3), header=()) -> Path:
    """Write an image of ones; `header` patches its bytes by offset, format and values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = bytearray(nib.Nifti1Image(np.ones(shape, np.int16), np.eye(4)).to_bytes())
    for offset, form, *values in header:
        struct.pack_into(form, content, offset, *values)
    path.write_bytes(gzip.compress(bytes(content)) if path.suffix == ".gz" else bytes(content))
    return path


def dims(*sides):
    return (40, "<8h", len(sides), *sides, *[1] * (7 - len(sides)))


def acdc(folder: Path, info: str | bytes = "ED: 1\nES: 7\nGroup: DCM\n", **image) -> Path:
    patient = folder / "patient001"
    for frame in (1, 7):
        nifti(patient / f"patient001_frame{frame:02d}.nii.gz", **(image if frame == 7 else {}))
        nifti(patient / f"patient001_frame{frame:02d}_gt.nii.gz")
    (patient / "Info.cfg").write_bytes(info if isinstance(info, bytes) else info.encode())
    return patient


def acdc_row(name, words, **given):
    return Wrong(f"ACDC, {name}", read_acdc, DataError, ("whole ACDC patients", *words), lambda at: acdc(at, **given))


def damaged(name, content, words):
    def given(folder):
        (acdc(folder) / "patient001_frame07.nii.gz").write_bytes(content)

    return Wrong(f"ACDC, {name}", read_acdc, DataError, ("whole ACDC patients", *words), given)


def camus(folder: Path, info: str = "ImageQuality: Good\nEF: 55\n", mhd: str = "") -> None:
    patient = folder / "patient0001"
    for view in ("2CH", "4CH"):
        for phase in ("ED", "ES"):
            for kind in ("", "_gt"):
                nifti(patient / f"patient0001_{view}_{phase}{kind}.nii.gz", (4, 4))
        (patient / f"Info_{view}.cfg").write_text(info)
    if mhd:
        (patient / "patient0001_2CH_ED.nii.gz").unlink()
        (patient / "patient0001_2CH_ED.mhd").write_text(mhd)


def mhd(size="4 4 1", file="x.raw", more="") -> str:
    return (
        f"ObjectType = Image\nNDims = 3\n{more}DimSize = {size}\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\n"
        f"ElementDataFile = {file}\n"
    )


def camus_row(name, words, **given):
    return Wrong(
        f"CAMUS, {name}", read_camus, DataError, ("whole CAMUS patients", *words), lambda at: camus(at, **given)
    )


CONTOUR = "contourfiles/SC-HF-I-1/i-contours/IM-0001-0008-icontour-manual.txt"
IMAGE = "dicoms/SCD0000101/8.dcm"


def sunnybrook_row(name, words, change):
    def given(folder):
        write_patient(folder)
        change(folder)

    return Wrong(f"Sunnybrook, {name}", read_sunnybrook, DataError, words, given)


def contour_row(name, content, words):
    return sunnybrook_row(f"contour of {name}", (CONTOUR, *words), lambda at: (at / CONTOUR).write_text(content))


def dicom_row(name, words, **changes):
    def change(folder):
        write_dicom(folder / IMAGE, np.zeros((48, 48)), 8, **changes)

    return sunnybrook_row(f"DICOM {name}", (IMAGE, *words), change)


def image_row(name, act, error, words, **image):
    return Wrong(name, lambda at: act(str(at / "a.nii.gz")), error, words, lambda at: nifti(at / "a.nii.gz", **image))


def terabytes(ending):
    return Wrong(
        f"NIfTI {ending} of 70 TB",
        lambda at: read_nifti(at / f"a{ending}"),
        DataError,
        ("NIfTI file", "70"),
        lambda at: nifti(at / f"a{ending}", header=[dims(32767, 32767, 32767)]),
    )


GRID = ((1.0, 1.0), (8, 8))
TABLE = [
    Wrong("ACDC, no folder", lambda at: read_acdc(at / "none"), DataError, ("patient001", "none, got none")),
    acdc_row("frame of 5000 digits", ("ED: <frame number>", "999"), info="ED: " + "9" * 5000 + "\nES: 7\nGroup: X\n"),
    acdc_row("frame in superscript", ("ED: <frame number>", "²"), info="ED: ²\nES: 7\nGroup: X\n"),
    acdc_row("frame in Arabic digits", ("ED: <frame number>", "١"), info="ED: ١\nES: 7\nGroup: X\n"),
    acdc_row("negative frame", ("ED: <frame number>", "'-1'"), info="ED: -1\nES: 7\nGroup: X\n"),
    acdc_row("one frame as both phases", ("two frames", "frame 7 as both ED and ES"), info="ED: 7\nES: 7\nGroup: X\n"),
    acdc_row("frame that is not there", ("patient001_frame00.nii.gz: missing",), info="ED: 0\nES: 7\nGroup: X\n"),
    acdc_row("group with a NUL", ("Group: <pathology>", r"'\x00'"), info="ED: 1\nES: 7\nGroup: \0\n"),
    acdc_row("Info.cfg in another encoding", ("Info.cfg: cannot be read", "utf-8"), info=b"\xff\xfe\x00E"),
    acdc_row("empty Info.cfg", ("ED: <frame number>", "got None"), info=""),
    acdc_row("70 TB", ("damaged", "cannot hold 70362"), header=[dims(32767, 32767, 32767)]),
    acdc_row("negative size", ("the image's shape (-4, 4, 3)",), header=[dims(-4, 4, 3)]),
    acdc_row("four axes", ("expected 3 axes", "(4, 4, 3, 2)"), shape=(4, 4, 3, 2)),
    acdc_row("voxels of NaN mm", ("positive voxel sizes", "nan"), header=[(80, "<3f", NAN, 1, 1)]),
    acdc_row("unknown number format", ("damaged", "9999"), header=[(70, "<h", 9999)]),
    acdc_row("voxels that begin nowhere", ("damaged", "NaN"), header=[(108, "<f", NAN)]),
    damaged("empty file", b"", ("Empty file",)),
    damaged("two bytes", b"\x1f\x8b", ("frame07.nii.gz: damaged",)),
    damaged("a text", b"hello", ("frame07.nii.gz: damaged",)),
    terabytes(".nii"),
    terabytes(".nii.gz"),
    Wrong("NIfTI, a folder", read_nifti, DataError, ("NIfTI file", "Cannot work out file type")),
    image_row(
        "study's grid, 6 GB in 100 bytes",
        lambda path: ShortAxisGrid(*GRID).load({"image": path}),
        DataError,
        ("Expected images at", "cannot hold 6400000"),
        header=[dims(4000, 4000, 200)],
    ),
    image_row(
        "preprocessing, 70 TB",
        lambda path: short_axis_preprocessing(*GRID)({"image": path}),
        DataError,
        ("Expected images at", "cannot hold 70362"),
        header=[dims(32767, 32767, 32767)],
    ),
    Wrong(
        "preprocessing, no image", lambda at: short_axis_preprocessing(*GRID)({}), InputError, ("'image'", "got only")
    ),
    Wrong("study's grid, no image", lambda at: ShortAxisGrid(*GRID).load({"label": "a"}), InputError, ("['label']",)),
    Wrong(
        "study's grid, label of another size",
        lambda at: ShortAxisGrid(*GRID).load({"image": at / "i.nii.gz", "label": at / "l.nii.gz"}),
        ShapeError,
        ("the image's size (4, 4, 3)", "(5, 5, 2)"),
        lambda at: (
            nib.save(nib.Nifti1Image(np.arange(48, dtype=np.int16).reshape(4, 4, 3), np.eye(4)), at / "i.nii.gz"),
            nifti(at / "l.nii.gz", (5, 5, 2)),
        ),
    ),
    image_row(
        "study's grid, constant image",
        lambda path: ShortAxisGrid(*GRID).load({"image": path}),
        IntensityError,
        ("contrast", "constant"),
    ),
    Wrong("spacing of words", lambda at: short_axis_preprocessing(("a", "b"), (8, 8)), SpacingError, ("('a', 'b')",)),
    Wrong("spacing, one number", lambda at: short_axis_preprocessing(1.0, (8, 8)), SpacingError, ("2 positive", "1.0")),
    Wrong("size, one number", lambda at: short_axis_preprocessing((1, 1), 8), ShapeError, ("2 whole numbers", "got 8")),
    Wrong("size of 0", lambda at: short_axis_preprocessing((1, 1), (0, 8)), ShapeError, ("positive size", "(0, 8)")),
    Wrong("size of 8.5", lambda at: short_axis_preprocessing((1, 1), (8.5, 8)), ShapeError, ("whole numbers", "8.5")),
    Wrong("apical size of 0", lambda at: apical_preprocessing((0, 8)), ShapeError, ("positive size", "(0, 8)")),
    Wrong("apical size of one side", lambda at: apical_preprocessing((8,)), ShapeError, ("size of 2", "(8,)")),
    Wrong("axial size of 0", lambda at: axial_preprocessing((0, 8)), ShapeError, ("positive size", "(0, 8)")),
    Wrong("axial PET", lambda at: axial_preprocessing((8, 8), "PET"), InputError, ("CT or MR", "'PET'")),
    Wrong("axial step of 0", lambda at: AxialSlices(at, (8, 8), step=0), InputError, ("step of at least 1", "got 0")),
    Wrong("study's grid, 3D", lambda at: ShortAxisGrid((1, 1), (8, 8, 8)), ShapeError, ("size of 2", "(8, 8, 8)")),
    Wrong(
        "CT window of three",
        lambda at: whole_heart_ct_preprocessing((1, 1, 1), (8, 8, 8), (1, 2, 3)),
        InputError,
        ("lower to higher HU", "(1, 2, 3)"),
    ),
    Wrong(
        "CT window of NaN",
        lambda at: whole_heart_ct_preprocessing((1, 1, 1), (8, 8, 8), (NAN, 5)),
        InputError,
        ("lower to higher HU", "(nan, 5)"),
    ),
    camus_row("quality missing", ("ImageQuality: Good",), info="EF: 5\n"),
    camus_row("ejection fraction in words", ("a number as EF", "'many'"), info="ImageQuality: Good\nEF: many\n"),
    camus_row("ejection fraction NaN", ("a number as EF", "'nan'"), info="ImageQuality: Good\nEF: nan\n"),
    camus_row("infinite age", ("a number as Age", "'inf'"), info="ImageQuality: Good\nAge: inf\n"),
    camus_row("header that is a text", ("damaged", "does not know this format"), mhd="hello"),
    camus_row("voxels missing", ("its voxels are missing: x.raw",), mhd=mhd()),
    camus_row("voxels up the tree", ("outside of its folder: ../../etc/passwd",), mhd=mhd(file="../../etc/passwd")),
    camus_row("voxels of the system", ("outside of its folder: /etc/passwd",), mhd=mhd(file="/etc/passwd")),
    camus_row("10 GB in the header's file", ("bytes of 9898020099",), mhd=mhd("9999 9999 99", "LOCAL")),
    camus_row("packed 1 PB", ("bytes of 968",), mhd=mhd("99999 99999 99999", "LOCAL", "CompressedData = True\n")),
    Wrong("MM-WHS, empty", read_mmwhs, DataError, ("ct_train_1001_image.nii.gz", "got none")),
    Wrong(
        "MM-WHS, 2D",
        read_mmwhs,
        DataError,
        ("expected 3 axes", "(4, 4)"),
        lambda at: [nifti(at / f"ct_train_1001_{kind}.nii.gz", (4, 4)) for kind in ("image", "label")],
    ),
    Wrong(
        "MM-WHS, fraction of a code",
        lambda at: correct_mmwhs_codes(torch.tensor([500.5])),
        LabelError,
        ("label scheme 'MM-WHS'", "[500.5]"),
    ),
    Wrong(
        "MM-WHS, 8 bits", lambda at: correct_mmwhs_codes(torch.tensor([3], dtype=torch.uint8)), LabelError, ("[3.0]",)
    ),
    contour_row("nothing", "", ("expected",)),
    contour_row("two points", "1 2\n3 4\n", ("at least 3 points", "got 2")),
    contour_row("NaN", "nan 1\n1 2\n3 4\n", ("expected one pair 'x y'",)),
    contour_row("three columns", "1 2 3\n1 2 3\n1 2 3\n", ("expected one pair 'x y'",)),
    contour_row("another image", "100 100\n200 100\n200 200\n", ("points inside the image (48, 48)",)),
    contour_row("a line", "5 5\n6 6\n7 7\n", ("encloses pixels", "got none")),
    contour_row("1e308 pixels", "1e308 1e308\n-1e308 1\n3 4\n", ("points inside the image",)),
    sunnybrook_row("no images", ("one DICOM image with the number 8",), lambda at: shutil.rmtree(at / "dicoms")),
    sunnybrook_row(
        "links of 200 kB a field",
        ("columns patient_id and original_id", "link.csv"),
        lambda at: (at / "link.csv").write_text("patient_id,original_id\n" + "x" * 200_000 + ",b\n"),
    ),
    sunnybrook_row(
        "folder of Mr Smith",
        ("SC-HF-I-1, SC-HF-NI-1", "got none"),
        lambda at: (at / "contourfiles" / "SC-HF-I-1").rename(at / "contourfiles" / "Mr Smith"),
    ),
    dicom_row("of 7 GB", ("7200000000 bytes",), Rows=60000, Columns=60000),
    dicom_row("of no rows", ("'Rows' value of '0'",), Rows=0),
    dicom_row("without spacing", ("2 numbers as PixelSpacing", "got none"), PixelSpacing=None),
    dicom_row("of -1 mm", ("positive PixelSpacing",), PixelSpacing=[-1, 1]),
    dicom_row("with parallel axes", ("right angles",), ImageOrientationPatient=[1, 0, 0, 1, 0, 0]),
    dicom_row("without a place", ("6 numbers as ImageOrientationPatient",), ImageOrientationPatient=None),
    dicom_row("in colour", ("Planar Configuration",), SamplesPerPixel=3),
    dicom_row("of two frames", ("less than expected",), NumberOfFrames=2),
    sunnybrook_row("DICOM cut short", (IMAGE, "damaged"), lambda at: (at / IMAGE).write_bytes(b"\0" * 128 + b"DICM\2")),
    Wrong(
        "DICOM contour outside of its image",
        lambda at: [load_sunnybrook({**one, "inner_contour": str(at / "c.txt")}) for one in read_sunnybrook(at)],
        DataError,
        ("points inside the image",),
        lambda at: (write_patient(at), (at / "c.txt").write_text("90 90\n95 90\n95 95\n")),
    ),
    Wrong("echo of hearts", lambda at: EchoFrames(at, (8, 8), ACDC), LabelError, ("'CAMUS'", "got 'ACDC'")),
    Wrong("echo without contrast", lambda at: ultrasound_sector(torch.ones(1, 1, 8, 8)), IntensityError, ("constant",)),
    Wrong(
        "echo without a batch", lambda at: ultrasound_sector(torch.rand(8, 8)), ShapeError, ("(B, 1, H, W)", "(8, 8)")
    ),
    Wrong(
        "sector of another image",
        lambda at: with_sector(torch.zeros(1, 4, 4, dtype=torch.int64), torch.rand(1, 1, 8, 8)),
        ShapeError,
        ("labels (B, H, W)", "(1, 4, 4)"),
    ),
    Wrong("pairs, none", read_folder, DataError, ("NAME_image.nii.gz", "got none")),
    Wrong(
        "pairs, rule of patients that no name keeps",
        lambda at: read_folder(at, "(p[0-9]+)_"),
        DataError,
        ("a name that the patient's rule",),
        lambda at: [nifti(at / f"a_{kind}.nii.gz") for kind in ("image", "label")],
    ),
    Wrong("images, none", find_images, DataError, ("files *.nii.gz", "got none")),
    Wrong("images, pattern of the system", lambda at: find_images(at, "/etc/*"), InputError, ("pattern", "'/etc/*'")),
    Wrong("images, pattern of nothing", lambda at: find_images(at, ""), InputError, ("pattern", "''")),
    Wrong("images, pattern that is none", lambda at: find_images(at, "**x"), InputError, ("pattern", "'**x'")),
    Wrong("quality of a point", lambda at: measure_image_quality(np.zeros(4)), ShapeError, ("(H, W)", "(4,)")),
    Wrong(
        "quality of NaN", lambda at: measure_image_quality(np.full((32, 32), NAN)), IntensityError, ("finite", "NaN")
    ),
    Wrong("grade of 5", lambda at: select_by_grade([], 5), InputError, ("less than 4", "got 5")),
    Wrong("grade without image", lambda at: select_by_grade([{}]), DataError, ("'image' in every item",)),
    Wrong("offset of no heart", lambda at: heart_offset([]), InputError, ("show a heart", "0 item(s)")),
    Wrong("tracker of three radii", lambda at: VesselTracker(radii=(5, 6, 7)), InputError, ("radius", "(5, 6, 7)")),
    Wrong(
        "tracker, seed of NaN",
        lambda at: VesselTracker().track(np.zeros((4, 4, 4)), (1, 1, 1), (NAN, 1, 1)),
        InputError,
        ("seed within the volume", "nan"),
    ),
    Wrong("crop to words", lambda at: CropAboutd("image", "ab"), ShapeError, ("whole numbers", "'ab'")),
    Wrong(
        "crop about a place without an affine",
        lambda at: CropAboutd("image", (3,))({"image": torch.rand(1, 6, 6), "heart_centre": (1, 2)}),
        InputError,
        ("MetaTensor", "got none"),
    ),
    Wrong(
        "crop of too few axes",
        lambda at: CropAboutd("image", (3, 3, 3))({"image": torch.rand(1, 6, 6)}),
        ShapeError,
        ("at least 3 axes", "(1, 6, 6)"),
    ),
    Wrong("DICOM, a folder", lambda at: read_sunnybrook(at), DataError, ("contour files", "got none")),
]


@rows(TABLE)
def test_a_wrong_dataset_gets_one_error(wrong, tmp_path):
    answered(wrong, tmp_path)


def test_a_slice_says_what_is_wrong_with_it_for_its_folder_s_error(tmp_path):
    with pytest.raises(DataError, match="damaged or incomplete"):
        read_dicom_slice(tmp_path)
