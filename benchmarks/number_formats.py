"""What bfloat16 changes in painted images: `python -m benchmarks.number_formats PAINTER SEGMENTER`.

Hearts are drawn and painted by a bundle's synthesizer in float32 and in bfloat16, on any processor, however slowly. A
segmentation bundle's network, which works on the same grid, then reads both images, and each reading is scored
against the label map that was painted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.metrics import compute_dice

from monai_cardiacgen.anatomy import LabelScheme
from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.inferers.fast_painter import FastPainter
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.bootstrap import Interval, bootstrap_difference, bootstrap_mean


def painted_in_both(folder: Path, cases: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return label maps `(N, H, W)` and their images `(N, 1, H, W)` in float32 and in bfloat16, in the same styles."""
    synthesizer = CardiacSynthesizer.from_bundle(folder)
    label = synthesizer.sampler.sample(cases, seeded(seed)).label
    style = synthesizer.draw_styles(seeded(seed + 1), cases)
    images = []
    for number_format in (torch.float32, torch.bfloat16):
        synthesizer.painter = FastPainter(synthesizer.generator, number_format)
        images.append(synthesizer.synthesize(label, style, seeded(seed + 2)))
    return label, images[0], images[1]


def segmenter(folder: Path) -> torch.nn.Module:
    """Return the network of a segmentation bundle with its weights."""
    parser = ConfigParser(ConfigParser.load_config_file(folder / "configs" / "inference.json"))
    network: torch.nn.Module = parser.get_parsed_content("network_def")
    network.load_state_dict(load_checkpoint(folder / "models" / "model.pt"))
    return network.eval()


@torch.no_grad()
def dice_of(network: torch.nn.Module, image: torch.Tensor, label: torch.Tensor, scheme: LabelScheme) -> np.ndarray:
    """Return each image's mean Dice coefficient over the structures that its label map has."""
    found = scheme.one_hot(scheme.to_codes(network(image).argmax(dim=1)))
    dice = compute_dice(found, scheme.one_hot(label), include_background=False, ignore_empty=True)
    return np.nanmean(dice.numpy(), axis=1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("painter", type=Path, help="bundle of a synthesizer")
    parser.add_argument("segmenter", type=Path, help="bundle of a segmentation network for its grid")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    label, single, half = painted_in_both(options.painter, options.cases, options.seed)
    network, scheme = segmenter(options.segmenter), CardiacSynthesizer.from_bundle(options.painter).scheme
    first, second = (dice_of(network, image, label, scheme) for image in (single, half))
    away = (half - single).abs()
    print(f"{options.cases} drawn hearts: largest difference {float(away.max()):.1e}, mean {float(away.mean()):.1e}")
    print(f"Dice in float32 {_told(bootstrap_mean(first))}, in bfloat16 {_told(bootstrap_mean(second))}")
    print(f"bfloat16 less float32 {_told(bootstrap_difference(first, second))}")


def _told(found: Interval) -> str:
    return f"{found.mean:.4f} ({found.low:.4f} to {found.high:.4f})"


if __name__ == "__main__":
    main()
