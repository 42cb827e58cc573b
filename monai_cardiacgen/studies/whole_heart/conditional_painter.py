"""A trained conditional generator with what it takes and gives: written to a bundle's folder, and read from there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch

from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import MM_WHS
from ...anatomy.structure_condition import StructureCondition
from ...data.files import load_checkpoint, read_json, save_checkpoint, write_json
from ...engines import ConditionalGANTrainer
from ...errors import CheckpointError, DataError
from ...networks.nets import ConditionalUNetGenerator

_NETWORKS = Path("configs") / "networks.json"


class ConditionalPainter(torch.nn.Module):
    """Label maps to images by a trained `ConditionalUNetGenerator`.

    Args:
        generator: conditions to images in [0, 1].
        structures: that the condition has channels for; none for all of the scheme.
        about: plain values told with it, such as the `window` in HU that its images' [0, 1] stand for.
        scheme: of the label maps.
    """

    def __init__(
        self,
        generator: ConditionalUNetGenerator,
        structures: Sequence[str] | None = None,
        about: Mapping[str, Any] | None = None,
        scheme: LabelScheme = MM_WHS,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.condition = StructureCondition(scheme, structures)
        self.about = dict(about or {})

    @torch.no_grad()
    def forward(self, label: torch.Tensor, together: int = 32) -> torch.Tensor:
        """Return images `(B, C, *spatial)` in [0, 1] of codes `(B, 1, *spatial)`, `together` at a time."""
        device = next(self.generator.parameters()).device
        return torch.cat([self.generator(self.condition(some.to(device))).cpu() for some in label.split(together)])

    def to_bundle(self, folder: str | os.PathLike[str]) -> Path:
        """Write `models/model.pt` and `configs/networks.json` into a folder, and return it."""
        root = Path(folder)
        weights = {name: value.cpu() for name, value in self.generator.state_dict().items()}
        save_checkpoint(root / "models" / "model.pt", weights)
        told = {"generator": self.generator.arguments, "structures": list(self.condition.structures)}
        write_json(root / _NETWORKS, {**told, "about": self.about})
        return root

    @classmethod
    def from_bundle(cls, folder: str | os.PathLike[str]) -> ConditionalPainter:
        """Read what `to_bundle` wrote; JSON and tensors are read, nothing is executed.

        Raises:
            CheckpointError: when a file is missing, damaged, or holds something else.
        """
        root = Path(folder)
        try:
            told = read_json(root / _NETWORKS)
            painter = cls(ConditionalUNetGenerator(**told["generator"]), told["structures"], told["about"])
            painter.generator.load_state_dict(load_checkpoint(root / "models" / "model.pt"))
        except (DataError, KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(
                f"Expected a trained conditional generator in {root}, got none ({error}); train it, or pass the "
                f"bundle's folder, the one with configs/ in it."
            ) from error
        return painter.eval()


def trained_painter(
    trainer: ConditionalGANTrainer, structures: Sequence[str] | None, about: Mapping[str, Any]
) -> ConditionalPainter:
    """Return the running average that a trainer has trained, on the CPU; it is moved, not copied."""
    generator = cast(ConditionalUNetGenerator, trainer.average.module).to("cpu")
    return ConditionalPainter(generator, structures, about).eval()


__all__ = ["ConditionalPainter", "trained_painter"]
