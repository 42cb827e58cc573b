"""CT angiography of a whole-heart phantom: Hounsfield units, partial volume, noise and streaks of reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..anatomy.schemes import (
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from .outline import draw_texture
from .solids import beyond
from .tomography import Float32, ParallelBeam
from .whole_heart_patient import Painting

#: Attenuation of water in 1/mm at the effective energy of a 120 kV beam (about 70 keV; NIST, DOI 10.18434/T4D01F).
_WATER = 0.0193

#: Hounsfield units without contrast agent.
_TISSUES: dict[str, float | Tensor] = {
    "air": -1000.0,
    "skin": 20.0,
    "fat": -100.0,
    "muscle": 60.0,
    "lung": -860.0,
    "lung vessel": 180.0,
    "bone": 650.0,
    "marrow": 190.0,
    "cartilage": 110.0,
    "disc": 80.0,
    "canal": 15.0,
    "cord": 35.0,
    "liver": 75.0,
    "spleen": 110.0,
    "stomach": 35.0,
    "oesophagus": 40.0,
    "wall": 70.0,
    "papillary muscle": 100.0,
}


@dataclass(frozen=True)
class CTScan:
    """What differs from one contrast injection and scan to the next; attenuation in HU.

    Attributes:
        left: of the left heart's and the aorta's blood.
        pulmonary, right: of the pulmonary artery's and the right ventricle's blood.
        superior, inferior: of the blood in the venae cavae.
        myocardium: of the left wall.
        noise: standard deviation in the heart.
        sharpness: of the reconstruction filter, in shares of Nyquist.
        hardening: strength of the streaks between dense parts, a unit of squared line integral.
        circle: whether only the inscribed circle was reconstructed.
    """

    left: float
    pulmonary: float
    right: float
    superior: float
    inferior: float
    myocardium: float
    noise: float
    sharpness: float
    hardening: float
    circle: bool


def draw_ct_scan(generator: torch.Generator) -> CTScan:
    """Draw a contrast injection and a scan."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    left = uniform(330, 470)
    return CTScan(
        left=left,
        pulmonary=left * uniform(0.55, 1.0),
        right=left * uniform(0.40, 0.80),
        superior=uniform(250, 750),
        inferior=uniform(70, 140),
        myocardium=uniform(88, 122),
        noise=uniform(18, 38),
        sharpness=uniform(0.75, 1.0),
        hardening=uniform(0.03, 0.10),
        circle=uniform(0, 1) < 0.35,
    )


def ct_image(painting: Painting, scan: CTScan, generator: torch.Generator) -> Tensor:
    """Return HU `(X, Y, Z)`, float32 whole numbers in [-1024, 3071].

    Noise is drawn on the line integrals by the photons that are left, and reconstructed: its texture and its
    streaks are filtered back projection's own. Beam hardening takes from the line integrals through dense parts
    a share that grows with their square, which darkens the bands between two of them.

    Args:
        painting: the patient's solids on a grid.
        scan: contrast and scanner.
        generator: a CPU generator; textures and noise come from it.

    Source:
        Barrett and Keat, artifacts in CT, DOI 10.1148/rg.246045065.
    """
    image: Float32 = painting.image(_attenuation(painting, scan, generator)).numpy()
    image = image + _reconstruction_error(image, scan, painting.grid.spacing, generator)
    if scan.circle:
        x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in image.shape[:2])
        image[np.hypot(x[:, None], y[None, :]) > 1] = -1024
    return torch.from_numpy(np.clip(np.rint(image), -1024, 3071).astype(np.float32))


