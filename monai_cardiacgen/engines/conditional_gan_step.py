"""One step of a conditional GAN: the discriminator's, as often as wanted, and the generator's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from ..errors import InputError
from ..losses import LeastSquaresDiscriminatorLoss, LeastSquaresGeneratorLoss
from ..ranks import mean_of_ranks
from .generator_move import move_generator
from .synchronised import synchronised

Terms = dict[str, torch.Tensor]


class ConditionalGANStep:
    r"""Moves discriminator and generator on one batch of images with their conditions.

    The discriminator minimises its adversarial loss; the generator minimises

    $$\mathcal{L} = \lambda_{adv}\, \mathcal{L}_{adv}(D(G(y), y)) + \lambda_{rec} \lVert x - G(y) \rVert_1$$

    for the condition y and its image x, by mean absolute error. With several ranks the batch is this rank's part of the
    whole batch, and all ranks move alike.

    Args:
        network: conditions `(B, K, *spatial)` to images of the shape of the real ones; all its parameters take part.
        discriminator: image and condition, joined along the channels, to values by patch; one that has `features`,
            such as `MultiscaleDiscriminator`, is judged scale by scale.
        network_optimizer: of `network`.
        discriminator_optimizer: of `discriminator`.
        autocast: gives the precision's context.
        adversarial: weight of the adversarial term.
        reconstruction: weight of the mean absolute error.
        discriminator_steps: steps of the discriminator for one of the generator.
        discriminator_loss: real and generated values to a loss, with the `border` between them.
        generator_loss: generated values to a loss.

    Raises:
        InputError: for less than one discriminator step.

    Source:
        Habijan et al. 2022, arXiv:2205.09842; Isola et al., CVPR 2017, DOI 10.1109/CVPR.2017.632.
    """

    def __init__(
        self,
        network: nn.Module,
        discriminator: nn.Module,
        network_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        autocast: Callable[[], AbstractContextManager[Any]],
        adversarial: float = 0.012,
        reconstruction: float = 1.0,
        discriminator_steps: int = 1,
        discriminator_loss: nn.Module | None = None,
        generator_loss: nn.Module | None = None,
    ) -> None:
        if discriminator_steps < 1:
            raise InputError(f"Expected at least one discriminator step, got {discriminator_steps!r}.")
        self.network = network
        self.discriminator = discriminator
        self.network_optimizer = network_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.autocast = autocast
        self.adversarial = adversarial
        self.reconstruction = reconstruction
        self.discriminator_steps = discriminator_steps
        self.discriminator_loss = discriminator_loss or LeastSquaresDiscriminatorLoss()
        self.generator_loss = generator_loss or LeastSquaresGeneratorLoss()
        self.border = float(torch.as_tensor(self.discriminator_loss.border))
        self.paint = synchronised(network, network)
        self.judge = synchronised(self._judge, discriminator)

    def __call__(
        self, image: torch.Tensor, condition: torch.Tensor, fire: Callable[[Any], None]
    ) -> tuple[Terms, torch.Tensor]:
        """Move both on one batch.

        Args:
            image: `(B, C, *spatial)` in [0, 1].
            condition: `(B, K, *spatial)`.
            fire: called with MONAI's iteration events as they come.

        Returns:
            `adversarial` and `reconstruction` (weighted), `discriminator`, `real_accuracy` and `fake_accuracy` (the
            shares of patches that the discriminator took for what they are, before it moved), means over the whole
            batch, detached; and the generated images, detached.
        """
        # Painted once: batch norm's running statistics move once, and spectral norm's vectors, too. The generator's
        # own step comes last, with the discriminator as it then is.
        with self.autocast():
            painted = self.paint(condition).to(image.dtype)
        fake = painted.detach()
        terms: Terms = {}
        for _ in range(self.discriminator_steps):
            with self.autocast():
                judged: Terms = self.judge(image, fake, condition)
            self.discriminator_optimizer.zero_grad(set_to_none=True)
            judged["discriminator"].backward()
            self.discriminator_optimizer.step()
            terms = terms or {name: term.detach() for name, term in judged.items()}
        self.discriminator.requires_grad_(False)  # it judges, but does not learn here
        with self.autocast():
            losses = {
                "adversarial": self.adversarial * self.generator_loss(self._values(painted, condition)),
                "reconstruction": self.reconstruction * F.l1_loss(painted, image),
            }
        move_generator(losses, self.network_optimizer, fire)
        self.discriminator.requires_grad_(True)
        terms |= {name: term.detach() for name, term in losses.items()}
        return mean_of_ranks(terms), fake

    def _judge(self, image: torch.Tensor, fake: torch.Tensor, condition: torch.Tensor) -> Terms:
        real_values, fake_values = self._values(image, condition), self._values(fake, condition)
        return {
            "discriminator": self.discriminator_loss(real_values, fake_values),
            "real_accuracy": _share([values > self.border for values in real_values]),
            "fake_accuracy": _share([values <= self.border for values in fake_values]),
        }

    def _values(self, image: torch.Tensor, condition: torch.Tensor) -> Sequence[torch.Tensor]:
        """Return the discriminator's values by patch, one tensor a scale."""
        joined = torch.cat([image, condition], dim=1)
        features: Any = getattr(self.discriminator, "features", None)
        if features is not None:
            return [scale[-1].to(image.dtype) for scale in features(joined)]
        return [self.discriminator(joined).to(image.dtype)]


def _share(scales: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the share of true patches, the mean over the scales."""
    return torch.stack([scale.float().mean() for scale in scales]).mean()


__all__ = ["ConditionalGANStep"]
