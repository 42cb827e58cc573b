"""Synthesizers, networks, losses and metrics with inputs that are not theirs."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, tiny_synthesizer
from wrong_input import Wrong, answered, rows

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, MM_WHS
from monai_cardiacgen.errors import InputError, IntensityError, LabelError, ShapeError, SpacingError
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler, PhantomSynthesizer, box_mask
from monai_cardiacgen.losses import EvidenceLowerBoundLoss, HingeDiscriminatorLoss, WassersteinCriticLoss
from monai_cardiacgen.metrics import (
    FeatureSpace,
    FrechetDistanceMetric,
    coverage_and_density,
    jackknife_error,
    kernel_distance,
    radial_spectrum,
    spectral_ratio,
)
from monai_cardiacgen.networks.nets import (
    AnatomicalVAE,
    ENet,
    MultiscaleDiscriminator,
    SPADEGenerator,
    StyleEncoder,
    WGANGenerator,
)
from monai_cardiacgen.seeding import seeded

NAN = float("nan")
IMAGES, MAPS = hearts(12)
IMAGE, LABEL = IMAGES[:2], MAPS[:2, 0]
ONE_HOT = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
FEATURES = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def made():
    return tiny_synthesizer()


def asked(name, error, words, act):
    """Return a row whose act takes a synthesizer and a generator."""
    return Wrong(name, act, error, words)


def built(synthesizer, **changes):
    sampler = synthesizer.sampler
    parts = {"scheme": ACDC, "latents": sampler.latents, "offsets": sampler.offsets, "proposal": "prior", **changes}
    return LatentSampler(sampler.vae, spacing=(2.0, 2.0), check=None, **parts)


def with_parts(it, scheme=ACDC, styles=None):
    styles = it.styles if styles is None else styles
    return CardiacSynthesizer(scheme, (2.0, 2.0), it.sampler, it.generator, it.style_encoder, styles)


SYNTHESIZER = [
    asked("sample -1", InputError, ("at least one row", "-1"), lambda it, g: it.sample(-1, g)),
    asked("sample none", InputError, ("at least one row", "got 0"), lambda it, g: it.sample(0, g)),
    asked("sample one and a half", InputError, ("at least one row", "1.5"), lambda it, g: it.sample(1.5, g)),
    asked("sample with a seed", InputError, ("torch.Generator", "got 5"), lambda it, g: it.sample(2, 5)),
    asked("sample without a generator", InputError, ("torch.Generator", "None"), lambda it, g: it.sample(2, None)),
    asked("sample two of one generator", InputError, ("2 rows", "got 1"), lambda it, g: it.sample(2, [g])),
    asked("styles, none", InputError, ("at least one row",), lambda it, g: it.draw_styles(g, 0)),
    asked("vary by 0", InputError, ("(0, 1]", "got 0"), lambda it, g: it.vary(IMAGE, LABEL, 0, g)),
    asked("vary by NaN", InputError, ("(0, 1]", "nan"), lambda it, g: it.vary(IMAGE, LABEL, NAN, g)),
    asked("vary no heart", LabelError, ("heart",), lambda it, g: it.vary(IMAGE, LABEL * 0, 0.5, g)),
    asked("vary unknown codes", LabelError, ("'ACDC'", "12.0"), lambda it, g: it.vary(IMAGE, LABEL + 9, 0.5, g)),
    asked(
        "vary half an image", ShapeError, ("(B, 1, 32, 32)",), lambda it, g: it.vary(IMAGE[:, :, :16], LABEL, 0.5, g)
    ),
    asked("vary NaN", IntensityError, ("finite",), lambda it, g: it.vary(IMAGE * NAN, LABEL, 0.5, g)),
    asked("restyle one map of two", ShapeError, ("(1, 32, 32)",), lambda it, g: it.restyle(IMAGE, LABEL[:1], g)),
    asked("paint codes between", LabelError, ("'ACDC'", "0.5"), lambda it, g: it.synthesize(LABEL + 0.5, None, g)),
    asked("paint in short styles", ShapeError, ("style",), lambda it, g: it.synthesize(LABEL, torch.zeros(2, 3), g)),
    asked(
        "paint in styles of NaN",
        IntensityError,
        ("the styles", "got 12"),
        lambda it, g: it.synthesize(LABEL, torch.full((2, 6), NAN), g),
    ),
    asked(
        "style of two channels", ShapeError, ("1 channels",), lambda it, g: it.encode_style(IMAGE.repeat(1, 2, 1, 1))
    ),
    asked(
        "between two and one", ShapeError, ("as many second",), lambda it, g: it.sampler.between(LABEL, LABEL[:1], g)
    ),
    asked("unknown target", InputError, ("'x'",), lambda it, g: it.sampler.targeted(1, g, {"x": (1, 2)})),
    asked("unknown proposal", InputError, ("proposals", "'x'"), lambda it, g: built(it, proposal="x")),
    asked("hearts of eight classes", LabelError, ("4 classes", "'MM-WHS'"), lambda it, g: built(it, scheme=MM_WHS)),
    asked(
        "styles of three hearts", InputError, ("styles of shape",), lambda it, g: with_parts(it, styles=it.styles[:3])
    ),
    asked(
        "another scheme",
        LabelError,
        ("as the sampler draws them", "'CAMUS'"),
        lambda it, g: with_parts(it, scheme=CAMUS),
    ),
    asked("phantom of the liver", InputError, ("'apical'", "'liver'"), lambda it, g: PhantomSynthesizer("liver")),
    asked("no phantoms", InputError, ("at least", "0"), lambda it, g: PhantomSynthesizer(patients=0)),
    asked("a box beyond the image", InputError, ("within the image", "(9, 9)"), lambda it, g: box_mask((8, 8), 9)),
]


def vae(**changes):
    return AnatomicalVAE(
        **{"spatial_dims": 2, "num_classes": 4, "spatial_size": (32, 32), "channels": (8, 16), **changes}
    )


def spade(*given):
    return SPADEGenerator(2, 4, channels=(8, 8), hidden_channels=4, style_size=4, start_size=(8, 8))(*given)


def part(name, error, words, act):
    return Wrong(name, lambda at: act(), error, words)


SEVEN = torch.rand(2, 7)
NETWORKS = [
    part("4D network", InputError, ("2 or 3", "got 4"), lambda: ENet(4, 1, 4)),
    part("shape model, negative condition", InputError, ("no negative", "-1"), lambda: vae(condition_size=-1)),
    part("shape model of one class", InputError, ("2 classes", "1"), lambda: vae(num_classes=1)),
    part("shape model without a latent", InputError, ("at least 1 number", "0"), lambda: vae(latent_size=0)),
    part("shape model without channels", InputError, ("at least 1 number", "(0, 8)"), lambda: vae(channels=(0, 8))),
    part("shape model of 30 pixels", ShapeError, ("multiple of 4", "(30, 32)"), lambda: vae(spatial_size=(30, 32))),
    part("shape model, codes", ShapeError, ("4 channels", "got 1"), lambda: vae()(torch.zeros(1, 1, 32, 32))),
    part("painter, 15 pixels", ShapeError, ("multiple of 2", "(15, 16)"), lambda: spade(torch.rand(1, 4, 15, 16))),
    part("painter, a style of two", ShapeError, ("(2, 4)", "(1, 4)"), lambda: spade(ONE_HOT, torch.rand(1, 4))),
    part("encoder without levels", InputError, ("one level", "()"), lambda: StyleEncoder(2, channels=())),
    part("encoder of -1 numbers", InputError, ("at least 1 number", "-1"), lambda: StyleEncoder(2, style_size=-1)),
    part("critic without scales", InputError, ("one scale", "0"), lambda: MultiscaleDiscriminator(2, 5, scales=0)),
    part("critic without levels", InputError, ("one level", "()"), lambda: MultiscaleDiscriminator(2, 5, channels=())),
    part("patches of 30", InputError, ("power of two", "got 30"), lambda: WGANGenerator(2, 30)),
    part("segmenter, NumPy's axes", ShapeError, ("(B, 1, H, W)",), lambda: ENet(2, 1, 4)(torch.rand(32, 32))),
]
LOSSES = [
    part(
        "divergence of three rows",
        ShapeError,
        ("the 2 rows", "(3, 4)"),
        lambda: EvidenceLowerBoundLoss()(ONE_HOT, ONE_HOT, torch.rand(3, 4), torch.rand(3, 4)),
    ),
    part(
        "variance of another latent",
        ShapeError,
        ("mean and log variance", "(2, 3)"),
        lambda: EvidenceLowerBoundLoss()(ONE_HOT, ONE_HOT, torch.rand(2, 4), torch.rand(2, 3)),
    ),
    part("weight of -1", InputError, ("weights of at least 0", "-1"), lambda: EvidenceLowerBoundLoss(divergence=-1)),
    part("weight of NaN", InputError, ("weights of at least 0", "nan"), lambda: EvidenceLowerBoundLoss(dice=NAN)),
    part("penalty of NaN", InputError, ("penalty_weight", "nan"), lambda: WassersteinCriticLoss(NAN)),
    part(
        "one scale of two",
        InputError,
        ("as many scales", "1 and 2"),
        lambda: HingeDiscriminatorLoss()([SEVEN], [SEVEN] * 2),
    ),
]
METRICS = [
    part("KID of NaN", IntensityError, ("the features", "got 60"), lambda: kernel_distance(FEATURES * NAN, FEATURES)),
    part(
        "features of NaN",
        IntensityError,
        ("the features of 'a'",),
        lambda: FeatureSpace("a", lambda it: it.flatten(1) * NAN)(ONE_HOT),
    ),
    part(
        "FID of few, anyhow",
        InputError,
        ("'refuse'", "'anyhow'"),
        lambda: FrechetDistanceMetric(FeatureSpace("a", lambda it: it), few="anyhow"),
    ),
    part(
        "coverage of 20 of 20",
        InputError,
        ("more cases than", "k=20"),
        lambda: coverage_and_density(FEATURES, FEATURES, 20),
    ),
    part("error of one group", InputError, ("two groups", "got 1"), lambda: jackknife_error([1.0])),
    part("spectrum of 0 mm", SpacingError, ("positive", "0.0"), lambda: radial_spectrum(IMAGES, 0)),
    part("spectrum of NaN", IntensityError, ("the images", "NaN"), lambda: radial_spectrum(IMAGES * NAN, 1.0)),
    part("spectra of two sizes", ShapeError, ("one size",), lambda: spectral_ratio(IMAGES, IMAGES[..., :16, :16], 1.0)),
]


@rows([*NETWORKS, *LOSSES, *METRICS])
def test_a_wrong_tensor_or_argument_gets_one_error(wrong, tmp_path):
    answered(wrong, tmp_path)


@rows(SYNTHESIZER)
def test_a_wrong_wish_gets_one_error(wrong, made, tmp_path):
    act = Wrong(wrong.name, lambda at: wrong.act(made, seeded(0)), wrong.error, wrong.words)
    answered(act, tmp_path)