def _attenuation(painting: Painting, scan: CTScan, generator: torch.Generator) -> dict[str, float | Tensor]:
    """Return HU by tissue; blood where contrast mixes, lung and marrow have a texture."""
    patient, grid, points = painting.patient, painting.grid, painting.points
    cells = [10 / edge for edge in grid.spacing]
    x, y, z = (max(one, 1.0) for one in cells)
    coarse = draw_texture(generator, grid.size, (2.2 * x, 2.2 * y, 2.2 * z))
    fine = draw_texture(generator, grid.size, (0.5 * x, 0.5 * y, 0.5 * z))
    # Contrast enters the right atrium from above, blood without it from below; the ventricle mixes them.
    centre = patient.heart.ra_centre
    height = (points[2] - float(centre[2])) / patient.heart.ra_axes[2]
    entering = torch.sigmoid(2.2 * height + 0.9 * coarse)
    venous = scan.inferior + (0.55 * scan.superior + 0.45 * scan.right - scan.inferior) * entering
    valve, normal = patient.heart.tricuspid_valve
    away = torch.sigmoid(-beyond(points, valve, normal) / 12 + 0.4 * coarse)
    lateral = torch.sigmoid(-(points[0] + 45) / 12)  # the free wall, which beam hardening and fat make darker
    return _TISSUES | {
        "lung": -860 + 28 * fine + 25 * coarse,
        "marrow": 190 + 45 * fine,
        "liver": 75 + 4 * coarse,
        "papillary muscle": scan.myocardium,
        "vein": 1.01 * scan.left,
        "pulmonary branch": scan.pulmonary,
        "superior vena cava": scan.superior * (1 + 0.12 * fine),
        "inferior vena cava": scan.inferior * (1 + 0.1 * coarse),
        "descending aorta": 0.96 * scan.left,
        LV_CAVITY: _trabeculae(painting, scan, fine),
        LEFT_ATRIUM: 1.02 * scan.left + 6 * coarse,
        RIGHT_ATRIUM: venous,
        RV_CAVITY: (venous + (scan.right - venous) * away) * (1 + 0.05 * coarse + 0.03 * fine),
        MYOCARDIUM: scan.myocardium - 14 * lateral + 4 * coarse,
        ASCENDING_AORTA: scan.left,
        PULMONARY_ARTERY: scan.pulmonary + 8 * coarse,
    }


def _trabeculae(painting: Painting, scan: CTScan, fine: Tensor) -> Tensor:
    """Return the left cavity's HU: muscle strands reach in from the wall, more of them near the apex."""
    heart = painting.patient.heart
    depth = -painting.surface(LV_CAVITY)
    along = beyond(painting.points, heart.base, heart.axes[2]) / heart.length
    reach = 2.0 + 5.0 * along.clamp(0, 1)
    strands = ((fine - 0.2).clamp(0, 1.2) * (1 - depth / reach).clamp(0, 1) * (along > 0.1)).clamp(0, 0.8)
    return scan.left + strands * (scan.myocardium - scan.left)


def _reconstruction_error(
    image: Float32, scan: CTScan, spacing: tuple[float, float, float], generator: torch.Generator
) -> Float32:
    """Return what photon noise and beam hardening add, in HU `(X, Y, Z)`."""
    beam = ParallelBeam(
        (image.shape[0], image.shape[1]), spacing[:2], views=max(96, round(1.25 * max(image.shape[:2])))
    )
    through = beam.project(np.maximum(image / np.float32(1000) + 1, 0) * np.float32(_WATER))
    dense = beam.project(np.maximum(image - 130, 0) * np.float32(_WATER / 1000))
    white = torch.randn(through.shape, generator=generator).numpy()
    photons = np.exp(0.5 * np.minimum(through, 9.0))  # the relative standard deviation of -log(counts)
    noise = ndimage.gaussian_filter1d(white * photons, 0.8 / spacing[2], axis=2) if spacing[2] < 2 else white * photons
    added = beam.reconstruct(np.concatenate((noise, dense**2), axis=2), scan.sharpness)
    noise, streaks = added[..., : image.shape[2]], added[..., image.shape[2] :]
    middle = tuple(slice(side // 4, -(side // 4)) for side in image.shape)
    noise = noise * (scan.noise / float(noise[middle].std()))
    error: Float32 = (noise - streaks * (1000 / _WATER * scan.hardening)).astype(np.float32)
    return error
