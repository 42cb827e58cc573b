"""Real label maps painted anew, as a MONAI engine does it: the evaluation of a painter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from monai.engines import PrepareBatch
from monai.inferers import Inferer

from ..data.preprocessing import IMAGE, LABEL
from ..errors import InputError
from ..seeding import seeded
from .label_painter import LabelPainter

#: A new style, or that of the image that belongs to the label map.
Style = Literal["new", "own"]


class PrepareRepainting(PrepareBatch):
    """Gives an evaluator label maps as inputs, their images to compare with, and what `RepaintingInferer` needs."""

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: Any = None,
        non_blocking: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, tuple[()], dict[str, Any]]:
        """Return label maps `(B, H, W)`, images `(B, 1, H, W)`, no arguments, and images and conditions by name."""
        image, label = (torch.as_tensor(batchdata[key]).as_subclass(torch.Tensor) for key in (IMAGE, LABEL))
        image, label = (one.to(device, non_blocking=non_blocking) for one in (image, label))
        return label[:, 0], image, (), {"image": image, "condition": batchdata.get("condition")}


class RepaintingInferer(Inferer):
    """Paints label maps by a synthesizer in the place of an evaluator's network.

    Args:
        style: `"new"`, between those of two training images; `"own"`, that of the label map's real image.
        seed: of styles and noise, drawn batch after batch.

    Raises:
        InputError: for another style.
    """

    def __init__(self, style: Style = "new", seed: int = 0) -> None:
        super().__init__()
        if style not in ("new", "own"):
            raise InputError(f"Expected the style 'new' or 'own', got {style!r}.")
        self.style = style
        self.generator = seeded(seed)

    def __call__(  # type: ignore[override]  # a synthesizer in the network's place
        self,
        inputs: torch.Tensor,
        network: LabelPainter,
        image: torch.Tensor | None = None,
        condition: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return images `(B, 1, H, W)` in [0, 1] of label maps `(B, H, W)`.

        A condition is told to synthesizers that take one; others paint without.
        """
        style = network.encode_style(image) if self.style == "own" and image is not None else None
        told = condition if network.generator.condition_size else None
        return network.synthesize(inputs, style, self.generator, told)


__all__ = ["PrepareRepainting", "RepaintingInferer"]
