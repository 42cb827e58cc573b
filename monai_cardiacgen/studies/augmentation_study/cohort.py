"""The datasets of augmentation studies: how each is read, what is trained and tested on, and its phantoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage
from torch import nn

from ...anatomy.check import View
from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import ACDC, CAMUS
from ...data.acdc import read_acdc
from ...data.camus import read_camus
from ...data.preprocessing import apical_preprocessing
from ...data.slices import IMAGE, LABEL, ShortAxisGrid, load_slices
from ...inferers import PhantomSynthesizer
from ..echo.echo_scores import score_echo
from ..evaluation import Score, evaluate_segmentation, load_test_volumes
from ..slice_scores import SliceScore

Items = Sequence[dict[str, Any]]
DatasetName = Literal["acdc", "camus"]


class Cohort(Protocol):
    """A dataset as a study sees it.

    Attributes:
        scheme: label scheme of the codes.
        view: of its images.
        size: pixels of the slices that networks are tested on.
        wide: pixels of the slices that they are trained on, before augmentation cuts out the middle.
        preparation: how images become slices, in words.
    """

    scheme: LabelScheme
    view: View
    size: tuple[int, int]
    wide: tuple[int, int]
    preparation: str

    def items(self, folder: str) -> list[dict[str, Any]]:
        """Return the datalist of a folder in the dataset's own layout."""

    def training(self, items: Items) -> list[dict[str, Any]]:
        """Return the slices of the items as they are trained on, `(1, *wide)`."""

    def slices(self, items: Items) -> list[dict[str, Any]]:
        """Return the slices of the items as they are tested, `(1, *size)`."""

    def phase(self, item: Mapping[str, Any]) -> str:
        """Return what tells the volumes of a patient apart, as scores call it."""

    def test(self, network: nn.Module, items: Items) -> tuple[list[Score], list[SliceScore]]:
        """Return a network's scores on the grid of the files, by volume and, of stacks, by slice."""

    def spacing(self, slices: Items) -> tuple[float, float]:
        """Return mm between pixels of the slices."""

    def phantoms(self, patients: int) -> PhantomSynthesizer:
        """Return so many phantom patients of the same view, as wide as training slices."""


class ShortAxisCohort:
    """ACDC: stacks of slices.

    Args:
        spacing: in-plane pixel size in mm.
        side: pixels of a slice along both axes.
        margin: pixels more on each side in training, so that turning shows what lies beyond.
    """

    scheme = ACDC
    view: View = "short axis"

    def __init__(self, spacing: float, side: int, margin: int) -> None:
        self.size, self.wide = (side, side), (side + 2 * margin,) * 2
        self.preparation = f"Slices were resampled to {spacing:g} mm and cut to {side} × {side} pixels."
        self._mm = (spacing, spacing)
        self._grid = ShortAxisGrid(self._mm, self.size)

    def items(self, folder: str) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return read_acdc(folder)

    def training(self, items: Items) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return load_slices(items, ShortAxisGrid(self._mm, self.wide))

    def slices(self, items: Items) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return load_slices(items, self._grid)

    def phase(self, item: Mapping[str, Any]) -> str:
        """See `Cohort`."""
        return str(item["phase"])

    def test(self, network: nn.Module, items: Items) -> tuple[list[Score], list[SliceScore]]:
        """See `Cohort`."""
        return evaluate_segmentation(network, load_test_volumes(items, self._grid), self._grid)

    def spacing(self, slices: Items) -> tuple[float, float]:
        """See `Cohort`."""
        return self._mm

    def phantoms(self, patients: int) -> PhantomSynthesizer:
        """See `Cohort`."""
        return PhantomSynthesizer("short axis", self._mm, self.wide, patients, seed=0)


class ApicalCohort:
    """CAMUS: single frames of two views, stretched to a square; scored by contour, as the field does.

    Args:
        side: pixels of a frame along both axes.
    """

    scheme = CAMUS
    view: View = "apical"

    def __init__(self, side: int) -> None:
        self.size = self.wide = (side, side)
        self.preparation = f"Frames of both views were stretched to {side} × {side} pixels."
        self._preprocessing = apical_preprocessing(self.size)

    def items(self, folder: str) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return read_camus(folder)

    def training(self, items: Items) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return self.slices(items)

    def slices(self, items: Items) -> list[dict[str, Any]]:
        """See `Cohort`."""
        return [self._frame(item) for item in items]

    def phase(self, item: Mapping[str, Any]) -> str:
        """See `Cohort`."""
        return f"{item['view']} {item['phase']}"

    def test(self, network: nn.Module, items: Items) -> tuple[list[Score], list[SliceScore]]:
        """See `Cohort`; the structures are the contours of `score_echo`, there are no stacks."""
        device = next(network.parameters()).device
        native = LoadImage(ensure_channel_first=True)
        network.eval()
        scores = []
        for item in items:
            image = self._preprocessing({key: value for key, value in item.items() if key != LABEL})[IMAGE]
            with torch.no_grad():
                probabilities = network(image.as_tensor()[None].to(device)).softmax(dim=1)[0].cpu()
            found = self._preprocessing.codes_on_file_grid(probabilities, image, CAMUS)
            label = cast(MetaTensor, native(item[LABEL]))
            mm = [float(value) for value in label.pixdim[:2]]
            truth = label.as_tensor()[0].reshape(found.shape).to(torch.int64)  # .mhd files have a third axis
            for one in score_echo(found.reshape(1, *found.shape[:2]), truth.reshape(1, *found.shape[:2]), [item], mm):
                phase = self.phase(item)
                scores.append(Score(one.patient, item["group"], phase, one.contour, one.dice, np.nan, one.hd, one.assd))
        return scores, []

    def spacing(self, slices: Items) -> tuple[float, float]:
        """See `Cohort`; the median, for every frame is stretched by factors of its own."""
        across, along = np.median([one[IMAGE].pixdim[:2].tolist() for one in slices], axis=0).tolist()
        return across, along

    def phantoms(self, patients: int) -> PhantomSynthesizer:
        """See `Cohort`."""
        return PhantomSynthesizer("apical", spatial_size=self.size, patients=patients, seed=0)

    def _frame(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return a loaded frame without the header of its file: collating those costs more than training."""
        loaded = self._preprocessing(item)
        light = {key: MetaTensor(loaded[key].as_tensor().contiguous(), loaded[key].affine) for key in (IMAGE, LABEL)}
        return {**{key: item[key] for key in ("patient", "view", "phase", "group")}, **light}


def cohort(dataset: DatasetName, spacing: float, side: int, margin: int) -> Cohort:
    """Return the cohort of a dataset on a grid; spacing and margin are those of short-axis stacks."""
    return ShortAxisCohort(spacing, side, margin) if dataset == "acdc" else ApicalCohort(side)


__all__ = ["ApicalCohort", "Cohort", "DatasetName", "ShortAxisCohort", "cohort"]
