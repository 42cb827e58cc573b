"""A segmentation bundle's network as a task: whole stacks in, codes on the file's grid out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor

from ..anatomy.schemes import ACDC
from ..data.files import load_checkpoint
from ..errors import CheckpointError, IntensityError
from .task import LabelTask, TaskResult


class Segmenter(LabelTask):
    """Segments stacks as `configs/inference.json` of a bundle like `cardiac_segmentation` says.

    Weights are read when they are first needed, and again when their file has changed.

    Args:
        folder: of the bundle.
        weights: name of a file in its `models/`.
    """

    description = "Segments both ventricles and the myocardium of short-axis cine MR"
    scheme = ACDC

    def __init__(self, folder: Path, weights: str = "model.pt") -> None:
        self.weights = folder / "models" / weights
        self._config = folder / "configs" / "inference.json"
        self._read: tuple[int, ConfigParser] | None = None

    @property
    def ready(self) -> bool:
        """Whether there are weights."""
        return self.weights.is_file()

    def version(self) -> int:
        """Return a number that is another one for other weights; 0 without."""
        return self.weights.stat().st_mtime_ns if self.ready else 0

    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return `label`.

        Raises:
            IntensityError: for an image without contrast.
            CheckpointError: when there are no weights, or others than the network's.
        """
        probabilities, case = self.probabilities(image)
        grid = self._parts().get_parsed_content("grid")
        codes = grid.codes_on_file_grid(probabilities, case, self.scheme)
        return TaskResult({"label": MetaTensor(codes, affine=image.affine)})

    @torch.no_grad()
    def probabilities(self, image: MetaTensor) -> tuple[torch.Tensor, MetaTensor]:
        """Return the classes' probabilities `(C, H, W, Z)` on the network's grid, and the image on it."""
        if float(image.max()) == float(image.min()) or not bool(image.isfinite().all()):
            raise IntensityError("Expected an image with contrast and finite intensities, got another.")
        parts = self._parts()
        case = parts.get_parsed_content("grid").transform({"image": image}, start=1)["image"]
        network, device = parts.get_parsed_content("network"), parts.get_parsed_content("device")
        logits = parts.get_parsed_content("inferer")(case.as_tensor()[None].to(device), network)
        return logits[0].softmax(dim=0).cpu(), case

    def _parts(self) -> ConfigParser:
        """Return the bundle's parts, with the weights as they are now."""
        if not self.ready:
            raise CheckpointError(f"Expected weights at {self.weights.name}, got none yet; train first.")
        changed = self.version()
        if self._read is None or self._read[0] != changed:
            parser = ConfigParser()
            parser.read_config(self._config)
            network = parser.get_parsed_content("network").eval()
            try:
                network.load_state_dict(load_checkpoint(self.weights))
            except RuntimeError as error:
                raise CheckpointError(f"Expected the network's weights in {self.weights.name}, got others.") from error
            self._read = (changed, parser)
        return self._read[1]


__all__ = ["Segmenter"]
