"""How near to the real aorta can any inpainting come on phantom patients? See docs/aorta_inpainting.md.

    python -m benchmarks.vessel_floor [--patients 100] [--seed 105]

The phantom draws the radii and the sway of the descending aorta whatever the rest of the patient is. Who knows all of
the patient but the aorta, and how the phantom draws, can say no more than what these draws have in the middle. How far
the aorta lies from there, on average over draws, is a bound for all that goes by the image alone, and not by where
somebody put the mask; a circle finder adds to it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from monai_cardiacgen.phantom.patient_folders import patient_generator
from monai_cardiacgen.phantom.thorax import DESCENDING, SWAY
from monai_cardiacgen.phantom.volume_grid import VolumeGrid, axial_grid
from monai_cardiacgen.phantom.whole_heart_patient import WholeHeartPatient
from monai_cardiacgen.phantom.write_mmwhs import whole_heart_phantom

#: Slices of a volume between two that the study may draw.
_EVERY = 4
#: The third stream of a patient's randomness: neither the body's nor a scan's.
_STREAM = 3


def other_aortas(patient: WholeHeartPatient, grid: VolumeGrid, draws: int, generator: torch.Generator) -> torch.Tensor:
    """Return where other aortas would cross every slice that the study may draw, `(draws, slices, 3)` in mm.

    The last axis holds x, y and the radius; slices without the aorta have NaN.
    """
    shares = torch.rand(draws, 4, generator=generator)
    low, high = (torch.tensor([pair[end] for pair in (*DESCENDING, *SWAY)]) for end in (0, 1))
    crossings = []
    for top, end, left, back in (low + shares * (high - low)).tolist():
        thorax = replace(patient.thorax, descending=(top, end), sway=(left, back))
        crossings.append(WholeHeartPatient(patient.heart, thorax).descending_aorta_in_slices(grid)[::_EVERY])
    return torch.stack(crossings) * torch.tensor([grid.spacing[0], grid.spacing[1], 1.0])


def least_errors(aortas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far aortas `(draws, slices, 3)` lie from the best guess in position and in perimeter, mm a slice.

    The best guess of the position is taken to be the mean, which is nearly the point of least mean distance; that of
    the radius is the median.
    """
    position = (aortas[..., :2] - aortas[..., :2].mean(dim=0)).norm(dim=-1).mean(dim=0)
    radius = (aortas[..., 2] - aortas[..., 2].median(dim=0).values).abs().mean(dim=0)
    return position, 2 * math.pi * radius


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--seed", type=int, default=105, help="of the phantoms")
    parser.add_argument("--draws", type=int, default=200, help="of each patient's aorta")
    given = parser.parse_args(arguments)
    grid = axial_grid((128, 128, 96), (2.0, 2.0, 2.0), (-10.0, -5.0, -4.0))
    errors = []
    for number in range(1, given.patients + 1):
        _, patient = whole_heart_phantom(given.seed, number)
        aortas = other_aortas(patient, grid, given.draws, patient_generator(given.seed, number, _STREAM))
        position, perimeter = (slices.nanmean() for slices in least_errors(aortas))
        errors.append(torch.stack([position, perimeter]))
    mean, spread = torch.stack(errors).mean(dim=0), torch.stack(errors).std(dim=0, correction=0)
    print(f"position at least {mean[0]:.2f} mm off, perimeter {mean[1]:.2f} mm, on average over slices and draws of")
    print(f"{given.patients} patients (standard deviations over them {spread[0]:.2f} and {spread[1]:.2f} mm)")


if __name__ == "__main__":
    main()
