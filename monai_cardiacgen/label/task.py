"""What a task of the server is: volumes in, volumes and a report out; nothing here knows MONAI Label."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from monai.data import MetaTensor

from ..anatomy.labels import LabelScheme
from ..errors import InputError


@dataclass(frozen=True)
class TaskResult:
    """What a task made.

    Attributes:
        volumes: `(X, Y, Z)` by name; a request's `result` chooses one, the first by default. Of a synthetic case
            `image` and `label` lie on the same grid.
        report: plain values for the answer's JSON.
    """

    volumes: Mapping[str, MetaTensor]
    report: Mapping[str, Any] = field(default_factory=dict)


class LabelTask(ABC):
    """A task of the server.

    Attributes:
        description: one sentence for the viewers.
        scheme: of the labels that it takes and gives; None for a task without labels.
        label_tags: where a stored label is looked for when none was sent, in this order; empty where none is taken.
        makes_cases: whether its result is a synthetic case, which can become a study; else the first volume is a label
            or a map of the image that was asked about.
        settings: what a request may set, with the values that are used when it does not.
    """

    description: str
    scheme: LabelScheme | None = None
    label_tags: tuple[str, ...] = ()
    makes_cases: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})

    @property
    def ready(self) -> bool:
        """Whether the task can run; a network needs weights, which a training may bring later."""
        return True

    @abstractmethod
    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return what the task makes of an image `(X, Y, Z)` and, where it takes one, its label map."""


def number(settings: Mapping[str, Any], name: str, low: float, high: float) -> float:
    """Return a setting as a number.

    Raises:
        InputError: when it is none, or lies outside of [low, high].

    Example:
        >>> number({"strength": "0.5"}, "strength", 0, 1)
        0.5
    """
    given = settings[name]
    try:
        value = float(given) if not isinstance(given, bool) else math.nan
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"Expected {name} as a number in [{low:g}, {high:g}], got {given!r}.")
    return value


def switch(settings: Mapping[str, Any], name: str) -> bool:
    """Return a setting as true or false; viewers send either, or the words.

    Raises:
        InputError: for anything else.
    """
    known = {"true": True, "false": False}
    word = str(settings[name]).lower()
    if word not in known:
        raise InputError(f"Expected {name} as true or false, got {settings[name]!r}.")
    return known[word]


def choice(settings: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    """Return a setting as one of the known words.

    Raises:
        InputError: for another one.
    """
    if settings[name] not in known:
        raise InputError(f"Expected {name} to be one of {known}, got {settings[name]!r}.")
    return str(settings[name])


__all__ = ["LabelTask", "TaskResult", "choice", "number", "switch"]
