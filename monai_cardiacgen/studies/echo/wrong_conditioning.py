"""Label maps that cannot be: the gate refuses them, and a figure shows what a painter makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...anatomy.check import AnatomyCheck
from ...anatomy.label_moments import check_is_heart
from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import LEFT_ATRIUM, LV_CAVITY, MYOCARDIUM
from ...errors import InputError, LabelError, ShapeError
from ...inferers import CardiacSynthesizer
from ...seeding import seeded

#: Difference in brightness of two classes below which an image cannot tell which of them was painted.
_TOO_ALIKE = 0.05


@dataclass(frozen=True)
class WrongPainting:
    """What a painter made of a label map that cannot be.

    Attributes:
        label: `(H, W)`, the impossible map, codes of the synthesizer's scheme.
        image: `(H, W)` in [0, 1], painted on it.
        reasons: what the gate says against it, a sentence for each broken criterion.
        obedience: how far its changed pixels follow the change: 1 where each class is as bright as elsewhere in the
            image of the possible map, 0 where the image stays that of the possible map; NaN where the brightness of
            the classes differs too little to tell (root mean square below 0.05).
    """

    label: torch.Tensor
    image: torch.Tensor
    reasons: tuple[str, ...]
    obedience: float


def check_label_maps(synthesizer: CardiacSynthesizer, label: torch.Tensor) -> None:
    """Ask a synthesizer's gate whether label maps show hearts that can be, as drawn hearts are asked.

    Args:
        synthesizer: with an anatomy check.
        label: `(B, H, W)`, codes of its scheme.

    Raises:
        LabelError: for the first map that breaks a criterion; it names all that this map breaks.
        InputError: when the synthesizer has no anatomy check.
    """
    for row, reasons in enumerate(_reasons(synthesizer, label)):
        if reasons:
            raise LabelError(
                f"Expected label maps of possible hearts, but map {row} breaks {len(reasons)} criteria: "
                f"{'; '.join(reasons)}. Repair it with RepairAnatomy, or leave it out."
            )


def impossible_maps(label: torch.Tensor, scheme: LabelScheme) -> dict[str, torch.Tensor]:
    """Return apical label maps that cannot be, each with one fault put into a map that can.

    Args:
        label: `(H, W)`, a possible heart without the sector, codes of `scheme`; axis 1 is the depth, as in CAMUS.
        scheme: with left cavity, myocardium and left atrium.

    Returns:
        By fault: `"hole in the wall"`, `"cavity in the atrium"`, `"atrium in the cavity"` and `"no wall"`.

    Raises:
        ShapeError: unless there is one map `(H, W)`.
        LabelError: when a structure is missing, or the scheme has the sector.
    """
    if label.ndim != 2:
        raise ShapeError(f"Expected one label map (H, W), got {tuple(label.shape)}; pass label[0].")
    check_is_heart(scheme)
    codes = {name: scheme.code(name) for name in (LV_CAVITY, MYOCARDIUM, LEFT_ATRIUM)}
    for name, code in codes.items():
        if not bool((label == code).any()):
            raise LabelError(f"Expected a heart with a {name}, got a map without; pass another one.")
    cavity, wall, atrium = (label == codes[name] for name in (LV_CAVITY, MYOCARDIUM, LEFT_ATRIUM))
    radius = math.sqrt(float(cavity.sum()))
    middle = _centre(cavity)
    # The wall at the depth of the cavity's middle, on the side where there is more of it.
    beside = (torch.nonzero(wall).to(torch.float32) - middle).abs()
    at_depth = torch.nonzero(wall)[beside[:, 1] <= beside[:, 1].min() + 1]
    right = at_depth[:, 0] > middle[0]
    side = at_depth[right if int(right.sum()) * 2 > len(right) else ~right].to(torch.float32).mean(dim=0)
    roof = torch.nonzero(atrium).to(torch.float32)
    far = roof[(roof - middle).square().sum(dim=1).argmax()]  # the atrium's pixel that is furthest from the cavity
    return {
        "hole in the wall": label.masked_fill(wall & _disc(label, side, 0.35 * radius), 0),
        "cavity in the atrium": label.masked_fill(atrium & _disc(label, far, 0.15 * radius), codes[LV_CAVITY]),
        "atrium in the cavity": label.masked_fill(cavity & _disc(label, middle, 0.2 * radius), codes[LEFT_ATRIUM]),
        "no wall": label.masked_fill(wall, 0),
    }


def paint_wrong_maps(
    synthesizer: CardiacSynthesizer,
    label: torch.Tensor,
    wrong: Mapping[str, torch.Tensor],
    style: torch.Tensor | None = None,
    condition: torch.Tensor | None = None,
    seed: int = 0,
) -> tuple[torch.Tensor, dict[str, WrongPainting]]:
    """Paint a possible map and impossible ones made of it, all in one style and with one noise.

    Args:
        synthesizer: with an anatomy check.
        label: `(H, W)`, the possible map, codes of the synthesizer's scheme: with the sector where it has one.
        wrong: by fault, `(H, W)`, codes of the sampler's scheme, as `impossible_maps` gives them; in a scheme with the
            sector, what a fault leaves free becomes sector.
        style: `(1, style_size)`; None for the mean training style.
        condition: `(1, K)` of a conditional painter; None for the likeliest of the possible map.
        seed: of the noise.

    Returns:
        The image `(H, W)` of the possible map, and what became of the others.

    Raises:
        InputError: when the synthesizer has no anatomy check.
        LabelError: for unknown codes.
    """
    maps = {"": label, **{fault: _with_background_of(synthesizer, one, label) for fault, one in wrong.items()}}
    style = synthesizer.styles.mean(dim=0, keepdim=True) if style is None else style
    if condition is None and synthesizer.generator.condition_size:
        condition = synthesizer.sampler.likeliest_condition(synthesizer.hearts_in(label[None]))
    images = {
        fault: synthesizer.synthesize(one[None], style, seeded(seed), condition)[0, 0].cpu()
        for fault, one in maps.items()
    }
    reasons = _reasons(synthesizer, torch.stack(list(maps.values())))
    return images[""], {
        fault: WrongPainting(one, images[fault], said, _obedience(label, images[""], one, images[fault]))
        for (fault, one), said in zip(maps.items(), reasons, strict=True)
        if fault
    }


def wrong_conditioning_figure(
    synthesizer: CardiacSynthesizer, label: torch.Tensor, image: torch.Tensor, wrong: Mapping[str, WrongPainting]
) -> Figure:
    """Return a figure: the possible map and each impossible one above what was painted on it, and the gate's verdict.

    Args:
        synthesizer: that painted.
        label: `(H, W)`, the possible map.
        image: `(H, W)`, painted on it.
        wrong: of `paint_wrong_maps`.
    """
    columns = 1 + len(wrong)
    figure = Figure(figsize=(2.5 * columns, 6.0), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, columns, squeeze=False)
    verdict = "refused" if _reasons(synthesizer, label[None])[0] else "the gate lets it pass"
    _show(axes[0, 0], axes[1, 0], synthesizer.scheme, label, image, f"possible heart\n{verdict}", "")
    for column, (fault, one) in enumerate(wrong.items(), start=1):
        verdict = f"refused: {len(one.reasons)} criteria" if one.reasons else "the gate lets it pass"
        alike = math.isnan(one.obedience)
        below = "classes too alike to tell" if alike else f"follows the map by {one.obedience:.2f}"
        _show(axes[0, column], axes[1, column], synthesizer.scheme, one.label, one.image, f"{fault}\n{verdict}", below)
    return figure


def _reasons(synthesizer: CardiacSynthesizer, label: torch.Tensor) -> list[tuple[str, ...]]:
    check: AnatomyCheck | None = synthesizer.sampler.check
    if check is None:
        raise InputError("Expected a synthesizer with an anatomy check, got one without; fit its sampler with a check.")
    report = check(synthesizer.hearts_in(label), synthesizer.spacing)
    return [report.reasons(row) for row in range(len(label))]


def _with_background_of(synthesizer: CardiacSynthesizer, heart: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Return a heart with the sector of the possible map round it and in what its fault leaves free."""
    if synthesizer.sectors is None:
        return heart
    swept = (label > 0).to(torch.float32)[None, None]  # not constant: the sector's shape as an image of itself
    return synthesizer.sectors.moved(label[None], heart[None], swept)[0]


