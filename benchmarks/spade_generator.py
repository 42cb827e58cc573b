"""How much the distinct label patches save: a SPADE generator with them and with the convolutions, in one run.

python benchmarks/spade_generator.py [--size 96] [--batch 8] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.networks.nets import SPADEGenerator, spade_generator
from monai_cardiacgen.seeding import seeded


def drawn_hearts(batch: int, size: int) -> torch.Tensor:
    """Return one-hot maps of a ring round a disc beside a second disc, at places and sizes that vary."""
    row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    labels = []
    for _ in range(batch):
        at, radius = size * (0.4 + 0.2 * torch.rand(2, generator=_GENERATOR)), size * 0.1
        lv = ((row - at[0]).square() + (column - at[1]).square()).sqrt()
        rv = ((row - at[0]).square() + (column - at[1] + 2 * radius).square()).sqrt()
        label = torch.zeros(size, size, dtype=torch.int64)
        label[rv < 1.6 * radius] = 1
        label[lv < 1.6 * radius] = 2
        label[lv < radius] = 3
        labels.append(label)
    return ACDC.one_hot(torch.stack(labels))


def seconds(step: Callable[[], object]) -> float:
    """Return the processor time of one call, which other processes do not lengthen."""
    begin = time.process_time()
    step()
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    one_hot = drawn_hearts(options.batch, options.size)
    generator = SPADEGenerator(2, ACDC.num_classes, start_size=(options.size // 16,) * 2)
    style = torch.randn(options.batch, generator.style_size)
    lookup = spade_generator.distinct_patches

    @torch.no_grad()
    def paint() -> torch.Tensor:
        return generator(one_hot, style)

    def train() -> None:
        generator.zero_grad()
        generator(one_hot, style).mean().backward()

    for name, step in (("forward", paint), ("forward and backward", train)):
        times: dict[str, list[float]] = {"lookup": [], "convolution": []}
        for repeat in range(options.repeats + 1):
            for way, patches in (("lookup", lookup), ("convolution", lambda one_hot: None)):
                spade_generator.distinct_patches = patches
                elapsed = seconds(step)
                if repeat:  # the first of each is a warm-up
                    times[way].append(elapsed)
        ratios = [slow / fast for slow, fast in zip(times["convolution"], times["lookup"], strict=True)]
        print(
            f"{name}: lookup {1000 * statistics.median(times['lookup']):.0f} ms, convolution "
            f"{1000 * statistics.median(times['convolution']):.0f} ms, ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


_GENERATOR = seeded(0)

if __name__ == "__main__":
    main()
