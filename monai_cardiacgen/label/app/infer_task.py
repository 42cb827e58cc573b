"""A task as MONAI Label calls it: paths in, a file and a report out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.transform.writer import write_itk

from ...errors import InputError
from ..requests import known_settings
from ..task import LabelTask, TaskResult, choice, switch
from ..volumes import read_label, read_volume, write_volume
from .checked_datastore import CheckedDatastore

_AXES = 3  # of every study
_ENDINGS = (".nii.gz", ".nii", ".nrrd")


class FileInferTask(InferTask):
    """Runs a task on files.

    Args:
        task: the task.
        store: the studies; None where they lie on a DICOMweb server.
    """

    def __init__(self, task: LabelTask, store: CheckedDatastore | None) -> None:
        self.task = task
        self.store = store
        labels = {} if task.scheme is None else dict(zip(task.scheme.names[1:], task.scheme.codes[1:], strict=True))
        gives_label = not task.makes_cases and task.scheme is not None
        kind = InferType.SEGMENTATION if gives_label else InferType.OTHERS
        super().__init__(kind, labels if gives_label else [], _AXES, task.description, dict(task.settings))
        self.gives_label = gives_label

    def is_valid(self) -> bool:
        """Tell whether the task can run now."""
        return self.task.ready

    def __call__(self, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Run on `image` (a path), `study` (its name, None for an upload) and `label` (a path, if one was sent).

        Returns:
            Path of the result that was asked for, and the report.

        Raises:
            InputError: when no label is there, the source is synthetic, or a setting is out of range.
        """
        begun = perf_counter()
        settings = known_settings(self.task.settings, request)
        study = request.get("study")
        if self.task.makes_cases and study is not None and self.store is not None and self.store.is_synthetic(study):
            raise InputError(f"Expected a real study as the source, got {study!r}, which is synthetic; choose another.")
        image = read_volume(Path(request["image"]))
        label = None
        if self.task.label_tags and self.task.scheme is not None:
            label = read_label(self._label(request, study), self.task.scheme, image)
        result = self.task(image, label, settings)
        report = dict(result.report)
        if self.task.makes_cases and switch(settings, "save_study"):
            report["study"] = self._saved(study, result)
        wanted = next(iter(result.volumes))
        if "result" in settings:
            wanted = choice(settings, "result", tuple(result.volumes))
        file = self._written(result.volumes[wanted], request)
        return str(file), {**report, "result": wanted, "seconds": round(perf_counter() - begun, 3)}

    def _written(self, volume: MetaTensor, request: dict[str, Any]) -> Path:
        """Write a result as NIfTI or, for OHIF, which reads nothing else, as NRRD."""
        ending = choice({"result_extension": ".nii.gz", **request}, "result_extension", _ENDINGS)
        compressed = switch({"result_compress": False, **request}, "result_compress")
        with tempfile.NamedTemporaryFile(suffix=ending, delete=False) as made:
            file = Path(made.name)
        if ending == ".nrrd":
            kind = np.uint8 if self.gives_label else np.float32
            write_itk(volume.as_tensor().cpu(), str(file), volume.affine.cpu(), kind, compressed)
        else:
            write_volume(file, volume, synthetic=self.task.makes_cases)
        return file

    def _label(self, request: dict[str, Any], study: str | None) -> Path:
        """Return the label that was sent, else the stored one."""
        if request.get("label"):
            return Path(request["label"])
        stored = None if study is None or self.store is None else self.store.stored_label(study, self.task.label_tags)
        if stored is None:
            raise InputError(
                f"Expected a label, sent or stored as {' or '.join(self.task.label_tags)}, got none; "
                f"draw one, or segment."
            )
        return stored

    def _saved(self, study: str | None, result: TaskResult) -> str:
        if self.store is None or study is None:
            raise InputError("Expected a study of the server's own folder to save a case of, got an upload or DICOM.")
        return self.store.add_synthetic(study, result)


__all__ = ["FileInferTask"]
