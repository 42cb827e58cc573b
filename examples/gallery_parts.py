"""What the examples share: pictures with axes in mm, phantom slices, and small models that are trained once."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from monai_cardiacgen.anatomy import ACDC, AnatomyCheck, LabelScheme, centre_heart
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler, PhantomSynthesizer
from monai_cardiacgen.studies.shape_model import ShapeBudget, train_shape_model

#: Models and sets of the examples; kept, so that a second run is quick.
KEPT = Path("runs/gallery")
#: The repository's bundles, seen from its root or from examples/.
BUNDLES = next(folder / "bundles" for folder in (Path(), Path("..")) if (folder / "bundles").is_dir())


def show(
    axis: Axes,
    image: torch.Tensor,
    spacing: Sequence[float],
    label: torch.Tensor | None = None,
    scheme: LabelScheme = ACDC,
    title: str = "",
) -> None:
    """Draw a slice `(H, W)` with mm along its axes, the first to the right, and the outlines of its label."""
    x, y = (np.arange(side) * step for side, step in zip(image.shape, spacing, strict=True))
    ends = (-spacing[0] / 2, x[-1] + spacing[0] / 2, y[-1] + spacing[1] / 2, -spacing[1] / 2)
    axis.imshow(image.numpy().T, cmap="gray", extent=ends, interpolation="bilinear")
    if label is not None:
        for structure in scheme.structures:
            inside = (label == structure.code).numpy().T
            if inside.any():
                axis.contour(x, y, inside, levels=[0.5], colors=[structure.colour], linewidths=1.3)
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("mm", fontsize=8)
    axis.set_ylabel("mm", fontsize=8)
    axis.tick_params(labelsize=7)
    if axis.get_shared_x_axes().joined(axis, axis.figure.axes[-1]):  # of panels on one scale the outer ones tell it
        axis.label_outer()


def paint(label: torch.Tensor, scheme: LabelScheme = ACDC) -> np.ndarray:
    """Return a label map `(H, W)` in its scheme's colours, `(W, H, 3)`, for `imshow`."""
    colours = np.array([(0.09, 0.09, 0.11), *(structure.colour for structure in scheme.structures)])
    return colours[scheme.to_channels(label).numpy().T]


def name_structures(figure: Figure, scheme: LabelScheme = ACDC) -> None:
    """Name the structures' colours below a figure."""
    lines = [Line2D([], [], color=structure.colour, linewidth=3) for structure in scheme.structures]
    names = [structure.name for structure in scheme.structures]
    figure.legend(lines, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)


def show_figure(figure: Figure) -> None:
    """Show a figure that the package made without a screen, as an image."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=100)
    plain = plt.figure(figsize=figure.get_size_inches())
    axis = plain.add_axes((0, 0, 1, 1))
    axis.imshow(Image.open(content))
    axis.set_axis_off()
    plt.show()


def gif_of(figures: Sequence[Figure], seconds: float) -> bytes:
    """Return figures as an endless GIF, each shown for so long."""
    frames = []
    for figure in figures:
        content = BytesIO()
        figure.savefig(content, format="png", dpi=80)
        frames.append(Image.open(content).convert("P", palette=Image.Palette.ADAPTIVE))
    whole = BytesIO()
    frames[0].save(whole, "GIF", save_all=True, append_images=frames[1:], duration=int(1000 * seconds), loop=0)
    return whole.getvalue()


def phantom_maps(patients: int = 10) -> torch.Tensor:
    """Return label maps `(N, 48, 48)` on pixels of 3 mm: all slices with a heart of phantom patients, centred."""
    phantoms = PhantomSynthesizer(spacing=(3.0, 3.0), spatial_size=(64, 64), patients=patients, seed=5).fill()
    # The same heart, drawn often enough, is one map: every slice of every patient is met.
    labels = phantoms.sample(60 * patients, torch.Generator().manual_seed(0)).label.unique(dim=0)
    return centre_heart(labels[(labels == ACDC.code("myocardium")).sum(dim=(1, 2)) > 8])[0][:, 8:56, 8:56]


def phantom_hearts() -> LatentSampler:
    """Return a sampler whose shape model learned the hearts of phantom patients, which takes a quarter of a minute."""
    labels = phantom_maps()
    budget = ShapeBudget(iterations=300, iterations_per_round=100, batch_size=24, channels=(12, 24, 48), latent_size=8)
    vae = train_shape_model([{"label": one[None]} for one in labels], KEPT / "shapes", budget=budget)
    return LatentSampler.fit(vae, ACDC, (3.0, 3.0), labels, check=AnatomyCheck())


def mr_synthesizer() -> CardiacSynthesizer:
    """Return the synthesizer of the bundle `cine_mr_vaegan`."""
    return CardiacSynthesizer.from_bundle(BUNDLES / "cine_mr_vaegan")
