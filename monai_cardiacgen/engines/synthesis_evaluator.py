"""Makes cases with a synthesizer as a MONAI evaluator: the inference of a generative bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.data import MetaTensor, decollate_batch
from monai.engines import Evaluator, IterationEvents
from monai.transforms import Transform
from monai.utils import CommonKeys

from ..inferers.cardiac_synthesizer import CardiacSynthesizer
from ..seeding import seeded


class SynthesisEvaluator(Evaluator):
    """Draws one labelled image for every seed of its loader.

    Each case is a new heart in a new style; a seed gives the same case in any batch. After decollation,
    `postprocessing` sees `image` and `label` as `MetaTensor`s `(1, H, W)` with the synthesizer's spacing, and
    `seed`, and, where hearts have conditions, `view`, `phase` and so on; `filename_or_obj` in their metadata is
    `synthetic_<number>`, so that MONAI's `SaveImaged` can write them.

    Args:
        device: where the networks run.
        val_data_loader: batches of `SeedDataset`.
        synthesizer: what draws and paints.
        postprocessing: a MONAI transform of each case, for example `SaveImaged(..., squeeze_end_dims=False)`.
        val_handlers: MONAI and ignite handlers.
        condition: what all hearts shall be, for example `{"view": "4CH", "phase": "ED"}`; None for hearts as often of
            each condition as the training hearts are.
    """

    def __init__(
        self,
        device: torch.device | str,
        val_data_loader: Any,
        synthesizer: CardiacSynthesizer,
        postprocessing: Transform | None = None,
        val_handlers: Sequence[Any] | None = None,
        condition: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            device=device,
            val_data_loader=val_data_loader,
            postprocessing=postprocessing,
            val_handlers=list(val_handlers or ()),
            decollate=False,  # the output is a list of cases from the start
        )
        self.synthesizer = synthesizer.to(device)
        self.condition = condition

    def _iteration(self, engine: Engine, batchdata: dict[str, Any]) -> Any:
        seeds = [int(seed) for seed in batchdata["seed"]]
        cases = self.synthesizer.sample(len(seeds), [seeded(seed) for seed in seeds], self.condition)
        affine = torch.diag(torch.tensor([*self.synthesizer.spacing, 1.0, 1.0], dtype=torch.float64))

        def named(row: torch.Tensor, number: int) -> MetaTensor:
            return MetaTensor(row, affine=affine, meta={"filename_or_obj": f"synthetic_{number:06d}.nii.gz"})

        known = self.synthesizer.heart_condition
        words = [{}] * len(seeds) if known is None or cases.condition is None else known.decode(cases.condition)
        numbers = [int(one) for one in batchdata["number"]]
        rows = zip(cases.image, cases.label[:, None], numbers, seeds, words, strict=True)
        engine.state.output = [
            {CommonKeys.IMAGE: named(image, number), CommonKeys.LABEL: named(label, number), "seed": seed, **told}
            for image, label, number, seed, told in rows
        ]
        engine.state.batch = decollate_batch(batchdata)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output
