"""Label schemes: the structures that a dataset annotates, their codes, and the order that networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import LabelError

BACKGROUND = "background"

#: Codes up to this one are looked up in a table, which is several times faster than comparing with each.
_LARGEST_CODE = 1 << 16
#: No file holds greater codes.
_MOST = 1 << 31


@dataclass(frozen=True)
class Structure:
    """One annotated structure.

    Attributes:
        name: the field's term for it, for example `"myocardium"`.
        code: its value in the dataset's label maps; 0 is the background.
        colour: red, green and blue in [0, 1] for overlays.
        parts: names of the finer structures that make it up, where other datasets annotate these.
    """

    name: str
    code: int
    colour: tuple[float, float, float]
    parts: tuple[str, ...] = ()


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
        >>> scheme = LabelScheme("pools", (Structure("pool", 500, (1.0, 0.3, 0.2)),))
        >>> scheme.one_hot(torch.tensor([[[0, 500]]]))[0, :, 0].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    name: str
    structures: tuple[Structure, ...]

    def __post_init__(self) -> None:
        codes, names = self.codes, self.names
        if not all(abs(code) < _MOST for code in codes):
            raise LabelError(
                f"Expected codes of 32 bits in label scheme {self.name!r}, got {codes[1:]}; choose smaller."
            )
        if len(codes) == 1 or len(set(codes)) < len(codes) or len(set(names)) < len(names):
            raise LabelError(
                f"Expected structures with unique names and unique codes other than the background's (0) "
                f"in label scheme {self.name!r}, got {list(zip(names[1:], codes[1:], strict=True))}; renumber them."
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
        channels = places_of(label, self.codes)
        if bool((channels < 0).any()):
            unknown = sorted({float(value) for value in torch.unique(label[channels < 0])})
            raise LabelError(
                f"Expected the codes {self.codes} of label scheme {self.name!r}, got also {unknown[:8]}; "
                f"remap the label map, or pass the scheme that it follows."
            )
        return channels

    def to_codes(self, channels: torch.Tensor) -> torch.Tensor:
        """Return the dataset's codes, `int64`, of channel numbers of any shape, each of them one of the scheme's."""
        return torch.tensor(self.codes, device=channels.device).take(channels)

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

    def known(self, annotated: Sequence[str]) -> tuple[bool, ...]:
        """Return for each channel whether it is told apart when only the structures `annotated` are.

        The background is told apart from everything else only when all structures are annotated.

        Raises:
            LabelError: when the scheme lacks a structure of `annotated`.

        Example:
            >>> LabelScheme("rings", (Structure("wall", 1, (0, 1, 0)), Structure("pool", 2, (1, 0, 0)))).known(["pool"])
            (False, False, True)
        """
        channels = {self.channel(name) for name in annotated} - {0}
        complete = len(channels) == len(self.structures)
        return (complete, *(channel in channels for channel in range(1, self.num_classes)))

    def to_scheme(self, label: torch.Tensor, target: LabelScheme, without: Sequence[str] = ()) -> torch.Tensor:
        """Return the label map in another scheme's codes, structure by structure of the same name.

        A structure of the target that this scheme knows in `parts` is the union of these.

        Args:
            label: this scheme's codes, any shape.
            target: the scheme to go over to.
            without: structures, of either scheme, that may be lost: those of this scheme become background, and
                those of the target never occur. Name them only where that is what the map should say.

        Returns:
            The target's codes, `int64`, same shape and device.

        Raises:
            LabelError: when a structure has no counterpart and is not named in `without`, when `without` names
                something that neither scheme has, or when the map holds an unknown code.
        """
        codes = [0] * self.num_classes
        unmatched = set(self.names[1:])
        impossible = []
        for structure in target.structures:
            sources = (structure.name,) if structure.name in self.names else structure.parts
            if not sources or not set(sources) <= set(self.names):
                impossible.append(structure.name)
                continue
            for name in sources:
                codes[self.channel(name)] = structure.code
            unmatched -= set(sources)
        missing = [name for name in (*self.names, *impossible) if name in unmatched | set(impossible)]
        strange = [name for name in without if name not in self.names + target.names]
        lost = [name for name in missing if name not in without]
        if lost or strange:
            raise LabelError(
                f"Expected every structure of label scheme {self.name!r} in {target.name!r} and the other way round, "
                f"got no counterpart of {lost or strange}; correct the names, or list in `without` what may be lost."
            )
        return torch.tensor(codes, device=label.device)[self.to_channels(label)]

    def remap(self, label: torch.Tensor, codes: Sequence[int]) -> torch.Tensor:
        """Return the label map in the user's own `codes`, given in channel order with the background first.

        Raises:
            LabelError: when `codes` has another length than `num_classes`, or repeats a value.
        """
        if len(codes) != self.num_classes or len(set(codes)) != len(codes):
            raise LabelError(f"Expected {self.num_classes} different codes for {self.names}, got {tuple(codes)}.")
        return torch.tensor(tuple(codes), device=label.device)[self.to_channels(label)]


def places_of(label: torch.Tensor, codes: Sequence[int]) -> torch.Tensor:
    """Return at which place in `codes` each value of `label` stands, of its shape, `int64`; -1 for nowhere.

    Example:
        >>> places_of(torch.tensor([0.0, 500.0, 2.5]), (0, 500)).tolist()
        [0, 1, -1]
    """
    if label.is_complex():
        raise LabelError("Expected whole numbers in a label map, got complex ones; pass codes.")
    places = torch.full(label.shape, -1, dtype=torch.int64, device=label.device)
    largest = max(codes)
    if min(codes) < 0 or largest > _LARGEST_CODE:
        for place, code in enumerate(codes):
            places[label == code] = place
        return places
    table = torch.full((largest + 2,), -1, device=label.device)  # the last entry is for all that no code is
    table[list(codes)] = torch.arange(len(codes), device=label.device)
    whole = label.to(torch.int64)
    torch.take(table, whole.clamp(-1, largest + 1), out=places)
    return places.masked_fill_(whole != label, -1) if label.is_floating_point() else places
