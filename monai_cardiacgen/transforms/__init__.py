"""MONAI transforms; each in an array, a dictionary and a batch form."""

from .align_label_distribution import AlignLabelDistribution, AlignLabelDistributiond
from .encode_heart_condition import EncodeHeartConditiond
from .extract_vessel_patches import ExtractVesselPatches, ExtractVesselPatchesd
from .inpaint_anatomy import InpaintAnatomy, InpaintAnatomyd
from .rand_cardiac_synth import RandCardiacSynth, RandCardiacSynthd
from .repair_anatomy import RepairAnatomy, RepairAnatomyd
from .translate_modality import TranslateModality, TranslateModalityd

__all__ = [
    "AlignLabelDistribution",
    "AlignLabelDistributiond",
    "EncodeHeartConditiond",
    "ExtractVesselPatches",
    "ExtractVesselPatchesd",
    "InpaintAnatomy",
    "InpaintAnatomyd",
    "RandCardiacSynth",
    "RandCardiacSynthd",
    "RepairAnatomy",
    "RepairAnatomyd",
    "TranslateModality",
    "TranslateModalityd",
]
