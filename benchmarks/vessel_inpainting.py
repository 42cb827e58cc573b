"""How well a Wasserstein GAN makes a masked aorta anew on held-out patients: the study of docs/aorta_inpainting.md.

    OMP_NUM_THREADS=1 python -m benchmarks.vessel_inpainting [--out runs/aorta] [--bundle bundles/aorta_wgan_gp]

Phantom patients are written first, unless `--folder` names volumes of one's own in MM-WHS's layout, with a seed in the
descending aorta beside each (see `AorticPatches`). With `--bundle` its networks are tested, else new ones are trained.
Stopped, the same command goes on. Tables are printed and written to OUT/tables.md, pictures lie beside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from monai_cardiacgen.studies.vessels.vessel_study import VesselStudySettings, run_vessel_study


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/aorta"))
    parser.add_argument("--folder", type=Path, help="volumes of one's own")
    parser.add_argument("--bundle", type=Path, help="trained networks")
    parser.add_argument("--patients", type=int, nargs=3, default=VesselStudySettings().patients)
    given = parser.parse_args(arguments)
    begun = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{time.monotonic() - begun:6.0f} s  {stage}: {done} of {total or '?'}", flush=True)

    settings = VesselStudySettings(patients=tuple(given.patients))
    print(run_vessel_study(given.out, settings, given.folder, given.bundle, tell))


if __name__ == "__main__":
    main()
