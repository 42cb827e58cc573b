"""The app that MONAI Label serves: each task is there when its bundle is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces import app as monai_labels
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.tasks.activelearning.random import Random

from ..._version import __version__
from ...anatomy.labels import LabelScheme
from ...inferers.cardiac_synthesizer import CardiacSynthesizer
from ..app_bundles import find_app_bundles
from ..app_folder import bundles_of
from ..inpainting import Inpaint
from ..painting import Synthesize, Vary
from ..repairing import Repair
from ..requests import UnknownNameError, checked_name
from ..segmenter import Segmenter
from ..task import LabelTask, switch
from ..training import REAL_ALONE
from .batch import StudiesBatchInfer
from .checked_datastore import CheckedDatastore
from .dicom_studies import DicomStudies
from .infer_task import FileInferTask
from .scoring import StructureDice
from .strategy import Disagreement
from .train_task import BundleTraining


class CardiacLabelApp(MONAILabelApp):
    """Segmentation with training, synthesis, variation, repair and inpainting, as the app folder's bundles allow.

    Args:
        app_dir: as `prepare_app_folder` wrote it.
        studies: a flat folder of NIfTI files, or the address of a DICOMweb server.
        conf: MONAI Label's.
    """

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        bundles = find_app_bundles(bundles_of(Path(app_dir)))
        self.bundles = bundles
        self.tasks: dict[str, LabelTask] = {}
        self.segmenters: tuple[Segmenter, ...] = ()
        if bundles.segmenter is not None:
            self.segmenters = (Segmenter(bundles.segmenter), Segmenter(bundles.segmenter, REAL_ALONE))
            names = (bundles.segmenter.name, f"{bundles.segmenter.name}_real")
            self.tasks.update(zip(names, self.segmenters, strict=True))
        if bundles.synthesizer is not None:
            synthesizer = CardiacSynthesizer.from_bundle(bundles.synthesizer)
            self.tasks["synthesize"] = Synthesize(synthesizer)
            self.tasks["vary"] = Vary(synthesizer)
            self.tasks["repair"] = Repair(synthesizer.sampler)
        if bundles.inpainter is not None:
            self.tasks["inpaint"] = Inpaint(bundles.inpainter)
        schemes = [task.scheme for task in self.tasks.values() if task.scheme is not None]
        self.scheme: LabelScheme | None = schemes[0] if schemes else None
        description = "Segmentation, and synthetic labelled cases of the heart"
        super().__init__(app_dir, studies, conf, "monai_cardiacgen", description, __version__)

    def init_datastore(self) -> Datastore:
        """Return the studies: a checked folder, or MONAI Label's own way to a DICOMweb server."""
        if "://" not in self.studies:
            return CheckedDatastore(self.studies, self.scheme)
        monai_labels.DICOMWebDatastore = DicomStudies  # MONAI Label reads its settings and makes one
        store = super().init_datastore()
        if isinstance(store, DicomStudies):
            store.scheme = self.scheme
        return store

    def datastore(self) -> Datastore:
        """Return the studies, as they are now."""
        if isinstance(self._datastore, CheckedDatastore):
            self._datastore.take_in()
        return self._datastore

    def init_infers(self) -> dict[str, FileInferTask]:
        """Return the tasks by name."""
        store = self._datastore if isinstance(self._datastore, CheckedDatastore) else None
        return {name: FileInferTask(task, store) for name, task in self.tasks.items()}

    def init_trainers(self) -> dict[str, BundleTraining]:
        """Return the segmentation bundle's training, where the studies lie in a folder."""
        if self.bundles.segmenter is None or not isinstance(self._datastore, CheckedDatastore):
            return {}
        return {self.bundles.segmenter.name: BundleTraining(self.bundles.segmenter, self.bundles.synthesizer)}

    def init_strategies(self) -> dict[str, Any]:
        """Return MONAI Label's random choice and, with a segmentation bundle, the disagreement."""
        strategies: dict[str, Any] = {"random": Random()}
        if self.segmenters and isinstance(self._datastore, CheckedDatastore):
            strategies["disagreement"] = Disagreement(*self.segmenters)
        return strategies

    def init_scoring_methods(self) -> dict[str, StructureDice]:
        """Return the Dice coefficient by structure."""
        checked = self.scheme is not None and isinstance(self._datastore, CheckedDatastore)
        return {"dice": StructureDice(self.scheme)} if checked and self.scheme is not None else {}

    def init_batch_infer(self) -> Callable[..., Any]:
        """Return batch inference for whatever device is there."""
        return StudiesBatchInfer()

    def infer(self, request: Mapping[str, Any], datastore: Any = None) -> dict[str, Any]:
        """Run a task on a study, or on an image that was sent; MONAI Label's own arguments.

        Raises:
            UnknownNameError: for an unknown task or study.
            CardiacGenError: see the tasks.
        """
        store = datastore or self.datastore()
        task = self._infers.get(str(request.get("model")))
        if task is None or not task.is_valid():
            able = [name for name, one in self._infers.items() if one.is_valid()]
            raise UnknownNameError(f"Expected one of the tasks {able}, got {request.get('model')!r}.")
        asked = {**request, **self._files(request, store)}
        keeps = task.gives_label and asked["study"] is not None
        keeps = switch({"save_label": request.get("save_label", False)}, "save_label") and keeps
        tag = DefaultLabelTag.ORIGINAL if request.get("label_tag") is None else request["label_tag"]
        word = getattr(tag, "value", tag)  # batch inference passes MONAI Label's own kind of word
        tag = checked_name(str(word), "label_tag")
        file, report = task(asked)
        label = None
        if keeps:
            label = store.save_label(asked["study"], file, tag, {"model": request["model"], "params": report})
        return {"label": label or file, "tag": "original", "file": file, "params": report}

    def next_sample(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the study that a strategy asks for; MONAI Label's own arguments."""
        if str(request.get("strategy", "random")) not in self._strategies:
            raise UnknownNameError(f"Expected one of the strategies {list(self._strategies)}, got another.")
        chosen: dict[str, Any] = super().next_sample(request)
        return chosen

    def _files(self, request: Mapping[str, Any], store: Any) -> dict[str, str | None]:
        """Return the paths of image and label, and the study's name; None where it is an upload."""
        image, label = str(request.get("image")), request.get("label")
        if label is not None and not _is_upload(str(label)):
            raise UnknownNameError("Expected the label as a file beside the parameters, got something else.")
        if _is_upload(image):
            return {"study": None, "image": image, "label": label}
        if image not in store.list_images():
            raise UnknownNameError(f"Expected one of the {len(store.list_images())} studies, got {image[:80]!r}.")
        return {"study": image, "image": str(store.get_image_uri(image)), "label": label}


def _is_upload(path: str) -> bool:
    """Tell whether a path is that of a file that came with the request: these alone lie in the folder of uploads."""
    given = Path(path)
    return given.is_absolute() and given.resolve().parent == Path(tempfile.gettempdir()).resolve() and given.is_file()


__all__ = ["CardiacLabelApp"]
