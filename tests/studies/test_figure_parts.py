"""Slices lie as they are read, whiskers end where intervals do, and a PNG is a picture."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import torch
from PIL import Image

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.studies.bootstrap import Interval
from monai_cardiacgen.studies.figure_parts import (
    draw_contours,
    draw_whiskers,
    dress_axis,
    interval_ends,
    new_figure,
    png_base64,
    show_slice,
    structures_legend,
)

INTERVALS = [Interval(0.5, 0.4, 0.7, 9), Interval(0.25, math.nan, math.nan, 1)]


def test_a_slice_with_its_contours():
    figure = new_figure(3, 2)
    axis = figure.subplots()
    image = torch.rand(6, 9, generator=torch.Generator().manual_seed(0))
    label = torch.zeros(6, 9, dtype=torch.int64)
    label[1:3, 4:8] = 3
    show_slice(axis, image)
    draw_contours(axis, label, ACDC)
    structures_legend(figure, ACDC)
    np.testing.assert_allclose(axis.images[0].get_array(), image.T)
    path = axis.collections[0].get_paths()[0].vertices
    assert (path.min(axis=0).tolist(), path.max(axis=0).tolist()) == ([0.5, 3.5], [2.5, 7.5])
    assert [entry.get_text() for entry in figure.legends[0].get_texts()] == list(ACDC.names[1:])


def test_whiskers_end_where_the_intervals_do():
    means, lengths = interval_ends(INTERVALS)
    np.testing.assert_allclose(means, [0.5, 0.25])
    np.testing.assert_allclose(lengths, [[0.1, 0], [0.2, 0]], atol=1e-12)
    axis = new_figure(3, 2).subplots()
    draw_whiskers(axis, INTERVALS, np.array([1, 0]), "black", "s", "name")
    ends = [segment.tolist() for segment in axis.collections[0].get_segments()]
    np.testing.assert_allclose(ends, [[[0.4, 1], [0.7, 1]], [[0.25, 0], [0.25, 0]]])


def test_a_dressed_axis_is_labelled():
    axis = new_figure(3, 2).subplots()
    dress_axis(axis, "iteration", "loss")
    assert (axis.get_xlabel(), axis.get_title()) == ("iteration", "loss")


def test_png_is_a_picture():
    figure = new_figure(3, 2)
    figure.subplots().plot([0, 1])
    picture = Image.open(io.BytesIO(base64.b64decode(png_base64(figure, dpi=40))))
    assert (picture.format, picture.size) == ("PNG", (120, 80))
    assert np.asarray(picture.convert("L")).std() > 10
