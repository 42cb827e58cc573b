"""How well the networks of the aorta's bundle make a masked one anew: see docs/aorta_inpainting.md.

    OMP_NUM_THREADS=1 python -m benchmarks.aorta_inpainting [--out runs/aorta_inpainting] [--seed 107]

Phantom patients are written first, then the bundle's generators are compared with training patches and other baselines
on patients of the seed. Seed 101 with `--patients 20` are some of those on whom settings were chosen. Stopped, the same
command goes on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from monai_cardiacgen.studies.vessels.inpainting_study import InpaintingStudySettings, run_inpainting_study


def main(arguments: Sequence[str] | None = None) -> None:
    usual = InpaintingStudySettings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/aorta_inpainting"))
    parser.add_argument("--bundle", type=Path, default=Path("bundles/aorta_wgan_gp"))
    parser.add_argument("--training", type=int, default=usual.training, help="patients")
    parser.add_argument("--patients", type=int, default=usual.patients, help="tested")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the patients who are tested")
    parser.add_argument("--each", type=int, default=usual.each, help="patches of a patient")
    parser.add_argument("--latents", type=int, default=usual.latents)
    given = parser.parse_args(arguments)
    begun = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{time.monotonic() - begun:6.0f} s  {stage}: {done} of {total}", flush=True)

    settings = InpaintingStudySettings(
        training=given.training, patients=given.patients, seed=given.seed, each=given.each, latents=given.latents
    )
    print(run_inpainting_study(given.out, settings, given.bundle, tell))


if __name__ == "__main__":
    main()
