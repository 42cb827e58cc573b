"""Is a style more than brightness? What two styles change in one image, in four parts that add up."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import InputError
from ...inferers import CardiacSynthesizer
from ...seeding import seeded

#: Grey levels that a curve is made of: bins with as many pixels each.
LEVELS = 32


@dataclass(frozen=True)
class Difference:
    """The mean squared difference of two images, in four parts that add up to it.

    Attributes:
        brightness: of the means.
        contrast: of the standard deviations.
        curve: what a grey-level curve makes of one image towards the other beyond a straight line: gamma, saturation,
            the dynamic range of log compression.
        structure: what no curve explains: another texture, another place of what is bright.
    """

    brightness: float
    contrast: float
    curve: float
    structure: float

    @property
    def whole(self) -> float:
        """The mean squared difference."""
        return self.brightness + self.contrast + self.curve + self.structure


def difference_of(one: NDArray[np.floating], other: NDArray[np.floating]) -> Difference:
    r"""Return the parts of the mean squared difference of two images of one size.

    $$\overline{(x - y)^2} = (\bar x - \bar y)^2 + (\sigma_x - \sigma_y)^2 + 2 \sigma_x \sigma_y (\eta - \rho) +
    2 \sigma_x \sigma_y (1 - \eta)$$

    with the correlation $\rho$, and the correlation ratio $\eta$: the correlation after the best grey-level curve of
    one of the two images, whichever can be made more like the other.

    Example:
        >>> ramp = np.linspace(0, 1, 1000)
        >>> gain = difference_of(ramp, 0.5 * ramp + 0.1)
        >>> round(gain.brightness, 4), round(gain.contrast, 4), abs(round(gain.curve + gain.structure, 4))
        (0.0225, 0.0209, 0.0)

    Source:
        Brightness, contrast and structure are told apart as by Wang et al., IEEE TIP 2004,
        DOI 10.1109/TIP.2003.819861; the correlation ratio is Pearson's, less its bias (Kelley, PNAS 1935,
        DOI 10.1073/pnas.21.9.554).
    """
    x, y = (np.asarray(image, dtype=np.float64).ravel() for image in (one, other))
    both = float(x.std() * y.std())
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    explained = max(_explained(x, y), _explained(y, x), covariance)
    return Difference(
        brightness=float((x.mean() - y.mean()) ** 2),
        contrast=float((x.std() - y.std()) ** 2),
        curve=2 * (explained - covariance),
        structure=2 * max(both - explained, 0.0),  # rounding may leave it below 0
    )


@dataclass(frozen=True)
class StyleParts:
    """What changes in an image when its style does, and when only the noise does.

    Attributes:
        styles: mean over pairs of styles on one label map, with the same noise.
        noise: mean over pairs of noises on one label map, in the same style.
    """

    styles: Difference
    noise: Difference

    @property
    def beyond_grey_levels(self) -> float:
        """Share of what styles change that no grey-level curve explains, in [0, 1]."""
        return self.styles.structure / self.styles.whole if self.styles.whole else 0.0

    def table(self) -> str:
        """Return root mean squares, in the image's unit, and shares as lines of text."""
        names = [field.name for field in fields(Difference)]
        lines = [" " * 8 + f"{'whole':>9}" + "".join(f"{name:>18}" for name in names)]
        for name, part in (("styles", self.styles), ("noise", self.noise)):
            shares = [getattr(part, one) / part.whole if part.whole else 0.0 for one in names]
            cells = [
                f"{getattr(part, one) ** 0.5:.4f} ({share:4.0%})" for one, share in zip(names, shares, strict=True)
            ]
            lines.append(f"{name:8}{part.whole**0.5:9.4f}" + "".join(f"{cell:>18}" for cell in cells))
        return "\n".join(lines)


def measure_style_parts(
    synthesizer: CardiacSynthesizer, label: torch.Tensor, style: torch.Tensor, seed: int = 0
) -> StyleParts:
    """Paint every label map in every style, and part what the styles change from what the noise does.

    Args:
        synthesizer: what paints.
        label: label maps `(N, *spatial)`, codes of the synthesizer's scheme.
        style: at least two styles `(S, style_size)`, for example those of real images.
        seed: of the painter's noise.

    Raises:
        InputError: for fewer than two styles, or no label map.
    """
    if len(style) < 2 or not len(label):
        raise InputError(f"Expected a label map and two styles at least, got {len(label)} and {len(style)}.")
    of_styles, of_noise = [], []
    for number, one in enumerate(label):
        first, second = (_painted(synthesizer, one, style, seed + 2 * number + again) for again in (0, 1))
        of_styles += [difference_of(a, b) for a, b in itertools.combinations(first, 2)]
        of_noise += [difference_of(a, b) for a, b in zip(first, second, strict=True)]
    return StyleParts(_mean(of_styles), _mean(of_noise))


def _painted(
    synthesizer: CardiacSynthesizer, label: torch.Tensor, style: torch.Tensor, seed: int
) -> NDArray[np.float32]:
    """Return one label map in every style `(S, *spatial)`, all with the same noise."""
    every = label.expand(len(style), *label.shape)
    painted: NDArray[np.float32] = (
        synthesizer.synthesize(every, style, [seeded(seed) for _ in style])[:, 0].cpu().numpy()
    )
    return painted


def _explained(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the covariance of y with the best curve of x, stretched to x's deviation: `eta sigma_x sigma_y`."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, LEVELS + 1)[1:-1]))
    level = np.searchsorted(edges, x)
    count = np.bincount(level, minlength=len(edges) + 1)
    mean = np.bincount(level, weights=y, minlength=len(edges) + 1) / np.maximum(count, 1)
    between, whole = float(np.var(mean[level])), float(np.var(y))
    # Means of few pixels differ by chance too.
    chance = (whole - between) * (len(mean) - 1) / max(len(x) - len(mean), 1)
    return float(x.std() * np.sqrt(max(between - chance, 0.0)))


def _mean(parts: list[Difference]) -> Difference:
    return Difference(*(float(np.mean([getattr(part, field.name) for part in parts])) for field in fields(Difference)))


__all__ = ["Difference", "StyleParts", "difference_of", "measure_style_parts"]
