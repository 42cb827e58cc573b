"""Samples and arguments that a transform must not take."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from small_hearts import hearts
from stand_in_synthesizer import StandInSynthesizer, heart
from wrong_input import Wrong, answered, rows

from monai_cardiacgen.anatomy import APICAL_CONDITION, StructureCondition
from monai_cardiacgen.anatomy.schemes import ACDC, MM_WHS
from monai_cardiacgen.errors import InputError, IntensityError, LabelError, ShapeError, SpacingError
from monai_cardiacgen.inferers import LatentInpainter
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator, WGANCritic, WGANGenerator
from monai_cardiacgen.transforms import (
    AlignLabelDistribution,
    EncodeHeartConditiond,
    ExtractVesselPatches,
    ExtractVesselPatchesd,
    InpaintAnatomy,
    InpaintAnatomyd,
    RandCardiacSynth,
    RandCardiacSynthd,
    TranslateModality,
)

NAN, INF = float("nan"), float("inf")
AFFINE = torch.diag(torch.tensor([1.5, 1.5, 8.0, 1.0], dtype=torch.float64))
SYNTHESIZER = StandInSynthesizer()


def sample(image=None, label=None, affine=AFFINE):
    codes = heart((32, 32), [15.5, 15.5], 4.0)[None]
    pixels = 100 + 400 * torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0)) + 300 * (codes > 0)
    return (
        MetaTensor(pixels if image is None else image(pixels), affine=affine),
        MetaTensor(codes if label is None else label(codes), affine=affine),
    )


def synth_rows(name, error, words, modes=("new", "vary", "restyle"), **changes):
    """Return a row a mode."""
    return [
        Wrong(
            f"{mode}, {name}",
            lambda at, mode=mode: RandCardiacSynth(SYNTHESIZER, 1.0, mode)(*sample(**changes)),
            error,
            words,
        )
        for mode in modes
    ]


def build_row(name, words, error=InputError, **arguments):
    return Wrong(name, lambda at: RandCardiacSynth(**{"synthesizer": SYNTHESIZER, **arguments}), error, words)


def remake_row(name, words, **record):
    told = {"synthetic": True, "mode": "new", "seed": 1, "strength": 0.5, "bundle": "stand_in", "version": "0.1.0"}
    told = {key: value for key, value in {**told, **record}.items() if value is not None}
    return Wrong(f"remake, {name}", lambda at: RandCardiacSynth(SYNTHESIZER).remake(*sample(), told), InputError, words)


def on_its_own(image, label=None):
    return lambda at: RandCardiacSynth(SYNTHESIZER, 1.0)(image, sample()[1] if label is None else label)


SHEAR = AFFINE.clone()
SHEAR[0, 1] = 1.0
SYNTH = [
    *synth_rows("image of NaN", IntensityError, ("finite values", "1024"), image=lambda it: it * NAN),
    *synth_rows("constant image", IntensityError, ("contrast", "got 1 for both"), image=torch.ones_like),
    *synth_rows("bool image", IntensityError, ("real intensities", "torch.bool"), image=lambda it: it > 300),
    *synth_rows("complex image", IntensityError, ("real", "complex64"), image=lambda it: it.to(torch.complex64)),
    *synth_rows(
        "no pixels",
        ShapeError,
        ("image with pixels", "(1, 0, 32)"),
        image=lambda it: it[:, :0],
        label=lambda it: it[:, :0],
    ),
    *synth_rows("two channels", ShapeError, ("image (1, H, W)", "(2, 32, 32)"), image=lambda it: torch.cat((it, it))),
    *synth_rows("label of another size", ShapeError, ("the image's grid", "(16, 32)"), label=lambda it: it[:, :16]),
    *synth_rows("label of NaN", LabelError, ("label codes", "nan"), label=lambda it: it * NAN),
    *synth_rows("label between codes", LabelError, ("label codes", "nearest neighbour"), label=lambda it: it + 0.5),
    *synth_rows("unknown codes", LabelError, ("label codes", "10.0"), label=lambda it: it + 7),
    *synth_rows("complex label", LabelError, ("whole numbers", "complex"), label=lambda it: it.to(torch.complex64)),
    *synth_rows("soft label", LabelError, ("one 1 a pixel",), label=lambda it: torch.rand(4, 32, 32)),
    *synth_rows(
        "three channels of label", ShapeError, ("4 one-hot", "3 channels"), label=lambda it: it.repeat(3, 1, 1)
    ),
    *synth_rows("affine of zeros", SpacingError, ("2 positive spacings", "0.0"), affine=torch.zeros(4, 4)),
    *synth_rows("affine of NaN", SpacingError, ("2 positive spacings", "nan"), affine=torch.full((4, 4), NAN)),
    *synth_rows("sheared affine", SpacingError, ("right angles",), affine=SHEAR),
    *synth_rows("unknown spacing", SpacingError, ("tell their spacing",), affine=torch.eye(4)),
    *synth_rows(
        "too large a field",
        SpacingError,
        ("at most 48.0 x 48.0 mm", "48000000.0"),
        ("new", "restyle"),
        affine=AFFINE * 1e6,
    ),
    *synth_rows(
        "a stack",
        InputError,
        ("2D samples", "stacks of 3"),
        ("new",),
        image=lambda it: it[..., None].repeat(1, 1, 1, 3),
        label=lambda it: it[..., None].repeat(1, 1, 1, 3),
    ),
    Wrong("a path", on_its_own("image.nii.gz"), InputError, ("a tensor or an array", "'image.nii.gz'", "LoadImaged")),
    Wrong("nothing", on_its_own(None), InputError, ("a tensor or an array", "NoneType")),
    Wrong("a list", on_its_own([1, 2]), InputError, ("a tensor or an array", "list")),
    build_row("prob of 1.5", ("[0, 1]", "1.5"), prob=1.5),
    build_row("prob of NaN", ("[0, 1]", "nan"), prob=NAN),
    build_row("unknown mode", ("'vary'", "'old'"), mode="old"),
    build_row("no modes", ("mode to be of", "()"), mode=()),
    build_row("weight of NaN", ("mode to be of", "nan"), mode={"new": NAN}),
    build_row("strength of 0", ("(0, 1]", "0"), strength=0),
    build_row("two codes", ("4 different label_codes", "(0, 1)"), LabelError, label_codes=(0, 1)),
    build_row("codes in words", ("4 different label_codes", "'abcd'"), LabelError, label_codes="abcd"),
    build_row("falling range", ("low < high", "(1, 0)"), IntensityError, intensity_range=(1, 0)),
    build_row("range in words", ("low < high", "'ab'"), IntensityError, intensity_range="ab"),
    build_row("range of one number", ("low < high", "got 5"), IntensityError, intensity_range=5),
    build_row("spacing of 0", ("2 positive", "(0.0, 1.0)"), SpacingError, spacing=(0, 1)),
    build_row("no synthesizer", ("a synthesizer", "str without scheme"), synthesizer="bundles/x"),
    Wrong("one key", lambda at: RandCardiacSynthd("image", SYNTHESIZER), InputError, ("two keys", "('image',)")),
    remake_row("a real sample", ("a synthetic case", "real sample"), synthetic=False),
    remake_row("another bundle", ("'stand_in' 0.1.0", "'x'"), bundle="x"),
    remake_row("no mode", ("record of a synthetic case", "KeyError"), mode=None),
    remake_row("unknown mode", ("record of a synthetic case", "'old'"), mode="old"),
    remake_row("seed in words", ("record of a synthetic case", "'x'"), seed="x"),
    Wrong(
        "batch, rows that differ",
        lambda at: RandCardiacSynthd(("image", "label"), SYNTHESIZER, 1.0, spacing=(1.5, 1.5)).prepare_batch()(
            {"image": torch.rand(2, 1, 32, 32), "label": torch.zeros(3, 1, 32, 32)}
        ),
        InputError,
        ("2 rows", "[2, 3]"),
    ),
]

NETWORK = ConditionalUNetGenerator(2, 1, channels=(4, 8))
TO_MR = TranslateModality(NETWORK, "MR")


def translate_row(name, error, words, image):
    return Wrong(f"translate, {name}", lambda at: TO_MR(image), error, words)


TRANSLATE = [
    translate_row("a path", InputError, ("a tensor or an array", "str"), "ct.nii.gz"),
    translate_row("two channels", ShapeError, ("one channel", "(2, 16, 16)"), torch.rand(2, 16, 16)),
    translate_row("no channel", ShapeError, ("one channel", "(16, 16)"), torch.rand(16, 16)),
    translate_row("no channels at all", ShapeError, ("one channel", "(0, 16, 16)"), torch.rand(0, 16, 16)),
    translate_row("a number", ShapeError, ("one channel", "()"), torch.tensor(1.0)),
    translate_row("no pixels", ShapeError, ("one channel", "(1, 0, 16)"), torch.rand(1, 0, 16)),
    translate_row("NaN", IntensityError, ("finite values",), torch.full((1, 16, 16), NAN)),
    translate_row("constant", IntensityError, ("contrast", "constant"), torch.ones(1, 16, 16)),
    Wrong(
        "translate, unknown codes",
        lambda at: TranslateModality(
            ConditionalUNetGenerator(2, 8, channels=(4, 8)), "MR", to_condition=StructureCondition(MM_WHS)
        )(torch.full((1, 16, 16), 3.0)),
        LabelError,
        ("'MM-WHS'", "[3.0]"),
    ),
    Wrong(
        "translate, falling range",
        lambda at: TranslateModality(NETWORK, "MR", (1, 0)),
        InputError,
        ("lower to higher", "(1, 0)"),
    ),
    Wrong(
        "translate, range of one", lambda at: TranslateModality(NETWORK, "MR", (1,)), InputError, ("lower to", "(1,)")
    ),
]

MAPS = hearts(12)[1][:, 0]
POINT = torch.nn.functional.pad(torch.ones(1, 1, 1, dtype=torch.int64), (3, 28, 3, 28))
LINE = torch.nn.functional.pad(torch.ones(1, 5, 1, dtype=torch.int64), (3, 28, 3, 24))


def align(generated=MAPS, spacing=(2.0, 2.0), **more):
    return AlignLabelDistribution(generated, MAPS, ACDC, spacing, **more)


def align_row(name, error, words, act):
    return Wrong(f"align, {name}", lambda at: act(), error, words)


ALIGN = [
    align_row("three maps", InputError, ("finite points", "(3, 4)"), lambda: align(MAPS[:3])),
    align_row("no batch", ShapeError, ("(B, H, W)", "(32, 32)"), lambda: align(MAPS[0])),
    align_row("unknown codes", LabelError, ("'ACDC'", "12.0"), lambda: align(MAPS + 9)),
    align_row("empty maps", LabelError, ("a heart in every", "got none"), lambda: align(MAPS * 0)),
    align_row("one spacing", SpacingError, ("2 positive", "(1.0,)"), lambda: align(spacing=(1,))),
    align_row("a map of NaN", LabelError, ("label codes", "nan"), lambda: align()(MAPS[:1] * NAN)),
    align_row("an empty map", LabelError, ("a heart in every",), lambda: align()(MAPS[:1] * 0)),
    align_row("a point", LabelError, ("heart",), lambda: align()(POINT)),
    align_row("a line", LabelError, ("heart",), lambda: align()(LINE)),
    align_row("two channels", ShapeError, ("4 one-hot channels", "got 2"), lambda: align()(MAPS[:2])),
    align_row("a path", InputError, ("a tensor or an array",), lambda: align()("label.nii.gz")),
    align_row(
        "a condition that nobody fitted",
        InputError,
        ("conditions", "[1.0, 1.0]"),
        lambda: align()(MAPS[:1], torch.ones(2)),
    ),
]

INPAINTER = LatentInpainter(
    WGANGenerator(2, 32, latent_size=4, features=4), WGANCritic(2, 32, features=4), 4, starts=1, candidates=2, steps=2
)
PATCH = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
INPAINT = InpaintAnatomy(INPAINTER)


def inpaint_row(name, error, words, *given, **more):
    return Wrong(f"inpaint, {name}", lambda at: INPAINT(*given, **more), error, words)


INPAINT_ROWS = [
    inpaint_row("a path", InputError, ("a tensor or an array",), "patch.nii.gz"),
    inpaint_row("NaN", IntensityError, ("finite values", "got 1024"), PATCH * NAN),
    inpaint_row("Hounsfield units", IntensityError, ("in [0, 1]", "ScaleIntensity"), PATCH * 300),
    inpaint_row("two channels", ShapeError, ("(2, 32, 32)",), torch.cat((PATCH, PATCH))),
    inpaint_row("a mask and a centre", InputError, ("a mask or a centre", "both"), PATCH, PATCH, (3, 3)),
    inpaint_row("an empty mask", InputError, ("mask",), PATCH, PATCH * 0),
    inpaint_row("a mask of all", InputError, ("mask",), PATCH, PATCH * 0 + 1),
    inpaint_row("a mask of another size", ShapeError, ("mask", "(16, 32)"), PATCH, torch.ones(16, 32)),
    inpaint_row("two masks", ShapeError, ("1 channel", "(2, 32, 32)"), PATCH, torch.ones(2, 32, 32)),
    inpaint_row("a box beyond the image", InputError, ("a box within the image", "(99.0, 3.0)"), PATCH, centre=(99, 3)),
    Wrong(
        "inpaint, keys of mask and centre",
        lambda at: InpaintAnatomyd("image", INPAINTER, "mask", "centre"),
        InputError,
        ("a mask or a centre", "'mask'"),
    ),
    Wrong(
        "inpaint, no mask in the sample",
        lambda at: InpaintAnatomyd("image", INPAINTER, "mask")({"image": PATCH}),
        InputError,
        ("'mask' in the sample", "['image']"),
    ),
]

VOLUME = MetaTensor(
    torch.rand(1, 40, 40, 4, generator=torch.Generator().manual_seed(0)),
    affine=torch.diag(torch.tensor([1.0, 1, 2, 1])),
)
EXTRACT = ExtractVesselPatches((16, 16))


def vessel_row(name, error, words, act):
    return Wrong(f"vessel, {name}", lambda at: act(), error, words)


VESSEL = [
    vessel_row("patch of 0", InputError, ("two positive numbers", "(0, 16)"), lambda: ExtractVesselPatches((0, 16))),
    vessel_row("seed in inches", InputError, ("'voxel' or 'mm'",), lambda: ExtractVesselPatches(seed_space="inch")),
    vessel_row("no channel", ShapeError, ("(C, H, W, D)", "(40, 40, 4)"), lambda: EXTRACT(VOLUME[0], (1, 1, 1))),
    vessel_row(
        "unknown spacing", SpacingError, ("tell their spacing",), lambda: EXTRACT(VOLUME.as_tensor(), (1, 1, 1))
    ),
    vessel_row("NaN", IntensityError, ("finite values",), lambda: EXTRACT(VOLUME * NAN, (1, 1, 1))),
    vessel_row("seed of NaN", InputError, ("three finite numbers", "nan"), lambda: EXTRACT(VOLUME, (NAN, 1, 1))),
    vessel_row("noise", InputError, ("bright circle", "got none"), lambda: EXTRACT(VOLUME, (20, 20, 1))),
    vessel_row(
        "no seed", InputError, ("'seed' in the sample",), lambda: ExtractVesselPatchesd("image")({"image": VOLUME})
    ),
    Wrong(
        "a third view",
        lambda at: EncodeHeartConditiond(APICAL_CONDITION)({"view": "3CH", "phase": "ED"}),
        InputError,
        ("'2CH', '4CH'", "'3CH'"),
    ),
]


@rows([*SYNTH, *TRANSLATE, *ALIGN, *INPAINT_ROWS, *VESSEL])
def test_a_wrong_sample_gets_one_error(wrong, tmp_path):
    answered(wrong, tmp_path)


@pytest.mark.parametrize("mode", ["new", "vary", "restyle"])
def test_a_sample_is_not_changed_by_its_error(mode):
    image, label = sample(label=lambda it: it + 7)
    before = image.clone(), label.clone()
    with pytest.raises(LabelError):
        RandCardiacSynth(SYNTHESIZER, 1.0, mode)(image, label)
    assert torch.equal(image, before[0])
    assert torch.equal(label, before[1])
    assert np.array_equal(image.affine, AFFINE)
