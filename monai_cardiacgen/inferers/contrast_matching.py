"""The contrast of generated images fitted to that of a real one, where both are known."""

from __future__ import annotations

import torch


def match_contrast(generated: torch.Tensor, image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    r"""Return images with the gain and the offset that bring them nearest to a real image.

    Scanners and sequences differ in contrast more than in anatomy. With $\mathrm{cov}_w$ and $\mathrm{var}_w$ over
    known pixels and channels, weighted by $w$, the least squares fit has a closed form,

    $$\min_{a \ge 0,\, b} \sum_{c,\, p} w_p\, (a\, G_{cp} + b - y_{cp})^2 : \qquad
      a = \max\!\left(0, \frac{\mathrm{cov}_w(G, y)}{\mathrm{var}_w(G)}\right), \quad b = \bar y - a\, \bar G$$

    It can be differentiated, and pixels of weight 0 are not looked at. A generated image without contrast becomes the
    real one's mean.

    Args:
        generated: `(B, C, *spatial)`.
        image: `(C, *spatial)`.
        weights: `(*spatial)`, 0 where pixels are hidden.

    Returns:
        `(B, C, *spatial)`; beyond the range of intensities where the fit leads there.

    Example:
        >>> image = torch.linspace(0, 1, 6).reshape(1, 6)
        >>> dull = (0.2 * image + 0.4)[None]
        >>> bool(torch.allclose(match_contrast(dull, image, torch.ones(6))[0], image, atol=1e-5))
        True
    """
    share = weights / (weights.sum() * len(image))
    axes = tuple(range(1, generated.ndim))
    centred = generated - (share * generated).sum(axes, keepdim=True)
    mean = (share * image).sum()
    covariance = (share * centred * (image - mean)).sum(axes, keepdim=True)
    variance = (share * centred.square()).sum(axes, keepdim=True)
    gain = (covariance / variance.clamp_min(1e-8)).clamp_min(0)
    return gain * centred + mean


__all__ = ["match_contrast"]
