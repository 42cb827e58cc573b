"""What a patient's hidden anatomy would look like, in one pass of a trained network, and what differs from it."""

from __future__ import annotations

import math

import torch

from ..errors import InputError
from ..networks.nets.inpainting_generator import InpaintingGenerator
from .inpainted_image import InpaintedImage, compared
from .masked_image import masked_image


class ConditionalInpainter:
    r"""Inpaints with a network that was trained to make hidden pixels of those round them: first where, then what.

    The network says with which probability $p$ each hidden pixel belongs to the structure. Its label is taken to be
    the expectation of a random set after Vorob'ev: the pixels of highest $p$, as many as are expected, $\sum p$. So it
    has the expected size, and lies where the structure is likeliest; the set of $p > 1/2$ would be too small the less
    surely its place is known. On this label the network paints the image.

    The anomaly map's z-score tells how many standard deviations the real pixel lies from the healthy version. The
    network itself says how far off it expects to be, $b$; the standard deviation of Laplace's distribution with this
    mean absolute difference is $\sqrt{2}\, b$. It has a floor, the error of the network on the pixels that it could see
    (`misfit`), and below that `floor`.

    Masked pixels are not looked at, and nothing is drawn: the same image gives the same result. The network is used in
    evaluation mode, without gradients, and left in the mode in which it came.

    Args:
        generator: that was trained by `InpaintingGANTrainer`.
        floor: least standard deviation for the z-score, in units of intensity.

    Raises:
        InputError: for a floor that is not positive.

    Example:
        >>> inpainter = ConditionalInpainter(InpaintingGenerator(2, channels=(4, 8)))
        >>> mask = torch.zeros(16, 16, dtype=torch.bool)
        >>> mask[4:9, 6:11] = True
        >>> found = inpainter(torch.rand(1, 16, 16), mask)
        >>> found.region.shape
        torch.Size([1, 5, 5])

    Source:
        Molchanov, Theory of Random Sets, 2005, DOI 10.1007/1-84628-150-4; see `InpaintingGenerator`.
    """

    def __init__(self, generator: InpaintingGenerator, floor: float = 0.01) -> None:
        if not floor > 0:
            raise InputError(f"Expected a positive floor, got {floor!r}.")
        self.generator = generator
        self.floor = floor

    def __call__(
        self, image: torch.Tensor, mask: torch.Tensor, generator: torch.Generator | None = None
    ) -> InpaintedImage:
        """Inpaint one image.

        Args:
            image: `(C, *spatial)` or `(1, C, *spatial)` in [0, 1], of sides that the network's depth divides.
            mask: bool `(*spatial)`, or with axes of length 1 before them; True where pixels are made anew.
            generator: nothing is drawn; other inpainters draw.

        Returns:
            All tensors on the network's device.

        Raises:
            ShapeError: for several images, or shapes that do not fit the network or each other.
            InputError: when the mask is not bool, empty, or leaves no pixel known.
            IntensityError: when the image holds NaN or infinity.
        """
        network = self.generator
        shape = (network.image_channels, *image.shape[image.ndim - network.spatial_dims :])
        image, mask = masked_image(image, mask, shape, next(network.parameters()))
        training, hidden = network.training, mask[None].to(image)
        try:
            with torch.no_grad():
                network.eval()
                _, expected, logits = self._asked(image, hidden, torch.zeros_like(hidden))
                label = expected_set(torch.sigmoid(logits[0]).masked_fill(~mask, 0))
                made, _, _ = self._asked(image, hidden, 2 * label[None].to(image) - 1)
        finally:
            network.train(training)
        # An image has intensities in [0, 1]; the network knows no bounds.
        inpainted = torch.where(mask, made.clamp(0, 1), image)
        spread = torch.where(mask, math.sqrt(2) * expected, 0)
        return InpaintedImage(**compared(image, mask, inpainted, made, spread, self.floor))

    def _asked(
        self, image: torch.Tensor, hidden: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return image and expected differences `(C, *spatial)`, and logits of the structure `(1, *spatial)`."""
        channels = self.generator.image_channels
        given = torch.cat([image, hidden, label])[None]
        made, expected, logits = self.generator(given)[0].split((channels, channels, 1))
        return made, expected, logits


def expected_set(probabilities: torch.Tensor) -> torch.Tensor:
    r"""Return Vorob'ev's expectation of a random set: of the likeliest pixels as many as are expected, $\sum p$, bool.

    Args:
        probabilities: `(*spatial)` in [0, 1], of belonging to the set.

    Example:
        >>> expected_set(torch.tensor([0.1, 0.4, 0.9, 0.45, 0.2]))  # 2.05 pixels are expected
        tensor([False, False,  True,  True, False])
    """
    label = torch.zeros(probabilities.shape, dtype=torch.bool, device=probabilities.device)
    label.view(-1)[probabilities.flatten().topk(round(float(probabilities.sum()))).indices] = True
    return label


__all__ = ["ConditionalInpainter", "expected_set"]
