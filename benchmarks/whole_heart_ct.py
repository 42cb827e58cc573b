"""How near CT from label maps comes to the original on held-out patients: the study of docs/whole_heart_ct.md.

    OMP_NUM_THREADS=1 python -m benchmarks.whole_heart_ct [--out runs/ct] [--bundle bundles/ct_whole_heart_cgan]

Phantom patients are written first, unless `--folder` holds volumes of one's own in MM-WHS's layout, in the folders
training, validation and testing. Stopped, the same command goes on. Tables are printed and written to OUT/tables.md,
pictures lie beside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from monai_cardiacgen.studies.whole_heart.whole_heart_study import WholeHeartStudySettings, run_whole_heart_study

#: Between these lines a page has the tables.
MARKS = ("<!-- tables -->", "<!-- end of tables -->")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/ct"))
    parser.add_argument("--bundle", type=Path, default=Path("bundles/ct_whole_heart_cgan"), help="a trained painter")
    parser.add_argument("--folder", type=Path, help="volumes of one's own")
    parser.add_argument("--patients", type=int, nargs=3, default=WholeHeartStudySettings().patients)
    parser.add_argument("--page", type=Path, help="page whose tables are replaced, between its marks")
    given = parser.parse_args(arguments)
    begun = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{time.monotonic() - begun:6.0f} s  {stage}: {done} of {total}", flush=True)

    settings = WholeHeartStudySettings(patients=tuple(given.patients))
    tables = run_whole_heart_study(given.out, settings, given.bundle, given.folder, tell)
    if given.page:
        text = given.page.read_text(encoding="utf-8")
        before, rest = text.split(MARKS[0])
        given.page.write_text(
            f"{before}{MARKS[0]}\n\n{tables}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8"
        )
    print(tables)


if __name__ == "__main__":
    main()