def _obedience(label: torch.Tensor, image: torch.Tensor, wrong: torch.Tensor, painted: torch.Tensor) -> float:
    """Return the slope of the change that was painted over the change of the classes' brightness."""
    changed = (label != wrong).cpu()
    bright = torch.zeros_like(image)
    asked = torch.zeros_like(image)
    for code in label.unique().tolist():
        mean = image[(label == code).cpu()].mean()
        bright[(label == code).cpu()] = mean
        asked[(wrong == code).cpu()] = mean
    wanted = (asked - bright)[changed]
    if not len(wanted) or float(wanted.square().mean()) < _TOO_ALIKE**2:
        return math.nan
    return float(((painted - image)[changed] * wanted).sum() / wanted.square().sum())


def _centre(mask: torch.Tensor) -> torch.Tensor:
    return torch.nonzero(mask).to(torch.float32).mean(dim=0)


def _disc(label: torch.Tensor, centre: torch.Tensor, radius: float) -> torch.Tensor:
    axes = torch.meshgrid(*(torch.arange(side, device=label.device) for side in label.shape), indexing="ij")
    away = torch.stack(axes, dim=-1) - centre.to(label.device)
    return away.square().sum(dim=-1) <= max(radius, 1.0) ** 2


def _show(
    above: Axes, below: Axes, scheme: LabelScheme, label: torch.Tensor, image: torch.Tensor, title: str, caption: str
) -> None:
    colours = torch.zeros(*label.shape, 3)
    for structure in scheme.structures:
        colours[(label == structure.code).cpu()] = torch.tensor(structure.colour)
    above.imshow(colours.transpose(0, 1).numpy(), interpolation="nearest")  # axis 1, the depth, runs downwards
    below.imshow(image.cpu().T.numpy(), cmap="gray", vmin=0, vmax=1)
    above.set_title(title, fontsize=9)
    below.set_xlabel(caption, fontsize=9)
    for axis in (above, below):
        axis.set_xticks([])
        axis.set_yticks([])


__all__ = [
    "WrongPainting",
    "check_label_maps",
    "impossible_maps",
    "paint_wrong_maps",
    "wrong_conditioning_figure",
]
