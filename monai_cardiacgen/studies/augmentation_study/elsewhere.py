"""A study's networks, as they are, on the patients of another hospital: Sunnybrook's contoured slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...anatomy.schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY, SUNNYBROOK
from ...data.files import load_checkpoint
from ...data.preprocessing import IMAGE, LABEL
from ...data.slices import ShortAxisGrid
from ...data.sunnybrook import load_sunnybrook, read_sunnybrook
from ...errors import InputError
from ..evaluation import Score, predict_volume, read_scores, score_volume, write_scores
from ..html_page import table, text
from .study_results import Run, network_title, read_runs
from .study_settings import StudySettings, named_network, new_network
from .study_statistics import Part, arm_differences, arm_means
from .study_tables import amounts_table

#: The table in a run's folder.
SCORES = "sunnybrook.csv"
#: What Sunnybrook's experts drew: the cavity in all slices, the myocardium at end diastole.
STRUCTURES = (LV_CAVITY, MYOCARDIUM)


def score_on_sunnybrook(
    settings: StudySettings, out: Path, folder: str | Path, progress: Callable[[int, int], None] | None = None
) -> None:
    """Test all finished networks of a study of ACDC on Sunnybrook, those that were not yet; nothing is trained.

    Each contoured slice is one score, on the grid of its file; slices without a contour are not looked at. What a
    network takes for a right ventricle counts as background, for nobody drew one.

    Args:
        settings: the study's.
        out: the study's folder; `sunnybrook.csv` is written into each run's.
        folder: Sunnybrook's, see `read_sunnybrook`.
        progress: called with the number of networks tested and their total.

    Raises:
        InputError: when the study is not of short-axis stacks.
        DataError: when the data is missing or damaged.
    """
    if settings.dataset != "acdc":
        raise InputError(f"Expected a study of ACDC to test on Sunnybrook, got one of {settings.dataset!r}.")
    grid = ShortAxisGrid((settings.spacing,) * 2, (settings.side,) * 2)
    runs = [run for run in read_runs(out) if not (run.folder / SCORES).exists()]
    slices = [_on_grid(item, grid) for item in read_sunnybrook(folder)] if runs else []
    for done, run in enumerate(runs, start=1):
        network = new_network(named_network(settings, run.network), run.seed, ACDC.num_classes)
        network.load_state_dict(load_checkpoint(run.folder / "best.pt")["network"])
        scores: list[Score] = []
        for one in slices:
            found = ACDC.to_scheme(predict_volume(network, one, grid), SUNNYBROOK, without=(RV_CAVITY,))
            rows = score_volume(found, one[LABEL], one["spacing"], SUNNYBROOK, one["annotated"])
            case = (one["patient"], one["group"], one.get("phase", "unknown"))
            scores += [Score(*case, row.structure, row.dice, row.hd95, row.hd, row.assd) for row in rows]
        write_scores(run.folder / SCORES, scores)
        if progress is not None:
            progress(done, len(runs))


def elsewhere_section(runs: Sequence[Run]) -> list[str]:
    """Return the page's section of all runs that were tested on Sunnybrook; nothing where there are none."""
    tested = [run for run in runs if (run.folder / SCORES).exists()]
    if not tested:
        return []
    runs = [replace(run, scores=read_scores(run.folder / SCORES), slices=()) for run in tested]
    parts = ["<h2>On another hospital's patients</h2>"]
    for network in dict.fromkeys(run.network for run in runs):
        for structure in STRUCTURES:
            name = f"{network_title(network)}, {structure}"
            for estimator, what in ((arm_means, "Dice"), (arm_differences, "difference in Dice to the baseline")):
                estimates = [one for one in estimator(runs, "dice", Part(structure)) if one.network == network]
                if estimates:
                    head, rows = amounts_table(estimates, signed=estimator is arm_differences)
                    parts.append(table(f"{name}: {what} (95 % interval)", head, rows))
    patients = len({score.patient for score in runs[0].scores})
    parts.append(
        '<p class="note">'
        + text(
            f"The same networks on the contoured slices of {patients} patients of the Sunnybrook Cardiac Data, a "
            f"patient's mean over slices; nothing was chosen or trained on them. Slices without a contour are left out."
        )
        + "</p>"
    )
    return parts


def _on_grid(item: dict[str, Any], grid: ShortAxisGrid) -> dict[str, Any]:
    """Return a slice with its image `(1, H, W, 1)` on the study's grid and its label `(X, Y, 1)` on the file's."""
    loaded = load_sunnybrook(item)
    image = grid.transform({IMAGE: loaded[IMAGE]}, start=2)[IMAGE]
    return {**item, IMAGE: image, LABEL: loaded[LABEL].as_tensor()[0]}


__all__ = ["elsewhere_section", "score_on_sunnybrook"]
