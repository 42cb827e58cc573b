"""What a patient's hidden anatomy would look like, by search in the latent space of a GAN, and what differs from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from scipy.ndimage import distance_transform_edt
from torch import nn

from ..errors import InputError
from ..seeding import randn_rows, row_generators
from ..types import Generators
from .contrast_matching import match_contrast
from .latent_descent import descend
from .masked_image import masked_image
from .seamless_blend import seamless_blend
from .searched_image import SearchedImage

#: Weight of a known pixel far from the mask, where those beside it have 1 more.
_FAR = 0.1


class LatentInpainter:
    r"""Inpaints by gradient descent on the latent of a GAN, from several starts at once.

    The mask is True where pixels are hidden and shall be made anew; the paper's $M$ is its complement $K$, the known
    pixels. Each start is the latent of lowest contextual loss in a batch of candidates $z \sim N(0, 1)$; from there
    Adam minimises

    $$L(z) = \frac{1}{C |K|} \sum_{c,\, p \in K} |G(z)_{cp} - y_{cp}| - \lambda D(G(z))
             + \frac{\mu}{2 Z} \lVert z \rVert_2^2$$

    the *mean* absolute difference over known pixels and channels, in units of intensity whatever the mask's size; the
    critic's score; and the normal prior of the latent with its `Z` elements. A latent is not clipped: a normal prior
    has no bounds, and latents beyond ±1 are a third of it.

    With `near`, a known pixel at the distance $d$ from the mask counts by $e^{-d / near} + 0.1$, and the mean is
    weighted: what lies beside the hidden region tells more of it than what lies far off.

    With `contrast`, $a\, G(z) + b$ takes the place of $G(z)$ in the first term and in the result: the gain and offset
    that fit the known pixels best, in closed form (`match_contrast`), so that a latent need not draw a scanner's.

    Masked pixels are not looked at, so an anomaly that the mask covers does not draw the healthy version to itself.
    The anomaly map's z-score tells how many standard deviations the real pixel lies from the healthy version. The
    starts tell how much the hidden part may vary; their spread has a floor, the error of the generator on what it
    could see (`misfit`), and below that `floor`: no pixel is called abnormal for less than what the generator cannot
    draw anyway.

    Both networks are used as they are in evaluation mode, and left in the mode in which they came; their weights
    receive no gradients. One start's result depends on its own draws, not on the other starts, but for rounding.

    Args:
        generator: maps latents `(B, Z)` to images `(B, C, *spatial)`, in evaluation mode row by row.
        critic: maps images to scores `(B,)`, the greater the more real.
        latent_size: `Z`.
        starts: how many descents.
        candidates: latents from which each start is chosen.
        perceptual_weight: λ; the scores have no unit, so one that makes the second term a tenth of the first.
        prior_weight: μ, in units of intensity; 0 for the paper's loss.
        steps: of the descent, at most.
        learning_rate: of Adam, halved for each start that no longer improves.
        window: steps over which the improvement is judged; see `descend`.
        tolerance: relative improvement below which a start's learning rate is halved; after six halvings it ends.
        blending: `"paste"` puts generated pixels beside the known ones; `"poisson"` keeps their gradients and meets
            the known pixels without a seam, within the range of values of both; see `seamless_blend`.
        floor: least standard deviation for the z-score, in units of intensity.
        near: pixels over which known pixels lose their weight; None for equal weights, the source's.
        contrast: whether each image gets the gain and offset that fit the known pixels best; the source has none.

    Raises:
        InputError: for numbers out of range or an unknown blending.

    Example:
        >>> class Ramp(nn.Module):
        ...     def forward(self, z):
        ...         return (z[:, :1] + z[:, 1:] * torch.linspace(-1, 1, 8)).reshape(-1, 1, 1, 8).expand(-1, 1, 8, 8)
        >>> class Indifferent(nn.Module):
        ...     def forward(self, x):
        ...         return 0 * x.sum(dim=(1, 2, 3))
        >>> inpainter = LatentInpainter(Ramp(), Indifferent(), latent_size=2, starts=3, prior_weight=0)
        >>> image = torch.linspace(0, 1, 8).expand(1, 8, 8).clone()
        >>> mask = torch.zeros(8, 8, dtype=torch.bool)
        >>> mask[2:5, 2:5], image[0, 3, 3] = True, 0.9
        >>> found = inpainter(image, mask, torch.Generator().manual_seed(0))
        >>> [round(x, 2) for x in (image[0, 3, 3].item(), found.image[0, 3, 3].item(), 3 / 7)]
        [0.9, 0.43, 0.43]

    Source:
        Yeh et al., Semantic image inpainting with deep generative models, CVPR 2017, DOI 10.1109/CVPR.2017.728, where
        weights fall with the distance, too; anomalies by the same search: Schlegl et al., AnoGAN, IPMI 2017,
        DOI 10.1007/978-3-319-59050-9_12.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_size: int = 100,
        starts: int = 20,
        candidates: int = 49,
        perceptual_weight: float = 0.001,
        prior_weight: float = 0.001,
        steps: int = 8000,
        learning_rate: float = 0.05,
        window: int = 50,
        tolerance: float = 0.01,
        blending: Literal["paste", "poisson"] = "paste",
        floor: float = 0.01,
        near: float | None = None,
        contrast: bool = False,
    ) -> None:
        if min(latent_size, starts, candidates, steps, window) < 1:
            raise InputError(
                f"Expected latent_size, starts, candidates, steps and window of at least 1, got {latent_size}, "
                f"{starts}, {candidates}, {steps} and {window}."
            )
        if min(perceptual_weight, prior_weight, tolerance) < 0 or min(learning_rate, floor) <= 0:
            raise InputError(
                f"Expected weights and a tolerance of at least 0, a positive learning rate and floor, got "
                f"{perceptual_weight}, {prior_weight}, {tolerance}, {learning_rate} and {floor}."
            )
        if near is not None and not near > 0:
            raise InputError(f"Expected near to be a positive number of pixels or None, got {near!r}.")
        if blending not in ("paste", "poisson"):
            raise InputError(f"Expected the blending 'paste' or 'poisson', got {blending!r}.")
        self.generator = generator
        self.critic = critic
        self.latent_size = latent_size
        self.starts = starts
        self.candidates = candidates
        self.perceptual_weight = perceptual_weight
        self.prior_weight = prior_weight
        self.steps = steps
        self.learning_rate = learning_rate
        self.window = window
        self.tolerance = tolerance
        self.blending = blending
        self.floor = floor
        self.near = near
        self.contrast = contrast

    def __call__(self, image: torch.Tensor, mask: torch.Tensor, generator: Generators) -> SearchedImage:
        """Inpaint one image.

        Args:
            image: `(C, *spatial)` or `(1, C, *spatial)`, of the generator's size and intensities ([0, 1]).
            mask: bool `(*spatial)`, or with axes of length 1 before them; True where pixels are made anew.
            generator: of the draws, on the CPU; one, or one a start.

        Returns:
            All tensors on the generator network's device, or the image's where it has no weights.

        Raises:
            ShapeError: for several images, or shapes that do not fit the generator or each other.
            InputError: when the mask is not bool, empty, or leaves no pixel known.
            IntensityError: when the image holds NaN or infinity.
        """
        image, mask = self._checked(image, mask)
        with _frozen(self.generator, self.critic):
            start = self._start(image, mask, generator)
            descent = descend(
                lambda latents: self.loss(latents, image, mask),
                start,
                self.steps,
                self.learning_rate,
                self.window,
                self.tolerance,
            )
            with torch.no_grad():
                generated = self.generator(descent.latents)
                if self.contrast:
                    generated = match_contrast(generated, image, self.weights(mask).to(generated))
        images = self._completed(image, mask, generated)
        return SearchedImage.from_starts(image, mask, images, generated, descent, self.floor)

    def loss(self, latents: torch.Tensor, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the losses `(B,)` of latents `(B, Z)`, for an image `(C, *spatial)` and its mask `(*spatial)`."""
        generated = self.generator(latents)
        loss = self.contextual_loss(generated, image, mask)
        if self.perceptual_weight:
            loss = loss - self.perceptual_weight * self.critic(generated)
        return loss + self.prior_weight / 2 * latents.square().mean(dim=1)

    def contextual_loss(self, generated: torch.Tensor, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the (weighted) mean absolute difference `(B,)` over known pixels of images `(B, C, *spatial)`."""
        weights = self.weights(mask).to(generated)
        if self.contrast:
            generated = match_contrast(generated, image, weights)
        # Times the weights, not indexed by the mask: a fixed shape, and quicker backwards.
        away = ((generated - image).abs() * weights).flatten(1).sum(dim=1)
        return away / (weights.sum() * len(image))

    def weights(self, mask: torch.Tensor) -> torch.Tensor:
        """Return how much each pixel counts, `(*spatial)`; masked ones do not."""
        known = (~mask).to(torch.float32)
        if self.near is None:
            return known
        distance = torch.from_numpy(distance_transform_edt(~mask.cpu().numpy())).to(known)
        return ((-distance / self.near).exp() + _FAR) * known

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Return what the generator makes of latents `(B, Z)`, without gradients, a batch of candidates at a time."""
        with _frozen(self.generator), torch.no_grad():
            return torch.cat([self.generator(part) for part in latents.split(self.candidates)])

    def _checked(self, image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the image `(C, *spatial)` and the mask `(*spatial)` as plain tensors where the generator is."""
        like = next(self.generator.parameters(), image)
        made = self.decode(torch.zeros(1, self.latent_size, device=like.device, dtype=like.dtype))[0]
        return masked_image(image, mask, made.shape, made)

    def _start(self, image: torch.Tensor, mask: torch.Tensor, generator: Generators) -> torch.Tensor:
        """Return each start's candidate of lowest contextual loss, `(S, Z)`."""
        chosen = []
        for one in row_generators(generator, self.starts):
            latents = randn_rows([one], (self.candidates, self.latent_size))[0].to(image)
            losses = self.contextual_loss(self.decode(latents), image, mask)
            chosen.append(latents[losses.argmin()])
        return torch.stack(chosen)

    def _completed(self, image: torch.Tensor, mask: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        if self.blending == "paste":
            return torch.where(mask, generated, image)
        values = torch.stack([image.expand_as(generated), generated])
        blended = seamless_blend(image, generated, mask).clamp(values.min(), values.max())
        return torch.where(mask, blended, image)


@contextmanager
def _frozen(*networks: nn.Module) -> Iterator[None]:
    """Put networks into evaluation mode without gradients of weights, and all back as it was.

    What is made of weights alone, such as folded kernels, is then no part of the graph of each step.
    """
    modes = [(part, part.training) for network in networks for part in network.modules()]
    learning = [weight for network in networks for weight in network.parameters() if weight.requires_grad]
    try:
        for network in networks:
            network.eval().requires_grad_(False)
        yield
    finally:
        for part, training in modes:
            part.training = training
        for weight in learning:
            weight.requires_grad_(True)
