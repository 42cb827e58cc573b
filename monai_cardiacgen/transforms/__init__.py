"""MONAI transforms; each in an array, a dictionary and a batch form."""

from .extract_vessel_patches import ExtractVesselPatches, ExtractVesselPatchesd
from .rand_cardiac_synth import RandCardiacSynth, RandCardiacSynthd
from .repair_anatomy import RepairAnatomy, RepairAnatomyd

__all__ = [
    "ExtractVesselPatches",
    "ExtractVesselPatchesd",
    "RandCardiacSynth",
    "RandCardiacSynthd",
    "RepairAnatomy",
    "RepairAnatomyd",
]
