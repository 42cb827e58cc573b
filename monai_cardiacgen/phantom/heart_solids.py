"""A heart's chambers, walls and vessels as level sets on a grid, in the order in which they cover each other."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..anatomy.schemes import (
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MM_WHS,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from .solids import Solid, beyond, ellipsoid, union, vessel, vessels_surface
from .volume_grid import VolumeGrid
from .whole_heart import WholeHeart


def heart_solids(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> list[Solid]:
    """Return the heart in the order in which it is painted and labelled; later solids lie on top.

    Args:
        heart: the patient's heart.
        grid: where the voxels lie.
        points: the grid's `points()`.
    """
    local = torch.einsum("ac,cxyz->axyz", heart.axes, points - heart.base.view(3, 1, 1, 1))
    superior, inferior = (tube.surface(grid, points) for tube in heart.great_veins())
    right_atrium = _right_atrium(heart, grid, points)
    left_atrium = _left_atrium(heart, grid, points)
    right_ventricle, right_wall = _right_ventricle(heart, grid, points, local)
    trunk, trunk_wall = _trunk(heart, grid, points)
    cavity, outer = _left_ventricle(heart, grid, points, local)
    aorta, aortic_wall, valve = _aorta(heart, grid, points)
    labelled = torch.maximum(aorta, points[2] - float(heart.base[2]) - heart.aortic_label_top)
    mitral = torch.maximum(torch.maximum(_mitral(heart, local), local[2]), left_atrium)
    return [
        Solid("wall", right_atrium - 2.0),
        Solid("superior vena cava", superior),
        Solid("inferior vena cava", inferior),
        Solid(RIGHT_ATRIUM, right_atrium, MM_WHS.code(RIGHT_ATRIUM)),
        Solid("wall", left_atrium - 2.0),
        Solid("vein", vessels_surface(heart.pulmonary_veins(), grid, points)),
        Solid(LEFT_ATRIUM, left_atrium, MM_WHS.code(LEFT_ATRIUM)),
        Solid("wall", right_wall),
        Solid(RV_CAVITY, right_ventricle, MM_WHS.code(RV_CAVITY)),
        Solid("wall", trunk_wall),
        Solid("pulmonary branch", vessels_surface(heart.pulmonary_branches(), grid, points)),
        Solid(PULMONARY_ARTERY, trunk, MM_WHS.code(PULMONARY_ARTERY)),
        Solid(MYOCARDIUM, torch.maximum(outer, -mitral), MM_WHS.code(MYOCARDIUM)),
        Solid("wall", torch.maximum(aortic_wall, valve)),
        Solid(LV_CAVITY, cavity, MM_WHS.code(LV_CAVITY)),
        Solid(ASCENDING_AORTA, aorta),
        Solid(ASCENDING_AORTA, labelled, MM_WHS.code(ASCENDING_AORTA)),
    ]


def papillary_muscles(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> Tensor:
    """Return the level set in mm `(X, Y, Z)` of both papillary muscles, which belong to the cavity's label."""
    muscles = []
    for angle, reach in ((math.radians(105), 0.62), (math.radians(235), 0.60)):
        out = 0.72 * heart.radius
        high, low = (
            heart.place(share * out * math.cos(angle), share * out * math.sin(angle), w * heart.length)
            for share, w in ((0.86, 0.36), (0.92, reach))
        )
        muscles.append(vessel((high.tolist(), low.tolist()), (2.6, 4.6)))
    return vessels_surface(muscles, grid, points)


def _left_ventricle(heart: WholeHeart, grid: VolumeGrid, points: Tensor, local: Tensor) -> tuple[Tensor, Tensor]:
    """Return the level sets of the cavity and of the epicardium, outflow tract included."""
    s, t, w = local
    valve, normal = heart.aortic_valve
    past_valve = beyond(points, valve, normal)
    tract = vessel(
        (heart.place(0.30 * heart.radius, 0.2 * heart.radius, 14).tolist(), (valve + 3 * normal).tolist()),
        (11.0, 0.8 * heart.aorta),
    )
    widest = 0.22 * heart.length
    apical = w > widest
    down = torch.where(apical, heart.length - widest, 3.2 * widest)
    cavity = ellipsoid(local, (0, 0, widest), (heart.radius, heart.radius, down)) + 1.0 * heart.ripples[0](points)
    septal = heart.septal_thickening * torch.exp(-((torch.atan2(t, s) / 1.1) ** 2))
    thin = 1 - 0.25 * ((w / heart.length).clamp(0, 1)) ** 2
    outer_down = torch.where(apical, heart.length + heart.apical_wall - widest, 3.2 * widest + heart.wall)
    # The epicardium is the cavity's surface moved out by the wall, the apex drawn together.
    radius = heart.radius + heart.wall * thin * (1 + septal)
    outer = ellipsoid(local, (0, 0, widest), (radius, radius, outer_down)) + 0.8 * heart.ripples[1](points)
    outer = torch.minimum(outer, cavity + 0.55 * heart.wall * (1 - (w / heart.length).clamp(0, 1) ** 4))
    # The tract ends at the valve; the cavity itself may reach past the valve's plane, beside the aorta.
    tube = tract.surface(grid, points)
    cavity = union((torch.maximum(cavity, -w), torch.maximum(tube, past_valve)), 4.0)
    outer = union((torch.maximum(outer, -w - 4.0), torch.maximum(tube - 4.5, past_valve)), 5.0)
    return cavity, torch.minimum(outer, torch.maximum(cavity - 4.0, past_valve))


