"""What a set of synthetic cases is, and what is known about each of its cases: plain values, checked when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ..anatomy.labels import LabelScheme, Structure
from ..checks import check_spacing
from ..errors import DataError, InputError

_FORMAT = 1
#: What `about` cannot say, for a set says it itself.
_RESERVED = {
    "case",
    "number",
    "image",
    "label",
    "image_sha256",
    "label_sha256",
    "affine",
    "patient",
    "synthetic",
    "mode",
}
_RESERVED |= {"seed", "strength", "bundle", "version", "view", "spacing", "checks", "about"}
MODES = ("new", "vary", "restyle")
_NUMBERS = 2**32  # as many as a generation has seeds


@dataclass(frozen=True)
class SetDescription:
    """What all cases of a synthetic set have in common.

    Attributes:
        scheme: codes of the labels.
        spacing: mm along the axes of the images: two for slices, three for volumes.
        bundle: name of what made the cases.
        version: of the bundle.
        view: the imaging plane, for example `"short axis"`.
        modality: `"MR"`, `"CT"` or `"US"`, as DICOM calls them.
        origin: whatever else tells this set from others, plain JSON values: the seed of the generation, a
            fingerprint of the weights. A set that was begun with another origin is not continued.

    Raises:
        InputError: for an empty name, another modality, or an origin that is not plain JSON.
        SpacingError: unless the spacing is two or three positive numbers.

    Example:
        >>> from monai_cardiacgen.anatomy.schemes import ACDC
        >>> SetDescription(ACDC, (1.5, 1.5), "cine_mr_vaegan", "0.1.0").spatial_dims
        2
    """

    scheme: LabelScheme
    spacing: tuple[float, ...]
    bundle: str
    version: str
    view: str = ""
    modality: str = "MR"
    origin: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "spacing", check_spacing(self.spacing, 3 if len(self.spacing) > 2 else 2))
        if not self.bundle or self.modality not in ("MR", "CT", "US"):
            raise InputError(
                f"Expected the name of a bundle and the modality MR, CT or US, got {self.bundle!r} and "
                f"{self.modality!r}; every synthetic case has to tell what made it."
            )
        object.__setattr__(self, "origin", plain_json(self.origin or {}, "the origin of a synthetic set"))

    @property
    def spatial_dims(self) -> int:
        """2 for slices, 3 for volumes."""
        return len(self.spacing)

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON values."""
        structures = [[one.name, one.code, list(one.colour), list(one.parts)] for one in self.scheme.structures]
        return {
            "format": _FORMAT,
            "scheme": {"name": self.scheme.name, "structures": structures},
            "spacing": list(self.spacing),
            "bundle": self.bundle,
            "version": self.version,
            "view": self.view,
            "modality": self.modality,
            "origin": dict(self.origin or {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object) -> SetDescription:
        """Return what `to_json` gave.

        Raises:
            DataError: when the content is something else; `where` says which file is meant.
        """
        try:
            if content["format"] != _FORMAT:
                raise InputError(f"format {content['format']!r} instead of {_FORMAT}; update monai_cardiacgen")
            structures = tuple(
                Structure(str(name), int(code), (float(red), float(green), float(blue)), tuple(map(str, parts)))
                for name, code, (red, green, blue), parts in content["scheme"]["structures"]
            )
            return cls(
                LabelScheme(str(content["scheme"]["name"]), structures),
                tuple(float(mm) for mm in content["spacing"]),
                bundle=str(content["bundle"]),
                version=str(content["version"]),
                view=str(content["view"]),
                modality=str(content["modality"]),
                origin=content["origin"],
            )
        except (InputError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"Expected the description of a synthetic set in {where}, got something else ({error!r}); "
                f"name the folder or file that the set was written to."
            ) from error


@dataclass(frozen=True)
class CaseRecord:
    """What is known about one synthetic case; field names as in the records of `RandCardiacSynth`.

    Attributes:
        number: of the case in its set, from 0.
        seed: of the case's own generator.
        mode: how it was made: `"new"`, `"vary"` or `"restyle"`.
        strength: how far `"vary"` may have moved the heart, in (0, 1]; it means nothing for the other modes.
        checks: what was checked and what came out, plain JSON values.
        about: more that a datalist item shall say, for example `phase` or `group`, plain JSON values.

    Raises:
        InputError: for a negative number, an unknown mode, a strength that does not fit it, values that are not
            plain JSON, or a key of `about` that a set uses itself.
    """

    number: int
    seed: int
    mode: str = "new"
    strength: float = 0.0
    checks: Mapping[str, Any] | None = None
    about: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if type(self.number) is not int or not 0 <= self.number < _NUMBERS or type(self.seed) is not int:
            raise InputError(
                f"Expected a whole number from 0 to {_NUMBERS - 1} and a whole number as seed of a synthetic case, got "
                f"{self.number!r} and {self.seed!r}; number the cases of a set from 0."
            )
        if not isinstance(self.strength, int | float):
            raise InputError(f"Expected a number as strength of a synthetic case, got {self.strength!r}; pass one.")
        moved = self.strength > 0 or self.mode != "vary"
        if self.mode not in MODES or not 0 <= self.strength <= 1 or not moved:
            raise InputError(
                f"Expected one of the modes {MODES} and a strength in [0, 1], for 'vary' above 0, got {self.mode!r} "
                f"and {self.strength!r}."
            )
        object.__setattr__(self, "checks", plain_json(self.checks or {}, "the checks of a synthetic case"))
        object.__setattr__(self, "about", plain_json(self.about or {}, "what is said about a synthetic case"))
        if taken := sorted(_RESERVED & set(self.about or {})):
            raise InputError(f"Expected other keys about a synthetic case than a set's own, got {taken}; rename them.")

    @property
    def case(self) -> str:
        """The name of the case, from its number alone; stands for the patient."""
        return case_name(self.number)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, the name of the case first."""
        values = {key: getattr(self, key) for key in ("number", "seed", "mode", "strength")}
        return {"case": self.case, **values, "checks": dict(self.checks or {}), "about": dict(self.about or {})}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object) -> CaseRecord:
        """Return what `to_json` gave.

        Raises:
            DataError: when the content is something else; `where` says which line is meant.
        """
        try:
            keys = ("number", "seed", "mode", "strength", "checks", "about")
            return cls(**{key: content[key] for key in keys})
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"Expected the record of a synthetic case in {where}, got something else ({error!r}); "
                f"make the set again."
            ) from error

    def datalist_item(self, description: SetDescription) -> dict[str, Any]:
        """Return what a MONAI datalist item says about the case, without its image and label."""
        return {
            "patient": self.case,
            "synthetic": True,
            "mode": self.mode,
            "seed": self.seed,
            "strength": float(self.strength),
            "bundle": description.bundle,
            "version": description.version,
            "view": description.view,
            "spacing": description.spacing,
            **(self.about or {}),
        }


def case_name(number: int) -> str:
    """Return the name of a case.

    Example:
        >>> case_name(7)
        'case_000007'
    """
    return f"case_{number:06d}"


def plain_json(content: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return `content` as it comes back from a JSON file.

    Raises:
        InputError: when it holds something that JSON cannot, NaN and infinity included.
    """
    try:
        plain = json.loads(json.dumps(dict(content), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected plain JSON values in {what}, got {content!r} ({error}); turn tensors into numbers."
        ) from error
    return dict(plain)


def inner_path(name: Any, where: object) -> PurePosixPath:
    """Return the relative path that a set's file names, or refuse it when it could leave the set.

    Raises:
        DataError: for anything but a relative path without `..`; `where` says which line is meant.
    """
    path = PurePosixPath(name) if isinstance(name, str) and "\\" not in name and "\0" not in name else None
    if path is None or path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise DataError(
            f"Expected a file inside the synthetic set in {where}, got {name!r}, which could lie anywhere; "
            f"do not use this set unless you know where it comes from."
        )
    return path
