"""CT to MR and back on paired phantom patients: the study of docs/whole_heart_ct.md, its part across modalities.

    OMP_NUM_THREADS=1 python -m benchmarks.ct_to_mr [--out runs/ct] [--bundle bundles/ct_whole_heart_cgan]

Phantom patients are written first. Stopped, the same command goes on. The table is printed and written to
OUT/translation.md, the picture lies beside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from monai_cardiacgen.studies.whole_heart.translation_study import TranslationStudySettings, run_translation_study


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/ct"))
    parser.add_argument("--bundle", type=Path, default=Path("bundles/ct_whole_heart_cgan"), help="a painter of CT")
    parser.add_argument("--iterations", type=int, default=TranslationStudySettings().iterations)
    given = parser.parse_args(arguments)
    begun = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{time.monotonic() - begun:6.0f} s  {stage}: {done} of {total}", flush=True)

    settings = TranslationStudySettings(iterations=given.iterations)
    print(run_translation_study(given.out, settings, given.bundle, tell))


if __name__ == "__main__":
    main()
