"""Readers of public datasets, splits by patient, and what reaches the networks."""

from .acdc import read_acdc
from .axial_slices import AxialSlices, axial_preprocessing
from .camus import read_camus
from .crop_about import CropAboutd
from .datalist import read_decathlon, read_folder
from .echo_frames import EchoFrames
from .heart_centre import centred_by_motion, centred_by_offset, heart_offset
from .heart_slices import HeartSlices
from .image_files import find_images
from .image_quality import ImageQuality, measure_image_quality, select_by_grade
from .memorisation_record import MemorisationRecord, read_memorisation, write_memorisation
from .mmwhs import correct_mmwhs_codes, read_mmwhs
from .nnunet_export import export_nnunet
from .preprocessing import (
    Preprocessing,
    apical_preprocessing,
    short_axis_preprocessing,
    whole_heart_ct_preprocessing,
    whole_heart_mr_preprocessing,
)
from .round_sampler import RoundSampler
from .same_scans import without_same_scans
from .seed_dataset import SeedDataset
from .set_description import CaseRecord, SetDescription
from .short_axis_slices import ShortAxisSlices
from .slices import ShortAxisGrid, load_slices, slices_of
from .split import Split, folds_by_patient, read_split, split_by_patient, write_split
from .sunnybrook import load_sunnybrook, read_sunnybrook
from .sunnybrook_slices import SunnybrookSlices
from .synthetic_hdf5 import SyntheticHDF5
from .synthetic_hdf5_writer import SyntheticHDF5Writer
from .synthetic_set import SyntheticSet
from .synthetic_set_writer import SyntheticSetWriter
from .ultrasound_sector import ultrasound_sector, with_sector
from .vessel_tracking import VesselCircle, VesselTracker

__all__ = [
    "AxialSlices",
    "CaseRecord",
    "CropAboutd",
    "EchoFrames",
    "HeartSlices",
    "ImageQuality",
    "MemorisationRecord",
    "Preprocessing",
    "RoundSampler",
    "SeedDataset",
    "SetDescription",
    "ShortAxisGrid",
    "ShortAxisSlices",
    "Split",
    "SunnybrookSlices",
    "SyntheticHDF5",
    "SyntheticHDF5Writer",
    "SyntheticSet",
    "SyntheticSetWriter",
    "VesselCircle",
    "VesselTracker",
    "apical_preprocessing",
    "axial_preprocessing",
    "centred_by_motion",
    "centred_by_offset",
    "correct_mmwhs_codes",
    "export_nnunet",
    "find_images",
    "folds_by_patient",
    "heart_offset",
    "load_slices",
    "load_sunnybrook",
    "measure_image_quality",
    "read_acdc",
    "read_camus",
    "read_decathlon",
    "read_folder",
    "read_memorisation",
    "read_mmwhs",
    "read_split",
    "read_sunnybrook",
    "select_by_grade",
    "short_axis_preprocessing",
    "slices_of",
    "split_by_patient",
    "ultrasound_sector",
    "whole_heart_ct_preprocessing",
    "whole_heart_mr_preprocessing",
    "with_sector",
    "without_same_scans",
    "write_memorisation",
    "write_split",
]
