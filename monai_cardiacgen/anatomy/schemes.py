"""The label schemes of the public datasets, and schemes of one's own from a few lines of YAML."""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import LabelError
from .labels import LabelScheme, Structure

LV_CAVITY = "left ventricular cavity"
MYOCARDIUM = "myocardium"
RV_CAVITY = "right ventricular cavity"
LEFT_ATRIUM = "left atrium"
RIGHT_ATRIUM = "right atrium"
ASCENDING_AORTA = "ascending aorta"
PULMONARY_ARTERY = "pulmonary artery"
WHOLE_HEART_NAME = "whole heart"
ULTRASOUND_SECTOR = "ultrasound sector"

_COLOURS: dict[str, tuple[float, float, float]] = {
    RV_CAVITY: (0.20, 0.55, 1.00),
    MYOCARDIUM: (0.20, 0.80, 0.30),
    LV_CAVITY: (1.00, 0.30, 0.25),
    LEFT_ATRIUM: (1.00, 0.75, 0.15),
    RIGHT_ATRIUM: (0.25, 0.85, 0.90),
    ASCENDING_AORTA: (0.85, 0.35, 0.85),
    PULMONARY_ARTERY: (0.55, 0.40, 0.95),
    ULTRASOUND_SECTOR: (0.55, 0.55, 0.55),
}


def _scheme(name: str, codes: dict[str, int]) -> LabelScheme:
    return LabelScheme(
        name, tuple(Structure(structure, code, _COLOURS[structure]) for structure, code in codes.items())
    )


#: The codes of the ACDC challenge (DOI 10.1109/TMI.2018.2837502).
ACDC = _scheme("ACDC", {RV_CAVITY: 1, MYOCARDIUM: 2, LV_CAVITY: 3})
#: Sunnybrook Cardiac Data ships contours, no codes; these are ACDC's (MIDAS Journal 2009, "Evaluation framework for
#: algorithms segmenting short axis cardiac MRI").
SUNNYBROOK = _scheme("Sunnybrook", {MYOCARDIUM: 2, LV_CAVITY: 3})
#: The codes of CAMUS (DOI 10.1109/TMI.2019.2900516).
CAMUS = _scheme("CAMUS", {LV_CAVITY: 1, MYOCARDIUM: 2, LEFT_ATRIUM: 3})
#: CAMUS and, as a class of its own, what the ultrasound sector holds beside the heart; the rest shows nothing at all.
CAMUS_SECTOR = _scheme("CAMUS with sector", {LV_CAVITY: 1, MYOCARDIUM: 2, LEFT_ATRIUM: 3, ULTRASOUND_SECTOR: 4})
#: The codes of the MM-WHS challenge (DOI 10.1016/j.media.2019.101537); the chambers are their blood cavities.
MM_WHS = _scheme(
    "MM-WHS",
    {
        LV_CAVITY: 500,
        RV_CAVITY: 600,
        LEFT_ATRIUM: 420,
        RIGHT_ATRIUM: 550,
        MYOCARDIUM: 205,
        ASCENDING_AORTA: 820,
        PULMONARY_ARTERY: 850,
    },
)
#: MM-WHS's seven structures as one.
WHOLE_HEART = LabelScheme("whole heart", (Structure(WHOLE_HEART_NAME, 1, (1.00, 0.30, 0.25), parts=MM_WHS.names[1:]),))

_SCHEMES = {scheme.name: scheme for scheme in (ACDC, SUNNYBROOK, CAMUS, CAMUS_SECTOR, MM_WHS, WHOLE_HEART)}


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


def label_scheme_from_yaml(text: str) -> LabelScheme:
    """Return a user's own scheme from YAML text.

    Structures that bear the names of the public schemes can be mapped from and to these.

    Args:
        text: a mapping with `name` and `structures`; each structure has a `name`, a `code`, and, if wanted, a
            `colour` (red, green, blue in [0, 1]) and `parts` (names of finer structures). Order is channel order.

    Raises:
        LabelError: when the text is no such mapping, or names and codes clash; it names the first fault.

    Example:
        >>> scheme = label_scheme_from_yaml('''
        ... name: my hospital
        ... structures:
        ...   - {name: left ventricular cavity, code: 10}
        ...   - {name: myocardium, code: 20, colour: [0.2, 0.8, 0.3]}
        ... ''')
        >>> scheme.codes
        (0, 10, 20)
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError("an alias, of which a few lines make gigabytes")
        content = yaml.safe_load(text)
    # The parser's own, and what it makes of a date, a number or a truth value that is none.
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise LabelError(f"Expected a label scheme in YAML, could not parse it ({told}); correct the file.") from error
    if not isinstance(content, dict) or set(content) != {"name", "structures"}:
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise LabelError(
            f"Expected a mapping with the keys name and structures in a label scheme, got {found}; write these two."
        )
    if not isinstance(content["name"], str) or not isinstance(content["structures"], list):
        raise LabelError("Expected a text as name and a list as structures of a label scheme; correct the YAML.")
    structures = (_structure(entry, number) for number, entry in enumerate(content["structures"], start=1))
    return LabelScheme(content["name"], tuple(structures))


def _structure(entry: Any, number: int) -> Structure:
    where = f"structure {number} of the label scheme"
    if not isinstance(entry, dict) or not {"name", "code"} <= set(entry) <= {"name", "code", "colour", "parts"}:
        raise LabelError(
            f"Expected name and code, at most also colour and parts, in {where}, got {entry!r}; correct it."
        )
    name, code, parts = entry["name"], entry["code"], entry.get("parts", [])
    if not isinstance(name, str) or type(code) is not int:
        raise LabelError(
            f"Expected a text as name and a whole number as code in {where}, got {name!r} and {code!r}; correct them."
        )
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise LabelError(f"Expected a list of names as parts in {where}, got {parts!r}; write a list.")
    colour = entry.get("colour", list(_COLOURS.get(name, (0.7, 0.7, 0.7))))
    is_colour = isinstance(colour, list) and len(colour) == 3 and all(type(value) in (int, float) for value in colour)
    if not is_colour or not all(0 <= value <= 1 for value in colour):
        raise LabelError(f"Expected red, green and blue in [0, 1] as colour in {where}, got {colour!r}; scale them.")
    red, green, blue = map(float, colour)
    return Structure(name, code, (red, green, blue), tuple(parts))
