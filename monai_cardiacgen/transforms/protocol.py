"""What the transforms ask of a synthesizer: any label-to-image network that keeps this fits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from ..anatomy.heart_condition import HeartCondition
from ..anatomy.labels import LabelScheme
from ..errors import InputError
from ..types import Generators


class Cases(Protocol):
    """Images and their label maps."""

    @property
    def image(self) -> torch.Tensor:
        """Images `(B, 1, *spatial)` in [0, 1], float32."""
        ...

    @property
    def label(self) -> torch.Tensor:
        """Label maps `(B, *spatial)` in the scheme's codes, int64."""
        ...


@runtime_checkable
class Synthesizer(Protocol):
    """Makes labelled images on a grid of its own.

    Every random draw comes from `generator`: one for the batch, or one a row; then a row's result depends on
    its own generator only.
    """

    @property
    def scheme(self) -> LabelScheme:
        """The structures and codes of its label maps."""
        ...

    @property
    def spacing(self) -> Sequence[float]:
        """Pixel size of its grid in mm."""
        ...

    @property
    def spatial_size(self) -> Sequence[int]:
        """Pixels of its grid."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """At least `name` and `version` of the bundle."""
        ...

    def sample(self, n: int, generator: Generators) -> Cases:
        """Return `n` new hearts and their images."""
        ...

    def vary(self, image: torch.Tensor, label: torch.Tensor, strength: float, generator: Generators) -> Cases:
        """Return these hearts deformed, in their images' style; pixels away from them stay as they are.

        A heart without a valid one near it comes back with its own label map.
        """
        ...

    def restyle(self, image: torch.Tensor, label: torch.Tensor, generator: Generators) -> Cases:
        """Return these label maps in another style."""
        ...


@runtime_checkable
class ConditionalSynthesizer(Synthesizer, Protocol):
    """A synthesizer that can be told what its hearts are, such as their view and phase, one mapping a row."""

    @property
    def heart_condition(self) -> HeartCondition | None:
        """The categories that it is told; None for one that is told nothing."""
        ...

    def sample(self, n: int, generator: Generators, condition: Sequence[Mapping[str, str]] | None = None) -> Cases:
        """Return `n` new hearts of these conditions and their images."""
        ...

    def vary(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        strength: float,
        generator: Generators,
        condition: Sequence[Mapping[str, str]] | None = None,
    ) -> Cases:
        """Return these hearts deformed, as `Synthesizer` does."""
        ...

    def restyle(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        generator: Generators,
        condition: Sequence[Mapping[str, str]] | None = None,
    ) -> Cases:
        """Return these label maps in another style."""
        ...


def condition_of(synthesizer: Synthesizer) -> HeartCondition | None:
    """Return the categories that a synthesizer wants to be told of each sample; None where it wants nothing."""
    return synthesizer.heart_condition if isinstance(synthesizer, ConditionalSynthesizer) else None


def check_synthesizer(synthesizer: Any) -> Synthesizer:
    """Return `synthesizer`; a network comes back frozen and in eval mode.

    Raises:
        InputError: when it lacks a part of the protocol.
    """
    if not isinstance(synthesizer, Synthesizer):
        parts = ("scheme", "spacing", "spatial_size", "provenance", "sample", "vary", "restyle")
        missing = [part for part in parts if not hasattr(synthesizer, part)]
        raise InputError(
            f"Expected a synthesizer, such as CardiacSynthesizer.from_bundle(...), got "
            f"{type(synthesizer).__name__} without {', '.join(missing)}; load one first."
        )
    if isinstance(synthesizer, nn.Module):
        synthesizer.eval().requires_grad_(False)
    return synthesizer


def device_of(synthesizer: Any) -> torch.device:
    """Return where a network's parameters or buffers are; the CPU for what has none."""
    if isinstance(synthesizer, nn.Module):
        for tensor in itertools.chain(synthesizer.parameters(), synthesizer.buffers()):  # no list of all of them
            return tensor.device
    return torch.device("cpu")
