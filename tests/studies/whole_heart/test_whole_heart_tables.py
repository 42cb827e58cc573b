"""Tables have a line for what was measured, with the numbers that were given."""

from __future__ import annotations

from monai_cardiacgen.anatomy.schemes import MM_WHS, WHOLE_HEART_NAME
from monai_cardiacgen.studies.whole_heart.whole_heart_scores import EVERYWHERE
from monai_cardiacgen.studies.whole_heart.whole_heart_tables import condition_table, filter_table, structure_table

LV = MM_WHS.names[1]


def rows(condition: str, structure: str) -> list[dict]:
    return [
        {
            "condition": condition, "structure": structure, "patient": str(n), "ssim": 0.5, "mse": 0.01, "psnr": 20 + n,
            "hu": 110.0, "hu_real": "100.0", "hu_error": 30, "dice": 0.8, "dice_real": 0.9,
        }
        for n in range(3)
    ]  # fmt: skip


def test_conditions_with_and_without_pictures_of_their_own():
    distance = {"fid": 0.5, "fid_error": 0.1, "kid": 0.002, "kid_error": 0.001, "images": 7}
    text = condition_table(rows("whole heart", EVERYWHERE), {"whole heart": distance, "training patients": distance})
    _, _, first, second = text.splitlines()
    assert first.startswith("| whole heart | 7 | 0.500 (0.500 to 0.500) | 0.0100 (")
    assert "| 21.00 (20.00 to 22.00) | 0.5000 ± 0.1960 | 2.000 ± 1.960 |" in first
    assert second.startswith("| training patients | 7 | – | – | – | 0.5000")


def test_a_structure_has_a_line_a_condition():
    text = structure_table([*rows(WHOLE_HEART_NAME, LV), *rows(LV, LV)])
    lines = text.splitlines()[2:]
    assert [line.split(" | ")[:2] for line in lines] == [[f"| {LV}", "whole heart"], [f"| {LV}", "it alone"]]
    assert "| 21.0 (20.0 to 22.0) | 100 (100 to 100) | 10 (10 to 10) | 30 (30 to 30) | 0.800" in lines[0]


def test_refused_images_are_counted():
    row = {"images": "copies", "count": 4, "refused": 3, "ssim": 0.9, "largest_ssim": 0.95, "correlation": 0.99}
    assert filter_table([row]).splitlines()[-1] == "| copies | 4 | 3 (75 %) | 0.90 (0.95) | 0.99 |"
