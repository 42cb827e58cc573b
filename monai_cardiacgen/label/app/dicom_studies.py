"""MONAI Label's way to a DICOMweb server, with one sentence for what it has no answer for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import requests
import torch
from monai.data import MetaTensor
from monailabel.datastore.dicom import DICOMWebDatastore

from ...anatomy.labels import LabelScheme
from ...errors import InputError, ShapeError
from ..requests import UnknownNameError, UnreachableError, checked_name
from ..volumes import check_has_heart, read_label, read_volume

_VOXELS = ".bin"  # what OHIF sends: a label's voxels, one byte each, without a header


class DicomStudies(DICOMWebDatastore):
    """The series of a DICOMweb server; labels are sent to it as DICOM SEG."""

    #: Of the labels; None takes any whole codes.
    scheme: LabelScheme | None = None

    def list_images(self) -> list[str]:
        """Return the series' identifiers.

        Raises:
            UnreachableError: when the DICOMweb server does not answer.
        """
        try:
            series: list[str] = super().list_images()
        except requests.RequestException as error:
            raise UnreachableError(
                f"Expected an answer of the DICOMweb server at {self._client.base_url}, got {type(error).__name__}; "
                f"see whether it runs."
            ) from error
        return series

    def get_image_uri(self, image_id: str) -> str:
        """Return the path of a series as NIfTI, fetched when it is first asked for.

        Raises:
            UnknownNameError: for an unknown series.
        """
        if image_id not in self.list_images():
            raise UnknownNameError(f"Expected one of the {len(self.list_images())} series, got {image_id[:80]!r}.")
        path: str = super().get_image_uri(image_id)
        return path

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Keep a fetched series; refuse one that a request brings.

        Raises:
            InputError: for an image that is no series of the DICOMweb server.
        """
        if image_id not in self.list_images():
            raise InputError("Expected an image to be sent to the DICOMweb server itself, got it here.")
        kept: str = super().add_image(image_id, image_filename, image_info)
        return kept

    def save_label(
        self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any], label_id: str = ""
    ) -> str:
        """Send a series' final label to the DICOMweb server, and keep others here; MONAI Label's own arguments.

        Raises:
            UnknownNameError: for an unknown series.
            ShapeError: for another size than the series'.
            DataError: see `read_label`.
            LabelError: for an empty label, too.
        """
        checked_name(label_tag, "tag")
        image = read_volume(Path(self.get_image_uri(image_id)))
        path = Path(label_filename)
        if path.suffix == _VOXELS:
            if path.stat().st_size != image.numel():
                raise ShapeError(f"Expected {image.numel()} voxels, a byte each, got {path.stat().st_size} bytes.")
            label = MetaTensor(torch.from_numpy(np.fromfile(path, np.uint8)))
        else:
            label = read_label(path, self.scheme, image) if self.scheme is not None else read_volume(path, "the label")
        check_has_heart(label)  # DICOM SEG has no segment without voxels
        saved: str = super().save_label(image_id, label_filename, label_tag, label_info, label_id)
        return saved


__all__ = ["DicomStudies"]
