"""Drawing hearts and painting them: what a bundle's networks do together."""

from __future__ import annotations

from .anatomy_repair import AnatomyRepair, RepairedLabels
from .box_mask import box_mask
from .cardiac_synthesizer import CardiacSynthesizer, SyntheticCases
from .conditional_inpainter import ConditionalInpainter
from .fast_painter import FastPainter
from .heart_attributes import HeartAttributes
from .hearts import Hearts
from .inpainted_image import InpaintedImage, Inpainter
from .latent_inpainter import LatentInpainter
from .latent_sampler import LatentSampler
from .patch_posterior import AcceptedPatches, PatchPosterior
from .patient_fit import fit_patient_sampler
from .patient_sampler import PatientSampler
from .phantom_synthesizer import PhantomSynthesizer
from .searched_image import SearchedImage
from .sector_proposal import SectorProposal
from .similarity_filter import SimilarityFilter
from .styleless_painter import StylelessPainter
from .synthetic_patient import ShortAxisStack, SyntheticCine, SyntheticPatient, SyntheticPatients
from .weight_fitting import fit_to_image

__all__ = [
    "AcceptedPatches",
    "AnatomyRepair",
    "CardiacSynthesizer",
    "ConditionalInpainter",
    "FastPainter",
    "HeartAttributes",
    "Hearts",
    "InpaintedImage",
    "Inpainter",
    "LatentInpainter",
    "LatentSampler",
    "PatchPosterior",
    "PatientSampler",
    "PhantomSynthesizer",
    "RepairedLabels",
    "SearchedImage",
    "SectorProposal",
    "ShortAxisStack",
    "SimilarityFilter",
    "StylelessPainter",
    "SyntheticCases",
    "SyntheticCine",
    "SyntheticPatient",
    "SyntheticPatients",
    "box_mask",
    "fit_patient_sampler",
    "fit_to_image",
]
