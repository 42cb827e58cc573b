"""Figures of inpainting: what each panel shows, and the frames of the GIF."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from toy_generators import Indifferent, Linear

from monai_cardiacgen.inferers import LatentInpainter, SearchedImage, box_mask
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.heart_figures import save_figure
from monai_cardiacgen.studies.vessels.inpainting_figures import descents_figure, inpainting_figure, write_descent_gif

SIZE = (16, 12)  # the first axis is to the right
MASK = box_mask(SIZE, (5, 3))


def found(steps: int) -> tuple[torch.Tensor, SearchedImage, LatentInpainter]:
    network = Linear(4, (1, *SIZE))
    real = network(torch.randn(1, 4, generator=seeded(5), dtype=torch.float64))[0].detach()
    real[0, 7:9, 5:7] += 0.3
    inpainter = LatentInpainter(network, Indifferent(), 4, starts=5, steps=steps, prior_weight=0, window=20)
    return real, inpainter(real, MASK, seeded(0)), inpainter


def test_the_figure_shows_real_masked_starts_results_and_anomaly(tmp_path):
    real, result, inpainter = found(150)
    figure = inpainting_figure(real, result, inpainter, "a bulge", starts=3)
    shown = {axis.get_title(): axis.images[0].get_array() for axis in figure.axes if axis.images}
    np.testing.assert_allclose(shown["real"], real[0].T)
    assert (shown["masked"][MASK.numpy().T] == 0).all()
    np.testing.assert_allclose(shown["inpainted"], result.image[0].T)
    np.testing.assert_allclose(shown["|real − inpainted|"], result.anomaly[0].T)
    np.testing.assert_allclose(shown["z-score"], result.z_score[0].T)
    best = result.best
    at_start = shown[f"start {best + 1}: loss {float(result.trace[best, 0]):.3f}"]
    np.testing.assert_allclose(at_start, inpainter.decode(result.path[best : best + 1, 0])[0, 0].T)
    assert sum(axis.get_title() == "region" for axis in figure.axes) == 3
    labels = {axis.get_xlabel() for axis in figure.axes}
    assert {"intensity", "standard deviations"} <= labels
    outline = figure.axes[0].collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(outline.min(axis=0), [5.5, 4.5], atol=0.1)  # pixels 6 to 10 and 5 to 7
    np.testing.assert_allclose(np.ptp(outline, axis=0), [5, 3], atol=0.2)
    save_figure(tmp_path / "figure.png", figure)
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_a_gif_has_evenly_chosen_frames_until_the_end(tmp_path):
    real, result, inpainter = found(60)
    write_descent_gif(tmp_path / "descent.gif", real, result, inpainter, "descent", frames=7)
    with Image.open(tmp_path / "descent.gif") as movie:
        assert movie.n_frames == 7
        assert movie.info["loop"] == 0
        first = np.asarray(movie.convert("RGB")).astype(int)
        movie.seek(6)
        last = np.asarray(movie.convert("RGB")).astype(int)
    third = first.shape[1] // 3
    moved = np.abs(first - last)[60:]
    assert moved[:, :third].mean() > 5  # the generated image moves
    assert moved[:, -third + 10 :].mean() < 1  # the real one stays, up to the palette
    assert [path.name for path in tmp_path.iterdir()] == ["descent.gif"]


def test_curves_have_labelled_logarithmic_axes():
    figure = descents_figure({"Adam": ([1, 10, 100], [0.3, 0.1, 0.05]), "L-BFGS": ([1, 10], [0.3, 0.04])}, "two ways")
    axis = figure.axes[0]
    assert [line.get_label() for line in axis.lines] == ["Adam", "L-BFGS"]
    np.testing.assert_allclose(axis.lines[1].get_data(), [[1, 10], [0.3, 0.04]])
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert "evaluations of the generator" in axis.get_xlabel()
    assert "loss" in axis.get_ylabel()