def _mitral(heart: WholeHeart, local: Tensor) -> Tensor:
    """Return the level set of the cylinder through which left atrium and ventricle meet."""
    s, t, _ = local
    return torch.hypot(s + 0.25 * heart.radius, t + 0.22 * heart.radius) - 0.64 * heart.radius


def _left_atrium(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> Tensor:
    centre = heart.la_centre
    body = ellipsoid(points, centre.tolist(), heart.la_axes) + 1.2 * heart.ripples[2](points)
    appendage = vessel(
        [
            (centre + torch.tensor(at)).tolist()
            for at in (
                (-0.5 * heart.la_axes[0], 4.0, 6.0),
                (-heart.la_axes[0] - 4, 16.0, 14.0),
                (-heart.la_axes[0] - 9, 32.0, 12.0),
            )
        ],
        (11.0, 9.0, 6.0),
    )
    mitral = heart.place(-0.25 * heart.radius, -0.22 * heart.radius, 3.0)
    funnel = vessel((centre.tolist(), mitral.tolist()), (0.7 * heart.radius, 0.64 * heart.radius))
    stumps = [vein.until(0.62) for vein in heart.pulmonary_veins()]
    return union((body, vessels_surface((appendage, funnel, *stumps), grid, points)), 5.0)


def _right_atrium(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> Tensor:
    body = ellipsoid(points, heart.ra_centre.tolist(), heart.ra_axes) + 1.2 * heart.ripples[3](points)
    valve, normal = heart.tricuspid_valve
    funnel = vessel((heart.ra_centre.tolist(), (valve - 6 * normal).tolist()), (20.0, 17.0))
    # Three mm past the valve's plane, where the ventricle covers it: so that no gap opens between both.
    return torch.maximum(union((body, funnel.surface(grid, points)), 5.0), -beyond(points, valve, normal) - 3.0)


def _right_ventricle(heart: WholeHeart, grid: VolumeGrid, points: Tensor, local: Tensor) -> tuple[Tensor, Tensor]:
    """Return the level sets of the cavity and of its thin free wall; the left ventricle covers its inner part."""
    outer = heart.radius + heart.wall
    middle, widest = 0.55 * outer, 0.16 * heart.length
    across = outer + heart.rv_width - middle
    along = torch.where(local[2] > widest, 0.78 * heart.length, 0.60 * heart.length)
    body = ellipsoid(local, (middle, -4.0, widest), (across, 0.98 * outer + 4, along)) + 1.2 * heart.ripples[4](points)
    valve, normal = heart.pulmonary_valve
    inside = heart.place(middle + 0.45 * across, 0.55 * outer, 0.22 * heart.length)
    conus = vessel((inside.tolist(), (valve + 4 * normal).tolist()), (16.0, heart.pulmonary))
    tricuspid, into_atrium = heart.tricuspid_valve
    both = union((body, conus.surface(grid, points)), 10.0)
    both = torch.maximum(both, 0.3 * outer - local[0])  # it does not reach round the septum to the mitral valve
    ends = torch.maximum(beyond(points, tricuspid, into_atrium), beyond(points, valve, normal))
    return torch.maximum(both, ends), torch.maximum(both - 3.0, ends)


def _trunk(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the level sets of the pulmonary artery as labelled and of its wall."""
    valve, normal = heart.pulmonary_valve
    stumps = [branch.until(0.3) for branch in heart.pulmonary_branches()]
    lumen = vessels_surface((heart.pulmonary_trunk(), *stumps), grid, points)
    before = -beyond(points, valve, normal)
    return torch.maximum(lumen, before), torch.maximum(lumen - 1.5, before)


def _aorta(heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the level sets of the lumen, of its wall, and of what lies before the valve."""
    valve, normal = heart.aortic_valve
    before = -beyond(points, valve, normal)
    tube = heart.ascending_aorta().surface(grid, points)
    return torch.maximum(tube, before), tube - 1.5, before
