"""What a patient sampler gives: stacks, patients, and what it took to draw them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import LV_CAVITY
from .stack_trajectory import StackTrajectory


@dataclass(frozen=True)
class ShortAxisStack:
    """A short-axis stack's label maps.

    Attributes:
        label: `(H, W, slices)`, int64, the scheme's codes, from base to apex.
        spacing: mm along H, W and from slice to slice.
    """

    label: torch.Tensor
    spacing: tuple[float, float, float]

    def volume(self, scheme: LabelScheme, structure: str = LV_CAVITY) -> float:
        """Return a structure's volume in mL."""
        height, width, between = self.spacing
        return int((self.label == scheme.code(structure)).sum()) * height * width * between / 1000


@dataclass(frozen=True)
class SyntheticPatient:
    """A patient that was never scanned.

    Attributes:
        trajectory: its curves through the latent space.
        contraction: how far from end diastole (0) towards the trajectory's end systole (1) this heart contracts.
        diastole: the stack at end diastole.
        systole: the stack at end systole, of as many slices.
        ejection_fraction: of the left ventricle, in [0, 1], measured on the two stacks.
    """

    trajectory: StackTrajectory
    contraction: float
    diastole: ShortAxisStack
    systole: ShortAxisStack
    ejection_fraction: float


@dataclass(frozen=True)
class SyntheticPatients:
    """Patients and what it took to draw them.

    Attributes:
        patients: those that were drawn.
        draws: how many draws each took.
        rejections: how many draws were rejected for which reason; a draw may have several.
    """

    patients: list[SyntheticPatient]
    draws: list[int]
    rejections: Counter[str]

    @property
    def acceptance(self) -> float:
        """Share of the draws that gave a patient."""
        return len(self.patients) / max(1, sum(self.draws))


@dataclass(frozen=True)
class SyntheticCine:
    """One cardiac cycle of a patient.

    Attributes:
        label: `(frames, H, W, slices)`, int64, codes; frame 0 is end diastole.
        spacing: of each frame, mm along H, W and from slice to slice.
        bridged: slices, of all frames, that were drawn on the way to the same slice at end diastole or end systole,
            because they were not valid themselves.
    """

    label: torch.Tensor
    spacing: list[tuple[float, float, float]]
    bridged: int

    def volumes(self, scheme: LabelScheme, structure: str = LV_CAVITY) -> list[float]:
        """Return a structure's volume in mL at each frame."""
        pairs = zip(self.label, self.spacing, strict=True)
        return [ShortAxisStack(label, spacing).volume(scheme, structure) for label, spacing in pairs]
