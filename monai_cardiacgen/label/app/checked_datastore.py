"""MONAI Label's folder of studies, which takes nothing that is damaged and writes nothing by halves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore

from ...anatomy.labels import LabelScheme
from ...data.files import whole_file
from ...data.image_header import NIFTI
from ...errors import InputError
from ..requests import UnknownNameError, checked_name
from ..task import TaskResult
from ..volumes import is_marked_synthetic, read_label, read_volume, write_volume

#: In a study's info: that no scanner made it, and of what it was made.
SYNTHETIC, SOURCE = "synthetic", "source"


class CheckedDatastore(LocalDatastore):
    """A local datastore that checks uploads, and keeps synthetic studies apart from real ones.

    Args:
        folder: of NIfTI files side by side; `labels/` and `datastore_v2.json` are written into it.
        scheme: of the labels; None takes any whole codes.
    """

    def __init__(self, folder: str, scheme: LabelScheme | None) -> None:
        self.scheme = scheme
        super().__init__(folder, extensions=[f"*{ending}" for ending in NIFTI], auto_reload=False)

    def image_path(self, study: str) -> Path:
        """Return a study's file; raise `UnknownNameError` where there is none."""
        path = self.get_image_uri(study)
        if not path or not Path(path).is_file():
            raise UnknownNameError(f"Expected one of the {len(self.list_images())} studies, got {study[:80]!r}.")
        return Path(path)

    def stored_label(self, study: str, tags: tuple[str, ...]) -> Path | None:
        """Return a study's label of the first of the tags that has one."""
        found = [self.get_label_uri(study, tag) for tag in tags if self.get_label_by_image_id(study, tag)]
        return Path(found[0]) if found else None

    def is_synthetic(self, study: str) -> bool:
        """Tell whether a study is synthetic, by its info or, where that was lost, by its file's header."""
        return bool(self.get_image_info(study).get(SYNTHETIC)) or is_marked_synthetic(self.image_path(study))

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Take a new image; MONAI Label's own arguments.

        Raises:
            InputError: for a name that is taken, or is none.
            DataError: for a file that is none.
        """
        path = Path(image_filename)
        image_id = checked_name(image_id, "image")
        if image_id in self.list_images():
            raise InputError(f"Expected a new name, got {image_id!r}, which is a study already; remove that first.")
        read_volume(path)
        ending = _ending(path)
        with whole_file(Path(self._datastore.image_path()) / f"{image_id}{ending}") as beside:
            shutil.copyfile(path, beside)
        told = {**(image_info or {}), "ts": int(time()), "name": f"{image_id}{ending}"}
        self._datastore.objects[image_id] = ImageLabelModel(image=DataModel(info=told, ext=ending))
        self._update_datastore_file()
        return image_id

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Take a label of a study; MONAI Label's own arguments.

        Raises:
            UnknownNameError: for an unknown study.
            DataError: for a file that is none.
            ShapeError: for another size than the image's.
            LabelError: for unknown codes.
        """
        path, tag = Path(label_filename), checked_name(label_tag, "tag")
        image = read_volume(self.image_path(image_id))
        if self.scheme is not None:
            read_label(path, self.scheme, image)
        ending = _ending(path)
        with whole_file(Path(self._datastore.label_path(tag)) / f"{image_id}{ending}") as beside:
            shutil.copyfile(path, beside)
        for other in set(NIFTI) - {ending}:  # a label that this one replaces, which a new start would find again
            (Path(self._datastore.label_path(tag)) / f"{image_id}{other}").unlink(missing_ok=True)
        told = {**(label_info or {}), "ts": int(time()), "name": f"{image_id}{ending}"}
        self._datastore.objects[image_id].labels[tag] = DataModel(info=told, ext=ending)
        self._update_datastore_file()
        return image_id

    def add_synthetic(self, source: str, result: TaskResult) -> str:
        """Store a synthetic case as a study with a final label, and return its name.

        Raises:
            InputError: when this very case is stored already.
        """
        mode, seed = result.report["mode"], result.report["seed"]
        study = checked_name(f"{source}_{mode}_{seed}", "image")
        if study in self.list_images():
            raise InputError(f"Expected a case that is not stored yet, got {study!r} again; choose another seed.")
        label = Path(self._datastore.label_path("final")) / f"{study}.nii.gz"
        image = Path(self._datastore.image_path()) / f"{study}.nii.gz"
        write_volume(label, result.volumes["label"], synthetic=True)
        write_volume(image, result.volumes["image"], synthetic=True)
        now = {"ts": int(time()), "name": image.name}
        told = {SYNTHETIC: True, SOURCE: source, "made": dict(result.report), **now}
        labels = {"final": DataModel(info=dict(now), ext=".nii.gz")}
        self._datastore.objects[study] = ImageLabelModel(image=DataModel(info=told, ext=".nii.gz"), labels=labels)
        self._update_datastore_file()
        return study

    def labelled_studies(self) -> list[dict[str, Any]]:
        """Return what can be trained on: `study`, `image` and `label` (paths), and whether it is `synthetic`."""
        return [
            {
                "study": study,
                "image": str(self.image_path(study)),
                "label": self.get_label_uri(study, "final"),
                "synthetic": self.is_synthetic(study),
            }
            for study in sorted(self.get_labeled_images())
        ]

    def get_dataset_archive(self, limit_cases: int | None) -> str:
        """Return the path of a zip file of all labelled studies; MONAI Label's own arguments.

        Raises:
            InputError: when none is labelled.
        """
        if not self.get_labeled_images():
            raise InputError("Expected studies with a final label to pack, got none; label one first.")
        archive: str = super().get_dataset_archive(limit_cases)
        return archive

    def update_image_info(self, image_id: str, info: Mapping[str, Any]) -> None:
        """Add to what is told of a study, but not whether it is synthetic.

        Raises:
            UnknownNameError: for an unknown study.
        """
        self.image_path(image_id)
        kept = {name: value for name, value in info.items() if name not in (SYNTHETIC, SOURCE)}
        super().update_image_info(image_id, kept)

    def take_in(self) -> None:
        """Learn what a training or batch inference in the background, a process of its own, has written since."""
        path = Path(self._datastore_config_path)
        if path.is_file() and path.stat().st_mtime != self._config_ts:
            mine = self._datastore.objects
            self._reconcile_datastore()  # by its list and by the files
            for study, known in mine.items():
                if study in self._datastore.objects:
                    self._datastore.objects[study].image.info.update(known.image.info)
            self._update_datastore_file()

    def _update_datastore_file(self, lock: bool = True) -> None:
        """Write the list of studies whole; MONAI Label would write into the file that others read."""
        content = json.dumps(self._datastore.model_dump(exclude={"base_path"}), indent=2, default=str)
        path = Path(self._datastore_config_path)
        with whole_file(path) as beside:
            beside.write_text(content, encoding="utf-8")
        self._config_ts = path.stat().st_mtime


def _ending(path: Path) -> str:
    return next(ending for ending in NIFTI if path.name.endswith(ending))


__all__ = ["SOURCE", "SYNTHETIC", "CheckedDatastore"]
