"""Draw patients for the apical views: sizes and ejection fractions as echocardiography finds them."""

from __future__ import annotations

import math

import torch

from .apical_heart import ApicalHeart, ChamberForm, PlaneForm

#: Share of patients and range of the ejection fraction: below 45 %, between, and normal. The shares are about those
#: of CAMUS, where half of the patients lie below 45 % (DOI 10.1109/TMI.2019.2900516); the normal range is that of
#: Lang et al., DOI 10.1016/j.echo.2014.10.003.
_EJECTION = ((0.49, 0.20, 0.45), (0.32, 0.45, 0.55), (0.19, 0.55, 0.72))
#: Normal end-diastolic volume in mL by biplane Simpson, mean and SD (same source).
_VOLUME = {"F": (76.0, 15.0), "M": (106.0, 22.0)}


def draw_apical_heart(generator: torch.Generator) -> ApicalHeart:
    """Draw a patient's heart in both apical views.

    A failing ventricle is larger: its end-diastolic volume grows with the loss of ejection fraction.

    Args:
        generator: a CPU generator.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    def normal(mean: float, deviation: float) -> float:
        return mean + deviation * float(torch.randn((), generator=generator).clamp(-2, 2))

    def chamber(widest: float, fullness: float, lean: float, bend: float, size: float) -> ChamberForm:
        waves = torch.randn(2, 3, generator=generator).clamp(-2, 2) * size / torch.tensor([1.0, 1.5, 2.5])
        return ChamberForm(widest, fullness, lean, bend, waves)

    def plane(view: str, breadth: float) -> PlaneForm:
        return PlaneForm(
            view=view,
            ventricle=chamber(
                uniform(0.32, 0.46), uniform(2.1, 2.9), normal(-0.05, 0.08), normal(0.0, 0.06), size=0.05
            ),
            atrium=chamber(uniform(0.35, 0.55), uniform(2.2, 3.2), normal(0.06, 0.15), 0.0, size=0.05),
            breadth=breadth,
            mitral_tilt=normal(-0.03, 0.09),
            wall_left=uniform(0.9, 1.12),
            wall_right=uniform(0.85, 1.1),
            wall_apex=uniform(0.8, 1.15),
            atrium_bulge=uniform(1.0, 1.35),
            right_width=uniform(0.8, 1.15),
            right_length=uniform(0.72, 0.92),
            right_form=chamber(0.2, 1.6, uniform(0.12, 0.24), uniform(-0.1, 0.1), size=0.03),
        )

    sex = "F" if uniform(0, 1) < 0.35 else "M"
    kind, ejection = uniform(0, 1), 0.0
    for share, low, high in _EJECTION:
        ejection = uniform(low, high)
        if kind < share:
            break
        kind -= share
    mean, deviation = _VOLUME[sex]
    volume = max(50.0, normal(mean, deviation)) * (1 + 2.0 * max(0.0, 0.52 - ejection)) * uniform(0.9, 1.2)
    length = 82 * (volume / 110) ** (1 / 3) * normal(1.0, 0.05)
    breadth = math.exp(normal(0.0, 0.04))
    return ApicalHeart(
        sex=sex,
        volume=volume,
        ejection_fraction=ejection,
        length=length,
        shortening=ejection * uniform(0.2, 0.3),
        ring=uniform(0.68, 0.82),
        wall=uniform(12.0, 18.5),
        thickening=ejection * uniform(0.15, 0.4),
        atrium_length=uniform(34, 52),
        atrium_filling=uniform(0.05, 0.25),
        tenting=uniform(2.0, 7.0),
        planes=(plane("2CH", 1 / breadth), plane("4CH", breadth)),
    )
