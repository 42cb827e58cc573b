"""Trains both halves of paper 1 in one run: the latent space of hearts, and the painter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents, PrepareBatch, default_prepare_batch
from monai.utils import CommonKeys
from torch import nn
from torch.optim import Optimizer

from ..anatomy.label_moments import check_is_heart
from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart
from ..anatomy.schemes import ULTRASOUND_SECTOR
from ..losses import EvidenceLowerBoundLoss
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..ranks import all_rows, own_rows, world_size
from .anatomical_vae_step import AnatomicalVAEStep
from .batch_condition import batch_condition
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan import SPADEGAN
from .spade_gan_step import SPADEGANStep
from .spade_gan_trainer import averaged, gan_output
from .synchronised import shared_batch_norm


class VAEGANTrainer(ResumableTrainer):
    """Trains an anatomical VAE and a SPADE GAN on the same batches.

    The GAN learns to paint each label map as its image; at the same time the VAE learns the shapes, with the hearts
    moved to the middle of the map: where a heart lies says nothing of its shape, and `LatentSampler` draws it apart.
    Slices without a heart train the GAN alone. To train one half alone use `SPADEGANTrainer` or
    `AnatomicalVAETrainer`. With several ranks each takes its part of the whole batch, and all move alike: see
    `SPADEGANStep` and `AnatomicalVAEStep`.

    `state.output` holds `image`, `label`, `pred` (the painted images), `loss` (what the image generator minimises),
    and by name every loss term of the GAN and `vae`.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives `image` `(B, 1, *spatial)` in [0, 1] and `label` `(B, 1, *spatial)`, codes of
            `scheme`; with several ranks a loader a rank, all with batches of one size; and `condition` `(B, K)` where
            shape model or generator are conditional, as `EncodeHeartConditiond` adds it.
        vae: the shape model.
        vae_optimizer: of the shape model.
        gan: the image networks and their losses; with `DiffAugment` in them where training images are few.
        generator_optimizer: of `gan.generator` and `gan.style_encoder`.
        discriminator_optimizer: of `gan.discriminator`.
        scheme: the label maps' codes.
        vae_loss: `(logits, one_hot, mean, log_variance)` to a scalar.
        ema_decay: of the running average of generator and style encoder, `gan_average`; from these one samples.
        seed: of all draws.
        prepare_batch: batch to image and label; a transform's `prepare_batch()` fits.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        accumulation: parts that each batch is taken in, for batches larger than memory.
        decollate: MONAI's: split batch and output into rows after each iteration.
        postprocessing: a MONAI transform of the output.
        shape_scheme: what the shape model learns of the label maps, where that is less: the heart without the
            ultrasound sector; `scheme` by default.

    Raises:
        LabelError: for a shape model of the ultrasound sector.

    Source:
        Skandarani et al., "On the effectiveness of GAN generated cardiac MRIs for segmentation", MIDL 2020.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        vae: AnatomicalVAE,
        vae_optimizer: Optimizer,
        gan: SPADEGAN,
        generator_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        scheme: LabelScheme,
        vae_loss: nn.Module | None = None,
        ema_decay: float = 0.995,
        seed: int = 0,
        prepare_batch: PrepareBatch | Callable[..., Any] = default_prepare_batch,
        epoch_length: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = True,
        accumulation: int = 1,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
        shape_scheme: LabelScheme | None = None,
    ) -> None:
        self.scheme = scheme
        self.shape_scheme = shape_scheme or scheme
        check_is_heart(self.shape_scheme)
        self.vae = shared_batch_norm(vae, device)
        self.vae_optimizer = vae_optimizer
        self.vae_loss = EvidenceLowerBoundLoss() if vae_loss is None else vae_loss
        self.gan = gan.to(device)
        self.gan_average = averaged(self.gan, ema_decay)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        stateful: dict[str, Stateful] = {
            "vae": self.vae,
            "vae_optimizer": vae_optimizer,
            "gan": self.gan,
            "gan_average": self.gan_average,
            "generator_optimizer": generator_optimizer,
            "discriminator_optimizer": discriminator_optimizer,
        }
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            stateful=stateful,
            prepare_batch=prepare_batch,
            seed=seed,
            epoch_length=epoch_length,
            train_handlers=train_handlers,
            amp=amp,
            decollate=decollate,
            postprocessing=postprocessing,
        )

        self.gan_step = SPADEGANStep(
            self.gan, generator_optimizer, discriminator_optimizer, self.autocast, accumulation
        )
        self.vae_step = AnatomicalVAEStep(self.vae, vae_optimizer, self.vae_loss, self.autocast, accumulation)

    def _iteration(self, engine: Engine, batchdata: dict[str, torch.Tensor]) -> dict[str, Any]:
        image, label = self.prepared(engine, batchdata)
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: image, CommonKeys.LABEL: label}
        self.vae.train()
        self.gan.train()
        condition = batch_condition(batchdata, self.gan.generator.condition_size, len(label), label.device)
        one_hot = self.scheme.one_hot(label[:, 0])
        losses, painted = self.gan_step(image, one_hot, self.generator, engine.fire_event, condition)
        self.gan_average.update_parameters(self.gan)
        engine.state.output = {
            **gan_output(image, label, losses, painted),
            **self._shape_step(self.hearts_in(label[:, 0]), batchdata),
        }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]

    def _shape_step(self, label: torch.Tensor, batchdata: dict[str, torch.Tensor]) -> dict[str, float]:
        has_heart = (label > 0).flatten(1).any(dim=1)
        everywhere = all_rows(has_heart.to(torch.uint8)).cpu()  # of all ranks' rows
        if int(everywhere.view(-1, world_size()).sum(dim=0).min()) < 2:  # batch norm needs two on each rank
            return {}
        hearts = int(everywhere.sum())
        noise = torch.randn(hearts, self.vae.latent_size, generator=self.generator)
        number = own_rows(everywhere.cumsum(0) - 1)[has_heart.cpu()]  # of this rank's hearts, among all
        one_hot = self.shape_scheme.one_hot(centre_heart(label[has_heart])[0])
        condition = batch_condition(batchdata, self.vae.condition_size, len(label), label.device)
        told = None if condition is None else condition[has_heart]
        output = self.vae_step(one_hot, noise[number], told, whole_batch=hearts)
        return {"vae": float(output[CommonKeys.LOSS])}

    def hearts_in(self, label: torch.Tensor) -> torch.Tensor:
        """Return label maps `(B, *spatial)` in the shape model's codes."""
        if self.shape_scheme == self.scheme:
            return label
        without = [name for name in self.scheme.names if name == ULTRASOUND_SECTOR]
        return self.scheme.to_scheme(label, self.shape_scheme, without)
