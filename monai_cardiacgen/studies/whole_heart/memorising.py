"""A generator that is made to memorise a few images: what a similarity filter must catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.data import DataLoader, Dataset

from ...data.files import load_checkpoint, save_checkpoint
from ...data.slices import IMAGE, LABEL
from ...engines import ConditionalGANTrainer
from ...networks.nets import ConditionalPatchCritic, ConditionalUNetGenerator
from .conditional_painter import ConditionalPainter


def memorising_painter(
    few: Sequence[Mapping[str, Any]],
    path: Path,
    iterations: int,
    like: ConditionalPainter,
    progress: Callable[[str, int, int], None],
    rate: float = 1e-3,
) -> ConditionalPainter:
    """Train a conditional GAN on the same few slices for long, and return its generator.

    Args:
        few: slices with `image` and `label`, at least two; all of them are each batch.
        path: of the trained weights, which are read back where they exist.
        iterations: in all.
        like: whose network, untrained, it is.
        progress: called with the stage, what is done of it, and its total.
        rate: of Adam.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        arguments: dict[str, Any] = dict(like.generator.arguments)
        generator = ConditionalUNetGenerator(**arguments)
        critic = ConditionalPatchCritic(2, 1 + like.condition.channels, channels=(8, 16, 32, 32))
    if not path.is_file():
        slices = Dataset([{key: one[key] for key in (IMAGE, LABEL)} for one in few])
        trainer = ConditionalGANTrainer(
            "cpu",
            1,
            DataLoader(slices, batch_size=len(few)),
            generator,
            critic,
            torch.optim.Adam(generator.parameters(), lr=rate),
            torch.optim.Adam(critic.parameters(), lr=rate),
            to_condition=like.condition,
            amp=False,
        )
        for done in range(0, iterations, 20):
            trainer.state.max_epochs = min(done + 20, iterations)
            trainer.run()
            progress("memoriser", trainer.state.iteration, iterations)
        save_checkpoint(path, generator.state_dict())
    generator.load_state_dict(load_checkpoint(path))
    return ConditionalPainter(generator, like.condition.structures, like.about).eval()


__all__ = ["memorising_painter"]
