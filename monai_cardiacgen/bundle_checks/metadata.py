"""Is a bundle's metadata what MONAI's schema and the model zoo's own rules ask for?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow, verify_metadata

from ..data.files import read_json
from .check import Check
from .quiet import first_line, quietly

SCHEMA = Path(__file__).with_name("metadata_schema_20240725.json")
#: The last releases that Python 3.10, the zoo's, can install.
_LAST_FOR_PYTHON_3_10 = {"numpy": (2, 2), "scipy": (1, 15), "scikit-image": (0, 25)}
_PROPERTIES = {"train": "train", "inference": "infer"}


def check_metadata(folder: Path) -> list[Check]:
    """Return the checks of `configs/metadata.json`, and of the properties that MONAI's workflows look for."""
    path = folder / "configs" / "metadata.json"
    metadata = read_json(path)
    version, changes = metadata.get("version"), metadata.get("changelog", {})
    logged = () if version in changes else (f"version {version} is not in the changelog; say there what it changes.",)
    return [
        _schema(path),
        Check("the version is in the changelog", logged),
        Check("Python 3.10 can install the packages", tuple(_too_new(metadata))),
        *(_properties(folder, name) for name in _PROPERTIES),
    ]


def _schema(path: Path) -> Check:
    name = "metadata follows MONAI's schema 20240725"
    if find_spec("jsonschema") is None:
        return Check(name, missing="it needs jsonschema: pip install 'monai_cardiacgen[bundles]'.")
    try:
        with quietly():
            verify_metadata(meta_file=str(path), filepath=SCHEMA)  # a schema that is there is not fetched
    except Exception as error:  # MONAI's, whatever it met
        return Check(name, (f"{path.name}: {first_line(error)}; correct it.",))
    return Check(name)


def _too_new(metadata: Mapping[str, Any]) -> list[str]:
    """Return a fault for each version that no release for Python 3.10 has."""
    stated = {"numpy": metadata.get("numpy_version", ""), **metadata.get("required_packages_version", {})}
    faults = []
    for package, last in _LAST_FOR_PYTHON_3_10.items():
        numbers = re.findall(r"\d+", str(stated.get(package, "")))
        if tuple(map(int, numbers[:2])) > last:
            text = ".".join(map(str, last))
            faults.append(f"{package} {stated[package]} needs a newer Python; state {text} or older, and test with it.")
    return faults


def _properties(folder: Path, kind: str) -> Check:
    name = f"{kind}.json has MONAI's properties"
    path = folder / "configs" / f"{kind}.json"
    if not path.is_file():
        return Check(name, missing=f"there is no configs/{path.name}.")
    try:
        with quietly():
            workflow = ConfigWorkflow(str(path), workflow_type=_PROPERTIES[kind], logging_file=False)
    except Exception as error:  # MONAI's, whatever it met
        return Check(name, (f"{path.name}: {first_line(error)}; correct it.",))
    # MONAI's own check_properties makes every property, for which it needs the data.
    parser, faults = workflow.parser, []
    for told in (workflow.properties or {}).values():
        place, user = told["id"].replace("::", "#"), str(told.get("refer_id", "")).replace("::", "#")
        used = parser.get(user) if user else None
        if told["required"] and place not in parser:
            faults.append(f"{path.name}: {place} is missing; add it.")
        if place in parser and isinstance(used, str) and used[:1] == "@" and used[1:].replace("::", "#") != place:
            faults.append(f"{path.name}: {user} refers to {used}; refer to @{place}.")
    handlers = parser.get("train#handlers") or []
    if not all(isinstance(one, dict) for one in handlers):  # MONAI looks into each for the ValidationHandler
        faults.append(f"{path.name}: an entry of train#handlers is no object; give each its own _target_.")
    return Check(name, tuple(faults))


__all__ = ["SCHEMA", "check_metadata"]
