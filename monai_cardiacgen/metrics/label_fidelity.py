"""Does an image show what its label says? A network that was trained on real patients is asked."""

from __future__ import annotations

import torch
from monai.metrics import compute_dice
from torch import nn

from ..checks import check_finite
from ..errors import LabelError, ShapeError

#: Images that the network sees at a time.
_TOGETHER = 32


@torch.no_grad()
def label_fidelity(network: nn.Module, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    r"""Return the Dice coefficient of what a segmentation network finds in images with their own labels.

    $$D_c = \frac{2 |\hat S_c \cap S_c|}{|\hat S_c| + |S_c|}$$

    The network is taken as it is, in eval mode while it is asked. It errs on real images, too: compare with its Dice
    on real images of patients that it was not trained on.

    Args:
        network: `(B, 1, *spatial)` to logits `(B, C, *spatial)`, trained on real images.
        image: `(B, 1, *spatial)` in [0, 1], on the network's device.
        label: one-hot `(B, C, *spatial)` in the order of the network's classes, background first.

    Returns:
        `(B, C - 1)` float32, without the background; NaN where neither label nor network has the structure.

    Raises:
        ShapeError: when image and label do not belong to each other.
        LabelError: when the network's classes are others in number.
        IntensityError: for NaN or infinity.

    Example:
        >>> class Threshold(nn.Module):
        ...     def forward(self, x):
        ...         return torch.cat([0.5 - x, x - 0.5], dim=1)
        >>> image = torch.zeros(1, 1, 4, 4); image[..., :2] = 1.0
        >>> label_fidelity(Threshold(), image, torch.cat([1 - image, image], dim=1)).tolist()
        [[1.0]]

    Source:
        Dice, Ecology 1945, DOI 10.2307/1932409; a network as judge of synthetic images after Shmelkov, Schmid and
        Alahari, ECCV 2018, DOI 10.1007/978-3-030-01216-8_14.
    """
    if image.ndim not in (4, 5) or label.ndim != image.ndim or label.shape[2:] != image.shape[2:]:
        raise ShapeError(
            f"Expected images (B, 1, *spatial) and one-hot labels (B, C, *spatial), got {tuple(image.shape)} and "
            f"{tuple(label.shape)}."
        )
    if len(image) != len(label) or not len(image):
        raise ShapeError(f"Expected a label for each of at least one image, got {len(image)} and {len(label)}.")
    check_finite(image, "the images")
    training = network.training
    network.eval()
    try:
        found = torch.cat([network(some).argmax(dim=1, keepdim=True) for some in image.split(_TOGETHER)])
        classes = network(image[:1]).shape[1]
    finally:
        network.train(training)
    if classes != label.shape[1]:
        raise LabelError(f"Expected labels of the network's {classes} classes, got {label.shape[1]} channels.")
    one_hot = torch.zeros_like(label, dtype=torch.float32).scatter_(1, found, 1.0)
    dice: torch.Tensor = compute_dice(one_hot, label.float(), include_background=False, ignore_empty=False)
    empty = (one_hot.flatten(2).sum(dim=2) + label.flatten(2).sum(dim=2))[:, 1:] == 0
    return dice.masked_fill(empty, torch.nan)


__all__ = ["label_fidelity"]
