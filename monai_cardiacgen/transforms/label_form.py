"""The user's form of label maps: own codes or one-hot, any dtype; in and out the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..anatomy.labels import LabelScheme, places_of
from ..errors import LabelError, ShapeError


class LabelForm:
    """Reads label maps into channel numbers of a scheme, and writes them back as they came.

    Args:
        scheme: the structures and their order.
        codes: the user's own codes in the scheme's order, background first; the scheme's codes by default.
        one_hot: whether label maps are one-hot; by default, one-hot when they have as many channels as the
            scheme has classes, and codes when they have one.

    Raises:
        LabelError: when `codes` has another length than the scheme's classes, or repeats a value.
    """

    def __init__(self, scheme: LabelScheme, codes: Sequence[int] | None = None, one_hot: bool | None = None) -> None:
        self.scheme = scheme
        try:
            self.codes = scheme.codes if codes is None else tuple(int(code) for code in codes)
        except (TypeError, ValueError):
            self.codes = ()
        self.one_hot = one_hot
        if len(self.codes) != scheme.num_classes or len(set(self.codes)) != len(self.codes):
            raise LabelError(
                f"Expected {scheme.num_classes} different label_codes for {scheme.names}, got {codes!r}; name one for "
                f"each."
            )

    def read(self, label: torch.Tensor) -> torch.Tensor:
        """Return channel numbers `(B, *spatial)`, int64, of codes or one-hot maps `(B, 1 | C, *spatial)`.

        Raises:
            ShapeError: when the channels are neither 1 nor the scheme's.
            LabelError: when a code is unknown, or one-hot channels do not hold a single 1.
        """
        return self._read_one_hot(label) if self._is_one_hot(label) else self._read_codes(label[:, 0])

    def write(self, channels: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Return channel numbers `(B, *spatial)` in the form, dtype and shape of `like`."""
        if self._is_one_hot(like):
            one_hot = torch.nn.functional.one_hot(channels, self.scheme.num_classes)
            return one_hot.movedim(-1, 1).to(like.dtype)
        return torch.tensor(self.codes, device=channels.device).take(channels)[:, None].to(like.dtype)

    def _is_one_hot(self, label: torch.Tensor) -> bool:
        count, classes = label.shape[1], self.scheme.num_classes
        one_hot = count == classes if self.one_hot is None else self.one_hot
        if count != (classes if one_hot else 1):
            raise ShapeError(
                f"Expected a label map with 1 channel of codes, or {classes} one-hot channels in the order "
                f"{self.scheme.names}, got {count} channels"
                + ("" if self.one_hot is None else f" and one_hot={self.one_hot}")
                + "; map other structures to the background first."
            )
        return one_hot

    def _read_one_hot(self, label: torch.Tensor) -> torch.Tensor:
        ones = label == 1
        if not bool((ones.sum(dim=1) == 1).all()) or not bool((ones | (label == 0)).all()):
            raise LabelError(
                "Expected exactly one 1 a pixel and 0 elsewhere in a one-hot label map, got other values; "
                "turn soft labels into hard ones, for example with MONAI's AsDiscrete."
            )
        return ones.to(torch.int64).argmax(dim=1)

    def _read_codes(self, label: torch.Tensor) -> torch.Tensor:
        channels = places_of(label, self.codes)
        if bool((channels < 0).any()):
            unknown = sorted({float(value) for value in torch.unique(label[channels < 0])})
            between = any(math.isfinite(value) and value != round(value) for value in unknown)
            remedy = (
                "values between codes come from linear interpolation, so resample labels by nearest neighbour "
                "(in a lazy Compose, with overrides={'label': {'mode': 'nearest'}})."
                if between
                else "pass your own codes, in this order, as label_codes."
            )
            raise LabelError(
                f"Expected the label codes {self.codes} for {self.scheme.names}, got also {unknown[:8]}; {remedy}"
            )
        return channels
