"""Series of a DICOMweb server, which a stand-in answers for: what is refused, and how."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("monailabel", reason="MONAI Label is in an environment of its own: make test-label")

import nibabel as nib
import requests
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.errors import InputError, LabelError, ShapeError
from monai_cardiacgen.label.app.dicom_studies import DicomStudies
from monai_cardiacgen.label.requests import UnknownNameError, UnreachableError

SHAPE = (6, 5, 3)
MR = "1.2.840.10008.5.1.4.1.1.4"


class StandIn:
    """Answers as a DICOMweb client of a server with one series of three slices."""

    base_url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.study, self.series, self.gone = generate_uid(), generate_uid(), False
        self.voxels = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)

    def search_for_series(self, search_filters=None):
        if self.gone:
            raise requests.ConnectionError
        told = {"0020000D": self.study, "0020000E": self.series, "00080060": "MR"}
        return [{tag: {"vr": "CS" if value == "MR" else "UI", "Value": [value]} for tag, value in told.items()}]

    def retrieve_series(self, study, series):
        return [self.slice(number) for number in range(SHAPE[2])]

    def slice(self, number: int) -> Dataset:
        made = Dataset()
        made.SOPClassUID, made.SOPInstanceUID, made.Modality = MR, generate_uid(), "MR"
        made.StudyInstanceUID, made.SeriesInstanceUID, made.InstanceNumber = self.study, self.series, number + 1
        made.Columns, made.Rows, made.SamplesPerPixel = SHAPE[0], SHAPE[1], 1
        made.PhotometricInterpretation, made.PixelRepresentation = "MONOCHROME2", 0
        made.BitsAllocated, made.BitsStored, made.HighBit = 16, 16, 15
        made.PixelSpacing, made.SliceThickness = [1.25, 1.5], 8.0
        made.ImageOrientationPatient, made.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 8 * number]
        made.PixelData = self.voxels[..., number].T.tobytes()
        made.file_meta = FileMetaDataset()
        made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = MR, made.SOPInstanceUID
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.is_little_endian, made.is_implicit_VR, made.preamble = True, False, b"\0" * 128
        return made


@pytest.fixture
def client():
    return StandIn()


@pytest.fixture
def store(client, tmp_path):
    made = DicomStudies(client, {"Modality": "MR"}, str(tmp_path / "cache"))
    made.scheme = ACDC
    yield made
    made._observer.stop()


def label_file(path, codes):
    nib.save(nib.Nifti1Image(codes.astype(np.uint8), np.eye(4)), path)
    return str(path)


def test_a_series_is_fetched_as_it_is(store, client):
    assert store.list_images() == [client.series]
    image = nib.load(store.get_image_uri(client.series))
    np.testing.assert_array_equal(image.get_fdata(), client.voxels)
    np.testing.assert_allclose(image.header.get_zooms(), (1.5, 1.25, 8.0))


def test_an_unknown_series_is_told(store, tmp_path):
    label = label_file(tmp_path / "label.nii.gz", np.ones(SHAPE))
    for ask in (lambda: store.get_image_uri("1.2.3"), lambda: store.save_label("1.2.3", label, "original", {})):
        with pytest.raises(UnknownNameError, match="series"):
            ask()
    with pytest.raises(InputError, match="DICOMweb server itself"):
        store.add_image("1.2.3", label, {})


def test_a_label_is_kept_or_refused(store, client, tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, SHAPE)
    store.save_label(client.series, label_file(tmp_path / "label.nii.gz", codes), "original", {})
    np.testing.assert_array_equal(nib.load(store.get_label_uri(client.series, "original")).get_fdata(), codes)
    wrong = {LabelError: codes + 4, ShapeError: codes[1:]}
    for error, values in wrong.items():
        with pytest.raises(error):
            store.save_label(client.series, label_file(tmp_path / "wrong.nii.gz", values), "original", {})
    with pytest.raises(LabelError, match="empty"):
        store.save_label(client.series, label_file(tmp_path / "none.nii.gz", 0 * codes), "final", {})


def test_voxels_without_a_header_as_ohif_sends_them(store, client, tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)
    sent = tmp_path / "label.bin"
    sent.write_bytes(codes.tobytes(order="F"))
    store.save_label(client.series, str(sent), "original", {})
    np.testing.assert_array_equal(nib.load(store.get_label_uri(client.series, "original")).get_fdata(), codes)
    sent.write_bytes(b"\1" * 5)
    with pytest.raises(ShapeError, match="got 5 bytes"):
        store.save_label(client.series, str(sent), "original", {})


def test_a_server_that_is_gone_is_told(client, tmp_path):
    store = DicomStudies(client, {"Modality": "CT"}, str(tmp_path / "other"))
    client.gone = True
    with pytest.raises(UnreachableError, match="DICOMweb server"):
        store.list_images()
    store._observer.stop()
