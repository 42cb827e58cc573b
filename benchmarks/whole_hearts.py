"""New whole hearts with their CT, measured: the study of docs/whole_heart_ct.md, its part on new hearts.

    OMP_NUM_THREADS=1 python -m benchmarks.whole_hearts [--out runs/ct] [--bundle bundles/ct_whole_heart_cgan]

The bundle holds a synthesizer. Phantom patients are written first, to OUT/volumes as for benchmarks.whole_heart_ct. The
tables are printed and written to OUT/hearts.md, the picture lies beside.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.whole_heart_study import WholeHeartStudySettings
from monai_cardiacgen.studies.whole_heart.whole_hearts import load_whole_hearts
from monai_cardiacgen.studies.whole_heart.whole_hearts_study import study_whole_hearts


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/ct"))
    parser.add_argument("--bundle", type=Path, default=Path("bundles/ct_whole_heart_cgan"))
    parser.add_argument("--count", type=int, default=24, help="new hearts")
    given = parser.parse_args(arguments)
    settings = WholeHeartStudySettings()
    hearts = {}
    for part, place in (("training", 0), ("testing", 2)):
        folder = given.out / "volumes" / part
        write_mmwhs_phantom(folder, settings.patients[place], settings.seed + place, "ct")
        hearts[part] = load_whole_hearts(folder, patients=settings.patients[place])
    synthesizer = CardiacSynthesizer.from_bundle(given.bundle)
    print(study_whole_hearts(given.out, synthesizer, hearts["training"], hearts["testing"], given.count))


if __name__ == "__main__":
    main()
