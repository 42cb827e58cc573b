"""What bundles can do, told by their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_hearts import tiny_synthesizer

from monai_cardiacgen.data.files import read_json, write_json
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.label.app_bundles import AppBundles, find_app_bundles

BUNDLES = Path(__file__).parents[2] / "bundles"


@pytest.fixture(scope="module")
def painter():
    return tiny_synthesizer()


@pytest.fixture
def synthesizer(tmp_path, painter):
    folder = tmp_path / "paints"
    write_json(folder / "configs" / "metadata.json", {})
    return painter.to_bundle(folder)


def test_each_kind_is_found(synthesizer):
    segmenter, inpainter = BUNDLES / "cardiac_segmentation", BUNDLES / "aorta_wgan_gp"
    assert find_app_bundles([inpainter, synthesizer, segmenter]) == AppBundles(segmenter, synthesizer, inpainter)
    assert find_app_bundles([]) == AppBundles()


def test_a_synthesizer_of_another_view_or_without_weights_is_left_aside(synthesizer):
    write_json(
        synthesizer / "configs" / "metadata.json", {"network_data_format": {"outputs": {"pred": {"format": ""}}}}
    )
    described = read_json(synthesizer / "configs" / "synthesizer.json")
    assert find_app_bundles([synthesizer]).synthesizer == synthesizer
    write_json(synthesizer / "configs" / "synthesizer.json", {**described, "view": "apical"})
    assert find_app_bundles([synthesizer]) == AppBundles()
    write_json(synthesizer / "configs" / "synthesizer.json", described)
    (synthesizer / "models" / "model.pt").unlink()
    assert find_app_bundles([synthesizer]) == AppBundles()


def test_what_is_no_bundle(tmp_path):
    with pytest.raises(DataError, match="JSON"):
        find_app_bundles([tmp_path])
