"""MONAI Label: segment, synthesize, vary, repair and inpaint from 3D Slicer, OHIF or plain requests.

What needs MONAI Label itself lies in `label/app/` and is imported by the server alone, which runs in an environment
of its own; everything else here is importable without it.
"""

from .app_bundles import AppBundles, find_app_bundles
from .inpainting import Inpaint
from .painting import Synthesize, Vary
from .repairing import Repair
from .segmenter import Segmenter
from .structure_dice import disagreement, structure_dice
from .task import LabelTask, TaskResult

__all__ = [
    "AppBundles",
    "Inpaint",
    "LabelTask",
    "Repair",
    "Segmenter",
    "Synthesize",
    "TaskResult",
    "Vary",
    "disagreement",
    "find_app_bundles",
    "structure_dice",
]
