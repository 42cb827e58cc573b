"""A painter's styles are told in one line of the table."""

from __future__ import annotations

import pytest
from small_hearts import TINY_PAINTER, sector_synthesizer

from benchmarks.echo_causes import Causes, CausesSettings
from benchmarks.echo_style_head import styles_row
from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.phantom import write_camus_phantom

SMALL = CausesSettings(
    side=32,
    validation=1,
    testing=2,
    painter_iterations=2,
    painter_round=1,
    style_size=6,
    more=(*TINY_PAINTER, ("style_encoder#channels", [8, 8])),
)


@pytest.mark.parametrize("name", ["paper_style", "ours"])
def test_a_painter_has_its_line(tmp_path, name):
    data = write_camus_phantom(tmp_path / "camus", patients=4, seed=0)
    bundle = sector_synthesizer(heart_condition=APICAL_CONDITION).to_bundle(tmp_path / "bundle")
    (tmp_path / "study").mkdir()
    study = Causes(data, bundle, tmp_path / "study", SMALL)
    cells = styles_row(study, name, 0, patients=2).strip("| ").split(" | ")
    assert cells[0] == f"{name}, training 1"
    assert len(cells) == 8
    assert float(cells[1]) >= 0
    assert sum(float(one) for one in cells[2:6]) == pytest.approx(1, abs=0.03)
