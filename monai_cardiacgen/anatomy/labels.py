"""Label schemes: the structures that a dataset annotates, their codes, and the order that networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import LabelError

BACKGROUND = "background"
LV_CAVITY = "left ventricular cavity"
MYOCARDIUM = "myocardium"
RV_CAVITY = "right ventricular cavity"


@dataclass(frozen=True)
class Structure:
    """One annotated structure.

    Attributes:
        name: the field's term for it, for example `"myocardium"`.
        code: its value in the dataset's label maps; 0 is the background.
        colour: red, green and blue in [0, 1] for overlays.
    """

    name: str
    code: int
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class LabelScheme:
    """A named, ordered set of structures; class 0 is the background, class i is `structures[i - 1]`.

    Networks see one-hot maps in this order, files and users see the dataset's codes.

    Args:
        name: the dataset's name.
        structures: the structures in the order of the one-hot channels, without the background.

    Raises:
        LabelError: when two structures share a name or a code, or one uses the background's.

    Example:
        >>> import torch
        >>> ACDC.one_hot(torch.tensor([[[0, 3]]]))[0, :, 0].tolist()
        [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    """

    name: str
    structures: tuple[Structure, ...]

    def __post_init__(self) -> None:
        codes, names = self.codes, self.names
        if len(codes) == 1 or len(set(codes)) < len(codes) or len(set(names)) < len(names):
            raise LabelError(
                f"Expected structures with unique names and unique codes other than the background's (0) "
                f"in label scheme {self.name!r}, got {list(zip(names[1:], codes[1:], strict=True))}."
            )

    @property
    def num_classes(self) -> int:
        """Number of one-hot channels, background included."""
        return len(self.structures) + 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names in channel order, background first."""
        return (BACKGROUND, *(structure.name for structure in self.structures))

    @property
    def codes(self) -> tuple[int, ...]:
        """The dataset's codes in channel order, background (0) first."""
        return (0, *(structure.code for structure in self.structures))

    def channel(self, name: str) -> int:
        """Return the one-hot channel of a structure; raise `LabelError` when the scheme lacks it."""
        if name not in self.names:
            raise LabelError(f"Expected one of {self.names} of label scheme {self.name!r}, got {name!r}.")
        return self.names.index(name)

    def code(self, name: str) -> int:
        """Return the dataset's code of a structure; raise `LabelError` when the scheme lacks it."""
        return self.codes[self.channel(name)]

    def to_channels(self, label: torch.Tensor) -> torch.Tensor:
        """Return the channel number of every pixel.

        Args:
            label: the dataset's codes, any shape, integer or whole-numbered floating point.

        Returns:
            Channel numbers in 0 ... num_classes - 1, `int64`, same shape and device.

        Raises:
            LabelError: when a value is not one of the scheme's codes.
        """
        channels = torch.full(label.shape, -1, dtype=torch.int64, device=label.device)
        for channel, code in enumerate(self.codes):
            channels[label == code] = channel
        if bool((channels < 0).any()):
            unknown = sorted({float(value) for value in torch.unique(label[channels < 0])})
            raise LabelError(
                f"Expected the codes {self.codes} of label scheme {self.name!r}, got also {unknown[:8]}; "
                f"remap the label map, or pass the scheme that it follows."
            )
        return channels

    def to_codes(self, channels: torch.Tensor) -> torch.Tensor:
        """Return the dataset's codes, `int64`, of channel numbers of any shape."""
        return torch.tensor(self.codes, device=channels.device)[channels]

    def one_hot(self, label: torch.Tensor) -> torch.Tensor:
        """Return `(B, num_classes, *spatial)` float32 from the dataset's codes `(B, *spatial)`.

        Raises:
            LabelError: when a value is not one of the scheme's codes.
        """
        one_hot = torch.nn.functional.one_hot(self.to_channels(label), self.num_classes)
        return one_hot.movedim(-1, 1).to(torch.float32)

    def from_one_hot(self, one_hot: torch.Tensor) -> torch.Tensor:
        """Return the dataset's codes `(B, *spatial)` of the largest of `(B, num_classes, *spatial)`."""
        if one_hot.ndim < 2 or one_hot.shape[1] != self.num_classes:
            raise LabelError(
                f"Expected (B, {self.num_classes}, ...) in the order {self.names}, got {tuple(one_hot.shape)}."
            )
        return self.to_codes(one_hot.argmax(dim=1))

    def remap(self, label: torch.Tensor, codes: Sequence[int]) -> torch.Tensor:
        """Return the label map in the user's own `codes`, given in channel order with the background first.

        Raises:
            LabelError: when `codes` has another length than `num_classes`, or repeats a value.
        """
        if len(codes) != self.num_classes or len(set(codes)) != len(codes):
            raise LabelError(f"Expected {self.num_classes} different codes for {self.names}, got {tuple(codes)}.")
        return torch.tensor(tuple(codes), device=label.device)[self.to_channels(label)]


#: The codes of the ACDC challenge (DOI 10.1109/TMI.2018.2837502).
ACDC = LabelScheme(
    "ACDC",
    (
        Structure(RV_CAVITY, 1, (0.20, 0.55, 1.00)),
        Structure(MYOCARDIUM, 2, (0.20, 0.80, 0.30)),
        Structure(LV_CAVITY, 3, (1.00, 0.30, 0.25)),
    ),
)


_SCHEMES = {scheme.name: scheme for scheme in (ACDC,)}


def label_scheme(name: str) -> LabelScheme:
    """Return a public dataset's scheme by its name, as configuration files give it.

    Raises:
        LabelError: for an unknown name; it lists those that there are.

    Example:
        >>> label_scheme("ACDC").codes
        (0, 1, 2, 3)
    """
    if name not in _SCHEMES:
        raise LabelError(f"Expected one of the label schemes {sorted(_SCHEMES)}, got {name!r}.")
    return _SCHEMES[name]
